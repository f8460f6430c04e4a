"""Restricted mean event-free time, and its difference between groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.risk_sets import RiskSets, add_causes, count_risk_sets, group_position, last_supported_day

# Past this the tail of a curve rests on a handful of patients and so does the area under it.
LEAST_AT_RISK: Final = 10


@dataclass(frozen=True)
class RestrictedMeanDifference:
    """Mean of `group` minus mean of `reference`, in days; interval and p are NaN where neither varies."""

    group: str
    reference: str
    days: float
    std_error: float
    lower: float
    upper: float
    p: float


@dataclass(frozen=True)
class RestrictedMeans:
    """Restricted mean event-free times up to one horizon.

    Attributes
    ----------
    tau_days : the horizon.
    level : confidence level.
    groups : labels of the groups that carry an estimate.
    left_out : labels of the groups that have too few patients for one.
    days, std_error, lower, upper : shape (groups,); in days, cut to 0 and tau. No interval without an event by tau.
    differences : every other group against the reference.
    """

    tau_days: int
    level: float
    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    days: Floats
    std_error: Floats
    lower: Floats
    upper: Floats
    differences: tuple[RestrictedMeanDifference, ...]

    @property
    def methods(self) -> str:
        """The method in words."""
        return f"restricted mean event-free time to day {self.tau_days}, {100 * self.level:g} % normal interval"


def estimate_restricted_means(table: EventTable, *, tau_days: int | None = None, reference: str | int | None = None,
                              level: float = 0.95, least_at_risk: int = LEAST_AT_RISK) -> RestrictedMeans:
    """Estimate the mean event-free time to a horizon in every group, strata pooled, and compare the groups.

    Assumes
        Censoring is independent of the event; the groups are independent. Nothing about proportional hazards.

    Formula
        A = int_0^tau S(t) dt; Var(A) = sum_{s<tau} (int_s^tau S)^2 d / (Y (Y - d)). A difference has the standard
        error sqrt(SE_1^2 + SE_2^2), a normal interval and a two-sided p.

    Parameters
    ----------
    table : event table; days are whole.
    tau_days : horizon in days; by default the smallest, over groups, last day with `least_at_risk` at risk.
    reference : label or position of the group the others are compared with; the first that has an estimate by default.
    level : confidence level.
    least_at_risk : patients that must be at risk at the horizon in every group; at least 1.

    Returns
    -------
    RestrictedMeans; groups that never have `least_at_risk` patients are left out and named.

    Raises
    ------
    StatisticsError with late entry (the mean counts from day 0), if the horizon is not positive or lies beyond the data
    of a group, or if no group, or not the reference, has enough patients.

    References
    ----------
    Irwin, J Hyg 47 (1949) 188-189; Royston, Parmar, BMC Med Res Methodol 13 (2013) 152.
    """
    if table.has_late_entry:
        raise StatisticsError("a restricted mean counts from day 0, when patients who enter late were not yet seen",
                              remedy="use a landmark instead")
    if least_at_risk < 1:
        raise StatisticsError("a restricted mean needs at least one patient at risk at the horizon")
    z = normal_quantile(level)
    sets = [count_risk_sets(table, position) for position in range(len(table.groups))]
    support = [last_supported_day(one, least_at_risk) for one in sets]
    carried = [(one, last) for one, last in zip(sets, support, strict=True) if last is not None]
    if not carried:
        raise StatisticsError(f"no group has {least_at_risk} patients at risk")
    tau = _choose_tau(carried, tau_days, least_at_risk)
    labels = tuple(one.group for one, _ in carried)
    means = np.array([_area(one, tau) for one, _ in carried])
    days, std_error = means[:, 0], means[:, 1]
    margin = np.where(std_error > 0, z * std_error, np.nan)
    first = labels[0] if reference is None else table.groups[group_position(table, reference)]
    if first not in labels:
        raise StatisticsError(f"the reference group {first!r} has fewer than {least_at_risk} patients")
    against = labels.index(first)
    differences = tuple(_subtract(labels[i], first, days[i] - days[against], std_error[[i, against]], z)
                        for i in range(len(labels)) if i != against)
    left_out = tuple(label for label in table.groups if label not in labels)
    return RestrictedMeans(tau, level, labels, left_out, days, std_error, np.maximum(days - margin, 0),
                           np.minimum(days + margin, tau), differences)


def _choose_tau(carried: list[tuple[RiskSets, int]], tau_days: int | None, least_at_risk: int) -> int:
    shortest, last = min(carried, key=lambda pair: pair[1])
    if last < 1:
        raise StatisticsError(f"the group {shortest.group!r} has no follow-up past day 0 with {least_at_risk} at risk")
    if tau_days is None:
        return last
    if tau_days < 1 or tau_days != int(tau_days):
        raise StatisticsError("the horizon of a restricted mean is a whole day after day 0")
    if tau_days > last:
        raise StatisticsError(f"the horizon of {tau_days} days lies beyond the data: the group {shortest.group!r} has "
                              f"{least_at_risk} patients at risk until day {last}",
                              remedy=f"choose at most {last} days")
    return int(tau_days)


def _area(sets: RiskSets, tau: int) -> tuple[float, float]:
    """Return the area under the curve to tau and its standard error, in days."""
    counted = sets.days < tau
    days, at_risk = sets.days[counted], sets.at_risk[counted]
    events = add_causes(sets.events[counted])
    stay = at_risk - events
    survival = np.concatenate([[1.0], np.cumprod(stay / at_risk)])
    pieces = survival * np.diff(np.concatenate([[0], days, [tau]]))
    remaining = np.cumsum(pieces[::-1])[::-1][1:]  # area from each day to tau
    hazard_variance = np.where(stay > 0, events / (at_risk * np.maximum(stay, 1.0)), 0.0)
    return float(pieces.sum()), float(np.sqrt(np.sum(remaining**2 * hazard_variance)))


def _subtract(group: str, reference: str, days: float, std_errors: Floats, z: float) -> RestrictedMeanDifference:
    std_error = float(np.sqrt(np.sum(std_errors**2)))
    if std_error <= 0:
        return RestrictedMeanDifference(group, reference, float(days), std_error, np.nan, np.nan, np.nan)
    return RestrictedMeanDifference(group, reference, float(days), std_error, float(days - z * std_error),
                                    float(days + z * std_error), float(2 * ndtr(-abs(days) / std_error)))
