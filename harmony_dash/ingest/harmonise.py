"""One source folder from files to accepted patients, with every other row quarantined and told why."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.errors import SourceError
from harmony_dash.ingest.checks import find_issues
from harmony_dash.ingest.convert import convert
from harmony_dash.ingest.derive import derive
from harmony_dash.ingest.duplicates import MatchKeys, build_match_keys
from harmony_dash.ingest.endpoints import build_event_record, compute_endpoints
from harmony_dash.ingest.identifiers import check_identifiers
from harmony_dash.ingest.issues import IssueLog, Problem, Reason, Severity, as_positions
from harmony_dash.ingest.manifest import FieldSpec, Manifest, near_matches, read_manifest
from harmony_dash.ingest.pseudonyms import hash_identifiers
from harmony_dash.ingest.readers import RawTable, read_table

Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
# Called with words for people and the share of the work done, 0 to 1.
Progress = Callable[[str, float], None]

# A column most of whose values are refused is misread as a whole (swapped header, wrong unit, incomplete map). The few
# rows that pass by chance would be wrong too, so the source is refused. Below twenty values chance decides.
MAX_BAD_SHARE = 0.5
MINIMUM_JUDGED = 20

# What a spreadsheet runs as a formula; signed numbers, with a unit or without, and lone signs are none.
_FORMULA = re.compile(r"[=+\-@]")
_SIGNED_NUMBER = re.compile(r"[+-]\s?[\d.,' ]*\d[.,]?(?:\s?[eE][+-]?\d+)?\s*(?:%|log(?:10)?)?|[=+\-@]")


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
                                message=_PARENT)
            dropped = int(present.sum())
            counts.append(replace(count, accepted=count.accepted - dropped, quarantined=count.quarantined + dropped))
        return HarmonisedSource(self.manifest, self.frame[~rows].reset_index(drop=True), self.issues, tuple(counts),
                                self.match_keys.select(~rows), self.variables,
                                tuple(numbers[~rows] for numbers in self._row_numbers))


_PARENT = "another row of this patient is quarantined"


def harmonise_source(folder: Path, dictionary: Dictionary, key: bytes, progress: Progress | None = None, *,
                     max_bad_share: float = MAX_BAD_SHARE) -> HarmonisedSource:
    """Read, check and harmonise one source folder.

    Parameters
    ----------
    folder : holds `source.yaml` and the files it names.
    dictionary : what the variables mean.
    key : secret under which the provider's identifiers are hashed.
    progress : called as the work goes on.
    max_bad_share : the source is refused if more of a column's values are refused; 1 never refuses.

    Raises
    ------
    SourceError if the source cannot be read as declared, or seems to hold direct identifiers. Single bad rows do not
    raise: they are quarantined and reported.
    """
    return _harmonise(folder, dictionary, key, progress or _silent, max_bad_share)


def check_source(folder: Path, dictionary: Dictionary, progress: Progress | None = None, *,
                 max_bad_share: float = MAX_BAD_SHARE) -> HarmonisedSource:
    """As `harmonise_source`, for a provider who has no key: the frame has no column `patient`."""
    return _harmonise(folder, dictionary, None, progress or _silent, max_bad_share)


def _silent(_: str, __: float) -> None:
    return


def _harmonise(folder: Path, dictionary: Dictionary, key: bytes | None, progress: Progress,
               max_bad_share: float) -> HarmonisedSource:
    manifest = read_manifest(folder, dictionary)
    expected = {column for spec in manifest.fields.values() for column in spec.columns} | set(manifest.ignore)
    tables = []
    for place, spec in enumerate(manifest.files):
        progress(f"Reading {spec.path}", 0.4 * place / len(manifest.files))
        tables.append(read_table(folder / spec.path, spec, expected | {spec.id}))
    fields, places = _find_columns(tables, manifest)
    progress("Looking for identifiers", 0.4)
    check_identifiers(tables, manifest, dictionary)
    _check_all_used(tables, manifest, places)
    progress("Joining files", 0.5)
    rows = _Rows(manifest, tables, places)
    rows.join()
    frame = rows.harmonise(fields, dictionary, progress, max_bad_share)
    progress("Computing endpoints", 0.85)
    accepted = ~rows.bad
    frame = frame[accepted].reset_index(drop=True)
    match_keys = build_match_keys(frame)
    frame = compute_endpoints(derive(frame, dictionary), manifest.endpoints_not_recorded)
    columns: dict[str, Any] = {}
    if key is not None:
        columns["patient"] = hash_identifiers(pd.Series(rows.identifiers[accepted], dtype=object), manifest.source, key)
    columns["source"] = pd.Series(manifest.source, index=frame.index, dtype=object)
    for variable in dictionary.kept:
        if variable.type is not VariableType.IDENTIFIER and variable.name != "source":
            columns[variable.name] = _final_column(frame, variable)
    for name in ENDPOINTS:
        for part in ("days", "cause", "excluded"):
            columns[f"{name}_{part}"] = frame[f"{name}_{part}"]
    counts = rows.close()
    progress("Harmonised", 1.0)
    return HarmonisedSource(manifest, pd.DataFrame(columns), rows.log, counts, match_keys,
                            _variables_by_file(fields, rows, dictionary), rows.row_numbers(accepted))


def _variables_by_file(fields: Mapping[str, FieldSpec], rows: _Rows, dictionary: Dictionary,
                       ) -> tuple[frozenset[str], ...]:
    """The variables, parts of composites included, whose problems are reported in each file."""
    files = {name: rows.file_of(name, fields) for name in dictionary.variables}
    return tuple(frozenset(name for name, file in files.items() if file == number)
                 for number in range(len(rows.tables)))


def _final_column(frame: pd.DataFrame, variable: Variable) -> pd.Series[Any]:
    if variable.name not in frame.columns:
        kind = "Float64" if variable.type is VariableType.NUMBER else "Int32" if variable.is_numeric else "object"
        return pd.Series(None if kind == "object" else pd.NA, index=frame.index, dtype=kind)
    values = frame[variable.name]
    if variable.is_numeric:
        return values.astype("Float64" if variable.type is VariableType.NUMBER else "Int32")
    return values.astype(object).where(values.notna(), None)


# -- columns --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Place:
    """A column of a file."""

    file: int
    column: str


def _find_columns(tables: Sequence[RawTable], manifest: Manifest) -> tuple[dict[str, FieldSpec], dict[str, _Place]]:
    """Fields with their columns as they are called after joining, and where each of those comes from."""
    _check_id_columns(tables, manifest)
    places: dict[str, _Place] = {}
    lost: list[tuple[str, FieldSpec]] = []
    fields: dict[str, FieldSpec] = {}
    for name, spec in manifest.fields.items():
        found = {column: _locate(column, tables, spec.where) for column in spec.columns}
        lost += [(column, spec) for column, place in found.items() if place is None]
        places.update({_label(place, tables): place for place in found.values() if place is not None})
        fields[name] = _rename(spec, {column: _label(place, tables) for column, place in found.items() if place},
                               tables, found)
    if lost:
        raise _lost_columns(lost, tables, manifest, any_found=bool(places))
    return fields, places


def _check_id_columns(tables: Sequence[RawTable], manifest: Manifest) -> None:
    mentioned = {column for spec in manifest.fields.values() for column in spec.columns} | set(manifest.ignore)
    for table in tables:
        if table.spec.id not in table.columns:
            known = bool(mentioned & set(table.columns))
            raise SourceError(f"the column of the identifier, '{table.spec.id}', is not in the file",
                              where=table.spec.label, remedy=_what_is_there([table.spec.id], [table], known))


def _locate(column: str, tables: Sequence[RawTable], where: str) -> _Place | None:
    holders = [number for number, table in enumerate(tables) if column in table.columns]
    if len(holders) > 1 and all(tables[number].spec.id == column for number in holders):
        holders = holders[:1]
    if len(holders) > 1:
        choices = " or ".join(f"`{tables[number].spec.name}.{column}`" for number in holders)
        raise SourceError(f"the column '{column}' is in several files", where=where, remedy=f"Write {choices}.")
    if holders:
        return _Place(holders[0], column)
    for number, table in enumerate(tables):
        rest = column.removeprefix(f"{table.spec.name}.")
        if rest != column and rest in table.columns:
            return _Place(number, rest)
    return None


def _label(place: _Place, tables: Sequence[RawTable]) -> str:
    shared = sum(place.column in table.columns for table in tables) > 1
    return f"{tables[place.file].spec.name}.{place.column}" if shared else place.column


def _rename(spec: FieldSpec, labels: Mapping[str, str], tables: Sequence[RawTable],
            places: Mapping[str, _Place | None]) -> FieldSpec:
    def label(column: str | None) -> str | None:
        return None if column is None else labels.get(column)

    main = places.get(spec.column) if spec.column is not None else None
    file = tables[main.file if main is not None else 0].spec
    return replace(spec, column=label(spec.column), from_column=label(spec.from_column),
                   at_column=label(spec.at_column), lod_column=label(spec.lod_column),
                   loq_column=label(spec.loq_column), day_column=label(spec.day_column),
                   method_column=label(spec.method_column),
                   decimal=file.decimal if spec.decimal is None else spec.decimal,
                   thousands=file.thousands if spec.thousands is None else spec.thousands)


def _lost_columns(lost: Sequence[tuple[str, FieldSpec]], tables: Sequence[RawTable], manifest: Manifest, *,
                  any_found: bool) -> SourceError:
    names = list(dict.fromkeys(column for column, _ in lost))
    shown = ", ".join(f"'{name}'" for name in names)
    files = ", ".join(table.spec.label for table in tables)
    one = len(names) == 1
    return SourceError(f"the column{'' if one else 's'} {shown} {'is' if one else 'are'} not in {files}",
                       where=lost[0][1].where, remedy=_what_is_there(names, tables, any_found))


def _what_is_there(names: Sequence[str], tables: Sequence[RawTable], any_found: bool) -> str:
    """Near matches and the header names; not if nothing matches, for then the header may be a patient's row."""
    if not any_found:
        return "No declared column is in the header: is the header line missing, or `skip_rows` wrong?"
    there = [column for table in tables for column in table.columns]
    hints = [f"'{name}' may be {' or '.join(f'`{match}`' for match in close)}"
             for name in names if (close := near_matches(name, there))]
    listed = f"The columns are: {', '.join(there[:60])}{', …' if len(there) > 60 else ''}."
    return f"{'; '.join(hints)}. {listed}" if hints else listed


def _check_all_used(tables: Sequence[RawTable], manifest: Manifest, places: Mapping[str, _Place]) -> None:
    used = {(place.file, place.column) for place in places.values()}
    for number, table in enumerate(tables):
        ignored = {column for column in table.columns
                   if column in manifest.ignore or f"{table.spec.name}.{column}" in manifest.ignore}
        stray = [column for column in table.columns
                 if (number, column) not in used and column not in ignored and column != table.spec.id]
        if stray:
            shown = ", ".join(f"'{column}'" for column in stray[:20]) + (", …" if len(stray) > 20 else "")
            one = len(stray) == 1
            raise SourceError(f"the column{'' if one else 's'} {shown} {'is' if one else 'are'} neither mapped nor "
                              "ignored", where=table.spec.label,
                              remedy="Map them under `variables`, or list them under `ignore`.")


# -- rows -------------------------------------------------------------------------------------------------------------

class _Rows:
    """Which rows of which file belong to which patient, what is wrong with them, and the joined table of cells."""

    def __init__(self, manifest: Manifest, tables: Sequence[RawTable], places: Mapping[str, _Place]) -> None:
        self.manifest = manifest
        self.tables = tables
        self.places = places
        self.log = IssueLog(manifest.source)
        self._reported = [np.zeros(len(table), dtype=np.bool_) for table in tables]
        self._positions: list[Positions] = []
        self.bad: Mask = np.zeros(0, dtype=np.bool_)
        self._incomplete: Mask = np.zeros(0, dtype=np.bool_)
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
        self._incomplete = self.bad.copy()
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

    def _column(self, place: _Place) -> npt.NDArray[np.object_]:
        cells = self.tables[place.file].frame[place.column].to_numpy(dtype=object)
        positions = self._positions[place.file]
        if not len(cells):
            return np.full(len(positions), "", dtype=object)
        taken = cells[positions]
        taken[positions < 0] = ""
        return taken

    def _refuse_formulas(self) -> None:
        """Cells a spreadsheet would run; they would travel into every export that repeats them."""
        declared: dict[_Place, set[str]] = {_Place(number, table.spec.id): set()
                                            for number, table in enumerate(self.tables)}
        for spec in self.manifest.fields.values():
            words = {*spec.missing, *(spec.values or ()), *(spec.method_values or ()), *spec.negative, *spec.failed,
                     *spec.not_done, *spec.positive_not_quantifiable}
            for column in spec.columns:
                place = _locate(column, self.tables, spec.where)
                if place is not None:
                    declared.setdefault(place, set()).update(words)
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
        label = problem.column or _column_of(problem.variable, fields)
        place = self.places.get(label, _Place(0, label))
        own = self._positions[place.file][positions]
        self._log_positions(place.file, own[own >= 0], problem, place.column)
        # The patient has no row in that file: the row that lists the patient is reported.
        self._log_positions(0, self._positions[0][positions[own < 0]], problem, place.column)
        if problem.severity is Severity.ERROR:
            self.bad[positions] = True

    def file_of(self, variable: str, fields: Mapping[str, FieldSpec]) -> int | None:
        """The file that gives a variable; None if none does."""
        place = self.places.get(_column_of(variable, fields))
        return None if place is None else place.file

    def _log_positions(self, number: int, positions: Positions, problem: Problem, column: str) -> None:
        table = self.tables[number]
        self.log.add(positions, row_numbers=table.row_numbers, file=table.spec.label, reason=problem.reason,
                     message=problem.message, column=column, variable=problem.variable, severity=problem.severity)
        if problem.severity is Severity.ERROR:
            self._reported[number][positions] = True

    def harmonise(self, fields: Mapping[str, FieldSpec], dictionary: Dictionary, progress: Progress,
                  max_bad_share: float) -> pd.DataFrame:
        """Convert every field, complete the event record and check across variables."""
        columns: dict[str, pd.Series[Any]] = {}
        unreadable: dict[str, Mask] = {}
        for number, (name, spec) in enumerate(fields.items()):
            progress(f"Converting {name}", 0.5 + 0.3 * number / len(fields))
            converted = convert(name, spec, self.cells, dictionary)
            columns.update(converted.columns)
            for problem in converted.problems:
                self._judge_column(problem, spec, max_bad_share)
                self.log_problem(problem, fields)
                mask = unreadable.setdefault(problem.variable, np.zeros(len(self.cells), dtype=np.bool_))
                mask[as_positions(problem.rows)] |= problem.severity is Severity.ERROR
        _keep_event_days(columns, fields)
        progress("Checking across variables", 0.8)
        before = self.bad.copy()
        frame, problems = build_event_record(pd.DataFrame(columns, index=self.cells.index), set(fields))
        problems += find_issues(frame, dictionary, not_recorded=self.manifest.endpoints_not_recorded)
        for problem in problems:
            self.log_problem(_without_echo(problem, unreadable, before, self._incomplete), fields)
        return frame

    def _judge_column(self, problem: Problem, spec: FieldSpec, max_bad_share: float) -> None:
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
                           _PARENT)
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


def _keep_event_days(columns: dict[str, pd.Series[Any]], fields: Mapping[str, FieldSpec]) -> None:
    """Drop the days that `only_if` declares to be the end of follow-up of patients without the event."""
    for name, spec in fields.items():
        if spec.only_if is not None:
            columns[name] = columns[name].mask(columns[spec.only_if].isin(["no", "none"]))


def _column_of(variable: str, fields: Mapping[str, FieldSpec]) -> str:
    """The column of a variable, or of the part of a composite that it is; empty for a constant or what is built."""
    stem, _, part = variable.rpartition("_")
    spec = fields.get(variable) or fields.get(stem)
    if spec is None:
        return ""
    own = {"lod": spec.lod_column, "loq": spec.loq_column, "day": spec.day_column, "method": spec.method_column}
    return (own.get(part) if variable not in fields else None) or spec.column or ""


def _without_echo(problem: Problem, unreadable: Mapping[str, Mask], quarantined: Mask,
                  incomplete: Mask) -> Problem:
    """Leave out what only follows from a reported cell or row: what could not be read is not also missing."""
    rows = np.zeros(len(quarantined), dtype=np.bool_)
    rows[as_positions(problem.rows)] = True
    if problem.severity is Severity.WARNING:
        rows &= ~quarantined
    elif problem.reason is Reason.REQUIRED_MISSING:
        related = _RELATED.get(problem.variable, (problem.variable,))
        rows &= ~incomplete & ~_any_unreadable(related, unreadable, len(rows))
    return replace(problem, rows=rows)


# What a required variable is built from where the source does not give it directly.
_RELATED: Mapping[str, Collection[str]] = {
    "first_event": ("first_event", "relapse", "relapse_days", "treatment_failure", "treatment_failure_days", "smn",
                    "smn_days", "death", "death_days", "last_contact_days", "cr_days", "cr_status"),
    "death": ("death", "death_days"),
    "last_contact_days": ("last_contact_days", "death_days"),
}


def _any_unreadable(names: Iterable[str], unreadable: Mapping[str, Mask], rows: int) -> Mask:
    masks = [unreadable[name] for name in names if name in unreadable]
    return np.asarray(np.logical_or.reduce(masks), dtype=np.bool_) if masks else np.zeros(rows, dtype=np.bool_)
