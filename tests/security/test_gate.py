from __future__ import annotations

import re

import httpx
import pytest

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
        assert httpx.post(f"{server.url}/auth/end", headers=headers).status_code == 204
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
    for attack in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert httpx.get(address, headers={**upgrade, **attack}).status_code in (403, 421)


def test_the_browser_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server) -> None:
    cookie = httpx.get(server.url + "/").headers["set-cookie"]
    assert cookie.startswith(f"{BROWSER_COOKIE}=")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie


def test_a_ticket_must_be_posted_and_a_wrong_one_gives_no_cookie(server: Server) -> None:
    address = server.url + "/auth/establish"
    assert httpx.get(address).status_code == 405
    for body in (b"", b"guess", b"x" * 100_000, b"\xff\xfe"):
        answer = httpx.post(address, content=body)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
