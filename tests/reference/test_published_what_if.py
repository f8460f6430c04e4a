"""The same treatment comparisons as R on published cohorts. The data live outside the repository; see shared_data."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.augmented_weighting import estimate_augmented_survival
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.patient_cox import fit_patient_cox
from harmony_dash.stats.propensity import fit_propensity, weigh_arms
from harmony_dash.stats.pseudo_values import estimate_pseudo_values
from harmony_dash.stats.standardised_incidence import standardise_incidence
from harmony_dash.stats.standardised_survival import standardise_survival
from harmony_dash.stats.support import effective_size
from harmony_dash.stats.weighted_kaplan_meier import compare_weighted_survival, estimate_weighted_curve
from tests.reference.shared_data import load_reference, needs_shared, numbers, read_rows

pytestmark = needs_shared
DAYS = (365, 730, 1826)


@cache
def amlsg(*, by_trial: bool = False) -> ArmPatients:
    rows = [r for r in read_rows("amlsg_raw")
            if all(r[key] for key in ("OS", "Status", "ATRA_arm", "AOD", "wbc", "NPM1", "FLT3_ITD"))]
    values = [[float(r["AOD"]), np.log10(float(r["wbc"]) + 0.1), float(r["NPM1"]), float(r["FLT3_ITD"])] for r in rows]
    trials = sorted({r["Study"] for r in rows})
    return ArmPatients.from_rows([int(r["OS"]) for r in rows], [int(r["Status"]) for r in rows],
                                 [int(r["ATRA_arm"]) for r in rows], values, ("age", "log wbc", "npm1", "itd"),
                                 arms=("standard", "atra"),
                                 stratum=[trials.index(r["Study"]) for r in rows] if by_trial else None,
                                 strata=trials if by_trial else ("all",))


def risks_of(estimator: str) -> Floats:
    """Shape (2 arms, 3 days)."""
    table = load_reference("treatment_effect")["amlsg_atra"]["mean_risk"]
    chosen = [one for one, name in zip(table["estimate"], table["estimator"], strict=True) if name == estimator]
    return np.array(chosen).reshape(2, 3)


def test_the_g_formula_of_amlsg_equals_ate() -> None:
    found = standardise_survival(amlsg(), DAYS, tau_days=1826, rng=np.random.default_rng(1), replicates=200)
    np.testing.assert_allclose(1 - found.survival.estimate, risks_of("GFORMULA"), rtol=0, atol=1e-8)
    # The bootstrap's standard errors are about those of ate's influence function.
    theirs = load_reference("treatment_effect")["amlsg_atra"]["risk_difference"]["se"][:3]
    np.testing.assert_allclose(found.survival.difference_std_error, theirs, rtol=0.15)


def test_iptw_curves_of_amlsg_equal_survfit() -> None:
    expected, patients = load_reference("treatment_effect")["amlsg_atra"]["iptw_km"], amlsg()
    weight = weigh_arms(patients, fit_propensity(patients).probability)
    found = compare_weighted_survival(patients, weight, DAYS).survival
    for arm in (0, 1):
        np.testing.assert_allclose(found.estimate[arm], expected[f"atra{arm}"]["surv"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found.std_error[arm], expected[f"atra{arm}"]["se_robust"], rtol=0, atol=1e-9)
        assert effective_size(weight[patients.arm == arm]) == pytest.approx(expected[f"atra{arm}"]["ess"], rel=1e-8)


def test_pseudo_values_of_amlsg_equal_prodlim() -> None:
    expected, patients = load_reference("treatment_effect")["amlsg_atra"]["pseudo_values"], amlsg()
    values = estimate_pseudo_values(patients.day, patients.cause, DAYS).values
    np.testing.assert_allclose(values[0], expected["first_row"], rtol=0, atol=1e-10)
    for arm in (0, 1):
        np.testing.assert_allclose(values[patients.arm == arm].mean(axis=0), expected[f"mean_by_arm{arm}"], rtol=0,
                                   atol=1e-10)


def test_the_doubly_robust_difference_of_amlsg_has_the_sign_of_the_others_and_lies_within_one_standard_error() -> None:
    patients = amlsg()
    robust = estimate_augmented_survival(patients, fit_propensity(patients), DAYS).survival
    primary = standardise_survival(patients, DAYS, tau_days=1826, rng=np.random.default_rng(1), replicates=2).survival
    assert np.round(-robust.difference[1], 4) == -0.0256
    assert np.round(robust.difference_std_error[1], 4) == 0.0282
    assert np.round(-primary.difference[1], 4) == -0.0490
    assert abs(primary.difference[1] - robust.difference[1]) < robust.difference_std_error[1]


def test_a_trial_with_one_option_only_is_refused_by_name() -> None:
    with pytest.raises(StatisticsError, match="AMLHD98A used one arm only"):
        fit_propensity(amlsg(by_trial=True))


def test_weighted_curves_of_amlsg_equal_the_robust_survfit() -> None:
    expected, rows = load_reference("amlsg")["weighted_km"], read_rows("amlsg_raw")
    age, female = (np.array([float(r[key] or "nan") for r in rows]) for key in ("AOD", "gender"))
    weight = 1 + 0.5 * (age > 50) + 0.02 * (female == 2) * age
    curve = estimate_weighted_curve([int(r["OS"]) for r in rows], [r["Status"] == "1" for r in rows], weight)
    at = np.searchsorted(curve.days, DAYS, side="right") - 1
    np.testing.assert_allclose(curve.survival[at], expected["surv"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.std_error[at], expected["se_robust"], rtol=0, atol=1e-12)


def test_the_cause_specific_g_formula_of_bmtcrr_equals_the_exponential_form_of_csc() -> None:
    expected = load_reference("treatment_effect")["bmtcrr_csc_gformula"]["levels"]
    rows = read_rows("bmtcrr177")
    day = np.rint([float(r["ftime"]) * 100 for r in rows])
    patients = ArmPatients.from_rows(day, [int(r["Status"]) for r in rows], [int(r["Source"] == "PB") for r in rows],
                                     [[float(r["Age"]), float(r["D"] == "AML")] for r in rows], ("age", "aml"),
                                     causes=("relapse", "other"))
    found = standardise_incidence(patients, (600, 1200, 2400), rng=np.random.default_rng(1), replicates=2)
    for arm, label in enumerate(("BM+PB", "PB")):
        for cause in (0, 1):
            np.testing.assert_allclose(found.incidence[cause].estimate[arm],
                                       numbers(expected[label][f"cause{cause + 1}_exp"]), rtol=0, atol=1e-8)


def test_cox_models_with_continuous_covariates_equal_r() -> None:
    patients, expected = amlsg(), load_reference("treatment_effect")["amlsg_atra"]["cox"]
    model = fit_patient_cox(patients.day, patients.cause, patients.outcome_design(), patients.outcome_names)
    assert (model.patients, model.events) == (expected["n"], expected["events"])
    assert model.coefficients[0] == pytest.approx(expected["coef"], abs=1e-8)
