from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.services.what_if_design import (
    LEAST_IN_COLUMN,
    build_affordable_design,
    build_outcome_design,
    build_propensity_design,
    describe_missing,
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
                   {"mrd_eoi_band": codes, "sex": rng.integers(0, 2, n)}, {"age_dx_years": ages, "wbc_dx": white})


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
    assert not any(name.endswith("1 % and over") for name in design.names)
    many = build_propensity_design(make_rows(snapshot, rare=30), snapshot, ("mrd_eoi_band",))
    assert any(name.endswith("0.1 to <1 % or 1 % and over") for name in many.names)


def test_few_events_take_the_curves_away(snapshot: Snapshot) -> None:
    rows = make_rows(snapshot)
    event = rows.cause > 0
    assert any("curvature" in name for name in build_outcome_design(rows, snapshot, NAMES, event=event).names)
    few = event & (np.cumsum(event) <= 20)
    assert not any("curvature" in name for name in build_outcome_design(rows, snapshot, NAMES, event=few).names)


def test_leaving_a_variable_out_takes_its_columns(snapshot: Snapshot) -> None:
    design = build_propensity_design(make_rows(snapshot), snapshot, NAMES)
    without = design.without("mrd_eoi_band")
    assert not any("MRD" in name for name in without.names)
    assert without.columns.shape[1] == len(design.names) - len(design.of_variable["mrd_eoi_band"])


def test_missing_values_are_told_with_their_share(snapshot: Snapshot) -> None:
    found = {one.variable: one for one in describe_missing(make_rows(snapshot), snapshot, NAMES)}
    assert tuple(found) == NAMES
    assert found["mrd_eoi_band"].share == pytest.approx(0.1)
    assert "value of its own" in found["mrd_eoi_band"].method
    assert "median" in found["age_dx_years"].method
    assert found["wbc_dx"].share == 0


def test_a_rare_event_takes_variables_away_step_by_step(snapshot: Snapshot) -> None:
    rows = make_rows(snapshot)
    event = rows.cause > 0

    def columns(events: int) -> tuple[str, ...]:
        few = event & (np.cumsum(event) <= events)
        return build_affordable_design(rows, snapshot, (*NAMES, "sex"), ("wbc_dx",), event=few).names

    assert any("Age" in name for name in columns(150))
    assert columns(12) == ("log white cell count at diagnosis",)
    assert columns(6) == ()
    bare = build_affordable_design(rows, snapshot, ("mrd_eoi_band",), (), event=event & (np.cumsum(event) <= 12))
    assert bare.names == () and bare.columns.shape == (len(event), 0)


@pytest.mark.parametrize("few", [1, 4])
def test_names_of_columns_do_not_tell_values_of_nobody_from_those_of_a_few(snapshot: Snapshot, few: int) -> None:
    def names(rare: int) -> tuple[str, ...]:
        rows = make_rows(snapshot, rare=30)
        codes = rows.codes["mrd_eoi_band"].copy()
        codes[:rare] = snapshot.values_of(snapshot.dictionary["mrd_eoi_band"]).index("0.1-1%")
        return build_propensity_design(replace(rows, codes={"mrd_eoi_band": codes}), snapshot, ("mrd_eoi_band",)).names

    assert names(0) == names(few)
    assert any("0.1 to <1 % or 1 % and over" in name for name in names(0))


def test_values_that_a_filter_leaves_out_are_not_named(snapshot: Snapshot) -> None:
    rows = make_rows(snapshot, rare=0)
    values = snapshot.values_of(snapshot.dictionary["mrd_eoi_band"])
    left = frozenset(np.unique(rows.codes["mrd_eoi_band"]).tolist()) - {UNKNOWN}
    chosen = build_propensity_design(replace(rows, chosen={"mrd_eoi_band": left}), snapshot, ("mrd_eoi_band",))
    label = snapshot.dictionary["mrd_eoi_band"].label_of
    named = " ".join(chosen.names)
    assert any(label(values[place]) in named for place in left)
    assert not any(label(value) in named for place, value in enumerate(values) if place not in left)
