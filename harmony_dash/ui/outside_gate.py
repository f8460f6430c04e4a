"""The gate's part in signing in through an identity provider.

Three addresses are Streamlit's own: one sends the browser to the provider, one takes it back, one forgets it. They
are shut unless a provider is set up. Streamlit's answer at the return is a cookie that names the person for thirty
days, whoever shows it. Here it is cut down to what it is worth: a proof, good for minutes, delivered to one websocket
and expired in that websocket's own answer, never sent along by another site, and good only in the browser that asked.
"""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message

from harmony_dash.access.outside_claims import LONGEST_AGE
from harmony_dash.access.outside_identity import begin_login
from harmony_dash.ui.cookies import build_cookie, build_own_cookie, must_be_secure, own_cookie_of
from harmony_dash.ui.hosts import is_from_own_page
from harmony_dash.ui.outside_settings import CALLBACK_PATH, outside_sign_in
from harmony_dash.ui.session import BROWSER_COOKIE, LOGIN_COOKIE, LOGIN_FAILED
from harmony_dash.ui.startup import get_deployment

LOGIN_PATH = "/auth/login"
OUTSIDE_PATHS = frozenset({LOGIN_PATH, "/auth/logout", CALLBACK_PATH})
# How long somebody may take at the provider: a password, a second factor, a telephone that has to be found.
_LONGEST_LOGIN_SECONDS = 900
_FAILURE_SECONDS = 60
# Streamlit's names. A large identity is cut into numbered pieces; the tokens (an access token among them) are of no
# use to us and have no place in a browser.
_IDENTITY = re.compile(r"_streamlit_user(?:_tokens)?(?:_[0-9]+)?")
_PROOF = re.compile(r"_streamlit_user(?:_[0-9]+)?")
# State, nonce and code verifier of the sign-ins under way; the provider's return must bring it, so it stays Lax.
_STATE = "_streamlit_session"


def answer_outside_path(connection: HTTPConnection) -> Response | None:
    """The gate's answer at one of Streamlit's own addresses, or None to let the request through."""
    path = connection.url.path
    if outside_sign_in() is None:
        if path == CALLBACK_PATH:
            return PlainTextResponse("Sign in first.", status_code=401)
        return PlainTextResponse("Use the sign-in page.", status_code=405, headers={"Allow": "POST"})
    if connection.scope.get("method") != "GET":
        return PlainTextResponse("Use the sign-in page.", status_code=405, headers={"Allow": "GET"})
    if path == CALLBACK_PATH:
        # the provider sends the whole window here; no image, frame or script of another page comes this way
        if (connection.headers.get("sec-fetch-mode", "navigate") != "navigate"
                or connection.headers.get("sec-fetch-dest", "document") != "document"):
            return PlainTextResponse("Use the sign-in page.", status_code=403)
    elif not is_from_own_page(connection.headers):
        return PlainTextResponse("Use the sign-in page of this host.", status_code=403)
    elif path == LOGIN_PATH and not own_cookie_of(connection, BROWSER_COOKIE):
        return PlainTextResponse("This page needs its cookie. Go back, reload, and allow cookies for this site.",
                                 status_code=403)
    return None


def adapt_outside_answer(connection: HTTPConnection, start: Message) -> None:
    """Cut the start of Streamlit's answer at one of its own addresses down to what may reach a browser."""
    headers = MutableHeaders(scope=start)
    proven = _adapt_cookies(connection, headers)
    path = connection.url.path
    failed = path == CALLBACK_PATH and not proven
    if path == LOGIN_PATH and start["status"] >= 400:
        # the provider cannot be reached: the sign-in page says it better than a line of plain text
        start["status"], headers["Location"], failed = 303, "/", True
    elif path == LOGIN_PATH:
        nonce = parse_qs(urlsplit(headers.get("location", "")).query).get("nonce", [""])[0]
        if nonce:
            binding = begin_login(get_deployment().access, nonce=nonce,
                                  browser=own_cookie_of(connection, BROWSER_COOKIE))
            headers.append("Set-Cookie", build_own_cookie(connection, LOGIN_COOKIE, binding,
                                                          seconds=_LONGEST_LOGIN_SECONDS))
    if failed:
        headers.append("Set-Cookie", build_own_cookie(connection, LOGIN_COOKIE, LOGIN_FAILED,
                                                      seconds=_FAILURE_SECONDS))


def expire_identity(connection: HTTPConnection, headers: MutableHeaders) -> None:
    """Have the browser forget whatever part of an identity it has just shown; nothing if it showed none."""
    shown = [name for name in connection.cookies if _IDENTITY.fullmatch(name)]
    if shown or own_cookie_of(connection, LOGIN_COOKIE) == LOGIN_FAILED:
        for name in shown:
            headers.append("Set-Cookie", build_cookie(connection, name, "", expire=True))
        headers.append("Set-Cookie", build_own_cookie(connection, LOGIN_COOKIE, "", expire=True))


def _adapt_cookies(connection: HTTPConnection, headers: MutableHeaders) -> bool:
    """Shorten, tie down or drop Streamlit's cookies in the answer; whether a proof of identity is among them."""
    lines = headers.getlist("set-cookie")
    del headers["set-cookie"]
    proven = False
    for line in lines:
        name = line.partition(";")[0].partition("=")[0].strip()
        if not _IDENTITY.fullmatch(name) and name != _STATE:
            headers.append("Set-Cookie", line)
            continue
        morsel = SimpleCookie(line).get(name)
        if morsel is None:
            continue
        if must_be_secure(connection):
            morsel["secure"] = True
        is_expired = not morsel.value or str(morsel["max-age"]) == "0" or bool(morsel["expires"])
        if not is_expired and name == _STATE:
            morsel["max-age"] = str(_LONGEST_LOGIN_SECONDS)  # by its own account a fortnight
        elif not is_expired and _PROOF.fullmatch(name):
            proven = True
            morsel["samesite"], morsel["max-age"] = "Strict", str(int(LONGEST_AGE.total_seconds()))
        elif not is_expired:
            continue
        headers.append("Set-Cookie", morsel.OutputString())
    return proven
