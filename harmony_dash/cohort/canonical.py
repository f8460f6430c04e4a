"""The one text by which equal questions are known, whatever they ask for."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any


class CanonicalQuestion(ABC):
    """A question with one text and a fingerprint that equal questions share."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """JSON-able form."""

    @property
    def canonical_json(self) -> str:
        """The one text of this question: sorted keys, no spaces."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that equal questions share, whatever the order of their parts."""
        return hashlib.sha256(self.canonical_json.encode()).hexdigest()[:16]


class TableQuestion(CanonicalQuestion):
    """A question whose answer answers several questions of the survival page."""

    @property
    def for_the_record(self) -> str:
        """As the audit trail keeps it beside the questions that it is made of, which are what counts."""
        return f"table {self.fingerprint} {self.canonical_json}"
