"""Attack C: the curve of a group, and the curve of the same group with one patient more. When did that patient die?

The plain attack looks for the first day on which the two curves part. A curve with a keyed phase parts from the start,
so this finds what a blind guess finds. Two stronger ones are measured beside it: the quarter in which the second curve
falls most against the first, and the day on which one more death fits the whole difference best. They do find more
than a blind guess, because they average the rounding of many quarters: **rounding curves alone does not hide one
patient** from somebody who can compare two groups that differ by that patient. The low-effect rule is what keeps people
from making that comparison.

A guess counts if it is at most 90 days off; the target dies on any day of the eight years of follow-up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import Curve
from harmony_dash.stats.event_table import EventTable
from tests.disclosure.answers import answer, make_days, make_keys

SIZES = (50, 200, 1000)
TARGETS = 400
NEAR_DAYS = 90
FOLLOWED_YEARS = 8
_SCOPE = Scope(Level.PROTECTED)


def draw(days: NDArray[np.int64], cause: NDArray[np.int64], keys: NDArray[np.uint64]) -> Curve:
    table = EventTable.from_patients(days, cause, group=np.full(len(days), "all"), causes=("death",), record_keys=keys)
    return release(answer(table), _SCOPE).value.groups[0].curve


def first_difference(without: Curve, with_target: Curve) -> float:
    end = min(len(without.days), len(with_target.days))
    parted = np.flatnonzero(np.abs(with_target.estimate[:end] - without.estimate[:end]) > 1e-6)
    return float(without.days[parted[0]]) if len(parted) else -np.inf


def steepest_quarter(without: Curve, with_target: Curve) -> float:
    end = min(len(without.days), len(with_target.days))
    fall = np.diff(with_target.estimate[:end] - without.estimate[:end])
    quarter = int(np.argmin(fall))
    return float(without.days[quarter] + without.days[quarter + 1]) / 2


def best_fit(without: Curve, with_target: Curve) -> float:
    """One more patient in n lifts the curve by (1 − S) / n until the death and lowers it by S / n afterwards."""
    end = min(len(without.days), len(with_target.days))
    days, survival = without.days[:end], without.estimate[:end]
    seen = with_target.estimate[:end] - survival
    candidates = np.arange(45, days[-1], 30)
    alive = days[None, :] < candidates[:, None]
    expected = np.where(alive, 1 - survival, -survival)
    # The attacker need not know n: the best multiple of each shape is taken, if it is one that adds a patient.
    size = np.maximum(0, (expected * seen).sum(axis=1) / np.maximum(1e-12, (expected**2).sum(axis=1)))
    loss = ((seen - size[:, None] * expected) ** 2).sum(axis=1)
    return float(candidates[int(np.argmin(loss))])


# The first is the figure that is promised; the others are there to notice when it gets worse.
CEILINGS: Mapping[Callable[[Curve, Curve], float], float] = MappingProxyType({
    first_difference: 0.10, steepest_quarter: 0.25, best_fit: 0.45})


def attack(n: int, targets: int = TARGETS) -> dict[str, float]:
    """The share of targets whose time of death each of the three finds in a group of n."""
    rng = np.random.default_rng(n)
    found = dict.fromkeys(CEILINGS, 0)
    for _ in range(targets):
        days, cause = make_days(n, rng, yearly_hazard=0.25, followed_years=FOLLOWED_YEARS)
        keys = make_keys(n + 1, rng)
        without = draw(days, cause, keys[:n])
        target = int(rng.integers(1, 365.25 * FOLLOWED_YEARS))
        with_target = draw(np.append(days, target), np.append(cause, 1), keys)
        for guess in found:
            found[guess] += abs(guess(without, with_target) - target) <= NEAR_DAYS
    return {guess.__name__: count / targets for guess, count in found.items()}
