"""Receipts of exports: which files left the house, when, for whom, and how to know them again."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from harmony_dash.access.database import AccessDatabase, AuditUnavailable, from_text, to_text

# Letters and digits that nobody mistakes for one another (Crockford's base 32).
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SIGNS: Final = 8
NUMBER: Final = re.compile(rf"E-[0-9]{{8}}-[{_ALPHABET}]{{{_SIGNS}}}")
# What the audit trail calls an export; renaming it is a migration.
EXPORT_ACTION: Final = "export"


@dataclass(frozen=True)
class FileMark:
    """A file of an export as its receipt knows it."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Receipt:
    """What was exported.

    Attributes
    ----------
    number : e.g. "E-20261121-7KQ3MF0X"; it stands in every file.
    made, username, role : when (UTC), and who.
    title, question, fingerprint : the question in words, its canonical JSON, and the digits equal questions share.
    snapshot, level, grant : what it was put to, and how and under which grant (empty for none) it was answered.
    data_sha256 : over the tables, whatever the formats.
    files : in the order in which they were written.
    """

    number: str
    made: datetime
    username: str
    role: str
    title: str
    question: str
    fingerprint: str
    snapshot: str
    level: str
    grant: str
    data_sha256: str
    files: tuple[FileMark, ...]

    @property
    def seal(self) -> str:
        """SHA-256 of the whole receipt; the audit trail keeps it, so that a changed receipt shows."""
        values = asdict(self) | {"made": to_text(self.made), "files": sorted(
            [file.name, file.bytes, file.sha256] for file in self.files)}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def ending(self) -> str:
        """How the line of the audit trail ends that tells of the receipt."""
        return f"; receipt {self.number}, seal {self.seal}"


@dataclass(frozen=True)
class SavedReceipt:
    """A receipt and the number of its line in the audit trail."""

    receipt: Receipt
    audit_id: int


def make_number(now: datetime, choose: Callable[[str], str]) -> str:
    """A receipt's number: the day, and signs that nobody can guess.

    Parameters
    ----------
    choose : picks one sign of a text at random, usually `secrets.choice`.
    """
    return f"E-{now.astimezone(UTC):%Y%m%d}-{''.join(choose(_ALPHABET) for _ in range(_SIGNS))}"


def save_receipt(connection: sqlite3.Connection, receipt: Receipt, audit_id: int) -> None:
    """Save the receipt inside the caller's transaction, beside its line of the audit trail.

    Raises
    ------
    AuditUnavailable if it cannot be written; the caller's transaction then rolls back.
    """
    try:
        connection.execute(
            "insert into export_receipt values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (receipt.number, to_text(receipt.made), receipt.username, receipt.role, audit_id, receipt.title,
             receipt.question, receipt.fingerprint, receipt.snapshot, receipt.level, receipt.grant,
             receipt.data_sha256))
        connection.executemany("insert into export_file values (?, ?, ?, ?)",
                               [(receipt.number, file.name, file.bytes, file.sha256) for file in receipt.files])
    except sqlite3.Error as error:
        raise AuditUnavailable from error


def list_receipts(database: AccessDatabase, *, username: str | None = None, limit: int = 100,
                  before: SavedReceipt | None = None) -> tuple[SavedReceipt, ...]:
    """The newest receipts first.

    Parameters
    ----------
    username : whose; None for everybody's.
    before : continues a list after its last receipt.
    """
    conditions, values = [], []
    if username is not None:
        conditions.append("username = ?")
        values.append(username)
    if before is not None:
        conditions.append("(made, number) < (?, ?)")
        values += [to_text(before.receipt.made), before.receipt.number]
    where = f"where {' and '.join(conditions)}" if conditions else ""
    with database.read() as connection:
        rows = connection.execute(f"select * from export_receipt {where} order by made desc, number desc limit ?",
                                  (*values, limit)).fetchall()
        return tuple(_receipt(connection, row) for row in rows)


def find_receipts(database: AccessDatabase, *, sha256: str = "", numbers: Sequence[str] = (),
                  ) -> tuple[SavedReceipt, ...]:
    """The receipts of a file with this checksum, or with one of these numbers."""
    marks = ", ".join("?" * len(numbers))
    with database.read() as connection:
        rows = connection.execute(
            "select * from export_receipt where number in (select number from export_file where sha256 = ?) "
            f"or number in ({marks}) order by made, number", (sha256, *numbers)).fetchall()
        return tuple(_receipt(connection, row) for row in rows)


def _receipt(connection: sqlite3.Connection, row: sqlite3.Row) -> SavedReceipt:
    files = connection.execute("select name, bytes, sha256 from export_file where number = ? order by rowid",
                               (row["number"],)).fetchall()
    return SavedReceipt(Receipt(
        row["number"], from_text(row["made"]), row["username"], row["role"], row["title"], row["question"],
        row["fingerprint"], row["snapshot"], row["level"], row["grant_id"], row["data_sha256"],
        tuple(FileMark(*file) for file in files)), row["audit_id"])
