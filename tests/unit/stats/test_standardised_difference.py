from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.standardised_difference import (
    difference_of_means,
    difference_of_proportions,
    difference_of_shares,
    error_by_rounding,
)

COUNTS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=6).filter(
    lambda pairs: any(a for a, _ in pairs) and any(b for _, b in pairs))


def test_means_as_in_the_formula() -> None:
    assert difference_of_means(10, 3, 12, 4) == pytest.approx(2 / math.sqrt(12.5))
    assert difference_of_means(5, 0, 5, 0) == 0
    assert difference_of_means(5, 0, 6, 0) == math.inf


def test_two_values_as_in_the_formula() -> None:
    # Austin 2009: shares of 0.5 and 0.3 give 0.2/sqrt((0.25 + 0.21)/2).
    assert difference_of_shares([50, 50], [70, 30]) == pytest.approx(0.2 / math.sqrt(0.23))
    assert difference_of_shares([70, 30], [50, 50]) == pytest.approx(0.2 / math.sqrt(0.23))


def test_three_values_by_hand() -> None:
    # T = (.3, .2), C = (.2, .4) of the second and third value; S by the formula, inverted by hand.
    a, b, c = (0.21 + 0.16) / 2, -(0.06 + 0.08) / 2, (0.16 + 0.24) / 2
    det = a * c - b * b
    expected = math.sqrt((0.1**2 * c - 2 * 0.1 * -0.2 * b + 0.2**2 * a) / det)
    assert difference_of_shares([50, 30, 20], [40, 20, 40]) == pytest.approx(expected)


@given(COUNTS)
def test_it_is_symmetric_never_negative_and_does_not_ask_which_value_comes_first(pairs: list[tuple[int, int]]) -> None:
    one, other = ([pair[side] for pair in pairs] for side in (0, 1))
    found = difference_of_shares(one, other)
    assert found >= 0
    assert difference_of_shares(other, one) == pytest.approx(found, rel=1e-6, abs=1e-6)
    assert difference_of_shares(one[::-1], other[::-1]) == pytest.approx(found, rel=1e-5, abs=1e-5)
    assert difference_of_shares(one, [3 * n for n in one]) == pytest.approx(0, abs=1e-6)


def test_groups_that_share_no_value_are_infinitely_far_apart() -> None:
    assert difference_of_shares([5, 0], [0, 7]) == math.inf


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(StatisticsError, match="without patients"):
        difference_of_shares([0, 0], [1, 2])
    with pytest.raises(StatisticsError, match="same values"):
        difference_of_shares([], [])
    with pytest.raises(StatisticsError, match="same values"):
        difference_of_shares([1, 2], [1, 2, 3])
    with pytest.raises(StatisticsError, match="standard deviations"):
        difference_of_means(1, -1, 2, 1)


_shares = st.floats(0, 1, allow_nan=False)


def test_it_is_that_of_a_calculation_by_hand() -> None:
    # (0.5 − 0.3) / √((0.25 + 0.21) / 2) = 0.2 / 0.47958
    assert difference_of_proportions(0.5, 0.3) == pytest.approx(0.4170288)
    assert difference_of_proportions([0.2, 0.0], [0.2, 0.0]).tolist() == [0.0, 0.0]


def test_shares_of_none_and_all_are_infinitely_far_apart_and_an_unknown_one_nowhere() -> None:
    assert difference_of_proportions(1.0, 0.0) == np.inf
    assert np.isnan(difference_of_proportions(np.nan, 0.5))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(_shares, _shares)
def test_it_changes_sign_with_the_groups_and_with_the_value_and_its_opposite(one: float, other: float) -> None:
    d = float(difference_of_proportions(one, other))
    assert float(difference_of_proportions(other, one)) == -d
    if 1e-6 < one < 1 - 1e-6 and 1e-6 < other < 1 - 1e-6:
        assert float(difference_of_proportions(1 - one, 1 - other)) == pytest.approx(-d)
    assert (d > 0) == (one > other)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(StatisticsError, match="a share lies from 0 to 1"):
        difference_of_proportions(share, 0.5)


def test_the_error_of_a_share_is_as_by_hand() -> None:
    # 4 of 1000 more in one cell: shares of 504/1004 against 1/2, over the root of 1/4. Four such cells.
    alone = difference_of_shares([500, 500], [496, 500])
    assert error_by_rounding(difference_of_shares, [500, 500], [500, 500], [4, 4], [4, 4]) == pytest.approx(2 * alone)
    assert error_by_rounding(difference_of_shares, [500, 500], [500, 500], [0, 0], [0, 0]) == 0


def test_the_error_of_a_mean_is_as_by_hand() -> None:
    def measure(one: Sequence[float], other: Sequence[float]) -> float:
        return difference_of_means(*one, *other)

    # 0.05 of either mean over a deviation of 4; that of the deviations is nothing between equal means.
    assert error_by_rounding(measure, [6, 4], [6, 4], [0.05, 0.05], [0.05, 0.05]) == pytest.approx(
        math.sqrt(2) * 0.05 / 4)
    assert math.isnan(error_by_rounding(measure, [5, 0], [6, 0], [0.1, 0.0], [0.1, 0.0]))


SHARES = st.lists(st.floats(0.02, 1), min_size=2, max_size=12)
OFF = st.integers(-4, 4)


@given(SHARES, st.integers(200, 20_000), st.integers(200, 20_000), st.data())
def test_equal_groups_are_never_told_to_be_apart_by_rounding_alone(weights: list[float], n: int, other_n: int,
                                                                   data: st.DataObject) -> None:
    groups = [[max(10, round(size * weight / sum(weights))) for weight in weights] for size in (n, other_n)]
    truth = difference_of_shares(*groups)  # of whole patients; next to nothing
    one, other = ([count + data.draw(OFF) for count in group] for group in groups)
    most = [4.0] * len(weights)
    if error_by_rounding(difference_of_shares, one, other, most, most) <= 0.05:
        assert abs(difference_of_shares(one, other) - truth) <= 0.11
