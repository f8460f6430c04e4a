"""Differences of restricted means: interval and p are rounded away from significance and say the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.policy import RULES, Level
from harmony_dash.disclosure.protect_survival import margin_and_p

RULES_ = RULES[Level.PROTECTED]
Z = 1.959963984540054


@settings(max_examples=1000, derandomize=True, deadline=None)
@given(st.integers(-2000, 2000), st.floats(0.5, 1000))
@example(42, 21.3)
@example(301, 300 / Z)
@example(-300, 300 / Z)
@example(0, 20.0)
@example(2000, 0.5)
def test_the_interval_holds_zero_where_p_is_at_least_a_twentieth_and_nowhere_else(days: int, se: float) -> None:
    margin, p = margin_and_p(float(days), se, RULES_)
    assert (days - margin <= 0 <= days + margin) == (p >= 0.05)
    assert margin >= Z * se - 1e-9
    assert p >= math.erfc(abs(days) / se / math.sqrt(2)) - 1e-12
    assert RULES_.smallest_p <= p <= 1


@pytest.mark.parametrize(("days", "se", "expected"), [
    (42.0, 21.3, (42.0, 0.05)),  # the interval ends on 0: 1.96 × 21.3 = 41.7, rounded up
    (60.0, 21.3, (42.0, 0.0052)),  # 2 Φ(−1.96 × 60 / 42) = 0.00512
    (301.0, 150.0, (310.0, 0.058)),  # 2 Φ(−1.96 × 301 / 300) = 0.0493 would round up to 0.05
    (0.0, 20.0, (40.0, 1.0)),
    (2000.0, 20.0, (40.0, 0.001)),
])
def test_p_is_that_of_the_rounded_margin(days: float, se: float, expected: tuple[float, float]) -> None:
    assert margin_and_p(days, se, RULES_) == expected
