from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import compare_estimates, read_days

DAYS = np.array([365, 730])


def test_limits_of_a_difference_are_normal_on_the_atanh_scale() -> None:
    estimate, error = np.array([[0.9, 0.8], [0.85, 0.7]]), np.full((2, 2), 0.02)
    found = compare_estimates(DAYS, estimate, error, np.array([0.03, 0.04]), 0.9)
    np.testing.assert_allclose(found.difference, [-0.05, -0.1])
    margin = norm.ppf(0.95) * 0.04 / (1 - 0.1**2)
    assert found.difference_lower[1] == pytest.approx(np.tanh(np.arctanh(-0.1) - margin))
    assert found.difference_upper[1] == pytest.approx(np.tanh(np.arctanh(-0.1) + margin))


def test_limits_of_a_curve_are_log_log() -> None:
    found = compare_estimates(DAYS, np.array([[0.9, 0.8], [0.85, 0.7]]), np.full((2, 2), 0.02), np.full(2, 0.03), 0.95)
    power = np.exp(norm.ppf(0.975) * 0.02 / (0.7 * -np.log(0.7)))
    assert found.lower[1, 1] == pytest.approx(0.7**power)
    assert found.upper[1, 1] == pytest.approx(0.7 ** (1 / power))


def test_where_nothing_varies_there_are_no_limits() -> None:
    found = compare_estimates(DAYS, np.array([[1.0, 0.8], [1.0, 0.7]]), np.zeros((2, 2)), np.zeros(2), 0.95)
    for limits in (found.lower, found.upper, found.difference_lower, found.difference_upper):
        assert np.isnan(limits).all()


@pytest.mark.parametrize("days", [[], [365, 365], [730, 365], [-1], [0.5]])
def test_days_that_do_not_increase_are_refused(days: list[float]) -> None:
    with pytest.raises(StatisticsError):
        read_days(days)
