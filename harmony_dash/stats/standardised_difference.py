"""Standardised difference of two shares, the usual measure of how far two groups' characteristics lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Above it groups are commonly called out of balance (Austin 2009).
NOTABLE = 0.1


def standardised_difference(share: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """How far two shares lie apart, in units of their common standard deviation.

    Formula
        d = (p₁ − p₂) / √[(p₁(1 − p₁) + p₂(1 − p₂)) / 2]; 0 where both are 0 or both are 1.

    Parameters
    ----------
    share, other : shares from 0 to 1, of shapes that broadcast.

    Returns
    -------
    Array of d; infinite where one share is 0 and the other 1, NaN where a share is NaN.

    Raises
    ------
    ValueError for a share outside 0 to 1.

    References
    ----------
    Austin, Stat Med 28 (2009) 3083-3107, eq. 1 (for dichotomous variables).
    """
    first, second = np.broadcast_arrays(np.asarray(share, dtype=float), np.asarray(other, dtype=float))
    if np.any((first < 0) | (first > 1) | (second < 0) | (second > 1)):
        raise ValueError("a share lies from 0 to 1")
    distance = first - second
    spread = np.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(distance == 0, 0.0, distance / spread)
    return np.where(np.isnan(distance), np.nan, found)
