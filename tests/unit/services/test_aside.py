"""Computations in another process: the same numbers, nothing handed over but what is computed with, and an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from harmony_dash.errors import (
    Cancelled,
    ComputationFailed,
    ComputationLost,
    StatisticsError,
    UserError,
    describe_error,
)
from harmony_dash.services import aside as module
from harmony_dash.services.aside import NICE, Aside
from harmony_dash.stats.bayesian_bootstrap import draw_replicates
from harmony_dash.stats.event_table import Floats
from tests.benchmarks.stores import PROJECT_ROOT

PATIENT = "patient-4711"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems compute in threads")


def surroundings() -> tuple[dict[str, str], list[int], int, int]:
    """Environment, open files, priority and process of whoever computes."""
    files = [int(name) for name in os.listdir("/dev/fd")]
    return dict(os.environ), files, os.nice(0), os.getpid()


def tell_and_double(value: int, *, progress: Callable[[int, int], None] | None = None) -> int:
    for done in (1, 2):
        if progress is not None:
            progress(done, 2)
    return 2 * value


def refuse() -> None:
    raise StatisticsError("too few events", where="cyto_group", remedy="Join levels.")


def fail() -> None:
    raise KeyError(PATIENT)


def open_box(value: str) -> object:
    raise ValueError(value)


class Unreadable:
    """Fails when it is read on the other side."""

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return open_box, (PATIENT,)


def make_function() -> Callable[[], str]:
    return lambda: PATIENT


def take(value: object) -> object:
    """What cannot travel back, of a function that makes it."""
    return value() if callable(value) else value


def run_out_of_memory() -> None:
    raise MemoryError


def harmonic(n: int) -> float:
    return sum(1 / k for k in range(1, n + 1))


def go_on_telling(*, progress: Callable[[int], None]) -> None:
    while True:
        progress(os.getpid())
        time.sleep(0.01)


def sleep_long() -> None:
    time.sleep(600)


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def mean_of(weight: Floats) -> Floats:
    return np.array([weight @ np.arange(len(weight)) / len(weight)])


def wait_for_end(process: int) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(process).wait(20)
    assert not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE


def test_replicates_are_those_that_this_process_draws() -> None:
    stratum = np.array([0] * 40 + [1] * 60)
    here = draw_replicates(mean_of, stratum, 20, np.random.default_rng(5))
    with Aside() as aside:
        twice = [aside.call(draw_replicates, mean_of, stratum, 20, np.random.default_rng(5), workers=2)
                 for _ in range(2)]
    for there in twice:
        np.testing.assert_array_equal(here, there)


def test_progress_is_told_in_order_and_the_answer_comes_after_it() -> None:
    told: list[tuple[int, int]] = []
    with Aside() as aside:
        assert aside.call(tell_and_double, 21, progress=lambda done, total: told.append((done, total))) == 42
        assert aside.call(tell_and_double, 4) == 8
    assert told == [(1, 2), (2, 2)]


def test_it_knows_no_settings_has_no_open_file_and_lets_others_go_first(monkeypatch: pytest.MonkeyPatch,
                                                                      tmp_path: Path) -> None:
    for name in ("HARMONY_ACCESS_KEY", "STREAMLIT_SERVER_COOKIE_SECRET", "AWS_SECRET_ACCESS_KEY", "LANGUAGE_MODEL_KEY"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    with (tmp_path / "trail").open("w") as trail, Aside() as aside:
        os.set_inheritable(trail.fileno(), True)
        environment, files, priority, process = aside.call(surroundings)
        assert psutil.pid_exists(process)
    assert "secret" not in environment.values()
    assert environment["MALLOC_ARENA_MAX"] == "2"
    # its three standard ones, the one to this process, and the folder that is being listed
    assert len(files) <= 5
    assert priority == min(19, os.nice(0) + NICE)
    assert process != os.getpid()
    wait_for_end(process)


def test_it_finds_this_program_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the folder, and where Python takes none of its own accord."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    with Aside(["harmony_dash.stats.splines"]) as aside:
        assert aside.call(harmonic, 2) == 1.5


def test_a_refusal_arrives_whole() -> None:
    with Aside() as aside, pytest.raises(StatisticsError) as caught:
        aside.call(refuse)
    assert (caught.value.problem, caught.value.where, caught.value.remedy) == (
        "too few events", "cyto_group", "Join levels.")


@pytest.mark.parametrize(("task", "argument", "place"), [
    ("fail", None, "KeyError in fail (unit/services/test_aside.py:"),
    ("take", "Unreadable", "ValueError in open_box (unit/services/test_aside.py:"),
    ("take", "lambda", "in _answer (harmony_dash/services/aside.py:")])
def test_a_fault_tells_its_place_to_the_log_and_its_values_to_nobody(
        task: str, argument: str | None, place: str, capfd: pytest.CaptureFixture[str]) -> None:
    """In the task, on the way there, and on the way back."""
    arguments = {None: (), "Unreadable": (Unreadable(),), "lambda": (make_function,)}[argument]
    with Aside() as aside, pytest.raises(ComputationFailed) as caught:
        aside.call({"fail": fail, "take": take}[task], *arguments)
    described = describe_error(caught.value)
    assert described.startswith("ComputationFailed in call (harmony_dash/services/aside.py:")
    assert place in described
    assert PATIENT not in described + str(caught.value) + "".join(capfd.readouterr())


def test_too_little_memory_is_no_fault_of_the_task() -> None:
    with Aside() as aside, pytest.raises(ComputationLost):
        aside.call(run_out_of_memory)


def test_who_gives_up_ends_it_at_once() -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled), Aside() as aside:
        aside.call(go_on_telling, progress=seen.append, cancel=lambda: len(seen) > 3)
    assert len(seen) == 4
    wait_for_end(seen[0])

    begun = time.monotonic()
    with pytest.raises(Cancelled), Aside() as aside:
        aside.call(sleep_long, cancel=lambda: time.monotonic() - begun > 0.5)
    assert time.monotonic() - begun < 60


def test_it_ends_by_itself_and_in_order_when_nobody_asks_any_more() -> None:
    with Aside(["no.such.module"]) as aside:
        assert aside.call(tell_and_double, 4) == 8
        aside._ours.close()
        assert aside._process.wait(20) == 0


def test_an_answer_that_was_given_up_is_not_taken_for_that_of_the_next_task() -> None:
    with Aside() as aside:
        with pytest.raises(Cancelled):
            aside.call(tell_and_double, 21, cancel=lambda: True)
        with pytest.raises(ComputationLost):
            aside.call(tell_and_double, 1)
    with Aside() as aside:
        with pytest.raises(TimeoutError):
            aside.call(tell_and_double, 21, progress=stop_listening)
        with pytest.raises(ComputationLost):
            aside.call(tell_and_double, 1)


def stop_listening(*_: int) -> None:
    raise TimeoutError


def test_a_process_that_the_machine_ends_is_lost_and_no_refusal() -> None:
    with Aside() as aside:
        with pytest.raises(ComputationLost, match="the machine ended") as caught:
            aside.call(kill_itself)
        with pytest.raises(ComputationLost):
            aside.call(tell_and_double, 1)
    assert not isinstance(caught.value, UserError)


@pytest.mark.parametrize("what", ["Pipe", "subprocess.Popen"])
def test_a_machine_that_starts_no_process_says_so(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(f"{module.__name__}.{what}", full)
    with pytest.raises(ComputationLost), Aside():
        raise AssertionError("nothing was started")


@pytest.mark.parametrize("while_it", ["aside.call(go_on_telling, progress=print)", "aside.call(sleep_long)",
                                      "time.sleep(60)"])
def test_it_does_not_outlive_the_process_that_began_it(while_it: str) -> None:
    """Whether it tells of its work, is silent at it, or waits for work."""
    words = ("import time\n"
             "from harmony_dash.services.aside import Aside\n"
             "from tests.unit.services.test_aside import go_on_telling, surroundings\n"
             "with Aside() as aside:\n"
             "    print(aside.call(surroundings)[3], flush=True)\n"
             f"    {while_it}\n")
    with subprocess.Popen([sys.executable, "-c", words], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        process = int(owner.stdout.readline())
        assert psutil.pid_exists(process)
        owner.kill()
    wait_for_end(process)
