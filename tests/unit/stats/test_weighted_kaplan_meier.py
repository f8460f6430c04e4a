from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.weighted_kaplan_meier import compare_weighted_survival, estimate_weighted_curve
from tests.reference.what_if_data import load_arms


def test_a_curve_by_hand() -> None:
    # Day 1: an event of weight 2 out of 6; day 2: a censoring of 1; day 3: an event of 1 out of 3.
    curve = estimate_weighted_curve([1, 2, 3, 5], [1, 0, 1, 0], [2.0, 1, 1, 2])
    np.testing.assert_allclose(curve.at_risk, [6, 4, 3, 2])
    np.testing.assert_allclose(curve.survival, [4 / 6, 4 / 6, 4 / 9, 4 / 9])
    first, second = 2 / (6 * 4), 1 / (3 * 2)
    influence = np.array([first - 1 / 4, first, first + second - 1 / 2, first + second])
    assert curve.std_error[2] == pytest.approx(4 / 9 * np.sqrt(np.sum(np.array([2, 1, 1, 2])**2 * influence**2)))


def test_the_jackknife_is_the_derivative_of_the_curve_in_each_weight() -> None:
    rng = np.random.default_rng(1)
    day, event, weight = rng.integers(0, 12, 60), rng.integers(0, 2, 60), rng.exponential(size=60)

    def curve(weights: Floats) -> Floats:
        return estimate_weighted_curve(day, event, weights).survival

    step = 1e-6
    slopes = np.array([(curve(weight + step * e) - curve(weight - step * e)) / (2 * step) for e in np.eye(60)])
    np.testing.assert_allclose(estimate_weighted_curve(day, event, weight).std_error,
                               np.sqrt((weight**2) @ slopes**2), rtol=1e-6)


def test_when_all_die_the_curve_ends_at_zero_without_an_error() -> None:
    curve = estimate_weighted_curve([1, 2, 2], [1, 1, 1], [0.1, 0.2, 0.7])
    assert curve.survival[-1] == 0
    assert np.isnan(curve.std_error[-1])


def test_arms_are_compared_at_chosen_days() -> None:
    patients = load_arms("gbsg2")
    found = compare_weighted_survival(patients, patients.weight, [365, 730], kind="inverse")
    error = np.sqrt((found.survival.std_error**2).sum(axis=0))
    np.testing.assert_allclose(found.survival.difference_std_error, error)
    np.testing.assert_allclose(found.survival.difference, np.diff(found.survival.estimate, axis=0)[0])
    assert found.methods.startswith("Kaplan-Meier estimate with inverse weights, not truncated; 95 %")


def test_one_cause_censors_the_other() -> None:
    patients = load_arms("made_up")
    relapse = compare_weighted_survival(patients, patients.weight, [24], cause=0).survival.estimate
    assert (relapse > compare_weighted_survival(patients, patients.weight, [24]).survival.estimate).all()


def test_before_the_first_day_the_curve_is_one() -> None:
    patients = load_arms("rossi")
    found = compare_weighted_survival(patients, patients.weight, [0]).survival
    assert found.estimate.tolist() == [[1], [1]]
    assert found.std_error.tolist() == [[0], [0]]


def test_days_beyond_the_follow_up_of_an_arm_are_refused() -> None:
    patients = load_arms("gbsg2")
    with pytest.raises(StatisticsError, match="the follow-up of the arm"):
        compare_weighted_survival(patients, patients.weight, [9000])


@pytest.mark.parametrize("weight", [[1, 0], [1, -1], [1, np.nan]])
def test_weights_must_be_positive(weight: list[float]) -> None:
    with pytest.raises(StatisticsError, match="positive weights"):
        estimate_weighted_curve([1, 2], [1, 0], weight)


def test_a_curve_needs_patients() -> None:
    with pytest.raises(StatisticsError, match="needs patients"):
        estimate_weighted_curve([], [], [])
