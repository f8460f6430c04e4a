"""Proving that the whole audit trail is as it was written, or naming the first place where it is not."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from harmony_dash.access import chain, head
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.head import Head
from harmony_dash.access.inspection import Break, Fault, Inspection, inspect
from harmony_dash.access.trail import HEAD_MISSING, TrailBroken
from harmony_dash.errors import HarmonyError, UserError


class HeadFile(StrEnum):
    """What became of the file with the head."""

    KEPT = "kept"
    BEHIND = "behind"  # it names an older row: it could not be written, or was put back
    MISSING = "missing"
    DAMAGED = "damaged"
    NONE = "not kept"  # this deployment keeps none


@dataclass(frozen=True)
class Verification:
    """What is proved of the trail at one moment.

    Attributes
    ----------
    rows : how many rows are as they were written, from the first on; all of them if `broken` is None.
    old_rows : how many of those are older than the chain. What they say is proved from the moment the chain began.
    broken : the first row that is not as it was written, and what is wrong with it.
    newest : the head of the rows that are proved, sealed now.
    head_file : what became of the file with the head.
    times_without_head : how often the database was opened while that file was missing; rows that were cut off just
        before such a moment do not show here, but in comparison with a head kept elsewhere.
    """

    rows: int
    old_rows: int
    broken: Break | None
    newest: Head
    head_file: HeadFile
    times_without_head: int

    @property
    def intact(self) -> bool:
        """Whether nothing was found to be changed."""
        return self.broken is None


def verify(database: AccessDatabase, exported: Head | None = None) -> Verification:
    """Check every link of the trail, its end against the head file, and against a head kept elsewhere.

    The file is read by its name over a connection of its own, so that a running server goes on meanwhile and a file
    that was put in the place of the open one is noticed.

    Parameters
    ----------
    exported : a head that was exported earlier.

    Raises
    ------
    UserError if the exported head was not sealed with this deployment's key.
    StoreError or SettingsError if the database or the head file cannot be read.
    """
    head_key = database.derive_key(head.KEY_PURPOSE)
    if exported is not None and not head.is_sealed(head_key, exported):
        raise UserError("this head was changed, or belongs to another deployment", where="head",
                        remedy="Give the file as `audit head` of this deployment wrote it.")
    # before the rows are read: rows that are appended in between are newer than the head, never older
    kept, damaged = _read_kept(database)
    known = tuple(each for each in (kept, exported) if each is not None)
    with database.snapshot() as connection:
        found = inspect(connection, database.derive_key(chain.KEY_PURPOSE), heads=known)
        number, at, mac = (found.last[0], found.last[1], found.last[-1]) if found.last else (0, "", "")
        state = _state(database, found, kept, damaged)
        broken = found.broken or (Break(number, Fault.HEAD) if damaged else None)
        return Verification(found.rows, found.old_rows, broken, head.seal_head(head_key, number, at, mac), state,
                            _times_without_head(connection))


def check_newest(database: AccessDatabase) -> str:
    """What became of the head file, or "broken" if the newest rows are not as they were written; reads no old row."""
    try:
        newest = database.newest_head()
        kept = database.read_head()
    except (HarmonyError, sqlite3.Error):
        return "broken"
    if not database.keeps_head:
        return HeadFile.NONE
    # the head was read after the newest row, and may be ahead of it by rows of other processes
    return HeadFile.MISSING if kept is None else HeadFile.BEHIND if kept.id < newest.id else HeadFile.KEPT


def _read_kept(database: AccessDatabase) -> tuple[Head | None, bool]:
    try:
        return database.read_head(), False
    except TrailBroken:
        return None, True


def _state(database: AccessDatabase, found: Inspection, kept: Head | None, damaged: bool) -> HeadFile:
    if damaged:
        return HeadFile.DAMAGED
    if not database.keeps_head:
        return HeadFile.NONE
    if kept is None:
        return HeadFile.MISSING
    return HeadFile.BEHIND if found.last is not None and kept.id < found.last[0] else HeadFile.KEPT


def _times_without_head(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from audit where action = ?", (HEAD_MISSING,)).fetchone()[0])
