"""Keyed rounding: the same patients, the same number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import RULES, Level
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import (
    release_count,
    release_part,
    round_count,
    round_p,
    round_share,
    round_significant,
    round_to_month,
    round_up_significant,
    uniform,
)

DRAW, ROUNDED = 0.3196615927519423, 105
PROTECTED, PUBLIC = Scope(Level.PROTECTED), Scope(Level.PUBLIC)
RULES_ = RULES[Level.PROTECTED]


def test_a_draw_is_known_forever() -> None:
    # Written down: a change of these numbers is a change of every released count, which could then be averaged.
    assert uniform(0x0123456789ABCDEF, 100, "count", Level.PROTECTED) == pytest.approx(DRAW, abs=1e-15)
    assert round_count(KeyedCount(103, 7), PROTECTED) == ROUNDED


def test_draws_differ_by_key_size_statistic_and_level() -> None:
    draws = {uniform(1, 100, "a", Level.PROTECTED), uniform(2, 100, "a", Level.PROTECTED),
             uniform(1, 101, "a", Level.PROTECTED), uniform(1, 100, "b", Level.PROTECTED),
             uniform(1, 100, "a", Level.PUBLIC)}
    assert len(draws) == 5
    assert all(0 <= draw < 1 for draw in draws)


@pytest.mark.parametrize("n", [10, 100, 103, 2145, 99_999])
def test_a_count_is_a_multiple_of_five_at_most_four_away(n: int) -> None:
    for key in range(200):
        rounded = round_count(KeyedCount(n, key), PROTECTED)
        assert rounded % 5 == 0
        assert abs(rounded - n) <= 4


def test_zero_stays_zero_and_is_hidden() -> None:
    assert round_count(KeyedCount(0, 0), PROTECTED) == 0
    assert release_count(KeyedCount(0, 0), PROTECTED) is None


@pytest.mark.parametrize(("n", "protected", "public"), [(9, False, False), (10, True, False), (19, True, False),
                                                        (20, True, True)])
def test_each_level_has_its_threshold(n: int, protected: bool, public: bool) -> None:
    shown = [release_count(KeyedCount(n, 5), scope) is not None for scope in (PROTECTED, PUBLIC)]
    assert shown == [protected, public]


@pytest.mark.parametrize(("part", "of", "shown"), [(40, 100, True), (9, 100, False), (91, 100, False), (90, 100, True)])
def test_a_part_is_shown_if_it_and_the_rest_are_large(part: int, of: int, shown: bool) -> None:
    assert (release_part(KeyedCount(part, 5), of, PROTECTED) is not None) is shown


@pytest.mark.parametrize("count", [0, 5, 1000])
def test_a_number_without_a_key_cannot_leave(count: int) -> None:
    with pytest.raises(TypeError, match="key"):
        release_count(count, PROTECTED)
    with pytest.raises(TypeError, match="key"):
        release_part(count, 2000, PROTECTED)


def test_shares_are_whole_per_cents_with_a_decimal_of_a_large_whole() -> None:
    assert round_share(1230, 3995, RULES_) == 0.31
    assert round_share(1230, 4000, RULES_) == 0.307
    assert round_share(105, 100, RULES_) == 1.0


@pytest.mark.parametrize(("p", "given"), [(0.04321, 0.043), (0.6, 0.6), (0.00101, 0.0011), (0.001, 0.0011),
                                          (0.000999, 0.001), (1e-40, 0.001), (1.0, 1.0)])
def test_p_has_two_digits_and_a_floor_of_its_own(p: float, given: float) -> None:
    assert round_p(p, RULES_) == given
    assert math.isnan(round_p(math.nan, RULES_))


def test_statistics_have_two_digits_and_times_whole_months() -> None:
    assert [round_significant(value, RULES_) for value in (61.23, 0.01234, 0.0, 1234)] == [61, 0.012, 0.0, 1200]
    assert round_to_month(400) == round(13 * 30.4375, 4)
    assert round_to_month(10) == 0


@pytest.mark.parametrize(("value", "given"), [(61.23, 62), (0.01234, 0.013), (12, 12), (0.0996, 0.1), (9.901, 10),
                                              (0.0, 0.0), (math.inf, math.inf)])
def test_an_error_is_rounded_up(value: float, given: float) -> None:
    assert round_up_significant(value, RULES_) == given


def test_the_largest_draw_is_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class AllOnes:
        def digest(self) -> bytes:
            return b"\xff" * 8

    monkeypatch.setattr("harmony_dash.disclosure.rounding.blake2b", lambda *_, **__: AllOnes())
    assert uniform(1, 1, "", Level.PROTECTED) < 1
    assert round_count(KeyedCount(10, 1), PROTECTED) == 10  # floor(5u) is 4, not 5


def test_rounding_is_unbiased_for_every_remainder() -> None:
    rng = np.random.default_rng(4)
    for n in range(50, 55):
        keys = rng.integers(0, 2**64, 4000, dtype=np.uint64).tolist()
        errors = [round_count(KeyedCount(n, key), PROTECTED) - n for key in keys]
        assert abs(np.mean(errors)) < 0.15
