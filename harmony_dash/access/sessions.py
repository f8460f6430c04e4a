"""Sessions that the server can end: a random token in the browser, its SHA-256 here.

Nothing about a person is cached: every look-up reads the account's role, status and epoch anew.
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
from harmony_dash.errors import AccessRefused

TOKEN_BYTES = 32
# Writing at every click would cost a disk flush each; a minute more or less does not matter to a half-hour limit.
_TOUCH_EVERY = timedelta(minutes=1)


class SessionState(StrEnum):
    """What became of a session."""

    OPEN = "open"
    UNKNOWN = "unknown"
    ENDED = "ended"
    IDLE = "idle"
    EXPIRED = "expired"
    ACCOUNT_CHANGED = "account changed"


@dataclass(frozen=True)
class SessionCheck:
    """The answer of a look-up: an actor if and only if the session is open."""

    state: SessionState
    actor: Actor | None = None


def hash_token(token: str) -> str:
    """What is stored of a token; the token itself exists only in the browser."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def new_token() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def open_session(connection: sqlite3.Connection, username: str, *, now: datetime) -> str:
    """Open a session inside the caller's transaction, record it, and return its token.

    Raises
    ------
    AccessRefused if there is no such account or it is disabled.
    """
    row = connection.execute("select * from account where username = ?", (username,)).fetchone()
    if row is None or row["disabled"]:
        raise AccessRefused("signing in did not work", remedy="Sign in again.")
    token = new_token()
    moment = to_text(now)
    connection.execute("insert into session (token_hash, username, epoch, created, last_seen) values (?, ?, ?, ?, ?)",
                       (hash_token(token), username, row["epoch"], moment, moment))
    record(connection, AuditEvent.of(_actor(row, hash_token(token)), "signed in"), now=now)
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
            "select session.epoch as session_epoch, session.created as opened, last_seen, ended, account.* "
            "from session left join account on account.username = session.username where token_hash = ?",
            (token_hash,)).fetchone()
    state = _state(row, idle, lifetime, now)
    if state is not SessionState.OPEN:
        return SessionCheck(state)
    if touch and now - from_text(row["last_seen"]) >= min(_TOUCH_EVERY, idle / 2):
        with database.write() as connection:
            connection.execute("update session set last_seen = ? where token_hash = ?", (to_text(now), token_hash))
    return SessionCheck(state, _actor(row, token_hash))


def end_session(database: AccessDatabase, token: str, *, now: datetime) -> None:
    """End the session of a token, if there is an open one, and record it."""
    token_hash = hash_token(token)
    with database.write() as connection:
        row = connection.execute(
            "update session set ended = ? where token_hash = ? and ended is null returning username",
            (to_text(now), token_hash)).fetchone()
        if row is not None:
            record(connection, AuditEvent("signed out", row["username"], session=token_hash[:12]), now=now)


def _state(row: sqlite3.Row | None, idle: timedelta, lifetime: timedelta, now: datetime) -> SessionState:
    if row is None:
        return SessionState.UNKNOWN
    if row["username"] is None or row["disabled"] or row["epoch"] != row["session_epoch"]:
        return SessionState.ACCOUNT_CHANGED
    if row["ended"] is not None:
        return SessionState.ENDED
    if now - from_text(row["opened"]) >= lifetime:
        return SessionState.EXPIRED
    if now - from_text(row["last_seen"]) >= idle:
        return SessionState.IDLE
    return SessionState.OPEN


def _actor(row: sqlite3.Row, token_hash: str) -> Actor:
    return Actor(row["username"], Role(row["role"]), session=token_hash[:12], name=row["name"])
