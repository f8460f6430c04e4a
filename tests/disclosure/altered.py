"""D9: how often the rule answers another question than the one that was asked, or none.

    python -m tests.disclosure.altered [QUESTIONS]

prints the shares at 100,000 patients whose characteristics are independent of each other.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.cohort import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.effects import count_rows, meets_all
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.protection import plan_answer
from harmony_dash.services.survival import DEFAULT_DAYS, prepare_question
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store
from tests.disclosure.questions import EVERYDAY, realistic_question

PATIENTS = 100_000
QUESTIONS = 100
SCOPE = Scope(Level.PROTECTED)


@dataclass(frozen=True)
class Shares:
    """Shares of realistic questions.

    Attributes
    ----------
    noted : answered with a note that something was not applied, left out or taken in.
    others : answered for other patients than those asked for. A condition that everybody meets is noted as not applied
        and changes nobody.
    refused : not answered, because the answer would have differed by too much.
    """

    noted: float
    others: float
    refused: float

    def __str__(self) -> str:
        """What is not answered as asked, and what is not answered for those asked for, in per cent."""
        return f"{100 * (self.noted + self.refused):.0f} / {100 * (self.others + self.refused):.0f}"


@dataclass(frozen=True)
class TestsLost:
    """Shares of grouped realistic questions with two groups or more in the figure.

    Attributes
    ----------
    all_of_them : without a test, because fewer than two groups answer the cohort's own question.
    for_some : tested, but not all groups that are drawn.
    """

    __test__ = False
    all_of_them: float
    for_some: float


def count_altered(snapshot: Snapshot, patients: pd.DataFrame, conditions: int, *, several: bool,
                  questions: int = QUESTIONS, seed: int = 1) -> Shares:
    """What becomes of realistic questions with so many conditions and no groups."""
    rng = np.random.default_rng(seed)
    noted = others = refused = 0
    for _ in range(questions):
        question = realistic_question(patients, conditions, rng, several=several)
        plan = plan_answer(snapshot, question, SCOPE)
        refused += plan.question is None
        if plan.question is not None and plan.not_applied:
            noted += 1
            others += _answered_set(snapshot, plan.question) != _answered_set(snapshot, question)
    return Shares(noted / questions, others / questions, refused / questions)


def _answered_set(snapshot: Snapshot, question: Question) -> tuple[int, int]:
    """How many patients meet a question's conditions, and the key of their set."""
    effects = fetch_effects(snapshot, question, figure=False)
    found = count_rows(effects, meets_all(effects, effects.selections))
    return int(found), found.key


def count_tests_lost(snapshot: Snapshot, patients: pd.DataFrame, conditions: int, *, several: bool,
                     questions: int = QUESTIONS, seed: int = 1) -> TestsLost:
    """What becomes of the tests of realistic questions that are grouped by another variable."""
    rng = np.random.default_rng(seed)
    lost = fewer = drawn = 0
    for _ in range(questions):
        question = realistic_question(patients, conditions, rng, several=several)
        others = [name for name in patients if name not in question.variables]
        question = prepare_question(replace(question, by=str(rng.choice(others))), snapshot)
        result = compute_survival(snapshot, question, question, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                  scope=SCOPE)
        if len(result.groups) > 1:
            drawn += 1
            lost += not result.compared
            fewer += 0 < len(result.compared) < len(result.groups)
    return TestsLost(lost / max(1, drawn), fewer / max(1, drawn))


def patients_of(snapshot: Snapshot, names: Sequence[str]) -> pd.DataFrame:
    """What realistic questions are drawn from: the patients' values of these variables, None where not recorded."""
    kept = [name for name in names if name in snapshot.dictionary]
    columns = ", ".join(f"{name}::VARCHAR" for name in kept)
    return pd.DataFrame(snapshot.fetch_rows(f"SELECT {columns} FROM patient"), columns=kept).astype("category")


def report(snapshot: Snapshot, questions: int) -> str:
    """All shares in per cent, by kind of filter and number of conditions."""
    patients = patients_of(snapshot, EVERYDAY)
    lines = ["filters | conditions | noted | other patients | refused | no test | test of some"]
    for several in (False, True):
        for conditions in (1, 2, 3, 4):
            shares = count_altered(snapshot, patients, conditions, several=several, questions=questions)
            tests = count_tests_lost(snapshot, patients, conditions, several=several, questions=questions)
            found = (shares.noted, shares.others, shares.refused, tests.all_of_them, tests.for_some)
            lines.append(" | ".join(["lists" if several else "one value", str(conditions),
                                     *(f"{100 * share:.1f}" for share in found)]))
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_benchmark_store(Path(folder), PATIENTS)
        print(report(Store(Path(folder)).current(), int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS))
