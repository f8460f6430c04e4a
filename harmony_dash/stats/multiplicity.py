"""Adjustment of p-values for how many were looked at."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats

ADJUSTMENTS: Final = ("holm", "bh")


def adjust_for_multiplicity(p: ArrayLike, method: str = "holm") -> Floats:
    """Adjust p-values for multiplicity.

    Assumes
        Nothing about dependence for Holm; independence or positive dependence for Benjamini-Hochberg.

    Formula
        With m values sorted upwards: Holm max_{j<=i} (m - j + 1) p_j; Benjamini-Hochberg min_{j>=i} m p_j / j; both at
        most 1.

    Parameters
    ----------
    p : shape (m,); NaN values stay NaN and are not counted.
    method : "holm" or "bh".

    Returns
    -------
    Shape (m,), in the order given.

    Raises
    ------
    StatisticsError for an unknown method or a value outside 0 to 1.

    References
    ----------
    Holm, Scand J Stat 6 (1979) 65-70; Benjamini, Hochberg, J R Stat Soc B 57 (1995) 289-300, procedure (1).
    """
    if method not in ADJUSTMENTS:
        raise StatisticsError(f"an adjustment is one of {', '.join(ADJUSTMENTS)}, not {method!r}")
    values = np.asarray(p, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) and (values[known].min() < 0 or values[known].max() > 1):
        raise StatisticsError("a p-value lies between 0 and 1")
    order = known[np.argsort(values[known], kind="stable")]
    m = len(order)
    rank = np.arange(1, m + 1)
    if method == "holm":
        adjusted = np.maximum.accumulate((m - rank + 1) * values[order])
    else:
        adjusted = np.minimum.accumulate((m * values[order] / rank)[::-1])[::-1]
    result = np.full(values.shape, np.nan)
    result[order] = np.minimum(adjusted, 1)
    return result
