"""In what an answer differs from its question, in words for clinicians."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.filters import Between, Filter, Missing, Not, OneOf, to_json, variables_of
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.disclosure.low_effect import NotApplied, TooFewPatients
from harmony_dash.disclosure.results import Unapplied

# In a note more values are counted instead of named.
MOST_NAMES = 4
# Effects are counted in the figure: of the whole cohort a value may have more patients.
IN_FIGURE = "of the patients in this figure"


def describe_unapplied(one: NotApplied, dictionary: Dictionary, groups: tuple[str, ...] = ()) -> Unapplied:
    """As it is told with the result, all values by name; `groups` names those it is true of, empty for all."""
    return Unapplied(describe_filter(one.filter, dictionary), to_json(one.filter), one.kind, groups)


def explain_unapplied(one: NotApplied, dictionary: Dictionary, least: int, groups: Sequence[str] = ()) -> str:
    """One sentence, e.g. "Of 'Subtype', A and B each have fewer than 10 of the patients in this figure and
    are left out."

    Parameters
    ----------
    least : the threshold k.
    groups : names of the groups it is true of; none for the whole cohort.
    """
    within = f"Within {', '.join(groups)}, " if groups else ""
    there = " there" if groups else ""
    if one.kind == "not applied":
        text = (f"the filter '{describe_filter(one.filter, dictionary)}' changes fewer than {least} {IN_FIGURE} and "
                f"was not applied{there}.")
    elif one.kind == "left out":
        verb = "is" if len(one.values) == 1 else "are"
        text = (f"of '{dictionary[one.variable].label}', {_name_values(one, dictionary)} {_have_few(one, least)} and "
                f"{verb} left out{there}.")
    else:
        text = (f"the values asked for of '{dictionary[one.variable].label}' are shown{there} together with "
                f"{_name_values(one, dictionary)}, which {_have_few(one, least)}.")
    return within + (text if within else text[0].upper() + text[1:])


def explain_applied(one: NotApplied, dictionary: Dictionary, groups: Sequence[str]) -> str:
    """One sentence about groups in which nothing was done to its variables, though it was in the cohort."""
    within = f"Within {', '.join(groups)}, "
    if one.kind == "not applied":
        return f"{within}the filter '{describe_filter(one.filter, dictionary)}' was applied."
    return f"{within}the values asked for of '{dictionary[one.variable].label}' are shown, all of them and no others."


def explain_otherwise(one: NotApplied, dictionary: Dictionary, groups: Sequence[str]) -> str:
    """One sentence about groups of which it is not true, though something else about its variables is."""
    labels = _join([f"'{dictionary[name].label}'" for name in sorted(variables_of(one.filter))])
    return f"Of {labels}, only what is said of {', '.join(groups)} by name is true there."


def explain_too_few(answer: TooFewPatients, dictionary: Dictionary, least: int) -> str:
    """Why a question gets no answer, and what to ask instead, in a clause.

    For example "fewer than 100 patients, and the filter 'sex: Female' changes fewer than 10 of the patients in this
    figure: ask without that filter".
    """
    if answer.only_small:
        last = answer.not_applied[-1]
        return (f"each value chosen of '{dictionary[last.variable].label}' has fewer than {least} {IN_FIGURE}: "
                "choose larger ones, or ask without that filter")
    filters = [f"'{describe_filter(one.filter, dictionary)}'" for one in answer.not_applied
               if one.kind == "not applied"]
    problems, remedies = [], []
    if len(filters) == 1:
        problems.append(f"the filter {filters[0]} changes fewer than {least} {IN_FIGURE}")
        remedies.append("ask without that filter")
    elif filters:
        problems.append(f"the filters {_join(filters)} each change fewer than {least} {IN_FIGURE}")
        remedies.append("ask without those filters")
    for one in answer.not_applied:
        if one.kind != "not applied":
            names = _name_values(one, dictionary)
            which = names if len(one.values) <= MOST_NAMES else "them"
            problems.append(f"of '{dictionary[one.variable].label}', {names} {_have_few(one, least)}")
            remedies.append(f"leave {which} out" if one.kind == "left out" else f"choose {which} as well")
    return f"fewer than {answer.minimum} patients, and {', and '.join(problems)}: {', and '.join(remedies)}"


def _name_values(one: NotApplied, dictionary: Dictionary) -> str:
    """The values by name, or how many they are: "A, B and C", "5 values"."""
    if len(one.values) > MOST_NAMES:
        return f"{len(one.values)} values"
    return _join([_name_value(value, dictionary[one.variable]) for value in one.values])


def _have_few(one: NotApplied, least: int) -> str:
    return f"{'has' if len(one.values) == 1 else 'each have'} fewer than {least} {IN_FIGURE}"


def _name_value(item: Filter, variable: Variable) -> str:
    """A single choice in words, without the name of its variable."""
    unit = f" {variable.unit}" if variable.unit else ""
    match item:
        case OneOf(_, (value,)):
            return variable.label_of(value)
        case Between(_, None, upper, _):
            return f"under {upper:g}{unit}"
        case Between(_, lower, None, _):
            return f"{lower:g} or more{unit}"
        case Between(_, lower, upper, _):
            return f"{lower:g} to under {upper:g}{unit}"
        case Missing():
            return "not recorded"
        case Not(Missing()):
            return "recorded"
    raise ValueError("a value is a filter for a single choice")


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
