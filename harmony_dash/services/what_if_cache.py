"""Answers of treatment comparisons kept for a while: a bootstrap takes seconds, and a page asks at every click."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from harmony_dash.disclosure import Released
from harmony_dash.disclosure.what_if_results import WhatIfResult

MOST_KEPT: Final = 64


@dataclass(frozen=True)
class CacheKey:
    """All that an answer hangs on.

    Attributes
    ----------
    store, snapshot : where the patients are.
    question : fingerprint of the checked question.
    as_asked : fingerprint of what was asked for, of which the notes say in what the answer differs.
    scope : level, rules and grant, so that answers of different rights are never mixed.
    withdrawn : countries whose providers took them away.
    replicates : of the bootstrap.
    """

    store: str
    snapshot: str
    question: str
    as_asked: str
    scope: str
    withdrawn: tuple[str, ...]
    replicates: int


class Answers:
    """The latest answers, released ones only; the one asked for longest ago leaves first."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[CacheKey, Released[WhatIfResult]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: CacheKey) -> Released[WhatIfResult] | None:
        """The answer, if it is still here."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: CacheKey, answer: Released[WhatIfResult]) -> Released[WhatIfResult]:
        """Keep an answer and return it."""
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return answer


CACHE: Final = Answers()
