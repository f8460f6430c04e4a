"""The controls of the page of subgroups: which view, and what it compares. They change the session's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from harmony_dash.charts.numbers import name_time
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import MOST_ARMS, MOST_VARIABLES, check_subgroups, default_variables
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.analysis_controls import show_endpoint_control, show_landmark_control
from harmony_dash.ui.components.subgroup_view import (
    Shown,
    SubgroupSettings,
    build_question,
    cohort_of,
    current_settings,
    list_treatments,
    list_variables,
    set_settings,
)
from harmony_dash.ui.components.survival_view import SurvivalView
from harmony_dash.ui.components.text import capital
from harmony_dash.ui.pins import pin

DAYS = (365, 731, 1096, 1826, 3653)
SHOWN_LABELS = {Shown.LEVELS: "Outcome by subgroup", Shown.MAP: "Two variables at once",
                Shown.CHARACTERISTICS: "Table 1"}
_NONE = "none"  # no variable is called that
_MOST_MAPPED = 12  # values that fit beside one another


def show_view_control(settings: SubgroupSettings) -> None:
    """Which of the three views."""
    key = "subgroups.shown"
    pin(key, settings.shown)
    st.segmented_control("View", list(Shown), key=key, required=True, label_visibility="collapsed",
                         format_func=lambda shown: SHOWN_LABELS[shown],
                         on_change=lambda: _apply(key, list(Shown), lambda shown: _with(shown=shown)))


def show_controls(view: SurvivalView, settings: SubgroupSettings, info: ReleaseInfo) -> None:
    """The controls of the view that is shown, in one row."""
    question, dictionary = cohort_of(view.question), info.dictionary
    names = {name: _words(variable) for name, variable in list_variables(dictionary, question.disease).items()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if settings.shown is Shown.CHARACTERISTICS:
            _select("Columns", "by", list(names), settings.by, names.__getitem__, lambda by: _with(by=by), width=260)
            return
        show_endpoint_control(view)
        if settings.shown is Shown.MAP:
            few = [name for name in names if len(_values(dictionary[name], info)) <= _MOST_MAPPED]
            _select("Rows", "rows", [name for name in names if name != settings.columns], settings.rows,
                    names.__getitem__, lambda rows: _with(rows=rows), width=210)
            _select("Columns", "columns", [name for name in few if name != settings.rows], settings.columns,
                    names.__getitem__, lambda columns: _with(columns=columns), width=290)
            _show_day(settings)
            return
        _show_treatment(settings, question, dictionary)
        _show_day(settings)
        _show_variables(settings, question, dictionary, names)
        with st.popover("Landmark, strata", icon=":material/tune:", help="When the clock starts, and who is compared"):
            _show_more(view, settings, info, names)


def _show_day(settings: SubgroupSettings) -> None:
    _select("Estimates at", "at", sorted({*DAYS, settings.at_days}), settings.at_days, name_time,
            lambda day: _with(at_days=day), width=120)


def _show_treatment(settings: SubgroupSettings, question: Question, dictionary: Dictionary) -> None:
    treatments = list_treatments(dictionary, question.disease)

    def choose(name: str | None) -> SubgroupSettings:
        # its effect is only ever compared within trials
        strata = current_settings().strata or ("trial" if name else None)
        return _with(treatment=name, arms=(), effect=1, strata=strata)

    _select("Effect of", "treatment", [None, *treatments], settings.treatment,
            lambda name: "No treatment" if name is None else treatments[name].label, choose, width=220,
            help="Compares what a treatment does between the levels of every variable, within trials.")


def _show_variables(settings: SubgroupSettings, question: Question, dictionary: Dictionary, names: Mapping[str, str],
                    ) -> None:
    """The variables behind a button that says how many there are; twenty chips would push the figure down."""
    key = "subgroups.variables"
    able = [name for name in names if name not in (settings.treatment, settings.strata)]
    chosen = [name for name in build_question(question, settings, dictionary).variables if name in able]

    def changed() -> None:
        found = tuple(name for name in st.session_state[key] if name in able)
        set_settings(_with(variables=found))

    with st.popover(f"{len(chosen)} variables", icon=":material/checklist:", help="Which variables are looked at"):
        pin(key, chosen)
        st.multiselect("Variables", able, key=key, on_change=changed, format_func=names.__getitem__, select_all=False,
                       max_selections=MOST_VARIABLES, width=520)
        st.caption("Some are offered only once the filters leave patients of one immunophenotype.")
        st.button("Those offered for this cohort", key="subgroups.offered", type="tertiary",
                  disabled=tuple(chosen) == default_variables(question, dictionary),
                  on_click=lambda: set_settings(_with(variables=())))


def _show_more(view: SurvivalView, settings: SubgroupSettings, info: ReleaseInfo, names: Mapping[str, str]) -> None:
    strata = [name for name in names if name != settings.treatment]
    _select("Compare within", "strata", strata if settings.treatment else [None, *strata], settings.strata,
            lambda name: "Everybody together" if name is None else names[name], lambda name: _with(strata=name),
            help="Patients are compared with those of the same value, e.g. of the same trial.")
    if settings.treatment:
        variable = info.dictionary[settings.treatment]
        key = "subgroups.arms"
        pin(key, list(settings.arms))
        st.multiselect("Arms, the reference first", list(_values(variable, info)), key=key, max_selections=MOST_ARMS,
                       format_func=variable.label_of, placeholder="All with enough patients", select_all=False,
                       on_change=lambda: set_settings(_with(arms=tuple(st.session_state[key]))))
    show_landmark_control(view, _needed_landmark(view.question, settings, info.dictionary))


def _needed_landmark(question: Question, settings: SubgroupSettings, dictionary: Dictionary) -> int:
    """The day the clock starts on if no landmark is chosen: the day by which the whole table is known."""
    try:
        asked = build_question(replace(question, landmark_days=0), settings, dictionary)
        return check_subgroups(asked, dictionary).cohort.landmark_days
    except QuestionError:
        return 0


def show_effect_control(settings: SubgroupSettings, comparisons: Sequence[str]) -> int:
    """Which plot of a table with a treatment: outcomes by level, or the effect of an arm; returns which, from 0."""
    key, options = "subgroups.effect", list(range(len(comparisons) + 1))
    chosen = min(settings.effect, options[-1])
    pin(key, chosen)
    st.segmented_control(
        "Plot", options, key=key, required=True, label_visibility="collapsed",
        format_func=lambda place: comparisons[place - 1] if place else "Outcome by level",
        on_change=lambda: _apply(key, options, lambda place: _with(effect=place)))
    return chosen


def _values(variable: Variable, info: ReleaseInfo) -> tuple[str, ...]:
    return tuple(variable.values) or info.code_values.get(variable.name, ())


def _words(variable: Variable) -> str:
    return variable.label if variable.everyday else f"{variable.section}: {variable.label}"


def _with(**changes: Any) -> SubgroupSettings:
    return replace(current_settings(), **changes)


def _select(label: str, name: str, options: list[Any], value: Any, words: Callable[[Any], str],
            change: Callable[[Any], SubgroupSettings], **kwargs: Any) -> None:
    """A select box over the options. None among them is a choice like any other, not an empty box."""
    key = f"subgroups.{name}"
    shown = options if value in options else [value, *options]
    pin(key, _NONE if value is None else value)
    st.selectbox(label, [_NONE if option is None else option for option in shown], key=key,
                 format_func=lambda option: capital(words(None if option == _NONE else option)),
                 on_change=lambda: _apply(key, options, change), **kwargs)


def _apply(key: str, options: list[Any], change: Callable[[Any], SubgroupSettings]) -> None:
    """Take a control's new value into the settings, if it is one of those offered."""
    chosen = None if st.session_state[key] == _NONE else st.session_state[key]
    if chosen in options:
        set_settings(change(chosen))
