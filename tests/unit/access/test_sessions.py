from __future__ import annotations

from datetime import timedelta

import pytest

from harmony_dash.access.accounts import change_role, disable_account, enable_account, set_password
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.grants import approve_grant, propose_grant
from harmony_dash.access.sessions import (
    CLOCK_TOLERANCE,
    MOST_SESSIONS,
    OpenSession,
    SessionCheck,
    SessionState,
    SignInMethod,
    end_one_session,
    end_session,
    end_sessions,
    hash_token,
    last_sign_ins,
    list_sessions,
    look_up_session,
    open_session,
    public_id,
)
from harmony_dash.disclosure import Level
from harmony_dash.errors import AccessRefused, UserError
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, add_account, sign_in

IDLE, LIFETIME, MINUTE = timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=1)


def look(database: AccessDatabase, token: str, minutes: float = 0, *, touch: bool = True) -> SessionCheck:
    return look_up_session(database, token, idle=IDLE, lifetime=LIFETIME, now=NOW + minutes * MINUTE, touch=touch)


def listed(database: AccessDatabase, username: str | None = "vera", minutes: float = 0) -> tuple[OpenSession, ...]:
    return list_sessions(database, username, idle=IDLE, lifetime=LIFETIME, now=NOW + minutes * MINUTE)


def vera_in(database: AccessDatabase, token: str) -> Actor:
    actor = look(database, token).actor
    assert actor is not None
    return actor


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


@pytest.mark.parametrize("back", [CLOCK_TOLERANCE + MINUTE, LIFETIME, timedelta(days=400)], ids=str)
def test_a_session_from_the_future_is_refused(database: AccessDatabase, back: timedelta) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    assert look(database, token, -(back / MINUTE)) == SessionCheck(SessionState.CLOCK_CHANGED)
    assert listed(database, minutes=-(back / MINUTE)) == ()


def test_turning_the_clock_back_after_use_does_not_lengthen_a_session(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    for minutes in range(0, 12 * 60, 20):
        look(database, token, minutes)
    assert look(database, token, 60).state is SessionState.CLOCK_CHANGED


def test_a_clock_that_the_network_sets_back_by_seconds_ends_nothing(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    assert look(database, token, -1).state is SessionState.OPEN


def test_a_session_says_how_it_was_opened(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for method in SignInMethod:
        with database.write() as connection:
            open_session(connection, "vera", now=NOW, method=method)
    assert {session.method for session in listed(database)} == {"password", "password and code", "identity provider"}
    assert {row.event.reason for row in list_events(database, action="signed in")} == set(SignInMethod)


def test_a_method_that_nobody_knows_is_a_bug(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    with pytest.raises(ValueError), database.write() as connection:
        open_session(connection, "vera", now=NOW, method="carrier pigeon")


def test_only_sessions_that_are_open_are_listed_the_last_used_first(database: AccessDatabase) -> None:
    for name in ("vera", "max"):
        add_account(database, name, now=NOW)
    idle, used, ended = (sign_in(database, "vera", now=NOW) for _ in range(3))
    sign_in(database, "max", now=NOW)
    end_session(database, ended, now=NOW)
    look(database, used, 20)
    late = sign_in(database, "vera", now=NOW + 25 * MINUTE)
    ids = [public_id(hash_token(token)) for token in (late, used, idle)]
    assert [session.id for session in listed(database, minutes=25)] == ids
    assert [session.id for session in listed(database, minutes=35)] == ids[:2]
    assert [session.username for session in listed(database, None, 25)].count("max") == 1
    assert not any(session.id in token for session in listed(database) for token in (idle, used, late))


def test_one_session_is_ended_by_its_public_identifier(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    token, other = sign_in(database, "vera", now=NOW), sign_in(database, "vera", now=NOW)
    vera = vera_in(database, token)
    end_one_session(database, "vera", vera_in(database, other).session, by=vera, now=NOW)
    assert look(database, other).state is SessionState.ENDED
    assert look(database, token).state is SessionState.OPEN
    event = list_events(database)[0].event
    assert (event.action, event.session) == ("session ended", vera.session)


@pytest.mark.parametrize("identifier", ["", "%", "x", "____________", "' or 1=1 --"])
def test_an_identifier_of_nothing_ends_nothing(database: AccessDatabase, identifier: str) -> None:
    add_account(database, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    with pytest.raises(UserError, match="ended already"):
        end_one_session(database, "vera", identifier, by=vera_in(database, token), now=NOW)
    assert look(database, token).state is SessionState.OPEN


def test_nobody_ends_somebody_elses_session(database: AccessDatabase) -> None:
    for name in ("vera", "mallory"):
        add_account(database, name, now=NOW)
    token, other = sign_in(database, "vera", now=NOW), sign_in(database, "mallory", now=NOW)
    mallory, identifier = vera_in(database, other), vera_in(database, token).session
    for attempt in (lambda: end_one_session(database, "vera", identifier, by=mallory, now=NOW),
                    lambda: end_one_session(database, "mallory", identifier, by=mallory, now=NOW),
                    lambda: end_sessions(database, "vera", by=mallory, now=NOW)):
        with pytest.raises(UserError):
            attempt()
    assert look(database, token).state is SessionState.OPEN


def test_all_sessions_but_one_are_ended_together(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    tokens = [sign_in(database, "vera", now=NOW) for _ in range(4)]
    vera = vera_in(database, tokens[2])
    assert end_sessions(database, "vera", by=vera, now=NOW, keep=vera.session) == 3
    assert [look(database, token).state is SessionState.OPEN for token in tokens] == [False, False, True, False]
    assert end_sessions(database, "vera", by=OPERATOR, now=NOW) == 1
    assert look(database, tokens[2]).state is SessionState.ENDED


def test_one_session_too_many_ends_the_one_idle_longest(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    tokens = [sign_in(database, "vera", now=NOW + number * MINUTE) for number in range(MOST_SESSIONS)]
    look(database, tokens[0], 15)
    tokens.append(sign_in(database, "vera", now=NOW + 16 * MINUTE))
    states = [look(database, token, 16).state for token in tokens]
    assert states == [SessionState.OPEN, SessionState.ENDED, *[SessionState.OPEN] * (MOST_SESSIONS - 1)]
    assert "more than 10 open" in list_events(database, action="session ended")[0].event.reason


def test_sessions_that_died_of_themselves_are_cleared_away_without_a_word(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for day in range(MOST_SESSIONS + 5):
        sign_in(database, "vera", now=NOW + timedelta(days=2 * day))
    assert list_events(database, action="session ended") == ()
    with database.read() as connection:
        assert connection.execute("select count(*) from session where ended is null").fetchone()[0] == MOST_SESSIONS


def test_the_last_sign_in_of_everybody_who_had_one(database: AccessDatabase) -> None:
    for name in ("vera", "max"):
        add_account(database, name, now=NOW)
    sign_in(database, "vera", now=NOW)
    sign_in(database, "vera", now=NOW + MINUTE)
    assert last_sign_ins(database) == {"vera": NOW + MINUTE}


def test_the_actor_carries_the_grants_that_are_active_at_that_moment(database: AccessDatabase) -> None:
    add_account(database, role=Role.ANALYST, now=NOW)
    token = sign_in(database, "vera", now=NOW)
    by = [Actor(name, Role.DATA_MANAGER, session="s") for name in ("dora", "dirk", "dana")]
    for actor in by:
        add_account(database, actor.username, actor.role, now=NOW)
    proposal = GrantProposal("Study", "To see.", ("ALL",), ("DE",), ("sex",), Level.PROTECTED, ("vera",), NOW.date(),
                             NOW.date())
    grant = propose_grant(database, proposal, by=by[0], now=NOW)
    for approver in by[1:]:
        assert vera_in(database, token).grants == ()
        approve_grant(database, grant.id, by=approver, now=NOW)
    assert vera_in(database, token).grants == (grant.id,)
    tomorrow = timedelta(days=1)
    late = sign_in(database, "vera", now=NOW + tomorrow)
    check = look_up_session(database, late, idle=IDLE, lifetime=LIFETIME, now=NOW + tomorrow)
    assert check.actor is not None and check.actor.grants == ()
