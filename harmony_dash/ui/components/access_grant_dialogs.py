"""Approving, rejecting and ending a grant, and taking a person out of it: each says first what will happen.

A dialog is a script run of its own, so each one asks anew who is looking before it shows anything.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.grants import GrantInfo, approve_grant, end_grant, remove_member
from harmony_dash.ui.components.access_notice import carry_out, show_confirmation
from harmony_dash.ui.components.access_words import (
    LEVEL_EXPLANATIONS,
    LEVELS,
    count_words,
    country_words,
    day_words,
    name_of,
    people_words,
)
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.guard import require
from harmony_dash.ui.startup import get_deployment

LONGEST_REASON = 300


def what_it_opens(grant: GrantInfo, names: Mapping[str, str], dictionary: Dictionary) -> str:
    """What members may do under the grant, in one sentence."""
    return (f"{people_words(grant.members, names) or 'Nobody'} may see {LEVELS[grant.level].lower()} of "
            f"{count_words(len(grant.variables), 'variable')} of patients from "
            f"{country_words(grant.countries, dictionary) or 'no country'}, from {day_words(grant.valid_from)} to "
            f"{day_words(grant.valid_to)}.")


@st.dialog("Approve the grant", on_dismiss="rerun")
def show_approval(grant: GrantInfo, names: Mapping[str, str], dictionary: Dictionary) -> None:
    """One approval; with the second one the grant begins."""
    actor = require(Permission.APPROVE_GRANTS)
    st.markdown(f"**{escape_markdown(grant.project)}**")
    st.markdown(escape_markdown(what_it_opens(grant, names, dictionary)))
    st.caption(escape_markdown(LEVEL_EXPLANATIONS[grant.level]))
    last = grant.approvals_missing == 1
    st.markdown("Yours is the second approval: the grant is then approved." if last
                else "Yours is the first approval: one more person has to approve the grant before it opens anything.")
    if show_confirmation("Approve", key="approve"):
        carry_out(lambda: approve_grant(get_deployment(), actor, grant.id),
                  f"{grant.id} is approved." if last else f"You approved {grant.id}. One more person has to.")


@st.dialog("End the grant", on_dismiss="rerun")
def show_ending(grant: GrantInfo, names: Mapping[str, str]) -> None:
    """A grant is over at once, and for good."""
    actor = require(Permission.APPROVE_GRANTS)
    st.markdown(f"**{escape_markdown(grant.project)}** ({escape_markdown(grant.id)})")
    st.markdown(escape_markdown(f"{people_words(grant.members, names) or 'Nobody'} can ask nothing more under this "
                                "grant, from this moment on, in open windows too. It cannot be opened again."))
    reason = _ask_reason("The members read it.")
    if show_confirmation("End the grant", key="end", missing=_missing(reason)):
        carry_out(lambda: end_grant(get_deployment(), actor, grant.id, reason), f"{grant.id} has ended.")


@st.dialog("Reject the proposal", on_dismiss="rerun")
def show_rejection(grant: GrantInfo, names: Mapping[str, str]) -> None:
    """A proposal is off the table."""
    actor = require(Permission.APPROVE_GRANTS)
    st.markdown(f"**{escape_markdown(grant.project)}** ({escape_markdown(grant.id)})")
    st.markdown("The proposal is closed for good. What it asked for can be proposed again.")
    reason = _ask_reason(f"{name_of(grant.proposed_by, names)} and the members read it.")
    if show_confirmation("Reject", key="reject", missing=_missing(reason)):
        carry_out(lambda: end_grant(get_deployment(), actor, grant.id, reason), f"{grant.id} is rejected.")


@st.dialog("Take a person out of the grant", on_dismiss="rerun")
def show_removal(grant: GrantInfo, names: Mapping[str, str]) -> None:
    """A member leaves; nobody is ever added."""
    actor = require(Permission.PROPOSE_GRANTS)
    st.markdown(f"**{escape_markdown(grant.project)}** ({escape_markdown(grant.id)})")
    username = st.selectbox("Who leaves", grant.members, key="access.remove.who",
                            format_func=lambda name: people_words([name], names))
    who = name_of(username, names)
    rest = " Nobody is left in it then." if len(grant.members) == 1 else ""
    st.markdown(escape_markdown(f"{who} can ask nothing more under this grant, from this moment on.{rest} "
                                "Coming back needs a new grant."))
    if show_confirmation(f"Take {who} out", key="remove"):
        carry_out(lambda: remove_member(get_deployment(), actor, grant.id, username),
                  f"{who} is no longer a member of {grant.id}.")


def _ask_reason(who_reads: str) -> str:
    return st.text_input("Why", key="access.reason", max_chars=LONGEST_REASON, help=escape_markdown(who_reads),
                         placeholder="In a few words").strip()


def _missing(reason: str) -> str:
    return "" if reason else "Say why, in a few words."

