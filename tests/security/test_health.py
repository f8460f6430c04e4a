"""`/healthz` on a real server: a word for everybody, details for whoever holds the token."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from harmony_dash.access.actor import Role
from harmony_dash.ui.session import SESSION_COOKIE
from tests.factories import make_store
from tests.security.server import Server, start_server

TOKEN = "c41f9e07b6d2583ac41f9e07b6d2583b"
PATIENTS = 4711


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("healthy")
    make_store(folder / "data" / "store", PATIENTS).close()
    with start_server(folder / "data", environment={"HARMONY_HEALTH_TOKEN": TOKEN}) as running:
        yield running


def ask(server: Server, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}/healthz", headers=headers)


def test_everybody_learns_that_it_answers_and_nothing_else(server: Server) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"},
                    {"Cookie": f"{SESSION_COOKIE}={server.open_session(Role.DATA_MANAGER)}"}):
        answer = ask(server, **headers)
        assert (answer.status_code, answer.text) == (200, "ok")


@pytest.mark.parametrize("sent", ["Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
                                  f"bearer {TOKEN.upper()}", "Bearer ÿÿÿÿ"])
def test_another_token_gets_401_without_details(server: Server, sent: str) -> None:
    answer = httpx.get(f"{server.url}/healthz", headers={b"Authorization": sent.encode("latin-1")})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "snapshot" not in answer.text and TOKEN not in answer.text


def test_the_operator_learns_snapshot_versions_and_state(server: Server) -> None:
    answer = ask(server, Authorization=f"Bearer {TOKEN}")
    found = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert set(found) == {"ok", "snapshot", "published", "application", "libraries", "store", "trail", "installation",
                          "free_share"}
    assert (found["store"], found["trail"], found["installation"]) == ("readable", "kept", "whole")
    assert answer.status_code == (200 if found["ok"] else 503)
    assert str(PATIENTS) not in answer.text.replace(found["snapshot"], "")


def test_it_says_within_seconds_that_a_writer_of_another_process_keeps_it_waiting(server: Server) -> None:
    cookie = {"Cookie": f"{SESSION_COOKIE}={server.open_session(Role.ANALYST)}"}
    with ThreadPoolExecutor() as elsewhere:
        with server.access.write():
            # the server's own writer waits for ten seconds, and whoever reads waits for it
            leaving = elsewhere.submit(httpx.post, f"{server.url}/auth/end", headers={**cookie, **server.own_page},
                                       timeout=60)
            answers = []
            while not leaving.done() and (503, "busy") not in answers:
                answer = httpx.get(f"{server.url}/healthz", timeout=60)
                answers.append((answer.status_code, answer.text))
        assert set(answers[:-1]) <= {(200, "ok")}
        assert answers[-1] == (503, "busy")
        assert leaving.result().status_code == 204
    assert ask(server).text == "ok"


def test_the_token_stands_in_no_log_and_no_address_takes_it(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz?token={TOKEN[::-1]}").text == "ok"
    ask(server, Authorization=f"Bearer {TOKEN}")
    assert TOKEN not in server.log.read_text()


def test_a_server_without_a_token_tells_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    with start_server(tmp_path_factory.mktemp("silent") / "data") as running:
        assert ask(running).text == "ok"
        for sent in ("Bearer", f"Bearer {TOKEN}"):
            assert ask(running, Authorization=sent).status_code == 401
