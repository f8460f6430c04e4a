from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.propensity import fit_propensity, weigh_arms
from tests.reference.what_if_data import load_arms


def test_inverse_weights_are_stabilised_and_not_truncated() -> None:
    patients = ArmPatients.from_rows([1, 2, 3, 4], [0, 1, 0, 1], [1, 0, 0, 0], [[0.0]] * 4, ["x"])
    weight = weigh_arms(patients, np.array([0.001, 0.2, 0.5, 0.8]))
    np.testing.assert_allclose(weight, [0.25 / 0.001, 0.75 / 0.8, 0.75 / 0.5, 0.75 / 0.2])


def test_overlap_weights_are_the_probability_of_the_other_arm() -> None:
    patients = ArmPatients.from_rows([1, 2, 3], [0, 1, 0], [1, 0, 1], [[0.0]] * 3, ["x"], weight=[1, 2, 3])
    np.testing.assert_allclose(weigh_arms(patients, np.array([0.2, 0.4, 0.9]), "overlap"), [0.8, 0.8, 0.3])


@pytest.mark.parametrize("kind", ["inverse", "overlap"])
def test_weights_of_the_patients_multiply_in(kind: str) -> None:
    plain, weighted = load_arms("gbsg2"), load_arms("gbsg2", weighted=True)
    probability = fit_propensity(plain).probability
    np.testing.assert_array_equal(fit_propensity(weighted).probability, probability)
    ratio = weigh_arms(weighted, probability, kind) / weigh_arms(plain, probability, kind) / weighted.weight
    # Stabilising divides each arm by a constant of its own.
    for arm in (0, 1):
        np.testing.assert_allclose(ratio[plain.arm == arm], ratio[plain.arm == arm][0])


def test_the_methods_line_names_covariates_and_strata() -> None:
    assert fit_propensity(load_arms("gbsg2")).methods == ("propensity score by logistic regression on first, second, "
                                                          "third, s1")


def test_a_stratum_that_used_one_arm_is_refused_by_name() -> None:
    patients = ArmPatients.from_rows([1, 2, 3, 4], [0, 1, 0, 1], [0, 1, 0, 0], [[0.0], [1], [0], [1]], ["x"],
                                     stratum=[0, 0, 1, 1], strata=("DE", "UK"))
    with pytest.raises(StatisticsError, match="UK used one arm only"):
        fit_propensity(patients)


def test_other_weights_are_refused() -> None:
    with pytest.raises(StatisticsError, match="inverse, overlap"):
        weigh_arms(load_arms("gbsg2"), np.full(686, 0.5), "matching")
