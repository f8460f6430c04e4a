"""Where somebody starts, by role: questions that are ready to be asked, and what waits for this person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import streamlit as st

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantStatus
from harmony_dash.access.permissions import user_can
from harmony_dash.disclosure.release_info import ReleaseInfo
from harmony_dash.services.grants import GrantInfo
from harmony_dash.store.layout import SnapshotRecord
from harmony_dash.ui.components.access_grant_card import days_words, is_over, status_words
from harmony_dash.ui.components.access_words import count_words, day_words
from harmony_dash.ui.components.survival_view import first_view, write_link
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.registry import page_named


@dataclass(frozen=True)
class Start:
    """One thing to do: the question in a person's words, and the page that answers it."""

    words: str
    page: str
    query: Mapping[str, str] = field(default_factory=dict)


_FEASIBILITY = Start("Can my question be asked of these data?", "coverage", {"view": "question"})
_COVERAGE = Start("Who is in the data?", "coverage")
_QUALITY = Start("Are the data good enough?", "data_quality")
_ACCESS = Start("Who may see what, and who saw what?", "access")
_LESS = Start("Would less treatment have done as well?", "what_if")
_PLANNED = replace(_FEASIBILITY, words="Has a planned study enough patients?")


def list_starts(actor: Actor, info: ReleaseInfo) -> list[Start]:
    """What this role most often comes for, the first thing first; only pages it may open."""
    starts: Mapping[Role, Sequence[Start]] = {
        Role.CLINICIAN: (*_ready_questions(info), _LESS, _FEASIBILITY, _COVERAGE),
        Role.STEERING: (_PLANNED, _ACCESS, _COVERAGE, _QUALITY),
        Role.ANALYST: (_FEASIBILITY, *_ready_questions(info), _QUALITY),
        Role.DATA_MANAGER: (_QUALITY, _ACCESS, _PLANNED, _COVERAGE),
        Role.OPERATOR: (_QUALITY, _COVERAGE)}
    return [start for start in starts[actor.role] if user_can(actor, page_named(start.page).permission)]


def _ready_questions(info: ReleaseInfo) -> tuple[Start, ...]:
    """Survival questions that need no control to be touched; none of a variable that the dictionary does not have."""
    view = first_view(info)
    names = {variable.name for variable in info.dictionary.askable(view.question.disease)}
    ready = (("Event-free survival by cytogenetic risk", "efs", "cyto_group"),
             ("Relapse by MRD at the end of induction", "relapse", "mrd_group"))
    return tuple(Start(words, "survival", write_link(view.with_question(endpoint=endpoint, by=by)))
                 for words, endpoint, by in ready if by in names)


def show_starts(starts: Sequence[Start]) -> None:
    """One link each."""
    for start in starts:
        entry = page_named(start.page)
        st.page_link(entry.file, label=start.words, icon=entry.icon, query_params=dict(start.query))


def describe_release_before(current: str, records: Sequence[SnapshotRecord]) -> str:
    """What is new since the release before, as far as it is public: when, and from how many sources.

    Parameters
    ----------
    current : id of the snapshot that is served.
    records : of all snapshots.
    """
    served = next((one for one in records if one.snapshot == current), None)
    if served is None:
        return ""
    words = f"Published {_day(served)}, snapshot {served.snapshot}."
    taken_back = " A later release was taken back." if any(one.created > served.created for one in records) else ""
    earlier = [one for one in records if one.created < served.created]
    if not earlier:
        return f"{words} It is the first release.{taken_back}"
    before = max(earlier, key=lambda one: one.created)
    now, then = count_words(served.sources, "source"), count_words(before.sources, "source")
    sources = f"It has {now}, as before" if now == then else f"It has {now}; before there were {then}"
    return f"{words} The release before is of {_day(before)}. {sources}.{taken_back}"


def _day(record: SnapshotRecord) -> str:
    return day_words(date.fromisoformat(record.created[:10]))


def show_own_work(own: Sequence[GrantInfo], waiting: int) -> None:
    """The person's grants in a line each, and approvals that wait for them."""
    if waiting:
        wait = "waits" if waiting == 1 else "wait"
        st.page_link(page_named("access").file, icon=":material/approval:",
                     label=f"**{count_words(waiting, 'grant')} {wait} for your approval**")
    current = [grant for grant in own if not is_over(grant)]
    for grant in current:
        st.markdown(f"**{escape_markdown(grant.project)}** ({escape_markdown(grant.id)}): "
                    f"{escape_markdown(describe_grant(grant))}")
    if not current:
        st.caption("You work under no grant: you see protected results, as far as your role goes.")
    else:
        st.page_link(page_named("account").file, label="What each opens", icon=":material/key:")


def describe_grant(grant: GrantInfo) -> str:
    """Its level and how long it runs."""
    if grant.status is not GrantStatus.ACTIVE:
        return status_words(grant)
    left = days_words(grant) if grant.days_left == 1 else f"{days_words(grant)} left"
    return f"{grant.level} results, {left}, to {day_words(grant.valid_to)}"
