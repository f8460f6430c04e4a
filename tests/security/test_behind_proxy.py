"""A server behind a proxy on its own machine: whose failures are counted, and which cookies are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from harmony_dash.access.accounts import existing_account
from harmony_dash.access.actor import Role
from harmony_dash.access.attempts import ADDRESS_LIMIT
from harmony_dash.access.audit import list_events
from harmony_dash.access.sign_in import issue_ticket
from harmony_dash.ui.cookies import HOST_PREFIX
from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE
from tests.security.server import PASSWORD, Server, start_server, username_of
from tests.security.stream import Stream, text_of

HOST = "dash.example.org"
BROWSER, SESSION = f"{HOST_PREFIX}{BROWSER_COOKIE}", f"{HOST_PREFIX}{SESSION_COOKIE}"
OWN_PAGE = {"Host": HOST, "X-Forwarded-Proto": "https", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("proxied")
    options = ("--server.allowedHosts", HOST, "--server.allowedHosts", "127.0.0.1")
    with start_server(folder / "data", options=options) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """The server, with no failures counted."""
    with running.access.write() as connection:
        connection.execute("delete from attempt")
    return running


class ProxiedStream(Stream):
    """The websocket as the proxy opens it for a visitor; without `forwarded` it does not say for whom."""

    def __init__(self, server: Server, cookies: str, forwarded: str = "") -> None:
        headers = {"Cookie": cookies, **({"X-Forwarded-For": forwarded} if forwarded else {})}
        self._opening = connect(f"ws://{HOST}/_stcore/stream", address=("127.0.0.1", urlsplit(server.url).port),
                                subprotocols=["streamlit"], additional_headers=headers, max_size=None, proxy=None)


def sign_in(server: Server, username: str, password: str, forwarded: str = "") -> str:
    """Fill in the form; what the page says."""
    with ProxiedStream(server, f"{BROWSER}=test", forwarded) as stream:
        shown = stream.ask()

        def fill(message: BackMsg) -> None:
            for widget, value in ((find(shown, "text_input", "Account name"), username),
                                  (find(shown, "text_input", "Password"), password)):
                state = message.rerun_script.widget_states.widgets.add()
                state.id, state.string_value = widget, value
            button = message.rerun_script.widget_states.widgets.add()
            button.id, button.trigger_value = find(shown, "button", "Sign in"), True

        return text_of(stream.ask(change=fill))


def find(messages: list[ForwardMsg], kind: str, label: str) -> str:
    """The number that a widget goes by."""
    elements = [getattr(message.delta.new_element, kind) for message in messages]
    return str(next(element.id for element in elements if element.label == label))


def counted(server: Server) -> dict[str, int]:
    """Kind of counter to how many of them there are."""
    with server.access.read() as connection:
        return dict(connection.execute("select kind, count(*) from attempt group by kind").fetchall())


def test_a_strangers_failures_shut_nobody_out_if_the_proxy_does_not_say_for_whom_it_asks(server: Server) -> None:
    for number in range(ADDRESS_LIMIT + 1):
        assert "did not work" in sign_in(server, f"nobody{number}", "wrong")
    assert counted(server) == {"name": ADDRESS_LIMIT + 1}
    assert "data-ticket" in sign_in(server, username_of(Role.CLINICIAN), PASSWORD)
    assert server.log.read_text().count("have the proxy set X-Forwarded-For") == 1


def test_each_visitor_has_a_counter_if_it_does(server: Server) -> None:
    for number in range(3):
        sign_in(server, f"nobody{number}", "wrong", f"192.0.2.{number}")
        sign_in(server, f"no one {number}", "wrong", f"2001:db8::{number}")
    assert counted(server) == {"name": 6, "address": 4}


def test_a_session_lives_in_a_cookie_for_this_host_alone(server: Server) -> None:
    first = httpx.get(server.url, headers={"Host": HOST, "X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert first.startswith(f"{BROWSER}=") and "Secure" in first
    ticket = issue_ticket(server.access, existing_account(server.access, username_of(Role.CLINICIAN)), browser="mine",
                          now=datetime.now(UTC))
    answer = httpx.post(f"{server.url}/auth/establish", content=ticket,
                        headers={**OWN_PAGE, "Cookie": f"{BROWSER}=mine; {BROWSER_COOKIE}=planted"})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION}=") and "Secure" in cookie and "Path=/;" in cookie and "Domain" not in cookie
    session = cookie.partition(";")[0]
    assert httpx.get(f"{server.url}/media/x", headers={"Host": HOST, "Cookie": session}).status_code == 404
    with ProxiedStream(server, session) as stream:
        assert "Account name" not in text_of(stream.ask())
    ended = httpx.post(f"{server.url}/auth/end", headers={**OWN_PAGE, "Cookie": session})
    assert ended.headers["set-cookie"].startswith(f"{SESSION}=;") and "Secure" in ended.headers["set-cookie"]
    assert httpx.get(f"{server.url}/media/x", headers={"Host": HOST, "Cookie": session}).status_code == 401


def test_a_session_that_a_neighbouring_host_planted_is_not_read(server: Server) -> None:
    planted = f"{SESSION_COOKIE}={server.open_session(Role.CLINICIAN)}"
    assert httpx.get(f"{server.url}/media/x", headers={"Host": HOST, "Cookie": planted}).status_code == 401
    with ProxiedStream(server, f"{BROWSER}=test; {planted}") as stream:
        assert "Account name" in text_of(stream.ask())


def test_a_stranger_who_makes_up_tickets_writes_nothing_into_the_trail(server: Server) -> None:
    before = list_events(server.access)
    for number in range(50):
        answer = httpx.post(f"{server.url}/auth/establish", content=f"p.made-up-{number}", headers=OWN_PAGE)
        assert answer.status_code == 401
    assert list_events(server.access) == before
    said = server.log.read_text()
    assert said.count("never given out") == 1 and "made-up" not in said
