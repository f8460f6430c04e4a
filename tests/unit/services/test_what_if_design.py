from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.services.what_if_anchors import find_anchors
from harmony_dash.services.what_if_design import (
    LEAST_IN_COLUMN,
    build_outcome_design,
    build_propensity_design,
    describe_missing,
    leave_all_out,
)
from harmony_dash.store.arm_rows import UNKNOWN, ArmRows
from harmony_dash.store.reader import Snapshot
from tests.factories import make_store


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("design"), n=60)


def make_rows(snapshot: Snapshot, n: int = 400, rare: int = 4, unknown: int = 40) -> ArmRows:
    rng = np.random.default_rng(1)
    values = snapshot.values_of(snapshot.dictionary["mrd_eoi_band"])
    codes = rng.integers(0, 3, n)
    codes[:rare] = values.index(">=1%")
    codes[rare : rare + unknown] = UNKNOWN
    ages, white = rng.gamma(2, 4, n), np.exp(rng.normal(2.5, 1, n))
    ages[-30:] = np.nan
    white[0] = 0.0
    return ArmRows(rng.integers(1, 2000, n), rng.integers(0, 2, n), rng.integers(0, 2, n), np.zeros(n, dtype=np.int64),
                   {"mrd_eoi_band": codes}, {"age_dx_years": ages, "wbc_dx": white})


NAMES = ("age_dx_years", "wbc_dx", "mrd_eoi_band")


def test_no_column_is_about_a_few_patients_and_nothing_is_missing(snapshot: Snapshot) -> None:
    rows = make_rows(snapshot)
    design = build_propensity_design(rows, snapshot, NAMES)
    assert np.isfinite(design.columns).all()
    for column in design.columns.T:
        if set(np.unique(column)) == {0.0, 1.0}:
            assert LEAST_IN_COLUMN <= column.sum() <= len(column) - LEAST_IN_COLUMN
    assert "MRD band at end of induction: not known" in design.names
    assert "Age at diagnosis: not known" in design.names
    assert any(name.startswith("log white cell count") for name in design.names)


def test_a_rare_value_is_joined_with_its_neighbour(snapshot: Snapshot) -> None:
    design = build_propensity_design(make_rows(snapshot), snapshot, ("mrd_eoi_band",))
    assert not any(name.endswith(": 1 % and over") for name in design.names)
    many = build_propensity_design(make_rows(snapshot, rare=30), snapshot, ("mrd_eoi_band",))
    assert any(name.endswith(": 1 % and over") for name in many.names)


def test_few_events_take_the_curves_away(snapshot: Snapshot) -> None:
    rows = make_rows(snapshot)
    event = rows.cause > 0
    assert any("curve" in name for name in build_outcome_design(rows, snapshot, NAMES, event=event).names)
    few = event & (np.cumsum(event) <= 20)
    assert not any("curve" in name for name in build_outcome_design(rows, snapshot, NAMES, event=few).names)


def test_leaving_a_variable_out_takes_its_columns(snapshot: Snapshot) -> None:
    design = build_propensity_design(make_rows(snapshot), snapshot, NAMES)
    without = design.without("mrd_eoi_band")
    assert not any("MRD" in name for name in without.names)
    assert without.columns.shape[1] == len(design.names) - len(design.of_variable["mrd_eoi_band"])
    assert leave_all_out(design).columns.shape == (len(design.columns), 0)


def test_missing_values_are_told_with_their_share(snapshot: Snapshot) -> None:
    found = {one.variable: one for one in describe_missing(make_rows(snapshot), snapshot, NAMES)}
    assert found["mrd_eoi_band"].share == pytest.approx(0.1)
    assert "value of its own" in found["mrd_eoi_band"].method
    assert "median" in found["age_dx_years"].method
    assert "wbc_dx" not in found


def test_published_comparisons_stand_beside_the_questions_they_belong_to() -> None:
    children = Question("ALL", "efs", (parse_filter("age_group=1-9"),))
    trials = {one.trial for one in find_anchors(WhatIfQuestion(children))}
    assert "AIEOP-BFM ALL 2000" in trials
    more = {one.trial for one in find_anchors(WhatIfQuestion(children, compared="intensified"))}
    assert "EORTC 58951" in more and "GRAALL-2005" not in more
    adults = Question("ALL", "efs", (parse_filter("age_group=40-59"),))
    assert not find_anchors(WhatIfQuestion(adults))
