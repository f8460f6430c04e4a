"""Slowing down whoever guesses passwords or codes.

Failures are counted for the submitted name, whether an account has it or not, and for the address they come from.
From a limit on, each further failure doubles a pause, up to a quarter of an hour. After a hundred failures in a row
the pause of a name lasts until a data manager clears it, or until a day has passed without anybody trying: whoever is
that patient is no person who has forgotten a password. An attempt is counted *before* it is checked and taken back
when it was right, so that many at once cannot slip past.
"""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from datetime import datetime, timedelta

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused

NAME_LIMIT = 5
# A hospital shares one address: its colleagues must not pay for one person's bad morning.
ADDRESS_LIMIT = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# Failures of one name after which time alone does not help while somebody keeps trying.
LAST_LIMIT = 100
# A day without failure, and the slate is clean.
MEMORY = timedelta(hours=24)


def begin_attempt(database: AccessDatabase, username: str, address: str, *, now: datetime) -> bool:
    """Count an attempt; False, and nothing is counted, while a pause lasts."""
    with database.write() as connection:
        connection.execute("delete from attempt where last_failure <= ?", (to_text(now - MEMORY),))
        subjects = (("name", username, NAME_LIMIT), ("address", address, ADDRESS_LIMIT))
        # both are looked at, so that a pause of either is kept up whatever the other says
        paused = [_is_paused(connection, kind, subject, now) for kind, subject, _ in subjects]
        if any(paused):
            return False
        for kind, subject, limit in subjects:
            _count(connection, kind, subject, limit, now)
        return True


def take_back_attempt(connection: sqlite3.Connection, username: str, address: str) -> None:
    """This attempt was right, but is only the first of two steps: all other failures stay.

    A right password must not wash away the wrong codes of whoever has got hold of it.
    """
    for kind, subject in (("name", username), ("address", address)):
        connection.execute("update attempt set failures = max(failures - 1, 0), wait_until = null "
                           "where kind = ? and subject_hash = ?", (kind, _subject_hash(subject)))


def forgive_attempt(connection: sqlite3.Connection, username: str, address: str) -> None:
    """The person is who they say: forget the name's failures, and this one attempt of the address.

    The address keeps its other failures; one valid account must not wash away the guesses at others.
    """
    take_back_attempt(connection, username, address)
    forget_name(connection, username)


def forget_name(connection: sqlite3.Connection, username: str) -> None:
    """Forget all failures of a name."""
    connection.execute("delete from attempt where kind = 'name' and subject_hash = ?", (_subject_hash(username),))


def clear_attempts(database: AccessDatabase, username: str, *, by: Actor, now: datetime) -> None:
    """End the pause of a name, whether an account has it or not, and record it.

    Raises
    ------
    AccessRefused if `by` may not manage accounts, or means their own: on the counter of their own name hangs how
    often somebody at their open screen may guess their password.
    """
    check_user_can(by, Permission.MANAGE_ACCOUNTS)
    if _subject_hash(username) == _subject_hash(by.username):
        raise AccessRefused("nobody may clear their own failed attempts", remedy="Ask another data manager.")
    with database.write() as connection:
        forget_name(connection, username)
        known = connection.execute("select username from account where username = ?",
                                   (username.strip().lower(),)).fetchone()
        # what has no account may be a password typed into the wrong field: it is not written down
        shown = known[0] if known else "a name without account"
        record(connection, AuditEvent.of(by, "attempts cleared", reason=shown), now=now)


def pause_after(failures: int, limit: int) -> timedelta:
    """How long to wait after so many failures: none below the limit, then doubling."""
    if failures < limit:
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(failures - limit, 10)), LONGEST_PAUSE)


def _is_paused(connection: sqlite3.Connection, kind: str, subject: str, now: datetime) -> bool:
    key = (kind, _subject_hash(subject))
    row = connection.execute("select failures, last_failure, wait_until from attempt "
                             "where kind = ? and subject_hash = ?", key).fetchone()
    if row is None or row["wait_until"] is None:
        return False
    begun, until = from_text(row["last_failure"]), from_text(row["wait_until"])
    if _is_shut(kind, row["failures"]):
        begun, until = now, now + MEMORY  # trying again starts the day anew
    elif now < begun:
        # The clock was moved back: the pause begins now and keeps its length.
        begun, until = now, now + (until - begun)
    else:
        return now < until
    connection.execute("update attempt set last_failure = ?, wait_until = ? where kind = ? and subject_hash = ?",
                       (to_text(begun), to_text(until), *key))
    return True


def _count(connection: sqlite3.Connection, kind: str, subject: str, limit: int, now: datetime) -> None:
    failures = connection.execute(
        "insert into attempt (kind, subject_hash, failures, last_failure) values (?, ?, 1, ?) "
        "on conflict do update set failures = failures + 1, last_failure = excluded.last_failure "
        "returning failures", (kind, _subject_hash(subject), to_text(now))).fetchone()[0]
    pause = MEMORY if _is_shut(kind, failures) else pause_after(failures, limit)
    connection.execute("update attempt set wait_until = ? where kind = ? and subject_hash = ?",
                       (to_text(now + pause) if pause else None, kind, _subject_hash(subject)))


def _is_shut(kind: str, failures: int) -> bool:
    return kind == "name" and failures >= LAST_LIMIT


def _subject_hash(subject: str) -> str:
    """Names that look alike share a counter, or a guesser would have one more for every way to write a letter."""
    alike = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", subject).casefold())
    return hashlib.sha256(alike.strip().encode("utf-8", "replace")).hexdigest()
