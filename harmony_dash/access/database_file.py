"""The file of the access database: making it, checking it, bringing it up to date."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from harmony_dash.access.migrations import MIGRATIONS
from harmony_dash.access.moments import to_text
from harmony_dash.errors import SettingsError, StoreError

# Tells our file from any other SQLite file.
APPLICATION_ID = 0x4841524D
BUSY_SECONDS = 10.0
_MIGRATION_TABLE = "create table migration (name text primary key, applied text not null) strict"


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the file, which must exist; transactions are begun and ended by hand."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}", uri=True,
                                 timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def create(path: Path, now: datetime) -> None:
    """Make the file complete under another name first: a crash or a second process never meets half of one."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(fresh)) as connection:
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
            connection.execute(_MIGRATION_TABLE)
            migrate(connection, path, now)
        with suppress(FileExistsError):  # another process was first; its file is as good as ours
            os.link(fresh, path)
    except (OSError, sqlite3.OperationalError) as error:
        cause = describe_refusal(error) if isinstance(error, sqlite3.OperationalError) else str(error.strerror).lower()
        raise SettingsError("the access database cannot be created" + (f" ({cause})" if cause else ""), where=path.name,
                            remedy="Set HARMONY_ACCESS to a file in a folder this user may write, on a disk with "
                                   "room.") from error
    finally:
        fresh.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Refuse a file that is missing, empty, or readable by others."""
    if not path.is_file() or path.stat().st_size == 0:
        raise damaged(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SettingsError("the access database can be read by others", where=path.name,
                            remedy=f"Run `chmod 600` on {path.name}.")


def check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is not ours, is damaged, or misses a table or trigger that its own record says it has."""
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise StoreError("this is not an access database", where=path.name,
                         remedy="Set HARMONY_ACCESS to the right file.")
    if not _is_sound(connection):
        raise damaged(path)
    applied = _applied(connection)
    known = [name for name, _ in MIGRATIONS]
    if applied != known[: len(applied)]:
        raise StoreError("the access database was written by a newer version", where=path.name,
                         remedy="Start the version that wrote it, or restore a backup.")
    if _schema(connection) != _expected_schema(len(applied)):
        raise StoreError("the access database has lost, or was given, a table, index or trigger", where=path.name,
                         remedy="Restore it from a backup.")


def _is_sound(connection: sqlite3.Connection) -> bool:
    """Whether all pages hang together, and the rows of every table but the trail agree with their indexes.

    The trail has a proof of its own, and comparing its indexes would take the longer the longer it is.
    """
    if connection.execute("pragma quick_check").fetchone()[0] != "ok":
        return False
    tables = connection.execute("select name from sqlite_master where type = 'table' and name <> 'audit' "
                                "and name not like 'sqlite_%'").fetchall()
    return all(connection.execute(f"pragma integrity_check('{_quoted(row[0])}')").fetchone()[0] == "ok"
               for row in tables)


def _quoted(name: str) -> str:
    return name.replace("'", "''")


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


def migrate(connection: sqlite3.Connection, path: Path, now: datetime) -> None:
    """Take the steps that the file has not taken yet."""
    for name, statements in MIGRATIONS:
        connection.execute("begin immediate")
        try:
            if name not in _applied(connection):
                for statement in statements:
                    connection.execute(statement)
                connection.execute("insert into migration values (?, ?)", (name, to_text(now)))
            connection.execute("commit")
        except sqlite3.Error as error:
            connection.execute("rollback")
            raise StoreError(f"step '{name}' of the access database failed", where=path.name,
                             remedy="Restore it from a backup and check that the disk has room.") from error


# What the machine refuses, and not the file; anything else that SQLite says of a file is damage.
_REFUSALS = {
    sqlite3.SQLITE_FULL: "the disk is full", sqlite3.SQLITE_READONLY: "it may only be read",
    sqlite3.SQLITE_PERM: "permission denied", sqlite3.SQLITE_CANTOPEN: "it, or a file beside it, cannot be opened",
    sqlite3.SQLITE_BUSY: "another process keeps it locked", sqlite3.SQLITE_LOCKED: "another process keeps it locked",
}
_IO_REFUSALS = {
    **dict.fromkeys((sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE,
                     sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMMAP),
                    "the disk takes no more bytes"),
    sqlite3.SQLITE_IOERR_READ: "the disk fails to give its bytes",
}


def describe_refusal(error: sqlite3.OperationalError) -> str:
    """Why the machine did not let a file be opened or written; empty where SQLite gives no such reason."""
    code = getattr(error, "sqlite_errorcode", 0)
    return _IO_REFUSALS.get(code) or _REFUSALS.get(code & 0xFF, "")


def unusable(path: Path, error: sqlite3.DatabaseError) -> StoreError:
    """The error for a file that cannot be opened; it is called damaged only if it is: the remedy would lose it."""
    cause = describe_refusal(error) if isinstance(error, sqlite3.OperationalError) else ""
    if not cause:
        return damaged(path)
    return StoreError(f"the access database cannot be opened ({cause})", where=path.name,
                      remedy="Correct that (the disk and the room on it, the owner of the file and its folder, the "
                             "limit of open files) and start again; the file itself was not changed.")


def damaged(path: Path) -> StoreError:
    """The error for a file that cannot be read as a database."""
    return StoreError("the access database is damaged or cannot be read; nobody can sign in", where=path.name,
                      remedy="Restore it from a backup, or move it away to start with no accounts.")
