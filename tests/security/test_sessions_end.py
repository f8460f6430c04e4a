"""A copied cookie is worth nothing once the session has ended, also over a websocket that is already open."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from harmony_dash.access.accounts import change_role, disable_account, enable_account, set_password
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.sessions import end_session
from harmony_dash.ui.session import SESSION_COOKIE
from tests.security.server import Server, username_of
from tests.security.stream import Stream, text_of

ROLE = Role.ANALYST


def now() -> datetime:
    return datetime.now(UTC)


def sign_out(server: Server, token: str) -> None:
    end_session(server.access, token, now=now())


def sign_out_over_the_web(server: Server, token: str) -> None:
    httpx.post(f"{server.url}/auth/end", headers={"Cookie": f"{SESSION_COOKIE}={token}", **server.own_page})


def disable(server: Server, token: str) -> None:
    disable_account(server.access, username_of(ROLE), by=OPERATOR, now=now())
    enable_account(server.access, username_of(ROLE), by=OPERATOR, now=now())


def change_the_role(server: Server, token: str) -> None:
    change_role(server.access, username_of(ROLE), Role.STEERING, by=OPERATOR, now=now())
    change_role(server.access, username_of(ROLE), ROLE, by=OPERATOR, now=now())


def change_the_password(server: Server, token: str) -> None:
    set_password(server.access, username_of(ROLE), "another kettle on seven stairs", by=OPERATOR, now=now(), rounds=4)


def fragment_of(messages: list[ForwardMsg]) -> str:
    return next(message.delta.fragment_id for message in messages if message.delta.fragment_id)


@pytest.mark.parametrize("end", [sign_out, sign_out_over_the_web, disable, change_the_role, change_the_password])
def test_an_ended_session_is_refused_at_the_next_run_and_in_fragments(
        server: Server, end: Callable[[Server, str], None]) -> None:
    token = server.open_session(ROLE)
    with Stream(server.stream, token) as stream:
        first = stream.ask()
        assert "MARKER-OF-HOME" in text_of(first)
        fragment = fragment_of(first)
        end(server, token)

        def rerun_fragment(message: BackMsg) -> None:
            message.rerun_script.fragment_id = fragment

        part = text_of(stream.ask(change=rerun_fragment))
        assert "MARKER" not in part
        assert "You are not signed in" in part
        assert "MARKER" not in text_of(stream.ask())
    with Stream(server.stream, token) as stream:
        assert "MARKER" not in text_of(stream.ask())
    answer = httpx.get(f"{server.url}/media/x", headers={"Cookie": f"{SESSION_COOKIE}={token}"})
    assert answer.status_code == 401


def test_an_error_reaches_neither_the_browser_nor_the_log_with_its_values(server: Server) -> None:
    with Stream(server.stream, server.open_session(ROLE)) as stream:
        said = text_of(stream.ask(page_name="coverage"))
    assert "incident number" in said
    log = server.log.read_text()
    assert "RuntimeError" in log and "coverage.py:6" in log
    for text in (said, log):
        assert "P-4711" not in text and "select secret" not in text
    assert "RuntimeError" not in said and "Traceback" not in said
