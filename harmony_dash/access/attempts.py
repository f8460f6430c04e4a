"""Slowing down whoever guesses passwords.

Failures are counted for the submitted name, whether an account has it or not, and for the address they come from.
From a limit on, each further failure doubles a pause, up to a quarter of an hour; there is no permanent lock-out,
which would only let a stranger shut people out. An attempt is counted *before* the password is checked and taken back
when it was right, so that many at once cannot slip past.
"""

from __future__ import annotations

import hashlib
import sqlite3
from datetime import datetime, timedelta

from harmony_dash.access.database import AccessDatabase, from_text, to_text

NAME_LIMIT = 5
# A hospital shares one address: its colleagues must not pay for one person's bad morning.
ADDRESS_LIMIT = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# A day without failure, and the slate is clean.
MEMORY = timedelta(hours=24)


def begin_attempt(database: AccessDatabase, username: str, address: str, *, now: datetime) -> bool:
    """Count an attempt; False, and nothing is counted, while a pause lasts."""
    with database.write() as connection:
        connection.execute("delete from attempt where last_failure < ?", (to_text(now - MEMORY),))
        subjects = (("name", username, NAME_LIMIT), ("address", address, ADDRESS_LIMIT))
        if any(_is_paused(connection, kind, subject, now) for kind, subject, _ in subjects):
            return False
        for kind, subject, limit in subjects:
            _count(connection, kind, subject, limit, now)
        return True


def forgive_attempt(connection: sqlite3.Connection, username: str, address: str) -> None:
    """The password was right: forget the name's failures, and this one attempt of the address.

    The address keeps its other failures; one valid account must not wash away the guesses at others.
    """
    forget_name(connection, username)
    connection.execute("update attempt set failures = failures - 1, wait_until = null "
                       "where kind = 'address' and subject_hash = ?", (_subject_hash(address),))


def forget_name(connection: sqlite3.Connection, username: str) -> None:
    """Forget all failures of a name."""
    connection.execute("delete from attempt where kind = 'name' and subject_hash = ?", (_subject_hash(username),))


def pause_after(failures: int, limit: int) -> timedelta:
    """How long to wait after so many failures: none below the limit, then doubling."""
    if failures < limit:
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(failures - limit, 10)), LONGEST_PAUSE)


def _is_paused(connection: sqlite3.Connection, kind: str, subject: str, now: datetime) -> bool:
    row = connection.execute("select wait_until from attempt where kind = ? and subject_hash = ?",
                             (kind, _subject_hash(subject))).fetchone()
    return row is not None and row["wait_until"] is not None and now < from_text(row["wait_until"])


def _count(connection: sqlite3.Connection, kind: str, subject: str, limit: int, now: datetime) -> None:
    failures = connection.execute(
        "insert into attempt (kind, subject_hash, failures, last_failure) values (?, ?, 1, ?) "
        "on conflict do update set failures = failures + 1, last_failure = excluded.last_failure "
        "returning failures", (kind, _subject_hash(subject), to_text(now))).fetchone()[0]
    pause = pause_after(failures, limit)
    connection.execute("update attempt set wait_until = ? where kind = ? and subject_hash = ?",
                       (to_text(now + pause) if pause else None, kind, _subject_hash(subject)))


def _subject_hash(subject: str) -> str:
    return hashlib.sha256(subject.strip().lower().encode("utf-8", "replace")).hexdigest()
