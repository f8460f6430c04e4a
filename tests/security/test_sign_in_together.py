"""S17 and S18: many people at once, and every ticket and cookie that somebody stole, changed, kept or used before."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from harmony_dash.access.accounts import (
    change_role,
    disable_account,
    find_account,
    list_accounts,
    reset_second_factor,
    set_own_password,
    set_password,
)
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.sessions import (
    CLOCK_TOLERANCE,
    MOST_SESSIONS,
    SessionState,
    end_one_session,
    end_session,
    end_sessions,
    look_up_session,
)
from harmony_dash.access.sign_in import TICKET_LIFETIME, check_password, establish_session, issue_ticket
from harmony_dash.errors import AccessRefused
from tests.factories import ACCESS_KEY
from tests.security.server import PROJECT_ROOT
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account
from tests.unit.access.test_totp import turn_on

PEOPLE, ROUNDS_OF_SIGN_IN = 20, 50
PROCESSES, ROUNDS_OF_A_PROCESS = 3, 10
IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=12)
NEW = "another teapot behind nine doors"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AccessDatabase]:
    database = AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY)
    yield database
    database.close()


def state(database: AccessDatabase, token: str, now: datetime = NOW) -> SessionState:
    return look_up_session(database, token, idle=IDLE, lifetime=LIFETIME, now=now).state


# -- S18: at once --------------------------------------------------------------------------------------------------


def sign_in_often(database: AccessDatabase, username: str, rounds: int, found: Counter[str]) -> None:
    """Each round: one wrong password, then the right one, a ticket, two attempts to use it."""
    for number in range(rounds):
        # an address each, because twenty failures of one address at once would rightly begin a pause
        address = f"{username} {number}"
        if check_password(database, username, "wrong", address=address, now=NOW, rounds=CHEAP) is None:
            found["refused"] += 1
        account = check_password(database, username, PASSWORD, address=address, now=NOW, rounds=CHEAP)
        if account is None:
            continue
        ticket = issue_ticket(database, account, browser=username, now=NOW)
        tokens = []
        for _ in range(2):
            try:
                tokens.append(establish_session(database, ticket, browser=username, now=NOW))
            except AccessRefused:
                found["used ticket refused"] += 1
        if len(tokens) == 1 and state(database, tokens[0]) is SessionState.OPEN:
            found["signed in"] += 1


def sign_in_from_a_process(path: str, username: str, rounds: str) -> None:
    """What each process below runs; it prints what it found."""
    database, found = AccessDatabase(Path(path), ACCESS_KEY), Counter[str]()
    sign_in_often(database, username, int(rounds), found)
    database.close()
    print(json.dumps(found))


def check_that_the_store_is_whole(database: AccessDatabase, people: int, sign_ins: int) -> None:
    other = sqlite3.connect(database.path)
    assert other.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert other.execute("select count(*) from session").fetchone()[0] == sign_ins
    assert other.execute("select count(*) from ticket").fetchone()[0] == 0
    # every failure was followed by a right password, which forgives the name, and takes itself back from the address
    assert other.execute("select count(*) from attempt where kind = 'name'").fetchone()[0] == 0
    assert other.execute("select distinct failures from attempt where kind = 'address'").fetchall() == [(1,)]
    assert other.execute("select count(*) from attempt where kind = 'address'").fetchone()[0] == sign_ins
    open_now = other.execute("select count(*) from session where ended is null group by username").fetchall()
    assert open_now == [(MOST_SESSIONS,)] * people
    other.close()
    AccessDatabase(database.path, ACCESS_KEY).close()  # looks at the newest links of the trail
    assert len(list_accounts(database)) == people
    assert len(list_events(database, action="signed in", limit=sign_ins + 1)) == sign_ins


def test_twenty_people_sign_in_at_once_fifty_times(database: AccessDatabase) -> None:
    names = [f"person{number}" for number in range(PEOPLE)]
    for name in names:
        add_account(database, name, now=NOW)
    found = {name: Counter[str]() for name in names}
    threads = [threading.Thread(target=sign_in_often, args=(database, name, ROUNDS_OF_SIGN_IN, found[name]))
               for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = dict.fromkeys(("refused", "used ticket refused", "signed in"), ROUNDS_OF_SIGN_IN)
    assert all(counts == expected for counts in found.values())
    check_that_the_store_is_whole(database, PEOPLE, PEOPLE * ROUNDS_OF_SIGN_IN)


def test_several_processes_sign_people_in_at_once(database: AccessDatabase) -> None:
    names = [f"person{number}" for number in range(PROCESSES)]
    for name in names:
        add_account(database, name, now=NOW)
    # A program of its own: `multiprocessing` would run again whatever the test process calls its main module, which
    # may be a page that another test has run.
    code = ("import sys; from tests.security.test_sign_in_together import sign_in_from_a_process; "
            "sign_in_from_a_process(*sys.argv[1:])")
    processes = [subprocess.Popen([sys.executable, "-c", code, str(database.path), name, str(ROUNDS_OF_A_PROCESS)],
                                  cwd=PROJECT_ROOT, stdout=subprocess.PIPE) for name in names]
    found = [json.loads(process.communicate(timeout=240)[0]) for process in processes]
    expected = dict.fromkeys(("refused", "used ticket refused", "signed in"), ROUNDS_OF_A_PROCESS)
    assert found == [expected] * PROCESSES
    check_that_the_store_is_whole(database, PROCESSES, PROCESSES * ROUNDS_OF_A_PROCESS)


def test_failures_from_many_threads_are_all_counted(database: AccessDatabase) -> None:
    names = [f"nobody{number}" for number in range(PEOPLE)]

    def fail(name: str) -> None:
        for number in range(4):
            check_password(database, name, "wrong", address=f"{name} {number}", now=NOW, rounds=CHEAP)

    threads = [threading.Thread(target=fail, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        counts = connection.execute("select kind, failures, count(*) from attempt group by kind, failures "
                                    "order by kind").fetchall()
    assert [tuple(row) for row in counts] == [("address", 1, 4 * PEOPLE), ("name", 4, PEOPLE)]


def test_of_twenty_who_use_one_ticket_at_once_one_gets_in(database: AccessDatabase) -> None:
    account = add_account(database, now=NOW)
    ticket = issue_ticket(database, account, browser="b", now=NOW)
    tokens: list[str] = []

    def use() -> None:
        with suppress(AccessRefused):
            tokens.append(establish_session(database, ticket, browser="b", now=NOW))

    threads = [threading.Thread(target=use) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 1
    assert len(list_events(database, action="signed in")) == 1


# -- tickets and cookies that are not what they were ---------------------------------------------------------------


def flip(text: str) -> str:
    """The same text with its last letter changed."""
    return text[:-1] + ("A" if text[-1] != "A" else "B")


# What nobody was ever given is a stranger's, who shall not fill the trail.
KNOWN_TICKETS = {"in another browser", "in a browser without cookie", "just expired", "long expired"}
TICKETS = {
    "empty": (lambda ticket: "", "b", timedelta(0)),
    "one letter changed": (flip, "b", timedelta(0)),
    "another kind": (lambda ticket: f"c{ticket[1:]}", "b", timedelta(0)),
    "without its kind": (lambda ticket: ticket[2:], "b", timedelta(0)),
    "cut short": (lambda ticket: ticket[:-1], "b", timedelta(0)),
    "in capitals": (str.upper, "b", timedelta(0)),
    "with a space": (lambda ticket: f"{ticket} ", "b", timedelta(0)),
    "made up": (lambda ticket: f"p.{secrets.token_urlsafe(32)}", "b", timedelta(0)),
    "SQL": (lambda ticket: "' or '1'='1", "b", timedelta(0)),
    "no text": (lambda ticket: "\ud800\0", "b", timedelta(0)),
    "in another browser": (str, "other", timedelta(0)),
    "in a browser without cookie": (str, "", timedelta(0)),
    "just expired": (str, "b", TICKET_LIFETIME),
    "long expired": (str, "b", timedelta(days=1)),
}


@pytest.mark.parametrize("case", TICKETS)
def test_a_ticket_that_is_not_what_was_given_to_this_browser_just_now_opens_nothing(
        database: AccessDatabase, case: str) -> None:
    change, browser, late = TICKETS[case]
    ticket = issue_ticket(database, add_account(database, now=NOW), browser="b", now=NOW)
    with pytest.raises(AccessRefused):
        establish_session(database, change(ticket), browser=browser, now=NOW + late)
    with database.read() as connection:
        assert connection.execute("select count(*) from session").fetchone()[0] == 0
    assert len(list_events(database, action="sign-in")) == (case in KNOWN_TICKETS)


COOKIES: dict[str, Callable[[str], str]] = {
    "empty": lambda token: "", "one letter changed": flip, "cut short": lambda token: token[:-1],
    "in capitals": str.upper, "with a space": lambda token: f" {token}", "doubled": lambda token: token * 2,
    "made up": lambda token: secrets.token_urlsafe(32), "SQL": lambda token: "' or '1'='1",
    "no text": lambda token: "\ud800\0", "huge": lambda token: "x" * 1_000_000,
}


@pytest.mark.parametrize("case", COOKIES)
def test_a_cookie_that_was_changed_is_nobody(database: AccessDatabase, case: str) -> None:
    account = add_account(database, now=NOW)
    token = establish_session(database, issue_ticket(database, account, browser="b", now=NOW), browser="b", now=NOW)
    assert state(database, COOKIES[case](token)) is SessionState.UNKNOWN
    assert state(database, token) is SessionState.OPEN


def own_password(database: AccessDatabase, vera: Actor) -> None:
    account = find_account(database, "vera")
    assert account is not None
    set_own_password(database, NEW, by=vera, epoch=account.epoch, now=NOW, rounds=CHEAP)


STOLEN: dict[str, Callable[[AccessDatabase, str, Actor], object]] = {
    "signing out": lambda database, token, vera: end_session(database, token, now=NOW),
    "ended in the list": lambda database, token, vera: end_one_session(database, "vera", vera.session, by=vera,
                                                                       now=NOW),
    "all others ended": lambda database, token, vera: end_sessions(database, "vera", by=vera, now=NOW, keep="x"),
    "ended by a data manager": lambda database, token, vera: end_sessions(database, "vera", by=OPERATOR, now=NOW),
    "disabled": lambda database, token, vera: disable_account(database, "vera", by=OPERATOR, now=NOW),
    "other role": lambda database, token, vera: change_role(database, "vera", Role.STEERING, by=OPERATOR, now=NOW),
    "password set": lambda database, token, vera: set_password(database, "vera", NEW, by=OPERATOR, now=NOW,
                                                               rounds=CHEAP),
    "own password changed": lambda database, token, vera: own_password(database, vera),
    "second factor reset": lambda database, token, vera: (
        turn_on(database, vera), reset_second_factor(database, "vera", by=OPERATOR, now=NOW)),
    "second factor turned on elsewhere": lambda database, token, vera: turn_on(
        database, Actor("vera", Role.CLINICIAN, session="elsewhere")),
}


@pytest.mark.parametrize("case", STOLEN)
def test_a_stolen_cookie_is_refused_at_the_next_look_after(database: AccessDatabase, case: str) -> None:
    account = add_account(database, now=NOW)
    token = establish_session(database, issue_ticket(database, account, browser="b", now=NOW), browser="b", now=NOW)
    stolen = str(token)
    vera = look_up_session(database, stolen, idle=IDLE, lifetime=LIFETIME, now=NOW).actor
    assert vera is not None
    STOLEN[case](database, token, vera)
    assert state(database, stolen) in (SessionState.ENDED, SessionState.ACCOUNT_CHANGED)


@pytest.mark.parametrize(("moment", "expected"), [
    (IDLE - timedelta(seconds=1), SessionState.OPEN), (IDLE, SessionState.IDLE), (LIFETIME, SessionState.EXPIRED),
    (timedelta(days=3650), SessionState.EXPIRED), (-CLOCK_TOLERANCE, SessionState.OPEN),
    (-CLOCK_TOLERANCE - timedelta(seconds=1), SessionState.CLOCK_CHANGED)], ids=str)
def test_an_old_cookie_is_refused_whichever_way_the_clock_went(
        database: AccessDatabase, moment: timedelta, expected: SessionState) -> None:
    account = add_account(database, now=NOW)
    token = establish_session(database, issue_ticket(database, account, browser="b", now=NOW), browser="b", now=NOW)
    assert state(database, token, NOW + moment) is expected
