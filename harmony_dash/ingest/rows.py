"""The rows of the files, joined by patient: each is accepted or quarantined, and told why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.errors import SourceError
from harmony_dash.ingest.columns import Place, column_of, locate
from harmony_dash.ingest.harmonised import OTHER_ROW, FileCounts, Mask, Positions
from harmony_dash.ingest.issues import IssueLog, Problem, Reason, Severity, as_positions
from harmony_dash.ingest.manifest.model import FieldSpec, Manifest
from harmony_dash.ingest.readers.table import RawTable

# A column most of whose values are refused is misread as a whole (swapped header, wrong unit, incomplete map). The few
# rows that pass by chance would be wrong too, so the source is refused. Below twenty values chance decides.
MAX_BAD_SHARE = 0.5
MINIMUM_JUDGED = 20

# What a spreadsheet runs as a formula; signed numbers, with a unit or without, and lone signs are none.
_FORMULA = re.compile(r"[=+\-@]")
_SIGNED_NUMBER = re.compile(r"[+-]\s?[\d.,' ]*\d[.,]?(?:\s?[eE][+-]?\d+)?\s*(?:%|log(?:10)?)?|[=+\-@]")


class Rows:
    """Which rows of which file belong to which patient, what is wrong with them, and the joined table of cells."""

    def __init__(self, manifest: Manifest, tables: Sequence[RawTable], places: Mapping[str, Place]) -> None:
        self.manifest = manifest
        self.tables = tables
        self.places = places
        self.log = IssueLog(manifest.source)
        self._reported = [np.zeros(len(table), dtype=np.bool_) for table in tables]
        self._positions: list[Positions] = []
        self.bad: Mask = np.zeros(0, dtype=np.bool_)
        self.incomplete: Mask = np.zeros(0, dtype=np.bool_)
        self.identifiers: npt.NDArray[np.object_] = np.empty(0, dtype=object)
        self.cells = pd.DataFrame()

    def join(self) -> None:
        """Find the row of each patient in each file; rows without exactly one patient are quarantined."""
        first = self.tables[0]
        identifiers = first.frame[first.spec.id].to_numpy(dtype=object)
        usable = self._check_identifiers(0)
        self._positions = [np.flatnonzero(usable).astype(np.int64)]
        self.identifiers = identifiers[usable]
        self.bad = np.zeros(len(self.identifiers), dtype=np.bool_)
        everyone = set(identifiers)
        for number, table in enumerate(self.tables[1:], 1):
            own = table.frame[table.spec.id].to_numpy(dtype=object)
            usable = self._check_identifiers(number)
            known = np.fromiter((identifier in everyone for identifier in own), np.bool_, len(own))
            missing = np.isin(own, list(self.manifest.missing))
            self._log_file(number, ~known & ~missing, Reason.ORPHAN_ROW, table.spec.id,
                           f"the patient is not in {first.spec.label}")
            places = np.flatnonzero(usable).astype(np.int64)
            found = pd.Index(own[usable]).get_indexer(pd.Index(self.identifiers))
            self._positions.append(np.where(found >= 0, places[found] if len(places) else -1, -1).astype(np.int64))
            # Which of several rows is right is not known, so nothing about this patient can be trusted to be complete.
            several = set(own[~usable & ~missing])
            self.bad |= np.fromiter((identifier in several for identifier in self.identifiers), np.bool_,
                                    len(self.identifiers))
        self.incomplete = self.bad.copy()
        self.cells = pd.DataFrame({label: self._column(place) for label, place in self.places.items()},
                                  index=pd.RangeIndex(len(self.identifiers)), dtype=object)
        self._refuse_formulas()

    def _check_identifiers(self, number: int) -> Mask:
        table = self.tables[number]
        identifiers = table.frame[table.spec.id]
        missing = identifiers.isin(list(self.manifest.missing)).to_numpy(dtype=np.bool_)
        repeated = identifiers.duplicated(keep=False).to_numpy(dtype=np.bool_) & ~missing
        self._log_file(number, missing, Reason.REQUIRED_MISSING, table.spec.id, "the patient identifier is missing",
                       "patient_id")
        self._log_file(number, repeated, Reason.DUPLICATE_ID, table.spec.id,
                       "several rows of the file carry this patient identifier", "patient_id")
        return ~missing & ~repeated

    def _column(self, place: Place) -> npt.NDArray[np.object_]:
        cells = self.tables[place.file].frame[place.column].to_numpy(dtype=object)
        positions = self._positions[place.file]
        if not len(cells):
            return np.full(len(positions), "", dtype=object)
        taken = cells[positions]
        taken[positions < 0] = ""
        return taken

    def _refuse_formulas(self) -> None:
        """Cells a spreadsheet would run; they would travel into every export that repeats them."""
        declared: dict[Place, set[str]] = {Place(number, table.spec.id): set()
                                           for number, table in enumerate(self.tables)}
        for spec in self.manifest.fields.values():
            for column in spec.columns:
                place = locate(column, self.tables, spec.where)
                if place is not None:
                    declared.setdefault(place, set()).update(spec.words)
        for place, words in declared.items():
            codes, values = self.tables[place.file].distinct(place.column)
            formulas = [position for position, value in enumerate(values) if _FORMULA.match(value)
                        and not _SIGNED_NUMBER.fullmatch(value) and value not in words]
            if formulas:
                rows = np.isin(codes, formulas)
                self._log_file(place.file, rows, Reason.FORMULA, place.column,
                               "the cell starts like a formula; store its value")
                own = self._positions[place.file]
                self.bad |= (own >= 0) & rows[own]

    def _log_file(self, number: int, rows: Any, reason: Reason, column: str, message: str, variable: str = "") -> None:
        """Report errors in rows of a file, by position in the file."""
        table = self.tables[number]
        positions = self.log.add(rows, row_numbers=table.row_numbers, file=table.spec.label, reason=reason,
                                 message=message, column=column, variable=variable)
        self._reported[number][positions] = True

    def log_problem(self, problem: Problem, fields: Mapping[str, FieldSpec]) -> None:
        """Report a problem of joined rows in the file its column comes from."""
        positions = as_positions(problem.rows)
        label = problem.column or column_of(problem.variable, fields)
        place = self.places.get(label, Place(0, label))
        own = self._positions[place.file][positions]
        self._log_positions(place.file, own[own >= 0], problem, place.column)
        # The patient has no row in that file: the row that lists the patient is reported.
        self._log_positions(0, self._positions[0][positions[own < 0]], problem, place.column)
        if problem.severity is Severity.ERROR:
            self.bad[positions] = True

    def file_of(self, variable: str, fields: Mapping[str, FieldSpec]) -> int | None:
        """The file that gives a variable; None if none does."""
        place = self.places.get(column_of(variable, fields))
        return None if place is None else place.file

    def _log_positions(self, number: int, positions: Positions, problem: Problem, column: str) -> None:
        table = self.tables[number]
        self.log.add(positions, row_numbers=table.row_numbers, file=table.spec.label, reason=problem.reason,
                     message=problem.message, column=column, variable=problem.variable, severity=problem.severity)
        if problem.severity is Severity.ERROR:
            self._reported[number][positions] = True

    def refuse_misread(self, problem: Problem, spec: FieldSpec, max_bad_share: float) -> None:
        """Raise `SourceError` if more of a column's values have the problem than single bad cells explain."""
        column = problem.column or spec.column
        if problem.severity is not Severity.ERROR or column is None or column not in self.cells:
            return
        present = ~self.cells[column].isin(list(spec.missing)).to_numpy(dtype=np.bool_)
        positions = as_positions(problem.rows)
        filled = int(present.sum())
        if filled < MINIMUM_JUDGED or len(positions) <= max_bad_share * filled:
            return
        place = self.places[column]
        table = self.tables[place.file]
        own = self._positions[place.file][positions]
        line = int(table.row_numbers[own[own >= 0][0]]) if (own >= 0).any() else 0
        raise SourceError(
            f"{len(positions):,} of {filled:,} values cannot be '{problem.variable}' ({problem.reason}: "
            f"{problem.message})", where=f"{table.spec.label}, from row {line}, column {place.column}",
            remedy=f"Is the header swapped, the unit or number format wrong, or the value map incomplete? "
                   f"See {spec.where}.")

    def close(self) -> tuple[FileCounts, ...]:
        """Report the other rows of quarantined patients and count; every row read is accepted or quarantined."""
        counts = []
        for number, table in enumerate(self.tables):
            own = self._positions[number]
            accepted = np.zeros(len(table), dtype=np.bool_)
            accepted[own[~self.bad & (own >= 0)]] = True
            self._log_file(number, ~accepted & ~self._reported[number], Reason.PARENT_QUARANTINED, table.spec.id,
                           OTHER_ROW)
            quarantined = int(self._reported[number].sum())
            count = FileCounts(table.spec.label, len(table), int(accepted.sum()), quarantined)
            if count.accepted + count.quarantined != count.read or (accepted & self._reported[number]).any():
                raise RuntimeError(f"the rows of {table.spec.label} do not add up: {count}")
            counts.append(count)
        return tuple(counts)

    def row_numbers(self, accepted: Mask) -> tuple[Positions, ...]:
        """Per file the row number of each accepted patient, -1 where a patient has no row."""
        numbers = []
        for table, own in zip(self.tables, self._positions, strict=True):
            rows = np.append(table.row_numbers, -1).astype(np.int64)
            numbers.append(rows[own[accepted]])
        return tuple(numbers)
