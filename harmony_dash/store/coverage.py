"""What is known of each variable of each source: one scan counts sixteen variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.coverage_results import Status
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import COLUMN, count_sql, read_counts
from harmony_dash.store.schema import literal, quote

# Codes that stand for something else than a result, and those of a test that was done and found nothing.
CODES: Mapping[Status, tuple[str, ...]] = {
    Status.NEGATIVE: ("neg", "nodel", "wt", "undetectable", "no_ikzf1del"),
    Status.FAILED: ("failed",), Status.NOT_TESTED: ("not_done",)}
Parts = dict[Status, KeyedCount]

# Measured at 100,000 patients: fewer scans the table too often, more spills over in the aggregation.
_GROUPING_SETS = 16
_PARTS = tuple(Status)


def fetch_completeness(snapshot: Snapshot, disease: str, variables: Sequence[Variable],
                       ) -> dict[str, tuple[KeyedCount, dict[str, Parts]]]:
    """Per source: its patients, and per variable how many of them have what known of it.

    A test that failed or was not done is recorded, and no value. Parts that a variable does not know are left out.
    """
    found: dict[str, dict[str, Parts]] = {}
    for start in range(0, len(variables), _GROUPING_SETS):
        members = variables[start:start + _GROUPING_SETS]
        names = ", ".join(quote(v.name) for v in members)
        sets = ", ".join(f"(source, {quote(v.name)})" for v in members)
        columns = ", ".join(_part_sql(v) for v in members)
        rows = snapshot.fetch_rows(
            f"SELECT grouping({names}), source::VARCHAR, coalesce({names}), {count_sql()} FROM ("
            f"SELECT source, {COLUMN}, {columns} FROM patient WHERE disease::VARCHAR = $disease) "
            f"GROUP BY GROUPING SETS ({sets})", {"disease": disease})
        # One bit a column that was left out of the grouping, the first column's the highest.
        named = {(1 << len(members)) - 1 - (1 << (len(members) - 1 - place)): v for place, v in enumerate(members)}
        for mask, source, part, *counted in rows:
            parts = found.setdefault(str(source), {}).setdefault(
                named[mask].name, dict.fromkeys(parts_of(named[mask]), NOBODY))
            parts[_PARTS[part]] = read_counts(counted)[0]
    return {source: (union(next(iter(by_variable.values())).values()), by_variable)
            for source, by_variable in sorted(found.items())}


def parts_of(variable: Variable) -> tuple[Status, ...]:
    """What can be known of a patient by this variable."""
    special = [part for part, codes in CODES.items() if set(codes) & set(variable.values)]
    return Status.VALUE, *special, Status.UNKNOWN


def _part_sql(variable: Variable) -> str:
    """The place in `_PARTS` of what is known of a patient."""
    column = quote(variable.name)
    cases = [f"WHEN {column} IS NULL THEN {_PARTS.index(Status.UNKNOWN)}"]
    for part, codes in CODES.items():
        known = [literal(code) for code in codes if code in variable.values]
        if known:
            cases.append(f"WHEN {column} IN ({', '.join(known)}) THEN {_PARTS.index(part)}")
    return (f"CAST(CASE {' '.join(cases)} ELSE {_PARTS.index(Status.VALUE)} END AS UTINYINT) "
            f"AS {quote(variable.name)}")
