"""The session of the browser that this run belongs to.

Three cookies, all HttpOnly and SameSite=Strict: `harmony_session` holds the token of a signed-in session,
`harmony_browser` a random value that ties a sign-in ticket to the browser that asked for it, and `harmony_login`, while
somebody is at their identity provider, what ties the provider's answer to this browser. Over HTTPS `__Host-` stands
before their names (see `cookies.py`).
"""

from __future__ import annotations

import functools
import logging

import streamlit as st

from harmony_dash.access.addresses import address_to_count
from harmony_dash.access.demo import is_reachable_from_elsewhere
from harmony_dash.access.sessions import SessionCheck, SessionState, end_session, look_up_session
from harmony_dash.ui.cookies import read_own_cookie
from harmony_dash.ui.hosts import host_name, is_own_machine
from harmony_dash.ui.startup import Deployment

_log = logging.getLogger("harmony_dash.session")

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
    token = _own_cookie(SESSION_COOKIE)
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
    token = _own_cookie(SESSION_COOKIE)
    if token:
        end_session(deployment.access, token, now=deployment.now())


def this_browser() -> str:
    """The random value of this browser; empty if it keeps no cookies."""
    return _own_cookie(BROWSER_COOKIE)


def this_login() -> str:
    """What this browser was given when its person set out for the identity provider; empty if nobody has."""
    return _own_cookie(LOGIN_COOKIE)


def is_this_machine() -> bool:
    """Whether the browser runs on the server's own machine, as far as its request tells.

    Only a name of the machine itself counts, and no request that says a proxy passed it on.
    """
    headers = st.context.headers
    return (is_own_machine(host_name(headers.get("Host") or ""))
            and not any(headers.get(name) for name in FORWARDING_HEADERS))


def this_address() -> str:
    """Where the browser is, for the counter of failed attempts; empty if that is not known."""
    has_proxy = is_reachable_from_elsewhere(str(st.get_option("server.address") or ""),
                                            st.get_option("server.allowedHosts") or ())
    address = address_to_count(st.context.ip_address, has_proxy=has_proxy)
    if not address:
        _warn_of_unknown_addresses()
    return address


@functools.cache
def _warn_of_unknown_addresses() -> None:
    """Once a process: it is the proxy's setting, and the same for every visitor."""
    _log.warning("it is not known where visitors come from, so failed attempts are counted by name alone: "
                 "have the proxy set X-Forwarded-For (docs/sign-in.md)")


def _own_cookie(name: str) -> str:
    return read_own_cookie(st.context.cookies, st.context.headers.get("Host") or "", name)
