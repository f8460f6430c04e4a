from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.splines import RestrictedCubicSpline, place_knots

SPLINE = RestrictedCubicSpline("age", (1.0, 4.0, 7.0, 15.0))


def test_one_column_is_the_variable_and_the_names_say_so() -> None:
    assert SPLINE.names == ("age", "age (curvature 1)", "age (curvature 2)")
    np.testing.assert_array_equal(SPLINE.basis([3.0, 20.0])[:, 0], [3, 20])


def test_three_knots_by_hand() -> None:
    # (x - 0)+^3 - (x - 1)+^3 * 3 / 2 + (x - 3)+^3 * 1 / 2, divided by 9.
    basis = RestrictedCubicSpline("x", (0.0, 1.0, 3.0)).basis([-1.0, 0.5, 2.0, 4.0])
    np.testing.assert_allclose(basis[:, 1] * 9, [0, 0.125, 8 - 1.5, 64 - 40.5 + 0.5])


def test_the_curve_is_straight_outside_the_knots_and_smooth_inside() -> None:
    left, right = np.linspace(-9, 1, 5), np.linspace(15, 40, 5)
    for values in (left, right):
        np.testing.assert_allclose(np.diff(SPLINE.basis(values), n=2, axis=0), 0, atol=1e-10)
    step = 1e-3
    for knot in SPLINE.knots:
        around = SPLINE.basis(knot + step * np.arange(-3, 4))
        bend = np.diff(around, n=2, axis=0) / step**2
        assert np.abs(np.diff(bend, axis=0)).max() < 1e-2  # the second derivative does not jump


def test_knots_stand_at_fixed_shares_of_the_known_values() -> None:
    values = [*np.arange(101.0), np.nan]
    assert place_knots("x", values, 3).knots == (10, 50, 90)
    assert place_knots("x", values, 4).knots == (5, 35, 65, 95)
    assert place_knots("x", values, 5).knots == pytest.approx((5, 27.5, 50, 72.5, 95))


@pytest.mark.parametrize("knots", [(1.0, 2.0), (1.0, 1.0, 2.0), (3.0, 2.0, 1.0), (1.0, 2.0, np.inf)])
def test_too_few_or_unordered_knots_are_refused(knots: tuple[float, ...]) -> None:
    with pytest.raises(StatisticsError, match="three or more knots"):
        RestrictedCubicSpline("age", knots)


def test_knots_that_fall_together_are_refused() -> None:
    with pytest.raises(StatisticsError, match="three or more knots"):
        place_knots("mrd", [0.0] * 90 + [1.0, 2.0, 3.0], 3)
    with pytest.raises(StatisticsError, match="3, 4 or 5"):
        place_knots("mrd", np.arange(10.0), 7)
    with pytest.raises(StatisticsError, match="no values"):
        place_knots("mrd", [np.nan])
