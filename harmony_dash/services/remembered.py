"""Released results that need not be computed twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last few released results of one kind.

    A key must name all that the result depends on: the snapshot, what is withdrawn of it, the question, and the scope,
    which keeps results of different rights apart. Who may ask, and the record that somebody did, are no matter of it.

    Of several who ask the same at once one computes and the others wait for it.

    Parameters
    ----------
    most : how many are kept; the one asked for longest ago leaves first.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._computing: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """The result kept under the key, or a new one.

        What `compute` raises is not kept: it goes to the one who computed, and the next of those who waited tries.
        """
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key]
                done = self._computing.get(key)
                if done is None:
                    done = self._computing[key] = threading.Event()
                    break
            done.wait()
        try:
            found = compute()
            with self._lock:
                self._kept[key] = found
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            return found
        finally:
            with self._lock:
                del self._computing[key]
            done.set()
