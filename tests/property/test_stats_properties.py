"""What holds for every event table, whatever is in it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.gray import compare_incidence
from harmony_dash.stats.intervals import INTERVALS
from harmony_dash.stats.kaplan_meier import estimate_survival, find_quantile, read_survival
from harmony_dash.stats.landmark import from_landmark
from harmony_dash.stats.log_rank import compare_pairs, compare_survival
from harmony_dash.stats.multiplicity import adjust_for_multiplicity
from harmony_dash.stats.restricted_mean import estimate_restricted_means
from harmony_dash.stats.risk_sets import count_risk_grid, count_risk_sets

GROUPS, STRATA, CAUSES = ("a", "b", "c"), ("x", "y"), ("relapse", "death")
bounded = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# A patient: last day, cause, group, stratum. Few days make many ties.
patient = st.tuples(st.integers(0, 12), st.integers(0, 2), st.sampled_from(GROUPS), st.sampled_from(STRATA))
cohorts = st.lists(patient, min_size=1, max_size=40)
Patients = list[tuple[int, int, str, str]]


def make_table(patients: Patients, *, entry: list[int] | None = None) -> EventTable:
    day, cause, group, stratum = zip(*patients, strict=True) if patients else ((), (), (), ())
    return EventTable.from_patients(day, cause, group=group, stratum=stratum, entry=entry, groups=GROUPS,
                                    strata=STRATA, causes=CAUSES)


def outcome(table: EventTable, compare: object, **options: object) -> tuple[float, int] | str:
    """Return the statistic and its degrees of freedom, or why it was refused."""
    try:
        test = compare(table, **options)  # type: ignore[operator]
    except StatisticsError as refusal:
        return refusal.problem
    return test.statistic, test.df


def assert_same_outcome(one: tuple[float, int] | str, other: tuple[float, int] | str) -> None:
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
    else:
        assert one[1] == other[1]
        assert one[0] == pytest.approx(other[0], rel=1e-6, abs=1e-9)


def assert_equal_tables(one: EventTable, other: EventTable) -> None:
    for name in ("group", "stratum", "day", "censored", "events", "entries"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@bounded
@given(cohorts, st.sampled_from(INTERVALS))
def test_survival_falls_from_1_towards_0_inside_its_interval(patients: Patients, interval: str) -> None:
    curve = estimate_survival(make_table(patients), interval=interval)
    assert (np.diff(np.concatenate([[1], curve.survival])) <= 0).all()
    assert (curve.survival >= 0).all()
    known = np.isfinite(curve.lower)
    assert (known == ((curve.survival > 0) & (curve.survival < 1))).all()
    assert (curve.lower[known] >= 0).all()
    assert (curve.lower[known] <= curve.survival[known]).all()
    assert (curve.survival[known] <= curve.upper[known]).all()
    assert (curve.upper[known] <= 1).all()


@bounded
@given(cohorts)
def test_without_late_entry_the_number_at_risk_never_rises_and_counts_everybody(patients: Patients) -> None:
    sets = count_risk_sets(make_table(patients))
    assert sets.at_risk[0] == len(patients)
    assert (np.diff(sets.at_risk) < 0).all()
    assert [sum(p[0] >= day for p in patients) for day in sets.days] == sets.at_risk.tolist()


@bounded
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6), patient), min_size=1, max_size=30))
def test_with_late_entry_the_number_at_risk_counts_who_has_entered_and_not_left(
        drawn: list[tuple[int, int, tuple[int, int, str, str]]]) -> None:
    entry = [e for e, _, _ in drawn]
    exit_ = [e + length for e, length, _ in drawn]
    table = make_table([(day, *rest[1:]) for day, (_, _, rest) in zip(exit_, drawn, strict=True)], entry=entry)
    sets = count_risk_sets(table)
    expected = [sum(e < day <= x for e, x in zip(entry, exit_, strict=True)) for day in sets.days]
    assert sets.at_risk.tolist() == expected


@bounded
@given(cohorts)
def test_cumulative_incidences_rise_and_sum_to_1_with_survival(patients: Patients) -> None:
    curves = estimate_cumulative_incidence(make_table(patients))
    np.testing.assert_allclose(curves.incidence.sum(axis=1) + curves.survival, 1, atol=1e-12)
    assert (np.diff(np.vstack([np.zeros(2), curves.incidence]), axis=0) >= 0).all()
    known = np.isfinite(curves.lower)
    assert (curves.lower[known] <= curves.incidence[known]).all()
    assert (curves.incidence[known] <= curves.upper[known]).all()
    np.testing.assert_allclose(curves.survival, estimate_survival(make_table(patients)).survival, atol=1e-12)


@bounded
@given(cohorts)
def test_the_jackknife_variance_is_the_sum_of_squared_influences_of_the_patients(patients: Patients) -> None:
    curves = estimate_cumulative_incidence(make_table(patients))
    day, cause = np.array([p[0] for p in patients]), np.array([p[1] for p in patients])
    before = np.concatenate([[1.0], curves.survival[:-1]])
    total = np.zeros_like(curves.incidence)
    for i in range(len(patients)):
        watched = curves.days <= day[i]
        hazard = curves.events / curves.at_risk[:, None]
        moved = (((curves.days == day[i])[:, None] & (cause[i] == np.array([1, 2]))) - hazard) / curves.at_risk[:, None]
        moved[~watched] = 0
        stay = 1 - hazard.sum(axis=1)
        ratio = np.divide(moved.sum(axis=1), stay, out=np.zeros(len(stay)), where=stay > 1e-12)
        log_survival = np.concatenate([[0], -np.cumsum(ratio)[:-1]])
        total += np.cumsum(before[:, None] * (moved + hazard * log_survival[:, None]), axis=0) ** 2
    np.testing.assert_allclose(curves.std_error, np.sqrt(total), atol=1e-7)


@bounded
@given(cohorts, cohorts)
def test_tables_of_disjoint_patients_add_up_to_the_table_of_all(one: Patients, other: Patients) -> None:
    assert_equal_tables(make_table(one) + make_table(other), make_table(one + other))


@bounded
@given(cohorts)
def test_groups_and_strata_add_up_to_the_total(patients: Patients) -> None:
    table = make_table(patients)
    everybody = count_risk_sets(table)
    assert table.patients.sum() == everybody.patients == len(patients)
    parts = [count_risk_sets(table, group) for group in GROUPS]
    added = np.zeros((13, 3), dtype=int)
    for part in parts:
        np.add.at(added, part.days, np.column_stack([part.censored, part.events]))
    np.testing.assert_array_equal(added[everybody.days], np.column_stack([everybody.censored, everybody.events]))
    grid = count_risk_grid(table)
    assert grid.events.sum() == everybody.events.sum()
    np.testing.assert_array_equal(count_risk_grid(table.pool_strata()).at_risk.sum(axis=1), everybody.at_risk)


@bounded
@given(cohorts, st.randoms(use_true_random=False))
def test_the_order_of_the_patients_changes_nothing(patients: Patients, random: object) -> None:
    shuffled = list(patients)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_equal_tables(make_table(patients), make_table(shuffled))


@bounded
@given(cohorts, st.sampled_from([(0, 0), (1, 0), (0, 1), (0.5, 0.5)]))
def test_naming_the_groups_otherwise_does_not_change_the_log_rank_test(
        patients: Patients, weight: tuple[float, float]) -> None:
    table, options = make_table(patients), {"rho": weight[0], "gamma": weight[1]}
    assert_same_outcome(outcome(table, compare_survival, **options),
                        outcome(table.select_groups(["c", "a", "b"]), compare_survival, **options))


@bounded
@given(cohorts)
def test_naming_the_groups_otherwise_does_not_change_grays_test(patients: Patients) -> None:
    table = make_table(patients)
    assert_same_outcome(outcome(table, compare_incidence), outcome(table.select_groups(["b", "c", "a"]),
                                                                   compare_incidence))


@bounded
@given(cohorts)
def test_one_stratum_gives_the_unstratified_test(patients: Patients) -> None:
    one = [(day, cause, group, "y") for day, cause, group, _ in patients]
    for compare in (compare_survival, compare_incidence):
        assert_same_outcome(outcome(make_table(one), compare), outcome(make_table(one).pool_strata(), compare))


@bounded
@given(cohorts)
def test_observed_and_expected_events_have_the_same_sum(patients: Patients) -> None:
    table = make_table(patients)
    assume(not isinstance(outcome(table, compare_survival), str))
    test = compare_survival(table)
    assert test.observed.sum() == pytest.approx(test.expected.sum())
    np.testing.assert_allclose(test.variance.sum(axis=0), 0, atol=1e-10)
    assert 0 <= test.p <= 1
    assert 1 <= test.df <= 2


@bounded
@given(cohorts)
def test_the_log_rank_test_is_the_test_by_generalised_inverse(patients: Patients) -> None:
    table = make_table(patients)
    assume(not isinstance(outcome(table, compare_survival), str))
    test = compare_survival(table)
    score = test.observed - test.expected
    assert test.statistic == pytest.approx(score @ np.linalg.pinv(test.variance, rcond=1e-10) @ score, abs=1e-8)
    assert test.df == np.linalg.matrix_rank(test.variance, tol=1e-10)


@bounded
@given(cohorts)
def test_an_adjusted_p_value_is_never_below_the_raw_one(patients: Patients) -> None:
    table = make_table(patients)
    assume(int((table.patients > 0).sum()) > 1)
    pairs = compare_pairs(table) if not isinstance(outcome(table, compare_survival), str) else None
    assume(pairs is not None)
    assert pairs is not None
    known = np.isfinite(pairs.p)
    holm, hochberg = pairs.adjusted[known], adjust_for_multiplicity(pairs.p, "bh")[known]
    assert (pairs.p[known] <= hochberg + 1e-15).all()
    assert (hochberg <= holm + 1e-15).all()


@bounded
@given(cohorts)
def test_the_curve_equals_lifelines(patients: Patients) -> None:
    curve = estimate_survival(make_table(patients))
    day, event = [p[0] for p in patients], [p[1] > 0 for p in patients]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = KaplanMeierFitter().fit(day, event)
    np.testing.assert_allclose(curve.survival, theirs.survival_function_at_times(curve.days), atol=1e-12)


@bounded
@given(cohorts, st.integers(0, 11))
def test_a_landmark_multiplies_the_curve_back_together(patients: Patients, day: int) -> None:
    table = make_table(patients)
    assume(any(p[0] > day for p in patients))
    landmark = from_landmark(table, day)
    assert landmark.dropped.sum() + landmark.table.patients.sum() == len(patients)
    whole, later = estimate_survival(table), estimate_survival(landmark.table)
    at = day + later.days
    np.testing.assert_allclose(read_survival(whole, at).survival, read_survival(whole, [day]).survival * later.survival,
                               atol=1e-12)


@bounded
@given(cohorts, st.integers(1, 12))
def test_the_restricted_mean_is_the_sum_of_survival_day_by_day(patients: Patients, tau: int) -> None:
    table = make_table(patients).pool_groups()
    assume(max(p[0] for p in patients) >= tau)
    means = estimate_restricted_means(table, tau_days=tau, least_at_risk=1)
    daily = read_survival(estimate_survival(table), np.arange(tau)).survival
    assert means.days[0] == pytest.approx(daily.sum())
    assert 0 <= means.days[0] <= tau


@bounded
@given(cohorts)
def test_follow_up_of_the_swapped_cohort_is_its_survival(patients: Patients) -> None:
    # With nobody leaving by both ways on one day, swapping events and censorings swaps the two curves.
    apart = [(2 * day + (cause > 0), min(cause, 1), group, stratum) for day, cause, group, stratum in patients]
    swapped = [(day, 1 - cause, group, stratum) for day, cause, group, stratum in apart]
    follow_up = estimate_follow_up(make_table(apart))
    np.testing.assert_allclose(follow_up.curve.survival, estimate_survival(make_table(swapped)).survival)
    np.testing.assert_equal(follow_up.median.days, find_quantile(estimate_survival(make_table(swapped))).days)
