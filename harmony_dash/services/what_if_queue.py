"""Whose turn it is: comparisons of treatments keep a core busy for seconds, so few are computed at once.

First come, first served, and one at a time a person: whoever opens the page ten times waits behind the first of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from harmony_dash.errors import Cancelled

# How often somebody who waits looks whether to go on waiting.
LOOK_SECONDS: Final = 0.25


@dataclass(frozen=True, eq=False)
class _Ticket:
    """One computation of a person; equal to no other."""

    username: str


class Queue:
    """The computations of one process, running and waiting."""

    def __init__(self) -> None:
        self._running: list[_Ticket] = []
        self._waiting: list[_Ticket] = []
        self._moved = threading.Condition()

    @contextmanager
    def turn(self, username: str, most: int, *, waiting: Callable[[int], None] | None = None,
             cancelled: Callable[[], bool] | None = None) -> Iterator[None]:
        """Wait for a turn and hold it.

        Parameters
        ----------
        username : who asks.
        most : how many may run at once.
        waiting : told how many others run or are before one, and 0 when it is one's turn.
        cancelled : asked from time to time whether to stop waiting.

        Raises
        ------
        Cancelled.
        """
        ticket = _Ticket(username)
        self._wait(ticket, most, waiting or _nobody_listens, cancelled or _never)
        try:
            yield
        finally:
            with self._moved:
                self._running.remove(ticket)
                self._moved.notify_all()

    def _wait(self, ticket: _Ticket, most: int, waiting: Callable[[int], None], cancelled: Callable[[], bool]) -> None:
        with self._moved:
            self._waiting.append(ticket)
            try:
                while not self._is_next(ticket, most):
                    waiting(len(self._running) + self._waiting.index(ticket))
                    if cancelled():
                        raise Cancelled
                    self._moved.wait(LOOK_SECONDS)
                waiting(0)
                self._running.append(ticket)
            finally:
                self._waiting.remove(ticket)
                self._moved.notify_all()

    def _is_next(self, ticket: _Ticket, most: int) -> bool:
        """Whether a place is free and nobody before it may take it."""
        busy = {one.username for one in self._running}
        free = most - len(self._running)
        for one in self._waiting:
            if free <= 0:
                return False
            if one.username not in busy:
                if one is ticket:
                    return True
                free -= 1
                busy.add(one.username)
        return False


def _never() -> bool:
    return False


def _nobody_listens(_: int) -> None:
    return


QUEUE: Final = Queue()
