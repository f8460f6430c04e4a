"""One source folder from files to accepted patients, with every other row quarantined and told why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.ingest.checks import find_issues
from harmony_dash.ingest.columns import check_all_used, find_columns
from harmony_dash.ingest.convert.field import convert
from harmony_dash.ingest.derive import derive
from harmony_dash.ingest.duplicates import build_match_keys
from harmony_dash.ingest.echoes import without_echo
from harmony_dash.ingest.endpoints import compute_endpoints
from harmony_dash.ingest.event_record import build_event_record
from harmony_dash.ingest.harmonised import HarmonisedSource, Mask
from harmony_dash.ingest.identifiers.gate import check_identifiers
from harmony_dash.ingest.issues import Severity, as_positions
from harmony_dash.ingest.manifest.load import read_manifest
from harmony_dash.ingest.manifest.model import FieldSpec, Manifest
from harmony_dash.ingest.pseudonyms import hash_identifiers
from harmony_dash.ingest.readers.read import read_table
from harmony_dash.ingest.readers.table import RawTable
from harmony_dash.ingest.rows import MAX_BAD_SHARE, Rows

# Called with words for people and the share of the work done, 0 to 1.
Progress = Callable[[str, float], None]


def _silent(_: str, __: float) -> None:
    return


def harmonise_source(folder: Path, dictionary: Dictionary, key: bytes, progress: Progress = _silent, *,
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
    manifest = read_manifest(folder, dictionary)
    tables = _read_tables(folder, manifest, progress)
    fields, places = find_columns(tables, manifest)
    progress("Looking for identifiers", 0.4)
    check_identifiers(tables, manifest, dictionary)
    check_all_used(tables, manifest, places)
    progress("Joining files", 0.5)
    rows = Rows(manifest, tables, places)
    rows.join()
    frame = _convert_fields(rows, fields, dictionary, progress, max_bad_share)
    progress("Computing endpoints", 0.85)
    accepted = ~rows.bad
    frame = frame[accepted].reset_index(drop=True)
    match_keys = build_match_keys(frame)
    frame = compute_endpoints(derive(frame, dictionary), manifest.endpoints_not_recorded)
    patient = hash_identifiers(pd.Series(rows.identifiers[accepted], dtype=object), manifest.source, key)
    counts = rows.close()
    progress("Harmonised", 1.0)
    return HarmonisedSource(manifest, _final_frame(frame, patient, manifest.source, dictionary), rows.log, counts,
                            match_keys, _variables_by_file(fields, rows, dictionary), rows.row_numbers(accepted))


def _read_tables(folder: Path, manifest: Manifest, progress: Progress) -> list[RawTable]:
    expected = {column for spec in manifest.fields.values() for column in spec.columns} | set(manifest.ignore)
    tables = []
    for place, spec in enumerate(manifest.files):
        progress(f"Reading {spec.path}", 0.4 * place / len(manifest.files))
        tables.append(read_table(folder / spec.path, spec, expected | {spec.id}))
    return tables


def _convert_fields(rows: Rows, fields: Mapping[str, FieldSpec], dictionary: Dictionary, progress: Progress,
                    max_bad_share: float) -> pd.DataFrame:
    """Convert every field, complete the event record and check across variables."""
    columns: dict[str, pd.Series[Any]] = {}
    unreadable: dict[str, Mask] = {}
    for number, (name, spec) in enumerate(fields.items()):
        progress(f"Converting {name}", 0.5 + 0.3 * number / len(fields))
        converted = convert(name, spec, rows.cells, dictionary)
        columns.update(converted.columns)
        for problem in converted.problems:
            rows.refuse_misread(problem, spec, max_bad_share)
            rows.log_problem(problem, fields)
            mask = unreadable.setdefault(problem.variable, np.zeros(len(rows.cells), dtype=np.bool_))
            mask[as_positions(problem.rows)] |= problem.severity is Severity.ERROR
    _keep_event_days(columns, fields)
    progress("Checking across variables", 0.8)
    before = rows.bad.copy()
    frame, problems = build_event_record(pd.DataFrame(columns, index=rows.cells.index), set(fields))
    problems += find_issues(frame, dictionary, not_recorded=rows.manifest.endpoints_not_recorded)
    for problem in problems:
        rows.log_problem(without_echo(problem, unreadable, before, rows.incomplete), fields)
    return frame


def _variables_by_file(fields: Mapping[str, FieldSpec], rows: Rows, dictionary: Dictionary,
                       ) -> tuple[frozenset[str], ...]:
    """The variables, parts of composites included, whose problems are reported in each file."""
    files = {name: rows.file_of(name, fields) for name in dictionary.variables}
    return tuple(frozenset(name for name, file in files.items() if file == number)
                 for number in range(len(rows.tables)))


def _final_frame(frame: pd.DataFrame, patient: pd.Series[Any], source: str, dictionary: Dictionary) -> pd.DataFrame:
    """The columns of a harmonised source, in their order."""
    columns: dict[str, Any] = {"patient": patient, "source": pd.Series(source, index=frame.index, dtype=object)}
    for variable in dictionary.kept:
        if variable.type is not VariableType.IDENTIFIER and variable.name != "source":
            columns[variable.name] = _final_column(frame, variable)
    for name in ENDPOINTS:
        for part in ("days", "cause", "excluded"):
            columns[f"{name}_{part}"] = frame[f"{name}_{part}"]
    return pd.DataFrame(columns)


def _final_column(frame: pd.DataFrame, variable: Variable) -> pd.Series[Any]:
    if variable.name not in frame.columns:
        kind = "Float64" if variable.type is VariableType.NUMBER else "Int32" if variable.is_numeric else "object"
        return pd.Series(None if kind == "object" else pd.NA, index=frame.index, dtype=kind)
    values = frame[variable.name]
    if variable.is_numeric:
        return values.astype("Float64" if variable.type is VariableType.NUMBER else "Int32")
    return values.astype(object).where(values.notna(), None)


def _keep_event_days(columns: dict[str, pd.Series[Any]], fields: Mapping[str, FieldSpec]) -> None:
    """Drop the days that `only_if` declares to be the end of follow-up of patients without the event."""
    for name, spec in fields.items():
        if spec.only_if is not None:
            columns[name] = columns[name].mask(columns[spec.only_if].isin(["no", "none"]))
