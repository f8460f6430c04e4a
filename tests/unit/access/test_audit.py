from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from harmony_dash.access.accounts import find_account
from harmony_dash.access.actor import Role
from harmony_dash.access.audit import AuditEvent, Decision, list_events, record, record_event
from harmony_dash.access.database import AccessDatabase, AuditUnavailable
from tests.unit.access.conftest import NOW
from tests.unit.access.people import actor_of, add_account


def test_an_event_comes_back_as_it_was_recorded(database: AccessDatabase) -> None:
    event = AuditEvent.of(actor_of(Role.ANALYST), "survival", question="q1", snapshot="s1", level="protected", n=120,
                          decision=Decision.ALLOWED)
    number = record_event(database, event, now=NOW)
    (recorded,) = list_events(database)
    assert (recorded.id, recorded.at, recorded.event) == (number, NOW, event)


@pytest.mark.parametrize("statement", [
    "update audit set reason = 'nothing happened'", "delete from audit",
    "insert or replace into audit select * from audit"])
def test_the_trail_refuses_every_change(database: AccessDatabase, statement: str) -> None:
    record_event(database, AuditEvent("survival"), now=NOW)
    before = list_events(database)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.write() as connection:
        connection.execute(statement)
    assert list_events(database) == before


def test_events_are_listed_newest_first_and_can_be_filtered(database: AccessDatabase) -> None:
    for minute, (name, action) in enumerate([("ada", "coverage"), ("ada", "survival"), ("bo", "survival")]):
        record_event(database, AuditEvent(action, name), now=NOW + timedelta(minutes=minute))
    assert [row.event.username for row in list_events(database)] == ["bo", "ada", "ada"]
    assert len(list_events(database, username="ada", action="survival")) == 1
    assert len(list_events(database, since=NOW + timedelta(minutes=1))) == 2
    newest = list_events(database, limit=1)[0]
    assert len(list_events(database, before_id=newest.id)) == 2


def test_a_change_whose_record_fails_does_not_happen(database: AccessDatabase) -> None:
    with database.write() as connection:
        connection.execute("alter table audit rename to lost")
    with pytest.raises(AuditUnavailable):
        add_account(database, "ghost", now=NOW)
    assert find_account(database, "ghost") is None


def test_an_event_inside_a_failed_transaction_is_not_kept(database: AccessDatabase) -> None:
    def fail_after_recording() -> None:
        with database.write() as connection:
            record(connection, AuditEvent("half"), now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_recording()
    assert list_events(database) == ()
