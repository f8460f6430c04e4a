"""The same treatment comparisons as R; what_if_reference.json is written by make_reference.py."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.stats.arm_effect_over_time import compare_arm_effect_over_time
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.augmented_weighting import estimate_augmented_survival
from harmony_dash.stats.cox import fit_cox
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.logistic import fit_logistic
from harmony_dash.stats.patient_cox import fit_patient_cox
from harmony_dash.stats.propensity import fit_propensity, weigh_arms
from harmony_dash.stats.pseudo_values import estimate_pseudo_values
from harmony_dash.stats.splines import RestrictedCubicSpline
from harmony_dash.stats.standardised_incidence import standardise_incidence
from harmony_dash.stats.standardised_survival import standardise_survival
from harmony_dash.stats.support import describe_support
from harmony_dash.stats.weighted_kaplan_meier import compare_weighted_survival
from tests.reference.test_published_cox import pattern_table
from tests.reference.what_if_data import DAYS, KNOTS, NAMES, load_arms

by_cohort = pytest.mark.parametrize("name", NAMES)


@cache
def expected_of(name: str) -> dict[str, Floats]:
    values = json.loads((Path(__file__).parent / "what_if_reference.json").read_text())["values"][name]
    return {key: np.array([np.nan if x is None else x for x in row]) for key, row in values.items()}


def both_arms(name: str, key: str) -> Floats:
    return np.array([expected_of(name)[f"{key}.{arm}"] for arm in (0, 1)])


@by_cohort
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("weighted", ["plain", "weighted"])
def test_cox_models_of_patients_and_their_baseline_hazards_equal_r(name: str, ties: str, weighted: str) -> None:
    patients = load_arms(name, modifiers=("first",), weighted=weighted == "weighted")
    model = fit_patient_cox(patients.day, patients.cause > 0, patients.outcome_design(), patients.outcome_names,
                            stratum=patients.stratum, strata=len(patients.strata), weight=patients.weight, ties=ties,
                            events_per_parameter=0)
    expected, key = expected_of(name), f"cox.{ties}.{weighted}"
    np.testing.assert_allclose(model.coefficients, expected[f"{key}.coef"], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(model.covariance.ravel(), expected[f"{key}.covariance"], rtol=1e-8, atol=1e-10)
    assert model.log_likelihood == pytest.approx(float(expected[f"{key}.log_likelihood"][0]), rel=1e-11)
    hazard = model.baseline.at(np.array(DAYS[name]))
    for stratum in range(len(patients.strata)):
        np.testing.assert_allclose(hazard[stratum], expected[f"{key}.hazard.{stratum}"], rtol=1e-8)


@by_cohort
def test_the_test_of_proportional_hazards_equals_cox_zph(name: str) -> None:
    test = compare_arm_effect_over_time(load_arms(name))
    mine = [*(one.statistic for one in test.tests), test.overall.statistic]
    np.testing.assert_allclose(mine, expected_of(name)["zph"], rtol=1e-8, atol=1e-9)


@by_cohort
def test_standardised_survival_equals_the_g_formula_of_ate(name: str) -> None:
    patients = load_arms(name, modifiers=("first",))
    found = standardise_survival(patients, DAYS[name], tau_days=DAYS[name][-1], rng=np.random.default_rng(1),
                                 replicates=2)
    np.testing.assert_allclose(1 - found.survival.estimate, both_arms(name, "gformula"), rtol=0, atol=1e-8)


@by_cohort
def test_standardised_incidence_equals_the_cause_specific_g_formula_of_ate(name: str) -> None:
    found = standardise_incidence(load_arms(name), DAYS[name], rng=np.random.default_rng(1), replicates=2)
    for cause in (0, 1):
        np.testing.assert_allclose(found.incidence[cause].estimate, both_arms(name, f"incidence.{cause + 1}"), rtol=0,
                                   atol=1e-8)


@by_cohort
def test_logistic_regression_equals_glm(name: str) -> None:
    patients, expected = load_arms(name), expected_of(name)
    design, names = patients.adjusting_design()
    for weight, key in ((None, "logistic"), (load_arms(name, weighted=True).weight, "logistic.weighted")):
        model = fit_logistic(patients.arm, design, names, weight=weight)
        np.testing.assert_allclose(model.coefficients, expected[f"{key}.coef"], rtol=1e-8, atol=1e-9)
        # R takes the information one step before the estimate.
        np.testing.assert_allclose(model.covariance.ravel(), expected[f"{key}.covariance"], rtol=1e-7, atol=1e-9)
    plain = fit_propensity(patients)
    assert plain.model.log_likelihood == pytest.approx(float(expected["logistic.log_likelihood"][0]), rel=1e-11)
    np.testing.assert_allclose(plain.probability[:25], expected["propensity"], rtol=1e-9)


@by_cohort
@pytest.mark.parametrize("kind", ["inverse", "overlap"])
def test_weighted_curves_equal_the_robust_survfit(name: str, kind: str) -> None:
    patients = load_arms(name)
    weight = weigh_arms(patients, fit_propensity(patients).probability, kind)
    found = compare_weighted_survival(patients, weight, DAYS[name]).survival
    np.testing.assert_allclose(found.estimate, both_arms(name, f"{kind}.survival"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.std_error, both_arms(name, f"{kind}.std_error"), rtol=0, atol=1e-9)


@by_cohort
@pytest.mark.parametrize("kind", ["inverse", "overlap"])
def test_effective_sizes_and_balance_equal_r(name: str, kind: str) -> None:
    patients = load_arms(name)
    probability = fit_propensity(patients).probability
    found = describe_support(patients, probability, weigh_arms(patients, probability, kind), DAYS[name][0])
    mine = [(arm.effective_size, arm.largest_share) for arm in found.arms]
    np.testing.assert_allclose(mine, both_arms(name, f"{kind}.size"), rtol=1e-8)
    balance = [value for one in found.balance[:3] for value in (one.before, one.after)]
    np.testing.assert_allclose(balance, expected_of(name)[f"{kind}.balance"], rtol=1e-7, atol=1e-9)


@by_cohort
def test_pseudo_values_equal_prodlim(name: str) -> None:
    patients = load_arms(name)
    found = estimate_pseudo_values(patients.day, patients.cause > 0, DAYS[name], stratum=patients.stratum)
    for column, day in enumerate(DAYS[name]):
        np.testing.assert_allclose(found.values[:60, column], expected_of(name)[f"pseudo.{day}"], rtol=0, atol=1e-10)


@by_cohort
def test_augmented_weighting_equals_r(name: str) -> None:
    patients, expected = load_arms(name), expected_of(name)
    found = estimate_augmented_survival(patients, fit_propensity(patients), DAYS[name]).survival
    np.testing.assert_allclose(found.estimate, both_arms(name, "augmented.survival"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.std_error, both_arms(name, "augmented.std_error"), rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.difference, expected["augmented.difference"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.difference_std_error, expected["augmented.difference_error"], rtol=0, atol=1e-9)


def test_restricted_cubic_splines_equal_hmisc() -> None:
    basis = RestrictedCubicSpline("x", KNOTS).basis(np.arange(-2, 3.01, 0.25))
    np.testing.assert_allclose(basis.T.ravel(), expected_of("gbsg2")["spline"], rtol=0, atol=1e-12)


def test_patients_given_one_by_one_and_their_patterns_give_the_same_model() -> None:
    patients = load_arms("made_up")
    rounded = ArmPatients.from_rows(patients.day, patients.cause, patients.arm, np.rint(patients.covariates),
                                    patients.names, stratum=patients.stratum, strata=patients.strata,
                                    causes=patients.causes)
    design = rounded.outcome_design()
    table, patterns = pattern_table(patients.day, patients.cause > 0, design, [str(s) for s in patients.stratum])
    one = fit_cox(table, patterns, rounded.outcome_names)
    other = fit_patient_cox(rounded.day, rounded.cause > 0, design, rounded.outcome_names, stratum=rounded.stratum)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-8)
