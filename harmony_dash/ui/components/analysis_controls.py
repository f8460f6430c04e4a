"""The analysis controls: endpoint, grouping, landmark and time unit in one row, the rest in a popover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from harmony_dash.charts.numbers import TimeUnit, name_time
from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero, endpoint_named
from harmony_dash.cohort.question import Question, with_landmark
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError
from harmony_dash.ui.components.survival_view import SurvivalView, current_view, set_view
from harmony_dash.ui.components.text import capital
from harmony_dash.ui.pins import pin

LANDMARKS = (0, 42, 90, 183, 365)
HORIZONS = (None, 365, 731, 1096, 1826, 3653)
NONE = "none"  # no variable, day or unit is called that
INTERVAL_LABELS = {IntervalType.LOG_LOG: "log-log (default)", IntervalType.LOG: "log"}


def show_analysis_controls(view: SurvivalView, dictionary: Dictionary) -> None:
    """Draw the controls; they change the session's view."""
    question = view.question
    groupings = grouping_choices(dictionary, question.disease)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        show_endpoint_control(view)
        _select("Group by", "by", [None, *groupings], question.by,
                lambda name: "No groups" if name is None else groupings[name], _question_setter("by"), width=212)
        show_landmark_control(view, _needed_landmark(question, dictionary))
        _select("Time in", "unit", list(TimeUnit), view.time_unit, capital,
                lambda chosen: replace(current_view(), time_unit=chosen), width=110)
        with st.popover("More", icon=":material/tune:", help="Strata, horizon and confidence intervals"):
            _show_further_controls(view, groupings)


def show_endpoint_control(view: SurvivalView) -> None:
    """The choice of the endpoint."""
    _select("Endpoint", "endpoint", list(ENDPOINTS), view.question.endpoint, lambda name: ENDPOINTS[name].label,
            _question_setter("endpoint"), help=endpoint_named(view.question.endpoint).definition, width=240)


def show_landmark_control(view: SurvivalView, needed: int) -> None:
    """The choice of the landmark; `needed` is the day on which the clock starts if none is chosen."""
    days = sorted({*LANDMARKS, view.question.landmark_days})
    zero = endpoint_named(view.question.endpoint).time_zero
    _select("Landmark", "landmark", days, view.question.landmark_days, lambda day: _landmark_words(day, zero, needed),
            _question_setter("landmark_days"), width=190,
            help="Only patients still followed, without an event, after this day are counted, and their clock "
                 "starts on it. Needed to compare by anything that becomes known later.")


def _show_further_controls(view: SurvivalView, groupings: dict[str, str]) -> None:
    question = view.question
    able = [name for name in groupings if question.by and name != question.by]
    _select("Stratify by", "strata", [None, *able], question.strata,
            lambda name: "Not stratified" if name is None else groupings[name], _question_setter("strata"),
            disabled=not able,
            help="Groups are compared within each stratum, e.g. within each trial. Patients whose stratum is not "
                 "recorded are a stratum of their own, so curves and numbers stay the same.")
    horizons = sorted({*(h for h in HORIZONS if h), *([question.horizon_days] if question.horizon_days else [])})
    _select("Show up to", "horizon", [None, *horizons], question.horizon_days,
            lambda day: "As far as the data go" if day is None else capital(name_time(day)),
            _question_setter("horizon_days"))
    _select("Confidence intervals", "interval", list(IntervalType), view.interval,
            lambda kind: INTERVAL_LABELS[kind], lambda chosen: replace(current_view(), interval=chosen))


def show_cause_control(view: SurvivalView) -> None:
    """For competing endpoints: the cause of interest alone, or every cause side by side."""
    endpoint = endpoint_named(view.question.endpoint)
    if not endpoint.competing:
        return
    _segments("Causes", "causes", [False, True], view.all_causes,
              lambda every: "All causes side by side" if every else capital(endpoint.cause_labels[0]),
              lambda chosen: replace(current_view(), all_causes=bool(chosen)), label_visibility="collapsed")


def grouping_choices(dictionary: Dictionary, disease: str) -> dict[str, str]:
    """Variables that can group or stratify, name to label: the everyday ones first, then by section."""
    able = [v for v in dictionary.askable(disease) if v.is_categorical and v.name not in ("disease",)]
    able.sort(key=lambda v: (not v.everyday, v.name != "cyto_group"))
    return {v.name: _grouping_words(v) for v in able}


def _grouping_words(variable: Variable) -> str:
    return variable.label if variable.everyday else f"{variable.section}: {variable.label}"


def _needed_landmark(question: Question, dictionary: Dictionary) -> int:
    """The day the clock starts on if no landmark is chosen: the day by which everything in the question is known."""
    try:
        return with_landmark(replace(question, strata=None, landmark_days=0), dictionary).landmark_days
    except QuestionError:
        return 0


def _landmark_words(day: int, zero: TimeZero, needed: int) -> str:
    since = "diagnosis" if zero is TimeZero.DIAGNOSIS else "remission"
    if day == 0:
        return f"Automatic: day {needed}" if needed else f"None: from {since}"
    return f"{capital(name_time(day))} after {since}"


def _question_setter(field: str) -> Callable[[Any], SurvivalView]:
    """A change of one field of the question."""
    return lambda value: current_view().with_question(**{field: value})


def _select(label: str, name: str, options: list[Any], value: Any, words: Callable[[Any], str],
            change: Callable[[Any], SurvivalView], **kwargs: Any) -> None:
    """A select box over the options. None among them is a choice like any other, not an empty box."""
    key = f"survival.{name}"
    pin(key, NONE if value is None else value)
    st.selectbox(label, [NONE if option is None else option for option in options], key=key,
                 format_func=lambda option: words(None if option == NONE else option),
                 on_change=lambda: _apply(key, options, change), **kwargs)


def _segments(label: str, name: str, options: list[Any], value: Any, words: Callable[[Any], str],
              change: Callable[[Any], SurvivalView], **kwargs: Any) -> None:
    key = f"survival.{name}"
    pin(key, value)
    st.segmented_control(label, options, key=key, format_func=words, required=True,
                         on_change=lambda: _apply(key, options, change), **kwargs)


def _apply(key: str, options: list[Any], change: Callable[[Any], SurvivalView]) -> None:
    """Take a control's new value into the view, if it is one of those offered."""
    chosen = None if st.session_state[key] == NONE else st.session_state[key]
    if chosen in options:
        set_view(change(chosen))
