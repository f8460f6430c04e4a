from __future__ import annotations

from datetime import timedelta
from statistics import median
from time import perf_counter

import pytest

from harmony_dash.access.accounts import Account, change_role, disable_account, set_password
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sign_in import TICKET_LIFETIME, check_password, establish_session, issue_ticket
from harmony_dash.errors import AccessRefused
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account


def check(database: AccessDatabase, username: str, password: str, address: str = "10.0.0.1") -> Account | None:
    return check_password(database, username, password, address=address, now=NOW, rounds=CHEAP)


def test_the_right_name_and_password_give_the_account(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    assert check(database, " VERA ", PASSWORD) == account


@pytest.mark.parametrize(("username", "password"), [
    ("vera", "wrong"), ("vera", ""), ("nobody", PASSWORD), ("", ""), ("vera' or '1'='1", PASSWORD),
    ("vera", "x" * 500)])
def test_everything_else_gives_nothing_and_is_recorded(database: AccessDatabase, username: str, password: str) -> None:
    add_account(database, now=NOW)
    assert check(database, username, password) is None
    event = list_events(database)[0].event
    assert (event.action, event.decision) == ("sign-in", Decision.REFUSED)
    assert event.username in ("", "vera")


def test_a_disabled_account_gives_nothing(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    disable_account(database, "vera", by=OPERATOR, now=NOW)
    assert check(database, "vera", PASSWORD) is None


def test_during_a_pause_even_the_right_password_gives_nothing(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for _ in range(5):
        check(database, "vera", "wrong")
    assert check(database, "vera", PASSWORD) is None
    assert list_events(database)[0].event.reason == "pause"


def test_a_new_password_ends_the_pause(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for _ in range(5):
        check(database, "vera", "wrong")
    set_password(database, "vera", "another kettle on seven stairs", by=OPERATOR, now=NOW, rounds=CHEAP)
    assert check(database, "vera", "another kettle on seven stairs") is not None


def test_an_unknown_name_takes_as_long_as_a_known_one(database: AccessDatabase) -> None:
    from harmony_dash.access.accounts import create_account
    rounds = 10
    for number in range(7):
        create_account(database, username=f"known{number}", name="K", role=Role.ANALYST, password=PASSWORD, by=OPERATOR,
                       now=NOW, rounds=rounds)

    def seconds(username: str) -> float:
        start = perf_counter()
        check_password(database, username, "wrong", address=username, now=NOW, rounds=rounds)
        return perf_counter() - start

    pairs = [(seconds(f"known{number}"), seconds(f"unknown{number}")) for number in range(7)]
    known, unknown = (median(times) for times in zip(*pairs, strict=True))
    # the machine is shared while the tests run; the 10 per cent of the requirement is measured on a quiet one
    assert 0.6 < known / unknown < 1.6


def test_a_ticket_opens_one_session_in_its_own_browser(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    ticket = issue_ticket(database, account, browser="b", now=NOW)
    assert establish_session(database, ticket, browser="b", now=NOW)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser="b", now=NOW)


@pytest.mark.parametrize(("browser", "late"), [("other", 0), ("", 0), ("b", 1)], ids=["wrong", "none", "expired"])
def test_a_ticket_is_used_up_by_a_wrong_attempt(database: AccessDatabase, browser: str, late: int) -> None:
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="b", now=NOW)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser=browser, now=NOW + late * TICKET_LIFETIME)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser="b", now=NOW)
    assert list_events(database)[0].event.reason == "ticket"


def test_a_ticket_for_a_browser_without_cookie_is_never_good(database: AccessDatabase) -> None:
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="", now=NOW)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser="", now=NOW)


def test_a_change_of_the_account_voids_its_tickets(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    ticket = issue_ticket(database, account, browser="b", now=NOW)
    change_role(database, "vera", Role.STEERING, by=OPERATOR, now=NOW)
    stale = issue_ticket(database, account, browser="b", now=NOW)  # the account as it was before
    for one in (ticket, stale):
        with pytest.raises(AccessRefused):
            establish_session(database, one, browser="b", now=NOW)


def test_old_tickets_are_swept(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    issue_ticket(database, account, browser="b", now=NOW)
    issue_ticket(database, account, browser="b", now=NOW + timedelta(minutes=1))
    with database.read() as connection:
        assert connection.execute("select count(*) from ticket").fetchone()[0] == 1
