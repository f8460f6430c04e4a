from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_effect_over_time import compare_arm_effect_over_time
from harmony_dash.stats.arm_patients import ArmPatients
from tests.reference.what_if_data import load_arms


def test_the_arm_and_its_products_are_one_term() -> None:
    test = compare_arm_effect_over_time(load_arms("made_up", modifiers=("first", "third")))
    assert test.terms == ("compared", "first", "second", "third")
    assert [one.df for one in test.tests] == [3, 1, 1, 1]
    assert test.overall.df == 6


def test_an_effect_that_turns_is_found() -> None:
    rng = np.random.default_rng(1)
    arm, late = rng.integers(0, 2, 2000), rng.exponential(size=2000)
    # Twice the hazard in the first 100 days, half of it afterwards.
    time = np.where(arm == 1, np.where(late < 1, 100 * late, 100 + 400 * (late - 1)), 200 * late)
    patients = ArmPatients.from_rows(np.ceil(time), np.ones(2000), arm, rng.normal(size=(2000, 1)), ["x"])
    test = compare_arm_effect_over_time(patients)
    assert test.tests[0].p < 1e-6
    assert test.tests[1].p > 0.01


def test_events_on_one_day_cannot_tell() -> None:
    patients = load_arms("gbsg2")
    with pytest.raises(StatisticsError, match="more than one day"):
        compare_arm_effect_over_time(replace(patients, day=np.full(len(patients.day), 9)))
