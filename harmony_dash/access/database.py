"""One SQLite file for accounts, sessions and the audit trail.

It never starts open: a file that is empty, damaged, foreign, newer than this version, or whose audit trail has lost
its triggers is refused with a remedy.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from harmony_dash.access.migrations import MIGRATIONS
from harmony_dash.errors import AccessRefused, SettingsError, StoreError

# Tells our file from any other SQLite file.
APPLICATION_ID = 0x4841524D
BUSY_SECONDS = 10.0
_MIGRATION_TABLE = "create table migration (name text primary key, applied text not null) strict"


class AuditUnavailable(AccessRefused):
    """The trail, and with it this database, cannot be written, so nothing that must be recorded may happen."""

    def __init__(self) -> None:
        super().__init__("this cannot be done because the audit trail cannot be written",
                         remedy="Tell whoever runs the server; nothing was changed or shown.")


class AccessDatabase:
    """The access database of one deployment, safe to share between threads and processes.

    Parameters
    ----------
    path : the SQLite file; made with mode 0600, together with its folder, when it does not exist.

    Raises
    ------
    StoreError for a file that is damaged, empty, or not ours.
    SettingsError for a file that other users of the machine may read, or that cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # One connection and one lock: the statements take microseconds, and a connection per thread would grow with
        # the threads that Streamlit starts for every run.
        self._lock = threading.RLock()
        if not path.exists():
            _create(path)
        _check_file(path)
        try:
            self._connection = _connect(path)
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            _check_content(self._connection, path)
            _migrate(self._connection, path)
        except sqlite3.DatabaseError as error:
            raise _damaged(path) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that change nothing."""
        with self._lock:
            yield self._connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one transaction: all of the block is saved, or none of it.

        Raises
        ------
        AuditUnavailable if the file cannot be written: disk full, read-only, locked by another process.
        """
        with self._lock:
            try:
                self._connection.execute("begin immediate")
                yield self._connection
                self._connection.execute("commit")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                if isinstance(error, sqlite3.OperationalError):
                    raise AuditUnavailable from error
                raise

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        with self._lock:
            self._connection.close()


def to_text(moment: datetime) -> str:
    """A moment as fixed-width UTC text, so that text order is time order."""
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _create(path: Path) -> None:
    """Make the file complete under another name first: a crash or a second process never meets half of one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        connection = _connect(fresh)
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.execute(_MIGRATION_TABLE)
        _migrate(connection, path)
        connection.close()
        with suppress(FileExistsError):  # another process was first; its file is as good as ours
            os.link(fresh, path)
    except OSError as error:
        raise SettingsError("the access database cannot be created", where=path.name,
                            remedy="Set HARMONY_ACCESS to a file in a folder this user may write.") from error
    finally:
        fresh.unlink(missing_ok=True)


def _check_file(path: Path) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        raise _damaged(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingsError("the access database can be read by others", where=path.name,
                            remedy=f"Run `chmod 600` on {path.name}.")


def _check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not ours, is damaged, or misses a table or trigger that its own record says it has."""
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError("this is not an access database", where=path.name,
                         remedy="Set HARMONY_ACCESS to the right file.")
    if connection.execute("pragma quick_check").fetchone()[0] != "ok":
        raise _damaged(path)
    applied = _applied(connection)
    known = [name for name, _ in MIGRATIONS]
    if applied != known[: len(applied)]:
        raise StoreError("the access database was written by a newer version", where=path.name,
                         remedy="Start the version that wrote it, or restore a backup.")
    if _schema(connection) != _expected_schema(len(applied)):
        raise StoreError("the access database has lost, or was given, a table, index or trigger", where=path.name,
                         remedy="Restore it from a backup.")


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Name to definition of everything in the file that somebody defined."""
    rows = connection.execute("select name, sql from sqlite_master where sql is not null and name not like 'sqlite_%'")
    return {row[0]: _normalise(row[1]) for row in rows}


def _expected_schema(steps: int) -> dict[str, str]:
    """What the first steps leave behind, found by taking them in an empty database."""
    empty = sqlite3.connect(":memory:")
    empty.execute(_MIGRATION_TABLE)
    for _, statements in MIGRATIONS[:steps]:
        for statement in statements:
            empty.execute(statement)
    expected = _schema(empty)
    empty.close()
    return expected


def _normalise(statement: str) -> str:
    return " ".join(statement.lower().split())


def _applied(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("select name from migration order by name")]


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    for name, statements in MIGRATIONS:
        connection.execute("begin immediate")
        try:
            if name not in _applied(connection):
                for statement in statements:
                    connection.execute(statement)
                connection.execute("insert into migration values (?, ?)", (name, to_text(datetime.now(UTC))))
            connection.execute("commit")
        except sqlite3.Error as error:
            connection.execute("rollback")
            raise StoreError(f"step '{name}' of the access database failed", where=path.name,
                             remedy="Restore it from a backup and check that the disk has room.") from error


def _damaged(path: Path) -> StoreError:
    return StoreError("the access database is damaged or cannot be read; nobody can sign in", where=path.name,
                      remedy="Restore it from a backup, or move it away to start with no accounts.")
