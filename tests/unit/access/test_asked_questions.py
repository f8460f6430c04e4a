"""The distinct questions of a person's day, read from the trail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from harmony_dash.access.actor import Role
from harmony_dash.access.audit import PANEL_ACTION, Asked, AuditEvent, Decision, list_asked, record, record_event
from harmony_dash.access.database import AccessDatabase
from tests.unit.access.conftest import NOW
from tests.unit.access.people import actor_of

TODAY = NOW.date()
ADA = "ada"


def event(fingerprint: str, **changes: Any) -> AuditEvent:
    return AuditEvent(**{"action": "survival", "username": ADA, "question": f'{fingerprint * 16} {{"by":"sex"}}',
                         "level": "protected", **changes})


def test_each_question_is_there_once_with_its_grant(database: AccessDatabase) -> None:
    for one in (event("a"), event("a"), event("b", grant="G-2026-001"), event("b"), event("c", level="public"),
                event("a", action=PANEL_ACTION), event("d", action=PANEL_ACTION), event("b", action="export"),
                event("e", grant="G-2026-001"), event("e", action=PANEL_ACTION)):
        record_event(database, one, now=NOW)
    assert list_asked(database, ADA, TODAY) == {
        Asked("a" * 16), Asked("b" * 16), Asked("c" * 16), Asked("b" * 16, "G-2026-001"), Asked("e" * 16, "G-2026-001"),
        Asked("d" * 16, panel=True), Asked("e" * 16, panel=True)}


def test_only_protected_answers_of_the_person_and_day_are_there(database: AccessDatabase) -> None:
    for one in (event("a", level="exact"), event("b", level="off"), event("c", level=""),
                event("d", decision=Decision.REFUSED), event("e", username="bo"), event("f", question="ALL"),
                event("0", username=""), event("2", question="no fingerprint at all {"),
                event("3", question="123456789abcdef {}")):
        record_event(database, one, now=NOW)
    record_event(database, event("1"), now=NOW - timedelta(days=1))
    assert list_asked(database, ADA, TODAY) == frozenset()
    assert {one.fingerprint[0] for one in list_asked(database, ADA, TODAY - timedelta(days=1))} == {"1"}
    assert list_asked(database, "' or 1=1 --", TODAY) == frozenset()
    assert list_asked(database, "\ud800", TODAY) == frozenset()


def test_a_day_is_a_day_in_utc(database: AccessDatabase) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    record_event(database, event("a"), now=midnight - timedelta(microseconds=1))
    record_event(database, event("b"), now=midnight)
    assert [one.fingerprint[0] for one in list_asked(database, ADA, TODAY)] == ["b"]


def test_the_index_finds_them_without_reading_the_trail(database: AccessDatabase) -> None:
    from harmony_dash.access.audit import _ASKED_SQL

    with database.read() as connection:
        plan = [row[3] for row in connection.execute(f"explain query plan {_ASKED_SQL}",
                                                     {"username": ADA, "day": TODAY.isoformat()})]
    looks = [line for line in plan if "audit" in line]
    assert len(looks) == 2
    assert all(line.startswith("SEARCH audit USING INDEX audit_asked (username=? AND <expr>=?") for line in looks)


def test_all_questions_of_a_long_day_are_found(database: AccessDatabase) -> None:
    with database.write() as connection:
        for number in range(2_000):
            record(connection, AuditEvent.of(actor_of(Role.CLINICIAN), ("survival", PANEL_ACTION)[number % 2],
                                             question=f"{number // 2 % 300:016x} {{}}", level="protected"), now=NOW)
    asked = list_asked(database, "somebody", TODAY)
    assert asked == {Asked(f"{number:016x}") for number in range(300)}
