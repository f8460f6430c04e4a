"""A browser without a screen that signs in through an identity provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from harmony_dash.ui.session import SESSION_COOKIE
from tests.security.oidc_server import LABEL
from tests.security.server import Server
from tests.security.stream import Stream, text_of

# Streamlit's name for the cookie that says who somebody is; its pieces and its companion begin alike.
IDENTITY = "_streamlit_user"


class Visitor:
    """A browser without a screen: cookies, the sign-in page's websocket, and every answer it was given."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.jar = httpx.Cookies()
        self.answers: list[httpx.Response] = []
        self.get("/", **{"Sec-Fetch-Site": "none"})
        self.get("/_stcore/health", **server.own_page)  # which gives the token against forgery
        self.get("/_stcore/host-config", **server.own_page)

    def get(self, address: str, **headers: str) -> httpx.Response:
        return self._ask("GET", address, headers)

    def post(self, path: str, content: str = "") -> httpx.Response:
        return self._ask("POST", path, self.server.own_page, content)

    def _ask(self, method: str, address: str, headers: Mapping[str, str], content: str = "") -> httpx.Response:
        answer = httpx.request(method, urljoin(self.server.url, address), content=content,
                               headers={**headers, "Cookie": self.cookie_header()})
        self.answers.append(answer)
        self.jar.extract_cookies(answer)
        return answer

    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.jar.jar}

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies().items())

    def open_page(self) -> str:
        """Load the page anew; what it says."""
        with VisitorStream(self) as stream:
            return words_of(stream.ask())

    def go_to_provider(self) -> str:
        """Press the button; the address at the provider."""
        with VisitorStream(self) as stream:
            button = next(message.delta.new_element.button.id for message in stream.ask()
                          if message.delta.new_element.button.label == LABEL)

            def press(message: BackMsg) -> None:
                state = message.rerun_script.widget_states.widgets.add()
                state.id, state.trigger_value = button, True

            path = next(message.auth_redirect.url for message in stream.ask(change=press)
                        if message.WhichOneof("type") == "auth_redirect")
        answer = self.get(path, **self.server.own_page)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def prove(self) -> httpx.Response:
        """To the provider, through it, and back; the application's answer at the return."""
        at_provider = self.go_to_provider()
        back = httpx.get(f"{at_provider}&go=1").headers["location"]
        assert back.startswith(f"{self.server.url}/oauth2callback?")
        return self.get(back, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
                                 "Sec-Fetch-Dest": "document"})

    def sign_in(self) -> str:
        """All of it; what the sign-in page said where it opened no session."""
        self.prove()
        said = self.open_page()
        ticket = ticket_of(said)
        if not ticket:
            return said
        assert self.post("/auth/establish", ticket).status_code == 204
        return ""

    def keep(self, cookies: Mapping[str, str]) -> None:
        """Put cookies into the browser, wherever they come from."""
        for name, value in cookies.items():
            self.jar.set(name, value, domain="127.0.0.1", path="/")

    @property
    def has_session(self) -> bool:
        return bool(self.cookies().get(SESSION_COOKIE))

    @property
    def has_identity(self) -> bool:
        return any(name.startswith(IDENTITY) for name in self.cookies())


def words_of(messages: list[ForwardMsg]) -> str:
    """What the messages say, with apostrophes as a person reads them."""
    return text_of(messages).replace("\\'", "'")


def ticket_of(said: str) -> str:
    """The ticket that a page gave its browser; empty if it gave none."""
    found = re.search(r'data-ticket=\\?"([^"\\]+)', said)
    return found[1] if found else ""


class VisitorStream(Stream):
    """The websocket that a visitor's page opens: with an origin and the token against forgery."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._opening = connect(
            visitor.server.stream, subprotocols=["streamlit", visitor.cookies()["_streamlit_xsrf"]], max_size=None,
            origin=visitor.server.url, additional_headers={"Cookie": visitor.cookie_header()})

    def __enter__(self) -> VisitorStream:
        super().__enter__()
        # a browser keeps the cookies of the handshake like those of any other answer
        lines = [("Set-Cookie", line) for line in self._socket.response.headers.get_all("Set-Cookie")]
        request = httpx.Request("GET", self._visitor.server.url)
        self._visitor.jar.extract_cookies(httpx.Response(200, headers=lines, request=request))
        return self
