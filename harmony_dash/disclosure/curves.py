"""Curves that may be shown: read on the quarterly grid, cut while ten are at risk, rounded to about five patients.

Formula
    With n' the rounded size of the group, d = max(0.001, 5/n') and u the group's draw for this curve,
    S' = d (⌊S/d + u⌋ + 1/2 − u), cut to 0 and 1. The error is at most d/2, the map does not fall, so that a falling
    curve stays one, and a step appears where the draw puts it, not where an event was. Confidence limits go to the
    edges of their steps, L' = d (⌊L/d + u⌋ − u) ≤ L and U' = d (⌊U/d + u⌋ + 1 − u) ≥ U: at the middle of the step they
    would miss the truth more often than they say. They tell which step they are on and nothing more.

Method: rounding with a random phase ("subtractive dithering": Roberts, IRE Transactions on Information Theory 8 (1962)
145-154; Gray, Stockham, IEEE Transactions on Information Theory 39 (1993) 805-812), with a keyed phase a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import Curve, EstimateAt, Floats, IntervalType
from harmony_dash.disclosure.rounding import uniform
from harmony_dash.stats.intervals import probability_interval

LEVEL_OF_INTERVALS = 0.95
# Below it a rounded height is a matter of floating point.
_DECIMALS = 12


@dataclass(frozen=True)
class Steps:
    """The heights a rounded curve can have: (i + 1/2 − phase) × height for whole i, and half a step off for limits."""

    height: float
    phase: float

    @classmethod
    def of(cls, patients: KeyedCount, rounded: int, statistic: str, scope: Scope) -> Steps:
        """The steps of one curve of one group; the same patients and statistic always give the same."""
        if not isinstance(patients, KeyedCount):
            raise TypeError("a curve of patients without a key cannot be released")
        return cls(step_height(rounded, scope.rules),
                   uniform(patients.key, int(patients), statistic, scope.level))

    def middle(self, shares: Floats) -> Floats:
        """Each share at the middle of its step, not outside 0 and 1; NaN stays."""
        return self._place(shares, 0.5)

    def below(self, shares: Floats) -> Floats:
        """The lower edge of each share's step, for lower limits."""
        return self._place(shares, 0.0)

    def above(self, shares: Floats) -> Floats:
        """The upper edge of each share's step, for upper limits."""
        return self._place(shares, 1.0)

    def _place(self, shares: Floats, part: float) -> Floats:
        rounded = self.height * (np.floor(shares / self.height + self.phase) + part - self.phase)
        return np.asarray(np.clip(rounded, 0.0, 1.0).round(_DECIMALS))


def find_support(curve: Curve, days: Sequence[int], at_risk: Sequence[int | None], rules: Rules) -> tuple[int, ...]:
    """From the first day of a curve on, the days with enough patients at risk, as far as none is left out.

    Parameters
    ----------
    curve : the exact curve; it starts on a day of the grid, and ends at the horizon if there is one.
    days, at_risk : days of the grid and the patients at risk on them.

    Raises
    ------
    ValueError if the curve starts between two days of the grid: its first day would be told.
    """
    if not len(curve.days):
        return ()
    start = float(curve.days[0])
    if start not in GRID:
        raise ValueError("a protected curve starts on a day of the grid")
    shown = []
    for day, n in zip(days, at_risk, strict=True):
        if day < start:
            continue
        if day > curve.days[-1] or n is None or n < rules.minimum_at_risk:
            break
        shown.append(day)
    return tuple(shown)


def protect_curve(curve: Curve, support: Sequence[int], steps: Steps, patients: int, *, interval: IntervalType,
                  on_first_day: bool) -> Curve:
    """A curve as it may be shown.

    Parameters
    ----------
    curve : the exact curve, falling from 1 or rising from 0.
    support : the days on which it is shown, from `find_support`.
    steps : the heights it can have.
    patients : size of the group, for the interval where nobody has had the event.
    interval : how the exact intervals were made.
    on_first_day : whether the endpoint counts events on the first day itself; the curve then has two values there.
        What the data hold does not decide it.

    Returns
    -------
    Curve without numbers at risk.
    """
    if not support:
        nothing = np.zeros(0)
        return Curve(nothing, nothing, nothing, nothing, nothing)
    start = float(curve.estimate[0])
    days = np.asarray(support, dtype=np.float64)
    rows = np.searchsorted(curve.days, days, side="right") - 1
    estimate = curve.estimate[rows]
    lower, upper = _complete_interval(estimate, curve.lower[rows], curve.upper[rows], patients, interval)
    columns = [steps.middle(estimate), steps.below(lower), steps.above(upper)]
    if not on_first_day:
        days, columns = days[1:], [column[1:] for column in columns]
    # On the first day the curve is what it is by definition, and so is its band.
    estimate, lower, upper = (np.concatenate([[start], column]) for column in columns)
    return Curve(np.concatenate([[float(support[0])], days]), estimate, lower, upper, np.full(len(days) + 1, np.nan))


def _complete_interval(estimate: Floats, lower: Floats, upper: Floats, patients: int, interval: IntervalType,
                       ) -> tuple[Floats, Floats]:
    """The limits, where there are none those of a curve one event away from its end.

    A curve has no interval before the first event, and a gap in the band would tell that nobody has had it. So nobody
    and one patient look alike.
    """
    lower, upper = lower.copy(), upper.copy()
    missing = ~(np.isfinite(lower) & np.isfinite(upper))
    if missing.any():
        one = 1 / max(2, patients)
        near = np.array([one, 1 - one])
        low, high = probability_interval(near, np.sqrt(near * (1 - near) / max(2, patients)), interval.value,
                                         LEVEL_OF_INTERVALS)
        bottom, top = missing & (estimate < 0.5), missing & (estimate >= 0.5)
        lower[bottom], upper[bottom] = 0.0, high[0]
        lower[top], upper[top] = low[1], 1.0
    return np.minimum(lower, estimate), np.maximum(upper, estimate)


def with_numbers_at_risk(curve: Curve, days: Sequence[int], at_risk: Sequence[int | None]) -> Curve:
    """The curve with the numbers of the risk table on its days, and no others."""
    known = {float(day): float(n) for day, n in zip(days, at_risk, strict=True) if n is not None}
    return replace(curve, at_risk=np.array([known.get(float(day), np.nan) for day in curve.days]))


def fit_together(survival: Curve, incidences: Sequence[Curve]) -> tuple[Curve, tuple[Curve, ...]]:
    """Event-free part and causes so that they do not add up to more than 1.

    Each was rounded by itself. The causes are what people look at and stay as they are, except that all of them stop
    where together they would pass 1 (which takes a group that has nearly died out); the event-free part gives way. It
    may then be more than half a step from the exact one, and so may a cause that was stopped; their limits contain the
    exact ones all the same. Figures, tables and words of competing endpoints tell the causes: how far they say
    estimates may be off is not said of the event-free part, and no median or restricted mean is read from what it gave.
    """
    if not incidences or not len(survival.days):
        return survival, tuple(incidences)
    total = np.sum([curve.estimate for curve in incidences], axis=0)
    kept = tuple(incidences)
    passed = np.flatnonzero(total > 1)
    if len(passed):
        stop = int(passed[0])
        kept = tuple(_hold_from(curve, stop) for curve in incidences)
        total = np.sum([curve.estimate for curve in kept], axis=0)
    rest = np.round(np.minimum(survival.estimate, np.maximum(0.0, 1 - total)), _DECIMALS)
    return replace(survival, estimate=rest, lower=np.minimum(survival.lower, rest)), kept


def _hold_from(curve: Curve, stop: int) -> Curve:
    """The curve kept level from a row on. Its band is not: the limits are those of what was estimated."""
    estimate = np.concatenate([curve.estimate[:stop], np.full(len(curve.estimate) - stop,
                                                              curve.estimate[max(0, stop - 1)])])
    return replace(curve, estimate=estimate, lower=np.minimum(curve.lower, estimate))


def read_protected(curve: Curve, day: int, at_risk: int | None) -> EstimateAt:
    """A protected curve read off on a day of the grid, which the reading names; no estimate beyond the curve."""
    if not len(curve.days) or not curve.days[0] <= day <= curve.days[-1]:
        return EstimateAt(day, None, None, None, at_risk)
    row = int(np.searchsorted(curve.days, day, side="right")) - 1
    values = [float(column[row]) for column in (curve.estimate, curve.lower, curve.upper)]
    # On its first day a curve is what it is by definition.
    limits = values[1:] if row else [None, None]
    return EstimateAt(day, values[0], limits[0], limits[1], at_risk)


def area_under(curve: Curve, until: int) -> float:
    """The area under a protected curve from its first day to a day of the grid, in days (trapezoids)."""
    inside = curve.days <= until
    return float(np.trapezoid(curve.estimate[inside], curve.days[inside]))
