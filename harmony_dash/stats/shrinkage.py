"""Empirical-Bayes shrinkage of the effects in mutually exclusive subgroups towards their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.intervals import normal_quantile

# Morris' correction divides by k - 3.
FEWEST_SUBGROUPS: Final = 4
# The slope of the restricted likelihood is looked at this often, evenly on the log scale, to find every peak.
SLOPES: Final = 400


@dataclass(frozen=True)
class ShrunkenEffects:
    """Effects drawn towards their mean by as much as chance explains their spread.

    Attributes
    ----------
    estimate, std_error, lower, upper : shape (k,); on the scale of the effects given.
    weight : shape (k,); B, the share of the mean in each estimate.
    mean, mean_std_error : the weighted mean and its standard error, tau-squared taken as known.
    tau_squared : variance between subgroups.
    level : confidence level.
    """

    estimate: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    weight: Floats
    mean: float
    mean_std_error: float
    tau_squared: float
    level: float

    @property
    def methods(self) -> str:
        """The method in words."""
        return (f"empirical-Bayes shrinkage over {len(self.estimate)} mutually exclusive subgroups, Morris' "
                f"correction, REML between-subgroup variance, {100 * self.level:g} % interval")


def shrink_effects(effects: ArrayLike, std_error: ArrayLike, *, level: float = 0.95) -> ShrunkenEffects:
    """Shrink the effects of mutually exclusive subgroups towards their weighted mean.

    Assumes
        The effects are independent and normal around their true values with known standard errors, and the true values
        are exchangeable and normal. Patients are in one subgroup only: over overlapping subgroups the intervals cover
        too little.

    Formula
        With v = std_error^2, w = 1/(v + tau^2), mu = sum w y/sum w and v' = sum w v/sum w:
        B = (k - 3)/(k - 1) v/(v + tau^2); estimate B mu + (1 - B) y; variance
        v (1 - B) + B^2/sum w + 2 B^2 (y - mu)^2 (v' + tau^2)/((k - 3)(v + tau^2)).
        tau^2 maximises the restricted likelihood
        -1/2 [sum log(v + tau^2) + log sum w + sum w (y - mu)^2] over tau^2 >= 0.

    Parameters
    ----------
    effects : shape (k,); for example log hazard ratios of a treatment.
    std_error : shape (k,); positive.
    level : confidence level of the normal intervals.

    Returns
    -------
    ShrunkenEffects

    Raises
    ------
    StatisticsError for fewer than four subgroups, or an effect or standard error that is missing or not positive.

    References
    ----------
    Morris, J Am Stat Assoc 78 (1983) 47-55; Harville, J Am Stat Assoc 72 (1977) 320-338 for the
    restricted likelihood.
    """
    y, error = np.asarray(effects, dtype=np.float64), np.asarray(std_error, dtype=np.float64)
    z = normal_quantile(level)
    if y.ndim != 1 or y.shape != error.shape or not (np.isfinite(y).all() and np.isfinite(error).all()):
        raise StatisticsError("shrinkage needs an effect and its standard error for every subgroup",
                              remedy="leave out subgroups without an estimate")
    if len(y) < FEWEST_SUBGROUPS:
        raise StatisticsError(f"shrinkage needs at least {FEWEST_SUBGROUPS} subgroups")
    if (error <= 0).any():
        raise StatisticsError("a standard error is positive")
    k, v = len(y), error**2
    tau_squared = _restricted_variance(y, v)
    w = 1 / (v + tau_squared)
    mean, average = float(w @ y / w.sum()), float(w @ v / w.sum())
    b = (k - 3) / (k - 1) * v * w
    estimate = b * mean + (1 - b) * y
    variance = (v * (1 - b) + b**2 / w.sum()
                + 2 * b**2 * (y - mean) ** 2 * (average + tau_squared) * w / (k - 3))
    margin = z * np.sqrt(variance)
    return ShrunkenEffects(estimate, np.sqrt(variance), estimate - margin, estimate + margin, b, mean,
                           float(w.sum() ** -0.5), tau_squared, level)


def _restricted_variance(y: Floats, v: Floats) -> float:
    """Return the tau^2 >= 0 that maximises the restricted likelihood, which may have several peaks."""
    # Beyond twice the larger of the largest v and squared distance the slope is negative: no larger tau^2 fits better.
    span = float(np.ptp(y)) ** 2
    grid = np.concatenate([[0.0], np.geomspace(1e-6 * v.min(), max(span, v.max()) * 2, SLOPES)])
    slopes = [_slope(tau_squared, y, v) for tau_squared in grid]
    peaks = [0.0]
    for low, high, before, after in zip(grid, grid[1:], slopes, slopes[1:], strict=False):
        if before > 0 >= after:
            peaks.append(float(brentq(_slope, low, high, args=(y, v), xtol=1e-16, rtol=1e-14)))
    return max(peaks, key=lambda tau_squared: _restricted_likelihood(tau_squared, y, v))


def _slope(tau_squared: float, y: Floats, v: Floats) -> float:
    w = 1 / (v + tau_squared)
    total = w.sum()
    mean = w @ y / total
    return float(-w.sum() + (w**2).sum() / total + (w**2) @ (y - mean) ** 2) / 2


def _restricted_likelihood(tau_squared: float, y: Floats, v: Floats) -> float:
    w = 1 / (v + tau_squared)
    total = w.sum()
    mean = w @ y / total
    return float(np.log(w).sum() - np.log(total) - w @ (y - mean) ** 2) / 2
