"""What the survival page shows: the question and how it is displayed, kept in the session and in the address bar.

The view is the one truth. Controls show it and change it; no control holds a value of its own, so changing one never
resets another, and a link, a reload or a visit to another page brings back the same view.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.cohort.filters import variables_of
from harmony_dash.cohort.question import Question, check_question, question_from_json
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.results import IntervalType, ReleaseInfo
from harmony_dash.errors import QuestionError

FIRST_DISEASE = "ALL"
FIRST_GROUPINGS = ("cyto_group", "risk_group_reported", "subtype", "age_group", "sex")
LONGEST_LINK = 8000

_VIEW, _LINK = "survival.view", "survival.link"
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class SurvivalView:
    """A question and how its answer is shown."""

    question: Question
    time_unit: TimeUnit = TimeUnit.YEARS
    interval: IntervalType = IntervalType.LOG_LOG
    all_causes: bool = False

    def with_question(self, **changes: Any) -> SurvivalView:
        """The view with some fields of its question changed."""
        return replace(self, question=replace(self.question, **changes))


def first_view(info: ReleaseInfo) -> SurvivalView:
    """The view a person finds on the first visit; already an answer."""
    disease = FIRST_DISEASE if FIRST_DISEASE in info.diseases else next(iter(info.diseases), FIRST_DISEASE)
    return SurvivalView(Question(disease, "efs", by=first_grouping(info.dictionary, disease)))


def first_grouping(dictionary: Dictionary, disease: str) -> str | None:
    """The grouping a disease starts with."""
    names = {variable.name for variable in dictionary.askable(disease) if variable.is_categorical}
    return next((name for name in FIRST_GROUPINGS if name in names), None)


def move_to_disease(view: SurvivalView, disease: str, dictionary: Dictionary) -> SurvivalView:
    """The view for another disease: everything that exists there too is kept."""
    names = {variable.name for variable in dictionary.askable(disease)}
    question = view.question
    return view.with_question(
        disease=disease, where=tuple(item for item in question.where if set(variables_of(item)) <= names),
        by=question.by if question.by in names or question.by is None else first_grouping(dictionary, disease),
        strata=question.strata if question.strata in names else None)


# -- the link ------------------------------------------------------------------------------------------------------


def write_link(view: SurvivalView) -> dict[str, str]:
    """The view as parameters of the address; only what differs from the defaults besides the question."""
    parameters = {"q": view.question.canonical_json}
    if view.time_unit is not TimeUnit.YEARS:
        parameters["unit"] = view.time_unit.value
    if view.interval is not IntervalType.LOG_LOG:
        parameters["interval"] = view.interval.value
    if view.all_causes:
        parameters["causes"] = "all"
    return parameters


def read_link(parameters: dict[str, str], dictionary: Dictionary) -> SurvivalView:
    """The view that a link holds; raises `QuestionError` on anything this version cannot read."""
    text = parameters.get("q", "")
    try:
        value = json.loads(text) if len(text) <= LONGEST_LINK else None
    except (ValueError, RecursionError):
        value = None
    question = question_from_json(value)
    check_question(question, dictionary)
    return SurvivalView(question, _one_of(TimeUnit, parameters.get("unit"), TimeUnit.YEARS),
                        _one_of(IntervalType, parameters.get("interval"), IntervalType.LOG_LOG),
                        parameters.get("causes") == "all")


def _one_of(kind: type[_Choice], text: str | None, default: _Choice) -> _Choice:
    return kind(text) if text in {choice.value for choice in kind} else default


def full_link(view: SurvivalView, address: str) -> str:
    """The address that brings somebody else to this view."""
    return f"{address.split('?')[0]}?{urlencode(write_link(view))}"


# -- the session ---------------------------------------------------------------------------------------------------


def open_view(info: ReleaseInfo) -> tuple[SurvivalView, QuestionError | None]:
    """The view to show now: that of a link just opened, else that of the session, else the first one.

    The second value says what was wrong with a link that could not be read.
    """
    parameters = st.query_params.to_dict()
    problem = None
    if parameters.get("q") and parameters != st.session_state.get(_LINK):
        try:
            set_view(read_link(parameters, info.dictionary))
        except QuestionError as error:
            problem = error
    if _VIEW not in st.session_state:
        set_view(first_view(info))
    view: SurvivalView = st.session_state[_VIEW]
    if view.question.disease not in info.diseases:
        view = first_view(info)
        set_view(view)
    return view, problem


def current_view() -> SurvivalView:
    """The session's view, for callbacks of controls."""
    view: SurvivalView = st.session_state[_VIEW]
    return view


def set_view(view: SurvivalView) -> None:
    """Make this the session's view."""
    st.session_state[_VIEW] = view


def publish_link(view: SurvivalView) -> None:
    """Let the address bar hold the view."""
    parameters = write_link(view)
    st.session_state[_LINK] = parameters
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)


def pin(key: str, value: Any) -> None:
    """Let the control of that key show the value; called just before the control is drawn.

    Nothing is sent to the browser when the control shows it already, so a click made meanwhile is not undone.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
