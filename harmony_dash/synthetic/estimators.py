"""Kaplan-Meier, Aalen-Johansen and a one-covariate Cox model, small enough to read at a glance.

The generator checks itself with these and not with `harmony_dash.stats`, so that the samples are an independent
witness of the statistics they are used to test.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def estimate_survival(days: Ints, event: NDArray[np.bool_], at: float) -> float:
    """Kaplan-Meier survival on day `at`; NaN for nobody."""
    return 1 - estimate_incidence(days, event.astype(np.int64), 1, at)


def estimate_incidence(days: Ints, cause: Ints, of: int, at: float) -> float:
    """Aalen-Johansen cumulative incidence of cause `of` by day `at`; cause 0 is censored; NaN for nobody."""
    if not len(days):
        return float("nan")
    last = int(days.max())
    leaving = np.bincount(days, minlength=last + 1)
    at_risk = np.maximum(len(days) - np.concatenate([[0], np.cumsum(leaving)[:-1]]), 1)
    events = np.bincount(days[cause > 0], minlength=last + 1)
    wanted = np.bincount(days[cause == of], minlength=last + 1)
    before = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)[:-1]])
    until = np.arange(last + 1) <= at
    return float(np.sum((before * wanted / at_risk)[until]))


def estimate_hazard_ratio(days: Ints, event: NDArray[np.bool_], exposed: NDArray[np.bool_]) -> float:
    """Hazard ratio of exposed against the rest: Cox partial likelihood, Breslow ties, Newton's method."""
    last = int(days.max()) if len(days) else 0
    groups = [exposed, ~exposed]
    leaving = [np.bincount(days[group], minlength=last + 1) for group in groups]
    risk = [np.maximum(count.sum() - np.concatenate([[0], np.cumsum(count)[:-1]]), 0) for count in leaving]
    deaths = np.bincount(days[event], minlength=last + 1)
    observed = int((event & exposed).sum())
    beta = 0.0
    for _ in range(30):
        weighted = np.exp(beta) * risk[0]
        share = weighted / np.maximum(weighted + risk[1], 1e-12)
        step = (observed - np.sum(deaths * share)) / max(float(np.sum(deaths * share * (1 - share))), 1e-12)
        beta += float(np.clip(step, -1, 1))
        if abs(step) < 1e-9:
            break
    return float(np.exp(beta))
