"""Kaplan-Meier curves of weighted patients, with the standard error that weights need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import ArmComparison, compare_estimates, read_days
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.event_table import Floats, Ints


@dataclass(frozen=True)
class WeightedCurve:
    """A right-continuous step curve: `survival[i]` holds from `days[i]` until the next day; it is 1 before `days[0]`.

    Attributes
    ----------
    days : shape (rows,); the days on which anybody leaves.
    at_risk, events : shape (rows,); sums of weights, T >= day and events that day.
    survival, std_error : shape (rows,); the standard error is NaN where the curve is 0.
    """

    days: Ints
    at_risk: Floats
    events: Floats
    survival: Floats
    std_error: Floats


@dataclass(frozen=True)
class WeightedSurvival:
    """Weighted Kaplan-Meier curves of two arms.

    Attributes
    ----------
    arms : labels of the arms, the reference first.
    kind : what the weights are.
    survival : estimates and difference at the chosen days.
    curves : the whole curve of each arm.
    """

    arms: tuple[str, str]
    kind: str
    survival: ArmComparison
    curves: tuple[WeightedCurve, WeightedCurve]

    @property
    def methods(self) -> str:
        """The method in words."""
        return (f"Kaplan-Meier estimate with {self.kind} weights, not truncated; {100 * self.survival.level:g} % "
                "log-log (curves) and atanh (differences) intervals from the infinitesimal jackknife, weights taken as "
                "known")


def compare_weighted_survival(patients: ArmPatients, weight: Floats, days: ArrayLike, *, kind: str = "inverse",
                              cause: int | None = None, level: float = 0.95) -> WeightedSurvival:
    """Estimate the weighted Kaplan-Meier curve of each arm and their difference.

    Assumes
        Weighted, both arms stand for the same population. Within an arm censoring is independent of the event. The
        arms are independent; that weights were estimated is not counted, which makes intervals a little too wide.

    Formula
        See `estimate_weighted_curve`; the difference has the standard error sqrt(SE_0^2 + SE_1^2).

    Parameters
    ----------
    patients : the rows.
    weight : shape (n,); positive, see `weigh_arms`.
    days : shape (m,); whole days, increasing.
    kind : what the weights are, for the methods line.
    cause : position of the cause that counts as event, the others being censored; None for any.
    level : confidence level.

    Returns
    -------
    WeightedSurvival

    Raises
    ------
    StatisticsError if a day lies beyond the follow-up of an arm whose curve has not reached 0, or a weight is not
    positive.

    References
    ----------
    Xie, Liu, Stat Med 24 (2005) 3089-3110; Cole, Hernan, Comput Methods Programs Biomed 75 (2004) 45-49.
    """
    chosen = read_days(days)
    event = patients.cause > 0 if cause is None else patients.cause == cause + 1
    curves = []
    for arm, label in enumerate(patients.arms):
        here = patients.arm == arm
        curve = estimate_weighted_curve(patients.day[here], event[here], weight[here])
        if curve.survival[-1] > 0 and chosen[-1] > curve.days[-1]:
            raise StatisticsError(f"the follow-up of the arm {label!r} ends on day {curve.days[-1]}",
                                  remedy="choose an earlier day")
        curves.append(curve)
    rows = [np.searchsorted(curve.days, chosen, side="right") for curve in curves]
    estimate, std_error = (np.array([np.concatenate([[before], getattr(curve, name)])[row]
                                     for curve, row in zip(curves, rows, strict=True)])
                           for name, before in (("survival", 1.0), ("std_error", 0.0)))
    survival = compare_estimates(chosen, estimate, std_error, np.sqrt(np.sum(std_error**2, axis=0)), level)
    return WeightedSurvival(patients.arms, kind, survival, (curves[0], curves[1]))


def estimate_weighted_curve(day: ArrayLike, event: ArrayLike, weight: ArrayLike) -> WeightedCurve:
    """Estimate a Kaplan-Meier curve of weighted patients.

    Assumes
        Weights are known numbers, not counts; patients are independent.

    Formula
        S(t) = prod (1 - d/Y), d and Y sums of weights. The infinitesimal jackknife: U_i = S(t) (sum_(u <= min(T_i, t))
        d/(Y (Y - d)) - 1{event, T_i <= t}/(Y(T_i) - d(T_i))); Var = sum w_i^2 U_i^2. U is the same for all who leave on
        one day in one way, so that sums of w^2 by day are enough.

    Parameters
    ----------
    day, event, weight : shape (n,); whole days, 1 for the event, positive weights.

    Returns
    -------
    WeightedCurve; equal to R's `survfit(weights =, robust = TRUE)`.

    Raises
    ------
    StatisticsError without patients or if a weight is not positive.

    References
    ----------
    Therneau, Grambsch, Modeling Survival Data (2000), section 7.2, the infinitesimal jackknife.
    """
    last, died = np.asarray(day, dtype=np.int64), np.asarray(event, dtype=bool)
    given = np.asarray(weight, dtype=np.float64)
    if not len(last):
        raise StatisticsError("a curve needs patients")
    if not (np.isfinite(given).all() and (given > 0).all()):
        raise StatisticsError("a weighted curve takes positive weights")
    days, row = np.unique(last, return_inverse=True)
    left, events, squares, event_squares = (
        np.bincount(row, weights=values, minlength=len(days)).astype(np.float64)
        for values in (given, given * died, given**2, given**2 * died))
    at_risk = np.cumsum(left[::-1])[::-1]
    # Where everybody left has the event, Y - d is 0 but for rounding.
    all_died = np.bincount(row[died], minlength=len(days)) == len(last) - np.searchsorted(np.sort(last), days)
    stay = np.where(all_died, 0.0, at_risk - events)
    survival = np.cumprod(np.where(all_died, 0.0, stay / at_risk), dtype=np.float64)
    steps = np.divide(events, at_risk * stay, out=np.zeros(len(days)), where=stay > 0)
    lived = np.cumsum(steps)
    jump = np.divide(1.0, stay, out=np.zeros(len(days)), where=stay > 0)
    # Patients who leave by t carry U of their own day, the others that of t.
    gone = np.cumsum((squares - event_squares) * lived**2 + event_squares * (lived - jump) ** 2)
    remaining = np.cumsum(squares[::-1])[::-1] - squares
    variance = gone + np.maximum(remaining, 0) * lived**2
    std_error = np.where(survival > 0, survival * np.sqrt(variance), np.nan)
    return WeightedCurve(days, at_risk, events, survival, std_error)
