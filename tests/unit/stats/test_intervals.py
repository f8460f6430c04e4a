from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.stats.intervals import probability_interval


@pytest.mark.parametrize("interval", ["log-log", "log"])
def test_an_error_far_larger_than_its_estimate_says_nothing_and_overflows_nowhere(interval: str) -> None:
    lower, upper = probability_interval(np.array([0.01, 0.5]), np.array([40.0, 0.05]), interval, 0.95)
    assert (lower[0], upper[0]) == (0, 1)
    assert 0.39 < lower[1] < 0.5 < upper[1] < 0.61
