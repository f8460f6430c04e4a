"""What a column is declared to hold, and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What the manifest says a column holds, which decides what may be in it."""

    ID = "identifier"
    DATE = "date"
    NUMBER = "number"
    LIST = "value list"
    CODE = "code"
    IGNORED = "ignored"


@dataclass(frozen=True)
class Finding:
    """What looks like an identifier: where it starts, how often, never the value."""

    file: str
    row: int | None
    column: str
    count: int
    kind: str

    def describe(self) -> str:
        """One line for the person who has to remove it."""
        place = self.file if self.row is None else f"{self.file}, row {self.row}"
        cells = "" if self.row is None else f" in {self.count:,} cell{'s' if self.count > 1 else ''}"
        return f"{place}, column '{self.column}': {self.kind}{cells}"
