"""Which pauses this process has written into the audit trail already.

Whoever keeps trying during a pause would otherwise write a line each time, without limit and without an account. It is
kept in memory: after a restart, or in a second process, a pause that goes on is recorded once more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable

# Each pause costs whoever brings it about several counted failures; the oldest of more than this is recorded again.
MOST_NOTED = 10_000

# Kind of counter and hash of whom it counts.
Counter = tuple[str, str]


class NotedPauses:
    """The pauses that were recorded since the last failure was counted; safe to share between threads."""

    def __init__(self) -> None:
        self._noted: OrderedDict[Counter, None] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, counters: Iterable[Counter]) -> bool:
        """Whether the pauses of all these counters were recorded."""
        with self._lock:
            return all(counter in self._noted for counter in counters)

    def note(self, counters: Iterable[Counter]) -> None:
        """The pauses of these counters are recorded now."""
        with self._lock:
            for counter in counters:
                self._noted[counter] = None
            while len(self._noted) > MOST_NOTED:
                self._noted.popitem(last=False)

    def forget(self, counters: Iterable[Counter]) -> None:
        """These counters have counted another failure: their next pause is news."""
        with self._lock:
            for counter in counters:
                self._noted.pop(counter, None)
