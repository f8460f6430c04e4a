"""D5: random questions through the services, everything that is sent scanned and compared with the exact numbers."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.policy import RULES
from harmony_dash.errors import QuestionError
from harmony_dash.services.choices import count_choices
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.protection import fetch_planned_tables, plan_answer
from harmony_dash.services.release_info import describe_release
from harmony_dash.services.survival import ask_survival, prepare_question
from tests.disclosure.house import CLINICIAN, STEERING, open_house, samples_of_run
from tests.disclosure.questions import EVERYDAY, random_question
from tests.disclosure.scan import scan_choices, scan_coverage, scan_survival

RANDOM_QUESTIONS = 50


def ask_and_scan(deployment: Deployment, questions: int, seed: int = 1) -> tuple[Counter[str], Counter[str]]:
    """Problems found, and how often each kind of answer was given; `python -m tests.disclosure.attacks` asks 500."""
    rng, problems, seen = np.random.default_rng(seed), Counter[str](), Counter[str]()
    rules, snapshot = RULES[Level.PROTECTED], deployment.store.current()
    panel = [name for name in EVERYDAY if name in snapshot.dictionary]
    while seen["asked"] < questions:
        question = random_question(snapshot, rng)
        seen["asked"] += 1
        try:
            problems.update(scan_choices(count_choices(deployment, CLINICIAN, question, panel)))
            released = ask_survival(deployment, CLINICIAN, question)
        except QuestionError:
            seen["refused"] += 1
            continue
        problems.update(scan_survival(released))
        seen["answered" if released.value.groups else "withheld"] += 1
        plan = plan_answer(snapshot, prepare_question(question, snapshot), Scope(Level.PROTECTED))
        if plan.question is None:
            continue
        table, _ = fetch_planned_tables(snapshot, plan)
        exact = {name: (int(n), int(events[0])) for name, n, events in zip(
            table.groups, table.patients, table.event_counts, strict=True)}
        for group in released.value.groups:
            seen["curves"] += 1
            n, events = exact[next(iter(group.label.values()), "all")]
            if n < rules.minimum_patients or events < rules.minimum_events:
                problems[f"a curve of {n} patients with {events} events"] += 1
            if abs(group.n - n) >= rules.rounding_base:
                problems[f"{n} patients told as {group.n}"] += 1
    problems.update(scan_coverage(review_coverage(deployment, STEERING, "ALL")))
    info = describe_release(deployment, CLINICIAN)
    problems.update(f"disease {code}: {one.n}" for code, one in info.diseases.items()
                    if one.n is not None and (one.n % 5 or one.n < 10))
    return problems, seen


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return open_house(tmp_path_factory.mktemp("samples"), samples_of_run(tmp_path_factory))


def test_nothing_that_is_sent_is_small_exact_or_a_day(deployment: Deployment) -> None:
    problems, seen = ask_and_scan(deployment, RANDOM_QUESTIONS)
    assert not problems, problems.most_common(20)
    assert seen["curves"] > RANDOM_QUESTIONS / 2, seen


def test_the_scan_would_find_what_it_looks_for(deployment: Deployment) -> None:
    exact = ask_survival(deployment, OPERATOR, Question("ALL", "efs", by="trial"), days=(400,), level=Level.EXACT)
    kinds = {problem.split(" ")[0] for problem in scan_survival(exact)}
    assert {"result.groups.n:", "result.groups.median_days", "there", "a", "day", "Events:", "words"} <= kinds, kinds
