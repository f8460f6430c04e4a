"""Reading, exporting and proving the audit trail. Looking at the trail leaves a line in it too."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from harmony_dash.access import verification
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import AuditEvent, Decision, EventFilters, RecordedEvent, count_events, list_events
from harmony_dash.access.audit import record_event as record_in_trail
from harmony_dash.access.database import AuditUnavailable
from harmony_dash.access.head import Head
from harmony_dash.access.permissions import Permission
from harmony_dash.access.trail import CLOCK_ACCEPTED
from harmony_dash.access.verification import Verification
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services.audited import check_and_record, record_answer, record_refusal
from harmony_dash.services.deployment import Deployment

# A spreadsheet holds a million rows, but nobody reads them; an export is made in memory.
MOST_ROWS = 100_000
_BATCH = 5_000
_CSV_COLUMNS = ("id", "at", "username", "role", "session", "grant", "action", "question", "snapshot", "level", "n",
                "decision", "reason", "mac")
# What a spreadsheet takes for the beginning of a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class TrailFilters:
    """Which events are meant; None asks for no condition.

    Attributes
    ----------
    username, action, decision, grant, snapshot : the exact text.
    since, until : moments from, and up to but without.
    contains : a text that the question holds, letter for letter, such as the name of a variable.
    """

    username: str | None = None
    action: str | None = None
    decision: Decision | None = None
    grant: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    snapshot: str | None = None
    contains: str | None = None

    def __post_init__(self) -> None:
        for moment in (self.since, self.until):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("a moment without time zone")

    @property
    def given(self) -> EventFilters:
        """The conditions as the trail takes them."""
        return EventFilters(username=self.username, action=self.action, decision=self.decision, grant=self.grant,
                            since=self.since, until=self.until, snapshot=self.snapshot, contains=self.contains)

    @property
    def for_the_record(self) -> str:
        """The conditions as the trail keeps them: JSON with sorted keys."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}, sort_keys=True,
                          ensure_ascii=False, default=lambda moment: moment.isoformat())


def read_trail(deployment: Deployment, actor: Actor, filters: TrailFilters | None = None, *, limit: int = 100,
               before_id: int | None = None) -> tuple[RecordedEvent, ...]:
    """The newest events first; what was read is recorded once, after the reading.

    Parameters
    ----------
    limit : how many at most.
    before_id : continues a list after its last event.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a limit that is none.
    """
    action, filters = "read audit trail", filters or TrailFilters()
    check_and_record(deployment, actor, Permission.READ_AUDIT, action, question=filters.for_the_record)
    if not 1 <= limit <= MOST_ROWS:
        raise UserError(f"a list has 1 to {MOST_ROWS:,} events", where="limit")
    events = list_events(deployment.access, before_id=before_id, limit=limit, **filters.given)
    record_answer(deployment, actor, action, question=filters.for_the_record)
    return events


def trail_as_csv(deployment: Deployment, actor: Actor, filters: TrailFilters | None = None) -> bytes:
    """All events that the filters leave, newest first, as a file for a spreadsheet; recorded.

    UTF-8 with a byte order mark, without which Excel takes the file for the local code page and spoils names. Every
    field is quoted, and one that a spreadsheet would take for a formula gets an apostrophe in front.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for more than 100,000 events.
    """
    action, filters = "export audit trail", filters or TrailFilters()
    check_and_record(deployment, actor, Permission.READ_AUDIT, action, question=filters.for_the_record)
    count = count_events(deployment.access, **filters.given)
    if count > MOST_ROWS:
        refused = UserError(f"{count:,} events are too many for one file, which holds {MOST_ROWS:,}", where="export",
                            remedy="Choose a shorter time, a person or an action.")
        record_refusal(deployment, actor, action, refused, question=filters.for_the_record)
        raise refused
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(_CSV_COLUMNS)
    before, left = None, count
    while left > 0 and (events := list_events(deployment.access, before_id=before, limit=min(_BATCH, left),
                                              **filters.given)):
        writer.writerows([_cell(value) for value in _values(row)] for row in events)
        before, left = events[-1].id, left - len(events)
    record_answer(deployment, actor, action, question=filters.for_the_record)
    return text.getvalue().encode("utf-8-sig")


def verify_trail(deployment: Deployment, actor: Actor, head: Head | None = None) -> Verification:
    """Check every row of the trail; recorded.

    Parameters
    ----------
    head : a head that was exported earlier and kept elsewhere; the trail must still hold its row.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a head that was not sealed here; StoreError, SettingsError.
    """
    action = "verify audit trail"
    check_and_record(deployment, actor, Permission.READ_AUDIT, action)
    found = verification.verify(deployment.access, head)
    if found.broken is None:
        record_answer(deployment, actor, action)
        return found
    # A broken trail takes no more events, and the person must hear of it all the more.
    with suppress(AuditUnavailable):
        record_in_trail(deployment.access, AuditEvent.of(actor, action, reason=found.broken.words),
                        now=deployment.now())
    return found


def export_head(deployment: Deployment, actor: Actor) -> Head:
    """The head of the trail, to be kept where whoever can change the trail cannot change it; recorded.

    The record comes first, so that the head covers it.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    action = "export audit head"
    check_and_record(deployment, actor, Permission.READ_AUDIT, action)
    record_answer(deployment, actor, action)
    return deployment.access.newest_head()


def accept_clock(deployment: Deployment, actor: Actor) -> bool:
    """Record that the clock is right as it is now, although the trail holds later moments; the operator alone may.

    Returns
    -------
    Whether the clock was behind.

    Raises
    ------
    AccessRefused, AuditUnavailable.
    """
    # a refusal goes by another name than the acceptance, which counts
    action = "accept clock"
    check_and_record(deployment, actor, Permission.READ_AUDIT, action)
    if actor.role is not Role.OPERATOR:
        # whoever may move the clock and accept it could make an expired grant valid again
        refused = AccessRefused("only whoever runs the server may accept its clock",
                                remedy="Ask them to run `audit accept-clock`.")
        record_refusal(deployment, actor, action, refused)
        raise refused
    now = deployment.now()
    behind = deployment.access.clock_is_behind(now)
    record_in_trail(deployment.access, AuditEvent.of(actor, CLOCK_ACCEPTED), now=now)
    return behind


def _values(row: RecordedEvent) -> tuple[object, ...]:
    event = row.event
    return (row.id, row.at.isoformat(), event.username, event.role, event.session, event.grant, event.action,
            event.question, event.snapshot, event.level, "" if event.n is None else event.n, event.decision.value,
            event.reason, row.mac)


def _cell(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
