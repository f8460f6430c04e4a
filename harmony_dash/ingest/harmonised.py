"""A harmonised source: its accepted patients, and what became of every other row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.ingest.duplicates import MatchKeys
from harmony_dash.ingest.issues import IssueLog, Reason, Severity
from harmony_dash.ingest.manifest.model import Manifest

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# What is said of the other rows of a patient, one of whose rows has an error.
OTHER_ROW = "another row of this patient is quarantined"


@dataclass(frozen=True)
class FileCounts:
    """Rows of one file; `accepted` and `quarantined` add up to `read`."""

    file: str
    read: int
    accepted: int
    quarantined: int


@dataclass(frozen=True, eq=False)
class HarmonisedSource:
    """The accepted patients of a source and what was found on the way.

    Attributes
    ----------
    manifest : its declaration.
    frame : one accepted patient a row: `patient` (keyed hash), `source`, the kept variables in the order of the
        dictionary (object columns of codes with None, `Float64`, `Int32`) and `{endpoint}_days`, `_cause`, `_excluded`.
    issues : every finding, with file and row.
    counts : rows of each file, the file of the patients first.
    match_keys : what `duplicates` compares, a row of `frame` each.
    variables : those whose column is in each file, in the order of `counts`.
    """

    manifest: Manifest
    frame: pd.DataFrame
    issues: IssueLog
    counts: tuple[FileCounts, ...]
    match_keys: MatchKeys
    variables: tuple[frozenset[str], ...]
    _row_numbers: tuple[Positions, ...] = field(repr=False)

    @property
    def read(self) -> int:
        """Rows of the file that lists the patients."""
        return self.counts[0].read

    @property
    def accepted(self) -> int:
        """Patients in `frame`."""
        return self.counts[0].accepted

    @property
    def quarantined(self) -> int:
        """Rows of the file that lists the patients which are not in `frame`."""
        return self.counts[0].quarantined

    def report(self, rows: Mask, reason: Reason, message: str, severity: Severity) -> None:
        """Add an issue about patients of `frame`."""
        self.issues.add(rows, row_numbers=self._row_numbers[0], file=self.counts[0].file, reason=reason,
                        message=message, severity=severity)

    def report_file(self, reason: Reason, message: str) -> None:
        """Add a warning about the whole file that lists the patients."""
        self.issues.add_file(file=self.counts[0].file, reason=reason, message=message)

    def quarantine(self, rows: Mask, reason: Reason, message: str) -> HarmonisedSource:
        """The source without some of its patients, whose rows are reported in every file."""
        self.report(rows, reason, message, Severity.ERROR)
        counts = []
        for place, (numbers, count) in enumerate(zip(self._row_numbers, self.counts, strict=True)):
            present = rows & (numbers >= 0)
            if place:
                self.issues.add(present, row_numbers=numbers, file=count.file, reason=Reason.PARENT_QUARANTINED,
                                message=OTHER_ROW)
            dropped = int(present.sum())
            counts.append(replace(count, accepted=count.accepted - dropped, quarantined=count.quarantined + dropped))
        return HarmonisedSource(self.manifest, self.frame[~rows].reset_index(drop=True), self.issues, tuple(counts),
                                self.match_keys.select(~rows), self.variables,
                                tuple(numbers[~rows] for numbers in self._row_numbers))

