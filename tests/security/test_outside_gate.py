"""What is left of Streamlit's cookies once the gate has been over them."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Message

from harmony_dash.ui import session
from harmony_dash.ui.outside_gate import CALLBACK_PATH, adapt_outside_answer, expire_identity

# The connections are those of another machine, so our cookies are for this host alone.
LOGIN_COOKIE = f"__Host-{session.LOGIN_COOKIE}"

LOOSE = "HttpOnly; Max-Age=2592000; Path=/; SameSite=lax"


def connection_to(host: str = "dash.example.org", cookies: str = "", scheme: str = "http") -> HTTPConnection:
    headers = [(b"host", host.encode()), (b"cookie", cookies.encode())]
    return HTTPConnection({"type": "http", "method": "GET", "scheme": scheme, "path": CALLBACK_PATH,
                           "server": (host, 80), "query_string": b"", "headers": headers})


def adapted(*lines: str, host: str = "dash.example.org") -> dict[str, str]:
    """The Set-Cookie lines by name that come out at the provider's return."""
    start: Message = {"type": "http.response.start", "status": 302,
                      "headers": [(b"set-cookie", line.encode()) for line in lines]}
    adapt_outside_answer(connection_to(host), start)
    out = [value.decode() for name, value in start["headers"] if name == b"set-cookie"]
    return {line.partition("=")[0]: line for line in out}


def attributes(line: str) -> dict[str, str]:
    (morsel,) = SimpleCookie(line).values()
    return {name: str(value) for name, value in morsel.items() if value}


def test_the_identity_becomes_a_proof_of_five_minutes_for_our_own_pages_over_https() -> None:
    lines = adapted(f"_streamlit_user=chunks-2; {LOOSE}", f"_streamlit_user_1=a.b.c; {LOOSE}",
                    f"_streamlit_user_2=d-_.e.f; {LOOSE}")
    assert set(lines) == {"_streamlit_user", "_streamlit_user_1", "_streamlit_user_2"}
    for line in lines.values():
        assert attributes(line) == {"path": "/", "httponly": "True", "max-age": "300", "samesite": "Strict",
                                    "secure": "True"}
    assert lines["_streamlit_user_2"].startswith("_streamlit_user_2=d-_.e.f;")


def test_no_token_reaches_the_browser() -> None:
    lines = adapted(f"_streamlit_user=a; {LOOSE}", f"_streamlit_user_tokens=secret; {LOOSE}",
                    f"_streamlit_user_tokens_1=secret; {LOOSE}")
    assert set(lines) == {"_streamlit_user"}


def test_an_identity_that_cannot_be_read_is_dropped() -> None:
    assert set(adapted("_streamlit_user; HttpOnly", "_streamlit_user=\x01; Path=/")) == {LOGIN_COOKIE}


def test_a_return_without_proof_says_so_to_the_page() -> None:
    lines = adapted('_streamlit_user=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=lax',
                    '_streamlit_user_tokens=""; Max-Age=0; Path=/')
    assert attributes(lines["_streamlit_user"])["max-age"] == "0"
    assert attributes(lines["_streamlit_user_tokens"])["max-age"] == "0"
    assert lines[LOGIN_COOKIE].startswith(f"{LOGIN_COOKIE}=failed;")


def test_the_state_lives_as_long_as_a_login_and_its_end_is_its_end() -> None:
    state = adapted("_streamlit_session=eyJ4Ijo+/==.a.b; path=/; Max-Age=1209600; httponly; samesite=lax")
    assert attributes(state["_streamlit_session"]) | {"secure": "True"} == {
        "path": "/", "max-age": "900", "httponly": "True", "samesite": "lax", "secure": "True"}
    assert state["_streamlit_session"].startswith("_streamlit_session=eyJ4Ijo+/==.a.b;")
    ended = adapted("_streamlit_session=null; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT; httponly; samesite=lax")
    assert "max-age" not in attributes(ended["_streamlit_session"])


def test_other_cookies_pass_as_they_are() -> None:
    line = "_streamlit_xsrf=2|a|b|3; Path=/"
    assert adapted(line)["_streamlit_xsrf"] == line


@pytest.mark.parametrize(("host", "secure"), [("127.0.0.1:8501", False), ("localhost", False),
                                              ("dash.example.org", True)])
def test_cookies_travel_encrypted_except_on_ones_own_machine(host: str, secure: bool) -> None:
    for line in adapted(f"_streamlit_user=a; {LOOSE}", "_streamlit_session=a; path=/", host=host).values():
        assert ("secure" in attributes(line)) is secure


@pytest.mark.parametrize(("cookies", "forgotten"), [
    ("", set()), ("harmony_session=x; _streamlit_xsrf=y; __Host-harmony_login=abc", set()),
    ("__Host-harmony_login=failed", {LOGIN_COOKIE}), ("harmony_login=failed", set()),
    ("_streamlit_user_tokens=x", {"_streamlit_user_tokens", LOGIN_COOKIE}),
    ("_streamlit_user=chunks-2; _streamlit_user_1=a; _streamlit_user_2=b; _streamlit_user_x=c; harmony_session=d",
     {"_streamlit_user", "_streamlit_user_1", "_streamlit_user_2", LOGIN_COOKIE})])
def test_what_a_browser_has_shown_of_an_identity_is_forgotten_and_nothing_else(
        cookies: str, forgotten: set[str]) -> None:
    headers = MutableHeaders()
    expire_identity(connection_to(cookies=cookies), headers)
    lines = headers.getlist("set-cookie")
    assert {line.partition("=")[0] for line in lines} == forgotten
    assert all("Max-Age=0" in line and "Secure" in line for line in lines)
