"""A browser's tab without a screen: it signs in through the form, opens pages, and changes their controls.

What the server says is read to the end as a browser would read it; figures are received and not drawn.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

import httpx
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

LONGEST_RUN: Final = 60.0
# What somebody is told who asks for what must not be answered; everything else in such a box is trouble.
_DESIGNED = ("becomes known only during", "puts treatment failures on day 0")
_TICKET = re.compile(r'data-ticket="([^"]+)')
# Kinds of elements that people choose from, and the field in which a browser sends what was chosen.
_CHOICES: Final = {"selectbox": "string_value", "multiselect": "string_array_value",
                   "button_group": "string_array_value"}


def _is_designed(element: Element) -> bool:
    return any(words in element.markdown.body for words in _DESIGNED)


class Trouble(Exception):
    """Something a person would have seen as an error; the words say what, for the report."""


@dataclass(frozen=True)
class Control:
    """A control as it was drawn last."""

    id: str
    kind: str
    options: tuple[str, ...]
    fragment: str


@dataclass
class Run:
    """What one run of the script sent.

    Attributes
    ----------
    seconds : from the request to its end.
    received : bytes.
    figures : how many were sent.
    problem : the place of a box that says why something cannot be done; empty without one.
    """

    seconds: float = 0.0
    received: int = 0
    figures: int = 0
    ticket: str = ""
    problem: tuple[int, ...] = ()


@dataclass
class Tab:
    """One person's browser; a context manager.

    Parameters
    ----------
    url : of the server.
    own_page : the header with which a browser says that a page of the server itself makes a request.

    Attributes
    ----------
    controls : by label, those of the page that is open.
    looking : fragment to the seconds after which the page wants to look again by itself.
    """

    url: str
    own_page: dict[str, str]
    controls: dict[str, Control] = field(default_factory=dict)
    buttons: dict[str, Control] = field(default_factory=dict)
    looking: dict[str, float] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    _page: str = ""
    _query: str = ""
    _socket: ClientConnection | None = None

    async def __aenter__(self) -> Tab:
        self._http = httpx.AsyncClient(base_url=self.url, timeout=LONGEST_RUN)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self._disconnect()
        await self._http.aclose()

    async def sign_in(self, username: str, password: str) -> Run:
        """Fill in the form and send it, fetch the session, and load the page anew: the time of all of it."""
        begun = time.perf_counter()
        await self._load()
        await self._run(ClientState())
        state = ClientState()
        for label, text in (("Account name", username), ("Password", password)):
            state.widget_states.widgets.add(id=self.controls[label].id, string_value=text)
        state.widget_states.widgets.add(id=self.buttons["Sign in"].id, trigger_value=True)
        ticket = (await self._run(state)).ticket
        if not ticket:
            raise Trouble("signing in gave no ticket")
        self._check(await self._http.post("/auth/establish", content=ticket, headers=self.own_page), 204)
        run = await self.reload()
        run.seconds = time.perf_counter() - begun
        return run

    async def reload(self) -> Run:
        """Load the start page anew; who is signed in stays so."""
        await self._load()
        return await self._run(ClientState())

    async def open(self, page: str) -> Run:
        """Go to a page by the navigation."""
        self._page, self._query = self.pages[page], ""
        return await self._run(ClientState())

    async def choose(self, label: str, *values: str) -> Run:
        """Choose from a control; its fragment runs, or the page if it is in none."""
        control = self.controls[label]
        state = ClientState(fragment_id=control.fragment)
        chosen = state.widget_states.widgets.add(id=control.id)
        if _CHOICES[control.kind] == "string_value":
            chosen.string_value = values[0]
        else:
            chosen.string_array_value.data.extend(values)
        return await self._run(state)

    async def press(self, label: str) -> Run:
        """Press a button."""
        button = self.buttons[label]
        state = ClientState(fragment_id=button.fragment)
        state.widget_states.widgets.add(id=button.id, trigger_value=True)
        return await self._run(state)

    async def look_again(self) -> Run:
        """Wait as long as the page says, and look again as it would by itself."""
        fragment, seconds = next(iter(self.looking.items()))
        await asyncio.sleep(seconds)
        return await self._run(ClientState(fragment_id=fragment, is_auto_rerun=True))

    async def _load(self) -> None:
        """Fetch the page and open its websocket, as a browser does when an address is opened or reloaded."""
        await self._disconnect()
        self._check(await self._http.get("/", headers={"Sec-Fetch-Site": "none"}), 200)
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        try:
            self._socket = await connect(
                self.url.replace("http", "ws", 1) + "/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
                additional_headers={"Cookie": cookies}, max_size=None, open_timeout=LONGEST_RUN, ping_interval=None)
        except (OSError, WebSocketException) as problem:
            raise Trouble(f"the socket did not open: {type(problem).__name__}") from problem
        self._page = self._query = ""

    async def _disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    @staticmethod
    def _check(answer: httpx.Response, status: int) -> None:
        if answer.status_code != status:
            raise Trouble(f"{answer.request.url.path} answered {answer.status_code}")

    async def _run(self, state: ClientState) -> Run:
        if self._socket is None:
            raise Trouble("there is no socket")
        state.page_script_hash, state.query_string = self._page, self._query
        state.context_info.url = self.url
        begun, run = time.perf_counter(), Run()
        try:
            async with asyncio.timeout(LONGEST_RUN):
                await self._socket.send(BackMsg(rerun_script=state).SerializeToString())
                while not self._take(await self._receive(run), run):
                    pass
        except TimeoutError:
            raise Trouble(f"no answer within {LONGEST_RUN:.0f} s") from None
        except WebSocketException as problem:
            raise Trouble(f"the socket closed: {type(problem).__name__}") from problem
        run.seconds = time.perf_counter() - begun
        return run

    async def _receive(self, run: Run) -> ForwardMsg:
        assert self._socket is not None
        raw = await self._socket.recv(decode=False)
        run.received += len(raw)
        return ForwardMsg.FromString(raw)

    def _take(self, message: ForwardMsg, run: Run) -> bool:
        """Note what a message says; whether it ends the run."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self.controls.clear()
                self.buttons.clear()
                self.looking.clear()
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
            self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.looking[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            if message.delta.add_block.id.endswith("-problem"):
                run.problem = tuple(message.metadata.delta_path)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            place, element = tuple(message.metadata.delta_path), message.delta.new_element
            # the box begins with its heading; what is wrong comes next
            if run.problem and place == (*run.problem, 1) and not _is_designed(element):
                raise Trouble(f"a problem on the page: {element.markdown.body[:150]}")
            self._note(element, message.delta.fragment_id, run)
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                raise Trouble("a script could not be compiled")
            return message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        return False

    def _note(self, element: Element, fragment: str, run: Run) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise Trouble(f"an exception on the page: {element.exception.type}")
        if kind == "alert" and element.alert.format == Alert.ERROR:
            raise Trouble(f"an error on the page: {element.alert.body[:150]}")
        if kind == "plotly_chart":
            run.figures += 1
        elif kind == "html" and (found := _TICKET.search(element.html.body)):
            run.ticket = found[1]
        elif kind == "text_input":
            self.controls[element.text_input.label] = Control(element.text_input.id, kind, (), fragment)
        elif kind == "button":
            self.buttons[element.button.label] = Control(element.button.id, kind, (), fragment)
        elif kind in _CHOICES:
            found = getattr(element, kind)
            options = tuple(option.content if kind == "button_group" else option for option in found.options)
            self.controls[found.label] = Control(found.id, kind, options, fragment)
