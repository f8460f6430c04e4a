"""The audit trail: who asked what, under which rules, and what was decided.

A change and the record of it are saved in one transaction: `record` takes the connection of a `database.write()`
block. If the trail cannot be written, the action does not happen.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from harmony_dash.access.actor import Actor
from harmony_dash.access.database import AccessDatabase, AuditUnavailable, from_text, to_text


class Decision(StrEnum):
    """What was answered."""

    ALLOWED = "allowed"
    REFUSED = "refused"


@dataclass(frozen=True)
class AuditEvent:
    """One line of the trail; ids as text, no value of a patient.

    Attributes
    ----------
    username, role, session : who; the session is its short public identifier. Empty for nobody.
    action : what was asked for, in the words of the code; renaming one is a migration.
    question, snapshot, level : fingerprint of the question, the snapshot it was put to, the disclosure level.
    n : size of the group that was answered, as released; None where there is none.
    decision, reason : the answer, and why it was refused.
    """

    action: str
    username: str = ""
    role: str = ""
    session: str = ""
    question: str = ""
    snapshot: str = ""
    level: str = ""
    n: int | None = None
    decision: Decision = Decision.ALLOWED
    reason: str = ""

    @classmethod
    def of(cls, actor: Actor, action: str, *, question: str = "", snapshot: str = "", level: str = "",
           n: int | None = None, decision: Decision = Decision.ALLOWED, reason: str = "") -> AuditEvent:
        """An event of a signed-in person."""
        return cls(action, actor.username, actor.role.value, actor.session, question, snapshot, level, n, decision,
                   reason)


@dataclass(frozen=True)
class RecordedEvent:
    """An event with its number and its moment (UTC)."""

    id: int
    at: datetime
    event: AuditEvent


def record(connection: sqlite3.Connection, event: AuditEvent, *, now: datetime) -> int:
    """Append the event inside the caller's transaction and return its number.

    Raises
    ------
    AuditUnavailable if it cannot be written; the caller's transaction then rolls back.
    """
    try:
        cursor = connection.execute(
            "insert into audit (at, username, role, session, action, question, snapshot, level, n, decision, reason) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (to_text(now), event.username, event.role, event.session, event.action, event.question, event.snapshot,
             event.level, event.n, event.decision.value, event.reason))
    except sqlite3.Error as error:
        raise AuditUnavailable from error
    return int(cursor.lastrowid or 0)


def record_event(database: AccessDatabase, event: AuditEvent, *, now: datetime) -> int:
    """Append the event in a transaction of its own and return its number.

    Raises
    ------
    AuditUnavailable if it cannot be written.
    """
    with database.write() as connection:
        return record(connection, event, now=now)


def list_events(database: AccessDatabase, *, username: str | None = None, action: str | None = None,
                since: datetime | None = None, before_id: int | None = None, limit: int = 100
                ) -> tuple[RecordedEvent, ...]:
    """The newest events first; `before_id` continues a list."""
    wanted = [("username = ?", username), ("action = ?", action), ("id < ?", before_id),
              ("at >= ?", to_text(since) if since else None)]
    given = [(condition, value) for condition, value in wanted if value is not None]
    where = " and ".join(condition for condition, _ in given) or "true"
    with database.read() as connection:
        rows = connection.execute(f"select * from audit where {where} order by id desc limit ?",
                                  (*(value for _, value in given), limit)).fetchall()
    return tuple(RecordedEvent(row["id"], from_text(row["at"]), AuditEvent(
        row["action"], row["username"], row["role"], row["session"], row["question"], row["snapshot"], row["level"],
        row["n"], Decision(row["decision"]), row["reason"])) for row in rows)
