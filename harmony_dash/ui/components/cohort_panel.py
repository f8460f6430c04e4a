"""The cohort panel: disease first, the filters people use, and a search for all others. Each choice shows its count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from harmony_dash.charts.numbers import NOTHING, format_count
from harmony_dash.cohort.filters import variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import KNOWN_DAY, Dictionary, TimePoint, Variable
from harmony_dash.disclosure.protect_counts import NO_VALUE
from harmony_dash.disclosure.release_info import CohortChoices, ReleaseInfo
from harmony_dash.disclosure.released import Released, Scope
from harmony_dash.services.choices import MOST_ADDED
from harmony_dash.ui.components.cohort_filters import (
    NOT_RECORDED,
    chosen_range,
    chosen_values,
    with_range,
    with_values,
    without_variables,
)
from harmony_dash.ui.components.survival_view import (
    SurvivalView,
    current_view,
    move_to_disease,
    panel_key,
    set_view,
    while_drawn,
)
from harmony_dash.ui.components.text import capital, escape_markdown, tidy_units
from harmony_dash.ui.pins import pin

_EXTRAS = "survival.extras"
_SEPARATOR = " · "
ANY = "any"


@dataclass(frozen=True)
class PanelVariables:
    """The variables the panel draws: the everyday ones, those added by search, and all that could be added."""

    everyday: tuple[Variable, ...]
    added: tuple[Variable, ...]
    others: tuple[Variable, ...]

    @property
    def counted(self) -> tuple[str, ...]:
        """Names of the categories whose choices need a count."""
        return tuple(v.name for v in (*self.everyday, *self.added) if v.is_categorical)


def choose_panel_variables(dictionary: Dictionary, question: Question, extras: tuple[str, ...]) -> PanelVariables:
    """Which variables the panel draws for a question; `extras` were added by search."""
    askable = [v for v in dictionary.askable(question.disease)
               if v.name != "disease" and (v.is_categorical or v.is_numeric)]
    everyday = tuple(v for v in askable if v.everyday and v.is_categorical)
    others = tuple(v for v in askable if v not in everyday)
    used = {name for item in question.where for name in variables_of(item)}
    added = tuple(v for v in others if v.name in extras or v.name in used)
    return PanelVariables(everyday, added, others)


def panel_variables(info: ReleaseInfo, question: Question) -> PanelVariables:
    """The variables of this session's panel."""
    return choose_panel_variables(info.dictionary, question, tuple(st.session_state.get(_EXTRAS, ())))


def build_choices(variable: Variable, codes: tuple[str, ...], counts: Mapping[str, int | None], missing: int | None,
                  chosen: tuple[str, ...], minimum: int, withheld: frozenset[str] = frozenset(),
                  not_counted: frozenset[str] = frozenset()) -> dict[str, str]:
    """Value to label with its count, in display order; values with too few patients to count come last.

    Parameters
    ----------
    codes : the values found in the data, for categories whose list is open.
    counts, missing : patients with each value, and with none, among those who meet all other filters.
    chosen : values in use, which stay even if nobody has them.
    withheld : values whose count is not small but would give a small one away; they stand without one.
    not_counted : values with which the question gets no answer; they stand with a dash.
    """
    values = [value for value in (tuple(variable.values) or codes) if value in counts or value in chosen]
    values.sort(key=lambda value: counts.get(value) is None and value not in withheld)

    def label(words: str, value: str, n: int | None) -> str:
        if value in withheld:
            return words
        return f"{words}{_SEPARATOR}{NOTHING if value in not_counted else format_count(n, minimum)}"

    labels = {value: label(variable.label_of(value), value, counts.get(value)) for value in values}
    if missing is not None or NOT_RECORDED in chosen or NO_VALUE in withheld | not_counted:
        labels[NOT_RECORDED] = label("Not recorded", NO_VALUE, missing)
    return labels


def explain_counts(scope: Scope) -> str:
    """What stands beside the choices."""
    if not scope.is_protected:
        return "Numbers beside the choices are patients."
    few = escape_markdown(format_count(None, scope.rules.minimum_cell))
    return (f"Numbers beside the choices are patients, rounded to {scope.rules.rounding_base}. {few} is a number too "
            f"small to show. {NOTHING} was not counted, because the question gets no answer with that choice or more "
            f"than {MOST_ADDED} variables were added. A choice without a number would give a small one away.")


def read_choice(raw: object, labels: Mapping[str, str]) -> str | None:
    """The value of a choice as the browser sent it; a label may still carry the count of a moment ago."""
    if not isinstance(raw, str):
        return None
    if raw in labels:
        return raw
    words = raw.rsplit(_SEPARATOR, 1)[0]
    return next((value for value, label in labels.items() if label.rsplit(_SEPARATOR, 1)[0] == words), None)


def show_cohort_panel(view: SurvivalView, info: ReleaseInfo, variables: PanelVariables,
                      choices: Released[CohortChoices]) -> None:
    """Draw the panel; its controls change the session's view."""
    minimum = choices.scope.rules.minimum_cell
    st.markdown("**Cohort**", help=explain_counts(choices.scope))
    _show_disease(view, info, minimum)
    for variable in variables.everyday:
        _show_category(view.question, variable, info, choices.value, minimum)
    with st.expander("More filters", expanded=bool(variables.added), key=panel_key("more_filters")):
        _show_search(variables)
        for variable in variables.added:
            if variable.is_categorical:
                _show_category(view.question, variable, info, choices.value, minimum)
            else:
                _show_range(view.question, variable)
    if view.question.where:
        st.button("Remove all filters", key="survival.clear", type="tertiary", icon=":material/filter_alt_off:",
                  on_click=_remove_all)


def _show_disease(view: SurvivalView, info: ReleaseInfo, minimum: int) -> None:
    key = panel_key("disease")
    pin(key, view.question.disease)

    def changed() -> None:
        set_view(move_to_disease(current_view(), st.session_state[key], info.dictionary))

    st.selectbox("Disease", list(info.diseases), key=key, on_change=while_drawn(changed),
                 format_func=lambda code: f"{_short_name(info, code)}{_SEPARATOR}"
                                          f"{format_count(info.diseases[code].n, minimum)} patients")


def _short_name(info: ReleaseInfo, code: str) -> str:
    return info.dictionary.diseases[code].adjective or info.diseases[code].label


def _show_category(question: Question, variable: Variable, info: ReleaseInfo, choices: CohortChoices,
                   minimum: int) -> None:
    key = panel_key(f"where.{variable.name}")
    chosen = chosen_values(question, variable.name)
    labels = build_choices(variable, info.code_values.get(variable.name, ()), choices.counts.get(variable.name, {}),
                           choices.missing.get(variable.name), chosen, minimum,
                           choices.withheld.get(variable.name, frozenset()),
                           choices.not_counted.get(variable.name, frozenset()))
    # A count that changed is part of the label of a chosen value, so the control has to be told.
    shown = [labels.get(value, value) for value in chosen]
    if st.session_state.get(f"{key}.shown") != shown:
        st.session_state[key] = list(chosen)
    pin(key, list(chosen))
    st.session_state[f"{key}.shown"] = shown

    def changed() -> None:
        values = [value for raw in st.session_state[key] if (value := read_choice(raw, labels)) is not None]
        view = current_view()
        set_view(replace(view, question=with_values(view.question, variable.name, tuple(values))))

    st.multiselect(escape_markdown(variable.label), list(labels), key=key, on_change=while_drawn(changed),
                   placeholder="Any", format_func=lambda value: labels.get(value, value),
                   help=explain_variable(variable), select_all=False)


def _show_range(question: Question, variable: Variable) -> None:
    """Two ends. Where the dictionary has bands, ends are chosen among their edges; else they are typed."""
    keys = tuple(panel_key(f"where.{variable.name}.{end}") for end in ("lower", "upper"))
    unit = f", {tidy_units(variable.unit)}" if variable.unit else ""

    def changed() -> None:
        view = current_view()
        lower, upper = (None if st.session_state[key] == ANY else st.session_state[key] for key in keys)
        set_view(replace(view, question=with_range(view.question, variable.name, lower, upper,
                                                   upper_included=not variable.bands)))

    st.caption(escape_markdown(f"{variable.label}{unit}"), help=explain_variable(variable))
    words = ("from", "to under" if variable.bands else "to")
    for key, end, word in zip(keys, chosen_range(question, variable.name), words, strict=True):
        if variable.bands:
            edges = sorted({*variable.bands, *([end] if end is not None else [])})
            pin(key, ANY if end is None else end)
            st.selectbox(capital(word), [ANY, *edges], key=key, on_change=while_drawn(changed),
                         format_func=lambda edge: "Any" if edge == ANY else f"{edge:g}")
        else:
            pin(key, end)
            st.number_input(capital(word), min_value=variable.lower, max_value=variable.upper, value=None, key=key,
                            on_change=while_drawn(changed), placeholder="Any")


def _show_search(variables: PanelVariables) -> None:
    key = panel_key("search")
    named = {variable.name: variable for variable in variables.others}
    pin(key, [variable.name for variable in variables.added])

    def changed() -> None:
        wanted = tuple(name for name in st.session_state[key] if name in named)
        st.session_state[_EXTRAS] = wanted
        view = current_view()
        dropped = set(named) - set(wanted)
        set_view(replace(view, question=without_variables(view.question, dropped)))

    st.multiselect("Find a variable", list(named), key=key, on_change=while_drawn(changed),
                   placeholder="Type a name, e.g. IKZF1", format_func=lambda name: named[name].label, select_all=False)


def _remove_all() -> None:
    view = current_view()
    set_view(view.with_question(where=()))


def explain_variable(variable: Variable) -> str | None:
    """The definition for hover help, with the day the value becomes known and whether it is verified."""
    parts = [escape_markdown(variable.definition)] if variable.definition else []
    if variable.measured is TimePoint.LATER:
        parts.append("Known only during follow-up, so it needs a landmark.")
    elif KNOWN_DAY.get(variable.measured, 0):
        parts.append(f"Known by day {KNOWN_DAY[variable.measured]} after diagnosis.")
    if not variable.verified:
        parts.append("This definition is not yet verified against its publication.")
    return " ".join(parts) or None
