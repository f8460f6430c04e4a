"""Slowing down whoever guesses passwords or codes.

Failures are counted for the submitted name, whether an account has it or not, and for the address they come from, if
that is known. From a limit on, each further failure doubles a pause, up to a quarter of an hour. After a hundred
failures in a row the pause of a name lasts until a data manager clears it, or until a day has passed without anybody
trying: whoever is that patient is no person who has forgotten a password. An address is shared by colleagues, whose
slips must not add up: it forgets one failure every three minutes, and all of them after an hour without any. An attempt
is counted *before* it is checked and taken back when it was right, so that many at once cannot slip past.
"""

from __future__ import annotations

import hashlib
import sqlite3
import unicodedata
from datetime import datetime, timedelta

from harmony_dash.access.actor import Actor
from harmony_dash.access.addresses import network_of
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.noted_pauses import Counter
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused

NAME_LIMIT = 5
# A hospital shares one address: its colleagues must not pay for one person's bad morning.
ADDRESS_LIMIT = 20
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# Failures of one name after which time alone does not help while somebody keeps trying.
LAST_LIMIT = 100
# A day without failure, and the slate of a name is clean; an hour, and that of an address is.
MEMORY = timedelta(hours=24)
ADDRESS_MEMORY = timedelta(hours=1)
# So many failures an hour an address forgets even while others come in.
_FORGETS_EVERY = ADDRESS_MEMORY / ADDRESS_LIMIT
_NAME, _ADDRESS = "name", "address"
_LIMITS = {_NAME: NAME_LIMIT, _ADDRESS: ADDRESS_LIMIT}


def begin_attempt(database: AccessDatabase, username: str, address: str, *, now: datetime,
                  refusal: AuditEvent | None = None) -> bool:
    """Count an attempt; False, and nothing is counted, while a pause lasts.

    Parameters
    ----------
    address : where the attempt comes from; empty if that is not known, and then the name alone is counted.
    refusal : recorded when a pause begins to refuse, and not again until another failure is counted: a stranger's
        patience shall not fill the trail.
    """
    with database.write() as connection:
        for kind, memory in ((_NAME, MEMORY), (_ADDRESS, ADDRESS_MEMORY)):
            connection.execute("delete from attempt where kind = ? and last_failure <= ?",
                               (kind, to_text(now - memory)))
        counters = _counters(username, address)
        # all are looked at, so that a pause of either is kept up whatever the other says
        pauses = [counter for counter in counters if _is_paused(connection, counter, now)]
        if not pauses:
            for counter in counters:
                _count(connection, counter, now)
        elif refusal is not None and not database.noted_pauses.knows(pauses):
            record(connection, refusal, now=now)
    # only what was saved is noted
    if not pauses:
        database.noted_pauses.forget(counters)
    elif refusal is not None:
        database.noted_pauses.note(pauses)
    return not pauses


def take_back_attempt(connection: sqlite3.Connection, username: str, address: str, *, begun: datetime) -> None:
    """This attempt was right, but is only the first of two steps: all other failures stay.

    A right password must not wash away the wrong codes of whoever has got hold of it. Nor may it end the pause after a
    failure that was counted while it was being checked: the pause is made anew from the failures that are left.

    Parameters
    ----------
    begun : the moment at which `begin_attempt` counted this attempt.
    """
    for counter in _counters(username, address):
        row = connection.execute("select failures, last_failure from attempt where kind = ? and subject_hash = ?",
                                 counter).fetchone()
        if row is None:
            continue
        failures = max(row["failures"] - 1, 0)
        # If nothing was counted after this attempt, the pause after the failures before it was over when it began.
        # To begin it anew would keep out for good whoever still has to enter a code.
        since = row["last_failure"] if row["last_failure"] != to_text(begun) else None
        pause = _pause(counter, failures) if since else timedelta(0)
        connection.execute("update attempt set failures = ?, wait_until = ? where kind = ? and subject_hash = ?",
                           (failures, to_text(from_text(since) + pause) if since and pause else None, *counter))


def forgive_attempt(connection: sqlite3.Connection, username: str, address: str, *, begun: datetime) -> None:
    """The person is who they say: forget the name's failures, and this one attempt of the address.

    The address keeps its other failures; one valid account must not wash away the guesses at others.

    Parameters
    ----------
    begun : the moment at which `begin_attempt` counted this attempt.
    """
    take_back_attempt(connection, username, address, begun=begun)
    forget_name(connection, username)


def forget_name(connection: sqlite3.Connection, username: str) -> None:
    """Forget all failures of a name."""
    connection.execute("delete from attempt where kind = ? and subject_hash = ?", (_NAME, _subject_hash(username)))


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


def _counters(username: str, address: str) -> list[Counter]:
    """What counts an attempt: the name, and the address if it is known."""
    names = [(_NAME, _subject_hash(username))]
    return [*names, (_ADDRESS, _subject_hash(network_of(address)))] if address else names


def _is_paused(connection: sqlite3.Connection, counter: Counter, now: datetime) -> bool:
    row = connection.execute("select failures, last_failure, wait_until from attempt "
                             "where kind = ? and subject_hash = ?", counter).fetchone()
    if row is None or row["wait_until"] is None:
        return False
    begun, until = from_text(row["last_failure"]), from_text(row["wait_until"])
    if _is_shut(counter, row["failures"]):
        begun, until = now, now + MEMORY  # trying again starts the day anew
    elif now < begun:
        # The clock was moved back: the pause begins now and keeps its length.
        begun, until = now, now + (until - begun)
    else:
        return now < until
    connection.execute("update attempt set last_failure = ?, wait_until = ? where kind = ? and subject_hash = ?",
                       (to_text(begun), to_text(until), *counter))
    return True


def _count(connection: sqlite3.Connection, counter: Counter, now: datetime) -> None:
    row = connection.execute("select failures, last_failure from attempt where kind = ? and subject_hash = ?",
                             counter).fetchone()
    failures = 1 + (_still_known(counter, row["failures"], now - from_text(row["last_failure"])) if row else 0)
    pause = _pause(counter, failures)
    connection.execute("insert or replace into attempt (kind, subject_hash, failures, last_failure, wait_until) "
                       "values (?, ?, ?, ?, ?)", (*counter, failures, to_text(now),
                                                  to_text(now + pause) if pause else None))


def _still_known(counter: Counter, failures: int, elapsed: timedelta) -> int:
    """How many failures are left after some time; a clock that was moved back makes none forgotten."""
    if counter[0] == _NAME:
        return failures
    return max(failures - max(elapsed // _FORGETS_EVERY, 0), 0)


def _pause(counter: Counter, failures: int) -> timedelta:
    return MEMORY if _is_shut(counter, failures) else pause_after(failures, _LIMITS[counter[0]])


def _is_shut(counter: Counter, failures: int) -> bool:
    return counter[0] == _NAME and failures >= LAST_LIMIT


def _subject_hash(subject: str) -> str:
    """Names that look alike share a counter, or a guesser would have one more for every way to write a letter."""
    alike = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", subject).casefold())
    return hashlib.sha256(alike.strip().encode("utf-8", "replace")).hexdigest()
