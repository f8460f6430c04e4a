"""A line of the log that a stranger can cause, and shall not fill the log with."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

EVERY = timedelta(minutes=1)


class RareLine:
    """A warning that is written once a minute at most, with how often it was due since; safe to share between threads.

    Parameters
    ----------
    log : where it is written.
    words : what it says; nothing that a stranger has sent.
    """

    def __init__(self, log: logging.Logger, words: str) -> None:
        self._log = log
        self._words = words
        self._lock = threading.Lock()
        self._last: datetime | None = None
        self._unsaid = 0

    def write(self, *, now: datetime) -> None:
        """Write the line, or only count it."""
        with self._lock:
            # in either direction, or a clock that was moved back would silence it
            if self._last is not None and abs(now - self._last) < EVERY:
                self._unsaid += 1
                return
            unsaid, self._unsaid, self._last = self._unsaid, 0, now
        self._log.warning("%s (and %d times since the last such line)" if unsaid else "%s",
                          *((self._words, unsaid) if unsaid else (self._words,)))
