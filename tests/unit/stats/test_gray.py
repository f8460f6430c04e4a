from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.gray import compare_incidence
from harmony_dash.stats.log_rank import compare_survival

CAUSES = ("relapse", "death")


def random_table(**labels: object) -> EventTable:
    rng = np.random.default_rng(11)
    return EventTable.from_patients(rng.integers(0, 40, 120), rng.integers(0, 3, 120), causes=CAUSES,
                                    group=rng.choice(["a", "b", "c"], 120), stratum=rng.choice(["x", "y"], 120),
                                    **labels)  # type: ignore[arg-type]


def test_the_score_by_hand_before_anything_competes() -> None:
    # Until the first competing event R_g is Y_g: the score is that of the log-rank test.
    table = EventTable.from_patients([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], group=list("abaabb"), causes=CAUSES)
    log_rank = compare_survival(table)
    np.testing.assert_allclose(compare_incidence(table, "relapse").score, log_rank.observed - log_rank.expected)


def test_patients_lost_to_the_competing_cause_stay_in_the_weights() -> None:
    # Day 1: one of a's two dies. Day 2: b relapses; R_a = 1 / (1/2) = 2 although one is left, R_b = 2.
    table = EventTable.from_patients([1, 3, 2, 3], [2, 0, 1, 0], group=["a", "a", "b", "b"], causes=CAUSES)
    np.testing.assert_allclose(compare_incidence(table, "relapse").score, [-1 / 2, 1 / 2])


def test_scores_sum_to_zero_and_strata_add_up() -> None:
    test = compare_incidence(random_table(), "death")
    assert test.score.sum() == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(test.variance.sum(axis=1), 0, atol=1e-10)
    assert (test.df, test.strata, test.methods) == (2, 2, "Gray's test, 2 strata")


def test_an_empty_group_is_left_out_and_named() -> None:
    test = compare_incidence(random_table(groups=["a", "b", "c", "d"]), 0)
    assert (test.groups, test.left_out, test.cause) == (("a", "b", "c"), ("d",), "relapse")


def test_a_group_lost_before_the_first_event_costs_no_degree_of_freedom() -> None:
    # R's cuminc answers -1 here: its variance is singular.
    day, cause, group = [0, 0, 1, 2, 3, 4, 5, 6], [2, 2, 1, 1, 2, 1, 0, 1], list("zzabababab"[:8])
    table = EventTable.from_patients(day, cause, group=group, causes=CAUSES)
    without = EventTable.from_patients(day[2:], cause[2:], group=group[2:], causes=CAUSES)
    assert compare_incidence(table).df == 1
    assert compare_incidence(table).statistic == pytest.approx(compare_incidence(without).statistic)


def test_two_empty_strata_change_nothing() -> None:
    plain, wide = (compare_incidence(random_table(**labels)) for labels in ({}, {"strata": ["w", "x", "y", "z"]}))
    assert wide.statistic == pytest.approx(plain.statistic)


@pytest.mark.parametrize(("table", "cause", "reason"), [
    (EventTable.from_patients([1, 2], [1, 2], causes=CAUSES), "relapse", "two groups"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "b"], causes=CAUSES), "death", "no event of the cause"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "b"], causes=CAUSES), "cure", "no event cause"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "b"], causes=CAUSES), 2, "no event cause"),
    (EventTable.from_patients([1, 2], [1, 1], group=["a", "b"], stratum=["x", "y"], causes=CAUSES), 0,
     "at risk together"),
    (EventTable.from_patients([3, 4], [1, 1], group=["a", "b"], entry=[1, 0], causes=CAUSES), 0, "enter late")])
def test_comparisons_without_information_are_refused(table: EventTable, cause: str | int, reason: str) -> None:
    with pytest.raises(StatisticsError, match=reason):
        compare_incidence(table, cause)


def test_a_null_incidence_of_1_with_groups_still_at_risk_is_refused() -> None:
    # F0 rises by 4/8 on day 1 and by 2/4 on day 2; on day 3 two groups are still compared.
    day = [1, 1, 1, 1, 2, 3, 2, 3]
    table = EventTable.from_patients(day, [1] * 8, group=list("aaaabbcc"), causes=CAUSES)
    with pytest.raises(StatisticsError, match="not defined here"):
        compare_incidence(table)
