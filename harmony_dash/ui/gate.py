"""The gate before the web server: what somebody who has not signed in may reach at all.

A list of what is open, and everything else is shut. The websocket has to be open, because the sign-in form is drawn
over it; what may come through it is decided by the guards in the main script, the pages and the services.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from anyio import to_thread
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harmony_dash.access.sessions import new_token
from harmony_dash.ui.cookies import build_own_cookie, own_cookie_of
from harmony_dash.ui.hosts import is_allowed_host, is_from_own_page, is_same_origin
from harmony_dash.ui.outside_gate import OUTSIDE_PATHS, adapt_outside_answer, answer_outside_path, expire_identity
from harmony_dash.ui.registry import PAGES
from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE, check_token
from harmony_dash.ui.startup import get_deployment

_log = logging.getLogger("harmony_dash.gate")

PAGE_PATHS = frozenset({"/", *(f"/{page.url_path}" for page in PAGES if not page.is_start)})
_OPEN_PATHS = frozenset({"/healthz", "/favicon.png", "/_stcore/health", "/_stcore/host-config", "/_stcore/stream",
                         "/auth/establish", "/auth/end"})
_OPEN_FOLDERS = ("/static/", "/component/", "/_stcore/bidi-components/")
# What a page asks for before it opens its websocket.
_FIRST_REQUEST = "/_stcore/host-config"
# Nobody needs these, signed in or not: counters of the server, and the interface for programs.
_SHUT_FOR_ALL = ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent", "/app/static")
# Streamlit's own places; never mistaken for an address somebody typed.
_SERVER_FOLDERS = ("/_stcore", "/media", "/app", "/auth", "/oauth2callback")


class Gate:
    """ASGI middleware that answers 401 where a session is needed and there is none.

    Parameters
    ----------
    app : what lies behind the gate.
    allowed_hosts : reads `server.allowedHosts`; while it is empty only names of this machine are answered, so that a
        foreign page cannot reach the application by pointing its own name at it.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Callable[[], list[str]]) -> None:
        self.app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        answer = await self._answer(connection)
        if answer is not None:
            await answer(scope, receive, send)
            return
        started = False

        async def send_with_cookie(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if _needs_browser_cookie(connection):
                    cookie = build_own_cookie(connection, BROWSER_COOKIE, new_token())
                    MutableHeaders(scope=message).append("Set-Cookie", cookie)
                if connection.url.path in OUTSIDE_PATHS:
                    adapt_outside_answer(connection, message)
            elif message["type"] == "websocket.accept":
                message.setdefault("headers", [])
                expire_identity(connection, MutableHeaders(scope=message))
            await send(message)

        try:
            await self.app(scope, receive, send_with_cookie)
        except Exception as error:
            incident = secrets.token_hex(4)
            _log.error("incident %s: %s while answering", incident, type(error).__name__)
            if scope["type"] != "http" or started:
                raise
            await PlainTextResponse(f"Something went wrong on our side (incident {incident}).",
                                    status_code=500)(scope, receive, send)

    async def _answer(self, connection: HTTPConnection) -> Response | None:
        """The answer of the gate itself, or None to let the request through."""
        path = connection.url.path
        if not is_allowed_host(connection.headers.get("host", ""), self._allowed_hosts()):
            return PlainTextResponse("This host name is not served here.", status_code=421)
        if path.startswith(_SHUT_FOR_ALL):
            return PlainTextResponse("Sign in first.", status_code=401)
        if path in OUTSIDE_PATHS:
            return answer_outside_path(connection)
        if path.startswith("/auth/") and connection.scope.get("method") != "POST":
            return PlainTextResponse("Use the sign-in page.", status_code=405, headers={"Allow": "POST"})
        if path.startswith("/auth/") and not is_from_own_page(connection.headers):
            return PlainTextResponse("Use the sign-in page of this host.", status_code=403)
        if connection.scope["type"] == "websocket" and _is_foreign_page(connection):
            return PlainTextResponse("This page belongs to another host.", status_code=403)
        if path in PAGE_PATHS or path in _OPEN_PATHS or path.startswith(_OPEN_FOLDERS):
            return None
        if await to_thread.run_sync(_has_session, own_cookie_of(connection, SESSION_COOKIE)):
            return None
        if (connection.scope["type"] == "websocket" or connection.scope["method"] not in ("GET", "HEAD")
                or path.startswith(_SERVER_FOLDERS)):
            return PlainTextResponse("Sign in first.", status_code=401)
        if "/_stcore/" in path:  # the page looks for its server below its own address first
            return PlainTextResponse("Not here.", status_code=404)
        return RedirectResponse("/", status_code=303)


def _is_foreign_page(connection: HTTPConnection) -> bool:
    """Whether a page of another host or port opens the websocket; programs other than browsers send no origin."""
    origin = connection.headers.get("origin")
    return origin is not None and not is_same_origin(origin, connection.headers.get("host", ""))


def _needs_browser_cookie(connection: HTTPConnection) -> bool:
    """Whether to give the browser its random value along with this answer.

    A browser that follows a link from another site keeps its cookies back, so that it may have the value and not show
    it; such a page gets the value with its first own request instead, which shows what there is.
    """
    if own_cookie_of(connection, BROWSER_COOKIE):
        return False
    site = connection.headers.get("sec-fetch-site")
    path = connection.url.path
    return (path in PAGE_PATHS and site != "cross-site") or (path == _FIRST_REQUEST and site == "same-origin")


def _has_session(token: str) -> bool:
    # a download is no sign of a person at the keyboard, so it does not keep the session alive
    return bool(token) and check_token(get_deployment(), token, touch=False).actor is not None
