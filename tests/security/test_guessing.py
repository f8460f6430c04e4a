"""S16: whoever guesses passwords or codes gets few tries, and learns nothing about who has an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import thread_time

import pytest

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.attempts import ADDRESS_LIMIT
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.passwords import ROUNDS, hash_password
from harmony_dash.access.sign_in import CodeStep, check_code, check_password
from tests.factories import ACCESS_KEY
from tests.unit.access.conftest import NOW
from tests.unit.access.people import CHEAP, PASSWORD, add_account
from tests.unit.access.test_totp import turn_on

GUESSES, WITHIN = 200, timedelta(minutes=10)
MOST_CHECKS = 10
PAIRS = 15
MOST_DIFFERENCE = 0.10


@pytest.fixture
def database(tmp_path: Path) -> Iterator[AccessDatabase]:
    database = AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY)
    yield database
    database.close()


def reached_the_check(database: AccessDatabase) -> int:
    """How many attempts got past the counters to the costly check; each leaves its own line in the trail."""
    events = list_events(database, action="sign-in", limit=10_000)
    return sum(row.event.reason in ("wrong name or password", "disabled", "wrong code") for row in events)


def guess(database: AccessDatabase, name: Callable[[int], str], address: Callable[[int], str]) -> int:
    """200 wrong passwords, evenly over ten minutes; how many were checked."""
    for number in range(GUESSES):
        assert check_password(database, name(number), f"guess {number}", address=address(number), rounds=CHEAP,
                              now=NOW + WITHIN * number / GUESSES) is None
    return reached_the_check(database)


@pytest.mark.parametrize("name", ["vera", "nobody"])
@pytest.mark.parametrize("address", [lambda number: "10.0.0.1", lambda number: f"10.0.{number}.1"],
                         ids=["one address", "many addresses"])
def test_of_200_guesses_at_one_name_at_most_10_are_checked(
        database: AccessDatabase, name: str, address: Callable[[int], str]) -> None:
    add_account(database, now=NOW)
    assert guess(database, lambda number: name, address) <= MOST_CHECKS
    assert check_password(database, name, PASSWORD, address="elsewhere", now=NOW + WITHIN, rounds=CHEAP) is None


def test_writing_the_name_in_other_letters_gives_no_more_guesses(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    ways = ["vera", "VERA", " Vera ", "ｖｅｒａ", "𝐯𝐞𝐫𝐚", "ⓥera"]
    assert guess(database, lambda number: ways[number % len(ways)], lambda number: f"10.0.{number}.1") <= MOST_CHECKS


def test_guesses_at_many_names_from_one_address_are_slowed_down(database: AccessDatabase) -> None:
    # the limit itself, and those that fit between the growing pauses of ten minutes
    checked = guess(database, lambda number: f"name{number}", lambda number: "10.0.0.1")
    assert ADDRESS_LIMIT <= checked <= ADDRESS_LIMIT + 5


def test_of_200_guesses_at_a_code_at_most_10_are_checked(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    turn_on(database)
    for number in range(GUESSES):
        now, address = NOW + WITHIN * number / GUESSES, f"10.0.{number}.1"
        account = check_password(database, "vera", PASSWORD, address=address, now=now, rounds=CHEAP)
        if account is not None:
            assert check_code(database, CodeStep.after(account, now=now), f"{number:06}", address=address,
                              now=now) is None
    assert 0 < reached_the_check(database) <= MOST_CHECKS


def test_a_known_and_an_unknown_name_cost_the_same(database: AccessDatabase) -> None:
    """Medians of the thread's own processor time, known and unknown by turns; wall time would measure the machine."""
    for number in range(PAIRS):
        create_account(database, username=f"known{number}", name="K", role=Role.ANALYST, password=PASSWORD,
                       by=OPERATOR, now=NOW, rounds=CHEAP)
    stored = hash_password(PASSWORD, rounds=ROUNDS)
    with database.write() as connection:
        connection.execute("update account set password_hash = ?", (stored,))

    def seconds(username: str) -> float:
        start = thread_time()
        assert check_password(database, username, "wrong", address=username, now=NOW) is None
        return thread_time() - start

    seconds("warm"), seconds("up")
    known, unknown = [], []
    for number in range(PAIRS):
        turn = [(known, f"known{number}"), (unknown, f"unknown{number}")]
        for times, username in turn if number % 2 else reversed(turn):
            times.append(seconds(username))
    difference = abs(median(known) / median(unknown) - 1)
    print(f"known {median(known):.4f} s, unknown {median(unknown):.4f} s, difference {difference:.2%}")
    assert difference < MOST_DIFFERENCE
