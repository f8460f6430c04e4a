"""What one process knows of the newest end of the audit trail, and how it notices that others change it."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from harmony_dash.access import head as heads
from harmony_dash.access.chain import (
    CHECKED_AT_OPENING,
    COLUMNS,
    Row,
    append_row,
    body_of,
    digest_of_old_rows,
    link,
    read_newest,
    read_row,
    read_rows,
)
from harmony_dash.access.head import Head
from harmony_dash.access.inspection import Break, Fault, inspect
from harmony_dash.access.moments import to_text
from harmony_dash.errors import StoreError

# Names of events; renaming one is a migration.
CLOCK_ACCEPTED = "clock accepted"
CHAIN_BEGUN = "audit chain begun"
HEAD_MISSING = "audit head missing"

# Clocks are set right by a few seconds every day; a grant that runs out is a matter of days.
_CLOCK_TOLERANCE = timedelta(minutes=5)


class TrailBroken(StoreError):
    """The audit trail is not as it was written."""

    def __init__(self, broken: Break, *, where: str = "") -> None:
        self.broken = broken
        super().__init__(f"the audit trail was cut short or changed: {broken.words}", where=where,
                         remedy="Restore the newest backup of the access database together with its access.key. If an "
                                "older backup was restored on purpose, move the file with the head (audit.head) away; "
                                "that will be recorded.")


class Trail:
    """The newest row that this process has seen and checked, and the newest moment in the trail.

    Every method needs the connection inside one transaction, or under a lock that keeps this process from writing.

    Parameters
    ----------
    key : the chain key.

    Attributes
    ----------
    id, at, mac : of the newest row; 0 and empty texts for an empty trail.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.id, self.at, self.mac = 0, "", ""
        self._newest: Row | None = None
        self._newest_moment = ""

    def open(self, connection: sqlite3.Connection, head: Head | None) -> None:
        """Check the head and the newest links, and begin here.

        Parameters
        ----------
        head : from the head file, its seal checked; None without one.

        Raises
        ------
        TrailBroken.
        """
        newest = read_newest(connection, CHECKED_AT_OPENING + 1)
        trusted = newest[0] if len(newest) > CHECKED_AT_OPENING and newest[0][-1] else None
        named = () if head is None else (head,)
        found = inspect(connection, self._key, heads=named, trusted=trusted)
        if found.broken is not None:
            # refused anyway: take the time to find the first break
            raise TrailBroken(inspect(connection, self._key, heads=named).broken or found.broken)
        moment = connection.execute(
            "select max(at) from audit where id >= coalesce((select max(id) from audit where action = ? "
            "and decision = 'allowed'), 0)", (CLOCK_ACCEPTED,)).fetchone()[0]
        self._newest_moment = moment or ""
        if found.last is not None:
            self._stand_on(found.last)

    def begin(self, connection: sqlite3.Connection, *, has_head: bool, now: datetime) -> None:
        """Record what an auditor must know of this opening.

        Rows older than the chain are covered from now on, not from the next answer on. And a trail that was found
        without its head may have lost rows: opening goes on, because the disk of the head may be gone for an honest
        reason, but the trail itself says so for good.

        Parameters
        ----------
        has_head : whether a head was found, or none is kept.
        """
        if self.id and not self.mac:
            self._note(connection, CHAIN_BEGUN, f"rows up to {self.id} are older", now)
        elif self.id and not has_head:
            self._note(connection, HEAD_MISSING, f"the newest row was {self.id}", now)

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Check that the newest known row still stands, and the links of the rows that came after it.

        Raises
        ------
        TrailBroken.
        """
        if self._newest is not None:
            row = read_row(connection, self.id)
            if row != self._newest:
                raise TrailBroken(Break(self.id, Fault.CUT_SHORT if row is None else Fault.CHANGED))
        for row in read_rows(connection, after=self.id or None):
            if row[-1] != link(self._key, self.mac or digest_of_old_rows(connection), body_of(row[:-1])):
                raise TrailBroken(Break(row[0], Fault.CHANGED))
            self._accept(row)

    def clock_is_behind(self, now: datetime) -> bool:
        """Whether `now` lies well before the newest moment in the trail since the clock was last accepted."""
        return to_text(now + _CLOCK_TOLERANCE) < self._newest_moment

    def _accept(self, row: Row) -> None:
        values = dict(zip(COLUMNS, row, strict=False))
        accepted = values["action"] == CLOCK_ACCEPTED and values["decision"] == "allowed"
        self._newest_moment = values["at"] if accepted else max(self._newest_moment, values["at"])
        self._stand_on(row)

    def _stand_on(self, row: Row) -> None:
        self.id, self.at, self.mac = row[0], row[1], row[-1]
        self._newest = row

    def _note(self, connection: sqlite3.Connection, action: str, reason: str, now: datetime) -> None:
        append_row(connection, (to_text(now), "", "", "", action, "", "", "", None, "allowed", reason, ""))


def read_sealed_head(path: Path, key: bytes) -> Head | None:
    """The head in the file; None without one.

    Parameters
    ----------
    key : the head key.

    Raises
    ------
    TrailBroken if it is not a head, or not sealed with this key.
    SettingsError if the file cannot be read.
    """
    try:
        head = heads.read_head_file(path)
    except heads.NotAHead:
        raise TrailBroken(Break(0, Fault.HEAD)) from None
    if head is not None and not heads.is_sealed(key, head):
        raise TrailBroken(Break(0, Fault.HEAD))
    return head
