"""Sessions that the server can end: a random token in the browser, its SHA-256 here.

Nothing about a person is cached: every look-up reads the account's role, status, epoch and grants anew.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.database import AccessDatabase, from_text, to_text
from harmony_dash.access.grants import active_grant_ids
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.errors import AccessRefused, UserError

TOKEN_BYTES = 32
# Enough for every browser a person uses. One more ends the session that has been idle longest, so that tokens do not
# pile up in browsers that nobody remembers.
MOST_SESSIONS = 10
# Clocks that are set by the network jump back by seconds. Whoever turns the clock back further does not make a session
# live longer: one that was last used in the future is refused.
CLOCK_TOLERANCE = timedelta(minutes=5)
# Writing at every click would cost a disk flush each; a minute more or less does not matter to a half-hour limit.
_TOUCH_EVERY = timedelta(minutes=1)
_LONG_DEAD = timedelta(days=1)


class SessionState(StrEnum):
    """What became of a session."""

    OPEN = "open"
    UNKNOWN = "unknown"
    ENDED = "ended"
    IDLE = "idle"
    EXPIRED = "expired"
    ACCOUNT_CHANGED = "account changed"
    CLOCK_CHANGED = "clock changed"


class SignInMethod(StrEnum):
    """How a person proved who they are."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    PASSWORD_AND_CODE = "password and code"  # noqa: S105
    IDENTITY_PROVIDER = "identity provider"


@dataclass(frozen=True)
class SessionCheck:
    """The answer of a look-up: an actor if and only if the session is open."""

    state: SessionState
    actor: Actor | None = None


@dataclass(frozen=True)
class OpenSession:
    """A session that is open now, as lists show it.

    Attributes
    ----------
    id : its short public identifier, as in the audit trail; it opens nothing.
    opened, last_seen : when it began, and when it was last used, to the minute.
    method : how the person proved who they are.
    """

    id: str
    username: str
    opened: datetime
    last_seen: datetime
    method: str


def hash_token(token: str) -> str:
    """What is stored of a token; the token itself exists only in the browser."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def public_id(token_hash: str) -> str:
    """What lists and the audit trail call a session: enough to tell sessions apart, and no way in."""
    return token_hash[:12]


def open_session(connection: sqlite3.Connection, username: str, *, now: datetime,
                 method: str = SignInMethod.PASSWORD) -> str:
    """Open a session inside the caller's transaction, record it, and return its token.

    Parameters
    ----------
    method : how the person proved who they are, one of `SignInMethod`.

    Raises
    ------
    AccessRefused if there is no such account or it is disabled.
    """
    row = connection.execute("select * from account where username = ?", (username,)).fetchone()
    if row is None or row["disabled"]:
        raise AccessRefused("signing in did not work", remedy="Sign in again.")
    token, moment = new_token(), to_text(now)
    token_hash = hash_token(token)
    connection.execute(
        "insert into session (token_hash, username, epoch, created, last_seen, method) values (?, ?, ?, ?, ?, ?)",
        (token_hash, username, row["epoch"], moment, moment, SignInMethod(method).value))
    actor = _actor(row, token_hash)
    record(connection, AuditEvent.of(actor, "signed in", reason=SignInMethod(method).value), now=now)
    _end_surplus(connection, actor, token_hash, now)
    return token


def look_up_session(database: AccessDatabase, token: str, *, idle: timedelta, lifetime: timedelta, now: datetime,
                    touch: bool = True) -> SessionCheck:
    """Who a token belongs to right now.

    Parameters
    ----------
    idle, lifetime : how long a session lives untouched, and at all.
    touch : whether this look-up counts as use.
    """
    token_hash = hash_token(token)
    with database.read() as connection:
        row = connection.execute(
            f"{_SESSIONS_OF_ACCOUNTS} where token_hash = ?", (token_hash,)).fetchone()
        state = _state(row, idle, lifetime, now)
        if state is not SessionState.OPEN:
            return SessionCheck(state)
        grants = active_grant_ids(connection, row["username"], now)
    if touch and now - from_text(row["last_seen"]) >= min(_TOUCH_EVERY, idle / 2):
        with database.write() as connection:
            connection.execute("update session set last_seen = ? where token_hash = ?", (to_text(now), token_hash))
    return SessionCheck(state, _actor(row, token_hash, grants))


def end_session(database: AccessDatabase, token: str, *, now: datetime) -> None:
    """End the session of a token, if there is an open one, and record it."""
    token_hash = hash_token(token)
    with database.write() as connection:
        row = connection.execute(
            "update session set ended = ? where token_hash = ? and ended is null returning username",
            (to_text(now), token_hash)).fetchone()
        if row is not None:
            record(connection, AuditEvent("signed out", row["username"], session=public_id(token_hash)), now=now)


def list_sessions(database: AccessDatabase, username: str | None = None, *, idle: timedelta, lifetime: timedelta,
                  now: datetime) -> tuple[OpenSession, ...]:
    """The sessions that are open now, of one person or of all, the last used first."""
    with database.read() as connection:
        rows = connection.execute(
            f"{_SESSIONS_OF_ACCOUNTS} where ended is null and (?1 is null or session.username = ?1) "
            "order by last_seen desc, session.created desc, token_hash", (username,)).fetchall()
    return tuple(OpenSession(public_id(row["token_hash"]), row["username"], from_text(row["opened"]),
                             from_text(row["last_seen"]), row["method"])
                 for row in rows if _state(row, idle, lifetime, now) is SessionState.OPEN)


def last_sign_ins(database: AccessDatabase) -> dict[str, datetime]:
    """Account name to the moment of its newest session; who never signed in is left out."""
    with database.read() as connection:
        rows = connection.execute("select username, max(created) from session group by username").fetchall()
    return {row[0]: from_text(row[1]) for row in rows}


def end_one_session(database: AccessDatabase, username: str, identifier: str, *, by: Actor, now: datetime) -> None:
    """End a person's session by its public identifier, and record it.

    Raises
    ------
    AccessRefused if it is neither the person's own nor `by` may manage accounts.
    UserError if the person has no open session of that name.
    """
    _check_may_end(by, username)
    with database.write() as connection:
        row = connection.execute(
            "update session set ended = ? where username = ? and substr(token_hash, 1, 12) = ? and ended is null "
            "returning token_hash", (to_text(now), username, identifier)).fetchone()
        if row is None:
            raise UserError("this session has ended already", where="session", remedy="Look at the list anew.")
        record(connection, AuditEvent.of(by, "session ended", reason=f"{username}: {identifier}"), now=now)


def end_sessions(database: AccessDatabase, username: str, *, by: Actor, now: datetime, keep: str = "") -> int:
    """End a person's sessions, and their tickets, but for the one with the public identifier `keep`; how many.

    Raises
    ------
    AccessRefused if they are neither the person's own nor `by` may manage accounts.
    """
    _check_may_end(by, username)
    with database.write() as connection:
        count = end_sessions_within(connection, username, now=now, keep=keep)
        reason = f"{username}: all {'others, ' if keep else ''}{count}"
        record(connection, AuditEvent.of(by, "sessions ended", reason=reason), now=now)
    return count


def end_sessions_within(connection: sqlite3.Connection, username: str, *, now: datetime, keep: str = "") -> int:
    """`end_sessions` inside the caller's transaction, which records it."""
    connection.execute("delete from ticket where username = ?", (username,))
    return connection.execute(
        "update session set ended = ? where username = ? and ended is null and substr(token_hash, 1, 12) <> ?",
        (to_text(now), username, keep)).rowcount


def _check_may_end(by: Actor, username: str) -> None:
    check_user_can(by, Permission.MANAGE_OWN_ACCOUNT if by.username == username else Permission.MANAGE_ACCOUNTS)


_SESSIONS_OF_ACCOUNTS = (
    "select token_hash, method, session.epoch as session_epoch, session.created as opened, last_seen, ended, account.* "
    "from session left join account on account.username = session.username")


def _end_surplus(connection: sqlite3.Connection, actor: Actor, newest: str, now: datetime) -> None:
    surplus = connection.execute(
        "update session set ended = ?1 where token_hash in (select token_hash from session where username = ?2 and "
        "ended is null and token_hash <> ?3 order by last_seen desc, created desc limit -1 offset ?4) "
        "returning token_hash, last_seen", (to_text(now), actor.username, newest, MOST_SESSIONS - 1)).fetchall()
    for row in surplus:
        # a session that nobody came back to died of itself, without being marked: nothing was taken from anybody
        if now - from_text(row["last_seen"]) < _LONG_DEAD:
            reason = f"{actor.username}: {public_id(row['token_hash'])}, more than {MOST_SESSIONS} open"
            record(connection, AuditEvent.of(actor, "session ended", reason=reason), now=now)


def _state(row: sqlite3.Row | None, idle: timedelta, lifetime: timedelta, now: datetime) -> SessionState:
    if row is None:
        return SessionState.UNKNOWN
    if row["username"] is None or row["disabled"] or row["epoch"] != row["session_epoch"]:
        return SessionState.ACCOUNT_CHANGED
    if row["ended"] is not None:
        return SessionState.ENDED
    opened, last_seen = from_text(row["opened"]), from_text(row["last_seen"])
    if max(opened, last_seen) - now > CLOCK_TOLERANCE:
        return SessionState.CLOCK_CHANGED
    if now - opened >= lifetime:
        return SessionState.EXPIRED
    if now - last_seen >= idle:
        return SessionState.IDLE
    return SessionState.OPEN


def _actor(row: sqlite3.Row, token_hash: str, grants: tuple[str, ...] = ()) -> Actor:
    return Actor(row["username"], Role(row["role"]), session=public_id(token_hash), name=row["name"], grants=grants)
