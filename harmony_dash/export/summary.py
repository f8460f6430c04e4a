"""What every kind of released result becomes before it is written: tables, words, figures.

A new kind of result needs one function from `Released[Kind]` to `Summary`, registered in `kinds.py`. Writers know
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harmony_dash.disclosure.released import Scope
from harmony_dash.export.cells import Cell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Kind(StrEnum):
    """What a column holds; it decides the type in a file and the format in a spreadsheet."""

    TEXT = "text"
    COUNT = "count"  # whole number of patients, events or degrees of freedom
    DAYS = "days"
    SHARE = "share"  # 0 to 1
    NUMBER = "number"


@dataclass(frozen=True)
class Column:
    """One column of a table: its name in files, what it holds, and what that means."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table for programs: one value a cell, None where it is hidden or does not exist."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of the table {self.name} does not fit its columns")


@dataclass(frozen=True)
class Display:
    """A table for people: text that is ready to read. The first `words` columns are words, the others numbers."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    note: str = ""


# Draws the figure over footer lines that the provenance gives.
Draw = Callable[[tuple[str, ...]], "Figure"]


@dataclass(frozen=True)
class Summary:
    """A released result, ready to be written.

    Attributes
    ----------
    kind : short name for files, e.g. "efs".
    title : the question in words.
    question, question_json, fingerprint : the question as a value, its canonical text, and the digits that equal
        questions share.
    snapshot, synthetic, scope : of the result.
    n : patients shown, as released.
    text, methods, notes : plain-language summary, methods line, what was done to the question.
    not_applied : in what the answer differs from the question, in words.
    compared : names of the groups that tests and hazard ratios are about; empty without any.
    tables : for programs, in the order in which the checksum of the data takes them.
    displays : for people.
    draw : makes the figure; None for a result without one.
    alt : the figure in words.
    scripts : names of the scripts that recompute the tables.
    """

    kind: str
    title: str
    question: Mapping[str, Any]
    question_json: str
    fingerprint: str
    snapshot: str
    synthetic: bool
    scope: Scope
    n: int | None
    text: str
    methods: str
    notes: tuple[str, ...]
    not_applied: tuple[str, ...]
    tables: tuple[Table, ...]
    displays: tuple[Display, ...]
    draw: Draw | None = None
    alt: str = ""
    scripts: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
