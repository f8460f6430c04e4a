from __future__ import annotations

from datetime import timedelta

import pytest

from harmony_dash.access.accounts import Account, change_role, disable_account, reset_second_factor, set_password
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.attempts import NAME_LIMIT
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import SignInMethod, list_sessions
from harmony_dash.access.sign_in import (
    CODE_LIFETIME,
    TICKET_LIFETIME,
    CodeStep,
    check_code,
    check_password,
    establish_session,
    issue_ticket,
)
from harmony_dash.errors import AccessRefused
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account
from tests.unit.access.test_totp import code_at, turn_on


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


def test_guesses_during_a_pause_fill_neither_trail_nor_counter(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for _ in range(5):
        check(database, "vera", "wrong")
    before = len(list_events(database))
    for number in range(50):
        assert check(database, "vera", PASSWORD, address=f"10.0.0.{number}") is None
    assert len(list_events(database)) == before + 1


def test_codes_during_a_pause_are_recorded_once(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    step = CodeStep.after(account, now=NOW)
    for _ in range(30):
        assert check_code(database, step, "000000", address="a", now=NOW) is None
    reasons = [row.event.reason for row in list_events(database, action="sign-in")]
    assert reasons == ["pause", *["wrong code"] * NAME_LIMIT]


def test_a_new_password_ends_the_pause(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    for _ in range(5):
        check(database, "vera", "wrong")
    set_password(database, "vera", "another kettle on seven stairs", by=OPERATOR, now=NOW, rounds=CHEAP)
    assert check(database, "vera", "another kettle on seven stairs") is not None


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


def test_a_ticket_is_recorded_twice_at_most_once_it_is_over(database: AccessDatabase) -> None:
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="b", now=NOW)
    establish_session(database, ticket, browser="b", now=NOW)
    before = len(list_events(database))
    for _ in range(20):
        with pytest.raises(AccessRefused):
            establish_session(database, ticket, browser="b", now=NOW)
    (event, *_) = [row.event for row in list_events(database)]
    assert (event.username, event.reason, event.decision) == ("vera", "ticket", Decision.REFUSED)
    assert len(list_events(database)) == before + 1


@pytest.mark.parametrize("ticket", ["", "guess", f"p.{'A' * 43}", "\ufffd\ufffd", "\ud800\0"], ids=ascii)
def test_a_ticket_that_was_never_given_out_leaves_a_rare_line_in_the_log_and_none_in_the_trail(
        database: AccessDatabase, ticket: str, caplog: pytest.LogCaptureFixture) -> None:
    # a time of its own, because the process remembers when it last wrote the line
    start = NOW + timedelta(days=1000 + sum(map(ord, ticket)))
    for number in range(50):
        with pytest.raises(AccessRefused):
            establish_session(database, ticket, browser="b", now=start + timedelta(seconds=number))
    assert list_events(database) == ()
    (line,) = caplog.records
    assert "never given out" in line.getMessage()
    assert not ticket or ticket not in line.getMessage()


def test_an_expired_ticket_is_recorded_although_others_were_given_out_since(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    ticket = issue_ticket(database, account, browser="b", now=NOW)
    later = NOW + timedelta(minutes=10)
    issue_ticket(database, account, browser="b", now=later)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser="b", now=later)
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
    issue_ticket(database, account, browser="b", now=NOW + timedelta(hours=2))
    with database.read() as connection:
        assert connection.execute("select count(*) from ticket").fetchone()[0] == 1


@pytest.mark.parametrize("method", SignInMethod)
def test_the_session_says_what_the_ticket_was_given_for(database: AccessDatabase, method: SignInMethod) -> None:
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="b", now=NOW, method=method)
    establish_session(database, ticket, browser="b", now=NOW)
    (session,) = list_sessions(database, "vera", idle=timedelta(hours=1), lifetime=timedelta(hours=1), now=NOW)
    assert session.method == method


def test_a_browser_cannot_change_what_its_ticket_was_given_for(database: AccessDatabase) -> None:
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="b", now=NOW)
    with pytest.raises(AccessRefused):
        establish_session(database, f"c{ticket[1:]}", browser="b", now=NOW)


def test_the_password_alone_buys_no_ticket_where_a_code_is_needed(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None and account.second_factor
    with pytest.raises(AccessRefused):
        issue_ticket(database, account, browser="b", now=NOW)


def test_a_ticket_that_was_bought_before_the_second_factor_is_void_after_it(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    ticket = issue_ticket(database, account, browser="b", now=NOW)
    turn_on(database)
    with pytest.raises(AccessRefused):
        establish_session(database, ticket, browser="b", now=NOW)


def test_password_and_code_open_a_session(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    proved = check_code(database, CodeStep.after(account, now=NOW), code_at(secret), address="a", now=NOW)
    assert proved is not None
    ticket = issue_ticket(database, proved, browser="b", now=NOW, method=SignInMethod.PASSWORD_AND_CODE)
    assert establish_session(database, ticket, browser="b", now=NOW)


@pytest.mark.parametrize(("late", "reason"), [
    (CODE_LIFETIME, "code too late"), (-timedelta(seconds=1), "code too late"),
    (CODE_LIFETIME - timedelta(seconds=1), "")], ids=str)
def test_the_code_has_two_minutes(database: AccessDatabase, late: timedelta, reason: str) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    step, moment = CodeStep.after(account, now=NOW), NOW + late
    proved = check_code(database, step, code_at(secret, late.total_seconds() / 30), address="a", now=moment)
    assert (proved is None) is bool(reason)
    if reason:
        assert list_events(database)[0].event.reason == reason


@pytest.mark.parametrize("change", [
    lambda database: disable_account(database, "vera", by=OPERATOR, now=NOW),
    lambda database: change_role(database, "vera", Role.ANALYST, by=OPERATOR, now=NOW),
    lambda database: reset_second_factor(database, "vera", by=OPERATOR, now=NOW)], ids=["disabled", "role", "reset"])
def test_a_change_of_the_account_voids_the_step_before_the_code(database: AccessDatabase, change) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    step = CodeStep.after(account, now=NOW)
    change(database)
    assert check_code(database, step, code_at(secret), address="a", now=NOW) is None


def test_who_knows_the_password_gets_no_more_guesses_at_the_code_by_entering_it_again(
        database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    turn_on(database)
    guesses = 0
    for attempt in range(20):
        account = check(database, "vera", PASSWORD, address=f"10.0.0.{attempt}")
        if account is None:
            break
        assert check_code(database, CodeStep.after(account, now=NOW), "000000", address=f"10.0.0.{attempt}",
                          now=NOW) is None
        guesses += 1
    assert guesses <= NAME_LIMIT
    assert list_events(database)[0].event.reason == "pause"


def test_the_right_code_forgives_the_wrong_ones(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    step = CodeStep.after(account, now=NOW)
    for _ in range(NAME_LIMIT - 2):
        assert check_code(database, step, "000000", address="a", now=NOW) is None
    assert check_code(database, step, code_at(secret), address="a", now=NOW) is not None
    with database.read() as connection:
        assert connection.execute("select count(*) from attempt where kind = 'name'").fetchone()[0] == 0


def test_nothing_that_waits_between_the_steps_is_secret(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    secret = turn_on(database)
    account = check(database, "vera", PASSWORD)
    assert account is not None
    text = repr(CodeStep.after(account, now=NOW)) + repr(account)
    assert PASSWORD not in text and secret not in text and "$2b$" not in text
