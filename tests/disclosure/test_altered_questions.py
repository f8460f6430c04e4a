"""D9: realistic questions are mostly answered as they were asked, where there are patients enough."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store
from tests.disclosure.altered import patients_of, share_altered
from tests.disclosure.questions import EVERYDAY

PATIENTS = 100_000
QUESTIONS = 50


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = Path(tmp_path_factory.mktemp("benchmark"))
    make_benchmark_store(folder, PATIENTS)
    return Store(folder).current()


@pytest.fixture(scope="module")
def patients(snapshot: Snapshot) -> pd.DataFrame:
    return patients_of(snapshot, EVERYDAY)


@pytest.mark.parametrize("conditions", [1, 2, 3, 4])
def test_of_questions_with_one_value_a_filter_few_are_altered(
        snapshot: Snapshot, patients: pd.DataFrame, conditions: int) -> None:
    assert share_altered(snapshot, patients, conditions, several=False, questions=QUESTIONS) <= 0.06


def test_with_lists_of_values_more_are(snapshot: Snapshot, patients: pd.DataFrame) -> None:
    # A list may hold a value that hardly anybody has, which is then left out and told.
    assert share_altered(snapshot, patients, 4, several=True, questions=QUESTIONS) <= 0.30
