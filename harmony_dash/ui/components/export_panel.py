"""The cohort panel of the export page: the same filters as elsewhere, without counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.ui.components.cohort_filters import NOT_RECORDED, chosen_values, with_values, without_variables
from harmony_dash.ui.components.cohort_panel import choose_panel_variables, explain_variable
from harmony_dash.ui.components.survival_view import SurvivalView, current_view, move_to_disease, set_view
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.pins import pin

_EXTRAS = "export.extras"


def show_export_panel(view: SurvivalView, info: ReleaseInfo) -> None:
    """Draw the panel; its controls change the session's view."""
    variables = choose_panel_variables(info.dictionary, view.question, tuple(st.session_state.get(_EXTRAS, ())))
    added = [variable for variable in variables.added if variable.is_categorical]
    st.markdown("**Cohort**")
    _show_disease(view, info)
    for variable in variables.everyday:
        _show_category(view.question, variable, info)
    with st.expander("More filters", expanded=bool(added), key="export.more_filters"):
        _show_search([variable for variable in variables.others if variable.is_categorical], added)
        for variable in added:
            _show_category(view.question, variable, info)


def _show_disease(view: SurvivalView, info: ReleaseInfo) -> None:
    key = "export.disease"
    pin(key, view.question.disease)
    st.selectbox("Disease", list(info.diseases), key=key, format_func=lambda code: info.diseases[code].label,
                 on_change=lambda: set_view(move_to_disease(current_view(), st.session_state[key], info.dictionary)))


def _show_category(question: Question, variable: Variable, info: ReleaseInfo) -> None:
    key = f"export.where.{variable.name}"
    values = [*(tuple(variable.values) or info.code_values.get(variable.name, ())), NOT_RECORDED]
    pin(key, list(chosen_values(question, variable.name)))

    def changed() -> None:
        view = current_view()
        set_view(replace(view, question=with_values(view.question, variable.name, tuple(st.session_state[key]))))

    st.multiselect(escape_markdown(variable.label), values, key=key, on_change=changed, placeholder="Any",
                   format_func=lambda value: "Not recorded" if value == NOT_RECORDED else variable.label_of(value),
                   help=explain_variable(variable), select_all=False)


def _show_search(others: Sequence[Variable], added: Sequence[Variable]) -> None:
    key = "export.search"
    named = {variable.name: variable for variable in others}
    pin(key, [variable.name for variable in added])

    def changed() -> None:
        wanted = tuple(name for name in st.session_state[key] if name in named)
        st.session_state[_EXTRAS] = wanted
        view = current_view()
        set_view(replace(view, question=without_variables(view.question, set(named) - set(wanted))))

    st.multiselect("Find a variable", list(named), key=key, on_change=changed, placeholder="Type a name, e.g. IKZF1",
                   format_func=lambda name: named[name].label, select_all=False)
