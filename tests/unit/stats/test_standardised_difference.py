"""Standardised difference of two shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.stats.standardised_difference import standardised_difference

_shares = st.floats(0, 1, allow_nan=False)


def test_it_is_that_of_a_calculation_by_hand() -> None:
    # (0.5 − 0.3) / √((0.25 + 0.21) / 2) = 0.2 / 0.47958
    assert standardised_difference(0.5, 0.3) == pytest.approx(0.4170288)
    assert standardised_difference([0.2, 0.0], [0.2, 0.0]).tolist() == [0.0, 0.0]


def test_shares_of_none_and_all_are_infinitely_far_apart_and_an_unknown_one_nowhere() -> None:
    assert standardised_difference(1.0, 0.0) == np.inf
    assert np.isnan(standardised_difference(np.nan, 0.5))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(_shares, _shares)
def test_it_changes_sign_with_the_groups_and_with_the_value_and_its_opposite(one: float, other: float) -> None:
    d = float(standardised_difference(one, other))
    assert float(standardised_difference(other, one)) == -d
    if 1e-6 < one < 1 - 1e-6 and 1e-6 < other < 1 - 1e-6:
        assert float(standardised_difference(1 - one, 1 - other)) == pytest.approx(-d)
    assert (d > 0) == (one > other)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_what_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a share lies from 0 to 1"):
        standardised_difference(share, 0.5)
