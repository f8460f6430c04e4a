"""Who saw what: the audit trail with its filters, its file, and the proof that nobody changed it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, Decision, RecordedEvent
from harmony_dash.access.permissions import Permission
from harmony_dash.access.verification import HeadFile, Verification
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure import Level
from harmony_dash.errors import UserError
from harmony_dash.services.audit_trail import TrailFilters, read_trail, trail_as_csv, verify_trail
from harmony_dash.services.grants import GrantInfo
from harmony_dash.services.people import PersonRow
from harmony_dash.ui.components.access_notice import show_refused
from harmony_dash.ui.components.access_trail_filters import (
    choose_filters,
    current_page,
    turn_to_newer,
    turn_to_older,
)
from harmony_dash.ui.components.access_trail_words import role_words, what_words
from harmony_dash.ui.components.access_words import NOTHING, SHORT_LEVELS, count_words, moment_words, name_of
from harmony_dash.ui.components.html_table import Cell, Mark, show_rows
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.text import capital, escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import Deployment, get_deployment

PAGE_LENGTH = 25
_HEADS = {
    HeadFile.KEPT: "", HeadFile.NONE: "",
    HeadFile.BEHIND: "The copy of its newest entry that is kept outside is older than it should be.",
    HeadFile.MISSING: "The copy of its newest entry that is kept outside is missing, so entries cut off at the end "
                      "would not show.",
    HeadFile.DAMAGED: "The copy of its newest entry that is kept outside was changed."}


def show_trail(deployment: Deployment, actor: Actor, people: Sequence[PersonRow], grants: Sequence[GrantInfo],
               dictionary: Dictionary) -> None:
    """The part of the page about the trail."""
    names = {person.username: person.name for person in people}
    st.caption("Every question, refusal, sign-in and change is written here as it happens. Nobody can edit or delete "
               "an entry. Reading, downloading and checking the trail are recorded too.")
    filters = choose_filters(names, grants, dictionary, now=deployment.now())
    _show_tools(filters)
    try:
        # one more than is shown tells whether there is another page
        found = read_trail(deployment, actor, filters, limit=PAGE_LENGTH + 1, before_id=current_page())
    except UserError as refused:
        show_refused(refused)
        return
    shown = found[:PAGE_LENGTH]
    if not shown:
        show_empty("No entry fits these filters", "Take one of them away, or choose a longer period.")
        return
    show_rows([build_row(entry, names, dictionary) for entry in shown], alt="Entries of the audit trail, newest first",
              right=("Patients",), whole=("Time (UTC)",), roomy=("What",))
    _show_paging(shown, more=len(found) > PAGE_LENGTH)


def build_row(entry: RecordedEvent, names: Mapping[str, str], dictionary: Dictionary) -> Mapping[str, Cell]:
    """One line of the table."""
    event = entry.event
    what, reason = what_words(event.action, event.question, dictionary), event.reason
    refused = event.decision is Decision.REFUSED
    return {
        "Time (UTC)": moment_words(entry.at),
        "Who, role": _join(name_of(event.username, names), role_words(event.role).lower()),
        "What": what if refused or not reason else f"{what}: {reason}",
        "Grant, level": _rights_words(event) or NOTHING,
        "Patients": NOTHING if event.n is None else f"{event.n:,}",
        "Decision, reason": Mark("Refused", "orange", after=capital(reason)) if refused else "Allowed"}


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _rights_words(event: AuditEvent) -> str:
    level = SHORT_LEVELS[Level(event.level)] if event.level in set(Level) else event.level
    return _join(event.grant, level.lower()) if event.grant else level


def _show_paging(shown: Sequence[RecordedEvent], *, more: bool) -> None:
    page = current_page()
    with st.container(horizontal=True, vertical_alignment="center"):
        if page is not None:
            st.button("Newer", key="access.trail.newer", icon=":material/chevron_left:", on_click=turn_to_newer)
        if more:
            st.button("Older", key="access.trail.older", icon=":material/chevron_right:", icon_position="right",
                      on_click=turn_to_older, args=(shown[-1].id,))
        st.caption(f"Entries {shown[-1].id:,} to {shown[0].id:,}", width="content")


@st.fragment(key="access_trail_tools")
def _show_tools(filters: TrailFilters) -> None:
    """The proof and the file on demand, apart from the table: reading it again would be one more entry."""
    actor = require(Permission.READ_AUDIT)
    with st.container(horizontal=True):
        check = st.button("Check that nobody changed it", key="access.trail.check", icon=":material/verified_user:")
        write = st.button("Prepare a CSV file", key="access.trail.file", icon=":material/table:",
                          help="All entries that fit the filters, for a spreadsheet")
    try:
        if check:
            _show_check(actor)
        if write:
            _show_file(actor, filters)
    except UserError as refused:
        show_refused(refused)


def _show_check(actor: Actor) -> None:
    with st.spinner("Checking every entry"):
        found = verify_trail(get_deployment(), actor)
    words = escape_markdown(describe_check(found))
    if found.broken is not None:
        st.error(words, icon=":material/gpp_bad:")
    elif _HEADS[found.head_file]:
        st.warning(words, icon=":material/gpp_maybe:")
    else:
        st.success(words, icon=":material/verified_user:")


def describe_check(found: Verification) -> str:
    """What the check found, in words."""
    if found.broken is not None:
        return (f"The trail is not as it was written: {found.broken.words}. Proved before that: "
                f"{count_words(found.rows, 'entry', 'entries')}. Tell whoever runs the server, and change nothing.")
    parts = [f"The trail is intact: {count_words(found.rows, 'entry', 'entries')}, checked just now.",
             _HEADS[found.head_file]]
    if found.old_rows:
        parts.append(f"The first {found.old_rows:,} are older than the chain and proved since it began.")
    return " ".join(part for part in parts if part)


def _show_file(actor: Actor, filters: TrailFilters) -> None:
    """The file is made when it is asked for, and only then."""
    deployment = get_deployment()
    with st.spinner("Writing the file"):
        content = trail_as_csv(deployment, actor, filters)
    name = f"audit-trail-{deployment.now().astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}.csv"
    st.download_button(f"Download {name}", content, file_name=name, mime="text/csv", key="access.trail.download",
                       icon=":material/download:", on_click="ignore", type="primary")
