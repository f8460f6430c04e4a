"""The filters of the audit trail: who, what, under which grant, when, and what the question holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from harmony_dash.access.audit import Decision
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.audit_trail import TrailFilters
from harmony_dash.services.grants import GrantInfo
from harmony_dash.ui.components.access_parts import TRAIL, go_to_part
from harmony_dash.ui.components.access_trail_words import ACTIONS, action_words
from harmony_dash.ui.components.access_words import country_name, person_words, variable_label

_FIELDS = ("username", "action", "decision", "grant", "period", "days", "contains")
_PAGES = "access.trail.pages"
_CHOOSE_DAYS = "choose"
_PERIODS = {"1": "Today", "7": "Last 7 days", "30": "Last 30 days", "365": "Last 12 months",
            _CHOOSE_DAYS: "Choose days"}
_DECISIONS = {Decision.ALLOWED: "Allowed", Decision.REFUSED: "Refused"}
_COUNTRY, _VARIABLE = "country:", "variable:"
_OPERATOR = "operator"


def show_trail_of(grant: str) -> None:
    """Turn to the trail with one grant chosen; for callbacks of widgets alone."""
    clear_filters()
    st.session_state[_key("grant")] = grant
    go_to_part(TRAIL)


def clear_filters() -> None:
    """Take all filters away; for callbacks of widgets alone."""
    for field in _FIELDS:
        st.session_state[_key(field)] = () if field == "days" else None
    st.session_state[_PAGES] = []


def current_page() -> int | None:
    """The entry after which the page begins, None for the newest."""
    pages = st.session_state.get(_PAGES, [])
    return pages[-1] if pages else None


def turn_to_older(after: int) -> None:
    """Continue after an entry."""
    st.session_state[_PAGES] = [*st.session_state.get(_PAGES, []), after]


def turn_to_newer() -> None:
    """Back by one page."""
    st.session_state[_PAGES] = st.session_state.get(_PAGES, [])[:-1]


def choose_filters(names: Mapping[str, str], grants: Sequence[GrantInfo], dictionary: Dictionary, *,
                   now: datetime) -> TrailFilters:
    """Draw the filters and return what they mean."""
    projects = {grant.id: grant.project for grant in grants}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        person = _select("Person", "username", [*names, _OPERATOR], "Everybody",
                         lambda name: person_words(name, names))
        action = _select("What", "action", list(ACTIONS), "Everything", action_words)
        grant = _select("Grant", "grant", list(projects), "With and without",
                        lambda name: f"{name} · {projects[name]}" if name in projects else name)
        contains = _select("Asked about", "contains", _subjects(dictionary), "Any variable or country",
                           lambda subject: _subject_words(subject, dictionary))
        decision = _select("Decision", "decision", list(_DECISIONS), "Both", lambda one: _DECISIONS[one], width=130)
        period = _select("Period", "period", list(_PERIODS), "All time", lambda one: _PERIODS[one], width=160)
        since, until = _choose_days(period, now)
        if any((person, action, grant, contains, decision, period)):
            st.button("Clear", key="access.trail.clear", type="tertiary", on_click=clear_filters)
    if contains:
        st.caption(_what_is_found(contains))
    return TrailFilters(username=person, action=action, decision=Decision(decision) if decision else None, grant=grant,
                        since=since, until=until, contains=_searched_text(contains))


def _select(label: str, field: str, options: list[Any], everything: str, words: Callable[[Any], str],
            width: int = 210) -> Any:
    return st.selectbox(label, options, index=None, key=_key(field), placeholder=everything, width=width,
                        format_func=words, on_change=_begin_anew,
                        persist_state="session")


def _choose_days(period: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """First moment, and the moment after the last; days are those of UTC."""
    today = now.astimezone(UTC).date()
    if period is None:
        return None, None
    if period != _CHOOSE_DAYS:
        return _midnight(today - timedelta(days=int(period) - 1)), None
    chosen = st.date_input("Days (UTC)", value=(), max_value=today, key=_key("days"), format="YYYY-MM-DD", width=230,
                           on_change=_begin_anew, persist_state="session")
    days = chosen if isinstance(chosen, tuple) else (chosen,)
    first, last = (days[0], days[-1]) if days else (None, None)
    return (_midnight(first) if first else None), (_midnight(last + timedelta(days=1)) if last else None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _begin_anew() -> None:
    st.session_state[_PAGES] = []


def _subjects(dictionary: Dictionary) -> list[str]:
    """Everything a question can name, variables first."""
    variables = [f"{_VARIABLE}{variable.name}" for variable in dictionary.variables.values() if variable.is_askable]
    countries = dictionary["country"].values if "country" in dictionary else ()
    return [*variables, *(f"{_COUNTRY}{code}" for code in countries)]


def _subject_words(subject: str, dictionary: Dictionary) -> str:
    if subject.startswith(_COUNTRY):
        return f"Country: {country_name(subject.removeprefix(_COUNTRY), dictionary)}"
    return variable_label(subject.removeprefix(_VARIABLE), dictionary)


def _searched_text(subject: str | None) -> str | None:
    """What stands in a recorded question that names the subject.

    A country is a quoted value. A variable may stand without quotes, so names that hold its letters are found too:
    for somebody who looks for a leak, one entry too many is better than one too few.
    """
    if subject is None:
        return None
    return f'"{subject.removeprefix(_COUNTRY)}"' if subject.startswith(_COUNTRY) else subject.removeprefix(_VARIABLE)


def _what_is_found(subject: str) -> str:
    if subject.startswith(_COUNTRY):
        return ("Found are questions that name the country. A question that names none was put to all countries, or to "
                "those of its grant.")
    return "Found are questions that name the variable, or another one whose name holds the same letters."


def _key(field: str) -> str:
    return f"access.trail.{field}"
