"""The grants: what waits for approval first, then what is in force, what is over, and the withdrawn countries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import GrantStatus
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.grants import GrantInfo
from harmony_dash.services.people import PersonRow
from harmony_dash.ui.components.access_countries import show_countries
from harmony_dash.ui.components.access_grant_card import (
    days_colour,
    days_words,
    is_over,
    show_grant,
    status_words,
    why_not_approve,
)
from harmony_dash.ui.components.access_grant_dialogs import show_approval, show_ending, show_rejection, show_removal
from harmony_dash.ui.components.access_proposal import is_proposing, open_proposal, show_proposal
from harmony_dash.ui.components.access_trail_filters import show_trail_of
from harmony_dash.ui.components.access_words import (
    SHORT_LEVELS,
    country_words,
    name_of,
    short_day,
)
from harmony_dash.ui.components.html_table import Mark, show_rows
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.startup import Deployment

_CHOSEN = "access.grant"


def show_grants(deployment: Deployment, actor: Actor, people: Sequence[PersonRow], grants: Sequence[GrantInfo],
                dictionary: Dictionary) -> None:
    """The part of the page about grants."""
    names = {person.username: person.name for person in people}
    manages = user_can(actor, Permission.PROPOSE_GRANTS)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("You propose grants and look after them. Each one is approved by two people who neither proposed "
                   "it nor are in it." if manages else
                   "You approve or reject proposals, and may end a grant. Proposing one, taking people out of it and "
                   "withdrawing a country need a data manager.", width="stretch")
        if manages and not is_proposing():
            st.button("Propose a grant", key="access.propose", icon=":material/add:", type="primary",
                      on_click=open_proposal)
    if manages and is_proposing():
        show_proposal(people, dictionary)
        return
    _show_waiting(actor, [grant for grant in grants if grant.status is GrantStatus.PROPOSED], names, dictionary)
    in_force = [grant for grant in grants if grant.status in (GrantStatus.ACTIVE, GrantStatus.SCHEDULED)]
    in_force.sort(key=lambda grant: (grant.status is GrantStatus.SCHEDULED, grant.valid_to))
    _show_in_force(in_force, names, dictionary)
    _show_over([grant for grant in grants if is_over(grant)], names)
    _show_one(actor, [grant for grant in grants if grant.status is not GrantStatus.PROPOSED], names, dictionary)
    show_countries(deployment, actor, dictionary)


def _show_waiting(actor: Actor, grants: Sequence[GrantInfo], names: Mapping[str, str], dictionary: Dictionary) -> None:
    st.subheader("Waiting for approval")
    if not grants:
        st.markdown("Nothing is waiting.")
    for grant in grants:
        with st.container(border=True, key=f"access.card.{grant.id}"):
            show_grant(grant, names, dictionary)
            _show_decision(actor, grant, names, dictionary)


def _show_decision(actor: Actor, grant: GrantInfo, names: Mapping[str, str], dictionary: Dictionary) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if grant.may_approve and st.button("Approve", key=f"access.approve.{grant.id}", type="primary"):
            show_approval(grant, names, dictionary)
        if grant.may_end and st.button("Reject", key=f"access.reject.{grant.id}"):
            show_rejection(grant, names)
        reason = why_not_approve(actor, grant)
        if reason:
            st.caption(escape_markdown(reason))


def _show_in_force(grants: Sequence[GrantInfo], names: Mapping[str, str], dictionary: Dictionary) -> None:
    st.subheader("In force")
    if not grants:
        show_empty("No grant is in force", "Analysts see protected results only, as clinicians do.")
        return
    show_rows([{
        "Grant": grant.id, "Project": grant.project, "Level": SHORT_LEVELS[grant.level],
        "Members": ", ".join(name_of(member, names) for member in grant.members) or "nobody any more",
        "Countries": country_words(grant.countries, dictionary) or "none any more",
        "Variables": str(len(grant.variables)),
        "Last day": short_day(grant.valid_to), "Days left": _days_left(grant)} for grant in grants],
        alt="Grants in force", right=("Variables",), whole=("Grant", "Last day"))


def _days_left(grant: GrantInfo) -> str | Mark:
    if grant.status is GrantStatus.SCHEDULED:
        return f"from {short_day(grant.valid_from)}"
    return Mark(days_words(grant), "orange") if days_colour(grant) == "orange" else days_words(grant)


def _show_over(grants: Sequence[GrantInfo], names: Mapping[str, str]) -> None:
    if not grants:
        return
    with st.expander(f"Over: {len(grants)}", key="access.over"):
        show_rows([{
            "Grant": grant.id, "Project": grant.project, "Level": SHORT_LEVELS[grant.level],
            "Members": ", ".join(name_of(member, names) for member in grant.members) or "nobody any more",
            "From": short_day(grant.valid_from), "To": short_day(grant.valid_to),
            "What became of it": f"{status_words(grant)}{': ' if grant.end_reason else ''}{grant.end_reason}"}
            for grant in grants], alt="Grants that are over", whole=("Grant", "From", "To"))


def _show_one(actor: Actor, grants: Sequence[GrantInfo], names: Mapping[str, str], dictionary: Dictionary) -> None:
    """One grant in full, with what may be done to it."""
    if not grants:
        return
    by_id = {grant.id: grant for grant in sorted(grants, key=is_over)}
    chosen = st.selectbox("Open a grant", list(by_id), index=None, key=_CHOSEN, placeholder="Choose one of the grants",
                          format_func=lambda name: _title(by_id[name]) if name in by_id else name,
                          persist_state="session")
    if chosen not in by_id:
        return
    grant = by_id[chosen]
    with st.container(border=True, key="access.card"):
        show_grant(grant, names, dictionary)
        with st.container(horizontal=True):
            st.button("Who saw what under this grant", key="access.trail_of", icon=":material/history:",
                      on_click=show_trail_of, args=(grant.id,))
            if grant.members and not is_over(grant) and user_can(actor, Permission.PROPOSE_GRANTS) and st.button(
                    "Take a person out", key="access.remove", icon=":material/person_remove:"):
                show_removal(grant, names)
            if grant.may_end and st.button("End the grant", key="access.end", icon=":material/event_busy:"):
                show_ending(grant, names)


def _title(grant: GrantInfo) -> str:
    return f"{grant.id} · {grant.project} · {status_words(grant)}"
