"""What our cookies are called, and that one which a neighbour planted is not read."""

from __future__ import annotations

import pytest
from starlette.requests import HTTPConnection

from harmony_dash.ui.cookies import build_own_cookie, read_own_cookie
from harmony_dash.ui.session import SESSION_COOKIE

HOST = "dash.example.org"


def connection_to(host: str, scheme: str = "http") -> HTTPConnection:
    return HTTPConnection({"type": "http", "method": "GET", "scheme": scheme, "path": "/", "server": (host, 80),
                           "query_string": b"", "headers": [(b"host", host.encode())]})


@pytest.mark.parametrize(("host", "scheme", "prefixed"), [
    (HOST, "http", True), (HOST, "https", True), ("localhost:8501", "https", True), ("localhost:8501", "http", False),
    ("127.0.0.1:8501", "http", False), ("[::1]:8501", "http", False), ("", "http", True)])
def test_a_cookie_that_must_be_secure_is_for_this_host_alone(host: str, scheme: str, prefixed: bool) -> None:
    line = build_own_cookie(connection_to(host, scheme), SESSION_COOKIE, "x")
    assert line.startswith(f"__Host-{SESSION_COOKIE}=x;" if prefixed else f"{SESSION_COOKIE}=x;")
    assert "Path=/" in line and "Domain" not in line and ("Secure" in line) is prefixed


@pytest.mark.parametrize(("cookies", "host", "value"), [
    ({"__Host-s": "ours"}, HOST, "ours"), ({"s": "planted"}, HOST, ""),
    ({"__Host-s": "ours", "s": "planted"}, HOST, "ours"),
    ({"__Host-s": "", "s": "planted"}, HOST, ""), ({"s": "plain"}, "127.0.0.1:8501", "plain"),
    ({"__Host-s": "ours", "s": "planted"}, "localhost", "ours"), ({"s": "planted"}, "localhost@evil", ""),
    ({"s": "planted"}, "", ""), ({"": "nameless"}, HOST, "")])
def test_a_cookie_without_the_prefix_counts_on_the_own_machine_only(
        cookies: dict[str, str], host: str, value: str) -> None:
    assert read_own_cookie(cookies, host, "s") == value
