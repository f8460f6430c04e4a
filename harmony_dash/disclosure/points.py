"""Differences of shares as they are printed: percentage points with a sign, limits no narrower than they are."""

from __future__ import annotations

import math
from typing import Final

_STEP: Final = 0.1  # of a point: one decimal
_TOLERANCE: Final = 1e-9


def format_points(share: float) -> str:
    """A difference of shares in percentage points, without the unit: "−3.9", "+0.4", "0.0"."""
    text = f"{100 * share:+.1f}"
    return text.replace("-", "−") if float(text) else "0.0"


def format_points_limits(lower: float, upper: float) -> str:
    """Limits of a difference, rounded outward so that the interval keeps its coverage: "−7.3 to −0.5"."""
    below = math.floor(100 * lower / _STEP + _TOLERANCE) * _STEP
    above = math.ceil(100 * upper / _STEP - _TOLERANCE) * _STEP
    return f"{format_points(below / 100)} to {format_points(above / 100)}"
