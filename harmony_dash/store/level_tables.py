"""Many variables at once: one scan that counts, side by side, the patients of every level.

The rows of the statement are the strata, days and causes of the cohort, each once; levels are columns. So twenty
variables cost one aggregation over the patients, and what arrives needs no sorting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.stats.event_table import Ints
from harmony_dash.stats.level_grid import LevelGrid, grid_from_counts
from harmony_dash.store.columns import as_integers
from harmony_dash.store.conditions import Statement, entry_day
from harmony_dash.store.event_tables import ALL_PATIENTS, figure_conditions
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import enum_name, quote

# Stands for patients without a value, among the levels of a variable and among the strata; no value is called that.
NOT_RECORDED: Final = ""
_ENTRY: Final = -1  # stands where a patient's cause stands, in rows that count who enters
_MOST_GROUPS: Final = 300


@dataclass(frozen=True)
class Levels:
    """The levels of one variable to count, or those of it among patients with one value of another.

    Attributes
    ----------
    name : what the table is called.
    variable : its name.
    values : in order.
    missing : whether patients without a value are counted too, as the last group.
    within : (variable, value) that the patients must have besides; None for all patients.
    """

    name: str
    variable: str
    values: tuple[str, ...]
    missing: bool = True
    within: tuple[str, str] | None = None

    @property
    def groups(self) -> tuple[str, ...]:
        """Labels of the groups of the table."""
        return (*self.values, NOT_RECORDED) if self.missing else self.values


def fetch_level_tables(snapshot: Snapshot, question: Question, levels: Sequence[Levels], *,
                       strata: str | None) -> dict[str, LevelGrid]:
    """The levels of every variable side by side.

    Parameters
    ----------
    question : the cohort; without groups or strata.
    levels : what to count, each under its own name.
    strata : the variable whose values are the strata; patients without a value are the last stratum. None for one
        stratum.

    Returns
    -------
    Name to LevelGrid, with the groups of `levels` and causes of the endpoint.
    """
    names = (*snapshot.values_of(snapshot.dictionary[strata]), NOT_RECORDED) if strata else (ALL_PATIENTS,)
    causes = endpoint_named(question.endpoint).causes
    # So many bits hold any number of patients.
    packing = Packing(max(1, snapshot.patients).bit_length())
    grids: dict[str, LevelGrid] = {}
    for batch in _batches(levels):
        sql, parameters = level_tables_sql(question, snapshot, batch, strata=strata, packing=packing)
        grids |= _read(snapshot.fetch_columns(sql, parameters), batch, names, causes, packing)
    return grids


@dataclass(frozen=True)
class Packing:
    """Several counts in one number of 62 bits: the engine then keeps one sum for them instead of a count each."""

    bits: int

    @property
    def counts(self) -> int:
        """How many counts fit into one number."""
        return max(1, 62 // self.bits)

    def pack_sql(self, code: str, first: int, last: int) -> str:
        """SQL of the number that counts one patient, whose code is `first` to `last`; 0 for another code."""
        cases = " ".join(f"WHEN {place} THEN {1 << (self.bits * (place - first))}" for place in range(first, last))
        return f"CASE {code} {cases} ELSE 0 END"

    def unpack(self, numbers: Ints, place: int) -> Ints:
        """The count at one place of each number."""
        return (numbers >> (self.bits * place)) & ((1 << self.bits) - 1)


def level_tables_sql(question: Question, snapshot: Snapshot, levels: Sequence[Levels], *, strata: str | None,
                     packing: Packing) -> tuple[str, dict[str, Any]]:
    """The statement and its bound values.

    Returns one row per (stratum, day, cause) as in `event_table_sql`, in this order, with columns c0, c1, …: for each
    of `levels` in turn the packed counts of its groups.
    """
    statement = Statement(question, snapshot.dictionary)
    endpoint = endpoint_named(question.endpoint)
    days, cause = quote(f"{endpoint.name}_days"), quote(f"{endpoint.name}_cause")
    stratum = "0"
    if strata:
        last = len(snapshot.values_of(snapshot.dictionary[strata]))
        stratum = f"coalesce(enum_code({statement.column(strata)})::INTEGER, {last})"
    where = " AND ".join([statement.cohort(), *figure_conditions(statement, late_entry=snapshot.late_entry)])
    numbers = [number for one in levels for number in _numbers_sql(statement, snapshot, one, packing)]
    counts = ", ".join(f"sum({number})::BIGINT AS c{place}" for place, number in enumerate(numbers))
    shift = f" - {question.landmark_days:d}" if question.landmark_days else ""
    sql = (f"SELECT {stratum} AS stratum, {days}{shift} AS day, {cause} AS cause, {counts} "
           f"FROM patient WHERE {where} GROUP BY ALL")
    if snapshot.late_entry:
        entry = f"{entry_day(question)} - {question.landmark_days:d}"
        sql += (f" UNION ALL SELECT {stratum} AS stratum, {entry} AS day, {_ENTRY} AS cause, {counts} "
                f"FROM patient WHERE {where} AND {entry} > 0 GROUP BY ALL")
    return sql, statement.parameters


def _numbers_sql(statement: Statement, snapshot: Snapshot, levels: Levels, packing: Packing) -> Iterator[str]:
    """SQL of the packed numbers of a patient, for the groups of some levels."""
    values = snapshot.values_of(snapshot.dictionary[levels.variable])
    places = {values.index(value): place for place, value in enumerate(levels.values)}
    column = f"enum_code({statement.column(levels.variable)})::INTEGER"
    code = f"coalesce({column}, {len(values)})" if levels.missing else column
    if list(places) != list(range(len(values))):
        moved = " ".join(f"WHEN {value} THEN {place}" for value, place in places.items())
        code = f"CASE {code} {moved} {f'WHEN {len(values)} THEN {len(places)}' if levels.missing else ''} END"
    groups = len(levels.groups)
    for first in range(0, groups, packing.counts):
        number = packing.pack_sql(code, first, min(first + packing.counts, groups))
        if levels.within is not None:
            other, value = levels.within
            held = f"{statement.column(other)} = {statement.bind(value)}::{enum_name(statement.dictionary[other])}"
            number = f"CASE WHEN {held} THEN {number} ELSE 0 END"
        yield number


def _batches(levels: Sequence[Levels]) -> Iterator[list[Levels]]:
    batch: list[Levels] = []
    for one in levels:
        if batch and sum(len(other.groups) for other in (*batch, one)) > _MOST_GROUPS:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _read(columns: Mapping[str, Any], levels: Sequence[Levels], strata: Sequence[str], causes: Sequence[str],
          packing: Packing) -> dict[str, LevelGrid]:
    """The grids from the columns of the statement."""
    stratum, day, cause = (as_integers(columns[name]) for name in ("stratum", "day", "cause"))
    span = int(day.max(initial=0)) + 1
    cells, cell = np.unique(stratum * span + day, return_inverse=True)
    # Where the rows of each kind stand: entries, censored, cause 1, …
    kinds = [np.flatnonzero(cause == kind) for kind in range(_ENTRY, len(causes) + 1)]
    places = [cell[rows] for rows in kinds]
    grids, start = {}, 0
    for one in levels:
        groups = len(one.groups)
        counts = np.zeros((len(kinds), groups, len(cells)), dtype=np.int64)
        for group in range(groups):
            numbers = as_integers(columns[f"c{start + group // packing.counts}"])
            count = packing.unpack(numbers, group % packing.counts)
            for kind, (rows, place) in enumerate(zip(kinds, places, strict=True)):
                counts[kind, group, place] = count[rows]
        start += -(-groups // packing.counts)
        counts = np.ascontiguousarray(counts.swapaxes(1, 2))
        grids[one.name] = grid_from_counts(one.groups, strata, causes, cells // span, cells % span, counts[1],
                                           counts[2:], counts[0])
    return grids
