from __future__ import annotations

import math

import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.number_needed import number_needed


def test_more_survival_is_a_benefit() -> None:
    found = number_needed(0.1, 0.05, 0.2)
    assert (found.number, found.benefit, found.through_infinity) == (pytest.approx(10), True, False)
    assert found.best == (pytest.approx(5), True)
    assert found.worst == (pytest.approx(20), True)


def test_more_relapses_are_a_harm() -> None:
    found = number_needed(0.04, 0.02, 0.05, more_is_better=False)
    assert (found.number, found.benefit) == (pytest.approx(25), False)
    assert found.best == (pytest.approx(50), False)
    assert found.worst == (pytest.approx(20), False)


def test_an_interval_that_holds_zero_goes_through_infinity() -> None:
    # Altman (1998): -5 % to 25 % is NNTB 4 to infinity to NNTH 20.
    found = number_needed(0.1, -0.05, 0.25)
    assert found.through_infinity
    assert found.best == (pytest.approx(4), True)
    assert found.worst == (pytest.approx(20), False)


def test_no_difference_takes_infinitely_many() -> None:
    assert math.isinf(number_needed(0, -0.1, 0.1).number)
    assert number_needed(0.1, 0, 0.2).worst == (math.inf, True)


@pytest.mark.parametrize("values", [(0.1, float("nan"), 0.2), (0.1, 0.2, 0.3), (0.1, -1.2, 0.2)])
def test_a_difference_without_limits_is_refused(values: tuple[float, float, float]) -> None:
    with pytest.raises(StatisticsError, match="between its limits"):
        number_needed(*values)
