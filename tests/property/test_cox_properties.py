"""What holds for every Cox model, whatever the patients."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from scipy.optimize import minimize

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import CoxModel, fit_cox
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios
from harmony_dash.stats.log_rank import compare_survival
from harmony_dash.stats.partial_likelihood import count_pattern_days, evaluate_likelihood
from harmony_dash.stats.proportional_hazards import compare_effects_over_time

PATTERNS, STRATA = ("a", "b", "c", "d"), ("x", "y")
# Two crossed covariates: 0/1 columns of the first and of the second.
DESIGN, NAMES = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), ("first", "second")
bounded = settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# A patient: entry day, days under observation, event, pattern, stratum. Few days make many ties.
patient = st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(0, 1), st.sampled_from(PATTERNS),
                    st.sampled_from(STRATA))
cohorts = st.lists(patient, min_size=4, max_size=50)
larger = st.lists(patient, min_size=40, max_size=80)
Patients = list[tuple[int, int, int, str, str]]
ties = st.sampled_from(["efron", "breslow"])


def make_table(patients: Patients, *, scale: int = 1, patterns: tuple[str, ...] = PATTERNS,
               strata: tuple[str, ...] = STRATA) -> EventTable:
    entry, length, event, pattern, stratum = zip(*patients, strict=True)
    exit_ = [(e + days) * scale for e, days in zip(entry, length, strict=True)]
    return EventTable.from_patients(exit_, event, group=pattern, stratum=stratum, groups=patterns, strata=strata,
                                    entry=[e * scale for e in entry])


def fit(table: EventTable, design: Floats = DESIGN, how: str = "efron") -> CoxModel | str:
    """Return the model, or why it was refused."""
    try:
        return fit_cox(table, design, NAMES[:design.shape[1]], ties=how, events_per_parameter=0)
    except StatisticsError as refusal:
        return refusal.problem


def assert_same_model(one: CoxModel | str, other: CoxModel | str, *, times: float = 1.0) -> None:
    """Compare two answers; the second may stand for `times` as many patients."""
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance * times, rtol=1e-6, atol=1e-9)
    for test in ("likelihood_ratio_test", "wald_test", "score_test"):
        assert getattr(one, test).statistic * times == pytest.approx(getattr(other, test).statistic, rel=1e-6, abs=1e-9)


@bounded
@given(cohorts, st.integers(1, 49), ties)
def test_the_tables_of_two_halves_add_up_to_the_same_model(patients: Patients, cut: int, how: str) -> None:
    assume(cut < len(patients))
    halves = make_table(patients[:cut]) + make_table(patients[cut:])
    assert_same_model(fit(make_table(patients), how=how), fit(halves, how=how))


@bounded
@given(cohorts, st.integers(2, 1000), ties)
def test_the_unit_of_time_changes_nothing(patients: Patients, scale: int, how: str) -> None:
    assert_same_model(fit(make_table(patients), how=how), fit(make_table(patients, scale=scale), how=how))


@bounded
@given(cohorts, ties)
def test_a_second_copy_of_every_stratum_leaves_the_estimate_and_halves_the_variance(patients: Patients,
                                                                                    how: str) -> None:
    copy = [(entry, length, event, pattern, stratum * 2) for entry, length, event, pattern, stratum in patients]
    strata = (*STRATA, "xx", "yy")
    assert_same_model(fit(make_table(patients, strata=strata), how=how),
                      fit(make_table(patients + copy, strata=strata), how=how), times=2)


@bounded
@given(cohorts)
def test_everybody_twice_in_one_stratum_leaves_breslows_estimate(patients: Patients) -> None:
    # Efron's rule is not asked: it sees new ties.
    assert_same_model(fit(make_table(patients), how="breslow"), fit(make_table(patients * 2), how="breslow"), times=2)


@bounded
@given(cohorts)
def test_without_ties_both_rules_agree(patients: Patients) -> None:
    apart = [(0, 2 + k, event, pattern, stratum) for k, (_, _, event, pattern, stratum) in enumerate(patients)]
    assert_same_model(fit(make_table(apart)), fit(make_table(apart), how="breslow"))


@bounded
@given(cohorts, st.permutations(range(4)), ties)
def test_the_order_of_the_patterns_changes_nothing(patients: Patients, order: list[int], how: str) -> None:
    turned = make_table(patients, patterns=tuple(PATTERNS[g] for g in order))
    assert_same_model(fit(make_table(patients), how=how), fit(turned, DESIGN[order], how))


@bounded
@given(cohorts, ties)
def test_two_patterns_with_one_design_row_are_one_pattern(patients: Patients, how: str) -> None:
    merged = [(entry, length, event, {"c": "a", "d": "b"}.get(pattern, pattern), stratum)
              for entry, length, event, pattern, stratum in patients]
    assert_same_model(fit(make_table(merged), DESIGN[:, :1], how), fit(make_table(patients), DESIGN[:, :1], how))


@bounded
@given(cohorts, ties)
def test_a_stratum_without_events_adds_nothing(patients: Patients, how: str) -> None:
    strata = (*STRATA, "z")
    quiet = [(entry, length, 0, pattern, "z") for entry, length, _, pattern, _ in patients]
    assert_same_model(fit(make_table(patients, strata=strata), how=how),
                      fit(make_table(patients + quiet, strata=strata), how=how))


@bounded
@given(cohorts, ties)
def test_an_estimate_is_refused_as_infinite_exactly_when_it_is(patients: Patients, how: str) -> None:
    answer = fit(make_table(patients), how=how)
    assume(not isinstance(answer, str) or "infinite" in answer)
    days = count_pattern_days(make_table(patients))

    def penalised(beta: Floats, penalty: float) -> tuple[float, Floats]:
        terms = evaluate_likelihood(days, (DESIGN @ beta)[None], ties=how)
        return (penalty * float(beta @ beta) - terms.log_likelihood,
                2 * penalty * beta - DESIGN.T @ terms.residual[0])

    # With a penalty that vanishes, a finite maximum stays where it is and an infinite one moves on and on.
    at = [minimize(penalised, np.zeros(2), (penalty,), jac=True, method="BFGS", options={"gtol": 1e-12}).x
          for penalty in (1e-5, 1e-8)]
    assert bool(np.abs(at[1] - at[0]).max() > 1) is isinstance(answer, str)
    if not isinstance(answer, str):
        np.testing.assert_allclose(answer.coefficients, at[1], atol=1e-3)


@bounded
@given(cohorts)
def test_without_ties_the_score_test_of_two_groups_is_the_log_rank_test(patients: Patients) -> None:
    apart = [(0, 2 + k, event, pattern, stratum) for k, (_, _, event, pattern, stratum) in enumerate(patients)]
    model = fit(make_table(apart), DESIGN[:, :1])
    assume(not isinstance(model, str))
    assert isinstance(model, CoxModel)
    table = make_table([(e, n, d, {"c": "a", "d": "b"}.get(p, p), s) for e, n, d, p, s in apart])
    assert model.score_test.statistic == pytest.approx(compare_survival(table).statistic)


@bounded
@given(larger)
def test_the_model_equals_lifelines(patients: Patients) -> None:
    model = fit(make_table(patients))
    assume(not isinstance(model, str))
    assert isinstance(model, CoxModel)
    rows = pd.DataFrame([(entry, entry + length, event, *DESIGN[PATTERNS.index(pattern)], stratum)
                         for entry, length, event, pattern, stratum in patients],
                        columns=["entry", "exit", "event", *NAMES, "stratum"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = CoxPHFitter().fit(rows, "exit", "event", entry_col="entry", strata=["stratum"],
                                   fit_options={"precision": 1e-11})
    np.testing.assert_allclose(model.coefficients, theirs.params_.to_numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.std_error, theirs.standard_errors_.to_numpy(), rtol=1e-5)
    assert model.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-7)


@bounded
@given(cohorts)
def test_every_level_has_a_ratio_or_a_reason(patients: Patients) -> None:
    table = make_table(patients)
    try:
        answer = estimate_hazard_ratios(table, events_per_parameter=0)
    except StatisticsError:
        return
    assert [entry.level for entry in answer.levels] == list(PATTERNS)
    for entry in answer.levels[1:]:
        assert (entry.not_estimable == "") is (entry.lower < entry.ratio < entry.upper)
        assert (entry.level in answer.left_out) is (entry.not_estimable != "")
    # Whatever could be compared still can when what could not is gone.
    kept = [entry.level for entry in answer.levels if not entry.not_estimable]
    again = estimate_hazard_ratios(table.select_groups(kept), events_per_parameter=0)
    np.testing.assert_allclose([entry.log_ratio for entry in again.levels],
                               [entry.log_ratio for entry in answer.levels if not entry.not_estimable], atol=1e-9)


@bounded
@given(larger)
def test_changing_the_reference_changes_no_ratio_between_two_levels(patients: Patients) -> None:
    table = make_table(patients)
    try:
        one, other = (estimate_hazard_ratios(table, reference, events_per_parameter=0) for reference in "ab")
    except StatisticsError:
        assume(False)
    assume(one.left_out == other.left_out)
    np.testing.assert_allclose([entry.log_ratio for entry in one.levels],
                               [entry.log_ratio - other.levels[0].log_ratio for entry in other.levels], atol=1e-8)
    assert one.likelihood_ratio_test.statistic == pytest.approx(other.likelihood_ratio_test.statistic, abs=1e-8)


@bounded
@given(larger, st.sampled_from(["km", "identity"]))
def test_the_overall_test_of_proportional_hazards_does_not_depend_on_the_coding(patients: Patients,
                                                                                transform: str) -> None:
    table = make_table(patients)
    one, other = fit(table), fit(table, DESIGN @ np.array([[2.0, 1], [0, -3]]))
    assume(not isinstance(one, str) and not isinstance(other, str))
    assert isinstance(one, CoxModel) and isinstance(other, CoxModel)
    try:
        tests = [compare_effects_over_time(table, model, transform=transform).overall for model in (one, other)]
    except StatisticsError:
        assume(False)
    assert tests[0].statistic == pytest.approx(tests[1].statistic, rel=1e-6)
    assert 0 <= tests[0].p <= 1
