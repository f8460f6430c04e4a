"""What the survival page shows: the question and how it is displayed, kept in the session and in the address bar.

The view is the one truth. Controls show it and change it; no control holds a value of its own, so changing one never
resets another, and a link, a reload or a visit to another page brings back the same view.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.cohort.filters import OneOf, leaves_of, refuse_too_many, variables_of
from harmony_dash.cohort.question import Question, check_question, question_from_json
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError, UserError

FIRST_DISEASE = "ALL"
FIRST_GROUPINGS = ("cyto_group", "risk_group_reported", "subtype", "age_group", "sex")
LONGEST_LINK = 8000

_VIEW, _LINK, _SETBACK, _DRAWN = "survival.view", "survival.link", "survival.setback", "survival.drawn"
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class SurvivalView:
    """A question and how its answer is shown."""

    question: Question
    time_unit: TimeUnit = TimeUnit.YEARS
    interval: IntervalType = IntervalType.LOG_LOG
    all_causes: bool = False

    def with_question(self, **changes: Any) -> SurvivalView:
        """The view with some fields of its question changed; strata step aside where there are no other groups."""
        question = replace(self.question, **changes)
        idle = question.by in (None, question.strata)
        return replace(self, question=replace(question, strata=None) if idle else question)


@dataclass(frozen=True)
class Setback:
    """Why the page does not show the view that was asked for."""

    heading: str
    error: UserError


def first_view(info: ReleaseInfo) -> SurvivalView:
    """The view a person finds on the first visit; already an answer."""
    disease = FIRST_DISEASE if FIRST_DISEASE in info.diseases else next(iter(info.diseases), FIRST_DISEASE)
    # Children and adults are never pooled by default.
    children = (OneOf("age_group", ("1-9", "10-17")),) if "age_group" in info.dictionary else ()
    return SurvivalView(Question(disease, "efs", children, by=first_grouping(info.dictionary, disease)))


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
    """The view that a link holds; raises `QuestionError` on anything this version cannot read.

    Its strata may stand without groups, as they could in earlier versions.
    """
    text = parameters.get("q", "")
    try:
        value = json.loads(text) if len(text) <= LONGEST_LINK else None
    except (ValueError, RecursionError):
        value = None
    question = question_from_json(value)
    refuse_too_many(question.where)
    check_question(question if question.by else replace(question, strata=None), dictionary)
    return SurvivalView(question, _one_of(TimeUnit, parameters.get("unit"), TimeUnit.YEARS),
                        _one_of(IntervalType, parameters.get("interval"), IntervalType.LOG_LOG),
                        parameters.get("causes") == "all")


def _one_of(kind: type[_Choice], text: str | None, default: _Choice) -> _Choice:
    return kind(text) if text in {choice.value for choice in kind} else default


def full_link(view: SurvivalView, address: str, more: Mapping[str, str] = MappingProxyType({})) -> str:
    """The address that brings somebody else to this view; `more` are a page's own parameters."""
    return f"{address.split('?')[0]}?{urlencode(write_link(view) | dict(more))}"


# -- the session ---------------------------------------------------------------------------------------------------


def read_opened_link(own: Collection[str] = ()) -> dict[str, str]:
    """The parameters of a link that was just opened; empty if the address is the page's own. Before `open_view`.

    Parameters
    ----------
    own : names of the page's own parameters; a link that holds some of them and no question is one as well.
    """
    parameters = st.query_params.to_dict()
    is_link = parameters.get("q") or any(parameters.get(name) for name in own)
    return parameters if is_link and parameters != st.session_state.get(_LINK) else {}


def open_view(info: ReleaseInfo) -> tuple[SurvivalView, Setback | None]:
    """The view to show now: that of a link just opened, else that of the session, else the first one.

    The second value says why a link or the session's view was given up.
    """
    parameters = read_opened_link()
    setback: Setback | None = st.session_state.pop(_SETBACK, None)
    if parameters:
        try:
            view = read_link(parameters, info.dictionary)
            check_against_data(view.question, info)
            if view.question.strata and not view.question.by:
                view, setback = view.with_question(strata=None), _IDLE_STRATA
            set_view(view)
        except QuestionError as error:
            setback = Setback("The link could not be read, so the page shows its first view", error)
            set_view(first_view(info))
    if _VIEW not in st.session_state:
        set_view(first_view(info))
    view = st.session_state[_VIEW]
    try:
        # A snapshot published since may hold other trials, or another dictionary.
        check_question(view.question, info.dictionary)
        check_against_data(view.question, info)
    except QuestionError as error:
        first = first_view(info)
        if view != first:
            setback = setback or Setback(_GIVEN_UP, error)
            view = first
            set_view(view)
    return view, setback


_GIVEN_UP = "These settings cannot be used, so the page shows its first view"
_IDLE_STRATA = Setback("The strata of the link were left out", QuestionError(
    "strata without groups compare nothing", where="strata", remedy="Choose what to group by, then the strata."))


def check_against_data(question: Question, info: ReleaseInfo) -> None:
    """Raise `QuestionError` for a disease, trial or other open code that no patient of the snapshot has."""
    if question.disease not in info.diseases:
        raise QuestionError(f"the snapshot holds no patient with {question.disease}", where="disease",
                            remedy=f"Choose one of: {', '.join(info.diseases)}.")
    for leaf in (leaf for item in question.where for leaf in leaves_of(item)):
        if isinstance(leaf, OneOf):
            known = tuple(info.dictionary[leaf.variable].values) or info.code_values.get(leaf.variable, ())
            wrong = [value for value in leaf.values if value not in known]
            if wrong:
                raise QuestionError(f"'{wrong[0]}' is not a value of {leaf.variable} in this snapshot", where="where",
                                    remedy="Choose another value in the cohort panel.")


def give_up_view(info: ReleaseInfo, error: UserError) -> bool:
    """Go back to the first view because the services refuse the session's; False if that is the first one already.

    The next run says why. A view that is refused would otherwise keep the page from drawing what could repair it.
    """
    if st.session_state.get(_VIEW) == first_view(info):
        return False
    set_view(first_view(info))
    st.session_state[_SETBACK] = Setback(_GIVEN_UP, error)
    return True


def forget_view() -> None:
    """Start anew in the next run, whatever is stored and whatever the address holds."""
    for key in (_VIEW, _LINK):
        st.session_state.pop(key, None)
    st.query_params.clear()


def current_view() -> SurvivalView:
    """The session's view, for callbacks of controls."""
    view: SurvivalView = st.session_state[_VIEW]
    return view


def set_view(view: SurvivalView) -> None:
    """Make this the session's view."""
    st.session_state[_VIEW] = view


def replace_view(view: SurvivalView) -> None:
    """Make this the session's view while the page looks at the server by itself, and draw the panel's controls anew.

    Until it has the new view, the browser goes on telling what its controls held before. Nobody listens to controls
    that are no longer there (`while_drawn`), so that no filter of the new view falls away.
    """
    set_view(view)
    st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1


def panel_key(name: str) -> str:
    """The key of a control of the panel, as it was drawn last."""
    drawn = st.session_state.get(_DRAWN, 0)
    return f"survival.{name}.{drawn}" if drawn else f"survival.{name}"


def while_drawn(changed: Callable[[], None]) -> Callable[[], None]:
    """What a control of the panel does when it changes, unless the panel was drawn anew since."""
    drawn = panel_key("")

    def heard() -> None:
        if panel_key("") == drawn:
            changed()

    return heard


def publish_link(view: SurvivalView, more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Let the address bar hold the view, and a page's own parameters."""
    parameters = write_link(view) | dict(more)
    st.session_state[_LINK] = parameters
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)
