"""The fixed days on which protected curves are read: every quarter of a year since the clock started."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from harmony_dash.disclosure.policy import DAYS_PER_YEAR, Rules

Days = NDArray[np.int64]

# Nobody is followed longer, so no day lies beyond the last of the grid.
_LONGEST_YEARS = 120
# Somebody who asks for day 1,825 means five years, which is day 1,826; after ten years the two are three days apart.
NEAR_DAYS = 3
_TICK_YEARS = (0.25, 0.5, 1, 2, 5, 10, 20)
_MOST_TICKS = 12
# Narrower columns, of parts of a year, have longer headings.
_MOST_SHORT_TICKS = 9.6

_QUARTERS = Rules().quarters_per_year
GRID: Days = np.floor(np.arange(_LONGEST_YEARS * _QUARTERS + 1) * DAYS_PER_YEAR / _QUARTERS + 0.5).astype(np.int64)
GRID.flags.writeable = False


def grid_days(last: float) -> tuple[int, ...]:
    """The days of the grid from 0 to `last`, both included."""
    return tuple(GRID[:int(np.searchsorted(GRID, last, side="right"))].tolist())


def first_grid_day(day: float) -> int:
    """The first day of the grid that is not before `day`."""
    return int(GRID[np.searchsorted(GRID, day, side="left")])


def snap_to_grid(day: int) -> int:
    """The last day of the grid that is not after `day`, or the next one where that is at most three days away."""
    return int(GRID[np.searchsorted(GRID, day + NEAR_DAYS, side="right") - 1])


def snap_all(days: Iterable[int]) -> tuple[int, ...]:
    """The days of the grid that stand for these, each once, in increasing order."""
    return tuple(sorted({snap_to_grid(day) for day in days}))


def tick_days(last: float) -> tuple[int, ...]:
    """Day 0 and equal steps of whole years, or of quarters where follow-up is short, up to the end of the curves.

    The end is that of what is drawn. The last day of follow-up would be one patient's.
    """
    for years in _TICK_YEARS:
        steps = int((last + 0.5) / (years * DAYS_PER_YEAR))
        if steps < (_MOST_TICKS if years >= 1 else _MOST_SHORT_TICKS):
            return tuple(int(GRID[round(step * years * _QUARTERS)]) for step in range(steps + 1))
    return (0,)
