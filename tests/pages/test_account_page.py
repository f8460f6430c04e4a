"""The account page against a real access database: what it shows, what its forms do, what it never shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pyotp
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.accounts import find_account
from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.grants import approve_grant, propose_grant
from harmony_dash.access.permissions import Permission
from harmony_dash.access.sessions import SessionState, look_up_session
from harmony_dash.disclosure import Level
from harmony_dash.ui.components import own_account_password, own_account_second_factor
from tests.factories import NOW
from tests.pages.test_survival_page import words_of
from tests.unit.services.test_own_account import NEW, PASSWORD, STEP, House, make_house

ROOT = Path(__file__).parents[2]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = make_house(tmp_path)
    yield house
    house.access.close()


@pytest.fixture
def open_page(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Open the page with a session's token; every run looks the session up anew, as the guard does."""
    def open_page(token: str) -> AppTest:
        def require(permission: Permission) -> Actor:
            settings = house.deployment.settings
            check = look_up_session(house.access, token, idle=settings.session_idle,
                                    lifetime=settings.session_lifetime, now=house.deployment.now())
            if check.actor is None:
                st.subheader("You are not signed in")
                st.stop()
            return check.actor

        monkeypatch.setattr(harmony_dash.ui.guard, "require", require)
        monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", house.deployment)
        for part in (own_account_password, own_account_second_factor):
            monkeypatch.setattr(part, "this_address", lambda: "10.0.0.1")
        return AppTest.from_file(str(ROOT / "pages" / "account.py"), default_timeout=30).run()

    return open_page


def press(page: AppTest, label: str, place: int = 0) -> AppTest:
    button = [button for button in page.button if button.label == label][place]
    page = button.click().run()
    assert not page.exception
    return page


def enter(page: AppTest, label: str, text: str, place: int = 0) -> None:
    [field for field in page.text_input if field.label == label][place].input(text)


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.STEERING, Role.ANALYST, Role.DATA_MANAGER])
def test_everybody_sees_who_they_are_and_what_they_may(house: House, open_page: Callable[[str], AppTest],
                                                      role: Role) -> None:
    _, token = house.enter(role=role)
    page = open_page(token)
    assert not page.exception
    words = words_of(page)
    assert "Dr Vera" in words and "see who is in the data" in words and "look after your own account" in words
    assert ("approve grants" in words) is (role in (Role.STEERING, Role.DATA_MANAGER))
    assert [one.value for one in page.subheader] == ["You", "Your grants", "Where you are signed in", "Password",
                                                     "Two-step sign-in"]
    assert "member of no grant" in words
    assert "0 of 300 different ones with protected results" in words
    assert token not in words


def test_a_name_is_shown_as_it_is_written(house: House, open_page: Callable[[str], AppTest]) -> None:
    house.enter("red")
    with house.access.write() as connection:
        connection.execute("update account set name = ?", ("<img src=x onerror=alert(1)> :red[V] [x](http://evil)",))
    page = open_page(house.token("red"))
    assert not page.exception
    (name,) = [one.value for one in page.markdown if "img" in one.value]
    assert "\\<img" in name and "\\[x\\]" in name and ":red[" not in name


def test_sessions_have_a_button_but_for_this_one(house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter()
    page = open_page(token)
    assert "This session" in words_of(page)
    assert not [button for button in page.button if button.label.startswith("End")]
    others = [house.token("vera") for _ in range(3)]
    page = press(page.run(), "End")
    assert "The session has ended." in [one.value.replace("\\", "") for one in page.success]
    assert sorted(house.look(one) is SessionState.OPEN for one in others) == [False, True, True]
    page = press(page, "End all others")
    assert [house.look(one) for one in (token, *others)] == [SessionState.OPEN, *[SessionState.ENDED] * 3]


def test_a_new_password_ends_the_session_of_the_page_itself(house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter()
    page = open_page(token)
    enter(page, "Present password", PASSWORD)
    enter(page, "New password", NEW)
    enter(page, "New password again", NEW)
    page = press(page, "Change password")
    assert house.look(token) is SessionState.ACCOUNT_CHANGED
    assert "You are not signed in" in [one.value for one in page.subheader]
    assert "Your password was changed" in page.session_state["sign_in.farewell"]


@pytest.mark.parametrize(("current", "new", "again", "says"), [
    ("", "", "", "Fill in"), (PASSWORD, NEW, "else", "differ"), (PASSWORD, "short", "short", "fewer than 15"),
    ("wrong", NEW, NEW, "present password is not right"), (PASSWORD, "passwordpassword", "passwordpassword", "easy")])
def test_what_is_wrong_with_a_new_password_is_said_in_words(
        house: House, open_page: Callable[[str], AppTest], current: str, new: str, again: str, says: str) -> None:
    _, token = house.enter()
    page = open_page(token)
    enter(page, "Present password", current)
    enter(page, "New password", new)
    enter(page, "New password again", again)
    page = press(page, "Change password")
    (error,) = page.error
    assert says in error.value
    assert not new or new not in error.value
    assert house.look(token) is SessionState.OPEN


def test_two_step_sign_in_is_set_up_confirmed_and_turned_off(house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter()
    page = open_page(token)
    enter(page, "Present password", PASSWORD, place=1)
    page = press(page, "Set up")
    secret = re.sub(r"\s", "", page.code[0].value)
    (picture,) = page.get("image")
    assert "data:image/svg+xml" in str(picture.proto), "the secret must not lie at an address of its own"
    enter(page, "Code", "000000")
    page = press(page, "Turn on")
    assert "does not fit" in page.error[0].value
    enter(page, "Code", pyotp.TOTP(secret).at(NOW))
    page = press(page, "Turn on")
    account = find_account(house.access, "vera")
    assert account is not None and account.second_factor
    assert secret not in str(page.main) and not page.code
    assert "account.second_factor_offer" not in page.session_state
    house.wait(STEP)
    enter(page, "Code", pyotp.TOTP(secret).at(house.clock[0]))
    page = press(page, "Turn off")
    assert "Two-step sign-in is off" in page.success[0].value.replace("\\", "")


def test_setting_up_can_be_given_up(house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter()
    page = open_page(token)
    enter(page, "Present password", PASSWORD, place=1)
    page = press(press(page, "Set up"), "Cancel")
    assert not page.code and "account.second_factor_offer" not in page.session_state


def test_a_demonstration_account_says_that_its_password_stays(
        house: House, open_page: Callable[[str], AppTest]) -> None:
    house.add("demo", demo=True)
    page = open_page(house.token("demo"))
    assert "demonstration account" in words_of(page)
    assert not [field for field in page.text_input if field.label == "New password"]


def test_who_signs_in_through_their_organisation_changes_nothing_here(
        house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter()
    with house.access.write() as connection:
        connection.execute("""update account set identity = '["https://id.example","7"]'""")
    page = open_page(token)
    assert not page.exception
    assert not page.text_input
    assert words_of(page).count("through your organisation") == 2


def test_a_grant_says_what_it_opens_and_how_long(house: House, open_page: Callable[[str], AppTest]) -> None:
    _, token = house.enter(role=Role.ANALYST)
    by = [Actor(name, Role.DATA_MANAGER, session="s") for name in ("dora", "dirk", "dana")]
    for actor in by:
        house.add(actor.username, role=Role.DATA_MANAGER)
    proposal = GrantProposal("MRD :red[study]", "To see whether MRD matters.", ("ALL",), ("DE", "FR"),
                             ("sex", "age_group"), Level.EXACT, ("vera",), NOW.date(), date(2026, 12, 20))
    grant = propose_grant(house.access, proposal, by=by[0], now=NOW)
    for approver in by[1:]:
        approve_grant(house.access, grant.id, by=approver, now=NOW)
    page = open_page(token)
    assert not page.exception
    words = words_of(page).replace("\\", "")
    assert "Germany, France" in words or "France, Germany" in words
    assert "30 days left" in words and "Exact numbers on screen" in words and "member of no grant" not in words
