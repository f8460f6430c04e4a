from __future__ import annotations

import sqlite3
from datetime import timedelta, timezone

import pytest

from harmony_dash.access.accounts import find_account
from harmony_dash.access.actor import Role
from harmony_dash.access.audit import (
    AuditEvent,
    Decision,
    EventFilters,
    count_events,
    list_events,
    record,
    record_event,
)
from harmony_dash.access.database import AccessDatabase, AuditUnavailable
from tests.unit.access.conftest import NOW
from tests.unit.access.people import actor_of, add_account


def test_an_event_comes_back_as_it_was_recorded(database: AccessDatabase) -> None:
    event = AuditEvent.of(actor_of(Role.ANALYST), "survival", question="q1", snapshot="s1", level="protected", n=120,
                          decision=Decision.ALLOWED, grant="G-2026-001")
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


def test_events_are_listed_newest_first_page_by_page(database: AccessDatabase) -> None:
    for number in range(5):
        record_event(database, AuditEvent("survival", question=f"q{number}"), now=NOW)
    first = list_events(database, limit=2)
    second = list_events(database, limit=2, before_id=first[-1].id)
    third = list_events(database, limit=2, before_id=second[-1].id)
    assert [row.event.question for row in (*first, *second, *third)] == ["q4", "q3", "q2", "q1", "q0"]
    assert all(len(row.mac) == 64 for row in first)


EVENTS = (
    AuditEvent("coverage", "ada"),
    AuditEvent("survival", "ada", question='f1 {"by":"mrd_group"}', snapshot="s1", grant="G-2026-001"),
    AuditEvent("survival", "bo", question='f2 {"by":"100%_MRD"}', snapshot="s2", decision=Decision.REFUSED),
    AuditEvent("survival", "bo' or 1=1 --", question='f3 {"by":"sex"}', snapshot="s2"))
FILTERS: list[tuple[EventFilters, list[int]]] = [
    ({}, [4, 3, 2, 1]), ({"username": None}, [4, 3, 2, 1]), ({"username": "ada"}, [2, 1]),
    ({"username": "ada", "action": "survival"}, [2]), ({"username": ""}, []), ({"username": "bo' or 1=1 --"}, [4]),
    ({"username": "' or 1=1 --"}, []), ({"decision": Decision.REFUSED}, [3]), ({"grant": "G-2026-001"}, [2]),
    ({"grant": ""}, [4, 3, 1]), ({"snapshot": "s2"}, [4, 3]), ({"contains": "mrd_group"}, [2]),
    ({"contains": "MRD"}, [3]), ({"contains": "%"}, [3]), ({"contains": "_"}, [3, 2]), ({"contains": "\ud800"}, []),
    ({"since": NOW + timedelta(minutes=1)}, [4, 3, 2]), ({"until": NOW + timedelta(minutes=1)}, [1]),
    ({"since": NOW + timedelta(minutes=1), "until": NOW + timedelta(minutes=3)}, [3, 2]),
    ({"since": (NOW + timedelta(minutes=3)).astimezone(timezone(timedelta(hours=9)))}, [4])]


@pytest.mark.parametrize(("filters", "ids"), FILTERS, ids=[str(filters) for filters, _ in FILTERS])
def test_a_filter_leaves_what_it_names(database: AccessDatabase, filters: EventFilters, ids: list[int]) -> None:
    for minute, event in enumerate(EVENTS):
        record_event(database, event, now=NOW + timedelta(minutes=minute))
    assert [row.id for row in list_events(database, **filters)] == ids
    assert count_events(database, **filters) == len(ids)


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
