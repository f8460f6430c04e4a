"""Confidence intervals of an estimated probability."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats

INTERVALS: Final = ("log-log", "log", "plain")
# An estimate this close to 0 or 1 is there but for rounding: no cohort has 10^12 patients.
EDGE: Final = 1e-12


def probability_interval(estimate: Floats, std_error: Floats, interval: str, level: float) -> tuple[Floats, Floats]:
    """Return pointwise confidence limits of probabilities.

    Assumes
        The transformed estimate is approximately normal.

    Formula
        With z the normal quantile of (1 + level) / 2 and s the standard error of p:
        log-log: p^exp(+-z s / (p ln p)); log: p exp(+-z s / p), at most 1; plain: p +- z s, cut to 0 and 1.

    Parameters
    ----------
    estimate, std_error : same shape; probabilities and their standard errors.
    interval : "log-log", "log" or "plain".
    level : confidence level, between 0 and 1.

    Returns
    -------
    lower, upper : same shape; NaN where the estimate is 0 or 1 or has no standard error.

    Raises
    ------
    StatisticsError for an unknown interval or a level outside 0 to 1.

    References
    ----------
    Kalbfleisch, Prentice, The Statistical Analysis of Failure Time Data (2nd ed. 2002), section 1.4.
    """
    z = normal_quantile(level)
    if interval not in INTERVALS:
        raise StatisticsError(f"an interval is one of {', '.join(INTERVALS)}, not {interval!r}")
    defined = (estimate > EDGE) & (estimate < 1 - EDGE) & np.isfinite(std_error)
    p, s = estimate[defined], std_error[defined]
    if interval == "log-log":
        with np.errstate(over="ignore"):  # a power beyond the largest number takes the limits to 0 and 1
            power = np.exp(z * s / (p * -np.log(p)))
        low, high = p**power, p ** (1 / power)
    elif interval == "log":
        with np.errstate(over="ignore"):
            factor = np.exp(z * s / p)
        low, high = p / factor, np.minimum(p * factor, 1)
    else:
        low, high = np.maximum(p - z * s, 0), np.minimum(p + z * s, 1)
    lower, upper = np.full(estimate.shape, np.nan), np.full(estimate.shape, np.nan)
    lower[defined], upper[defined] = low, high
    return lower, upper


def normal_quantile(level: float) -> float:
    """Return z such that a standard normal lies within +-z with probability `level`, or refuse the level."""
    if not 0 < level < 1:
        raise StatisticsError("a confidence level lies between 0 and 1")
    return float(ndtri((1 + level) / 2))


def describe_interval(interval: str, level: float) -> str:
    """Return the interval in words for a methods line."""
    return f"{100 * level:g} % {interval} confidence interval"
