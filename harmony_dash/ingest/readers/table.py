"""One data file as columns of trimmed text under checked names, and how a file is refused."""

from __future__ import annotations

import errno
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers.limits import MAX_COLUMNS

_ROWS_A_CHUNK = 20_000
_NUMBER_OR_DATE = re.compile(
    r"^[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?\s*%?$|^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$|^[^@\s]+@[^@\s]+$")


@dataclass(frozen=True)
class RawTable:
    """One data file as text.

    Attributes
    ----------
    spec : how it was read.
    frame : one column a header name, cells trimmed, missing as "".
    row_numbers : line of a CSV file where the record starts, or row of a sheet or table, counted from 1.
    """

    spec: FileSpec
    frame: pd.DataFrame
    row_numbers: npt.NDArray[np.int32]
    _distinct: dict[str, tuple[npt.NDArray[np.intp], list[str]]] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> list[str]:
        """The header names."""
        return [str(name) for name in self.frame.columns]

    def __len__(self) -> int:
        return len(self.frame)

    def distinct(self, column: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """The distinct cells of a column, and for each row the position of its cell among them."""
        if column not in self._distinct:
            codes, values = pd.factorize(self.frame[column].to_numpy())
            self._distinct[column] = codes, [str(value) for value in values]
        return self._distinct[column]


def refusal(spec: FileSpec, problem: str, remedy: str, row: int | None = None, column: str = "") -> SourceError:
    """The refusal of a file, with the line or row and the column it is about."""
    place = spec.label
    if row is not None:
        place += f", {'line' if spec.format == 'csv' else 'row'} {row}"
    if column:
        place += f", column {column}"
    return SourceError(problem, where=place, remedy=remedy)


# What the machine refuses whatever is in the file; damage shows as other numbers, or as none.
_OF_MACHINE = {errno.EMFILE: "too many files are open", errno.ENFILE: "too many files are open",
               errno.EIO: "the disk fails", errno.ENOMEM: "memory is short", errno.EACCES: "permission denied",
               errno.EPERM: "permission denied"}


def describe_refusal(problem: OSError) -> str:
    """Why the machine does not give the bytes of a file; empty if it is the file that is damaged."""
    return _OF_MACHINE.get(problem.errno or 0, "")


class _Trimmed(dict[str, str]):
    """Trims each distinct cell once and keeps one copy of it."""

    def __missing__(self, cell: str) -> str:
        trimmed = cell.strip()
        self[cell] = trimmed
        return trimmed


class Columns:
    """Collects records and turns them into columns chunk by chunk, so that both are never held whole."""

    def __init__(self, width: int) -> None:
        self._chunks: list[list[npt.NDArray[np.object_]]] = [[] for _ in range(width)]
        self._trimmed = [_Trimmed() for _ in range(width)]
        self._rows: list[Sequence[str]] = []

    def add(self, row: Sequence[str]) -> None:
        """Take one record, with a cell for each column."""
        self._rows.append(row)
        if len(self._rows) >= _ROWS_A_CHUNK:
            self._flush()

    def _flush(self) -> None:
        for position, cells in enumerate(zip(*self._rows, strict=True)):
            column = np.empty(len(cells), dtype=object)
            column[:] = list(map(self._trimmed[position].__getitem__, cells))
            self._chunks[position].append(column)
        self._rows = []

    def columns(self) -> list[npt.NDArray[np.object_]]:
        """The trimmed cells of all records, column by column."""
        if self._rows:
            self._flush()
        return [np.concatenate(chunks) for chunks in self._chunks]


def build_table(spec: FileSpec, names: Sequence[str], columns: Sequence[npt.NDArray[np.object_]],
                rows: Iterable[int]) -> RawTable:
    """The table of these columns; `rows` are their line or row numbers."""
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), dtype=object)
    return RawTable(spec, frame, np.fromiter(rows, dtype=np.int32))


def check_names(spec: FileSpec, names: Sequence[str], expected: Collection[str], row: int | None) -> None:
    """Refuse a header that is missing, doubled or has holes; what may be a patient's values is not repeated."""
    if len(names) > MAX_COLUMNS:
        raise refusal(spec, f"the header has {len(names):,} columns, more than {MAX_COLUMNS:,}",
                      "Declare the right delimiter, or split the file.", row)
    data_like = [position for position, name in enumerate(names, 1)
                 if name not in expected and _NUMBER_OR_DATE.match(name)]
    if data_like:
        raise refusal(spec,
                      f"the header looks like data: the name of column {data_like[0]} is a number, date or address",
                      "Add the header line, or correct `skip_rows` and `header_rows`.", row)
    for position, name in enumerate(names, 1):
        if not name:
            raise refusal(spec, f"column {position} of {len(names)} has no name",
                          "Name every column; remove a delimiter at the end of the lines.", row)
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            raise refusal(spec, f"columns {seen[name]} and {position} have the same name",
                          "Rename one of them; with several header rows set `header_rows`.", row)
        seen[name] = position


def join_names(parts: Sequence[Sequence[str]]) -> list[str]:
    """The name of each column from several header rows."""
    return [" ".join(part for part in column if part) for column in zip(*parts, strict=True)]
