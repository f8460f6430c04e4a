from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines.statistics import logrank_test
from scipy.stats import chi2

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.log_rank import compare_pairs, compare_survival
from harmony_dash.stats.multiplicity import adjust_for_multiplicity


def test_two_groups_by_hand_with_a_tie() -> None:
    # Day 1: 1 of 2 in a, 0 of 2 in b. Day 3: 1 of 1 in a and 1 of 2 in b.
    table = EventTable.from_patients([1, 3, 3, 4], [1, 1, 1, 0], group=["a", "a", "b", "b"])
    test = compare_survival(table)
    assert test.observed.tolist() == [2, 1]
    expected = 2 / 4 + 2 * 1 / 3
    assert test.expected[0] == pytest.approx(expected)
    variance = 1 / 4 + 2 * (3 - 2) / (3 - 1) * (1 / 3) * (2 / 3)
    assert test.variance[0, 0] == pytest.approx(variance)
    assert test.statistic == pytest.approx((2 - expected) ** 2 / variance)
    assert (test.df, test.p) == (1, pytest.approx(chi2.sf(test.statistic, 1)))


def test_the_weight_uses_survival_just_before_the_day_in_the_pooled_stratum() -> None:
    table = EventTable.from_patients([1, 3, 3, 4], [1, 1, 1, 0], group=["a", "a", "b", "b"])
    test = compare_survival(table, rho=1)
    assert test.observed.tolist() == pytest.approx([1 + 3 / 4, 3 / 4])
    late = compare_survival(table, gamma=1)
    assert late.observed.tolist() == pytest.approx([1 / 4, 1 / 4])


@pytest.mark.parametrize(("rho", "gamma"), [(0, 1), (1, 1), (0.5, 2), (1, 0)])
def test_fleming_harrington_weights_equal_lifelines(rho: float, gamma: float) -> None:
    rng = np.random.default_rng(5)
    day, event, group = rng.integers(1, 60, 200), rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    test = compare_survival(EventTable.from_patients(day, event, group=group), rho=rho, gamma=gamma)
    theirs = logrank_test(day[group == 0], day[group == 1], event[group == 0], event[group == 1],
                          weightings="fleming-harrington", p=rho, q=gamma)
    assert test.statistic == pytest.approx(theirs.test_statistic, rel=1e-9)


def test_strata_add_up() -> None:
    x = EventTable.from_patients([1, 2, 3, 4], [1, 1, 0, 1], group=["a", "b", "a", "b"], stratum=["x"] * 4,
                                 strata=["x", "y"])
    y = EventTable.from_patients([2, 2, 5, 6], [1, 0, 1, 0], group=["a", "b", "b", "a"], stratum=["y"] * 4,
                                 strata=["x", "y"])
    alone, both = [compare_survival(table) for table in (x, y)], compare_survival(x + y)
    np.testing.assert_allclose(both.expected, alone[0].expected + alone[1].expected)
    np.testing.assert_allclose(both.variance, alone[0].variance + alone[1].variance)
    assert (both.strata, alone[0].strata) == (2, 1)


def test_one_cause_counts_and_the_others_are_censored() -> None:
    day, cause, group = [1, 2, 3, 4, 5], [1, 2, 1, 2, 0], ["a", "b", "a", "b", "a"]
    one = compare_survival(EventTable.from_patients(day, cause, group=group, causes=("x", "y")), cause="y")
    other = compare_survival(EventTable.from_patients(day, [0, 1, 0, 1, 0], group=group))
    assert (one.statistic, one.cause) == (pytest.approx(other.statistic), "y")


def test_an_empty_group_is_left_out_and_named_and_costs_no_degree_of_freedom() -> None:
    table = EventTable.from_patients([1, 2, 3], [1, 1, 0], group=["a", "c", "c"], groups=["a", "b", "c"])
    test = compare_survival(table)
    assert (test.groups, test.left_out, test.df) == (("a", "c"), ("b",), 1)


def test_a_group_gone_before_the_first_event_costs_no_degree_of_freedom() -> None:
    day, event, group = [1, 1, 2, 3, 4], [0, 0, 1, 1, 0], ["gone", "gone", "a", "b", "a"]
    test = compare_survival(EventTable.from_patients(day, event, group=group))
    without = compare_survival(EventTable.from_patients(day[2:], event[2:], group=group[2:]))
    assert (test.df, test.statistic) == (1, pytest.approx(without.statistic))


def test_groups_that_meet_in_separate_strata_only_are_compared_within_them() -> None:
    # Stratum x holds a and b, stratum y holds c and d: two comparisons, not three.
    day, event = [1, 2, 3, 4, 1, 3, 4, 6], [1, 1, 1, 0, 1, 0, 1, 1]
    group, stratum = list("ababcdcd"), ["x"] * 4 + ["y"] * 4
    test = compare_survival(EventTable.from_patients(day, event, group=group, stratum=stratum))
    parts = [compare_survival(EventTable.from_patients(day[i:i + 4], event[i:i + 4], group=group[i:i + 4]))
             for i in (0, 4)]
    assert test.df == 2
    assert test.statistic == pytest.approx(sum(part.statistic for part in parts))


def test_pairs_equal_the_test_of_the_two_groups_alone() -> None:
    table = EventTable.from_patients([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 1, 0, 1, 1, 1, 1, 0], group=list("abcabcabc"))
    pairs = compare_pairs(table, rho=1)
    assert pairs.pairs == (("a", "b"), ("a", "c"), ("b", "c"))
    for pair, p in zip(pairs.pairs, pairs.p, strict=True):
        assert p == pytest.approx(compare_survival(table.select_groups(pair), rho=1).p)


def test_a_pair_that_never_meets_is_nan_and_not_counted_in_the_adjustment() -> None:
    day, event = [1, 2, 3, 4, 1, 3, 4, 6], [1, 1, 1, 0, 1, 0, 1, 1]
    pairs = compare_pairs(EventTable.from_patients(day, event, group=list("ababcbcb"), stratum=["x"] * 4 + ["y"] * 4))
    by_pair = dict(zip(pairs.pairs, pairs.p, strict=True))
    assert math.isnan(by_pair["a", "c"])
    known = pairs.p[np.isfinite(pairs.p)]
    assert np.nanmin(pairs.adjusted) == pytest.approx(min(1, 2 * known.min()))


@pytest.mark.parametrize(("table", "reason"), [
    (EventTable.from_patients([1, 2], [1, 1]), "two groups"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "a"], groups=["a", "b"]), "two groups"),
    (EventTable.from_patients([1, 2], [0, 0], group=["a", "b"]), "at least one event"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "b"], stratum=["x", "y"]), "at risk together"),
    (EventTable.from_patients([1, 2], [0, 1], group=["a", "b"]), "at risk together"),
    (EventTable.from_patients([2, 2], [1, 1], group=["a", "b"]), "at risk together"),
    (EventTable.from_patients([], [], groups=["a", "b"]), "two groups")])
def test_comparisons_without_information_are_refused(table: EventTable, reason: str) -> None:
    with pytest.raises(StatisticsError, match=reason):
        compare_survival(table)


def test_negative_exponents_and_unknown_causes_are_refused() -> None:
    table = EventTable.from_patients([1, 2, 3], [1, 1, 0], group=["a", "b", "a"])
    with pytest.raises(StatisticsError, match="exponents"):
        compare_survival(table, rho=-1)
    with pytest.raises(StatisticsError, match="no event cause"):
        compare_survival(table, cause="relapse")
    with pytest.raises(StatisticsError, match="two groups"):
        compare_pairs(table.select_groups(["a"]))


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    p = [0.04, 0.01, math.nan, 0.03]
    np.testing.assert_allclose(adjust_for_multiplicity(p, "holm"), [0.06, 0.03, math.nan, 0.06])
    np.testing.assert_allclose(adjust_for_multiplicity(p, "bh"), [0.04, 0.03, math.nan, 0.04])
    assert adjust_for_multiplicity([0.9, 0.8]).tolist() == [1, 1]


@pytest.mark.parametrize(("p", "method"), [([0.5], "bonferroni"), ([1.5], "holm"), ([-0.1], "bh")])
def test_unknown_adjustments_and_impossible_p_values_are_refused(p: list[float], method: str) -> None:
    with pytest.raises(StatisticsError):
        adjust_for_multiplicity(p, method)


def test_the_methods_line_names_weights_and_strata() -> None:
    table = EventTable.from_patients([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0], group=list("ababab"),
                                     stratum=list("xxxyyy"))
    assert compare_survival(table).methods == "log-rank test, 2 strata"
    assert "rho 1" in compare_survival(table, rho=1).methods
