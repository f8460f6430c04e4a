"""The person's open sessions, each with a way to end it."""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.actor import Actor
from harmony_dash.access.sessions import SignInMethod
from harmony_dash.errors import UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.own_account import OwnSession, end_other_own_sessions, end_own_session, list_own_sessions
from harmony_dash.ui.components.own_account import carry_out, local_moment, show_refused, time_zone_words

SECTION = "sessions"
METHODS = {SignInMethod.PASSWORD: "password", SignInMethod.PASSWORD_AND_CODE: "password and code",
           SignInMethod.IDENTITY_PROVIDER: "your organisation's sign-in"}


def show_sessions(deployment: Deployment, actor: Actor) -> None:
    """One row a session; this one first, and without a button, because signing out ends it."""
    try:
        own = list_own_sessions(deployment, actor)
    except UserError as refused:
        show_refused(refused)
        return
    for session in own:
        _show_session(deployment, actor, session)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"Times are those of {time_zone_words()}.", width="content")
        if len(own) > 1 and st.button("End all others", key="account.end_others"):
            carry_out(SECTION, lambda: end_other_own_sessions(deployment, actor),
                      "All your other sessions have ended.")


def _show_session(deployment: Deployment, actor: Actor, session: OwnSession) -> None:
    with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center",
                      wrap=False):
        with st.container(gap=None):
            st.markdown(f"Signed in {local_moment(session.opened)}")
            st.caption(f"Last used {local_moment(session.last_seen)} · {METHODS[SignInMethod(session.method)]}")
        if session.is_this:
            st.badge("This session", color="blue", width="content")
        elif st.button("End", key=f"account.end.{session.id}", width="content",
                       help="Whoever uses this session meets the sign-in page at their next click."):
            carry_out(SECTION, lambda: end_own_session(deployment, actor, session.id), "The session has ended.")
