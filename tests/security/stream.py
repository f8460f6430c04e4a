"""A websocket client that asks for a page as a browser would, or as an attacker would, and keeps every message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from harmony_dash.ui.session import BROWSER_COOKIE, SESSION_COOKIE

_LONGEST_RUN = 60.0


class Stream:
    """One websocket session; a context manager."""

    def __init__(self, address: str, token: str = "", headers: Mapping[str, str] | None = None) -> None:
        sent = {"Cookie": f"{BROWSER_COOKIE}=test; {SESSION_COOKIE}={token}", **(headers or {})}
        self._opening = connect(address, subprotocols=["streamlit"], additional_headers=sent, max_size=None)

    def __enter__(self) -> Stream:
        self._socket = self._opening.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:
        self._opening.__exit__(kind, error, trace)

    def ask(self, page_name: str = "", page_script_hash: str = "",
            change: Callable[[BackMsg], None] = lambda message: None) -> list[ForwardMsg]:
        """Ask for a run and return all its messages."""
        request = BackMsg()
        request.rerun_script.page_name = page_name
        request.rerun_script.page_script_hash = page_script_hash
        change(request)
        self._socket.send(request.SerializeToString())
        answers = []
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(_LONGEST_RUN))
            answers.append(answer)
            if answer.WhichOneof("type") == "script_finished":
                return answers


def text_of(messages: list[ForwardMsg]) -> str:
    """Everything the messages say, as one text to search."""
    return "\n".join(str(message) for message in messages)
