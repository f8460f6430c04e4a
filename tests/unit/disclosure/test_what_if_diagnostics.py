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
        quarters = 5 * math.floor(0.75 * (round_count(n, SCOPE) - RULES.most_error) / 5)
        assert arm.effective_size == max(quarters, 50 if int(n) >= 50 else 30)
        assert arm.largest_share == 0.1
        assert arm.bounds


@given(SIZES, KEYS, st.floats(0.01, 1), st.floats(0.003, 1))
@settings(max_examples=100, deadline=None)
def test_limits_of_weights_hold_and_are_few(n: int, key: int, share: float, largest: float) -> None:
    main = make_main(n, 45, key)
    arms = (ArmDiagnostics("standard", share * n, largest), ArmDiagnostics("reduced", 45, 0.03))
    shown, _ = protect(Diagnostics(arms), main).arms
    assert shown.effective_size <= share * n
    assert shown.effective_size in (0, 30, 50) or shown.effective_size % 5 == 0
    assert largest < shown.largest_share or shown.largest_share == 1
    assert shown.largest_share in (0.1, 0.2, 1)


def test_weights_of_one_patient_are_told_by_the_limits_of_the_verdict_alone() -> None:
    """A weight of 9 % of an arm and one of 1 %, effective sizes of 140 and of 120 of 160: the same is shown."""
    light, heavy = (protect(Diagnostics((ArmDiagnostics("standard", size, share),), 0.97), make_main(160))
                    for size, share in ((140, 0.01), (120.1, 0.09)))
    assert light == heavy
    assert light.arms[0].effective_size in (110, 115)


@pytest.mark.parametrize(("fewest", "shown"), [(0, False), (1, False), (9, False), (10, True), (20, True)])
def test_a_covariate_that_few_of_an_arm_have_is_left_out(fewest: int, shown: bool) -> None:
    found = protect(Diagnostics(balance=(Balance("a marker: positive", 0.3, 0.02, fewest, winsorised=0.3, reach=2),)))
    assert bool(found.balance) is shown


@given(st.floats(-3, 3), st.floats(0.5, 12), KEYS)
@settings(max_examples=80, deadline=None)
def test_balance_stands_on_steps_of_five_patients(value: float, reach: float, key: int) -> None:
    main = make_main(key=key)
    (one,) = protect(Diagnostics(balance=(Balance("x", 7, 0.02, 20, winsorised=value, reach=reach),)), main).balance
    step = step_height(main.smaller(SCOPE), RULES)
    height = step * next(power for power in (1, 2, 4, 8, 16) if power >= reach)
    assert abs(one.before - value) <= height / 2 + 1e-9
    # four patients of the smaller arm as far away as anybody
    assert height >= 4 * reach / 45
    assert (one.fewest, one.winsorised, one.reach) == (0, 0, 0)


@pytest.mark.parametrize(("after", "below"), [(0.0, 0.1), (-0.0999, 0.1), (0.1, 0.2), (-0.19, 0.2), (0.2, None),
                                              (3, None)])
def test_weighted_differences_are_told_by_the_limits_of_the_verdict_alone(after: float, below: float | None) -> None:
    (one,) = protect(Diagnostics(balance=(Balance("x", 0.3, after, 20, winsorised=0.3, reach=2),))).balance
    assert (one.after, one.after_below) == (None, below)


@given(st.integers(10, 36), KEYS)
@settings(max_examples=60, deadline=None)
def test_counts_that_differ_by_one_mostly_look_alike(count: int, key: int) -> None:
    """The difference of means of count and of count + 1 of 45 patients stands on the same or on the next step."""
    main = make_main(key=key)

    def read(n: int) -> float:
        share = n / 45
        smd = (share - 0.3) / math.sqrt((share * (1 - share) + 0.21) / 2)
        (one,) = protect(Diagnostics(balance=(Balance("x", smd, smd, 10, winsorised=smd, reach=1.9),)), main).balance
        return one.before

    step = 2 * step_height(main.smaller(SCOPE), RULES)
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


@pytest.mark.parametrize(("share", "shown"), [(1.0, 0.9), (0.9, 0.9), (0.89, 0.8), (0.8, 0.8), (0.79, 0.0)])
def test_common_support_is_told_by_the_limits_of_the_verdict_alone(share: float, shown: float) -> None:
    """Between the first and the last patient of an arm: one who is unlike all others moves either of them far."""
    found = protect(Diagnostics(common_support=share))
    assert (found.common_support, found.support_is_bound) == (shown, True)
    assert not protect(Diagnostics()).support_is_bound


def test_a_change_is_that_of_the_numbers_shown() -> None:
    found = Diagnostics(sensitivity=(Sensitivity("MRD", 0.0123456, 0.0523456),))
    (one,) = protect(found).sensitivity
    assert one.change == pytest.approx(one.estimate - ANSWER.estimate, abs=1e-12)
    assert protect_diagnostics(found, make_main(), None, SCOPE).sensitivity == ()
