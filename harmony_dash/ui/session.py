"""The session of the browser that this run belongs to.

Three cookies, all HttpOnly and SameSite=Strict: `harmony_session` holds the token of a signed-in session,
`harmony_browser` a random value that ties a sign-in ticket to the browser that asked for it, and `harmony_login`, while
somebody is at their identity provider, what ties the provider's answer to this browser.
"""

from __future__ import annotations

import streamlit as st

from harmony_dash.access.sessions import SessionCheck, SessionState, end_session, look_up_session
from harmony_dash.ui.hosts import host_name, is_own_machine
from harmony_dash.ui.startup import Deployment

SESSION_COOKIE = "harmony_session"
BROWSER_COOKIE = "harmony_browser"
LOGIN_COOKIE = "harmony_login"
# In place of the tie, once somebody came back without a proof.
LOGIN_FAILED = "failed"
FORWARDING_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def check_this_session(deployment: Deployment) -> SessionCheck:
    """What became of this browser's session; the database is asked every time.

    The cookies are those of the websocket's opening, so they outlive a sign-out: only the database's answer counts.
    """
    token = st.context.cookies.get(SESSION_COOKIE)
    return check_token(deployment, token) if token else SessionCheck(SessionState.UNKNOWN)


def check_token(deployment: Deployment, token: str, *, touch: bool = True) -> SessionCheck:
    """What became of the session with this token."""
    # before the look-up, so that a demonstration account never meets a snapshot of real patients
    deployment.shut_unsafe_demo_accounts()
    settings = deployment.settings
    return look_up_session(deployment.access, token, idle=settings.session_idle, lifetime=settings.session_lifetime,
                           now=deployment.now(), touch=touch)


def end_this_session(deployment: Deployment) -> None:
    """End this browser's session, whether or not its cookie is ever cleared."""
    token = st.context.cookies.get(SESSION_COOKIE)
    if token:
        end_session(deployment.access, token, now=deployment.now())


def this_browser() -> str:
    """The random value of this browser; empty if it keeps no cookies."""
    return str(st.context.cookies.get(BROWSER_COOKIE) or "")


def this_login() -> str:
    """What this browser was given when its person set out for the identity provider; empty if nobody has."""
    return str(st.context.cookies.get(LOGIN_COOKIE) or "")


def is_this_machine() -> bool:
    """Whether the browser runs on the server's own machine, as far as its request tells.

    Only a name of the machine itself counts, and no request that says a proxy passed it on.
    """
    headers = st.context.headers
    return (is_own_machine(host_name(headers.get("Host") or ""))
            and not any(headers.get(name) for name in FORWARDING_HEADERS))


def this_address() -> str:
    """Where the browser is, for the counter of failed attempts."""
    return st.context.ip_address or "loopback"
