from __future__ import annotations

import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival
from harmony_dash.stats.landmark import from_landmark

TABLE = EventTable.from_patients([0, 3, 5, 5, 6, 9], [1, 0, 1, 0, 1, 0], group=["a", "b", "a", "b", "a", "b"])


def test_patients_who_leave_by_the_landmark_are_dropped_and_counted() -> None:
    landmark = from_landmark(TABLE, 5)
    assert landmark.table.day.tolist() == [1, 4]
    assert landmark.dropped.tolist() == [2, 2]
    assert landmark.dropped_events.tolist() == [2, 0]
    assert landmark.dropped_censored.tolist() == [0, 2]


def test_a_landmark_on_day_0_drops_the_events_of_day_0() -> None:
    landmark = from_landmark(TABLE, 0)
    assert landmark.dropped.tolist() == [1, 0]
    assert landmark.table.day.min() == 3


def test_who_entered_by_the_landmark_is_watched_from_its_day_0() -> None:
    table = EventTable.from_patients([4, 8, 9, 10], [1, 1, 0, 0], entry=[1, 2, 5, 6])
    curve = estimate_survival(from_landmark(table, 5).table, least_at_risk=1)
    assert curve.days.tolist() == [1, 3, 4, 5]
    assert curve.at_risk.tolist() == [2, 3, 2, 1]
    assert not from_landmark(table, 6).table.has_late_entry


def test_a_group_left_empty_keeps_its_place() -> None:
    landmark = from_landmark(TABLE, 6)
    assert landmark.table.groups == ("a", "b")
    assert landmark.table.patients.tolist() == [0, 1]


@pytest.mark.parametrize(("day", "reason"), [(9, "nobody is followed beyond day 9"), (-1, "whole and not negative")])
def test_a_landmark_after_everybody_or_before_time_zero_is_refused(day: int, reason: str) -> None:
    with pytest.raises(StatisticsError, match=reason):
        from_landmark(TABLE, day)
