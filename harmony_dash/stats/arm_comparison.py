"""Two curves and their difference at chosen days: what every estimator of a treatment comparison returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.intervals import EDGE, normal_quantile, probability_interval
from harmony_dash.stats.risk_sets import whole_days


@dataclass(frozen=True)
class ArmComparison:
    """Probabilities in two arms and the second minus the first.

    Attributes
    ----------
    days : shape (m,); whole days.
    level : confidence level.
    estimate, std_error, lower, upper : shape (2, m); the reference arm first. NaN limits where nothing varies.
    difference, difference_std_error, difference_lower, difference_upper : shape (m,).
    """

    days: Ints
    level: float
    estimate: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    difference: Floats
    difference_std_error: Floats
    difference_lower: Floats
    difference_upper: Floats


def compare_estimates(days: Ints, estimate: Floats, std_error: Floats, difference_std_error: Floats,
                      level: float) -> ArmComparison:
    """Put intervals around two curves and their difference, from standard errors on their own scale.

    Formula
        Curves: log-log interval (see `probability_interval`); an estimate outside 0 to 1 has none. Difference d with
        standard error s: tanh(atanh d +- z s / (1 - d^2)).

    Parameters
    ----------
    days : shape (m,).
    estimate, std_error : shape (2, m).
    difference_std_error : shape (m,).
    level : confidence level.

    References
    ----------
    Fisher, Metron 1 (1921) 3-32, for the transform that keeps limits within -1 and 1.
    """
    lower, upper = probability_interval(estimate, np.where(std_error > EDGE, std_error, np.nan), "log-log", level)
    difference = np.asarray(estimate[1] - estimate[0])
    known = (difference_std_error > EDGE) & (np.abs(difference) < 1 - EDGE)
    scaled = np.divide(difference_std_error, 1 - difference**2, out=np.full(len(days), np.nan), where=known)
    below, above = difference_limits(difference, scaled, level)
    return ArmComparison(days, level, estimate, std_error, lower, upper, difference, difference_std_error, below,
                         above)


def difference_limits(difference: Floats, scaled_error: Floats, level: float) -> tuple[Floats, Floats]:
    """Return limits of differences of probabilities from standard errors of atanh(difference), NaN where unknown."""
    z = normal_quantile(level)
    known = (scaled_error > 0) & (np.abs(difference) < 1 - EDGE)
    centre = np.arctanh(np.where(known, difference, 0.0))
    margin = np.where(known, z * scaled_error, np.nan)
    return np.tanh(centre - margin), np.tanh(centre + margin)


def read_days(days: ArrayLike) -> Ints:
    """Return increasing whole days, shape (m,), or refuse them."""
    chosen = whole_days(days)
    if not len(chosen) or bool((np.diff(chosen) <= 0).any()):
        raise StatisticsError("a comparison is read at one or more days, in increasing order")
    return chosen
