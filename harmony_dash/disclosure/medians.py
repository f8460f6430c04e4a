"""Protected medians: read from the curve that is shown, so that table and figure say the same.

The exact median is the day of one patient's event, and where the curve is flat around one half it can be years from
where the rounded curve crosses, or not exist. So the median of what is drawn (straight lines between the days of the
grid) is given only where the quarter in which the exact curve comes down to one half is certain. Its limits are where
the band crosses one half (Brookmeyer, Crowley, Biometrics 38 (1982) 29-41, with the band in place of the exact limits):
the days of the grid before and after, outward. All of it tells nothing that the figure does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from harmony_dash.disclosure.policy import DAYS_PER_MONTH
from harmony_dash.disclosure.results import Curve, Floats
from harmony_dash.disclosure.rounding import round_to_month

_HALF = 0.5


@dataclass(frozen=True)
class ProtectedMedian:
    """Median time and 95 % limits in days, each a whole number of months.

    Attributes
    ----------
    days : None where one half is not reached, or the rounding leaves open in which quarter.
    lower, upper : None where the band does not reach one half.
    """

    days: float | None
    lower: float | None
    upper: float | None


def read_median(curve: Curve, step: float) -> ProtectedMedian:
    """The median of a protected curve.

    Parameters
    ----------
    curve : falls from 1; the exact heights are at most half a step from its estimates.
    step : height of a step of its estimates, as a share.

    Raises
    ------
    ValueError if the curve or its band starts at one half or below.
    """
    lower, upper = _cross(curve.lower), _cross(curve.upper)
    return ProtectedMedian(_certain_point(curve, step),
                           None if lower is None else _to_month(float(curve.days[lower - 1]), math.floor),
                           None if upper is None else _to_month(float(curve.days[upper]), math.ceil))


def _certain_point(curve: Curve, step: float) -> float | None:
    """Where straight lines between the estimates come down to one half, to the nearest month.

    None unless the exact curve is above one half on the day of the grid before and no longer on the day after.
    """
    row = _cross(curve.estimate)
    if row is None:
        return None
    before, after = float(curve.estimate[row - 1]), float(curve.estimate[row])
    if before - step / 2 <= _HALF or after + step / 2 > _HALF:
        return None
    share = (before - _HALF) / (before - after)
    return round_to_month(float(curve.days[row - 1] + share * (curve.days[row] - curve.days[row - 1])))


def _cross(heights: Floats) -> int | None:
    """The first row at one half or below."""
    reached = np.flatnonzero(heights <= _HALF)
    if not len(reached):
        return None
    if reached[0] == 0:
        raise ValueError("a curve with a median falls from 1")
    return int(reached[0])


def _to_month(days: float, whole: Callable[[float], int]) -> float:
    return round(whole(days / DAYS_PER_MONTH) * DAYS_PER_MONTH, 4)
