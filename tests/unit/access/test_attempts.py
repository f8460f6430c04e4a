from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.attempts import (
    ADDRESS_LIMIT,
    ADDRESS_MEMORY,
    FIRST_PAUSE,
    LAST_LIMIT,
    LONGEST_PAUSE,
    MEMORY,
    NAME_LIMIT,
    begin_attempt,
    clear_attempts,
    forgive_attempt,
    pause_after,
    take_back_attempt,
)
from harmony_dash.access.audit import AuditEvent, Decision, list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.noted_pauses import MOST_NOTED, NotedPauses
from harmony_dash.errors import AccessRefused
from tests.unit.access.conftest import NOW
from tests.unit.access.people import actor_of, add_account

SECOND = timedelta(seconds=1)


def fail(database: AccessDatabase, username: str, times: int, *, start: datetime = NOW) -> datetime:
    """Fail so often, each time as soon as the pause is over; the moment of the last failure."""
    moment = start
    for attempt in range(times):
        moment = start + attempt * LONGEST_PAUSE
        assert begin_attempt(database, username, f"address {attempt}", now=moment)
    return moment


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


def test_the_longest_pause_ends(database: AccessDatabase) -> None:
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
            forgive_attempt(connection, "vera", "a", begun=NOW)
    assert begin_attempt(database, "another", "a", now=NOW)
    assert not begin_attempt(database, "one more", "a", now=NOW)


def test_what_was_typed_as_a_name_is_not_stored(database: AccessDatabase) -> None:
    begin_attempt(database, "my secret password", "a", now=NOW)
    with database.read() as connection:
        rows = [tuple(row) for row in connection.execute("select * from attempt")]
    assert len(rows) > 0
    assert not any("secret" in str(row) for row in rows)


def test_a_day_without_failure_clears_the_slate(database: AccessDatabase) -> None:
    for _ in range(5):
        begin_attempt(database, "vera", "a", now=NOW)
    later = NOW + timedelta(hours=25)
    assert begin_attempt(database, "vera", "a", now=later)
    assert begin_attempt(database, "vera", "a", now=later)


def test_the_right_password_before_a_code_takes_back_one_attempt_and_no_more(database: AccessDatabase) -> None:
    for _ in range(NAME_LIMIT - 1):
        begin_attempt(database, "vera", "a", now=NOW)
    for _ in range(10):
        assert begin_attempt(database, "vera", "a", now=NOW)
        with database.write() as connection:
            take_back_attempt(connection, "vera", "a", begun=NOW)
    assert begin_attempt(database, "vera", "a", now=NOW)
    assert not begin_attempt(database, "vera", "a", now=NOW)


def test_after_a_hundred_failures_time_alone_does_not_help_while_somebody_keeps_trying(
        database: AccessDatabase) -> None:
    moment = fail(database, "vera", LAST_LIMIT)
    for _ in range(3):
        moment += MEMORY - SECOND
        assert not begin_attempt(database, "vera", "b", now=moment)
    assert begin_attempt(database, "vera", "b", now=moment + MEMORY)


def test_before_the_hundredth_failure_the_pause_is_a_quarter_of_an_hour(database: AccessDatabase) -> None:
    moment = fail(database, "vera", LAST_LIMIT - 1)
    assert not begin_attempt(database, "vera", "b", now=moment + LONGEST_PAUSE - SECOND)
    assert begin_attempt(database, "vera", "b", now=moment + LONGEST_PAUSE)


def fail_from(database: AccessDatabase, address: str, times: int, *, start: datetime = NOW,
              every: timedelta = timedelta(0)) -> int:
    """Fail from one address, each time at another name; how many attempts were counted."""
    return sum(begin_attempt(database, f"name {number} of {start}", address, now=start + number * every)
               for number in range(times))


@pytest.mark.parametrize("every", [timedelta(minutes=3), timedelta(minutes=20), timedelta(hours=23)], ids=str)
def test_the_slips_of_colleagues_at_one_address_do_not_add_up(database: AccessDatabase, every: timedelta) -> None:
    assert fail_from(database, "10.0.0.1", LAST_LIMIT + 1, every=every) == LAST_LIMIT + 1


def test_an_address_forgets_every_failure_within_an_hour(database: AccessDatabase) -> None:
    assert fail_from(database, "10.0.0.1", ADDRESS_LIMIT + 5) == ADDRESS_LIMIT
    assert fail_from(database, "10.0.0.1", ADDRESS_LIMIT + 5, start=NOW + ADDRESS_MEMORY) == ADDRESS_LIMIT


def test_whoever_never_rests_gets_no_more_from_one_address_than_it_forgets(database: AccessDatabase) -> None:
    hours = 10
    allowed = fail_from(database, "10.0.0.1", hours * 60, every=timedelta(minutes=1))
    assert ADDRESS_LIMIT < allowed <= ADDRESS_LIMIT * (hours + 1)


def test_an_address_that_is_not_known_has_no_counter_but_the_name_has(database: AccessDatabase) -> None:
    assert fail_from(database, "", 5 * ADDRESS_LIMIT) == 5 * ADDRESS_LIMIT
    assert sum(begin_attempt(database, "vera", "", now=NOW) for _ in range(20)) == NAME_LIMIT
    with database.read() as connection:
        assert connection.execute("select count(*) from attempt where kind = 'address'").fetchone()[0] == 0


def test_the_addresses_of_one_ipv6_network_share_a_counter(database: AccessDatabase) -> None:
    assert sum(begin_attempt(database, f"name {number}", f"2001:db8:1:2::{number:x}", now=NOW)
               for number in range(200)) == ADDRESS_LIMIT
    assert begin_attempt(database, "vera", "2001:db8:1:3::1", now=NOW)


# -- a right password while others are being checked ---------------------------------------------------------------


def take_back(database: AccessDatabase, begun: datetime, address: str = "a") -> None:
    with database.write() as connection:
        take_back_attempt(connection, "vera", address, begun=begun)


@pytest.mark.parametrize("failures", [NAME_LIMIT, 12, LAST_LIMIT - 1])
def test_a_right_password_in_flight_does_not_end_the_pause_of_a_wrong_code(
        database: AccessDatabase, failures: int) -> None:
    assert begin_attempt(database, "vera", "a", now=NOW)
    last = fail(database, "vera", failures, start=NOW + SECOND)
    take_back(database, NOW)
    pause = pause_after(failures, NAME_LIMIT)
    assert not begin_attempt(database, "vera", "b", now=last + pause - SECOND)
    assert begin_attempt(database, "vera", "b", now=last + pause)


def test_a_right_password_in_flight_does_not_end_the_pause_of_its_address(database: AccessDatabase) -> None:
    assert begin_attempt(database, "vera", "a", now=NOW)
    assert fail_from(database, "a", ADDRESS_LIMIT + 1, start=NOW + SECOND) == ADDRESS_LIMIT - 1
    assert begin_attempt(database, "mallory", "a", now=NOW + SECOND + FIRST_PAUSE)
    take_back(database, NOW)
    assert not begin_attempt(database, "another", "a", now=NOW + SECOND + 2 * FIRST_PAUSE - SECOND)


def test_the_right_password_after_a_pause_leaves_time_for_the_code(database: AccessDatabase) -> None:
    moment = fail(database, "vera", 12) + LONGEST_PAUSE
    assert begin_attempt(database, "vera", "a", now=moment)
    take_back(database, moment)
    assert begin_attempt(database, "vera", "a", now=moment + SECOND)
    assert not begin_attempt(database, "vera", "a", now=moment + LONGEST_PAUSE)


# -- the trail -----------------------------------------------------------------------------------------------------


def refused(username: str = "vera") -> AuditEvent:
    return AuditEvent("sign-in", username, decision=Decision.REFUSED, reason="pause")


def test_a_pause_is_recorded_when_it_begins_to_refuse_and_again_after_the_next_failure(
        database: AccessDatabase) -> None:
    moment = NOW
    for pauses in range(1, 4):
        while begin_attempt(database, "vera", "a", now=moment, refusal=refused()):
            pass
        for number in range(50):
            assert not begin_attempt(database, "vera", f"{number}", now=moment, refusal=refused())
        assert len(list_events(database)) == pauses
        moment += LONGEST_PAUSE


def test_the_pause_of_an_address_is_recorded_once_for_all_names(database: AccessDatabase) -> None:
    fail_from(database, "a", ADDRESS_LIMIT)
    for number in range(50):
        assert not begin_attempt(database, f"{number}", "a", now=NOW, refusal=refused(""))
    assert len(list_events(database)) == 1


def test_a_shut_name_is_recorded_once_however_long_somebody_tries(database: AccessDatabase) -> None:
    moment = fail(database, "vera", LAST_LIMIT)
    for hours in range(100):
        assert not begin_attempt(database, "vera", "b", now=moment + timedelta(hours=hours), refusal=refused())
    assert len(list_events(database)) == 1


def test_the_memory_of_recorded_pauses_is_bounded() -> None:
    pauses = NotedPauses()
    pauses.note(("name", str(number)) for number in range(MOST_NOTED + 1))
    assert not pauses.knows([("name", "0")])
    assert pauses.knows([("name", "1"), ("name", str(MOST_NOTED))])


def test_a_data_manager_ends_the_pause_and_it_is_recorded(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    moment = fail(database, "vera", LAST_LIMIT)
    clear_attempts(database, " VERA ", by=OPERATOR, now=moment)
    assert begin_attempt(database, "vera", "b", now=moment)
    event = list_events(database)[0].event
    assert (event.action, event.username, event.reason) == ("attempts cleared", "operator", "vera")


def test_what_may_be_a_password_is_not_written_down_when_it_is_cleared(database: AccessDatabase) -> None:
    clear_attempts(database, "my secret password", by=OPERATOR, now=NOW)
    assert list_events(database)[0].event.reason == "a name without account"


@pytest.mark.parametrize("by", [actor_of(Role.CLINICIAN), actor_of(Role.STEERING), actor_of(Role.ANALYST),
                                Actor("vera", Role.DATA_MANAGER, session="s")], ids=lambda actor: actor.role)
def test_nobody_clears_without_right_nor_for_themselves(database: AccessDatabase, by: Actor) -> None:
    fail(database, "vera", NAME_LIMIT)
    with pytest.raises(AccessRefused):
        clear_attempts(database, "ｖERA", by=by, now=NOW)
    assert list_events(database) == ()


@pytest.mark.parametrize("back", [SECOND, timedelta(hours=1), timedelta(days=400)], ids=str)
@pytest.mark.parametrize(("failures", "pause"), [(NAME_LIMIT, FIRST_PAUSE), (50, LONGEST_PAUSE),
                                                 (LAST_LIMIT, MEMORY)], ids=str)
def test_a_clock_moved_back_neither_removes_a_pause_nor_makes_it_longer(
        database: AccessDatabase, failures: int, pause: timedelta, back: timedelta) -> None:
    earlier = fail(database, "vera", failures) - back
    assert not begin_attempt(database, "vera", "b", now=earlier)
    if failures < LAST_LIMIT:
        assert not begin_attempt(database, "vera", "b", now=earlier + pause - SECOND)
    assert begin_attempt(database, "vera", "b", now=earlier + pause)


@pytest.mark.parametrize("alike", ["ｖｅｒａ", "VERA", " vera ", "\u24e5era", "Ｖｅｒａ", "𝐯𝐞𝐫𝐚"])
def test_names_that_look_alike_share_a_counter(database: AccessDatabase, alike: str) -> None:
    fail(database, "vera", NAME_LIMIT)
    assert not begin_attempt(database, alike, "b", now=NOW)
