"""What is worked out of a table of subgroups once it may be shown: adjusted p-values, what may be said, the words.

Everything here is made from what is shown, so it says no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.precision import name_years
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.subgroup_results import (
    Finding,
    InteractionResult,
    LevelsTest,
    SubgroupsResult,
    SubgroupVariable,
)
from harmony_dash.stats.multiplicity import adjust_for_multiplicity

# A finding is one if at most this share of what is called so is expected to be false.
FALSE_SHARE: Final = 0.05
# Below it a hazard ratio is said to change over time. Large cohorts find changes too small to matter at 0.05.
LEVEL_OF_PROPORTIONALITY: Final = 0.01
OBSERVED = ("Each variable is compared by itself: a level can stand out because of another one that goes with it.")
# The one variable whose values were drawn by lot.
RANDOMISED_ARM: Final = "rand_arm"
# Values of these were decided upon; those of other treatments are what patients were given in the end.
_ASSIGNED: Final = frozenset({RANDOMISED_ARM, "trial_arm", "intensity_assigned"})
NOT_CALLED_PREDICTIVE = ("A difference in the treatment's effect is called exploratory until its credibility was "
                         "assessed (ICEMAN) and found at least moderate.")


def complete_subgroups(result: SubgroupsResult, scope: Scope, describe_protection: Callable[[Scope], str], *,
                       caveat: str, randomised: str) -> SubgroupsResult:
    """The table with its adjusted p-values, findings and words.

    Parameters
    ----------
    caveat, randomised : what groups that nobody drew by lot cannot say, and how to read arms that were.
    """
    variables = _adjust(result.variables)
    cohort = result.cohort
    title = result.title.replace("{n} ", f"{cohort.n:,} " if cohort.groups else "")
    result = replace(result, title=title, variables=variables, comparisons=sum(count_tests(variables)))
    return replace(result, methods=_write_methods(result, scope, describe_protection),
                   summary=" ".join([_write_summary(result), *_write_caveats(result, caveat, randomised)]))


def _adjust(variables: tuple[SubgroupVariable, ...]) -> tuple[SubgroupVariable, ...]:
    """Benjamini-Hochberg over all levels, all variables and all interactions of the table, each kind by itself."""
    of_rows = iter(_adjusted(row.hazard_ratio.p if row.hazard_ratio else None
                             for variable in variables for row in variable.rows))
    of_variables = iter(_adjusted(variable.test.p if variable.test else None for variable in variables))
    of_interactions = iter(_adjusted(one.test.p if one.test else None
                                     for variable in variables for one in variable.interactions))
    adjusted = []
    for variable in variables:
        rows = tuple(replace(row, q=next(of_rows)) for row in variable.rows)
        test = _with_q(variable.test, next(of_variables))
        interactions = [replace(one, test=_with_q(one.test, next(of_interactions))) for one in variable.interactions]
        # A table alone does not know of an assessment, so it calls nothing predictive.
        labelled = tuple(replace(one, finding=label_interaction(one, credible=False)) for one in interactions)
        finding = (Finding.PROGNOSTIC if _is_sure(test) and not variable.is_circumstance else Finding.EXPLORATORY)
        adjusted.append(replace(variable, rows=rows, test=test, interactions=labelled, finding=finding))
    return tuple(adjusted)


def _adjusted(p: Iterable[float | None]) -> list[float | None]:
    values = list(p)
    adjusted = adjust_for_multiplicity([float("nan") if one is None else one for one in values], "bh").tolist()
    return [None if one is None else q for one, q in zip(values, adjusted, strict=True)]


def _with_q(test: LevelsTest | None, q: float | None) -> LevelsTest | None:
    return None if test is None else replace(test, q=q)


def _is_sure(test: LevelsTest | None) -> bool:
    return test is not None and test.q is not None and test.q < FALSE_SHARE


def label_interaction(one: InteractionResult, *, credible: bool) -> Finding:
    """What may be said of an interaction, which comes from within trials by construction.

    Parameters
    ----------
    credible : whether somebody assessed its credibility (ICEMAN) and found it at least moderate.

    Returns
    -------
    Predictive only if it is also unlikely to be one of many by chance, and trials agree.
    """
    return Finding.PREDICTIVE if _is_sure(one.test) and one.trials_agree and credible else Finding.EXPLORATORY


def count_tests(variables: Iterable[SubgroupVariable]) -> tuple[int, int, int]:
    """How many p-values the table shows of levels, of variables and of interactions: what q is adjusted over."""
    told = tuple(variables)
    return (sum(row.hazard_ratio is not None for variable in told for row in variable.rows),
            sum(variable.test is not None for variable in told),
            sum(one.test is not None for variable in told for one in variable.interactions))


def describe_tests(result: SubgroupsResult) -> str:
    """"8 of levels, 4 of variables and 2 of interactions"; kinds that the table does not have are left out."""
    kinds = zip(count_tests(result.variables), ("levels", "variables", "interactions"), strict=True)
    told = [f"{count:,} of {kind}" for count, kind in kinds if kind != "interactions" or result.question.treatment]
    return _join(told)


def describe_estimate(endpoint: Endpoint) -> str:
    """The name of what is read off on the day of the table."""
    if endpoint.competing:
        return f"cumulative incidence of {endpoint.cause_labels[0]}"
    return endpoint.label


def _write_methods(result: SubgroupsResult, scope: Scope, describe_protection: Callable[[Scope], str]) -> str:
    question, endpoint = result.question, endpoint_named(result.question.cohort.endpoint)
    way = ("Aalen–Johansen; other causes compete" if endpoint.competing
           else "1 − Kaplan–Meier; deaths in remission are censored" if endpoint.shown_as_failure else "Kaplan–Meier")
    ratio = "cause-specific hazard ratios" if endpoint.competing else "hazard ratios"
    parts = [f"{endpoint.label}: {endpoint.definition.rstrip('.')}",
             f"{describe_estimate(endpoint)} at {name_years(question.at_days)} "
             f"({way}, 95 % {result.interval} interval)",
             f"{ratio} of one Cox model a variable{f', stratified by {question.strata}' if question.strata else ''}, "
             "Efron ties, 95 % Wald interval, against the first level with enough patients",
             "patients not tested, with a failed test or without a value are rows of their own and in no model",
             f"q: Benjamini–Hochberg over the tests of this table, {describe_tests(result)}, each kind by itself"]
    if result.comparisons_before:
        parts.append(f"{result.comparisons_before + result.comparisons} comparisons looked at in this session")
    if question.treatment:
        parts.append(f"effect of {question.treatment} within {question.strata} only: interaction by likelihood ratio "
                     "with treatment × stratum, effect in a level among its own patients; shrunken: empirical Bayes "
                     "over levels that exclude one another; differences averaged by Cochran's "
                     "weights over the strata followed that long in both arms, given only where these hold two thirds "
                     "of the smaller arm")
    if scope.is_protected:
        rules = scope.rules
        in_arms = f" and {rules.minimum_cell} and {rules.minimum_events} in each arm" if question.treatment else ""
        parts.append(f"{describe_protection(scope)}; hazard ratios on {rules.minimum_patients} patients and "
                     f"{rules.minimum_events} events in each level{in_arms}, ten events a parameter, two decimals; a p "
                     f"below {rules.smallest_p:g} counts as that in q")
    else:
        parts.append(f"exact numbers, grant {scope.grant}" if scope.grant else "exact numbers")
    if result.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, f"snapshot {result.snapshot}", f"question {question.fingerprint}"]) + "."


def _write_summary(result: SubgroupsResult) -> str:
    """What is seen, how sure, and what it does not mean."""
    if not result.variables:
        return "No group of this cohort is large enough to be shown."
    found = [variable for variable in result.variables if _is_sure(variable.test)]
    looked = sum(variable.test is not None for variable in result.variables)
    if not looked:
        text = "No variable has two levels with enough patients and events to be compared."
    elif found:
        text = (f"{_variables(looked)} could be compared; outcomes differ between the levels of "
                f"{_join([variable.label for variable in found])} (q < {FALSE_SHARE:g}).")
        circumstances = [variable.label for variable in found if variable.is_circumstance]
        if circumstances:
            text += (f" {_join(circumstances)} {'tells' if len(circumstances) == 1 else 'tell'} where, when or how "
                     "patients were treated, so such a difference is no prognosis.")
    else:
        text = (f"{_variables(looked)} could be compared; none shows a difference that so many looks would not readily "
                "produce by chance, which is not proof that there is none.")
    changing = [variable.label for variable in result.variables
                if variable.over_time is not None and variable.over_time.p < LEVEL_OF_PROPORTIONALITY]
    if changing:
        text += (f" Hazards are not proportional between the levels of {_join(changing)} (Grambsch–Therneau test, "
                 f"p < {LEVEL_OF_PROPORTIONALITY:g}): their hazard ratios change over time and are an average of it, "
                 "so read the curves.")
    text = f"{text} {OBSERVED}"
    if result.question.treatment:
        tested = [(variable.label, one) for variable in result.variables for one in variable.interactions if one.test]
        sure = [label for label, one in tested if _is_sure(one.test)]
        if not tested:
            return f"{text} Whether {_name_effect(result)} between levels could not be tested."
        text += (f" Whether {_name_effect(result)} between levels was tested {_times(len(tested))}; "
                 f"{f'{_join(sure)} stands out' if sure else 'none stands out'}. {NOT_CALLED_PREDICTIVE}")
    return text


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _name_effect(result: SubgroupsResult) -> str:
    """What is asked of a treatment: only of one that was drawn by lot whether it works."""
    treatment = result.question.treatment
    if treatment == RANDOMISED_ARM:
        return "the treatment works differently"
    how = "assigned" if treatment in _ASSIGNED else "given"
    return f"the difference between patients {how} different treatments varies"


def _write_caveats(result: SubgroupsResult, caveat: str, randomised: str) -> list[str]:
    """Whether the groups were drawn by lot: the arms of the treatment, else levels, of which one variable may be."""
    if not result.variables:
        return []
    if result.question.treatment == RANDOMISED_ARM:
        return [randomised]
    drawn = [variable.label for variable in result.variables if variable.variable == RANDOMISED_ARM]
    if len(drawn) == len(result.variables):
        return [randomised]
    return [caveat, *(f"This does not go for {label}. {randomised}" for label in drawn)]


def _variables(count: int) -> str:
    return "One variable" if count == 1 else f"{count} variables"


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
