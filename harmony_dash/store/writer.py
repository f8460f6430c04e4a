"""Writing one snapshot: rows in, checked, published, or nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from harmony_dash.dictionary.load import describe_dictionary
from harmony_dash.dictionary.model import Dictionary, VariableType
from harmony_dash.disclosure.anonymity import SourceAnonymity
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.quality.model import Rule
from harmony_dash.store import anonymity, layout, quality, quality_rows, quality_tables, record_keys, schema
from harmony_dash.store.causes import describe_database_error, readable_os_errors

# Called with the name of each stage; fault tests raise or kill in it.
Stage = Callable[[str], None]


_ISSUE_SCHEMA = pa.schema([
    pa.field(name, pa.int64() if name == "row_number" else pa.string())
    for name in ("source", "file", "row_number", "column_name", "variable", "reason", "severity", "message")])


def _no_stage(_: str) -> None:
    return


@dataclass(frozen=True)
class SourceRecord:
    """What a snapshot remembers of one source.

    Attributes
    ----------
    source, title, provider, trial, licence, description : from its source.yaml.
    synthetic : "true", "public" or "false".
    files : name to SHA-256 of every file read.
    read_count, accepted_count, quarantined_count : patients; the last two add up to the first.
    further : its files besides the one that lists the patients; only used while the snapshot is written.
    """

    source: str
    title: str
    provider: str
    trial: str
    licence: str
    synthetic: str
    description: str
    files: Mapping[str, str]
    read_count: int
    accepted_count: int
    quarantined_count: int
    further: tuple[quality_rows.FurtherFile, ...] = ()


class SnapshotWriter:
    """Collects sources into a temporary snapshot; made by `new_snapshot`.

    Attributes
    ----------
    sources : the records of the sources handed over so far.
    new_disclosure_key : whether the snapshot being served was made with another disclosure key.
    history_lost : whether the snapshot being served is damaged, so that answers of earlier snapshots are lost.

    Parameters
    ----------
    history : answers to the checks of quality in earlier snapshots, from `quality_tables.read_history`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, dictionary: Dictionary, disclosure_key: bytes, *,
                 new_disclosure_key: bool, history: quality_tables.History | None = None) -> None:
        self._connection = connection
        self._dictionary = dictionary
        self._disclosure_key = disclosure_key
        self.new_disclosure_key = new_disclosure_key
        self._schema = schema.staging_schema(dictionary)
        self.sources: list[SourceRecord] = []
        self._anonymity: Mapping[str, SourceAnonymity] | None = None
        self._history = quality_tables.no_history() if history is None else history
        self.history_lost = self._history.lost
        for statement in (*schema.STATIC_TABLES, *quality_tables.TABLES):
            connection.execute(statement)
        self._insert("staging", self._schema.empty_table(), create=True)

    def add_source(self, record: SourceRecord, rows: pd.DataFrame, issues: pd.DataFrame) -> None:
        """Add one harmonised source.

        Parameters
        ----------
        record : its description and counts.
        rows : one accepted patient a row, with the columns of `schema.staging_schema`; others are refused.
        issues : columns source, file, row, column, variable, reason, severity, message; no value of a patient.

        Raises
        ------
        StoreError if the rows do not fit the dictionary or the counts do not add up.
        """
        if len(rows) != record.accepted_count or (
                record.accepted_count + record.quarantined_count != record.read_count):
            raise StoreError(f"source '{record.source}' hands over {len(rows)} rows and counts that do not add up",
                             where=record.source, remedy="Report this as a bug.")
        ordered = rows.reindex(columns=self._schema.names)
        ordered[record_keys.COLUMN] = record_keys.make_record_keys(map(str, rows["patient"].tolist()),
                                                                   self._disclosure_key)
        self._insert("staging", pa.Table.from_pandas(ordered, schema=self._schema, preserve_index=False))
        if len(issues):
            named = issues.rename(columns={"row": "row_number", "column": "column_name"})
            self._insert("issue", pa.Table.from_pandas(named[list(_ISSUE_SCHEMA.names)], schema=_ISSUE_SCHEMA,
                                                       preserve_index=False))
        self._connection.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [record.source, record.title, record.provider, record.trial, record.licence, record.synthetic,
             record.description, json.dumps(dict(record.files), sort_keys=True), record.read_count,
             record.accepted_count, record.quarantined_count, record_keys.make_quarantine_key(
                 record.source, record.quarantined_count, self._disclosure_key)])
        self.sources.append(record)
        self._anonymity = None

    def measure_anonymity(self) -> Mapping[str, SourceAnonymity]:
        """By source, how easily its patients could be recognised; exact. The snapshot will carry it."""
        if self._anonymity is None:
            self._anonymity = anonymity.measure_anonymity(
                self._connection, [record.source for record in self.sources], self._dictionary)
        return self._anonymity

    def fetch_small_classes(self, source: str, by: Sequence[str], few: int) -> list[tuple[str | None, ...]]:
        """The values shared by fewer than `few` patients of a source handed over."""
        return anonymity.fetch_small_classes(self._connection, source, by, few)

    def assess_quality(self, rules: Sequence[Rule], supplied: Mapping[str, frozenset[str]], today: date,
                       signed: Collection[tuple[str, str]] = ()) -> None:
        """Ask every check of every source handed over; the snapshot will carry the answers and those before them.

        Parameters
        ----------
        rules : the checks, see `quality.catalogue`.
        supplied : by source, the variables it supplies.
        today : the day of the ingest.
        signed : sources, each with a snapshot in which a data manager signed it off.
        """
        read = {record.source: quality_rows.Read(record.accepted_count, record.quarantined_count, record.further)
                for record in self.sources}
        answers = quality.measure_quality(self._connection, rules, read, today, self._make_rows_key)
        before = quality_tables.supplied_before(self._history, signed)
        quality_tables.write_quality(
            self._connection, [rule.check for rule in rules], quality.only_applicable(answers, rules, supplied, before),
            supplied, self._history, self._make_rows_key, read)

    def _make_rows_key(self, source: str, what: str, n: int) -> int:
        return record_keys.make_rows_key(source, what, n, self._disclosure_key)

    @property
    def synthetic(self) -> bool:
        """Whether every source handed over so far is synthetic."""
        return all(record.synthetic == "true" for record in self.sources)

    def _insert(self, table: str, rows: pa.Table, *, create: bool = False) -> None:
        self._connection.register("incoming", rows)
        self._connection.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming" if create
                                 else f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
        self._connection.unregister("incoming")

    def finish(self, snapshot: str, created: datetime, *, may_be_empty: bool = False) -> int:
        """Build the final tables, check them, and return the number of patients.

        Parameters
        ----------
        may_be_empty : for a rehearsal, which tells of a source all of whose rows were refused what stands in the way.
        """
        codes = {v.name: self._observed(v.name) for v in schema.stored_variables(self._dictionary)
                 if v.type is VariableType.CODE}
        measured = self.measure_anonymity()
        for statement in schema.enum_statements(self._dictionary, codes):
            self._connection.execute(statement)
        self._connection.execute(schema.patient_statement(self._dictionary))
        self._connection.execute("DROP TABLE staging")
        patients = self._check(may_be_empty=may_be_empty)
        description = describe_dictionary(self._dictionary.diseases, self._dictionary.variables)
        meta = {
            "snapshot": snapshot, "schema": schema.SCHEMA_VERSION, "created": created.isoformat(timespec="seconds"),
            "dictionary_version": self._dictionary.version, "dictionary": description, "patients": patients,
            "code_values": {name: list(values) for name, values in codes.items()},
            "late_entry": self._scalar("SELECT count(*) FROM patient WHERE entry_days > 0") > 0,
            "synthetic": self.synthetic, "disclosure_key": record_keys.fingerprint_key(self._disclosure_key),
            "protection_may_be_off": all(record.synthetic in ("true", "public") for record in self.sources),
            "anonymity": anonymity.describe_anonymity(measured),
        }
        self._connection.executemany("INSERT INTO meta VALUES (?, ?)",
                                     [[key, json.dumps(value)] for key, value in meta.items()])
        self._connection.execute("CHECKPOINT")
        return patients

    def _observed(self, name: str) -> Sequence[str]:
        column = schema.quote(name)
        rows = self._connection.execute(
            f"SELECT DISTINCT {column} FROM staging WHERE {column} IS NOT NULL ORDER BY 1").fetchall()
        return [row[0] for row in rows]

    def _scalar(self, sql: str) -> int:
        return int(self._connection.execute(sql).fetchall()[0][0])

    def _check(self, *, may_be_empty: bool) -> int:
        patients = self._scalar("SELECT count(*) FROM patient")
        if patients == 0 and not may_be_empty:
            raise StoreError("no patient was accepted", remedy="See the issues of each source and mend them.")
        if patients != sum(record.accepted_count for record in self.sources):
            raise StoreError("the snapshot does not hold the patients its sources handed over",
                             remedy="Report this as a bug; the previous snapshot is still served.")
        repeated = self._scalar("SELECT count(*) - count(DISTINCT patient) FROM patient")
        if repeated:
            raise StoreError(f"{repeated} patients occur twice", remedy="Name each source folder once.")
        return patients


@contextmanager
def new_snapshot(store: Path, dictionary: Dictionary, now: datetime, disclosure_key: bytes, *, keep: int = 5,
                 stage: Stage = _no_stage, new_disclosure_key: bool = False,
                 ) -> Iterator[tuple[SnapshotWriter, list[str]]]:
    """Write a snapshot and publish it if the block ends without an error; otherwise nothing changes.

    Parameters
    ----------
    store : the store's folder, made if missing.
    dictionary : what the rows are checked against; it travels inside the snapshot.
    now : UTC time of publication, part of the id.
    disclosure_key : secret the record keys are made with; the one of the snapshot being served.
    keep : snapshots left on disk, the newest ones and always the current one.
    stage : called with "opened", "written", "recorded", "renamed" and "published" as each is reached.
    new_disclosure_key : accept a key that the snapshot being served was not made with.

    Yields
    ------
    The writer, and a list that holds the snapshot's id from the stage "written" on.

    Raises
    ------
    StoreError when the folder cannot be written, another ingest runs, or the checks fail. SettingsError for a
    disclosure key that is too short or not the one in use.
    """
    record_keys.check_disclosure_key(disclosure_key)
    fingerprint = record_keys.fingerprint_key(disclosure_key)
    published: list[str] = []
    with layout.writer_lock(store), readable_os_errors("the snapshot could not be written"):
        changed = layout.needs_new_key(store, fingerprint)
        if changed and not new_disclosure_key:
            raise _other_key()
        layout.remove_leftovers(store)
        layout.begin_pointer(store)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        temporary = store / f"{layout.TEMPORARY}{stamp}.duckdb"
        try:
            with _connection_to(temporary) as connection:
                stage("opened")
                writer = SnapshotWriter(connection, dictionary, disclosure_key, new_disclosure_key=changed,
                                        history=quality_tables.read_history(store, schema.SCHEMA_VERSION, fingerprint))
                yield writer, published
                snapshot = f"{stamp}-{_content_digest(writer.sources, dictionary)}"
                patients = writer.finish(snapshot, now)
            published.append(snapshot)
            stage("written")
            layout.sync_file(temporary)
            record = layout.SnapshotRecord(
                snapshot, layout.file_sha256(temporary), schema.SCHEMA_VERSION, now.isoformat(timespec="seconds"),
                patients, len(writer.sources), writer.synthetic, fingerprint)
            layout.write_record(layout.record_file(store, snapshot), record)
            stage("recorded")
            os.replace(temporary, layout.snapshot_file(store, snapshot))
            layout.sync_folder(store)
            stage("renamed")
            layout.write_record(store / layout.POINTER, record)
            stage("published")
            _forget_old(store, snapshot, keep)
        finally:
            for leftover in (temporary, temporary.with_name(temporary.name + ".wal")):
                leftover.unlink(missing_ok=True)


def _other_key() -> SettingsError:
    return SettingsError(
        "the disclosure key is not, or not known to be, the one the current snapshot was made with, and rounding the "
        "same patients anew would let people average the rounding out", where="HARMONY_DISCLOSURE_KEY",
        remedy="Put back the earlier key (the variable, or the file disclosure.key). If it is lost or known to others, "
               "run `ingest` with --new-disclosure-key.")


@contextmanager
def _connection_to(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path), config={"threads": 2, "memory_limit": "2GB"})
        layout.keep_private(path)
        try:
            yield connection
        finally:
            connection.close()
    except duckdb.Error as problem:
        cause = describe_database_error(problem) or type(problem).__name__
        raise StoreError(f"the snapshot could not be written ({cause})",
                         remedy="Free space or correct the permissions, then run the command again.") from problem


def _content_digest(sources: Sequence[SourceRecord], dictionary: Dictionary) -> str:
    """Eight digits that depend on the files read and the dictionary alone, so that the same data share them."""
    content: dict[str, Any] = {"dictionary": dictionary.version,
                               "files": sorted((s.source, name, digest) for s in sources
                                               for name, digest in s.files.items())}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def _forget_old(store: Path, current: str, keep: int) -> None:
    for snapshot in layout.published_snapshots(store)[: -max(keep, 1)]:
        if snapshot != current:
            layout.snapshot_file(store, snapshot).unlink(missing_ok=True)
            layout.record_file(store, snapshot).unlink(missing_ok=True)
