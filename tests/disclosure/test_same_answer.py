"""The same question gives the same bytes, in whatever order and process it is asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import make_store

PROJECT = Path(__file__).parents[2]
QUESTIONS = 60


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    folder = tmp_path_factory.mktemp("store")
    make_store(folder, 1200, seed=5)
    # Another order of hashes in each process: nothing may hang on the order of a set.
    running = [subprocess.Popen([sys.executable, "-m", "tests.disclosure.ask_all", str(folder), str(QUESTIONS), seed],
                                cwd=PROJECT, stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "PYTHONHASHSEED": seed}) for seed in ("1", "2", "3")]
    return [process.communicate()[0].splitlines() for process in running]


def test_three_processes_answer_alike(answers: list[list[str]]) -> None:
    first, second, third = answers
    assert len(first) == QUESTIONS
    assert first == second == third


def test_different_questions_have_different_answers(answers: list[list[str]]) -> None:
    assert len({line.split()[1] for line in answers[0]}) > 0.8 * QUESTIONS
