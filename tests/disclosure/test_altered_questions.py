"""D9: realistic questions are mostly answered as they were asked, where there are patients enough."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store
from tests.disclosure.altered import PATIENTS, count_altered, count_tests_lost, patients_of
from tests.disclosure.questions import EVERYDAY

QUESTIONS = 50


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = Path(tmp_path_factory.mktemp("benchmark"))
    make_benchmark_store(folder, PATIENTS)
    return Store(folder).current()


@pytest.fixture(scope="module")
def patients(snapshot: Snapshot) -> pd.DataFrame:
    return patients_of(snapshot, EVERYDAY)


@pytest.mark.parametrize("several", [False, True], ids=["one value", "lists"])
@pytest.mark.parametrize("conditions", [1, 2, 3, 4])
def test_few_questions_are_answered_otherwise_than_asked_or_not_at_all(
        snapshot: Snapshot, patients: pd.DataFrame, conditions: int, several: bool) -> None:
    shares = count_altered(snapshot, patients, conditions, several=several, questions=QUESTIONS)
    assert shares.others <= shares.noted
    assert shares.noted + shares.refused <= 0.06


def test_few_figures_of_groups_lose_their_test(snapshot: Snapshot, patients: pd.DataFrame) -> None:
    lost = count_tests_lost(snapshot, patients, 4, several=True, questions=QUESTIONS)
    assert lost.all_of_them <= 0.06
    assert lost.for_some <= 0.12
