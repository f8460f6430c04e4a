from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.stats import norm

from harmony_dash.errors import Cancelled, StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.bayesian_bootstrap import draw_replicates
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.standardised_survival import StandardisedSurvival, standardise_survival
from tests.reference.what_if_data import DAYS, load_arms


def standardise(patients: ArmPatients, *, seed: int = 1, replicates: int = 20, tau_days: int = 48,
                **options: object) -> StandardisedSurvival:
    return standardise_survival(patients, DAYS["made_up"], tau_days=tau_days, rng=np.random.default_rng(seed),
                                replicates=replicates, **options)  # type: ignore[arg-type]


def directly(patients: ArmPatients, found: StandardisedSurvival, days: list[int]) -> Floats:
    """The definition, patient by patient."""
    hazard = found.model.baseline.at(np.array(days))[patients.stratum]
    ratios = [np.exp(patients.outcome_design(arm) @ found.model.coefficients) for arm in (0, 1)]
    return np.array([np.average(np.exp(-hazard * ratio[:, None]), axis=0, weights=patients.weight)
                     for ratio in ratios])


@pytest.mark.parametrize("weighted", [False, True])
def test_curves_and_restricted_means_are_means_over_patients(weighted: bool) -> None:
    patients = load_arms("made_up", modifiers=("first", "third"), weighted=weighted)
    found = standardise(patients)
    np.testing.assert_allclose(found.survival.estimate, directly(patients, found, list(DAYS["made_up"])), rtol=0,
                               atol=1e-10)
    # Curves step on whole days only: the area to day 48 is the sum of the days 0 to 47.
    daily = directly(patients, found, list(range(48)))
    np.testing.assert_allclose(found.restricted_mean_days, daily.sum(axis=1), rtol=1e-10)
    assert found.mean_difference_days == pytest.approx(float(np.diff(daily.sum(axis=1))[0]), rel=1e-9)


def test_weights_choose_the_population_and_leave_the_model_alone() -> None:
    patients = load_arms("made_up")
    plain, weighted = standardise(patients), standardise(replace(patients, weight=1 + patients.covariates[:, 2]))
    np.testing.assert_array_equal(plain.model.coefficients, weighted.model.coefficients)
    assert np.abs(plain.survival.estimate - weighted.survival.estimate).max() > 0.002


def test_the_other_way_round_the_difference_changes_its_sign() -> None:
    patients = load_arms("made_up")
    swapped = replace(patients, arms=(patients.arms[1], patients.arms[0]), arm=1 - patients.arm)
    one, other = standardise(patients), standardise(swapped)
    np.testing.assert_allclose(one.survival.difference, -other.survival.difference, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.survival.difference_lower, -other.survival.difference_upper, rtol=0, atol=1e-6)
    assert one.mean_difference_days == pytest.approx(-other.mean_difference_days)


def test_the_interval_of_the_restricted_mean_difference_is_normal() -> None:
    found = standardise(load_arms("made_up"))
    margin = norm.ppf(0.975) * found.mean_difference_error
    assert found.mean_difference_lower == pytest.approx(found.mean_difference_days - margin)
    assert found.mean_difference_upper == pytest.approx(found.mean_difference_days + margin)
    assert found.mean_difference_p == pytest.approx(
        2 * norm.sf(abs(found.mean_difference_days) / found.mean_difference_error))


def test_the_same_seed_gives_the_same_intervals_with_any_number_of_threads() -> None:
    patients = load_arms("made_up")
    one, other, different = (standardise(patients, seed=seed, draw=partial(draw_replicates, workers=workers))
                             for seed, workers in ((1, 1), (1, 2), (2, 1)))
    np.testing.assert_array_equal(one.survival.difference_lower, other.survival.difference_lower)
    assert one.mean_difference_error == other.mean_difference_error
    assert not np.array_equal(one.survival.difference_lower, different.survival.difference_lower)
    np.testing.assert_array_equal(one.survival.estimate, different.survival.estimate)


def test_a_cause_alone_censors_the_others() -> None:
    patients = load_arms("made_up")
    relapse = replace(patients, cause=(patients.cause == 1).astype(np.int64), causes=("relapse",))
    np.testing.assert_allclose(standardise(patients, cause=0).survival.estimate, standardise(relapse).survival.estimate)


def test_before_the_first_event_there_is_an_estimate_and_no_interval() -> None:
    patients = load_arms("rossi")
    late = replace(patients, day=patients.day + 5)
    found = standardise_survival(late, [2, 30], tau_days=30, rng=np.random.default_rng(1), replicates=5).survival
    np.testing.assert_allclose(found.estimate[:, 0], 1, rtol=0, atol=1e-12)
    assert np.isnan([found.lower[0, 0], found.difference_lower[0]]).all()
    assert np.isfinite([found.lower[0, 1], found.difference_lower[1]]).all()


def test_the_methods_line_names_model_and_bootstrap() -> None:
    assert standardise(load_arms("made_up")).methods == (
        "standardised survival (g-formula), Cox proportional hazards model, 4 strata, Efron ties and baseline hazard, "
        "columns compared, first, second, third; 95 % normal intervals on the log-log (curves) and atanh (differences) "
        "scale from 20 replicates of the Bayesian bootstrap within strata")


def test_days_beyond_the_follow_up_of_any_stratum_are_refused() -> None:
    patients = load_arms("made_up")
    short = replace(patients, day=np.where(patients.stratum == 2, np.minimum(patients.day, 40), patients.day))
    with pytest.raises(StatisticsError, match="the follow-up of s2 ends on day 40, before day 48"):
        standardise(short, tau_days=12)
    with pytest.raises(StatisticsError, match="before day 99"):
        standardise(patients, tau_days=99)


@pytest.mark.parametrize("tau_days", [0, -1, 9.5])
def test_a_horizon_is_a_whole_day_after_day_0(tau_days: int) -> None:
    with pytest.raises(StatisticsError, match="whole day after day 0"):
        standardise(load_arms("made_up"), tau_days=tau_days)


def test_too_few_events_for_the_columns_are_refused() -> None:
    patients = load_arms("made_up")
    few = replace(patients, cause=np.where(np.cumsum(patients.cause > 0) <= 15, patients.cause, 0))
    with pytest.raises(StatisticsError, match="15 events are too few for 4 parameters"):
        standardise(few)


def test_it_stops_when_nobody_waits_for_it() -> None:
    with pytest.raises(Cancelled):
        standardise(load_arms("made_up"), draw=partial(draw_replicates, cancel=lambda: True))
