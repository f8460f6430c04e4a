"""What diagnostics tell when single patients must not be told of."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.protect_what_if_diagnostics import protect_diagnostics
from harmony_dash.disclosure.released import Level, Scope
from harmony_dash.disclosure.rounding import round_count
from harmony_dash.disclosure.what_if_diagnostics import (
    ArmDiagnostics,
    Balance,
    Diagnostics,
    MissingConfounder,
    Sensitivity,
)
from harmony_dash.disclosure.what_if_results import Contrast, Measure, Method
from harmony_dash.disclosure.what_if_steps import Drawn

SCOPE = Scope(Level.PROTECTED)
RULES = SCOPE.rules
SIZES = st.integers(30, 400)
KEYS = st.integers(1, 2**64 - 1)
ANSWER = Contrast(Method.STANDARDISED, Measure.SURVIVAL, "efs", 1826, -0.04, -0.08, -0.01)


def make_main(first: int = 200, second: int = 45, key: int = 7919) -> Drawn:
    arms = {"standard": KeyedCount(first, key), "reduced": KeyedCount(second, key ^ 12345)}
    return Drawn("efs", (0, 91), arms, 1826, 10)


def protect(found: Diagnostics, main: Drawn | None = None) -> Diagnostics:
    return protect_diagnostics(found, main or make_main(), ANSWER, SCOPE)


def test_arms_that_may_not_be_drawn_have_no_diagnostics() -> None:
    found = Diagnostics((ArmDiagnostics("standard", 100, 0.1),), 0.9, weights="inverse")
    assert protect_diagnostics(found, None, ANSWER, SCOPE) == Diagnostics(weights="inverse")


@given(SIZES, SIZES, KEYS)
@settings(max_examples=60, deadline=None)
def test_equal_weights_do_not_give_the_size_of_an_arm_away(first: int, second: int, key: int) -> None:
    """Effective size and largest weight would be n and 1/n."""
    main = make_main(first, second, key)
    arms = tuple(ArmDiagnostics(name, float(int(n)), 1 / int(n)) for name, n in main.arms.items())
    for arm, n in zip(protect(Diagnostics(arms), main).arms, main.arms.values(), strict=True):
        rounded = round_count(n, SCOPE)
        assert arm.effective_size == rounded
        assert arm.largest_share == float(f"{1 / rounded:.2g}")


@pytest.mark.parametrize(("fewest", "shown"), [(0, False), (1, False), (9, False), (10, True), (20, True)])
def test_a_covariate_that_few_of_an_arm_have_is_left_out(fewest: int, shown: bool) -> None:
    found = protect(Diagnostics(balance=(Balance("a marker: positive", 0.3, 0.02, fewest),)))
    assert bool(found.balance) is shown


@given(st.floats(-3, 3), st.integers(10, 22), KEYS)
@settings(max_examples=80, deadline=None)
def test_balance_stands_on_steps_of_five_patients(value: float, fewest: int, key: int) -> None:
    main = make_main(key=key)
    (one,) = protect(Diagnostics(balance=(Balance("x", value, value, fewest),)), main).balance
    height = step_height(main.smaller(SCOPE), RULES) / math.sqrt(fewest / main.smaller(SCOPE))
    assert one.before == one.after
    assert abs(one.before - value) <= height / 2 + 1e-9
    # five patients of the smaller arm move the mean of an indicator of so many by less than that
    share = fewest / 45
    assert height >= 0.8 * 5 / 45 * (1 - share) / math.sqrt(share * (1 - share))
    assert one.fewest == 0


@given(st.integers(10, 36), KEYS)
@settings(max_examples=60, deadline=None)
def test_counts_that_differ_by_one_mostly_look_alike(count: int, key: int) -> None:
    """The difference of means of count and of count + 1 of 45 patients stands on the same or on the next step."""
    main = make_main(key=key)

    def read(n: int) -> float:
        share = n / 45
        smd = (share - 0.3) / math.sqrt((share * (1 - share) + 0.21) / 2)
        (one,) = protect(Diagnostics(balance=(Balance("x", smd, smd, min(count, 45 - count)),)), main).balance
        return one.before

    if min(count, 45 - count) < 10:
        return
    step = step_height(main.smaller(SCOPE), RULES) / math.sqrt(min(count, 45 - count) / main.smaller(SCOPE))
    assert round((read(count + 1) - read(count)) / step) in (0, 1)


@pytest.mark.parametrize("without", [0, 1, 5, 9, 236, 245])
def test_few_or_nearly_all_without_a_value_are_not_told_apart_from_none(without: int) -> None:
    found = protect(Diagnostics(missing=(MissingConfounder("wbc_dx", "White cells", without / 245, "filled in"),)))
    assert found.missing == (MissingConfounder("wbc_dx", "White cells", None, "filled in"),)


def test_a_share_without_a_value_stands_on_steps() -> None:
    (one,) = protect(Diagnostics(missing=(MissingConfounder("wbc_dx", "White cells", 60 / 245, "filled in"),))).missing
    assert one.share is not None
    assert one.share != 60 / 245
    assert abs(one.share - 60 / 245) <= 2.6 / 240


def test_common_support_stands_on_steps_of_all_patients() -> None:
    shown = protect(Diagnostics(common_support=233 / 245)).common_support
    assert shown is not None and shown != 233 / 245
    assert abs(shown - 233 / 245) <= 2.6 / 240


def test_a_change_is_that_of_the_numbers_shown() -> None:
    found = Diagnostics(sensitivity=(Sensitivity("MRD", 0.0123456, 0.0523456),))
    (one,) = protect(found).sensitivity
    assert one.change == pytest.approx(one.estimate - ANSWER.estimate, abs=1e-12)
    assert protect_diagnostics(found, make_main(), None, SCOPE).sensitivity == ()
