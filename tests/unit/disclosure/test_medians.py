"""Medians of protected curves: where straight lines between the days of the grid cross one half."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.medians import ProtectedMedian, read_median
from harmony_dash.disclosure.policy import DAYS_PER_MONTH
from harmony_dash.disclosure.results import Curve


def make_curve(days: list[float], estimate: list[float], off: float = 0.0) -> Curve:
    heights = np.array(estimate)
    return Curve(np.array(days), heights, np.maximum(0, heights - off), np.minimum(1, heights + off),
                 np.full(len(days), np.nan))


def months(days: float | None) -> float | None:
    return None if days is None else days / DAYS_PER_MONTH


def test_a_median_lies_between_the_days_on_which_the_curve_passes_one_half() -> None:
    # Halfway between a year and fifteen months.
    assert months(read_median(make_curve([0, 365, 457], [1.0, 0.6, 0.4])).days) == pytest.approx(14)
    assert months(read_median(make_curve([0, 365, 457], [1.0, 0.5, 0.4])).days) == pytest.approx(12)


def test_limits_are_where_the_band_crosses() -> None:
    median = read_median(make_curve([0, 365, 731, 1096], [1.0, 0.7, 0.45, 0.3], 0.1))
    assert median.lower is not None and median.days is not None
    assert 365 < median.lower < median.days < 731
    assert median.upper is not None
    assert 731 < median.upper < 1096
    open_ended = read_median(make_curve([0, 365, 731], [1.0, 0.7, 0.45], 0.1))
    assert open_ended.days is not None
    assert open_ended.upper is None


@pytest.mark.parametrize("curve", [make_curve([], []), make_curve([0, 365], [1.0, 0.51])], ids=["nothing", "above"])
def test_one_half_that_is_not_reached_has_no_median(curve: Curve) -> None:
    assert read_median(curve).days is None


def test_a_drop_on_the_first_day_is_a_median_of_nothing() -> None:
    assert read_median(make_curve([0, 0, 91], [1.0, 0.45, 0.4])).days == 0
    assert read_median(make_curve([91, 183], [0.4, 0.3])) == ProtectedMedian(*[read_median(
        make_curve([91, 183], [0.4, 0.3])).days] * 3)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=20), st.floats(0.0, 0.2))
def test_a_median_is_within_one_step_of_the_grid_of_where_the_drawn_curve_crosses(drops: list[int], off: float) -> None:
    estimate = [1.0, *np.maximum(0.0, 1 - np.cumsum(drops) / 50).tolist()]
    curve = make_curve(GRID[:len(estimate)].astype(float).tolist(), estimate, off)
    median = read_median(curve)
    below = np.flatnonzero(curve.estimate <= 0.5)
    assert (median.days is None) == (not len(below))
    if median.days is not None:
        row = int(below[0])
        assert curve.days[row - 1] - DAYS_PER_MONTH / 2 <= median.days <= curve.days[row] + DAYS_PER_MONTH / 2
        assert median.lower is not None
        assert median.lower <= median.days
        assert median.upper is None or median.days <= median.upper
