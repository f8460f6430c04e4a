"""What may be drawn of one outcome of a comparison of treatments, and on which heights its numbers stand.

A curve of an arm hangs on the patients of that arm and on its outcome, and on neither method nor the other arm: several
methods that agree, or comparisons with several other arms, are then one reading and not many of the same curve. For the
same reason all differences of an outcome between the same patients stand on the same steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.what_if_question import CAUSES_ENDPOINT
from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.protect_survival import curve_statistic
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import Floats
from harmony_dash.disclosure.rounding import round_count, uniform
from harmony_dash.disclosure.what_if_results import ComparedArm, ComparedPatients

_DECIMALS = 12


@dataclass(frozen=True)
class Drawn:
    """What may be drawn of one outcome.

    Attributes
    ----------
    outcome : its name.
    days : of the grid, from the first one on; none where an arm does not carry a curve.
    arms : value to patients of each arm, the reference first.
    horizon_days, events : the day of the differences, and the events by then in the arm with fewer.
    """

    outcome: str
    days: tuple[int, ...]
    arms: dict[str, KeyedCount]
    horizon_days: int
    events: int

    @classmethod
    def of(cls, patients: ComparedPatients, scope: Scope) -> Drawn:
        """Days with enough at risk in both arms, as far as none is left out.

        Raises
        ------
        TypeError for counts without keys.
        """
        n = {arm.arm: keyed_patients(arm.n) for arm in patients.arms}
        events = [keyed_patients(arm.events) for arm in patients.arms]
        rules = scope.rules
        days: list[int] = []
        carried = all(rules.carries_curve(int(size), int(some)) and size - some >= rules.minimum_cell
                      for size, some in zip(n.values(), events, strict=True))
        if carried and not patients.reason:
            for place, day in enumerate(_grid(patients.arms[0])):
                if any((_at_risk(arm, place) or 0) < rules.minimum_at_risk for arm in patients.arms):
                    break
                days.append(day)
        by_horizon = min(int(arm.events_by_horizon or 0) for arm in patients.arms)
        return cls(patients.outcome, tuple(days), n, patients.horizon_days, by_horizon)

    @property
    def both(self) -> KeyedCount:
        """The patients of both arms."""
        return union(self.arms.values())

    def curve_steps(self, arm: str, scope: Scope) -> Steps:
        """The heights of every curve of an arm; those of the survival page where the patients are the same."""
        n = self.arms[arm]
        return Steps.of(n, round_count(n, scope), _curve_name(self.outcome), scope)

    def difference_steps(self, scope: Scope) -> Steps:
        """The heights of every difference of the outcome between the arms."""
        return difference_steps(self.outcome, tuple(self.arms.values()), scope)

    def height_of(self, arm: str, scope: Scope) -> float:
        """The step of an arm's curves."""
        return step_height(round_count(self.arms[arm], scope), scope.rules)

    def smaller(self, scope: Scope) -> int:
        """The rounded size of the smaller arm."""
        return max(1, min(round_count(n, scope) for n in self.arms.values()))


def difference_steps(outcome: str, arms: tuple[KeyedCount, ...], scope: Scope) -> Steps:
    """The heights of differences of an outcome between arms: of the smaller one, by the patients of both."""
    return Steps.of(union(arms), max(1, min(round_count(n, scope) for n in arms)), f"what-if {outcome} difference",
                    scope)


def on_steps(value: float, place: Callable[[Floats], Floats]) -> float:
    """A difference on the steps of a share; twice as wide, because it goes from -1 to 1."""
    return round(2 * float(place(np.array([(value + 1) / 2]))[0]) - 1, _DECIMALS)


def round_open(value: float, height: float, patients: KeyedCount, statistic: str, scope: Scope) -> float:
    """A number without ends at the middle of its step, the phase hanging on the patients as that of a curve does."""
    phase = uniform(patients.key, int(patients), statistic, scope.level)
    return round(height * (math.floor(value / height + phase) + 0.5 - phase), _DECIMALS)


def keyed_patients(count: int | None) -> KeyedCount:
    """The count, if it says which patients it counts.

    Raises
    ------
    TypeError without a key.
    """
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count


def _curve_name(outcome: str) -> str:
    causes = endpoint_named(CAUSES_ENDPOINT)
    if outcome == causes.causes[0]:
        return curve_statistic(causes, outcome)
    if outcome in causes.causes:
        # all that competes, which is not what the survival page calls by the name of the first
        return curve_statistic(causes, "+".join(causes.causes[1:]))
    return curve_statistic(endpoint_named(outcome), "")


def _grid(arm: ComparedArm) -> tuple[int, ...]:
    return () if arm.on_grid is None else arm.on_grid.days


def _at_risk(arm: ComparedArm, place: int) -> int | None:
    return None if arm.on_grid is None else arm.on_grid.at_risk[place]
