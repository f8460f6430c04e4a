"""One grant in full: what it opens, to whom, until when, and how far its approval has come."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant import NEEDED_APPROVALS, GrantStatus
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.services.grants import GrantInfo
from harmony_dash.ui.components.access_words import (
    LEVELS,
    count_words,
    country_words,
    day_words,
    disease_words,
    labels_by_section,
    list_words,
    people_words,
    person_words,
    sensitive_labels,
)
from harmony_dash.ui.components.text import escape_markdown

FEW_DAYS = 14
_NAME_WIDTH = 128


def status_words(grant: GrantInfo) -> str:
    """What the grant is now, in words; a rejected proposal is told from a grant that was ended."""
    if grant.status is GrantStatus.PROPOSED:
        return "Waiting for approval"
    if grant.status is GrantStatus.ACTIVE:
        return "Active"
    if grant.status is GrantStatus.SCHEDULED:
        return f"Approved, begins {day_words(grant.valid_from)}"
    if grant.approvals_missing:
        return "Rejected" if grant.status is GrantStatus.ENDED else "Not approved in time"
    return "Ended" if grant.status is GrantStatus.ENDED else "Ran out"


def is_over(grant: GrantInfo) -> bool:
    """Whether nobody can use the grant any more, nor ever will."""
    return grant.status in (GrantStatus.ENDED, GrantStatus.EXPIRED)


def days_words(grant: GrantInfo) -> str:
    """How long it can still be used, today included."""
    return "last day" if grant.days_left == 1 else count_words(grant.days_left, "day")


def days_colour(grant: GrantInfo) -> str:
    """Amber for the last fortnight."""
    return "orange" if grant.days_left < FEW_DAYS else "gray"


def approval_words(grant: GrantInfo, names: Mapping[str, str]) -> str:
    """How many people have approved, and who."""
    words = f"{len(grant.approvers)} of {NEEDED_APPROVALS}"
    return f"{words}: {people_words(grant.approvers, names)}" if grant.approvers else f"{words}, nobody yet"


def why_not_approve(actor: Actor, grant: GrantInfo) -> str:
    """Why the person who looks cannot approve a proposal; empty for somebody who can."""
    if grant.may_approve or grant.status is not GrantStatus.PROPOSED:
        return ""
    if not user_can(actor, Permission.APPROVE_GRANTS):
        return "Approving needs a member of the steering committee or a data manager."
    if actor.username in grant.members:
        return "You are a member of this grant, so two people from outside it have to approve it."
    if actor.username == grant.proposed_by:
        return "You proposed this grant, so two other people have to approve it."
    if actor.username in grant.approvers:
        return "You have approved this grant. One more person has to."
    return ""


def build_facts(grant: GrantInfo, names: Mapping[str, str], dictionary: Dictionary) -> list[tuple[str, str]]:
    """What the grant is made of, name and words, without its variables."""
    facts = [("Level", LEVELS[grant.level]), ("Diseases", disease_words(grant.diseases, dictionary)),
             ("Countries", country_words(grant.countries, dictionary) or "None any more"),
             ("Members", people_words(grant.members, names) or "Nobody any more"),
             ("Period", f"{day_words(grant.valid_from)} to {day_words(grant.valid_to)}, both days included"),
             ("Proposed by", person_words(grant.proposed_by, names)), ("Approvals", approval_words(grant, names))]
    if grant.withdrawn:
        facts.insert(3, ("Withdrawn", f"{country_words(grant.withdrawn, dictionary)}: in no answer any more"))
    if grant.end_reason:
        facts.append((status_words(grant), grant.end_reason))
    return facts


def show_grant(grant: GrantInfo, names: Mapping[str, str], dictionary: Dictionary) -> None:
    """The card's content: heading, purpose, facts, variables under their headings."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{escape_markdown(grant.project)}**", width="content")
        st.badge(escape_markdown(grant.id), color="gray")
        if grant.status is GrantStatus.ACTIVE:
            st.badge(f"{days_words(grant)}{'' if grant.days_left == 1 else ' left'}", color=days_colour(grant))
        else:
            st.badge(escape_markdown(status_words(grant)),
                     color="blue" if grant.status is GrantStatus.PROPOSED else "gray")
    st.markdown(escape_markdown(grant.purpose))
    left, right = st.columns(2, gap="large")
    with left, st.container(gap="xsmall"):
        for name, words in build_facts(grant, names, dictionary):
            show_fact(name, words)
    with right:
        _show_variables(grant, dictionary)


def show_fact(name: str, words: str) -> None:
    """A name and what it is, side by side."""
    with st.container(horizontal=True, gap="small", wrap=False):
        st.caption(escape_markdown(name), width=_NAME_WIDTH)
        st.markdown(escape_markdown(words))


def _show_variables(grant: GrantInfo, dictionary: Dictionary) -> None:
    st.markdown(f"**{count_words(len(grant.variables), 'variable')}**")
    with st.container(gap="xsmall"):
        for section, labels in labels_by_section(grant.variables, dictionary).items():
            show_fact(section, ", ".join(labels))
    sensitive = sensitive_labels(grant.variables, dictionary)
    if sensitive:
        st.caption(escape_markdown(f"Most telling about a person: {list_words(sensitive)}."))
