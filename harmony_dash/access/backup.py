"""Copying the access database while it is written, and taking a copy into use."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime
from pathlib import Path

from harmony_dash.access import chain, verification
from harmony_dash.access import head as heads
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, to_text
from harmony_dash.access.database_file import check_content, connect, damaged
from harmony_dash.access.head import Head
from harmony_dash.access.inspection import inspect
from harmony_dash.access.trail import TrailBroken
from harmony_dash.errors import StoreError


def copy_database(database: AccessDatabase, target: Path) -> Head:
    """Write the database, as it is at one moment, into a new file, and check every link of the copy's trail.

    It is SQLite's own online backup: whoever writes meanwhile neither waits nor is seen by halves.

    Returns
    -------
    The sealed head of the copy.

    Raises
    ------
    TrailBroken, another StoreError for a damaged database; OSError.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    copy = connect(target)
    try:
        with database.snapshot() as source:
            _fill(copy, source, database.path)
        # one file, without a log beside it
        copy.execute("pragma journal_mode = delete")
        check_content(copy, target)
        found = inspect(copy, database.derive_key(chain.KEY_PURPOSE))
    except sqlite3.DatabaseError as error:
        raise damaged(database.path) from error
    finally:
        copy.close()
    if found.broken is not None:
        raise TrailBroken(found.broken, where=database.path.name)
    last = found.last
    return heads.seal_head(database.derive_key(heads.KEY_PURPOSE), *((last[0], last[1], last[-1]) if last
                                                                      else (0, "", "")))


def _fill(copy: sqlite3.Connection, source: sqlite3.Connection, path: Path) -> None:
    try:
        source.backup(copy)
    except sqlite3.OperationalError as error:  # of the disk, not of what is in the file
        raise StoreError(f"the access database could not be copied ({error})", where=path.name,
                         remedy="Free space or correct the permissions, then run the command again.") from error


def settle_copy(database: AccessDatabase, event: AuditEvent, now: datetime) -> None:
    """Take a restored copy into use: end what was open when it was made, record it, and check the whole trail.

    A session that was ended since the copy was made would otherwise be open again, for whoever kept its cookie.

    Raises
    ------
    TrailBroken, AuditUnavailable.
    """
    with database.write() as connection:
        connection.execute("update session set ended = ? where ended is null", (to_text(now),))
        connection.execute("delete from ticket")
        record(connection, event, now=now)
    found = verification.verify(database)
    if found.broken is not None:
        raise TrailBroken(found.broken, where=database.path.name)
