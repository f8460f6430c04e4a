from __future__ import annotations

from datetime import timedelta

import pytest

from harmony_dash.access.accounts import change_role, disable_account, enable_account, set_password
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import SessionCheck, SessionState, end_session, look_up_session
from harmony_dash.errors import AccessRefused
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, add_account, sign_in

IDLE, LIFETIME, MINUTE = timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=1)


def look(database: AccessDatabase, token: str, minutes: float = 0, *, touch: bool = True) -> SessionCheck:
    return look_up_session(database, token, idle=IDLE, lifetime=LIFETIME, now=NOW + minutes * MINUTE, touch=touch)


def test_an_open_session_names_the_person_and_never_the_token(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    actor = look(database, token).actor
    assert actor is not None
    assert (actor.username, actor.role, actor.name) == ("vera", Role.CLINICIAN, "Dr Vera")
    assert actor.session not in token
    assert list_events(database)[0].event.session == actor.session
    with database.read() as connection:
        stored = " ".join(str(tuple(row)) for row in connection.execute("select * from session"))
    assert token not in stored


@pytest.mark.parametrize("token", ["", "x", "' or 1=1 --", "\ud800", "a" * 10_000])
def test_an_unknown_token_is_nobody(database: AccessDatabase, token: str) -> None:
    assert look(database, token) == SessionCheck(SessionState.UNKNOWN)


def test_a_session_dies_after_half_an_hour_without_use(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    assert look(database, token, 29.9).state is SessionState.OPEN
    assert look(database, token, 59.8).state is SessionState.OPEN  # the look at 29.9 was use
    assert look(database, token, 89.8).state is SessionState.IDLE


def test_a_look_that_is_no_use_keeps_nothing_alive(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    assert look(database, token, 29, touch=False).state is SessionState.OPEN
    assert look(database, token, 30).state is SessionState.IDLE


def test_a_session_dies_after_twelve_hours_of_use(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    for minutes in range(0, 12 * 60, 20):
        assert look(database, token, minutes).state is SessionState.OPEN
    assert look(database, token, 12 * 60).state is SessionState.EXPIRED


def test_a_session_that_was_signed_out_is_dead(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token, other = sign_in(database, "vera", now=NOW), sign_in(database, "vera", now=NOW)
    end_session(database, token, now=NOW)
    end_session(database, token, now=NOW)
    assert look(database, token).state is SessionState.ENDED
    assert look(database, other).state is SessionState.OPEN
    assert [row.event.action for row in list_events(database)].count("signed out") == 1


@pytest.mark.parametrize("change", [
    lambda database: disable_account(database, "vera", by=OPERATOR, now=NOW),
    lambda database: change_role(database, "vera", Role.STEERING, by=OPERATOR, now=NOW),
    lambda database: set_password(database, "vera", "another kettle on seven stairs", by=OPERATOR, now=NOW,
                                  rounds=CHEAP),
], ids=["disabled", "role", "password"])
def test_a_change_of_the_account_ends_its_sessions_for_good(database: AccessDatabase, change) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    change(database)
    assert look(database, token) == SessionCheck(SessionState.ACCOUNT_CHANGED)
    enable_account(database, "vera", by=OPERATOR, now=NOW)
    assert look(database, token).actor is None


def test_a_disabled_or_unknown_account_gets_no_session(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    disable_account(database, "vera", by=OPERATOR, now=NOW)
    for username in ("vera", "nobody"):
        with pytest.raises(AccessRefused):
            sign_in(database, username, now=NOW)
