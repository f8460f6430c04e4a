from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from harmony_dash.access.attempts import (
    ADDRESS_LIMIT,
    LONGEST_PAUSE,
    NAME_LIMIT,
    begin_attempt,
    forgive_attempt,
    pause_after,
)
from harmony_dash.access.database import AccessDatabase
from tests.unit.access.conftest import NOW


@pytest.mark.parametrize(("failures", "seconds"), [
    (0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 900), (11, 900), (10_000, 900)])
def test_the_pause_doubles_from_the_fifth_failure_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert pause_after(failures, NAME_LIMIT) == timedelta(seconds=seconds)


def test_two_hundred_guesses_in_ten_minutes_bring_at_most_ten_checks(database: AccessDatabase) -> None:
    allowed = sum(begin_attempt(database, "vera", f"10.0.0.{guess}", now=NOW + timedelta(seconds=3 * guess))
                  for guess in range(200))
    assert allowed <= 10


def test_guesses_at_many_names_from_one_address_are_slowed_down_too(database: AccessDatabase) -> None:
    allowed = sum(begin_attempt(database, f"name{guess}", "10.0.0.1", now=NOW) for guess in range(200))
    assert allowed == ADDRESS_LIMIT


def test_many_at_once_do_not_slip_past_the_counter(database: AccessDatabase) -> None:
    answers: list[bool] = []
    threads = [threading.Thread(target=lambda: answers.append(begin_attempt(database, "vera", "a", now=NOW)))
               for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answers) == NAME_LIMIT


def test_the_longest_pause_ends_and_there_is_no_permanent_lock_out(database: AccessDatabase) -> None:
    moment = NOW
    for _ in range(50):
        assert begin_attempt(database, "vera", "a", now=moment)
        moment += LONGEST_PAUSE
    assert not begin_attempt(database, "vera", "a", now=moment - timedelta(seconds=1))


def test_a_right_password_clears_the_name_but_only_its_own_attempt_at_the_address(database: AccessDatabase) -> None:
    for guess in range(ADDRESS_LIMIT - 1):
        begin_attempt(database, f"name{guess}", "a", now=NOW)
    for _ in range(5):
        assert begin_attempt(database, "vera", "a", now=NOW)
        with database.write() as connection:
            forgive_attempt(connection, "vera", "a")
    assert begin_attempt(database, "another", "a", now=NOW)
    assert not begin_attempt(database, "one more", "a", now=NOW)


def test_what_was_typed_as_a_name_is_not_stored(database: AccessDatabase) -> None:
    begin_attempt(database, "my secret password", "a", now=NOW)
    with database.read() as connection:
        assert all("secret" not in str(tuple(row)) for row in connection.execute("select * from attempt"))


def test_a_day_without_failure_clears_the_slate(database: AccessDatabase) -> None:
    for _ in range(5):
        begin_attempt(database, "vera", "a", now=NOW)
    later = NOW + timedelta(hours=25)
    assert begin_attempt(database, "vera", "a", now=later)
    assert begin_attempt(database, "vera", "a", now=later)
