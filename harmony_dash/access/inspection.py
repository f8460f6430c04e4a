"""Looking for the first row of the audit trail that is not as it was written."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from harmony_dash.access.chain import OldRows, Row, body_of, link, read_batch, read_row, read_rows
from harmony_dash.access.head import Head


class Fault(StrEnum):
    """What is wrong with a row, as far as can be told without the original."""

    CHANGED = "changed"
    MISSING = "missing"
    INSERTED = "inserted"
    OUT_OF_ORDER = "out of order"
    CUT_SHORT = "cut short"
    BEFORE_CHAIN = "changed before the chain"
    HEAD = "head changed"


_WORDS = {
    Fault.CHANGED: "row {} was changed",
    Fault.MISSING: "row {} is missing",
    Fault.INSERTED: "row {} was inserted",
    Fault.OUT_OF_ORDER: "row {} holds what belongs elsewhere",
    Fault.CUT_SHORT: "the newest rows, from {} on, were cut off",
    Fault.BEFORE_CHAIN: "row {}, or one of the rows older than the chain, was changed",
    Fault.HEAD: "the file with the head was changed, or was written with another key",
}


@dataclass(frozen=True)
class Break:
    """The first place where the trail is not as it was written; what comes after it proves nothing."""

    id: int
    fault: Fault

    @property
    def words(self) -> str:
        """The finding as a clause."""
        return _WORDS[self.fault].format(self.id)


@dataclass(frozen=True)
class Inspection:
    """What a walk along the chain found.

    Attributes
    ----------
    rows : how many rows are as they were written, those older than the chain included.
    old_rows : how many of them are older than the chain.
    last : the last good row; None for none.
    broken : where the walk ended before the end of the trail.
    """

    rows: int
    old_rows: int
    last: Row | None
    broken: Break | None


def inspect(connection: sqlite3.Connection, key: bytes, *, heads: tuple[Head, ...] = (),
            trusted: Row | None = None) -> Inspection:
    """Walk along the chain to its end or to the first break, then compare the end with the heads.

    Parameters
    ----------
    connection : inside one transaction, so that nobody appends meanwhile.
    key : the chain key.
    heads : heads whose seals were found right, read before the transaction began.
    trusted : begin after this row and take its link for good; None checks everything.
    """
    found = _walk(connection, key, max((head.id for head in heads), default=0), trusted)
    if found.broken is not None:
        return found
    last = found.last[0] if found.last else 0
    for head in heads:
        row = read_row(connection, head.id) if head.id else None
        if head.id > last:
            return Inspection(found.rows, found.old_rows, found.last, Break(last + 1, Fault.CUT_SHORT))
        if head.id and (row is None or row[-1] != head.mac):
            return Inspection(found.rows, found.old_rows, found.last, Break(head.id, Fault.CHANGED))
    # the counter behind the ids remembers rows that were cut off, unless somebody thought of it too
    counter = connection.execute("select max(seq) from sqlite_sequence where name = 'audit'").fetchone()[0]
    if isinstance(counter, int) and counter > last:
        return Inspection(found.rows, found.old_rows, found.last, Break(last + 1, Fault.CUT_SHORT))
    return found


def _walk(connection: sqlite3.Connection, key: bytes, known_end: int, trusted: Row | None) -> Inspection:
    old, gap, rows, last = OldRows(), None, 0, trusted
    previous = trusted[-1] if trusted else ""
    for row in read_rows(connection, after=trusted[0] if trusted else None):
        due = last[0] + 1 if last else 1
        if gap is None and row[0] != due:
            gap = Break(row[0], Fault.INSERTED) if row[0] < due else Break(due, Fault.MISSING)
        if not previous and not row[-1]:
            old.add(row)
        else:
            base = previous or old.text
            if row[-1] != link(key, base, body_of(row[:-1])):
                first_link = not previous and old.count > 0
                broken = gap or (Break(row[0], Fault.BEFORE_CHAIN) if first_link
                                 else Break(row[0], _fault(connection, key, base, row, known_end)))
                return Inspection(rows, old.count, last, broken)
            # the link holds, so nothing is missing before it, whatever the ids say
            previous, gap = row[-1], None
        rows, last = rows + 1, row
    return Inspection(rows, old.count, last, None)


def _fault(connection: sqlite3.Connection, key: bytes, base: str, row: Row, known_end: int) -> Fault:
    """The likeliest reason why a row does not fit the link before it."""
    number, mac = row[0], row[-1]
    if _is_elsewhere(connection, key, base, row):
        return Fault.OUT_OF_ORDER
    following = read_batch(connection, after=number, limit=1)
    if following and not mac:
        # a row whose mac alone was wiped still carries the rest of the chain
        own = link(key, base, body_of(row[:-1]))
        genuine = following[0][-1] == link(key, own, body_of(following[0][:-1]))
        return Fault.CHANGED if genuine else Fault.INSERTED
    return Fault.INSERTED if number > known_end or not mac else Fault.CHANGED


def _is_elsewhere(connection: sqlite3.Connection, key: bytes, base: str, row: Row) -> bool:
    """Whether a later row, itself out of place, holds what was written here."""
    number, mac = row[0], row[-1]
    before = mac
    for other in read_rows(connection, after=number):
        in_place = other[-1] == link(key, before, body_of(other[:-1]))
        if not in_place and link(key, base, body_of((number, *other[1:-1]))) in (other[-1], mac):
            return True
        before = other[-1]
    return False
