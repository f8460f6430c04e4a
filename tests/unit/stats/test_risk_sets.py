from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.risk_sets import count_risk_grid, count_risk_sets, read_risk_counts

# Day 0 one event, day 2 one event of each cause and one censoring, day 5 one censoring.
TABLE = EventTable.from_patients([0, 2, 2, 2, 5], [1, 1, 2, 0, 0], causes=("relapse", "death"))


def test_at_risk_counts_everybody_who_has_not_left_before_the_day() -> None:
    sets = count_risk_sets(TABLE)
    assert sets.days.tolist() == [0, 2, 5]
    assert sets.at_risk.tolist() == [5, 4, 1]
    assert sets.events.tolist() == [[1, 0], [1, 1], [0, 0]]
    assert sets.censored.tolist() == [0, 1, 1]


def test_late_entry_counts_a_patient_after_the_day_of_entry_until_the_last_day() -> None:
    table = EventTable.from_patients([4, 6, 6], [1, 0, 1], entry=[0, 3, 4])
    sets = count_risk_sets(table)
    assert dict(zip(sets.days.tolist(), sets.at_risk.tolist(), strict=True)) == {0: 0, 3: 1, 4: 2, 6: 2}


def test_patients_with_and_without_an_entry_day_may_be_added() -> None:
    late = EventTable.from_patients([4, 6], [1, 0], entry=[2, 3])
    table = late + EventTable.from_patients([5, 6], [1, 0])
    at = read_risk_counts(count_risk_sets(table), [0, 2, 3, 4, 5, 6])
    assert at.at_risk.tolist() == [2, 2, 3, 4, 3, 2]


def test_the_risk_table_counts_events_up_to_and_including_the_day() -> None:
    at = read_risk_counts(count_risk_sets(TABLE), [0, 1, 2, 3, 5, 6])
    assert at.at_risk.tolist() == [5, 4, 4, 1, 1, 0]
    assert at.events.tolist() == [[1, 0], [1, 0], [2, 1], [2, 1], [2, 1], [2, 1]]
    assert at.censored.tolist() == [0, 0, 1, 1, 2, 2]


def test_the_grid_counts_each_group_inside_its_stratum() -> None:
    table = EventTable.from_patients([1, 2, 2, 3], [1, 1, 0, 1], group=["a", "b", "a", "b"],
                                     stratum=["x", "x", "y", "y"])
    grid = count_risk_grid(table)
    assert grid.stratum.tolist() == [0, 0, 1, 1]
    assert grid.day.tolist() == [1, 2, 2, 3]
    assert grid.at_risk.tolist() == [[1, 1], [0, 1], [1, 1], [0, 1]]
    assert grid.events[:, :, 0].tolist() == [[1, 0], [0, 1], [0, 0], [0, 1]]


def test_an_empty_group_has_an_empty_timeline() -> None:
    table = EventTable.from_patients([1], [1], group=["a"], groups=["a", "b"])
    assert len(count_risk_sets(table, "b").days) == 0
    assert read_risk_counts(count_risk_sets(table, "b"), [0, 5]).at_risk.tolist() == [0, 0]


@pytest.mark.parametrize("group", ["nobody", 7, -1])
def test_an_unknown_group_is_refused(group: str | int) -> None:
    with pytest.raises(StatisticsError, match="there is no group"):
        count_risk_sets(TABLE, group)


@pytest.mark.parametrize("days", [[-1], [0.5], [np.nan]])
def test_a_day_that_is_negative_or_not_whole_is_refused(days: list[float]) -> None:
    with pytest.raises(StatisticsError, match="whole and not negative"):
        read_risk_counts(count_risk_sets(TABLE), days)


@pytest.mark.parametrize("count", [count_risk_sets, count_risk_grid])
def test_a_table_with_more_leaving_than_watched_is_refused(count: object) -> None:
    # Two leave on day 1, one of whom enters on day 2 only.
    table = EventTable.from_counts(["a"], ["s"], ["e"], [0, 0], [0, 0], [1, 2], [2, 0], [[0], [0]], [0, 1])
    with pytest.raises(StatisticsError, match="more patients leave"):
        count(table)  # type: ignore[operator]


def test_more_entries_than_patients_are_refused() -> None:
    table = EventTable.from_counts(["a"], ["s"], ["e"], [0, 0], [0, 0], [0, 2], [0, 1], [[0], [0]], [3, 0])
    with pytest.raises(StatisticsError, match="more patients leave"):
        count_risk_sets(table)


def test_days_too_large_to_sort_with_their_stratum_are_refused() -> None:
    table = EventTable.from_patients([2**61, 1], [1, 1], stratum=["x", "y"])
    with pytest.raises(StatisticsError, match="too large"):
        count_risk_grid(table)
