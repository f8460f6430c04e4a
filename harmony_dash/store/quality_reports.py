"""What the quality page shows besides checks: rows reported by reason, reported against derived risk groups."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import count_sql, read_counts
from harmony_dash.store.schema import quote


@dataclass(frozen=True)
class Report:
    """Rows of one file that ingest reported alike.

    Attributes
    ----------
    of_outcomes : whether the rows may be those of the patients who died, whatever is wrong with them.
    n : keyed; the rows themselves are in no store.
    """

    file: str
    column: str
    variable: str
    reason: str
    message: str
    refused: bool
    of_outcomes: bool
    n: KeyedCount


def fetch_reports(snapshot: Snapshot, source: str) -> tuple[Report, ...]:
    """What ingest reported of a source, refused rows first, the most frequent first."""
    rows = snapshot.fetch_rows(
        "SELECT file, column_name, variable, reason, message, refused, of_outcomes, n, key FROM quality_reason "
        "WHERE source = $source ORDER BY refused DESC, n DESC, file, column_name, message", {"source": source})
    return tuple(Report(file, column, variable, reason, message, refused, of_outcomes, read_counts(counted)[0])
                 for file, column, variable, reason, message, refused, of_outcomes, *counted in rows)


def fetch_row_numbers(snapshot: Snapshot, source: str) -> dict[tuple[str, str, str, str], tuple[int, ...]]:
    """By file, column, reason and message, the numbers of the rows as a person sees them: for the provider alone."""
    rows = snapshot.fetch_rows(
        "SELECT file, column_name, reason, message, list(row_number ORDER BY row_number) FROM issue "
        "WHERE source = $source AND row_number IS NOT NULL GROUP BY ALL", {"source": source})
    return {tuple(row[:-1]): tuple(row[-1]) for row in rows}


def fetch_risk_pairs(snapshot: Snapshot, source: str, reported: Variable, derived: Sequence[Variable],
                     ) -> dict[str, list[tuple[str, str, KeyedCount]]]:
    """For each derived group, patients of a source per pair of reported and derived code; empty for not recorded."""
    names = ", ".join(quote(variable.name) for variable in derived)
    sets = ", ".join(f"({quote(reported.name)}, {quote(variable.name)})" for variable in derived)
    columns = ", ".join(f"{quote(variable.name)}::VARCHAR" for variable in derived)
    rows = snapshot.fetch_rows(
        f"SELECT grouping({names}), {quote(reported.name)}::VARCHAR, {columns}, {count_sql()} FROM patient "
        f"WHERE source::VARCHAR = $source GROUP BY GROUPING SETS ({sets}) ORDER BY {quote(reported.name)}, {names}",
        {"source": source})
    all_left_out = (1 << len(derived)) - 1
    found: dict[str, list[tuple[str, str, KeyedCount]]] = {variable.name: [] for variable in derived}
    for mask, group, *cells in rows:
        place = next(place for place in range(len(derived))
                     if mask == all_left_out - (1 << (len(derived) - 1 - place)))
        found[derived[place].name].append((group or "", cells[place] or "", read_counts(cells[-2:])[0]))
    return found


def fetch_countries(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """By source, the countries its patients come from."""
    rows = snapshot.fetch_rows("SELECT source::VARCHAR, list(DISTINCT country::VARCHAR) FROM patient GROUP BY ALL")
    return {source: frozenset(filter(None, countries)) for source, countries in rows}


def fetch_key_fingerprint(snapshot: Snapshot) -> str:
    """Of the disclosure key that the snapshot's counts are rounded by."""
    ((value,),) = snapshot.fetch_rows("SELECT value FROM meta WHERE key = 'disclosure_key'")
    return str(json.loads(value))
