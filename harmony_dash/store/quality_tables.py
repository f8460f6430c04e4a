"""The answers to the checks, kept with the snapshot, and those of the snapshots before it.

    quality_check     one row a check: its words and limits, as they were when it was asked
    quality_answer    one row a source and check that applies
    quality_history   the same of earlier snapshots, carried from snapshot to snapshot
    quality_past      of every source in these: what it supplied, and the countries of its patients
    quality_reason    rows that ingest reported, counted by file, column, reason and words

History is only carried between snapshots of one disclosure key: with another key the same patients would be rounded a
second time, and who saw both roundings would know more than either tells.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.errors import StoreError
from harmony_dash.quality.model import Category, Check, Judgement, Showing
from harmony_dash.store import layout
from harmony_dash.store.quality import Answers, Measured
from harmony_dash.store.quality_rows import MakeKey, Read
from harmony_dash.store.reader import Snapshot

# As many snapshots as a committee looks back on.
MOST_SNAPSHOTS = 12
SUPPLIED = "quality_supplied"

_NUMBERS = ("failing BIGINT, failing_key UBIGINT, asked BIGINT, asked_key UBIGINT, value DOUBLE, refused BOOLEAN, "
            "events BIGINT, judged_only BOOLEAN")
_NAMES = ("failing", "failing_key", "asked", "asked_key", "value", "refused", "events", "judged_only")
TABLES = (
    """CREATE TABLE quality_check (
        place INTEGER, id VARCHAR PRIMARY KEY, type VARCHAR, category VARCHAR, variable VARCHAR, label VARCHAR,
        words VARCHAR, asked VARCHAR, judgement VARCHAR, warn DOUBLE, fail DOUBLE, low DOUBLE, high DOUBLE,
        least INTEGER, showing VARCHAR, digest VARCHAR)""",
    f"CREATE TABLE quality_answer (source VARCHAR, check_id VARCHAR, {_NUMBERS})",
    f"CREATE TABLE quality_history (snapshot VARCHAR, created VARCHAR, may_be_off BOOLEAN, source VARCHAR, "
    f"check_id VARCHAR, digest VARCHAR, {_NUMBERS})",
    """CREATE TABLE quality_reason (
        source VARCHAR, file VARCHAR, column_name VARCHAR, variable VARCHAR, reason VARCHAR, message VARCHAR,
        refused BOOLEAN, of_outcomes BOOLEAN, n BIGINT, key UBIGINT)""",
    "CREATE TABLE quality_past (snapshot VARCHAR, source VARCHAR, supplied VARCHAR[], countries VARCHAR[])",
)
_ANSWER = pa.schema([("source", pa.string()), ("check_id", pa.string()), ("failing", pa.int64()),
                     ("failing_key", pa.uint64()), ("asked", pa.int64()), ("asked_key", pa.uint64()),
                     ("value", pa.float64()), ("refused", pa.bool_()), ("events", pa.int64()),
                     ("judged_only", pa.bool_())])
_HISTORY = pa.schema([("snapshot", pa.string()), ("created", pa.string()), ("may_be_off", pa.bool_()),
                      *list(_ANSWER)[:2], ("digest", pa.string()), *list(_ANSWER)[2:]])
_PAST = pa.schema([("snapshot", pa.string()), ("source", pa.string()), ("supplied", pa.list_(pa.string())),
                   ("countries", pa.list_(pa.string()))])


@dataclass(frozen=True)
class Earlier:
    """A source in an earlier snapshot.

    Attributes
    ----------
    may_be_off : whether that snapshot, of synthetic or published patients alone, needed no protection.
    answers : digest and answer of each check.
    countries : of the patients that these were counted of.
    """

    snapshot: str
    created: str
    may_be_off: bool
    answers: Mapping[str, tuple[str, Measured]]
    countries: frozenset[str]


# -- writing -----------------------------------------------------------------------------------------------------------


def write_quality(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check], answers: Answers,
                  supplied: Mapping[str, frozenset[str]], history: History, make_key: MakeKey,
                  read: Mapping[str, Read]) -> None:
    """Fill the tables.

    Parameters
    ----------
    read : by source, its files, some of whose rows may be those of the patients who died.
    """
    names = [field.name for field in fields(Check)]
    definitions = pa.table({"place": list(range(len(checks))), **{
        name: [_plain(getattr(check, name)) for check in checks] for name in names}})
    kept = [(source, check_id, *_cells(measured)) for (source, check_id), measured in answers.items()]
    columns = list(zip(*kept, strict=True)) if kept else [()] * len(_ANSWER)
    table = pa.table([pa.array(list(column), type=field.type) for column, field in zip(columns, _ANSWER, strict=True)],
                     schema=_ANSWER)
    for target, rows in (("quality_check", definitions), ("quality_answer", table), ("quality_history", history.rows),
                         ("quality_past", history.past)):
        connection.register("incoming", rows)
        connection.execute(f"INSERT INTO {target} BY NAME SELECT * FROM incoming")
        connection.unregister("incoming")
    _write_reasons(connection, make_key, read)
    connection.execute("INSERT INTO meta VALUES (?, ?)", [
        SUPPLIED, json.dumps({source: sorted(names) for source, names in supplied.items()})])


def _write_reasons(connection: duckdb.DuckDBPyConnection, make_key: MakeKey,
                   read: Mapping[str, Read]) -> None:
    rows = connection.execute(
        "SELECT source, file, column_name, variable, reason, message, severity = 'error' AS refused, count(*) AS n "
        "FROM issue GROUP BY ALL ORDER BY ALL").fetchall()
    if rows:
        connection.executemany("INSERT INTO quality_reason VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [
            (*row[:7], read[row[0]].tells_outcomes(row[1], row[3]), row[7],
             make_key(row[0], "|".join(map(str, row[1:7])), row[7])) for row in rows])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Category | Judgement | Showing) else value


def _cells(measured: Measured) -> tuple[Any, ...]:
    failing = measured.failing
    return (None if failing is None else int(failing), None if failing is None else failing.key, int(measured.asked),
            measured.asked.key, measured.value, measured.refused, measured.events, measured.judged_only)


@dataclass(frozen=True)
class History:
    """What earlier snapshots hand on.

    Attributes
    ----------
    rows : answers, one row a snapshot, source and check.
    past : what was supplied and by whom, one row a snapshot and source.
    lost : whether there should be some and the snapshot which holds them is damaged.
    """

    rows: pa.Table
    past: pa.Table
    lost: bool = False


def no_history(*, lost: bool = False) -> History:
    """The history of a first snapshot."""
    return History(_HISTORY.empty_table(), _PAST.empty_table(), lost)


def read_history(store: Path, schema_version: int, key_fingerprint: str) -> History:
    """What the snapshot being served can hand on: its own answers and its history.

    Nothing if there is none, or it has another format or key. It is lost if the snapshot is damaged: an ingest is how a
    damaged store is mended, and must not depend on what it replaces.

    Raises
    ------
    StoreError if the snapshot is whole and yet its history could not be read.
    """
    try:
        record = layout.read_pointer(store)
    except layout.DamagedRecord:
        return no_history(lost=True)
    if record is None or record.schema != schema_version or record.key_fingerprint != key_fingerprint:
        return no_history()
    try:
        file = layout.snapshot_file(store, record.snapshot)
        if layout.file_sha256(file) != record.sha256:
            return no_history(lost=True)
        return _read_file(file, record)
    except (OSError, duckdb.IOException):
        return no_history(lost=True)
    except duckdb.Error as problem:
        raise StoreError(f"the history of quality could not be read ({type(problem).__name__})", where=record.snapshot,
                         remedy="Run the command again; report it as a bug if it stays.") from problem


def supplied_before(history: History, signed: Collection[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """By source, the variables that it supplied in the snapshots before, whether or not anybody had a value.

    Parameters
    ----------
    signed : sources and the snapshots in which they were signed off. What a source supplied before the newest of them
        that is in the history, and no longer in it, somebody has seen and said something of.
    """
    found: dict[str, set[str]] = {}
    ended: set[str] = set()
    for row in sorted(history.past.to_pylist(), key=lambda row: str(row["snapshot"]), reverse=True):
        source = row["source"]
        if source not in ended:
            found.setdefault(source, set()).update(row["supplied"])
        if (source, row["snapshot"]) in signed:
            ended.add(source)
    return {source: frozenset(names) for source, names in found.items()}


def _read_file(file: Path, record: layout.SnapshotRecord) -> History:
    names = ", ".join(_NAMES)
    # Attached, not connected to: this process may have it open already, with settings of its own.
    with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "1GB"}) as connection:
        path = str(file).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS earlier (READ_ONLY)")
        connection.execute("USE earlier")
        kept = "WHERE snapshot IN (SELECT DISTINCT snapshot FROM quality_past ORDER BY snapshot DESC LIMIT $most)"
        most = {"most": MOST_SNAPSHOTS - 2}
        rows: pa.Table = connection.sql(
            "SELECT $snapshot AS snapshot, $created AS created, (SELECT value = 'true' FROM meta "
            f"WHERE key = 'protection_may_be_off') AS may_be_off, source, check_id, digest, {names} FROM "
            "(SELECT a.*, c.digest FROM quality_answer a JOIN quality_check c ON c.id = a.check_id) UNION ALL "
            f"SELECT snapshot, created, may_be_off, source, check_id, digest, {names} FROM quality_history {kept}",
            params={"snapshot": record.snapshot, "created": record.created, **most}).to_arrow_table()
        past: pa.Table = connection.sql(f"SELECT * FROM quality_past {kept}", params=most).to_arrow_table()
        supplied = _read_supplied(connection.execute("SELECT value FROM meta WHERE key = ?", [SUPPLIED]).fetchall())
        countries = connection.execute(
            "SELECT s.source::VARCHAR, list(DISTINCT country::VARCHAR) FILTER (country IS NOT NULL) FROM source s "
            "LEFT JOIN patient p ON p.source::VARCHAR = s.source::VARCHAR GROUP BY ALL").fetchall()
    newest = pa.Table.from_pylist([
        {"snapshot": record.snapshot, "source": source, "supplied": sorted(supplied.get(source, ())),
         "countries": found or []} for source, found in countries], schema=_PAST)
    return History(rows.cast(_HISTORY), pa.concat_tables([newest, past.cast(_PAST)]))


# -- reading -----------------------------------------------------------------------------------------------------------


def fetch_checks(snapshot: Snapshot) -> tuple[Check, ...]:
    """The checks the snapshot was asked, in their order; none for one that was written without."""
    names = [field.name for field in fields(Check)]
    rows = snapshot.fetch_rows(f"SELECT {', '.join(names)} FROM quality_check ORDER BY place")
    return tuple(Check(**{**dict(zip(names, row, strict=True)), "category": Category(row[names.index("category")]),
                          "judgement": Judgement(row[names.index("judgement")]),
                          "showing": Showing(row[names.index("showing")])}) for row in rows)


def fetch_answers(snapshot: Snapshot, source: str | None = None) -> dict[str, dict[str, Measured]]:
    """By source and check id, what was counted; all sources for None."""
    rows = snapshot.fetch_rows(f"SELECT source, check_id, {', '.join(_NAMES)} FROM quality_answer "
                               "WHERE $source IS NULL OR source = $source", {"source": source})
    found: dict[str, dict[str, Measured]] = {}
    for name, check_id, *cells in rows:
        found.setdefault(name, {})[check_id] = _measured(cells)
    return found


def fetch_history(snapshot: Snapshot, source: str | None = None) -> dict[str, tuple[Earlier, ...]]:
    """By source, its answers in earlier snapshots, newest first; all sources for None."""
    only = "WHERE $source IS NULL OR source = $source"
    countries = {(name, earlier): frozenset(found or ()) for name, earlier, found in snapshot.fetch_rows(
        f"SELECT source, snapshot, countries FROM quality_past {only}", {"source": source})}
    rows = snapshot.fetch_rows(f"SELECT source, snapshot, created, may_be_off, check_id, digest, {', '.join(_NAMES)} "
                               f"FROM quality_history {only} ORDER BY snapshot DESC", {"source": source})
    found: dict[str, dict[tuple[str, str, bool], dict[str, tuple[str, Measured]]]] = {}
    for name, earlier, created, may_be_off, check_id, digest, *cells in rows:
        place = earlier, created, may_be_off
        found.setdefault(name, {}).setdefault(place, {})[check_id] = digest, _measured(cells)
    return {name: tuple(Earlier(*place, answers, countries[name, place[0]]) for place, answers in by_snapshot.items())
            for name, by_snapshot in found.items()}


def fetch_supplied(snapshot: Snapshot) -> dict[str, frozenset[str]]:
    """By source, the variables it supplies."""
    return _read_supplied(snapshot.fetch_rows("SELECT value FROM meta WHERE key = $key", {"key": SUPPLIED}))


def _read_supplied(rows: Sequence[tuple[Any, ...]]) -> dict[str, frozenset[str]]:
    return {source: frozenset(names) for source, names in json.loads(rows[0][0]).items()} if rows else {}


def _measured(cells: Sequence[Any]) -> Measured:
    failing, failing_key, asked, asked_key, value, refused, events, judged_only = cells
    return Measured(None if failing is None else KeyedCount(failing, failing_key), KeyedCount(asked, asked_key), value,
                    bool(refused), events, bool(judged_only))
