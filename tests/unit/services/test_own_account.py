"""What a person does for themselves: allowed, refused, counted and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from harmony_dash.access.accounts import create_account, find_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.attempts import NAME_LIMIT
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import SessionState, look_up_session, open_session
from harmony_dash.access.sign_in import check_password
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.own_account import (
    change_own_password,
    confirm_second_factor,
    describe_own_account,
    end_other_own_sessions,
    end_own_session,
    list_own_sessions,
    start_second_factor,
    stop_second_factor,
)
from harmony_dash.settings import Settings
from harmony_dash.store.reader import Store
from tests.factories import ACCESS_KEY, NOW

PASSWORD, NEW = "violet kettle under seven stairs", "another teapot behind nine doors"
CHEAP = 4
STEP = timedelta(seconds=30)


@dataclass
class House:
    """A deployment without data, its clock, and whoever is in it."""

    deployment: Deployment
    clock: list[datetime] = field(default_factory=list)

    @property
    def access(self) -> AccessDatabase:
        return self.deployment.access

    def wait(self, time: timedelta) -> None:
        self.clock[0] += time

    def add(self, username: str, role: Role = Role.CLINICIAN, *, demo: bool = False) -> None:
        create_account(self.access, username=username, name=f"Dr {username.title()}", role=role, password=PASSWORD,
                       by=OPERATOR, now=self.clock[0], rounds=CHEAP, demo=demo)

    def token(self, username: str) -> str:
        with self.access.write() as connection:
            return open_session(connection, username, now=self.clock[0])

    def look(self, token: str) -> SessionState:
        return look_up_session(self.access, token, idle=timedelta(minutes=30), lifetime=timedelta(hours=12),
                               now=self.clock[0]).state

    def actor(self, token: str) -> Actor:
        actor = look_up_session(self.access, token, idle=timedelta(minutes=30), lifetime=timedelta(hours=12),
                                now=self.clock[0]).actor
        assert actor is not None
        return actor

    def enter(self, username: str = "vera", role: Role = Role.CLINICIAN) -> tuple[Actor, str]:
        """Make the account, open a session, and return who it is."""
        self.add(username, role)
        token = self.token(username)
        return self.actor(token), token


def make_house(folder: Path) -> House:
    clock = [NOW]
    settings = Settings(store=folder / "store", access_database=folder / "access.sqlite", samples=None)
    access = AccessDatabase(settings.access_database, ACCESS_KEY)
    return House(Deployment(settings, Store(settings.store), access, lambda: clock[0]), clock)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = make_house(tmp_path)
    yield house
    house.access.close()


def last_event(house: House) -> tuple[str, Decision]:
    event = list_events(house.access, limit=1)[0].event
    return event.action, event.decision


# -- sessions ------------------------------------------------------------------------------------------------------


def test_a_person_sees_their_own_open_sessions_and_which_one_this_is(house: House) -> None:
    vera, _ = house.enter()
    house.enter("max")
    house.wait(timedelta(minutes=3))
    house.token("vera")
    own = list_own_sessions(house.deployment, vera)
    assert [(one.is_this, one.method) for one in own] == [(True, "password"), (False, "password")]


def test_one_session_or_all_others_are_ended_and_it_is_recorded(house: House) -> None:
    vera, token = house.enter()
    others = [house.token("vera") for _ in range(3)]
    end_own_session(house.deployment, vera, house.actor(others[0]).session)
    assert house.look(others[0]) is SessionState.ENDED
    assert last_event(house) == ("session ended", Decision.ALLOWED)
    assert end_other_own_sessions(house.deployment, vera) == 2
    assert [house.look(one) for one in (*others, token)] == [*[SessionState.ENDED] * 3, SessionState.OPEN]
    assert last_event(house) == ("sessions ended", Decision.ALLOWED)


def test_a_session_of_somebody_else_looks_like_none_at_all(house: House) -> None:
    vera, _ = house.enter()
    max_, token = house.enter("max")
    for identifier in (max_.session, "0" * 12):
        with pytest.raises(UserError, match="ended already"):
            end_own_session(house.deployment, vera, identifier)
        assert last_event(house) == ("end own session", Decision.REFUSED)
    assert house.look(token) is SessionState.OPEN


# -- password ------------------------------------------------------------------------------------------------------


def change(house: House, actor: Actor, current: str = PASSWORD, new: str = NEW) -> None:
    change_own_password(house.deployment, actor, current, new, "10.0.0.1", rounds=CHEAP)


def test_a_new_password_ends_every_session_and_the_old_password(house: House) -> None:
    vera, token = house.enter()
    other = house.token("vera")
    change(house, vera)
    assert [house.look(one) for one in (token, other)] == [SessionState.ACCOUNT_CHANGED] * 2
    assert last_event(house) == ("own password changed", Decision.ALLOWED)
    for password, right in ((PASSWORD, False), (NEW, True)):
        account = check_password(house.access, "vera", password, address="b", now=NOW, rounds=CHEAP)
        assert (account is not None) is right


@pytest.mark.parametrize(("current", "new", "says"), [
    ("wrong", NEW, "present password is not right"), ("", NEW, "present password is not right"),
    (PASSWORD, PASSWORD, "is the present one"), (PASSWORD, "short", "fewer than 15"),
    (PASSWORD, "Dr-Vera-Dr-Vera-1", "easy to guess"), (PASSWORD, "passwordpassword", "easy to guess")])
def test_what_does_not_fit_changes_nothing_and_is_recorded_without_its_words(
        house: House, current: str, new: str, says: str) -> None:
    vera, token = house.enter()
    with pytest.raises(UserError, match=says):
        change(house, vera, current, new)
    assert house.look(token) is SessionState.OPEN
    assert last_event(house) == ("change own password", Decision.REFUSED)
    with house.access.read() as connection:
        trail = str([tuple(row) for row in connection.execute("select * from audit")])
    assert new not in trail and PASSWORD not in trail


def test_a_wrong_present_password_counts_like_a_failed_sign_in(house: House) -> None:
    vera, _ = house.enter()
    for _ in range(NAME_LIMIT):
        with pytest.raises(AccessRefused, match="present password"):
            change(house, vera, "wrong")
    with pytest.raises(AccessRefused, match="too many failed attempts"):
        change(house, vera)
    assert check_password(house.access, "vera", PASSWORD, address="b", now=NOW, rounds=CHEAP) is None


def test_a_slip_of_the_new_password_is_no_failed_attempt(house: House) -> None:
    vera, _ = house.enter()
    for _ in range(NAME_LIMIT + 1):
        with pytest.raises(UserError, match="fewer than 15"):
            change(house, vera, new="short")
    change(house, vera)


def test_the_password_of_a_demonstration_account_stays(house: House) -> None:
    house.add("demo", demo=True)
    token = house.token("demo")
    with pytest.raises(AccessRefused, match="demonstration"):
        change(house, house.actor(token))
    assert house.look(token) is SessionState.OPEN


def test_the_operator_has_no_account_to_look_after(house: House) -> None:
    for attempt in (lambda: change(house, OPERATOR), lambda: list_own_sessions(house.deployment, OPERATOR),
                    lambda: describe_own_account(house.deployment, OPERATOR),
                    lambda: end_other_own_sessions(house.deployment, OPERATOR),
                    lambda: start_second_factor(house.deployment, OPERATOR, PASSWORD, "a")):
        with pytest.raises(AccessRefused):
            attempt()
        assert list_events(house.access, limit=1)[0].event.decision is Decision.REFUSED


# -- second factor -------------------------------------------------------------------------------------------------


def turn_on(house: House, actor: Actor) -> pyotp.TOTP:
    offer = start_second_factor(house.deployment, actor, PASSWORD, "a", rounds=CHEAP)
    totp = pyotp.TOTP(offer.secret)
    confirm_second_factor(house.deployment, actor, offer, totp.at(house.clock[0]))
    return totp


def has_second_factor(house: House) -> bool:
    account = find_account(house.access, "vera")
    return account is not None and account.second_factor


def test_it_is_turned_on_with_password_and_code_and_off_with_a_later_code(house: House) -> None:
    vera, _ = house.enter()
    totp = turn_on(house, vera)
    assert describe_own_account(house.deployment, vera).second_factor
    with pytest.raises(UserError, match="does not fit"):
        stop_second_factor(house.deployment, vera, totp.at(house.clock[0]), "a")
    house.wait(STEP)
    stop_second_factor(house.deployment, vera, totp.at(house.clock[0]), "a")
    assert not has_second_factor(house)
    assert last_event(house) == ("second factor turned off", Decision.ALLOWED)


def test_the_secret_is_shown_to_nobody_without_the_password(house: House) -> None:
    vera, _ = house.enter()
    with pytest.raises(AccessRefused, match="present password"):
        start_second_factor(house.deployment, vera, "wrong", "a", rounds=CHEAP)
    assert last_event(house) == ("start second factor", Decision.REFUSED)


def test_an_offer_of_one_person_is_of_no_use_to_another(house: House) -> None:
    vera, _ = house.enter()
    max_, _ = house.enter("max")
    offer = start_second_factor(house.deployment, max_, PASSWORD, "a", rounds=CHEAP)
    with pytest.raises(AccessRefused, match="no longer good"):
        confirm_second_factor(house.deployment, vera, offer, pyotp.TOTP(offer.secret).at(NOW))
    with pytest.raises(AccessRefused, match="no longer good"):
        confirm_second_factor(house.deployment, max_, replace(offer, sealed=""), pyotp.TOTP(offer.secret).at(NOW))


def test_guessing_codes_at_an_open_screen_comes_to_a_pause(house: House) -> None:
    vera, _ = house.enter()
    totp = turn_on(house, vera)
    house.wait(STEP)
    for _ in range(NAME_LIMIT):
        with pytest.raises(UserError, match="does not fit"):
            stop_second_factor(house.deployment, vera, "000000", "a")
    with pytest.raises(AccessRefused, match="too many failed attempts"):
        stop_second_factor(house.deployment, vera, totp.at(house.clock[0]), "a")
    assert has_second_factor(house)


def test_a_second_start_is_refused_while_it_is_on(house: House) -> None:
    vera, _ = house.enter()
    turn_on(house, vera)
    with pytest.raises(AccessRefused, match="on already"):
        start_second_factor(house.deployment, vera, PASSWORD, "a", rounds=CHEAP)
