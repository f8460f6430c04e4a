from __future__ import annotations

import re

import httpx
import pytest
from websockets.protocol import State
from websockets.sync.client import connect

from harmony_dash.access.actor import Role
from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE
from tests.security.server import Server
from tests.security.stream import Stream, text_of

SHUT = [("GET", "/media/0123.csv"), ("HEAD", "/media/0123.csv"), ("GET", "/_stcore/metrics"),
        ("PUT", "/_stcore/upload_file/a/b"), ("DELETE", "/_stcore/upload_file/a/b"),
        ("GET", "/_stcore/agent/openapi.json"), ("POST", "/_stcore/agent/interact"), ("POST", "/_stcore/agent/mcp"),
        ("GET", "/_stcore/script-health-check"), ("GET", "/_stcore/anything"), ("GET", "/app/static/x"),
        ("GET", "/oauth2callback"), ("POST", "/"), ("POST", "/survival")]
OPEN = ["/", "/survival", "/coverage", "/healthz", "/_stcore/health", "/_stcore/host-config", "/favicon.png"]


@pytest.mark.parametrize(("method", "path"), SHUT)
@pytest.mark.parametrize("token", ["", "forged"])
def test_whoever_has_not_signed_in_gets_401(server: Server, method: str, path: str, token: str) -> None:
    cookies = {"Cookie": f"{SESSION_COOKIE}={token}"} if token else {}
    answer = httpx.request(method, server.url + path, headers=cookies)
    assert answer.status_code in ((401,) if path not in ("/", "/survival") else (401, 405))


@pytest.mark.parametrize("path", OPEN)
def test_what_the_sign_in_page_needs_is_open(server: Server, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/steering", "/pages/survival.py", "/a/b/c"])
def test_an_unknown_address_leads_to_the_sign_in_page(server: Server, path: str) -> None:
    answer = httpx.get(server.url + path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/script-health-check"])
def test_what_nobody_needs_is_shut_for_members_too(server: Server, path: str) -> None:
    headers = {"Cookie": f"{SESSION_COOKIE}={server.open_session(Role.DATA_MANAGER)}"}
    assert httpx.get(server.url + path, headers=headers).status_code == 401


def test_a_download_needs_the_session_and_is_refused_after_signing_out(server: Server) -> None:
    token = server.open_session(Role.CLINICIAN)
    headers = {"Cookie": f"{SESSION_COOKIE}={token}"}
    with Stream(server.stream, token) as stream:
        path = re.search(r'"(/media/[^"]+)"', text_of(stream.ask())).group(1)
        assert httpx.get(server.url + path, headers=headers).content == b"released"
        assert httpx.get(server.url + path).status_code == 401
        assert httpx.post(f"{server.url}/auth/end", headers={**headers, **server.own_page}).status_code == 204
        assert httpx.get(server.url + path, headers=headers).status_code == 401


@pytest.mark.parametrize("path", [*OPEN, *(path for _, path in SHUT), "/nowhere", "/static/none.js", "/../etc/passwd",
                                  "//evil.example", "/auth/establish",
                                  "/component/extra_streamlit_components.CookieManager.cookie_manager/index.html"])
def test_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    headers = httpx.get(server.url + path).headers
    policy = headers["content-security-policy"]
    assert "unsafe-eval" not in policy
    assert "script-src 'self'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    is_component = path.startswith("/component/")
    assert f"frame-ancestors {chr(39)}{'self' if is_component else 'none'}{chr(39)}" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    if not path.startswith(("/static/", "/component/")):
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/survival", "/_stcore/health", "/healthz"])
def test_a_foreign_host_name_is_not_answered(server: Server, path: str) -> None:
    assert httpx.get(server.url + path, headers={"Host": "evil.example"}).status_code == 421


def test_the_websocket_refuses_a_foreign_host_and_a_foreign_page(server: Server) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    address = server.url + "/_stcore/stream"
    for attack in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "http://127.0.0.1:1"},
                   {"Origin": "http://localhost"}, {"Origin": server.url.replace("127.0.0.1", "localhost")},
                   {"Origin": "null"}, {"Origin": ""}, {"Origin": f"{server.url}@evil.example"}):
        assert httpx.get(address, headers={**upgrade, **attack}).status_code in (403, 421), attack


def test_the_websocket_answers_its_own_page_and_programs(server: Server) -> None:
    for headers in ({}, {"Origin": server.url}):
        with connect(server.stream, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as stream:
            assert stream.protocol.state is State.OPEN


@pytest.mark.parametrize("path", ["/auth/end", "/auth/establish"])
@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": ""}, {},
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}], ids=str)
def test_another_site_can_neither_end_nor_plant_a_session(server: Server, path: str, headers: dict[str, str]) -> None:
    token = server.open_session(Role.CLINICIAN)
    sent = {name: server.url if value == "SELF" else value for name, value in headers.items()}
    for cookie in ({}, {"Cookie": f"{SESSION_COOKIE}={token}"}):
        answer = httpx.post(server.url + path, headers={**sent, **cookie})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    with Stream(server.stream, token) as stream:
        assert "MARKER-OF-HOME" in text_of(stream.ask())


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "SELF"}],
                         ids=str)
def test_our_own_page_ends_its_session_and_a_cookie_expires_only_if_one_was_sent(
        server: Server, headers: dict[str, str]) -> None:
    sent = {name: server.url if value == "SELF" else value for name, value in headers.items()}
    token = server.open_session(Role.CLINICIAN)
    without = httpx.post(f"{server.url}/auth/end", headers=sent)
    assert (without.status_code, "set-cookie" in without.headers) == (204, False)
    ended = httpx.post(f"{server.url}/auth/end", headers={**sent, "Cookie": f"{SESSION_COOKIE}={token}"})
    assert ended.status_code == 204
    assert ended.headers["set-cookie"].startswith(f"{SESSION_COOKIE}=;") and "Max-Age=0" in ended.headers["set-cookie"]


def test_a_link_from_another_site_does_not_replace_the_browser_cookie(server: Server) -> None:
    from_elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/", "/survival", "/_stcore/host-config"):
        assert "set-cookie" not in httpx.get(server.url + path, headers=from_elsewhere).headers
    # a first visit by such a link gets its cookie with the page's own first request
    first = httpx.get(f"{server.url}/_stcore/host-config", headers=server.own_page)
    assert first.headers["set-cookie"].startswith(f"{BROWSER_COOKIE}=")
    again = httpx.get(f"{server.url}/_stcore/host-config", headers={**server.own_page, "Cookie": f"{BROWSER_COOKIE}=x"})
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("host", ["127.0.0.1:80@evil", "[::1]evil", "127.0.0.1:", "127.0.0.1/../evil"])
def test_a_host_header_must_be_a_name_and_a_port_and_nothing_else(server: Server, host: str) -> None:
    assert httpx.get(server.url, headers={"Host": host}).status_code in (400, 421)


def test_the_browser_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server) -> None:
    cookie = httpx.get(server.url + "/").headers["set-cookie"]
    assert cookie.startswith(f"{BROWSER_COOKIE}=")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie


def test_a_ticket_must_be_posted_and_a_wrong_one_gives_no_cookie(server: Server) -> None:
    address = server.url + "/auth/establish"
    assert httpx.get(address).status_code == 405
    for body in (b"", b"guess", b"x" * 100_000, b"\xff\xfe"):
        answer = httpx.post(address, content=body, headers=server.own_page)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
