"""D9: how often the rule answers another question than the one that was asked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from harmony_dash.disclosure import Level, Scope
from harmony_dash.services.protection import plan_answer
from harmony_dash.store.reader import Snapshot
from tests.disclosure.questions import realistic_question

QUESTIONS = 200


def share_altered(snapshot: Snapshot, patients: pd.DataFrame, conditions: int, *, several: bool,
                  questions: int = QUESTIONS, seed: int = 1) -> float:
    """The share of realistic questions with so many conditions of which one, or a value of one, was not applied.

    Questions for which nothing is left to answer count as altered too.
    """
    rng = np.random.default_rng(seed)
    altered = 0
    for _ in range(questions):
        plan = plan_answer(snapshot, realistic_question(patients, conditions, rng, several=several),
                           Scope(Level.PROTECTED))
        altered += plan.question is None or bool(plan.notes)
    return altered / questions


def patients_of(snapshot: Snapshot, names: Sequence[str]) -> pd.DataFrame:
    """What realistic questions are drawn from: the patients' values of these variables, None where not recorded."""
    kept = [name for name in names if name in snapshot.dictionary]
    columns = ", ".join(f"{name}::VARCHAR" for name in kept)
    return pd.DataFrame(snapshot.fetch_rows(f"SELECT {columns} FROM patient"), columns=kept).astype("category")
