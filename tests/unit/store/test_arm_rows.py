from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.store.arm_rows import UNKNOWN, fetch_arm_rows
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

ARMS = ("M", "F")
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex", landmark_days=90)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    frame = make_patients(800, seed=6)
    frame.loc[frame.index < 30, "trial"] = None
    frame.loc[frame.index % 7 == 0, "age_dx_years"] = np.nan
    return make_store(tmp_path_factory.mktemp("rows"), frame=frame)


@pytest.mark.parametrize("question", [QUESTION, replace(QUESTION, endpoint="relapse", landmark_days=0)])
def test_rows_count_up_to_the_event_table(snapshot: Snapshot, question: Question) -> None:
    rows = fetch_arm_rows(snapshot, question, ARMS, "trial", ("age_dx_years", "cyto_group"))
    table = fetch_event_table(snapshot, replace(question, strata="trial")).select_groups(ARMS)
    assert [int((rows.arm == arm).sum()) for arm in (0, 1)] == table.patients.tolist()
    for cause in range(1, len(table.causes) + 1):
        assert [int(((rows.arm == arm) & (rows.cause == cause)).sum()) for arm in (0, 1)] == (
            table.event_counts[:, cause - 1].tolist())
    strata = np.where(table.strata.index("") == table.stratum, UNKNOWN, table.stratum)
    assert set(rows.stratum.tolist()) == set(strata.tolist())
    assert rows.day.min() > 0 or not question.landmark_days
    assert np.isnan(rows.numbers["age_dx_years"]).any()
    assert (rows.codes["cyto_group"] == UNKNOWN).any()


def test_a_question_without_arms_is_a_fault(snapshot: Snapshot) -> None:
    with pytest.raises(ValueError, match="arms"):
        fetch_arm_rows(snapshot, replace(QUESTION, by=None), ARMS, "trial", ())
