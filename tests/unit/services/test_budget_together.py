"""Many questions of one person at the same moment: no more are answered than one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.cohort import Question
from harmony_dash.errors import TooManyQuestions
from harmony_dash.export.files import Format
from harmony_dash.services import budget, choices, export_answers, exports, survival
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_store

CLARA, STEFAN = Actor("clara", Role.CLINICIAN, "s1"), Actor("stefan", Role.STEERING, "s2")
LIMIT, AT_ONCE = 3, 8
QUESTIONS = [Question("ALL", "os", horizon_days=days) for days in (None, 365, 731, 1096, 1461, 1826, 2192, 2557)]


def ask_figure(deployment: Deployment, question: Question) -> object:
    return survival.ask_survival(deployment, CLARA, question)


def ask_export(deployment: Deployment, question: Question) -> object:
    return exports.make_export(deployment, STEFAN, question, formats=[Format.CSV])


def ask_panel(deployment: Deployment, question: Question) -> object:
    return choices.count_choices(deployment, CLARA, question, ["sex"])


@pytest.mark.parametrize(("module", "name", "ask"), [
    (survival, "check_budget", ask_figure), (choices, "check_budget", ask_panel),
    (export_answers, "check_budget_for_all", ask_export)])
def test_questions_at_once_are_answered_as_often_as_one_after_the_other(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str,
        ask: Callable[[Deployment, Question], object]) -> None:
    make_store(tmp_path / "store", 400)
    deployment = open_deployment(Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                                          daily_questions=LIMIT), now=lambda: NOW)
    # everybody has passed the first look at the budget before anybody is answered
    together = threading.Barrier(AT_ONCE)
    check = getattr(budget, name)

    def check_and_wait(*arguments: object) -> None:
        check(*arguments)
        together.wait(60)

    monkeypatch.setattr(module, name, check_and_wait)
    outcomes: list[object] = []

    def attempt(question: Question) -> None:
        try:
            outcomes.append(ask(deployment, question))
        except TooManyQuestions as refused:
            outcomes.append(refused)

    threads = [threading.Thread(target=attempt, args=(question,)) for question in QUESTIONS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [one for one in outcomes if isinstance(one, TooManyQuestions)]
    assert (len(outcomes), len(refused)) == (AT_ONCE, AT_ONCE - LIMIT)
    answered = list_events(deployment.access, decision=Decision.ALLOWED)
    assert len({row.event.question for row in answered if row.event.level}) == LIMIT
    assert len(list_events(deployment.access, decision=Decision.REFUSED)) == AT_ONCE - LIMIT
    deployment.access.close()
