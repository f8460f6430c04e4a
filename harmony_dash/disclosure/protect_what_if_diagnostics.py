"""What is told of overlap, balance and weights when single patients must not be.

Everything is a share of patients in steps of about five of them. An effective size or a weight is told relative to the
size of the arm, because with equal weights it would be that size; a covariate that few patients of an arm have, or all
but a few, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import round_count, round_significant, round_up_significant
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

_DECIMALS = 12


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
        common_support=None if found.common_support is None else _protect_share(
            found.common_support, main.both, "what-if common support", scope),
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
    rounded = round_count(n, scope)
    base = scope.rules.rounding_base / 100
    share = base * round(arm.effective_size / int(n) / base)
    # With equal weights these are n and 1/n of the exact number of patients.
    largest = round_up_significant(arm.largest_share * int(n), scope.rules) / rounded
    return replace(arm, effective_size=float(round(share * rounded)),
                   largest_share=min(1.0, round_significant(largest, scope.rules)))


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
    """Differences of means in steps of about five patients of the smaller arm.

    One patient of n moves the mean of a value that a share f of them has by 1/n, which is at most 1/(n √f) standard
    deviations. Before and after weighing share their phase: with equal weights they are one number.
    """
    smaller = main.smaller(scope)
    height = step_height(smaller, scope.rules) / math.sqrt(min(1.0, one.fewest / smaller))
    before, after = (round_open(value, height, main.both, f"what-if balance {one.name}", scope)
                     for value in (one.before, one.after))
    return replace(one, before=before, after=after, fewest=0)


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
