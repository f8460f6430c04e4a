from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from harmony_dash.errors import Cancelled, StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.bayesian_bootstrap import draw_replicates
from harmony_dash.stats.effect_by_level import standardise_by_level
from harmony_dash.stats.standardised_incidence import standardise_incidence
from harmony_dash.stats.standardised_survival import standardise_survival

DAY = 700


def draw(n: int = 1500, seed: int = 4) -> ArmPatients:
    """A marker that takes the effect of the arm away, a covariate, two strata and two causes."""
    rng = np.random.default_rng(seed)
    marker, risk, arm = rng.integers(0, 2, n), rng.normal(0, 1, n), rng.integers(0, 2, n)
    hazard = np.exp(-7.4 + 0.5 * risk + 0.9 * arm * (1 - marker))
    time, end = rng.exponential(1 / hazard), rng.integers(800, 2000, n)
    cause = np.where(time < end, rng.choice([1, 2], n, p=[0.7, 0.3]), 0)
    return ArmPatients.from_rows(np.minimum(time, end).astype(int) + 1, cause, arm, np.column_stack([marker, risk]),
                                 ["marker", "risk"], modifiers=["marker"], stratum=rng.integers(0, 2, n),
                                 strata=("one", "two"), causes=("relapse", "death"))


def by_level(patients: ArmPatients, **changes: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    marker = patients.covariates[:, 0]
    found = standardise_by_level(patients, [1 - marker, marker], DAY, rng=np.random.default_rng(1), replicates=30,
                                 **changes)  # type: ignore[arg-type]
    return found.difference, found.lower, found.upper


def test_the_effect_is_where_it_was_put() -> None:
    difference, lower, upper = by_level(draw())
    assert upper[0] < 0
    assert lower[1] < 0 < upper[1]
    assert abs(difference[1]) < 0.06


def test_levels_weighted_by_their_patients_are_the_difference_of_everybody() -> None:
    patients = draw()
    difference, _, _ = by_level(patients)
    share = patients.covariates[:, 0].mean()
    whole = standardise_survival(patients, [DAY], tau_days=DAY, rng=np.random.default_rng(1), replicates=5)
    assert whole.survival.difference[0] == pytest.approx((1 - share) * difference[0] + share * difference[1], abs=1e-9)


def test_a_level_without_patients_is_refused_and_a_stop_stops() -> None:
    patients = draw(200)
    with pytest.raises(StatisticsError):
        standardise_by_level(patients, [np.zeros(200)], DAY, rng=np.random.default_rng(1))
    with pytest.raises(StatisticsError):
        standardise_by_level(patients, [], DAY, rng=np.random.default_rng(1))
    with pytest.raises(Cancelled):
        by_level(draw(), draw=partial(draw_replicates, cancel=lambda: True))


def test_the_second_cause_may_have_a_model_of_its_own() -> None:
    patients = draw()
    bare = replace(patients, covariates=patients.covariates[:, :0], names=(), modifiers=())

    def ask(second: ArmPatients | None) -> object:
        return standardise_incidence(patients, [DAY], rng=np.random.default_rng(1), replicates=5,
                                     second_patients=second)

    same, own, default = ask(patients), ask(bare), ask(None)
    np.testing.assert_array_equal(same.incidence[1].estimate, default.incidence[1].estimate)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(own.models[0].coefficients, default.models[0].coefficients)  # type: ignore[attr-defined]
    assert len(own.models[1].coefficients) == 1  # type: ignore[attr-defined]
    assert "(relapse) and" in own.methods  # type: ignore[attr-defined]
