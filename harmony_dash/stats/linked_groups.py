"""Which groups a test can tell apart, and the quadratic form of their scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats


def compare_linked(score: Floats, variance: Floats, linked: NDArray[np.bool_]) -> tuple[float, int, float]:
    """Return chi-square statistic, degrees of freedom and p of group scores that sum to 0 over linked groups.

    Assumes
        Two groups are compared, directly or through others, only if they were at risk together when something
        happened. Over each such set of groups the scores sum to 0, so one group of each set is redundant.

    Formula
        Sum over the sets of z' V^-1 z with one group of the set left out; df = sum of (groups in the set - 1).
        Counting sets instead of inverting a singular matrix gives the exact rank.

    Parameters
    ----------
    score : shape (k,).
    variance : shape (k, k).
    linked : shape (k, k), symmetric; whether two groups were at risk together when something happened.

    Returns
    -------
    statistic, df, p

    Raises
    ------
    StatisticsError if no two groups are linked or the variance carries no information.
    """
    reach = linked | np.eye(len(score), dtype=bool)
    for _ in range(max(len(score).bit_length(), 1)):  # a path of k groups is found in log2(k) squarings
        reach = (reach.astype(np.int64) @ reach.astype(np.int64)) > 0
    statistic, df = 0.0, 0
    for first in range(len(score)):
        members = np.flatnonzero(reach[first])
        if members[0] != first or len(members) == 1:
            continue
        kept = members[1:]
        part = variance[np.ix_(kept, kept)]
        if np.linalg.matrix_rank(part, hermitian=True) < len(kept):
            raise StatisticsError("the groups cannot be compared: the variance of their difference is 0")
        statistic += float(score[kept] @ np.linalg.solve(part, score[kept]))
        df += len(kept)
    if df == 0:
        raise StatisticsError("no two groups are at risk together on a day with an event that could tell them apart")
    return statistic, df, float(chdtrc(df, max(statistic, 0.0)))
