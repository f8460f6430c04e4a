from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.restricted_mean import estimate_restricted_means


def two_groups() -> EventTable:
    """Group a: 12 patients, events on days 2 and 6. Group b: 11 patients, one event on day 4."""
    day = [2, 6, *[10] * 10, 4, *[8] * 10]
    return EventTable.from_patients(day, [1, 1, *[0] * 10, 1, *[0] * 10], group=["a"] * 12 + ["b"] * 11)


def test_the_mean_and_its_variance_by_hand() -> None:
    means = estimate_restricted_means(two_groups(), tau_days=8)
    assert means.days[0] == pytest.approx(2 + 4 * 11 / 12 + 2 * 10 / 12)
    after_2, after_6 = 4 * 11 / 12 + 2 * 10 / 12, 2 * 10 / 12
    assert means.std_error[0] == pytest.approx(math.sqrt(after_2**2 / (12 * 11) + after_6**2 / (11 * 10)))


def test_the_difference_has_a_normal_interval_and_a_two_sided_p() -> None:
    means = estimate_restricted_means(two_groups(), tau_days=8)
    (difference,) = means.differences
    assert (difference.group, difference.reference) == ("b", "a")
    assert difference.days == pytest.approx(means.days[1] - means.days[0])
    assert difference.std_error == pytest.approx(np.hypot(*means.std_error))
    assert difference.upper - difference.lower == pytest.approx(2 * norm.ppf(0.975) * difference.std_error)
    assert difference.p == pytest.approx(2 * norm.sf(abs(difference.days) / difference.std_error))


def test_swapping_the_reference_changes_the_sign_only() -> None:
    first = estimate_restricted_means(two_groups(), reference="a").differences[0]
    second = estimate_restricted_means(two_groups(), reference="b").differences[0]
    assert second.days == -first.days
    assert (second.lower, second.p) == pytest.approx((-first.upper, first.p))


def test_the_default_horizon_is_the_smallest_last_day_with_ten_at_risk() -> None:
    assert estimate_restricted_means(two_groups()).tau_days == 8
    assert estimate_restricted_means(two_groups(), least_at_risk=11).tau_days == 4


def test_a_horizon_past_the_data_of_any_group_is_refused() -> None:
    with pytest.raises(StatisticsError, match="'b' has 10 patients at risk until day 8"):
        estimate_restricted_means(two_groups(), tau_days=9)


def test_a_group_too_small_for_a_mean_is_left_out_and_named() -> None:
    table = two_groups() + EventTable.from_patients([3, 4], [1, 0], group=["b", "b"], groups=["a", "b"])
    small = EventTable.from_patients([3, 30], [1, 0], group=["c", "c"], groups=["a", "b", "c", "d"])
    wide = EventTable.from_counts(("a", "b", "c", "d"), table.strata, table.causes, table.group, table.stratum,
                                  table.day, table.censored, table.events, table.entries)
    means = estimate_restricted_means(wide + small)
    assert means.groups == ("a", "b")
    assert means.left_out == ("c", "d")
    with pytest.raises(StatisticsError, match="the reference group 'c'"):
        estimate_restricted_means(wide + small, reference="c")


def test_without_an_event_the_mean_is_the_horizon_and_has_no_interval_nor_p() -> None:
    table = EventTable.from_patients([9] * 24, [0] * 24, group=["a", "b"] * 12)
    means = estimate_restricted_means(table)
    assert means.days.tolist() == [9, 9]
    assert np.isnan(means.lower).all()
    assert math.isnan(means.differences[0].p)


def test_when_everybody_dies_the_mean_is_the_mean_of_the_days() -> None:
    days = np.arange(1, 31)
    table = EventTable.from_patients(days, np.ones(30, dtype=int))
    means = estimate_restricted_means(table, tau_days=30, least_at_risk=1)
    assert means.days[0] == pytest.approx(days.mean())
    assert means.std_error[0] == pytest.approx(days.std() / math.sqrt(30))


def test_an_event_on_day_0_costs_the_whole_time() -> None:
    table = EventTable.from_patients([0, *[10] * 11], [1, *[0] * 11])
    assert estimate_restricted_means(table).days[0] == pytest.approx(10 * 11 / 12)


@pytest.mark.parametrize(("options", "reason"), [
    ({"tau_days": 0}, "whole day after day 0"), ({"tau_days": -3}, "whole day after day 0"),
    ({"least_at_risk": 0}, "at least one patient"), ({"least_at_risk": 50}, "no group has 50"),
    ({"reference": "z"}, "there is no group"), ({"level": 2.0}, "confidence level")])
def test_horizons_references_and_levels_without_meaning_are_refused(options: dict[str, object], reason: str) -> None:
    with pytest.raises(StatisticsError, match=reason):
        estimate_restricted_means(two_groups(), **options)  # type: ignore[arg-type]


def test_follow_up_that_ends_on_day_0_is_refused() -> None:
    with pytest.raises(StatisticsError, match="no follow-up past day 0"):
        estimate_restricted_means(EventTable.from_patients([0] * 12, [0] * 12))


def test_late_entry_is_refused() -> None:
    with pytest.raises(StatisticsError, match="landmark"):
        estimate_restricted_means(EventTable.from_patients([5, 6], [1, 0], entry=[1, 0]))


def test_the_methods_line_names_the_horizon() -> None:
    assert "to day 8" in estimate_restricted_means(two_groups()).methods
