from __future__ import annotations

import math

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.kaplan_meier import estimate_survival, find_quantile, read_survival

# At risk 6, 5, 2, 1; events on days 1, 2 (two, with one censoring on the same day) and 5.
TIED = EventTable.from_patients([1, 2, 2, 2, 3, 5], [1, 1, 1, 0, 0, 1])


def test_events_come_before_censorings_on_the_same_day() -> None:
    curve = estimate_survival(TIED)
    assert curve.days.tolist() == [1, 2, 3, 5]
    assert curve.at_risk.tolist() == [6, 5, 2, 1]
    np.testing.assert_allclose(curve.survival, [5 / 6, 1 / 2, 1 / 2, 0], atol=1e-15)


def test_greenwoods_standard_error_by_hand() -> None:
    curve = estimate_survival(TIED)
    assert curve.std_error[0] == pytest.approx(math.sqrt(5 / 6 * 1 / 6 / 6))
    assert curve.std_error[1] == pytest.approx(0.5 * math.sqrt(1 / (6 * 5) + 2 / (5 * 3)))
    assert math.isnan(curve.std_error[3])


def test_the_three_intervals_by_hand() -> None:
    s, root_v, z = 0.5, math.sqrt(1 / 30 + 2 / 15), 1.959963984540054
    log_log, log, plain = (estimate_survival(TIED, interval=kind) for kind in ("log-log", "log", "plain"))
    assert log_log.lower[1] == pytest.approx(s ** math.exp(z * root_v / -math.log(s)))
    assert log_log.upper[1] == pytest.approx(s ** math.exp(-z * root_v / -math.log(s)))
    assert log.lower[1] == pytest.approx(s * math.exp(-z * root_v))
    assert log.upper[1] == 1
    assert plain.lower[1] == pytest.approx(s - z * s * root_v)
    assert plain.upper[1] == pytest.approx(s + z * s * root_v)


def test_a_narrower_level_gives_a_narrower_interval() -> None:
    wide, narrow = estimate_survival(TIED, level=0.95), estimate_survival(TIED, level=0.8)
    assert wide.lower[1] < narrow.lower[1] < narrow.upper[1] < wide.upper[1]


def test_there_is_no_interval_before_the_first_event_nor_where_nobody_is_left_without_it() -> None:
    curve = estimate_survival(EventTable.from_patients([1, 2, 3], [0, 1, 1]))
    assert np.isnan(curve.lower).tolist() == [True, False, True]
    assert np.isnan(curve.upper).tolist() == [True, False, True]


def test_an_event_on_day_0_drops_the_curve_on_day_0() -> None:
    curve = estimate_survival(EventTable.from_patients([0, 0, 1, 2, 3], [1, 0, 1, 0, 1]))
    assert curve.survival[0] == pytest.approx(0.8)
    assert read_survival(curve, [0]).survival[0] == pytest.approx(0.8)
    assert read_survival(curve, [0]).at_risk[0] == 5


def test_a_curve_without_events_stays_at_1_without_interval() -> None:
    curve = estimate_survival(EventTable.from_patients([1, 2], [0, 0]))
    assert curve.survival.tolist() == [1, 1]
    assert np.isnan(curve.upper).all()
    assert math.isnan(find_quantile(curve).days)


def test_reading_between_days_gives_the_last_value_and_counts_on_that_very_day() -> None:
    at = read_survival(estimate_survival(TIED), [0, 1, 2, 4, 5])
    np.testing.assert_allclose(at.survival, [1, 5 / 6, 1 / 2, 1 / 2, 0], atol=1e-15)
    assert at.at_risk.tolist() == [6, 6, 5, 1, 1]


def test_nothing_is_read_past_the_last_day_unless_the_curve_has_reached_0() -> None:
    open_end = read_survival(estimate_survival(EventTable.from_patients([1, 2], [1, 0])), [2, 3])
    assert open_end.survival[0] == 0.5
    assert math.isnan(open_end.survival[1])
    assert open_end.at_risk.tolist() == [1, 0]
    closed = read_survival(estimate_survival(TIED), [6])
    assert closed.survival[0] == 0
    assert math.isnan(closed.lower[0])


def test_the_median_is_the_first_day_at_or_below_one_half_without_midpoint() -> None:
    curve = estimate_survival(EventTable.from_patients([1, 2, 3, 4], [1, 1, 1, 1]))
    assert find_quantile(curve).days == 2
    assert find_quantile(curve, 0.25).days == 1
    assert find_quantile(curve).lower == 1


def test_a_curve_that_misses_one_half_by_rounding_has_reached_it() -> None:
    curve = estimate_survival(EventTable.from_patients(np.arange(1, 25), np.ones(24, dtype=int)))
    assert curve.survival[11] > 0.5  # by 1e-16: twelve of 24 are left
    assert find_quantile(curve).days == 12


def test_follow_up_swaps_events_and_censorings_and_leaves_the_numbers_at_risk() -> None:
    follow_up = estimate_follow_up(EventTable.from_patients([2, 2, 4, 4], [1, 0, 0, 1]))
    np.testing.assert_allclose(follow_up.curve.survival, [3 / 4, 3 / 4 * 1 / 2])
    assert follow_up.median.days == 4
    assert follow_up.curve.events.tolist() == [1, 1]


def test_a_curve_with_late_entry_starts_where_enough_patients_are_at_risk() -> None:
    # One early patient dies on day 2; 12 enter on day 3 and one of them dies on day 5.
    day, entry = [2, *[5] * 1, *[9] * 11], [0, *[3] * 12]
    table = EventTable.from_patients(day, [1, 1, *[0] * 11], entry=entry)
    curve = estimate_survival(table)
    assert curve.from_day == 4
    at = read_survival(curve, [3, 4, 5, 9])
    assert math.isnan(at.survival[0])
    np.testing.assert_allclose(at.survival[1:], [1, 11 / 12, 11 / 12])
    assert at.at_risk.tolist() == [0, 12, 12, 11]


def test_groups_with_late_entry_can_share_a_start() -> None:
    table = EventTable.from_patients([5, 6, 7, 8], [1, 1, 1, 0], entry=[0, 0, 0, 1])
    assert estimate_survival(table, from_day=6, least_at_risk=3).survival[-1] == pytest.approx(1 / 3)


def test_the_methods_line_names_interval_and_condition() -> None:
    assert "95 % log-log" in estimate_survival(TIED).methods
    late = EventTable.from_patients([5, 6], [1, 0], entry=[2, 2])
    assert "before day 3" in estimate_survival(late, least_at_risk=2).methods
    assert "reverse" in estimate_follow_up(TIED).methods


def test_an_empty_group_is_refused() -> None:
    table = EventTable.from_patients([1], [1], group=["a"], groups=["a", "b"])
    for estimate in (estimate_survival, estimate_follow_up):
        with pytest.raises(StatisticsError, match="'b' has no patients"):
            estimate(table, "b")


def test_late_entry_that_never_brings_enough_patients_together_is_refused() -> None:
    table = EventTable.from_patients([5, 6], [1, 0], entry=[1, 2])
    with pytest.raises(StatisticsError, match="fewer than 10 patients"):
        estimate_survival(table)


def test_a_start_shared_with_others_does_not_make_up_for_patients_who_were_never_together() -> None:
    alone = EventTable.from_patients([60, 110, 160], [1, 0, 1], entry=[50, 55, 105])
    with pytest.raises(StatisticsError, match="fewer than 10"):
        estimate_survival(alone, from_day=56)
    assert estimate_survival(alone, from_day=56, least_at_risk=2).from_day == 56


def test_a_gap_in_which_nobody_is_watched_is_refused() -> None:
    table = EventTable.from_patients([3, 9], [1, 0], entry=[0, 5])
    with pytest.raises(StatisticsError, match="nobody is under observation after day 3"):
        estimate_survival(table, least_at_risk=1)


def test_a_start_when_nobody_is_watched_is_refused() -> None:
    with pytest.raises(StatisticsError, match="nobody is under observation on day 9"):
        estimate_survival(TIED, from_day=9)


@pytest.mark.parametrize(("options", "reason"), [({"interval": "exact"}, "an interval is one of"),
                                                 ({"level": 1.0}, "confidence level"),
                                                 ({"level": 0.0}, "confidence level")])
def test_unknown_intervals_and_levels_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(StatisticsError, match=reason):
        estimate_survival(TIED, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.0, 1.0, 50.0])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(StatisticsError, match="share of a quantile"):
        find_quantile(estimate_survival(TIED), share)
