"""Differences in percentage points as they are printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.disclosure.points import format_points, format_points_limits


@pytest.mark.parametrize(("share", "text"), [(-0.0392, "−3.9"), (0.004, "+0.4"), (0.0, "0.0"), (-0.0001, "0.0"),
                                             (1.0, "+100.0")])
def test_a_difference_has_a_sign_and_one_decimal(share: float, text: str) -> None:
    assert format_points(share) == text


def test_limits_are_no_narrower_than_they_are() -> None:
    assert format_points_limits(-0.0721, -0.0051) == "−7.3 to −0.5"
    assert format_points_limits(-0.07, 0.01) == "−7.0 to +1.0"


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_printed_limits_hold_the_limits(first: float, second: float) -> None:
    lower, upper = sorted((first, second))
    low, high = (float(end.replace("−", "-")) for end in format_points_limits(lower, upper).split(" to "))
    assert low <= 100 * lower + 1e-6 and high >= 100 * upper - 1e-6
    assert high - low <= 100 * (upper - lower) + 0.2 + 1e-6
