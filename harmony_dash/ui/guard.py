"""Who is looking, and may they? The first statement of every page and of every fragment.

Hiding a page from the navigation is no access control. What protects a page is that it asks here, on every run, and
that the answer is read from the database each time: a session that was ended, an account that was disabled and a role
that was changed all count at the next click.
"""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, Decision, record_event
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused
from harmony_dash.ui.components.text import escape_markdown
from harmony_dash.ui.session import check_this_session
from harmony_dash.ui.startup import get_deployment


def current_actor() -> Actor | None:
    """The signed-in person of this run, or None; read anew from the sessions table."""
    return check_this_session(get_deployment()).actor


def require(permission: Permission) -> Actor:
    """The signed-in person, if their role grants the permission; otherwise the run ends here.

    Nobody signed in: a notice with the way back. Permission missing: a refusal in words, recorded in the audit trail.
    """
    actor = current_actor()
    if actor is None:
        show_signed_out()
        st.stop()
    try:
        check_user_can(actor, permission)
    except AccessRefused as refused:
        deployment = get_deployment()
        record_event(deployment.access, AuditEvent.of(actor, action=f"page: {permission.value}",
                                                      decision=Decision.REFUSED, reason=refused.problem),
                     now=deployment.now())
        show_refusal(refused)
        st.stop()
    return actor


def show_signed_out() -> None:
    """Say that nobody is signed in and where to go; shown when a page or fragment outlives its session."""
    with st.container(border=True):
        st.subheader("You are not signed in")
        st.write("This page is for members of the project. Your session may have ended after a pause, "
                 "or it was closed elsewhere.")
        st.markdown("[Sign in](/)")


def show_refusal(refused: AccessRefused) -> None:
    """Say what was refused, why, and what to do next."""
    with st.container(border=True):
        st.subheader("This page is not open to your role")
        st.write(escape_markdown(f"{refused.problem[:1].upper()}{refused.problem[1:]}."))
        if refused.remedy:
            st.write(escape_markdown(refused.remedy))
        st.caption("The attempt was noted in the audit trail.")
