"""Strata enter models alone: who is compared, and what is counted, is the same whatever they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.what_if_results import Method, Status, WhatIfResult
from harmony_dash.disclosure.what_if_words import find_contrast
from harmony_dash.errors import QuestionError
from harmony_dash.services.what_if_strata import REST, model_strata
from harmony_dash.store.arm_rows import UNKNOWN, ArmRows
from harmony_dash.store.reader import Snapshot
from tests.factories import make_store
from tests.what_if_cohort import COHORT, ask, draw_cohort, open_house

QUESTION = WhatIfQuestion(COHORT, horizon_days=1461)
BY_COUNTRY = replace(QUESTION, strata="country")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, Level], WhatIfResult]:
    """Country is not recorded for some, and a few of one trial are alone in theirs."""
    frame = draw_cohort(2500, seed=8)
    frame["country"] = np.where(frame.index % 2 == 0, "DE", "NL")
    frame.loc[frame.index[:40], "country"] = None
    frame.loc[frame[frame.trial == "Trial A"].index[:3], "country"] = "FR"
    house = open_house(tmp_path_factory.mktemp("strata"), frame)
    return {(one.strata, level): ask(house, one, level) for one in (QUESTION, BY_COUNTRY)
            for level in (Level.EXACT, Level.PROTECTED)}


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_nobody_is_left_out_by_choosing_strata(results: dict[tuple[str, Level], WhatIfResult], level: Level) -> None:
    by_trial, by_country = results["trial", level], results["country", level]

    assert by_country.status is not Status.REFUSED
    assert by_country.allocation == by_trial.allocation
    assert by_country.patients == by_trial.patients
    assert [(one.reference, one.compared) for one in by_country.effects] == [
        (one.reference, one.compared) for one in by_trial.effects]
    assert by_country.diagnostics.missing == by_trial.diagnostics.missing
    assert [one.name for one in by_country.diagnostics.balance] == [one.name for one in by_trial.diagnostics.balance]


def test_strata_make_a_difference_to_models_alone(results: dict[tuple[str, Level], WhatIfResult]) -> None:
    found = [results[strata, Level.EXACT] for strata in ("trial", "country")]

    adjusted, plain = ([find_contrast(one, method) for one in found] for method in (Method.STANDARDISED, Method.PLAIN))
    assert adjusted[0] != adjusted[1]
    assert plain[0] == plain[1]
    assert "Country" in dict(found[1].estimand)["Adjusted for"] or "country" in dict(found[1].estimand)["Adjusted for"]


def test_a_trial_is_neither_a_strategy_nor_adjusted_for(tmp_path: Path) -> None:
    house = open_house(tmp_path, draw_cohort(200))
    with pytest.raises(QuestionError) as refused:
        ask(house, replace(BY_COUNTRY, adjust=("trial", "wbc_dx")))
    assert refused.value.where == "adjust"
    with pytest.raises(QuestionError) as refused:
        ask(house, replace(BY_COUNTRY, strategy="trial", reference="Trial A", compared="Trial B"))
    assert refused.value.where == "strata"


def test_an_arm_of_a_few_is_told_from_none_nowhere(tmp_path: Path) -> None:
    shown = []
    for few in (0, 4):
        frame = draw_cohort(600, choice=0.1)
        frame["intensity_assigned"] = np.where(frame.index < few, "reduced", "standard")
        house = open_house(tmp_path / str(few), frame)
        result = ask(house, QUESTION, Level.PROTECTED)
        shown.append((result.status, result.reasons, [(one.stratum, one.arm, one.mark) for one in result.allocation]))
    assert shown[0] == shown[1]


# -- the parts of a trial ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("parts"), n=60)


def make_rows(sizes: dict[int, tuple[int, int]]) -> ArmRows:
    """Patients of one trial by code of their country and arm."""
    cells = [(code, arm) for code, both in sizes.items() for arm, size in enumerate(both) for _ in range(size)]
    codes, arms = (np.array(part, dtype=np.int64) for part in zip(*cells, strict=True))
    nothing = np.zeros(len(codes), dtype=np.int64)
    return ArmRows(nothing + 1, nothing, arms, nothing, {"country": codes}, {})


def test_small_parts_join_until_they_are_large_enough(snapshot: Snapshot) -> None:
    large = make_rows({0: (30, 30), 1: (6, 20), UNKNOWN: (7, 20)})
    stratum, names = model_strata(large, snapshot, BY_COUNTRY)
    assert len(names) == 2
    assert names[1].endswith(REST)
    assert np.bincount(stratum).tolist() == [60, 53]

    small = make_rows({0: (30, 30), 1: (20, 12), UNKNOWN: (1, 2)})
    stratum, names = model_strata(small, snapshot, BY_COUNTRY)
    assert np.bincount(stratum).tolist() == [60, 35]


def test_the_trial_stays_whole_where_no_part_stands_alone(snapshot: Snapshot) -> None:
    stratum, names = model_strata(make_rows({0: (9, 30), 1: (30, 3)}), snapshot, BY_COUNTRY)
    assert set(stratum.tolist()) == {0}
    assert len(names) == 1


@given(st.dictionaries(st.integers(-1, 2), st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1))
def test_every_stratum_has_ten_in_each_arm_if_the_trial_has(snapshot: Snapshot, sizes: dict[int, tuple[int, int]],
                                                            ) -> None:
    rows = make_rows({**sizes, 0: (15, 15)})
    stratum, names = model_strata(rows, snapshot, BY_COUNTRY)
    assert len(stratum) == len(rows.arm)
    for place in range(len(names)):
        assert np.bincount(rows.arm[stratum == place], minlength=2).min() >= 10


def test_a_trial_without_enough_patients_is_compared_by_no_strata(tmp_path: Path) -> None:
    frame = draw_cohort(1200)
    few = frame[frame.trial == "Trial C"].index
    frame.loc[few, "intensity_assigned"] = "standard"
    frame.loc[few[:6], "intensity_assigned"] = "reduced"
    frame["country"] = pd.Series(np.where(frame.trial == "Trial C", "NL", "DE"), index=frame.index)
    result = ask(open_house(tmp_path, frame), BY_COUNTRY)

    assert {cell.stratum for cell in result.allocation if cell.used} == {"Trial A", "Trial B"}
