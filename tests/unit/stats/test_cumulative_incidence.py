from __future__ import annotations

import math

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival

CAUSES = ("relapse", "death")
# Day 0: a relapse and a death of 6; day 2: both causes tie; day 3 censored; day 4 a death.
TABLE = EventTable.from_patients([0, 0, 2, 2, 3, 4], [1, 2, 1, 2, 0, 2], causes=CAUSES)


def test_tied_causes_and_events_on_day_0_are_shared_exactly() -> None:
    curves = estimate_cumulative_incidence(TABLE)
    assert curves.days.tolist() == [0, 2, 3, 4]
    np.testing.assert_allclose(curves.incidence[:, 0], [1 / 6, 1 / 6 + 4 / 6 / 4, 1 / 3, 1 / 3])
    np.testing.assert_allclose(curves.incidence[:, 1], [1 / 6, 1 / 3, 1 / 3, 1 / 3 + 1 / 3])
    np.testing.assert_allclose(curves.incidence.sum(axis=1) + curves.survival, 1)


def test_without_censoring_the_standard_error_is_binomial() -> None:
    curves = estimate_cumulative_incidence(EventTable.from_patients([1, 1, 2, 3, 5], [1, 2, 1, 2, 1], causes=CAUSES))
    f = curves.incidence
    np.testing.assert_allclose(curves.std_error, np.sqrt(f * (1 - f) / 5), atol=1e-12)


def test_with_one_cause_the_curve_and_its_standard_error_are_those_of_kaplan_meier() -> None:
    table = EventTable.from_patients([1, 2, 2, 3, 5, 8], [1, 1, 0, 1, 0, 0])
    curves, survival = estimate_cumulative_incidence(table), estimate_survival(table)
    np.testing.assert_allclose(curves.incidence[:, 0], 1 - survival.survival)
    np.testing.assert_allclose(curves.std_error[:, 0], survival.std_error)


def test_the_two_intervals_on_the_incidence_by_hand() -> None:
    log_log, log = (estimate_cumulative_incidence(TABLE, interval=kind) for kind in ("log-log", "log"))
    f, s, z = log.incidence[0, 0], log.std_error[0, 0], 1.959963984540054
    assert s == pytest.approx(math.sqrt(1 / 6 * 5 / 6 / 6))
    assert log.lower[0, 0] == pytest.approx(f * math.exp(-z * s / f))
    assert log.upper[0, 0] == pytest.approx(min(1, f * math.exp(z * s / f)))
    assert log_log.lower[0, 0] == pytest.approx(f ** math.exp(z * s / (f * -math.log(f))))


def test_there_is_no_interval_before_the_first_event_of_a_cause_nor_when_all_have_had_it() -> None:
    curves = estimate_cumulative_incidence(EventTable.from_patients([1, 2, 3], [2, 2, 2], causes=CAUSES))
    assert np.isnan(curves.lower[:, 0]).all()
    assert np.isnan(curves.lower[:, 1]).tolist() == [False, False, True]


def test_reading_holds_the_last_value_until_follow_up_ends() -> None:
    open_end = EventTable.from_patients([1, 2, 4], [1, 0, 0], causes=CAUSES)
    at = read_incidence(estimate_cumulative_incidence(open_end), [0, 1, 3, 4, 5])
    np.testing.assert_allclose(at.incidence[:, 0], [0, 1 / 3, 1 / 3, 1 / 3, math.nan])
    assert at.at_risk.tolist() == [3, 3, 1, 1, 0]
    closed = read_incidence(estimate_cumulative_incidence(TABLE), [9])
    np.testing.assert_allclose(closed.incidence[0], [1 / 3, 2 / 3])


def test_late_entry_starts_the_curves_where_enough_are_at_risk() -> None:
    table = EventTable.from_patients([2, 5, *[9] * 11], [1, 2, *[0] * 11], entry=[0, *[3] * 12], causes=CAUSES)
    curves = estimate_cumulative_incidence(table)
    assert curves.from_day == 4
    at = read_incidence(curves, [2, 4, 5])
    assert np.isnan(at.incidence[0]).all()
    np.testing.assert_allclose(at.incidence[1:], [[0, 0], [0, 1 / 12]])
    assert "before day 4" in curves.methods


def test_an_empty_group_and_an_unknown_interval_are_refused() -> None:
    table = EventTable.from_patients([1], [1], group=["a"], groups=["a", "b"])
    with pytest.raises(StatisticsError, match="'b' has no patients"):
        estimate_cumulative_incidence(table, "b")
    with pytest.raises(StatisticsError, match="an interval is one of"):
        estimate_cumulative_incidence(table, "a", interval="arcsin")
    with pytest.raises(StatisticsError, match="whole and not negative"):
        read_incidence(estimate_cumulative_incidence(table, "a"), [-5])
