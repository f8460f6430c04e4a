"""How far apart two groups are, in units that do not depend on how many patients they have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats

# Above it groups are commonly called out of balance (Austin 2009).
NOTABLE = 0.1


def difference_of_means(mean: float, deviation: float, other_mean: float, other_deviation: float) -> float:
    """The standardised difference of a number between two groups.

    Formula
        |m1 - m2| / sqrt((s1^2 + s2^2)/2).

    Parameters
    ----------
    mean, deviation, other_mean, other_deviation : of each group.

    Returns
    -------
    float; 0 for equal means, infinity for different constants.

    Raises
    ------
    StatisticsError for a negative or missing value of a deviation.

    References
    ----------
    Austin, Stat Med 28 (2009) 3083-3107, equation (1).
    """
    values = (mean, deviation, other_mean, other_deviation)
    if not all(map(math.isfinite, values)) or min(deviation, other_deviation) < 0:
        raise StatisticsError("a standardised difference needs means and standard deviations")
    gap, spread = abs(mean - other_mean), math.sqrt((deviation**2 + other_deviation**2) / 2)
    return gap / spread if spread else (math.inf if gap else 0.0)


def difference_of_shares(counts: ArrayLike, other_counts: ArrayLike) -> float:
    """The standardised difference of a category between two groups.

    Formula
        With the shares of all values but the first as vectors T and C, and S = (S_T + S_C)/2 the mean of their
        multinomial covariance matrices: sqrt((T - C)' S^-1 (T - C)). For two values that is
        |p1 - p2| / sqrt((p1 (1 - p1) + p2 (1 - p2))/2). A value that neither group has is left out; where S is
        singular its pseudo-inverse is taken.

    Parameters
    ----------
    counts, other_counts : shape (values,); patients with each value, not negative.

    Returns
    -------
    float; 0 for equal shares, infinity for groups that share no value.

    Raises
    ------
    StatisticsError for a group without patients, counts that do not fit, or no values at all.

    References
    ----------
    Yang, Dalton, SAS Global Forum 2012, paper 335; Austin, Stat Med 28 (2009) 3083-3107, equation (2).
    """
    first, second = np.asarray(counts, dtype=np.float64), np.asarray(other_counts, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not first.size or min(first.min(), second.min()) < 0:
        raise StatisticsError("two groups are compared by counts of the same values")
    if not first.sum() or not second.sum():
        raise StatisticsError("a group without patients has no shares")
    kept = (first + second) > 0
    one, other = (group[kept] / group.sum() for group in (first, second))
    if not (one * other).any():
        return math.inf
    covariance = sum((np.diag(p) - np.outer(p, p) for p in (one, other)), start=np.zeros((len(one), len(one)))) / 2
    gap = (one - other)[1:]
    return float(math.sqrt(max(0.0, gap @ np.linalg.pinv(covariance[1:, 1:]) @ gap)))


def difference_of_proportions(share: ArrayLike, other: ArrayLike) -> Floats:
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
    StatisticsError for a share outside 0 to 1.

    References
    ----------
    Austin, Stat Med 28 (2009) 3083-3107, eq. 1 (for dichotomous variables).
    """
    first, second = np.broadcast_arrays(np.asarray(share, dtype=float), np.asarray(other, dtype=float))
    if np.any((first < 0) | (first > 1) | (second < 0) | (second > 1)):
        raise StatisticsError("a share lies from 0 to 1")
    distance = first - second
    spread = np.sqrt((first * (1 - first) + second * (1 - second)) / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(distance == 0, 0.0, distance / spread)
    return np.where(np.isnan(distance), np.nan, found)


def error_by_rounding(difference: Callable[[Sequence[float], Sequence[float]], float], one: Sequence[float],
                      other: Sequence[float], most: Sequence[float], other_most: Sequence[float]) -> float:
    """How far a difference may be off because what it is worked out from was rounded.

    Formula
        The root of the sum of squares of what each value does if it alone is off by its most, in the worse direction:
        to the difference, or to a group that is set beside itself, whichever is more, because between equal groups
        every error adds. Errors of rounding are independent and even, with about half of their most as their standard
        deviation (2 of a count that is rounded at random to five), so this is about two standard errors. All errors
        together can make at most twice as much of equal groups.

    Parameters
    ----------
    difference : of the values of both groups.
    one, other : the rounded values of each group.
    most, other_most : by how much each of them may be off.

    Returns
    -------
    float; not a number where the difference is infinite.
    """
    here = difference(one, other)
    squares = 0.0
    for values, errors, beside in ((one, most, other), (other, other_most, one)):
        for place, error in enumerate(errors):
            found = 0.0
            for moved in (values[place] + error, values[place] - error):
                near = [*values[:place], moved, *values[place + 1:]]
                found = max(abs(difference(near, beside) - here), difference(values, near), found)
            squares += found**2
    return math.sqrt(squares)
