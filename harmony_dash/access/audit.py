"""The audit trail: who asked what, under which rules, and what was decided.

A change and the record of it are saved in one transaction: `record` takes the connection of a `database.write()`
block. If the trail cannot be written, the action does not happen.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, TypedDict, Unpack

from harmony_dash.access.actor import Actor
from harmony_dash.access.chain import append_row
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
    question, snapshot, level : the question as recorded, the snapshot it was put to, the disclosure level.
    n : size of the group that was answered, as released; None where there is none.
    decision, reason : the answer, and why it was refused.
    grant : id of the grant it was asked under; empty for none.
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
    grant: str = ""

    @classmethod
    def of(cls, actor: Actor, action: str, *, question: str = "", snapshot: str = "", level: str = "",
           n: int | None = None, decision: Decision = Decision.ALLOWED, reason: str = "",
           grant: str = "") -> AuditEvent:
        """An event of a signed-in person."""
        return cls(action, actor.username, actor.role.value, actor.session, question, snapshot, level, n, decision,
                   reason, grant)


@dataclass(frozen=True)
class RecordedEvent:
    """An event with its number, its moment (UTC) and its link of the chain (empty on rows older than the chain)."""

    id: int
    at: datetime
    event: AuditEvent
    mac: str = ""


# The cohort panel's counts, which stand beside the answer to the same question; renaming it is a migration.
PANEL_ACTION = "count choices"


class Asked(NamedTuple):
    """A question that somebody was answered under a grant (empty for none), or that only the panel counted."""

    fingerprint: str
    grant: str = ""
    panel: bool = False


class EventFilters(TypedDict, total=False):
    """Which events are meant; None, like a missing key, asks for no condition.

    Keys
    ----
    username, action, decision, grant, snapshot : the exact text.
    since, until : moments from, and up to but without.
    contains : a text that the question holds, letter for letter.
    """

    username: str | None
    action: str | None
    decision: Decision | None
    grant: str | None
    since: datetime | None
    until: datetime | None
    snapshot: str | None
    contains: str | None


def record(connection: sqlite3.Connection, event: AuditEvent, *, now: datetime) -> int:
    """Append the event inside the caller's transaction and return its number.

    Raises
    ------
    AuditUnavailable if it cannot be written; the caller's transaction then rolls back.
    """
    # The link is made over what is stored: every value must be of the type that its column gives back.
    values = (to_text(now), *(_text(part) for part in (
        event.username, event.role, event.session, event.action, event.question, event.snapshot, event.level)),
        None if event.n is None else int(event.n),
        *(_text(part) for part in (event.decision, event.reason, event.grant)))
    try:
        return append_row(connection, values)
    except sqlite3.Error as error:
        raise AuditUnavailable from error


def record_event(database: AccessDatabase, event: AuditEvent, *, now: datetime) -> int:
    """Append the event in a transaction of its own and return its number.

    Raises
    ------
    AuditUnavailable if it cannot be written.
    """
    with database.write() as connection:
        return record(connection, event, now=now)


def list_events(database: AccessDatabase, *, before_id: int | None = None, limit: int = 100,
                **filters: Unpack[EventFilters]) -> tuple[RecordedEvent, ...]:
    """The newest events first.

    Parameters
    ----------
    before_id : continues a list after its last event.
    limit : how many at most.
    filters : see `EventFilters`.
    """
    where, values = _where_sql(filters)
    if before_id is not None:
        where, values = f"{where} and id < ?", (*values, before_id)
    with database.read() as connection:
        rows = connection.execute(f"select * from audit where {where} order by id desc limit ?",
                                  (*values, limit)).fetchall()
    return tuple(RecordedEvent(row["id"], from_text(row["at"]), AuditEvent(
        row["action"], row["username"], row["role"], row["session"], row["question"], row["snapshot"], row["level"],
        row["n"], Decision(row["decision"]), row["reason"], row["grant_id"]), row["mac"]) for row in rows)


def count_events(database: AccessDatabase, **filters: Unpack[EventFilters]) -> int:
    """How many events the filters leave."""
    where, values = _where_sql(filters)
    with database.read() as connection:
        return int(connection.execute(f"select count(*) from audit where {where}", values).fetchone()[0])


def list_asked(database: AccessDatabase, username: str, day: date) -> frozenset[Asked]:
    """The distinct questions that a person was answered on a day (UTC), with protected results.

    It takes one look-up in the index `audit_asked` for each of them, however often they were asked and however long
    the trail is.
    """
    with database.read() as connection:
        rows = connection.execute(_ASKED_SQL, {"username": _text(username), "day": day.isoformat()}).fetchall()
    return frozenset(Asked(fingerprint, grant, bool(panel))
                     for grant, fingerprint, *panel in (row[0].split(" ") for row in rows))


# The expressions must be those of the index, letter for letter; a test looks at the plan.
_ASKED_KEY = ("grant_id || ' ' || substr(question, 1, 16) || "
              "case action when 'count choices' then ' panel' else '' end")
_NEXT_ASKED = f"""select {_ASKED_KEY} from audit where username = :username and substr(at, 1, 10) = :day
    and decision = 'allowed' and level not in ('', 'exact', 'off')
    and question glob '{"[0-9a-f]" * 16} {{*'"""
_ASKED_SQL = f"""with recursive asked (key) as (
    select ({_NEXT_ASKED} order by {_ASKED_KEY} limit 1)
    union all
    select ({_NEXT_ASKED} and {_ASKED_KEY} > replace(asked.key, ' panel', '') || '~' order by {_ASKED_KEY} limit 1)
    from asked where asked.key is not null)
select key from asked where key is not null"""


def _where_sql(filters: EventFilters) -> tuple[str, tuple[str | int, ...]]:
    """The condition and its values."""
    since, until = filters.get("since"), filters.get("until")
    wanted = [("username = ?", filters.get("username")), ("action = ?", filters.get("action")),
              ("decision = ?", filters.get("decision")), ("grant_id = ?", filters.get("grant")),
              ("snapshot = ?", filters.get("snapshot")), ("instr(question, ?) > 0", filters.get("contains")),
              ("at >= ?", to_text(since) if since else None), ("at < ?", to_text(until) if until else None)]
    given = [(condition, _text(value)) for condition, value in wanted if value is not None]
    return " and ".join(condition for condition, _ in given) or "true", tuple(value for _, value in given)


def _text(value: str) -> str:
    """The value as plain text that UTF-8 can write; half a surrogate pair, as broken input may hold, becomes `?`."""
    return str(value).encode("utf-8", "replace").decode()
