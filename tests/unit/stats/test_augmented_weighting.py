from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.augmented_weighting import estimate_augmented_survival
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival
from harmony_dash.stats.propensity import fit_propensity
from tests.reference.what_if_data import DAYS, load_arms


def biased(patients: ArmPatients, *, outcome_right: bool, propensity_right: bool) -> float:
    """Difference at month 24 with one of the two models left without the covariates."""
    blind = replace(patients, covariates=np.zeros((len(patients.day), 0)), names=(), modifiers=())
    propensity = fit_propensity(patients if propensity_right else blind)
    return float(estimate_augmented_survival(patients if outcome_right else blind, propensity,
                                             [24]).survival.difference[0])


def test_either_model_alone_takes_the_confounding_away() -> None:
    patients = load_arms("made_up")
    right = biased(patients, outcome_right=True, propensity_right=True)
    naive = biased(patients, outcome_right=False, propensity_right=False)
    assert abs(naive - right) > 0.03
    for one in (biased(patients, outcome_right=True, propensity_right=False),
                biased(patients, outcome_right=False, propensity_right=True)):
        assert one == pytest.approx(right, abs=0.01)


def test_without_covariates_it_is_nearly_the_plain_curve_of_each_arm() -> None:
    patients = load_arms("made_up", strata=False)
    blind = replace(patients, covariates=np.zeros((len(patients.day), 0)), names=())
    found = estimate_augmented_survival(blind, fit_propensity(blind), [12, 24]).survival
    table = EventTable.from_patients(patients.day, np.minimum(patients.cause, 1), group=patients.arm)
    for arm in ("0", "1"):
        curve = estimate_survival(table, arm)
        plain = curve.survival[np.searchsorted(curve.days, [12, 24], side="right") - 1]
        np.testing.assert_allclose(found.estimate[int(arm)], plain, atol=2e-3)


def test_curves_to_draw_fall_and_stay_between_0_and_1() -> None:
    found = estimate_augmented_survival(load_arms("made_up"), fit_propensity(load_arms("made_up")), list(range(1, 49)))
    assert (np.diff(found.drawn, axis=1) <= 1e-12).all()
    assert found.drawn.min() >= 0
    assert found.drawn.max() <= 1
    np.testing.assert_allclose(found.drawn, found.survival.estimate, atol=0.02)


def test_weights_choose_the_population() -> None:
    plain, weighted = load_arms("gbsg2"), load_arms("gbsg2", weighted=True)
    propensity = fit_propensity(plain)
    doubled = replace(plain, weight=np.full(len(plain.day), 2.0))
    one, same, other = (estimate_augmented_survival(p, propensity, DAYS["gbsg2"]).survival
                        for p in (plain, doubled, weighted))
    np.testing.assert_allclose(one.difference_std_error, same.difference_std_error)
    assert np.abs(one.estimate - other.estimate).max() > 1e-4


def test_an_arm_with_fewer_patients_than_columns_is_refused() -> None:
    patients = load_arms("gbsg2")
    few = np.concatenate([np.flatnonzero((patients.arm == 1) & (patients.stratum == k))[:2] for k in (0, 1)])
    keep = np.concatenate([np.flatnonzero(patients.arm == 0), few])
    small = ArmPatients.from_rows(patients.day[keep], np.minimum(patients.cause[keep], 1), patients.arm[keep],
                                  patients.covariates[keep], patients.names, stratum=patients.stratum[keep],
                                  strata=patients.strata)
    propensity = fit_propensity(replace(small, covariates=np.zeros((len(small.day), 0)), names=()))
    with pytest.raises(StatisticsError, match="'compared' has too few patients for 5 columns"):
        estimate_augmented_survival(small, propensity, [365])


def test_the_methods_line_names_the_columns() -> None:
    found = estimate_augmented_survival(load_arms("gbsg2"), fit_propensity(load_arms("gbsg2")), [365])
    assert found.methods == ("augmented inverse-probability weighting of pseudo-values by stratum, logistic propensity "
                             "and linear outcome models on first, second, third, s1; 95 % intervals from the influence "
                             "function")
