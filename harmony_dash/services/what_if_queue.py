"""Whose turn it is: comparisons of treatments keep cores busy for seconds or minutes, so few are computed at once.

First come, first served, and one at a time a person: whoever opens the page often waits behind the first of them, and
only a few times.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from harmony_dash.errors import Cancelled, TooManyQuestions

# How often somebody who waits looks whether to go on waiting.
LOOK_SECONDS: Final = 0.25
# Comparisons of one person that may wait beside the one that runs: each holds a thread, and others wait behind them.
MOST_WAITING: Final = 3


@dataclass(frozen=True, eq=False)
class _Ticket:
    """One computation of a person, and who knows whether it is still wanted; equal to no other."""

    username: str
    cancelled: Callable[[], bool]


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
        Cancelled; TooManyQuestions if `MOST_WAITING` of the person wait already, to be recorded by the caller.
        """
        ticket = _Ticket(username, cancelled or _never)
        self._wait(ticket, most, waiting or _nobody_listens)
        try:
            yield
        finally:
            with self._moved:
                self._running.remove(ticket)
                self._moved.notify_all()

    def _wait(self, ticket: _Ticket, most: int, waiting: Callable[[int], None]) -> None:
        with self._moved:
            self._check_may_wait(ticket.username)
            self._waiting.append(ticket)
            try:
                while not self._is_next(ticket, most) and not ticket.cancelled():
                    waiting(len(self._running) + self._waiting.index(ticket))
                    self._moved.wait(LOOK_SECONDS)
                if ticket.cancelled():
                    raise Cancelled
                waiting(0)
                self._running.append(ticket)
            finally:
                self._waiting.remove(ticket)
                self._moved.notify_all()

    def _check_may_wait(self, username: str) -> None:
        # who gave up leaves at the next look, and does not count until then
        waits = sum(one.username == username and not one.cancelled() for one in self._waiting)
        if waits >= MOST_WAITING:
            raise TooManyQuestions(f"{waits} of your comparisons are waiting already",
                                   remedy="Wait until one of them is done, or cancel one.")

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
