"""Few comparisons are computed at once, one a person, first come first served."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.errors import Cancelled, TooManyQuestions
from harmony_dash.services.what_if_queue import MOST_WAITING, Queue


class Worker:
    """One computation in a thread that runs until it is let go."""

    def __init__(self, queue: Queue, username: str, most: int = 2) -> None:
        self.told: list[int] = []
        self.runs, self.ended, self._go, self._stop = (threading.Event() for _ in range(4))
        self.cancelled = False
        self.refused: TooManyQuestions | None = None
        self._thread = threading.Thread(target=self._work, args=(queue, username, most), daemon=True)
        self._thread.start()

    def _work(self, queue: Queue, username: str, most: int) -> None:
        try:
            with queue.turn(username, most, waiting=self.told.append, cancelled=self._stop.is_set):
                self.runs.set()
                self._go.wait(10)
        except Cancelled:
            self.cancelled = True
        except TooManyQuestions as problem:
            self.refused = problem
        finally:
            self.ended.set()

    def finish(self) -> None:
        self.go_on()
        assert self.ended.wait(5)

    def go_on(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self._stop.set()

    def give_up(self) -> None:
        self.stop()
        assert self.ended.wait(5)


def finish_all(workers: Sequence[Worker]) -> None:
    """In whatever order they came."""
    for one in workers:
        one.go_on()
    for one in workers:
        one.finish()


def eventually(holds: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(holds() or pause.wait(0.01) for _ in range(500)) or holds()


def test_a_third_waits_for_two_others_and_goes_on_when_one_ends() -> None:
    queue = Queue()
    first, second = Worker(queue, "anna"), Worker(queue, "clara")
    assert first.runs.wait(5) and second.runs.wait(5)
    third = Worker(queue, "dora")
    assert eventually(lambda: third.told[-1:] == [2]) and not third.runs.is_set()
    first.finish()
    assert third.runs.wait(5)
    assert third.told[-1] == 0
    second.finish()
    third.finish()


def test_a_person_computes_one_at_a_time_and_holds_nobody_else_up() -> None:
    queue = Queue()
    first = Worker(queue, "anna")
    assert first.runs.wait(5)
    again = Worker(queue, "anna")
    assert eventually(lambda: again.told[-1:] == [1])
    other = Worker(queue, "clara")
    assert other.runs.wait(5)
    assert not again.runs.is_set()
    first.finish()
    assert again.runs.wait(5)
    again.finish()
    other.finish()


def test_who_gives_up_waiting_leaves_the_queue() -> None:
    queue = Queue()
    first = Worker(queue, "anna", 1)
    assert first.runs.wait(5)
    second, third = Worker(queue, "clara", 1), Worker(queue, "dora", 1)
    assert eventually(lambda: bool(second.told) and bool(third.told))
    second.give_up()
    assert second.cancelled and not second.runs.is_set()
    first.finish()
    assert third.runs.wait(5)
    third.finish()


def test_a_person_waits_a_few_times_and_no_more() -> None:
    queue = Queue()
    first = Worker(queue, "anna", 1)
    assert first.runs.wait(5)
    waiting = [Worker(queue, "anna", 1) for _ in range(MOST_WAITING)]
    assert eventually(lambda: all(one.told for one in waiting))
    refused, other = Worker(queue, "anna", 1), Worker(queue, "clara", 1)
    assert refused.ended.wait(5)
    assert refused.refused is not None and "3 of your comparisons are waiting already" in str(refused.refused)
    assert not refused.told and not other.ended.is_set()

    waiting[0].give_up()
    again = Worker(queue, "anna", 1)
    assert eventually(lambda: bool(again.told))
    finish_all([first, *waiting[1:], other, again])
    assert all(one.runs.is_set() and one.refused is None for one in (*waiting[1:], other, again))


def test_who_gave_up_is_not_counted_before_the_next_look() -> None:
    queue = Queue()
    first = Worker(queue, "anna", 1)
    assert first.runs.wait(5)
    waiting = [Worker(queue, "anna", 1) for _ in range(MOST_WAITING)]
    assert eventually(lambda: all(one.told for one in waiting))
    waiting[0].stop()
    again = Worker(queue, "anna", 1)
    assert eventually(lambda: bool(again.told)) and again.refused is None
    finish_all([first, *waiting[1:], again])
    waiting[0].give_up()
    assert waiting[0].cancelled and not waiting[0].runs.is_set()


def test_a_computation_that_fails_frees_its_place() -> None:
    queue = Queue()
    with pytest.raises(ZeroDivisionError), queue.turn("anna", 1):
        raise ZeroDivisionError
    after = Worker(queue, "anna", 1)
    assert after.runs.wait(5)
    after.finish()


@given(st.permutations(["anna", "clara", "dora"] * 2).map(lambda names: names[:5]), st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_never_more_than_the_limit_nor_two_of_a_person(usernames: list[str], most: int) -> None:
    queue, lock, running, seen = Queue(), threading.Lock(), [], []  # type: ignore[var-annotated]

    def work(username: str) -> None:
        with queue.turn(username, most):
            with lock:
                running.append(username)
                seen.append(tuple(running))
            threading.Event().wait(0.002)
            with lock:
                running.remove(username)

    threads = [threading.Thread(target=work, args=(username,)) for username in usernames]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(seen) == len(usernames)
    assert all(len(one) <= most and len(set(one)) == len(one) for one in seen)
