"""What is told of overlap, balance and weights when single patients must not be.

Shares are told in steps of about five patients; a covariate that few patients of an arm have, or all but a few, is left
out. A patient who is unlike all others stretches a mean, and may carry many times the weight of another one. So the
means of columns before weighing are those of winsorised values, and what hangs on weights, or on who comes first and
last, is told as a limit that holds: the verdict says on which side of its limits it lies anyway.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import round_count
from harmony_dash.disclosure.what_if_diagnostics import (
    ArmDiagnostics,
    Balance,
    Diagnostics,
    MissingConfounder,
    PropensityBin,
    Sensitivity,
)
from harmony_dash.disclosure.what_if_results import Contrast
from harmony_dash.disclosure.what_if_steps import Drawn, on_steps, round_open
from harmony_dash.stats.refusal import Limit, Thresholds

_DECIMALS = 12
_LIMITS: Final = Thresholds()
# Parts of an arm that an effective size is told to reach: a heavy patient moves it, and seldom by so much.
_PARTS: Final = 4


def protect_diagnostics(found: Diagnostics, main: Drawn | None, answer: Contrast | None, scope: Scope) -> Diagnostics:
    """The diagnostics of arms that may be drawn; nothing of others.

    Parameters
    ----------
    main : the patients they are of; None where a curve of them may not be drawn.
    answer : the difference of method A as it is shown; None if it is not.
    """
    if main is None:
        return Diagnostics(weights=found.weights)
    return replace(
        found, arms=tuple(_protect_arm(arm, n, scope) for arm, n in zip(found.arms, main.arms.values(), strict=False)),
        common_support=None if found.common_support is None else _limit_reached(found.common_support,
                                                                                _LIMITS.common_support),
        support_is_bound=found.common_support is not None,
        propensity=tuple(_protect_bin(one, main, scope) for one in found.propensity),
        balance=tuple(_protect_balance(one, main, scope) for one in found.balance if shows_balance(one, scope.rules)),
        sensitivity=() if answer is None else tuple(_protect_sensitivity(one, main, answer, scope)
                                                    for one in found.sensitivity),
        missing=tuple(_protect_missing(one, main.both, scope) for one in found.missing))


def shows_balance(one: Balance, rules: Rules) -> bool:
    """Whether a covariate is told of: enough patients of each arm have it, and enough do not."""
    return one.fewest >= rules.minimum_cell


def names_of_balance(found: Iterable[Balance], main: Drawn | None, rules: Rules) -> frozenset[str]:
    """The covariates that a reason may name."""
    return frozenset() if main is None else frozenset(one.name for one in found if shows_balance(one, rules))


def _protect_arm(arm: ArmDiagnostics, n: KeyedCount, scope: Scope) -> ArmDiagnostics:
    """Limits that hold: those of the verdict, and quarters of the arm, never all of it, which equal weights would give.

    A patient k times as heavy as others of n makes the effective size smaller by about a share k²/n: of a number, even
    a rounded one, that could be read.
    """
    part = min(_PARTS - 1, math.floor(_PARTS * arm.effective_size / int(n))) / _PARTS
    base = scope.rules.rounding_base
    of_arm = base * math.floor(part * max(0, round_count(n, scope) - scope.rules.most_error) / base)
    return replace(arm, effective_size=max(float(of_arm), _limit_reached(arm.effective_size, _LIMITS.effective_size)),
                   largest_share=_limit_kept(arm.largest_share, _LIMITS.largest_share) or 1.0, bounds=True)


def _limit_reached(value: float, limit: Limit) -> float:
    """The highest limit of the verdict that the value reaches; 0 if none."""
    return max((one for one in (limit.amber, limit.refused) if one is not None and value >= one), default=0.0)


def _limit_kept(value: float, limit: Limit) -> float | None:
    """The lowest limit of the verdict that the value stays below; None if none."""
    return min((one for one in (limit.amber, limit.refused) if one is not None and value < one), default=None)


def _protect_share(share: float, patients: KeyedCount, statistic: str, scope: Scope) -> float:
    steps = Steps.of(patients, round_count(patients, scope), statistic, scope)
    return float(steps.middle(np.array([share]))[0])


def _protect_bin(one: PropensityBin, main: Drawn, scope: Scope) -> PropensityBin:
    """Shares of each arm in steps of about five patients of the smaller one; none for a bin with few."""
    shares: list[float | None] = []
    for place, (share, count) in enumerate(zip(one.shares, one.counts, strict=True)):
        steps = Steps.of(main.both, main.smaller(scope), f"what-if propensity {place} {one.lower:g}", scope)
        shares.append(None if share is None or count < scope.rules.minimum_cell
                      else float(steps.middle(np.array([share]))[0]))
    return replace(one, shares=(shares[0], shares[1]), counts=(0, 0))


def _protect_balance(one: Balance, main: Drawn, scope: Scope) -> Balance:
    """The difference before weighing in steps of about five patients of the smaller arm, weighted ones as a limit.

    Whatever value one patient of the same set has, the number shown moves by one step at most. A patient of an arm of n
    who is z standard deviations from its mean moves the mean by z/n. The values are winsorised, so that z is at most
    `reach` whoever it is, and the step is `reach`, rounded up to a power of two, times 5/n: a move from one end to the
    other is two fifths of it. Rounding up keeps the step from telling how far the farthest are. What the values of ten
    patients may do, drawing the ends themselves, is more.
    """
    height = step_height(main.smaller(scope), scope.rules) * 2 ** max(0, math.ceil(math.log2(max(1.0, one.reach))))
    before = round_open(one.winsorised, height, main.both, f"what-if balance {one.name}", scope)
    return replace(one, before=before, after=None, fewest=0, winsorised=0.0, reach=0.0,
                   after_below=_limit_kept(abs(one.after or 0.0), _LIMITS.imbalance))


def _protect_sensitivity(one: Sensitivity, main: Drawn, answer: Contrast, scope: Scope) -> Sensitivity:
    estimate = on_steps(one.estimate, main.difference_steps(scope).middle)
    return replace(one, estimate=estimate, change=round(estimate - answer.estimate, _DECIMALS))


def _protect_missing(one: MissingConfounder, patients: KeyedCount, scope: Scope) -> MissingConfounder:
    """None of few, which includes nobody, and of all but a few."""
    if one.share is None:
        return one
    without = round(one.share * int(patients))
    if min(without, int(patients) - without) < scope.rules.minimum_cell:
        return replace(one, share=None)
    return replace(one, share=_protect_share(one.share, patients, f"what-if missing {one.variable}", scope))
