"""Medians of protected curves: told where the rounded curve leaves no doubt, with limits outward."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.curves import Steps, protect_curve
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.medians import ProtectedMedian, read_median
from harmony_dash.disclosure.policy import DAYS_PER_MONTH
from harmony_dash.disclosure.results import Curve, Floats, IntervalType


def make_curve(days: list[float], estimate: list[float], off: float = 0.0) -> Curve:
    heights = np.array(estimate)
    return Curve(np.array(days), heights, np.maximum(0, heights - off), np.minimum(1, heights + off),
                 np.full(len(days), np.nan))


def months(days: float | None) -> float | None:
    return None if days is None else days / DAYS_PER_MONTH


def test_a_median_lies_between_the_days_on_which_the_curve_passes_one_half() -> None:
    # Halfway between a year and fifteen months.
    assert months(read_median(make_curve([0, 365, 457], [1.0, 0.6, 0.4]), 0.05).days) == pytest.approx(14)
    assert months(read_median(make_curve([0, 365, 457], [1.0, 0.6, 0.47]), 0.05).days) == pytest.approx(14)


@pytest.mark.parametrize(("before", "after"), [(0.6, 0.49), (0.51, 0.4), (0.525, 0.4), (0.51, 0.49)])
def test_a_height_that_may_be_on_the_other_side_of_one_half_leaves_the_median_open(before: float, after: float) -> None:
    median = read_median(make_curve([0, 365, 457], [1.0, before, after], 0.15), 0.05)
    assert median.days is None
    assert median.lower is not None


def test_limits_are_the_days_of_the_grid_around_the_crossings_of_the_band_in_whole_months_outward() -> None:
    median = read_median(make_curve([0, 365, 731, 1096], [1.0, 0.7, 0.45, 0.3], 0.1), 0.05)
    assert months(median.lower) == pytest.approx(11)  # 0.6 on day 365, 0.35 on day 731
    assert months(median.upper) == pytest.approx(37)  # 0.55 on day 731, 0.4 on day 1096
    open_ended = read_median(make_curve([0, 365, 731], [1.0, 0.7, 0.45], 0.1), 0.05)
    assert open_ended.days is not None
    assert open_ended.upper is None


@pytest.mark.parametrize("curve", [make_curve([], []), make_curve([0, 365], [1.0, 0.51])], ids=["nothing", "above"])
def test_one_half_that_is_not_reached_has_no_median(curve: Curve) -> None:
    assert read_median(curve, 0.001) == ProtectedMedian(None, None, None)


def test_a_drop_on_the_first_day_is_a_median_of_nothing() -> None:
    assert read_median(make_curve([0, 0, 91], [1.0, 0.45, 0.4]), 0.05) == ProtectedMedian(0, 0, 0)


def test_a_curve_that_starts_below_one_half_is_refused() -> None:
    with pytest.raises(ValueError, match="falls from 1"):
        read_median(make_curve([91, 183], [0.4, 0.3]), 0.05)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.floats(0.0, 0.2), st.floats(0.001, 1 / 6),
       st.floats(0, 1, exclude_max=True))
def test_what_is_told_holds_for_the_exact_curve(drops: list[int], off: float, step: float, phase: float) -> None:
    heights = np.array([1.0, *np.maximum(0.0, 1 - np.cumsum(drops) / 100).tolist()])
    days = GRID[:len(heights)].astype(float)
    exact = Curve(days, heights, np.maximum(0, heights - off), np.minimum(1, heights + off), np.full(len(days), np.nan))
    median = read_median(protect_curve(exact, GRID[:len(heights)].tolist(), Steps(step, phase), 100,
                                       interval=IntervalType.LOG_LOG, on_first_day=False), step)

    def crossing(column: Floats) -> tuple[float, float]:
        below = np.flatnonzero(column <= 0.5)
        return (days[below[0] - 1], days[below[0]]) if len(below) else (days[-1], np.inf)

    if median.days is not None:
        after, until = crossing(exact.estimate)
        assert after - DAYS_PER_MONTH / 2 <= median.days <= until + DAYS_PER_MONTH / 2
        assert median.lower is not None
        assert median.lower <= median.days
        assert median.upper is None or median.days <= median.upper
    if median.lower is not None:
        assert median.lower <= crossing(exact.lower)[0]
    else:
        assert crossing(exact.lower)[1] == np.inf
    if median.upper is not None:
        assert median.upper >= crossing(exact.upper)[1]
