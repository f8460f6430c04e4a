"""Protected curves, one property at a time."""

from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.disclosure.curves import (
    Steps,
    area_under,
    find_support,
    fit_together,
    protect_curve,
    read_protected,
    with_numbers_at_risk,
)
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import RULES, Level
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import Curve, IntervalType

RULES_, SCOPE = RULES[Level.PROTECTED], Scope(Level.PROTECTED)
GRID = grid_days(1000)
LOG_LOG = IntervalType.LOG_LOG


def step_curve(days: list[float], estimate: list[float]) -> Curve:
    values = np.array(estimate)
    width = np.where((values < 1) & (values > 0), 0.05, np.nan)
    return Curve(np.array(days), values, values - width, values + width, np.full(len(days), 50.0))


def protect(curve: Curve, steps: Steps, support: tuple[int, ...] = GRID, *, on_first_day: bool = False) -> Curve:
    return protect_curve(curve, support, steps, 100, interval=LOG_LOG, on_first_day=on_first_day)


EXACT = step_curve([0, 40, 200, 200, 900], [1, 0.97, 0.9, 0.8, 0.61])


def test_a_curve_is_read_on_the_grid_and_starts_where_it_is_by_definition() -> None:
    curve = protect(EXACT, Steps(0.05, 0.3))
    assert curve.days.tolist() == list(GRID)
    assert (curve.estimate[0], curve.lower[0], curve.upper[0]) == (1, 1, 1)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.5, 0.999])
def test_the_error_is_half_a_step_and_the_curve_and_its_band_keep_their_order(phase: float) -> None:
    curve = protect(EXACT, Steps(0.05, phase))
    exact = EXACT.estimate[np.searchsorted(EXACT.days, curve.days, side="right") - 1]
    assert np.abs(curve.estimate - exact).max() <= 0.025 + 1e-9
    assert np.all(np.diff(curve.estimate) <= 0)
    assert np.all(curve.lower <= curve.estimate)
    assert np.all(curve.estimate <= curve.upper)
    assert np.all((curve.lower >= 0) & (curve.upper <= 1))


def test_nobody_and_one_patient_with_the_event_look_alike() -> None:
    nobody = step_curve([0, 2000], [1, 1])
    one = step_curve([0, 100, 2000], [1, 0.99, 0.99])
    one.lower[1:], one.upper[1:] = 0.931, 0.9986
    first, second = (protect(curve, Steps(0.05, 0.21)) for curve in (nobody, one))
    assert np.isfinite(first.lower).all()
    assert first.lower[-1] == second.lower[-1]


def test_events_on_day_zero_are_drawn_where_the_endpoint_counts_them() -> None:
    exact = step_curve([0, 0, 500], [1, 0.9, 0.8])
    counted = protect(exact, Steps(0.01, 0.5), on_first_day=True)
    assert counted.days[:2].tolist() == [0, 0]
    assert counted.estimate[1] == pytest.approx(0.9, abs=0.005)
    assert protect(exact, Steps(0.01, 0.5)).days[:2].tolist() == [0, 91]


def test_a_curve_ends_on_the_last_day_before_too_few_are_at_risk() -> None:
    at_risk = (100, 60, 30, 9, 12, 11, 10, 10, 10, 10, 10)
    assert find_support(EXACT, GRID, at_risk, RULES_) == (0, 91, 183)


def test_a_horizon_and_the_end_of_follow_up_end_it_too() -> None:
    assert find_support(EXACT, GRID, (50,) * len(GRID), RULES_)[-1] == 822


def test_with_late_entry_it_starts_on_the_grid_or_not_at_all() -> None:
    late = step_curve([91, 200], [1, 0.9])
    assert find_support(late, GRID, (2, 50, *([50] * 9)), RULES_) == (91, 183)
    assert protect(late, Steps(0.05, 0.1), (91, 183)).days[0] == 91
    with pytest.raises(ValueError, match="grid"):
        find_support(step_curve([90, 200], [1, 0.9]), GRID, (50,) * len(GRID), RULES_)


def test_the_step_is_five_patients_of_the_rounded_group_and_never_below_a_tenth_of_a_per_cent() -> None:
    assert Steps.of(KeyedCount(98, 3), 100, "x", SCOPE).height == 0.05
    assert Steps.of(KeyedCount(9_999, 3), 10_000, "x", SCOPE).height == 0.001
    with pytest.raises(TypeError, match="key"):
        Steps.of(98, 100, "x", SCOPE)  # type: ignore[arg-type]


def test_causes_and_the_event_free_part_never_exceed_one() -> None:
    days = np.array([0.0, 91, 183])
    nan = np.full(3, np.nan)

    def made(values: list[float]) -> Curve:
        return Curve(days, np.array(values), np.array(values), np.array(values), nan)

    survival, causes = fit_together(made([1, 0.6, 0.4]), [made([0, 0.3, 0.5]), made([0, 0.2, 0.6])])
    total = survival.estimate + sum(cause.estimate for cause in causes)
    assert np.all(total <= 1 + 1e-12)
    assert np.all(np.diff(survival.estimate) <= 0)
    assert all(np.all(np.diff(cause.estimate) >= 0) for cause in causes)


def test_a_reading_beyond_the_curve_has_no_estimate_and_one_at_its_start_no_interval() -> None:
    curve = protect(EXACT, Steps(0.05, 0.3), (0, 91, 183))
    assert read_protected(curve, 274, None).estimate is None
    first = read_protected(curve, 0, 100)
    assert (first.estimate, first.lower, first.at_risk) == (1, None, 100)
    assert read_protected(curve, 183, 60).estimate == curve.estimate[2]


def test_numbers_at_risk_stand_on_the_days_of_the_table_alone() -> None:
    curve = with_numbers_at_risk(protect(EXACT, Steps(0.05, 0.3)), (0, 365, 731), (100, 60, None))
    assert curve.days[np.isfinite(curve.at_risk)].tolist() == [0, 365]


def test_the_area_is_that_of_the_drawn_lines() -> None:
    curve = Curve(np.array([0.0, 100, 200]), np.array([1, 0.8, 0.6]), *(np.zeros(3) for _ in range(3)))
    assert area_under(curve, 200) == pytest.approx(160)
    assert area_under(curve, 100) == pytest.approx(90)
