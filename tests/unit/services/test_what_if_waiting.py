"""Equal comparisons that wait for one another are computed once, and one too many of a person is refused on record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Released
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.errors import TooManyQuestions
from harmony_dash.services import what_if
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.what_if_queue import MOST_WAITING
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_store
from tests.what_if_cohort import COHORT, draw_cohort

QUESTION = WhatIfQuestion(COHORT, adjust=("mrd_eoi_band", "cyto_group"), horizon_days=1461)
CLARA, DORA = (Actor(name, Role.CLINICIAN, "s") for name in ("clara", "dora"))
REPLICATES = 3


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    make_store(tmp_path / "store", frame=draw_cohort(1200))
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY, disclosure_key=DISCLOSURE_KEY, what_if_runs=1)
    opened = open_deployment(settings, now=lambda: NOW)
    yield opened
    opened.access.close()


class Gate:
    """Lets computations begin when it is opened, and counts them."""

    def __init__(self, compute: Callable[..., WhatIfResult]) -> None:
        self.begun, self._opened, self._compute = 0, threading.Event(), compute
        self.reached = threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> WhatIfResult:
        self.begun += 1
        self.reached.set()
        assert self._opened.wait(60)
        return self._compute(*args, **kwargs)

    def open(self) -> None:
        self._opened.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(what_if.compute_what_if)
    monkeypatch.setattr(what_if, "compute_what_if", made)
    yield made
    made.open()


class Asking:
    """One question asked in a thread."""

    def __init__(self, deployment: Deployment, actor: Actor, question: WhatIfQuestion) -> None:
        self.answer: Released[WhatIfResult] | None = None
        self.problem: TooManyQuestions | None = None
        self.waits = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(deployment, actor, question), daemon=True)
        self._thread.start()

    def _ask(self, deployment: Deployment, actor: Actor, question: WhatIfQuestion) -> None:
        try:
            self.answer = what_if.ask_what_if(deployment, actor, question, replicates=REPLICATES,
                                              waiting=lambda _: self.waits.set())
        except TooManyQuestions as problem:
            self.problem = problem

    def end(self) -> None:
        self._thread.join(120)
        assert not self._thread.is_alive()


def lines_of(deployment: Deployment, actor: Actor, decision: Decision) -> list[str]:
    events = [row.event for row in list_events(deployment.access)]
    return [event.question for event in events
            if (event.action, event.username, event.decision) == ("what-if", actor.username, decision)]


def test_equal_questions_that_wait_are_computed_once_and_all_recorded(deployment: Deployment, gate: Gate) -> None:
    first = Asking(deployment, CLARA, QUESTION)
    assert gate.reached.wait(60)
    others = [Asking(deployment, CLARA, QUESTION), Asking(deployment, DORA, QUESTION)]
    assert all(one.waits.wait(60) for one in others)
    gate.open()
    for one in (first, *others):
        one.end()
    assert gate.begun == 1
    assert first.answer is not None and all(one.answer == first.answer for one in others)
    asked = set(lines_of(deployment, CLARA, Decision.ALLOWED))
    assert asked and asked == set(lines_of(deployment, DORA, Decision.ALLOWED))


def test_another_question_that_waits_is_computed(deployment: Deployment, gate: Gate) -> None:
    asked = [Asking(deployment, CLARA, replace(QUESTION, horizon_days=day)) for day in (1461, 1096)]
    gate.open()
    for one in asked:
        one.end()
    assert gate.begun == 2
    assert len({one.answer.value.question.fingerprint for one in asked if one.answer is not None}) == 2


def test_one_too_many_is_refused_at_once_recorded_and_not_counted_as_asked(deployment: Deployment, gate: Gate) -> None:
    first = Asking(deployment, CLARA, QUESTION)
    assert gate.reached.wait(60)
    waiting = [Asking(deployment, CLARA, QUESTION) for _ in range(MOST_WAITING)]
    assert all(one.waits.wait(60) for one in waiting)
    too_many = Asking(deployment, CLARA, replace(QUESTION, horizon_days=1096))
    too_many.end()
    assert too_many.problem is not None and "waiting already" in too_many.problem.problem
    (refused,) = lines_of(deployment, CLARA, Decision.REFUSED)
    assert refused == replace(QUESTION, horizon_days=1096).for_the_record
    gate.open()
    for one in (first, *waiting):
        one.end()
    assert not any("1096" in line for line in lines_of(deployment, CLARA, Decision.ALLOWED))
