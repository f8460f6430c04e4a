from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.pseudo_values import estimate_pseudo_values


def test_without_censoring_a_pseudo_value_says_whether_the_patient_is_event_free() -> None:
    day = [2, 4, 4, 7, 9]
    found = estimate_pseudo_values(day, [1] * 5, [1, 4, 8])
    expected = [[float(own > at) for at in (1, 4, 8)] for own in day]
    np.testing.assert_allclose(found.values, expected, atol=1e-12)


def test_three_patients_by_hand() -> None:
    # Events on days 1 and 3, a censoring on day 2: S(3) = 2/3 * 0 = 0. Without the first: 1 * 0; without the second:
    # 1/2 * 0; without the third: 1/2.
    found = estimate_pseudo_values([1, 2, 3], [1, 0, 1], [1, 3])
    np.testing.assert_allclose(found.values[:, 1], [0, 0, -2 * 0.5], atol=1e-12)
    np.testing.assert_allclose(found.values[:, 0], [2 - 2 * 1, 2 - 2 * 0.5, 2 - 2 * 0.5], atol=1e-12)


def test_strata_are_computed_apart() -> None:
    rng = np.random.default_rng(1)
    day, event, stratum = rng.integers(0, 20, 60), rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    together = estimate_pseudo_values(day, event, [3, 9], stratum=stratum).values
    for k in (0, 1):
        here = stratum == k
        np.testing.assert_array_equal(together[here], estimate_pseudo_values(day[here], event[here], [3, 9]).values)


def test_a_day_beyond_the_follow_up_of_a_stratum_is_refused() -> None:
    with pytest.raises(StatisticsError, match="ends on day 9, before day 12"):
        estimate_pseudo_values([20, 20, 5, 9], [0, 1, 1, 0], [12], stratum=[0, 0, 1, 1])


def test_a_curve_that_has_reached_zero_stays_there() -> None:
    assert estimate_pseudo_values([5, 9], [1, 1], [12]).values.tolist() == [[0.0], [0.0]]
