"""The Bayesian bootstrap: the same patients again and again, each time with random weights."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from harmony_dash.errors import Cancelled, StatisticsError
from harmony_dash.stats.event_table import Floats, Ints

Progress = Callable[[int, int], None]
Estimate = Callable[[Floats], Floats]


class Draw(Protocol):
    """Something that draws replicates as `draw_replicates` does, wherever and however it does so."""

    def __call__(self, estimate: Estimate, stratum: Ints, replicates: int, rng: np.random.Generator) -> Floats:
        """See `draw_replicates`."""
        ...


def draw_replicates(estimate: Estimate, stratum: Ints, replicates: int, rng: np.random.Generator, *,
                    progress: Progress | None = None, cancel: Callable[[], bool] | None = None,
                    workers: int = 1) -> Floats:
    """Compute an estimate under random weights, many times.

    Assumes
        Patients are independent draws from their stratum; the sizes of the strata are fixed.

    Formula
        Each patient's weight is a standard exponential variable divided by the mean of its stratum. Nobody's weight
        is 0, so that a replicate never loses the last event of a small group as resampling would.

    Parameters
    ----------
    estimate : takes weights of shape (n,) and returns an array, always of one shape; called from several threads at a
        time with more than one worker.
    stratum : shape (n,).
    replicates : at least 2.
    rng : every replicate has a child of its own, so that the answer does not depend on `workers`.
    progress : called with how many replicates are done and how many there are, after each.
    cancel : asked before each replicate; a true answer ends the work.
    workers : threads.

    Returns
    -------
    shape (replicates, ...).

    Raises
    ------
    Cancelled when `cancel` says so; StatisticsError for fewer than two replicates, and as `estimate`.

    References
    ----------
    Rubin, Ann Stat 9 (1981) 130-134.
    """
    if replicates < 2:
        raise StatisticsError("a standard error takes at least two replicates")
    _, member = np.unique(stratum, return_inverse=True)
    sizes = np.bincount(member)
    stop = Event()

    def draw(child: np.random.Generator) -> Floats:
        if stop.is_set() or (cancel is not None and cancel()):
            stop.set()
            raise Cancelled("the estimation was stopped before it was done")
        weight = child.standard_exponential(len(member))
        return estimate(weight * (sizes / np.bincount(member, weights=weight))[member])

    values: list[Floats] = []
    # Replicates are what runs side by side. Small matrix products split over more threads wait for each other.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max_workers=workers) as threads:
        try:
            for value in threads.map(draw, rng.spawn(replicates)):
                values.append(value)
                if progress is not None:
                    progress(len(values), replicates)
        finally:
            # An error or a stop in one replicate ends those that have not begun.
            stop.set()
    return np.array(values)


def transformed_errors(estimate: Floats, replicates: Floats) -> Floats:
    """Return standard errors of probabilities from the spread of log(-log p), brought back to their own scale.

    Parameters
    ----------
    estimate : shape (...).
    replicates : shape (replicates, ...).

    Returns
    -------
    shape (...); NaN where the estimate or a replicate is 0 or 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.std(np.log(-np.log(replicates)), axis=0, ddof=1)
        found = spread * estimate * -np.log(estimate)
    return np.asarray(np.where(np.isfinite(found), found, np.nan))


def difference_errors(difference: Floats, replicates: Floats) -> Floats:
    """Return standard errors of differences of probabilities from the spread of atanh, brought back to their scale."""
    return np.asarray(np.std(np.arctanh(replicates), axis=0, ddof=1) * (1 - difference**2))
