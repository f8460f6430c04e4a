"""Reading: one locked-down read-only connection a snapshot file, one cursor a query."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from harmony_dash.dictionary.load import restore_dictionary
from harmony_dash.dictionary.model import Dictionary, Variable
from harmony_dash.errors import StoreError
from harmony_dash.store import layout
from harmony_dash.store.causes import describe_database_error, describe_os_error, remedy_for

# Listing, accounts and the sign-in page open no snapshot, and would wait half a second for NumPy and what stands on it.
if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from harmony_dash.disclosure.anonymity import SourceAnonymity

_REFUSE = {
    "enable_external_access": "false", "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
    "allow_community_extensions": "false", "allow_persistent_secrets": "false", "python_enable_replacements": "false",
    "lock_configuration": "true",
}


_GO_BACK = "Go back to an earlier one with `snapshots --rollback ID`, or ingest again."

# Ten times what the slowest question over ten million patients takes.
LONGEST_QUERY_MS = 10_000


@dataclass(frozen=True)
class FileMark:
    """What tells a file from one that was put in its place; an open one is read on although it is gone."""

    path: Path
    device: int
    inode: int
    bytes: int

    @classmethod
    def of(cls, path: Path) -> FileMark:
        """The mark of the file that is there now; `OSError` if there is none."""
        found = path.stat()
        return cls(path, found.st_dev, found.st_ino, found.st_size)


@dataclass(frozen=True)
class Snapshot:
    """An open snapshot. Values are read once; every query runs on a cursor of its own.

    `anonymity` holds exact figures by source, for whoever decides about sources.
    """

    snapshot: str
    created: str
    dictionary: Dictionary
    patients: int
    synthetic: bool
    protection_may_be_off: bool
    late_entry: bool
    code_values: Mapping[str, tuple[str, ...]]
    anonymity: Mapping[str, SourceAnonymity]
    _connection: duckdb.DuckDBPyConnection = field(repr=False, compare=False)
    _file: FileMark | None = field(default=None, repr=False, compare=False, kw_only=True)

    def values_of(self, variable: Variable) -> tuple[str, ...]:
        """Values of a categorical variable in display order: the dictionary's, or those found at ingest."""
        return tuple(variable.values) or self.code_values.get(variable.name, ())

    def fetch_columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> dict[str, NDArray[Any]]:
        """Run one statement of this package and return its columns as arrays (masked where null)."""
        with self._cursor() as cursor:
            columns: dict[str, Any] = cursor.execute(sql, dict(parameters or {})).fetchnumpy()
        return columns

    def fetch_rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement of this package and return its rows."""
        with self._cursor() as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(sql, dict(parameters or {})).fetchall()
        return rows

    def fetch_arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement of this package and return its rows as an Arrow table."""
        with self._cursor() as cursor:
            table: pa.Table = cursor.sql(sql, params=dict(parameters or {})).to_arrow_table()
        return table

    def is_readable(self) -> bool:
        """Whether its file is still in its place and a query on it is answered; reads nothing of the patients."""
        try:
            if self._file is not None and FileMark.of(self._file.path) != self._file:
                return False
            return bool(self.fetch_rows("SELECT key FROM meta LIMIT 1"))
        except (OSError, duckdb.Error, StoreError):
            return False

    def close(self) -> None:
        """Close the file; queries that run are stopped."""
        self._connection.close()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except duckdb.InterruptException:
            raise StoreError("the question took too long and was stopped", remedy="Ask with fewer groups.") from None
        except duckdb.ConnectionException:
            raise StoreError("these data were replaced or taken away while the question ran",
                             remedy="Ask again.") from None
        except duckdb.Error as problem:
            # the file was whole when it was opened; its blocks are checked again whenever they are read
            if not _is_read_failure(problem):
                raise
            raise StoreError(f"the current snapshot cannot be read to the end ({_describe(problem)})",
                             where=self.snapshot, remedy=_GO_BACK) from problem


class Store:
    """The readers' side of a store folder: serves the snapshot that `CURRENT` names, and follows it when it moves."""

    def __init__(self, folder: Path, *, threads: int = 2, memory_limit: str = "1GB") -> None:
        self.folder = folder
        self.config = {**_REFUSE, "threads": str(threads), "memory_limit": memory_limit,
                        "max_execution_time": str(LONGEST_QUERY_MS)}
        self._open: dict[str, Snapshot] = {}
        self._lock = threading.Lock()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever published here."""
        return layout.read_pointer(self.folder) is None

    def current(self) -> Snapshot:
        """The snapshot being served; a page takes it once and uses it to the end.

        Raises
        ------
        StoreError if nothing was published, or the snapshot is missing or damaged.
        """
        record = layout.read_pointer(self.folder)
        if record is None:
            raise StoreError("the store holds no snapshot yet", remedy="Run `ingest` on one or more source folders.")
        with self._lock:
            if record.snapshot not in self._open:
                self._open[record.snapshot] = _open_snapshot(self.folder, record, self.config)
                # Pages in flight may still use the one before; older ones are done with.
                for old in list(self._open)[:-2]:
                    self._open.pop(old).close()
            return self._open[record.snapshot]

    @contextmanager
    def at(self, snapshot: str | None) -> Iterator[Snapshot]:
        """The snapshot of that id, as long as the block lasts: an earlier one that is still kept, or None for the one
        being served.

        Raises
        ------
        StoreError if there is no such snapshot, or it is damaged or in another format.
        """
        current = self.current()
        if snapshot is None or snapshot == current.snapshot:
            yield current
            return
        record = layout.read_record(layout.record_file(self.folder, snapshot), "Choose another snapshot.")
        if record is None:
            raise StoreError("there is no such snapshot", where=snapshot[:40], remedy="List them with `snapshots`.")
        opened = _open_snapshot(self.folder, record, self.config)
        try:
            yield opened
        finally:
            opened.close()


def connect_locked_down(path: Path, config: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """A read-only connection that can reach nothing but this file."""
    return duckdb.connect(str(path), read_only=True, config=dict(config))


def _open_snapshot(folder: Path, record: layout.SnapshotRecord, config: Mapping[str, str]) -> Snapshot:
    from harmony_dash.store.schema import SCHEMA_VERSION

    path = layout.snapshot_file(folder, record.snapshot)
    damaged = StoreError("the current snapshot is missing or damaged", where=record.snapshot, remedy=_GO_BACK)
    try:
        if layout.file_sha256(path) != record.sha256:
            raise damaged
        connection = connect_locked_down(path, config)
        file = FileMark.of(path)
        meta = {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta").fetchall()}
    except FileNotFoundError as problem:
        raise damaged from problem
    except OSError as problem:
        raise _unreadable(record.snapshot, describe_os_error(problem), remedy_for(problem)) from problem
    except (duckdb.Error, ValueError) as problem:
        # the bytes are those that were published, so what fails is the machine
        raise _unreadable(record.snapshot, _describe(problem)) from problem
    if meta["schema"] != SCHEMA_VERSION:
        connection.close()
        raise StoreError(f"the snapshot was written in format {meta['schema']}, this version reads "
                         f"{SCHEMA_VERSION}", where=record.snapshot, remedy="Ingest the sources again.")
    return replace(make_snapshot(connection, meta, record.snapshot), _file=file)


def make_snapshot(connection: duckdb.DuckDBPyConnection, meta: Mapping[str, Any], snapshot: str) -> Snapshot:
    """A snapshot to read from an open file and its table `meta`."""
    from harmony_dash.store.anonymity import restore_anonymity

    return Snapshot(
        snapshot=snapshot, created=meta["created"], patients=meta["patients"], synthetic=meta["synthetic"],
        dictionary=restore_dictionary(meta["dictionary"], meta["dictionary_version"]),
        protection_may_be_off=meta["protection_may_be_off"], late_entry=meta["late_entry"],
        code_values={name: tuple(values) for name, values in meta["code_values"].items()},
        anonymity=restore_anonymity(meta.get("anonymity", {})), _connection=connection)


def _unreadable(snapshot: str, cause: str,
                remedy: str = "Correct that and try again; the snapshot itself is as it was published.") -> StoreError:
    return StoreError(f"the current snapshot cannot be opened ({cause})", where=snapshot, remedy=remedy)


def _is_read_failure(problem: duckdb.Error) -> bool:
    """Whether the file or the machine failed, and not the statement; a damaged block is a plain `duckdb.Error`."""
    return type(problem) is duckdb.Error or isinstance(
        problem, duckdb.IOException | duckdb.FatalException | duckdb.InternalException)


def _describe(problem: Exception) -> str:
    return describe_database_error(problem) or "its file is damaged or the disk fails"
