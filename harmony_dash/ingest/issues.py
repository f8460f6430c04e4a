"""What is wrong with rows of a source: reason codes, single issues, and a log that stays small for millions of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd


class Severity(StrEnum):
    """What an issue does to its row."""

    ERROR = "error"  # the row is quarantined
    WARNING = "warning"  # the row is kept and the issue reported


class Reason(StrEnum):
    """Why a row or a cell was reported; the codes people filter reports by."""

    VALUE_UNKNOWN = "VALUE_UNKNOWN"  # not in the value map and not a missing token
    TYPE = "TYPE"  # not of the variable's type, e.g. 3.5 for an integer
    RANGE = "RANGE"  # outside the dictionary's permissible range
    REQUIRED_MISSING = "REQUIRED_MISSING"
    DUPLICATE_ID = "DUPLICATE_ID"  # several rows of one file carry the same patient
    ORPHAN_ROW = "ORPHAN_ROW"  # a row of a further file whose patient is not in the first file
    PARENT_QUARANTINED = "PARENT_QUARANTINED"  # the patient's row in another file was quarantined
    DUPLICATE_PATIENT = "DUPLICATE_PATIENT"  # the same patient already came with another source
    POSSIBLE_DUPLICATE = "POSSIBLE_DUPLICATE"
    TEMPORAL_ORDER = "TEMPORAL_ORDER"  # days contradict each other, e.g. a relapse before diagnosis
    EVENT_TIME = "EVENT_TIME"  # an event without its day, a day without its event, a negative day
    IMPLAUSIBLE = "IMPLAUSIBLE"  # values that cannot be true together
    MRD_UNPARSED = "MRD_UNPARSED"
    UNIT = "UNIT"  # a value that contradicts its declared unit
    NUMBER_INVALID = "NUMBER_INVALID"
    DATE_INVALID = "DATE_INVALID"
    ABSOLUTE_DATE = "ABSOLUTE_DATE"  # a calendar date where none may be
    IDENTIFIER = "IDENTIFIER"  # looks like a direct identifier
    FORMULA = "FORMULA"  # text a spreadsheet would execute
    CELL_TOO_LONG = "CELL_TOO_LONG"
    FLAGGED_VALUE = "FLAGGED_VALUE"  # above the dictionary's flag_above: kept, please check
    COLUMN_UNMAPPED = "COLUMN_UNMAPPED"


@dataclass(frozen=True)
class Issue:
    """One finding in one row, without the patient's value.

    Attributes
    ----------
    source, file : source code and file name.
    row : line of a CSV file, or row of a sheet or table, counted from 1 as a person sees it; None for a whole file.
    column, variable : column of the file and harmonised variable, empty where none applies.
    reason, severity : code and consequence.
    message : what is wrong; never a value of a patient.
    """

    source: str
    file: str
    row: int | None
    column: str
    variable: str
    reason: Reason
    severity: Severity
    message: str


Positions = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Problem:
    """One kind of finding in many rows of a frame, before row numbers are known.

    Attributes
    ----------
    rows : boolean mask or integer positions (not index labels) in the frame that was checked.
    column, variable, reason, message, severity : as in `Issue`.
    """

    rows: Any
    reason: Reason
    message: str
    variable: str = ""
    column: str = ""
    severity: Severity = Severity.ERROR


def as_positions(mask_or_positions: Any) -> Positions:
    """Integer positions from a boolean mask (Series or array, missing counts as False) or from positions."""
    if isinstance(mask_or_positions, pd.Series | pd.Index):
        if mask_or_positions.dtype == "boolean":
            mask_or_positions = mask_or_positions.fillna(False)
        mask_or_positions = mask_or_positions.to_numpy()
    array = np.asarray(mask_or_positions)
    if array.dtype == object and len(array) and isinstance(array[0], bool | np.bool_):
        array = array.astype(bool)
    if array.dtype == bool:
        return np.flatnonzero(array).astype(np.int32)
    return array.astype(np.int32)


@dataclass(frozen=True)
class IssueBatch:
    """One finding shared by many rows of one file; `rows` holds the row numbers people see, None for a whole file."""

    file: str
    column: str
    variable: str
    reason: Reason
    severity: Severity
    message: str
    rows: npt.NDArray[np.int32] | None

    def __len__(self) -> int:
        return 1 if self.rows is None else len(self.rows)


@dataclass
class IssueLog:
    """Collects issues of one source: one batch a finding, four bytes a row."""

    source: str
    batches: list[IssueBatch] = field(default_factory=list)

    def add(self, mask_or_positions: Any, *, row_numbers: Any, file: str, reason: Reason, message: str,
            column: str = "", variable: str = "", severity: Severity = Severity.ERROR) -> Positions:
        """Record one finding for many rows.

        Parameters
        ----------
        mask_or_positions : which rows of the table: boolean mask or integer positions.
        row_numbers : row number, as people see it, of every row of the table.
        file, reason, message, column, variable, severity : as in `Issue`.

        Returns
        -------
        Positions of the rows recorded.
        """
        positions = as_positions(mask_or_positions)
        if len(positions):
            rows = np.asarray(row_numbers)[positions].astype(np.int32)
            self.batches.append(IssueBatch(file, column, variable, reason, severity, message, rows))
        return positions

    def add_file(self, *, file: str, reason: Reason, message: str, column: str = "", variable: str = "",
                 severity: Severity = Severity.WARNING) -> None:
        """Record a finding about a whole file or column."""
        self.batches.append(IssueBatch(file, column, variable, reason, severity, message, None))

    def extend(self, batches: Iterable[IssueBatch]) -> None:
        """Take over batches of another log of the same source."""
        self.batches.extend(batches)

    def __len__(self) -> int:
        return sum(len(batch) for batch in self.batches)

    def __iter__(self) -> Iterator[Issue]:
        for batch in self.batches:
            rows: Iterable[int | None] = [None] if batch.rows is None else batch.rows.tolist()
            for row in rows:
                yield Issue(self.source, batch.file, row, batch.column, batch.variable, batch.reason, batch.severity,
                            batch.message)

    def count_by_reason(self, severity: Severity | None = None) -> dict[Reason, int]:
        """Number of issues per reason, most frequent first."""
        counts: dict[Reason, int] = {}
        for batch in self.batches:
            if severity is None or batch.severity is severity:
                counts[batch.reason] = counts.get(batch.reason, 0) + len(batch)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def to_frame(self) -> pd.DataFrame:
        """All issues as a table with the fields of `Issue`; text fields are categories, `row` is nullable."""
        lengths = [len(batch) for batch in self.batches]
        rows = [np.array([-1], dtype=np.int32) if batch.rows is None else batch.rows for batch in self.batches]
        numbers = pd.Series(np.concatenate(rows) if rows else np.array([], dtype=np.int32)).astype("Int32")
        columns: dict[str, Any] = {"source": _repeat([self.source], [len(numbers)])}
        columns["file"] = _repeat([batch.file for batch in self.batches], lengths)
        columns["row"] = numbers.mask(numbers < 0)
        for name in ("column", "variable", "reason", "severity", "message"):
            columns[name] = _repeat([str(getattr(batch, name)) for batch in self.batches], lengths)
        return pd.DataFrame(columns)


def _repeat(values: list[str], lengths: list[int]) -> Any:
    codes, categories = pd.factorize(np.array(values, dtype=object))
    return pd.Categorical.from_codes(np.repeat(codes, lengths), categories=pd.Index(categories.tolist(), dtype=object))
