"""The links of the audit trail: each row carries an HMAC over itself and the link of the row before.

    mac_n = HMAC-SHA256(chain key, mac_{n-1} | newline | body of row n)

A body is the JSON array of every column but the mac, so that no two rows have the same one; a mac is 64 hexadecimal
digits, so that it is plain where it ends and the body begins. The chain key is derived from the access key: who can
write the file but does not hold the key cannot make a link.

Rows that are older than the chain have an empty mac. The first link takes the SHA-256 of all their bodies, one a line,
for the link before it, and so covers them too; there need not be any.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

KEY_PURPOSE = "audit chain"
COLUMNS = ("id", "at", "username", "role", "session", "action", "question", "snapshot", "level", "n", "decision",
           "reason", "grant_id")
BATCH = 1_000
# How many links are checked whenever a database is opened; `audit verify` checks them all.
CHECKED_AT_OPENING = 1_000
_SELECT = f"select {', '.join(COLUMNS)}, mac from audit"
_INSERT = f"insert into audit ({', '.join(COLUMNS)}, mac) values ({', '.join('?' * len(COLUMNS))}, audit_link(?, ?))"

# The columns in their order, then the mac.
Row = tuple[Any, ...]


def body_of(values: Iterable[Any]) -> str:
    """The canonical text of a row: its columns, without the mac, as a JSON array in ASCII."""
    # a blob can only come from tampering; it must be told apart from every text, not stop the check
    return json.dumps(list(values), separators=(",", ":"), default=lambda value: {"blob": bytes(value).hex()})


def link(key: bytes, previous: str, body: str) -> str:
    """The mac of a row with this body after a row with this mac."""
    return hmac.digest(key, f"{previous}\n{body}".encode("utf-8", "surrogatepass"), "sha256").hex()


def link_maker(key: bytes) -> Callable[[str, str], str]:
    """`link` as the SQL function `audit_link(previous, body)`, so that whoever appends a row never holds the key."""
    return lambda previous, body: link(key, previous, body)


def append_row(connection: sqlite3.Connection, values: tuple[Any, ...]) -> int:
    """Append a row inside the caller's `begin immediate` transaction and return its id.

    The lock is what makes the chain right: between reading the last link and writing the next, no other process can
    append.

    Parameters
    ----------
    values : the columns without id and mac, in their order.
    """
    # `autoincrement` never gives an id twice, not even that of a row somebody cut off
    number: int = connection.execute(
        "select max(coalesce((select max(id) from audit), 0), "
        "coalesce((select seq from sqlite_sequence where name = 'audit'), 0)) + 1").fetchone()[0]
    newest = connection.execute("select mac from audit order by id desc limit 1").fetchone()
    previous = newest[0] if newest and newest[0] else digest_of_old_rows(connection)
    row = (number, *values)
    connection.execute(_INSERT, (*row, previous, body_of(row)))
    return number


def digest_of_old_rows(connection: sqlite3.Connection) -> str:
    """What stands for the link before the first: SHA-256 over the rows older than the chain, up to the first link."""
    digest = OldRows()
    for row in read_rows(connection):
        if row[-1]:
            break
        digest.add(row)
    return digest.text


class OldRows:
    """The digest over the rows that are older than the chain, row by row."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.count = 0

    def add(self, row: Row) -> None:
        """Add the next row."""
        self._digest.update(body_of(row[:-1]).encode("ascii") + b"\n")
        self.count += 1

    @property
    def text(self) -> str:
        """The digest so far, 64 hexadecimal digits like a mac."""
        return self._digest.hexdigest()


def read_rows(connection: sqlite3.Connection, *, after: int | None = None) -> Iterator[Row]:
    """All rows in the order of their ids, read in batches, beginning after one id."""
    while rows := read_batch(connection, after=after):
        yield from rows
        after = rows[-1][0]


def read_batch(connection: sqlite3.Connection, *, after: int | None = None, limit: int = BATCH) -> list[Row]:
    """The next rows after an id, oldest first."""
    statement = f"{_SELECT} {'' if after is None else 'where id > ?'} order by id limit ?"
    return _fetch(connection, statement, (limit,) if after is None else (after, limit))


def read_newest(connection: sqlite3.Connection, limit: int) -> list[Row]:
    """The newest rows, oldest of them first."""
    return _fetch(connection, f"{_SELECT} order by id desc limit ?", (limit,))[::-1]


def read_row(connection: sqlite3.Connection, number: int) -> Row | None:
    """The row with this id."""
    rows = _fetch(connection, f"{_SELECT} where id = ?", (number,))
    return rows[0] if rows else None


def _fetch(connection: sqlite3.Connection, statement: str, parameters: tuple[int, ...]) -> list[Row]:
    try:
        return [tuple(row) for row in connection.execute(statement, parameters)]
    except sqlite3.OperationalError as error:
        if "decode" not in str(error).lower():
            raise
    # Somebody wrote bytes that are no UTF-8. They must not stop the check that is to find them.
    before = connection.text_factory
    connection.text_factory = _decode_anything
    try:
        return [tuple(row) for row in connection.execute(statement, parameters)]
    finally:
        connection.text_factory = before


def _decode_anything(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
