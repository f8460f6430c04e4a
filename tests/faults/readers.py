"""Readers while ingests publish, and going back: every answer is of one snapshot, and of the whole of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.services.snapshots import roll_back_to
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot, Store
from tests.faults.installation import SMALLEST, Installation, Tell, data_digest, run_apart

_QUESTIONS = [Question("ALL", endpoint, by=by) for endpoint in ("os", "efs") for by in (None, "sex", "age_group")]


@dataclass
class Reading:
    """What readers met.

    Attributes
    ----------
    answers : page visits, each of which asked all questions of the snapshot it took first.
    errors : what was raised.
    mixed : visits whose answers did not all hold the patients of one and the same snapshot.
    snapshots : how many different snapshots were read.
    idle, busy : seconds of each visit before the ingests and during them.
    """

    answers: int = 0
    errors: list[str] = field(default_factory=list)
    mixed: int = 0
    snapshots: set[str] = field(default_factory=set)
    idle: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    @property
    def slowdown(self) -> float:
        """The 95th percentile of a visit during ingests, by that before them."""
        return float(np.quantile(self.busy, 0.95) / np.quantile(self.idle, 0.95))


def read_during_ingests(folder: Path, readers: int, ingests: int, *, pause: float = 0.02) -> Reading:
    """Let so many readers of one process ask on while another process publishes snapshot after snapshot.

    Parameters
    ----------
    pause : seconds that each reader waits between two visits.
    """
    house = Installation(folder)
    sizes = {house.ingest(): SMALLEST}
    store, found, stop, lock = Store(house.store), Reading(), threading.Event(), threading.Lock()
    busy = threading.Event()

    def read() -> None:
        while not stop.is_set():
            begun, was_busy = time.perf_counter(), busy.is_set()
            try:
                snapshot = store.current()
                whole = all(_patients(snapshot, question) == snapshot.patients for question in _QUESTIONS)
            except Exception as problem:
                with lock:
                    found.errors.append(f"{type(problem).__name__}: {problem}")
                continue
            with lock:
                found.answers += 1
                found.mixed += not whole or snapshot.patients != sizes.get(snapshot.snapshot, snapshot.patients)
                found.snapshots.add(snapshot.snapshot)
                (found.busy if was_busy else found.idle).append(time.perf_counter() - begun)
            stop.wait(pause)

    threads = [threading.Thread(target=read) for _ in range(readers)]
    for thread in threads:
        thread.start()
    try:
        _until(lambda: len(found.idle) >= 3 * readers)
        busy.set()
        for number in range(1, ingests + 1):
            outcome = run_apart(_publish, house, SMALLEST + number, number)
            if outcome.ending != "done":
                raise AssertionError(outcome.words)
            sizes[outcome.told[-1]] = SMALLEST + number
        newest = outcome.told[-1]
        _until(lambda: newest in found.snapshots or bool(found.errors))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return found


def _publish(tell: Tell, house: Installation, patients: int, minutes: int) -> None:
    tell(house.ingest(patients, minutes))


def _patients(snapshot: Snapshot, question: Question) -> int:
    return int(fetch_event_table(snapshot, question).patients.sum())


def _until(reached: Callable[[], bool], longest: float = 120.0) -> None:
    deadline = time.monotonic() + longest
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError("the readers came to a halt")
        time.sleep(0.02)


@dataclass(frozen=True)
class Return:
    """Digests of the data of the first snapshot, after going back to it, and of the same file ingested anew."""

    first: str
    rolled_back: str
    ingested_again: str
    seconds: float


def go_back_and_again(folder: Path) -> Return:
    """Ingest A, ingest B, go back to A, ingest A's file again."""
    house = Installation(folder)
    first = house.ingest()
    digest = data_digest(house.current())
    house.ingest(SMALLEST + 1, 1)
    begun = time.perf_counter()
    deployment = house.open(2)
    roll_back_to(deployment, OPERATOR, first)
    deployment.access.close()
    back = data_digest(house.current())
    again = house.ingest(minutes=3)
    seconds = time.perf_counter() - begun
    if again.partition("-")[2] != first.partition("-")[2]:
        raise AssertionError(f"{again} and {first} do not share the digits of their content")
    return Return(digest, back, data_digest(house.current()), seconds)
