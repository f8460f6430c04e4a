"""What holds for every treatment comparison, whatever the patients."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.evidence import Evidence
from harmony_dash.stats.kaplan_meier import estimate_survival
from harmony_dash.stats.number_needed import number_needed
from harmony_dash.stats.patient_cox import fit_patient_cox
from harmony_dash.stats.propensity import fit_propensity, weigh_arms
from harmony_dash.stats.pseudo_values import estimate_pseudo_values
from harmony_dash.stats.refusal import judge
from harmony_dash.stats.splines import RestrictedCubicSpline
from harmony_dash.stats.standardised_incidence import standardise_incidence
from harmony_dash.stats.standardised_survival import standardise_survival
from harmony_dash.stats.support import ArmSupport, Support, compare_means, describe_support, effective_size
from harmony_dash.stats.weighted_kaplan_meier import estimate_weighted_curve

bounded = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
few = settings(bounded, max_examples=20)

# A patient: last day, event. Few days make many ties.
patients_of = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=2, max_size=25)
positive = st.floats(0.05, 20, allow_nan=False)
seeds = st.integers(0, 10_000)


def draw(seed: int, n: int = 240) -> ArmPatients:
    """Two arms, confounded; two causes; three countries; few days, so that many events tie."""
    rng = np.random.default_rng(seed)
    values, country = rng.normal(size=(n, 2)), rng.integers(0, 3, n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-values[:, 0]))).astype(np.int64)
    day = np.minimum(30, rng.exponential(size=n) * 15 * np.exp(-0.5 * values[:, 0] - 0.3 * arm)).astype(np.int64)
    cause = np.where(day < 30, rng.integers(0, 3, n), 0)
    return ArmPatients.from_rows(day, cause, arm, values, ("x", "z"), modifiers=("z",), stratum=country,
                                 strata=("DE", "FR", "UK"), causes=("relapse", "death"),
                                 weight=rng.uniform(0.5, 2, n))


def kaplan_meier(day: Floats, event: Floats, at: list[int]) -> Floats:
    """The product over days, written out; it stays where it is when nobody is left."""
    steps = [(s, 1 - np.sum(event[day == s]) / np.sum(day >= s)) for s in sorted({*day.tolist()})]
    return np.array([math.prod(step for s, step in steps if s <= t) for t in at])


@bounded
@given(patients_of)
def test_pseudo_values_are_those_of_leaving_each_patient_out(rows: list[tuple[int, int]]) -> None:
    day, event = np.array(rows).T
    at = [t for t in range(10) if t <= day.max()]
    found = estimate_pseudo_values(day, event, at).values
    n, everyone = len(day), kaplan_meier(day, event, at)
    for i in range(n):
        others = np.arange(n) != i
        expected = n * everyone - (n - 1) * kaplan_meier(day[others], event[others], at)
        np.testing.assert_allclose(found[i], expected, rtol=0, atol=1e-12 * n)


@bounded
@given(patients_of)
def test_equal_weights_give_kaplan_meier_and_greenwood(rows: list[tuple[int, int]]) -> None:
    day, event = np.array(rows).T
    mine = estimate_weighted_curve(day, event, np.full(len(day), 3.7))
    theirs = estimate_survival(EventTable.from_patients(day, event))
    np.testing.assert_allclose(mine.survival, theirs.survival, rtol=0, atol=1e-12)
    np.testing.assert_allclose(mine.std_error, theirs.std_error, rtol=0, atol=1e-12)


@bounded
@given(patients_of, st.lists(positive, min_size=25, max_size=25), positive)
def test_the_unit_of_weights_changes_nothing(rows: list[tuple[int, int]], weights: list[float], unit: float) -> None:
    day, event = np.array(rows).T
    weight = np.array(weights[:len(day)])
    one, other = (estimate_weighted_curve(day, event, w) for w in (weight, unit * weight))
    np.testing.assert_allclose(one.survival, other.survival, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.std_error, other.std_error, rtol=1e-8, atol=1e-10)
    assert 1 - 1e-9 <= effective_size(weight) <= len(weight) + 1e-9


@few
@given(seeds)
def test_overlap_weights_balance_every_covariate_exactly(seed: int) -> None:
    patients = replace(draw(seed), weight=np.ones(240))
    weight = weigh_arms(patients, fit_propensity(patients).probability, "overlap")
    assert max(abs(one.after) for one in compare_means(patients, weight)) < 1e-7


@few
@given(seeds)
def test_stabilised_weights_keep_the_size_of_the_population(seed: int) -> None:
    patients = replace(draw(seed), weight=np.ones(240))
    probability = fit_propensity(patients).probability
    # What the logistic regression solves: as many are expected in the arm as are there.
    assert probability.sum() == pytest.approx(patients.arm.sum(), rel=1e-9)
    support = describe_support(patients, probability, weigh_arms(patients, probability), 10)
    assert support.counts.sum(axis=1).tolist() == [arm.patients for arm in support.arms]
    assert 0 <= support.common_support <= 1
    assert all(1 <= arm.effective_size <= arm.patients for arm in support.arms)


@few
@given(seeds)
def test_standardised_curves_fall_and_their_area_lies_between_zero_and_the_horizon(seed: int) -> None:
    found = standardise_survival(draw(seed), list(range(0, 30, 3)), tau_days=29, rng=np.random.default_rng(seed),
                                 replicates=4)
    assert (np.diff(found.survival.estimate, axis=1) <= 1e-9).all()
    assert ((found.survival.estimate >= 0) & (found.survival.estimate <= 1)).all()
    assert ((found.restricted_mean_days > 0) & (found.restricted_mean_days < 29)).all()
    known = np.isfinite(found.survival.lower)
    assert (found.survival.lower[known] <= found.survival.estimate[known]).all()
    assert (found.survival.estimate[known] <= found.survival.upper[known]).all()


@few
@given(seeds)
def test_incidences_rise_and_leave_room_for_event_free_survival(seed: int) -> None:
    patients = draw(seed)
    found = standardise_incidence(patients, list(range(0, 30, 3)), rng=np.random.default_rng(seed), replicates=3)
    relapse, death = (one.estimate for one in found.incidence)
    for curve in (relapse, death):
        assert (np.diff(curve, axis=1) >= -1e-9).all()
    survival = np.array([np.average(np.exp(-sum(
        model.baseline.at(np.arange(0, 30, 3))[patients.stratum]
        * np.exp(patients.outcome_design(arm) @ model.coefficients)[:, None] for model in found.models)), axis=0,
        weights=patients.weight) for arm in (0, 1)])
    # The exponential form: at least 1, and above it by half the square of each day's hazard.
    total = relapse + death + survival
    assert ((total > 1 - 1e-9) & (total < 1.2)).all()


@few
@given(seeds, st.permutations(range(240)))
def test_the_order_of_patients_changes_nothing(seed: int, order: list[int]) -> None:
    patients = draw(seed)
    mixed = replace(patients, **{name: getattr(patients, name)[order]
                                 for name in ("day", "cause", "arm", "covariates", "stratum", "weight")})
    one, other = (standardise_survival(p, [10, 20], tau_days=20, rng=np.random.default_rng(1), replicates=2)
                  for p in (patients, mixed))
    np.testing.assert_allclose(one.survival.estimate, other.survival.estimate, rtol=0, atol=1e-9)
    np.testing.assert_allclose(one.restricted_mean_days, other.restricted_mean_days, rtol=1e-9)


@few
@given(seeds, st.sampled_from(["efron", "breslow"]))
def test_a_copy_of_every_stratum_leaves_the_cox_model_and_halves_its_variance(seed: int, ties: str) -> None:
    p = draw(seed)
    design, event = p.outcome_design(), (p.cause > 0).astype(int)
    try:
        one = fit_patient_cox(p.day, event, design, p.outcome_names, stratum=p.stratum, ties=ties)
    except StatisticsError:
        assume(False)
    two = fit_patient_cox(np.tile(p.day, 2), np.tile(event, 2), np.tile(design, (2, 1)), p.outcome_names, ties=ties,
                          stratum=np.concatenate([p.stratum, p.stratum + 3]))
    np.testing.assert_allclose(two.coefficients, one.coefficients, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(two.covariance, one.covariance / 2, rtol=1e-7)


@bounded
@given(st.lists(st.floats(-5, 5), min_size=3, max_size=5, unique=True), st.floats(0.1, 10), st.floats(-5, 5))
def test_a_spline_follows_its_variable_when_that_is_shifted_or_scaled(knots: list[float], scale: float,
                                                                      shift: float) -> None:
    ordered = sorted(knots)
    assume(min(np.diff(ordered)) > 0.05)
    x = np.linspace(-6, 6, 25)
    one = RestrictedCubicSpline("x", tuple(ordered)).basis(x)
    other = RestrictedCubicSpline("x", tuple(shift + scale * k for k in ordered)).basis(shift + scale * x)
    # Curved columns have the unit of the variable.
    np.testing.assert_allclose(other[:, 1:], scale * one[:, 1:], rtol=1e-6, atol=1e-6)


@bounded
@given(st.floats(-0.9, 0.9), st.floats(0, 0.09), st.floats(0, 0.09))
def test_a_harm_is_a_benefit_seen_from_the_other_side(difference: float, below: float, above: float) -> None:
    assume(abs(difference) > 1e-6)
    one = number_needed(difference, difference - below, difference + above)
    other = number_needed(-difference, -difference - above, -difference + below, more_is_better=False)
    assert one == other
    assert one.through_infinity == (difference - below < 0 < difference + above)


arms = st.builds(ArmSupport, st.just("arm"), st.integers(0, 60), st.integers(0, 20), st.integers(0, 30),
                 st.floats(1, 100), st.floats(0, 1), st.floats(0, 4000))


@bounded
@given(st.tuples(arms, arms), st.floats(0, 1), st.integers(0, 1),
       st.sampled_from(["patients", "events", "at_risk", "effective_size", "follow_up_days"]), st.integers(1, 50))
def test_more_support_never_makes_a_verdict_worse(two: tuple[ArmSupport, ArmSupport], common: float, which: int,
                                                  name: str, more: int) -> None:
    def verdict(arms_: list[ArmSupport]) -> int:
        support = Support(1826, (arms_[0], arms_[1]), (), np.linspace(0, 1, 3), np.zeros((2, 2), dtype=np.int64),
                          common, ())
        return ["answered", "amber", "refused"].index(judge(Evidence((), None, 2, 2, 1826, (), support)).severity)

    better = list(two)
    better[which] = replace(two[which], **{name: getattr(two[which], name) + more})
    assert verdict(better) <= verdict(list(two))
