"""Answering the checks of a snapshot that is being written: some twenty scans of the staging rows, one of the issues.

Every number of patients comes with the key of the patients counted. Rows that were refused are not in the store: their
number has a key made from the source, the check and the number, as secret and as lasting as the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np

from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.disclosure.policy import RULES
from harmony_dash.quality.conditions import Every, Known
from harmony_dash.quality.model import (
    Constant,
    Counted,
    Median,
    Pile,
    Refused,
    Reported,
    Rule,
    Size,
    Survival,
)
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.store.quality_rows import MakeKey, Read, count_reports, count_rows
from harmony_dash.store.quality_sql import Aggregates
from harmony_dash.store.record_keys import COLUMN, count_sql, key_sql, read_counts
from harmony_dash.store.schema import quote

# What refused rows are called there, so that their number is rounded as it is on other pages.
QUARANTINED = "quarantined"
# The engine's time grows with the square of the aggregates of a statement; at 40 it is six times faster than in one.
_COLUMNS_AT_ONCE = 40
# Fewer kept rows than this make no check of a variable that is not supplied: that it applies would tell one from none.
_FEWEST_FOUND = max(rules.minimum_cell for rules in RULES.values())


@dataclass(frozen=True)
class Measured:
    """What a check counted in one source.

    Attributes
    ----------
    failing, asked : numerator and denominator, keyed; `failing` is None for a median, an estimate or a size.
    value : median, or the survival in per cent that is nearest to the published one within its interval.
    refused : whether rows that were refused are among those failing.
    events : behind a survival estimate.
    judged_only : whether the number of rows asked would tell of outcomes or of refused rows, see `quality_rows`.
    """

    failing: KeyedCount | None
    asked: KeyedCount
    value: float | None = None
    refused: bool = False
    events: int | None = None
    judged_only: bool = False


Answers = dict[tuple[str, str], Measured]  # by source and check id


def measure_quality(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], read: Mapping[str, Read],
                    today: date, make_key: MakeKey) -> Answers:
    """Answer every check for every source handed over.

    Parameters
    ----------
    today : the day of the ingest, after which nobody can have been followed.

    Returns
    -------
    An answer for every source and rule; whether the rule applies to the source is decided elsewhere.
    """
    answers: Answers = {}
    accepted = _measure_counts(connection, rules, today, read, answers)
    _measure_piles(connection, rules, today, answers)
    _measure_survival(connection, rules, today, answers)
    refused = {source: KeyedCount(one.refused, make_key(source, QUARANTINED, one.refused))
               for source, one in read.items()}
    rows = {source: count_rows(source, one, union([accepted[source], refused[source]]), make_key)
            for source, one in read.items()}
    answers |= {place: Measured(failing, asked, refused=some_refused, judged_only=judged_only)
                for place, (failing, asked, some_refused, judged_only)
                in count_reports(connection, rules, rows, make_key).items()}
    for source in read:
        for rule in rules:
            if isinstance(rule.evidence, Refused):
                answers[source, rule.check.id] = Measured(refused[source], rows[source].first)
            answers.setdefault((source, rule.check.id), Measured(NOBODY, NOBODY))
    return answers


# -- shares, medians, constants ----------------------------------------------------------------------------------------


def _measure_counts(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], today: date,
                    read: Mapping[str, Read], answers: Answers) -> dict[str, KeyedCount]:
    """A row a source, two columns a condition. Returns the accepted patients of each source."""
    columns = Aggregates(today)
    whole = columns.count(Every(()))
    places = {rule.check.id: _places(rule, columns) for rule in rules}
    found: dict[str, list[Any]] = {source: [] for source in read}
    for sql, parameters in columns.statements(_COLUMNS_AT_ONCE):
        rows = {row[0]: row[1:] for row in connection.execute(sql, parameters).fetchall()}
        width = len(next(iter(rows.values()), ()))
        for source, cells in found.items():
            cells.extend(rows.get(source, (None,) * width))
    accepted = dict.fromkeys(read, NOBODY)
    for source, cells in found.items():
        if not cells:
            continue  # every row of it was refused, and those of all others
        accepted[source] = _count(cells, whole)
        for rule in rules:
            if places[rule.check.id]:
                answers[source, rule.check.id] = _read_counts(rule, cells, places[rule.check.id])
    return accepted


def _places(rule: Rule, columns: Aggregates) -> tuple[int, ...]:
    match rule.evidence:
        case Counted(failing, among):
            return columns.count(Every((among, failing))), columns.count(among)
        case Median(name, among):
            condition = Every((Known(name), among))
            middle = columns.add(f"CAST(median({quote(name)}) FILTER (WHERE {columns.condition(condition)}) AS DOUBLE)")
            return columns.count(condition), middle
        case Constant(name, among):
            kept = f"FILTER (WHERE {columns.condition(among)})"
            same = columns.add(f"min({quote(name)}) {kept} IS NOT DISTINCT FROM max({quote(name)}) {kept}")
            return columns.count(Every((Known(name), among))), same
        case Size():
            return (columns.count(Every(())),)
    return ()


def _read_counts(rule: Rule, cells: Sequence[Any], places: tuple[int, ...]) -> Measured:
    match rule.evidence:
        case Counted():
            return Measured(_count(cells, places[0]), _count(cells, places[1]))
        case Median():
            return Measured(None, _count(cells, places[0]), cells[places[1]])
        case Constant():
            asked = _count(cells, places[0])
            return Measured(asked if cells[places[1]] else NOBODY, asked)
    return Measured(None, _count(cells, places[0]))


def _count(cells: Sequence[Any], place: int) -> KeyedCount:
    return read_counts(cells[place:place + 2])[0]


# -- most frequent values ----------------------------------------------------------------------------------------------


def _measure_piles(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], today: date, answers: Answers) -> None:
    """One statement: each number unrolled into rows, counted by value, the largest count of each kept."""
    piles = [(rule.check.id, rule.evidence) for rule in rules if isinstance(rule.evidence, Pile)]
    if not piles:
        return
    columns = Aggregates(today)
    values = ", ".join(f"CASE WHEN {columns.condition(pile.among)} THEN CAST({quote(pile.variable)} AS DOUBLE) END"
                       for _, pile in piles)
    names = ", ".join(columns.bind(identifier) for identifier, _ in piles)
    rows = connection.execute(
        "SELECT source, name, max(n), arg_max(key, (n, value)), sum(n), bit_xor(key) FROM ("
        f"SELECT source, name, value, count(*) AS n, {key_sql()} AS key FROM ("
        f"SELECT source, {COLUMN}, unnest([{names}]) AS name, unnest([{values}]) AS value FROM staging) "
        "WHERE value IS NOT NULL GROUP BY ALL) GROUP BY ALL", columns.parameters).fetchall()
    for source, identifier, *counts in rows:
        failing, asked = read_counts([int(count) for count in counts])
        answers[source, identifier] = Measured(failing, asked)


# -- survival ----------------------------------------------------------------------------------------------------------


def _measure_survival(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], today: date,
                      answers: Answers) -> None:
    """One statement: an event table for every published figure, in one scan."""
    figures = {rule.check.id: rule.evidence for rule in rules if isinstance(rule.evidence, Survival)}
    if not figures:
        return
    columns = Aggregates(today)
    parts: list[list[str]] = [[], [], []]
    for identifier, figure in figures.items():
        parts[0].append(f"CASE WHEN {columns.condition(figure.among)} THEN {columns.bind(identifier)} END")
        parts[1].append(quote(f"{figure.endpoint}_days"))
        parts[2].append(quote(f"{figure.endpoint}_cause"))
    unrolled = ", ".join(f"unnest([{', '.join(part)}]) AS {name}"
                         for part, name in zip(parts, ("name", "day", "cause"), strict=True))
    rows = connection.execute(
        f"SELECT source, name, day, cause, {count_sql()} FROM (SELECT source, {COLUMN}, {unrolled} FROM staging) "
        "WHERE name IS NOT NULL AND day IS NOT NULL GROUP BY ALL", columns.parameters).fetchall()
    groups: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for source, identifier, *cells in rows:
        groups.setdefault((source, identifier), []).append(tuple(cells))
    for (source, identifier), cells_ in groups.items():
        answers[source, identifier] = _read_survival(figures[identifier], cells_)


def _read_survival(figure: Survival, rows: Sequence[tuple[Any, ...]]) -> Measured:
    day, cause = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    n = np.array([row[2] for row in rows])
    died = cause == 1
    table = EventTable.from_counts(("all",), ("all",), ("event",), np.zeros(len(rows), int), np.zeros(len(rows), int),
                                   day, n * ~died, (n * died)[:, None])
    at = read_survival(estimate_survival(table), [figure.day])
    patients = union(KeyedCount(int(row[2]), int(row[3])) for row in rows)
    low, high = 100 * float(at.lower[0]), 100 * float(at.upper[0])
    # No interval, no verdict: nobody followed that long, or nobody with the event.
    value = None if np.isnan(low) or np.isnan(high) else float(np.clip(figure.published, low, high))
    return Measured(None, patients, value, events=int((n * died).sum()))


# -- applicability -----------------------------------------------------------------------------------------------------


def only_applicable(answers: Answers, rules: Sequence[Rule], supplied: Mapping[str, frozenset[str]],
                    before: Mapping[str, frozenset[str]]) -> Answers:
    """The answers without those where the source does not supply what the rule needs and hardly anything was found.

    One that nobody could be asked for stays: that it is not there would tell none from one.

    Parameters
    ----------
    supplied : by source, the variables it supplies.
    before : by source, those that it supplied earlier, whether or not anybody had a value: that would tell one patient
        from none. One that it no longer supplies is lost, and its patients are asked for it nevertheless.
    """
    return {(source, rule.check.id): measured for source in supplied for rule in rules
            for measured in [answers[source, rule.check.id]]
            if _applies(rule, measured, supplied[source], before.get(source, frozenset()))}


def _applies(rule: Rule, measured: Measured, supplied: frozenset[str], before: frozenset[str]) -> bool:
    if isinstance(rule.evidence, Reported):
        return set(rule.needs) <= supplied or measured.refused or (measured.failing or 0) >= _FEWEST_FOUND
    return set(rule.needs) <= supplied | before

