from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2, norm

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import compare_nested, fit_cox
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.partial_likelihood import count_pattern_days, evaluate_likelihood


def two_groups() -> EventTable:
    """Day 1: an event in b among 3 of a and 2 of b; day 2: an event in a among 3 of a and 1 of b."""
    return EventTable.from_patients([2, 9, 9, 1, 9], [1, 0, 0, 1, 0], group=["a", "a", "a", "b", "b"])


def random_patients(seed: int, patients: int = 300, patterns: int = 4) -> EventTable:
    rng = np.random.default_rng(seed)
    day, cause = rng.integers(0, 30, patients), rng.integers(0, 3, patients)
    return EventTable.from_patients(day, cause, group=rng.integers(0, patterns, patients),
                                    stratum=rng.integers(0, 3, patients), causes=("relapse", "death"))


def test_two_groups_by_hand() -> None:
    model = fit_cox(two_groups(), [[0], [1]], ["b"], events_per_parameter=0)
    # log L = x - log(3 + 2r) - log(3 + r) with r = e^x is highest at r^2 = 9/2.
    r = math.sqrt(4.5)
    assert model.ratio[0] == pytest.approx(r)
    assert model.log_likelihood == pytest.approx(math.log(r / ((3 + 2 * r) * (3 + r))))
    assert model.log_likelihood_null == pytest.approx(-math.log(20))
    information = sum(p * (1 - p) for p in (2 * r / (3 + 2 * r), r / (3 + r)))
    assert model.std_error[0] == pytest.approx(information**-0.5)
    assert model.p[0] == pytest.approx(2 * norm.sf(math.log(r) * information**0.5))
    assert model.upper[0] == pytest.approx(r * math.exp(norm.ppf(0.975) * information**-0.5))
    score, null = 1 - 2 / 5 - 1 / 4, 2 / 5 * 3 / 5 + 1 / 4 * 3 / 4
    assert model.score_test.statistic == pytest.approx(score**2 / null)
    assert model.wald_test.statistic == pytest.approx(math.log(r) ** 2 * information)
    assert model.likelihood_ratio_test.p == pytest.approx(chi2.sf(model.likelihood_ratio_test.statistic, 1))
    assert (model.patients, model.events, model.informative_events, model.strata) == (5, 2, 2, 1)


def test_tied_events_by_hand() -> None:
    # One event in each of two groups of 2 on one day: Efron takes the second out of the group less half an event.
    table = EventTable.from_patients([1, 1, 5, 5], [1, 1, 0, 0], group=["a", "b", "a", "b"])
    days = count_pattern_days(table)
    linear = np.array([[0.0, math.log(3)]])
    efron = math.log(3) - math.log(2 + 2 * 3) - math.log(1.5 + 1.5 * 3)
    assert evaluate_likelihood(days, linear).log_likelihood == pytest.approx(efron)
    breslow = math.log(3) - 2 * math.log(2 + 2 * 3)
    assert evaluate_likelihood(days, linear, ties="breslow").log_likelihood == pytest.approx(breslow)


@pytest.mark.parametrize(("days", "patients"), [(150, 2000), (150, 200), (5, 500)])
def test_the_likelihood_is_the_one_written_down_event_by_event(days: int, patients: int) -> None:
    # Many days with few ties, few ties at all, and few days with many ties are summed in different ways.
    rng = np.random.default_rng(days + patients)
    day, event, group = rng.integers(0, days, patients), rng.integers(0, 2, patients), rng.integers(0, 3, patients)
    day[:40], event[:40] = 3, 1
    linear = np.array([0.0, 0.7, -1.2])
    risk, log_likelihood, residual, information = np.exp(linear), 0.0, np.zeros(3), np.zeros((3, 3))
    for t in np.unique(day[event == 1]):
        at_risk = np.bincount(group[day >= t], minlength=3)
        died = np.bincount(group[(day == t) & (event == 1)], minlength=3)
        for nth in range(died.sum()):
            left = (at_risk - nth / died.sum() * died) * risk
            share = left / left.sum()
            log_likelihood -= math.log(left.sum())
            residual -= share
            information += np.diag(share) - np.outer(share, share)
        log_likelihood += float(died @ linear)
        residual += died
    terms = evaluate_likelihood(count_pattern_days(EventTable.from_patients(day, event, group=group)), linear[None])
    assert terms.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)
    np.testing.assert_allclose(terms.residual[0], residual, atol=1e-9)
    np.testing.assert_allclose(terms.information[0], information, rtol=1e-10)


def test_gradient_and_information_are_the_derivatives_of_the_likelihood() -> None:
    days, step = count_pattern_days(random_patients(1)), 1e-5
    linear = np.random.default_rng(2).normal(0, 1, (3, 4))
    for ties in ("efron", "breslow"):
        terms = evaluate_likelihood(days, linear, ties=ties)
        for stratum in range(3):
            for g in range(4):
                shift = np.zeros((3, 4))
                shift[stratum, g] = step
                up, down = (evaluate_likelihood(days, linear + sign * shift, ties=ties) for sign in (1, -1))
                assert terms.residual[stratum, g] == pytest.approx(
                    (up.log_likelihood - down.log_likelihood) / (2 * step), abs=1e-5)
                np.testing.assert_allclose(terms.information[stratum, g],
                                           -(up.residual - down.residual)[stratum] / (2 * step), atol=1e-6)


def test_large_linear_predictors_do_not_overflow() -> None:
    days = count_pattern_days(random_patients(3))
    linear = np.zeros((1, 4))
    shifted = evaluate_likelihood(days, linear + 5000.0)
    assert shifted.log_likelihood == pytest.approx(evaluate_likelihood(days, linear).log_likelihood)


def test_the_unit_of_a_column_scales_its_coefficient_alone() -> None:
    table, design = random_patients(4), np.array([[0.0], [1], [2], [5]])
    one, tiny = fit_cox(table, design, ["x"]), fit_cox(table, design * 1e-9, ["x"])
    assert tiny.coefficients[0] == pytest.approx(one.coefficients[0] * 1e9)
    assert tiny.likelihood_ratio_test.statistic == pytest.approx(one.likelihood_ratio_test.statistic)
    assert tiny.p[0] == pytest.approx(one.p[0])


def test_one_cause_counts_and_the_others_are_censored() -> None:
    table, design = random_patients(5), np.eye(4)[:, 1:]
    names = ["b", "c", "d"]
    one = fit_cox(table, design, names, cause="death")
    censored = EventTable.from_counts(table.groups, table.strata, ("death",), table.group, table.stratum, table.day,
                                      table.censored + table.events[:, 0], table.events[:, 1], table.entries)
    np.testing.assert_allclose(one.coefficients, fit_cox(censored, design, names).coefficients)
    assert (one.cause, one.events) == ("death", censored.events.sum())


def test_events_on_day_0_count() -> None:
    table = EventTable.from_patients([0, 3, 2, 9, 9], [1, 1, 1, 0, 0], group=["a", "a", "b", "b", "a"])
    assert fit_cox(table, [[0], [1]], ["b"], events_per_parameter=0).events == 3


def test_a_design_by_stratum_of_equal_rows_is_the_common_design() -> None:
    table, design = random_patients(6), np.eye(4)[:, 1:]
    one = fit_cox(table, design, "bcd")
    each = fit_cox(table, np.stack([design] * 3), "bcd")
    np.testing.assert_allclose(each.coefficients, one.coefficients, rtol=1e-9)
    np.testing.assert_allclose(each.covariance, one.covariance, rtol=1e-9)
    assert each.log_likelihood == pytest.approx(one.log_likelihood)


def test_nested_models_are_compared_by_their_likelihoods() -> None:
    table, design = random_patients(7), np.eye(4)[:, 1:]
    larger, smaller = fit_cox(table, design, "bcd"), fit_cox(table, design[:, :1], "b")
    test = compare_nested(larger, smaller)
    assert (test.statistic, test.df) == (pytest.approx(2 * (larger.log_likelihood - smaller.log_likelihood)), 2)
    with pytest.raises(StatisticsError, match="does not hold"):
        compare_nested(smaller, larger)
    with pytest.raises(StatisticsError, match="same patients"):
        compare_nested(larger, fit_cox(random_patients(8), design[:, :1], "b"))


def test_the_methods_line_says_how() -> None:
    model = fit_cox(random_patients(9), np.eye(4)[:, 1:], "bcd", level=0.9)
    assert model.methods == "Cox proportional hazards model, 3 strata, Efron ties, 90 % Wald confidence interval"


GROUPS = ("a", "b", "c")


def table_of(day: list[int], event: list[int], group: str, stratum: str | None = None) -> EventTable:
    return EventTable.from_patients(day, event, group=list(group), groups=GROUPS,
                                    stratum=None if stratum is None else list(stratum))


@pytest.mark.parametrize(("table", "design", "message"), [
    # c has patients and no event.
    (table_of([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], "abaabc"), np.eye(3)[:, 1:], "'c' is infinite"),
    # Every event is in a while b and c are watched.
    (table_of([1, 2, 5, 6], [1, 1, 0, 0], "aabc"), np.array([[0.0], [1], [1]]), "'x' is infinite"),
    # b has events, always alone with its own or with a, which outlives it.
    (table_of([1, 2, 5, 6], [1, 1, 1, 1], "bbaa"), np.array([[0.0], [1], [0]]), "'x' is infinite"),
    # No level alone is without events, but the sum of the two columns orders every event.
    (table_of([1, 2, 3, 4, 5, 9], [1, 1, 1, 1, 0, 0], "ccbbaa"), np.array([[0.0, 0], [1, 0], [1, 1]]),
     "'x' and 'y' is infinite"),
    # Inside each stratum the events fall on the same side, though not over both.
    (table_of([1, 9, 9, 3, 2], [1, 0, 0, 1, 1], "bbaab", "xxxyy"), np.array([[0.0], [1], [0]]), "'x' is infinite"),
])
def test_an_infinite_estimate_is_refused_and_named(table: EventTable, design: Floats, message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        fit_cox(table, design, ["b", "c"] if "'c'" in message else ["x", "y"][:design.shape[1]],
                events_per_parameter=0)


def test_a_level_without_events_is_refused_even_with_thousands_of_patients() -> None:
    rng = np.random.default_rng(10)
    day, group = rng.integers(1, 2000, 5000), rng.integers(0, 3, 5000)
    event = np.where(group == 2, 0, rng.integers(0, 2, 5000))
    with pytest.raises(StatisticsError, match="'c' is infinite"):
        fit_cox(EventTable.from_patients(day, event, group=group), np.eye(3)[:, 1:], "bc")


def test_one_event_on_the_other_side_is_enough_for_an_estimate() -> None:
    rng = np.random.default_rng(11)
    day, group = rng.integers(1, 2000, 5000), rng.integers(0, 2, 5000)
    event = np.where(group == 1, 0, rng.integers(0, 2, 5000))
    event[np.flatnonzero((group == 1) & (day > 100))[0]] = 1
    model = fit_cox(EventTable.from_patients(day, event, group=group), [[0], [1]], ["x"])
    assert 0 < model.lower[0] < model.ratio[0] < 0.01


@pytest.mark.parametrize(("design", "names", "message"), [
    ([[1, 0], [1, 1], [1, 2]], "xy", "'x' has the same value for everybody"),
    ([[0, 0, 0], [1, 0, 1], [0, 1, 1]], "xyz", "'x', 'y' and 'z' say the same"),
    ([[0, 0], [1, 2], [2, 4]], "xy", "'x' and 'y' say the same"),
    ([[0, 3], [1, 3.0000000001], [0, 3]], "xy", "say the same"),
    ([[0], [1]], "x", "one row for each group"),
    ([[0], [1], [2]], "xy", "one column for each name"),
    ([[0, 1], [1, 1], [2, 0]], "xx", "one column for each name"),
    ([[0], [1], [float("nan")]], "x", "missing or infinite"),
])
def test_a_design_that_cannot_be_estimated_is_refused(design: list[list[float]], names: str, message: str) -> None:
    rng = np.random.default_rng(12)
    table = EventTable.from_patients(rng.integers(1, 50, 200), rng.integers(0, 2, 200), group=rng.integers(0, 3, 200))
    with pytest.raises(StatisticsError, match=message):
        fit_cox(table, design, names)


def test_columns_that_are_collinear_inside_strata_alone_are_refused_and_named() -> None:
    rng = np.random.default_rng(13)
    stratum = rng.integers(0, 2, 400)
    # In stratum 0 patterns a and b, in stratum 1 patterns c and d: x and y differ in the same way inside each.
    group = 2 * stratum + rng.integers(0, 2, 400)
    table = EventTable.from_patients(rng.integers(1, 50, 400), rng.integers(0, 2, 400), group=group, stratum=stratum)
    design = np.array([[0.0, 0], [1, 1], [0, 5], [1, 6]])
    with pytest.raises(StatisticsError, match="'x' and 'y' say the same"):
        fit_cox(table, design, "xy")
    assert fit_cox(table.pool_strata(), design, "xy").strata == 1


def test_nothing_to_compare_inside_strata_is_refused() -> None:
    table = table_of([1, 2, 3, 4], [1, 1, 1, 1], "aabb", "xxyy")
    with pytest.raises(StatisticsError, match="'x' never differs between patients of one stratum"):
        fit_cox(table, [[0], [1], [0]], ["x"])


def test_patients_never_at_risk_together_are_refused() -> None:
    table = EventTable.from_patients([1, 2, 8, 9], [1, 1, 1, 1], group=list("aabb"), entry=[0, 0, 5, 5])
    with pytest.raises(StatisticsError, match="'x' never differs"):
        fit_cox(table, [[0], [1]], ["x"])


def test_too_few_events_are_refused_by_the_threshold_given() -> None:
    table = random_patients(14, patients=20, patterns=2)
    design = [[0], [1]]
    informative = fit_cox(table, design, ["x"], events_per_parameter=1).informative_events
    fit_cox(table, design, ["x"], events_per_parameter=informative)
    with pytest.raises(StatisticsError, match=f"{informative} events are too few for 1 parameter:"):
        fit_cox(table, design, ["x"], events_per_parameter=informative + 1)


def test_no_events_an_unknown_cause_ties_or_level_are_refused() -> None:
    table = random_patients(15)
    with pytest.raises(StatisticsError, match="at least one event"):
        fit_cox(table_of([1, 2, 3], [0, 0, 0], "abc"), [[0], [1], [2]], ["x"])
    with pytest.raises(StatisticsError, match="needs patients"):
        fit_cox(table_of([], [], ""), [[0], [1], [2]], ["x"])
    with pytest.raises(StatisticsError, match="no event cause"):
        fit_cox(table, np.eye(4)[:, 1:], "bcd", cause="second malignancy")
    with pytest.raises(StatisticsError, match="ties are treated"):
        fit_cox(table, np.eye(4)[:, 1:], "bcd", ties="exact")
    with pytest.raises(StatisticsError, match="confidence level"):
        fit_cox(table, np.eye(4)[:, 1:], "bcd", level=95)


def test_empty_strata_and_patterns_change_nothing() -> None:
    table = random_patients(16)
    wider = EventTable.from_counts((*table.groups, "empty"), ("empty", *table.strata), table.causes, table.group,
                                   table.stratum + 1, table.day, table.censored, table.events)
    one, other = fit_cox(table, np.eye(4)[:, 1:], "bcd"), fit_cox(wider, np.eye(5)[:, 1:4], "bcd")
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-12)
    assert (one.strata, one.log_likelihood) == (other.strata, pytest.approx(other.log_likelihood))
