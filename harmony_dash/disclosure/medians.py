"""Protected medians: read from the curve that is shown, so that table and figure say the same.

The exact median is the day of one patient's event, and where the curve is flat around one half it can be years from
where the rounded curve crosses. The median of what is drawn (straight lines between the days of the grid) tells nothing
that the figure does not, and its limits are where the band crosses one half (Brookmeyer, Crowley, Biometrics 38 (1982)
29-41, with the band in place of the exact limits).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.disclosure.results import Curve, Floats
from harmony_dash.disclosure.rounding import round_to_month

_HALF = 0.5


@dataclass(frozen=True)
class ProtectedMedian:
    """Median time and 95 % limits in days, each a whole number of months; None where one half is not reached."""

    days: float | None
    lower: float | None
    upper: float | None


def read_median(curve: Curve) -> ProtectedMedian:
    """The median of a protected curve that falls from 1."""
    return ProtectedMedian(*(_cross(curve.days, heights) for heights in (curve.estimate, curve.lower, curve.upper)))


def _cross(days: Floats, heights: Floats) -> float | None:
    """Where straight lines between the heights first come down to one half, to the nearest month."""
    reached = np.flatnonzero(heights <= _HALF)
    if not len(reached):
        return None
    row = int(reached[0])
    if row == 0:
        return round_to_month(float(days[0]))
    before, after = float(heights[row - 1]), float(heights[row])
    share = (before - _HALF) / (before - after)
    return round_to_month(float(days[row - 1] + share * (days[row] - days[row - 1])))
