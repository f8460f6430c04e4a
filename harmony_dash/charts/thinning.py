"""Fewer points for the same picture. Medians, tables and tests never come from thinned points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def thin_steps(values: Floats, step: float, keep: tuple[int, ...] = ()) -> NDArray[np.intp]:
    """Indices of the points of a monotone step curve to draw.

    A point stays when the curve crosses a line of a grid of `step`; first, last and `keep` always stay. Between two
    kept points the curve moves by less than `step`, so the drawing is off by less than that everywhere.

    Parameters
    ----------
    values : height of the curve at each point.
    step : grid width in the unit of `values`, usually a quarter of a pixel.
    keep : further indices that must stay, e.g. landmarks.
    """
    n = len(values)
    if n <= 2:
        return np.arange(n)
    cell = np.floor(values / step)
    stays = np.empty(n, dtype=bool)
    stays[0] = stays[-1] = True
    stays[1:-1] = cell[1:-1] != cell[:-2]
    stays[list(keep)] = True
    return np.flatnonzero(stays)


def thin_marks(x: Floats, width: float) -> NDArray[np.intp]:
    """Indices of marks so that at most one is drawn in each stretch of `width`."""
    if len(x) == 0:
        return np.arange(0)
    cell = np.floor(x / width)
    stays = np.ones(len(x), dtype=bool)
    stays[1:] = cell[1:] != cell[:-1]
    return np.flatnonzero(stays)
