"""Cumulative incidence of competing causes by the Aalen-Johansen estimate, exact with ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.intervals import describe_interval, probability_interval
from harmony_dash.stats.kaplan_meier import LEAST_AT_RISK, risk_sets_of, start_of_curve
from harmony_dash.stats.risk_sets import RiskSets, add_causes, at_risk_on, whole_days


@dataclass(frozen=True)
class IncidenceCurves:
    """Right-continuous step curves, one per cause; 0 before `days[0]`.

    Attributes
    ----------
    group : label of the group, "all" for every group together.
    causes : names of the causes, the second axis of the arrays below.
    patients : number of patients.
    interval, level : how `lower` and `upper` were made.
    from_day : the curves are conditional on being event-free just before this day; 0 without late entry.
    days, at_risk, censored, entered : shape (rows,).
    events : shape (rows, causes).
    survival : shape (rows,); freedom from every cause; the curves and it sum to 1. NaN before `from_day`.
    incidence : shape (rows, causes). NaN before `from_day`, and so are the standard errors.
    std_error : shape (rows, causes); as R's survfit (infinitesimal jackknife); makes the interval.
    std_error_aalen : shape (rows, causes); as R's cuminc, for comparison with papers that used it.
    lower, upper : shape (rows, causes); NaN before the first event of the cause.
    """

    group: str
    causes: tuple[str, ...]
    patients: int
    interval: str
    level: float
    from_day: int
    days: Ints
    at_risk: Ints
    censored: Ints
    entered: Ints
    events: Ints
    survival: Floats
    incidence: Floats
    std_error: Floats
    std_error_aalen: Floats
    lower: Floats
    upper: Floats

    @property
    def methods(self) -> str:
        """The method in words."""
        condition = f", conditional on being event-free before day {self.from_day}" if self.from_day else ""
        return (f"Aalen-Johansen estimate, {describe_interval(self.interval, self.level)} (infinitesimal jackknife), "
                f"events before censorings on a day{condition}")


@dataclass(frozen=True)
class IncidenceAt:
    """Cumulative incidences read off at chosen days.

    Attributes
    ----------
    days, at_risk : shape (m,); at risk means T >= day on that very day.
    incidence, std_error, lower, upper : shape (m, causes); NaN where the curves say nothing.
    """

    days: Ints
    at_risk: Ints
    incidence: Floats
    std_error: Floats
    lower: Floats
    upper: Floats


def estimate_cumulative_incidence(table: EventTable, group: str | int | None = None, *, interval: str = "log-log",
                                  level: float = 0.95, from_day: int | None = None,
                                  least_at_risk: int = LEAST_AT_RISK) -> IncidenceCurves:
    """Estimate the probability of having had each cause first, strata pooled.

    Assumes
        Censoring and late entry are independent of the events; the causes need not be independent. On one day events
        come before censorings, causes that tie are shared exactly, and events on day 0 count.

    Formula
        F_k(t) = sum_{s<=t} S(s-) d_k/Y with S the Kaplan-Meier estimate of freedom from every cause. With h = d/Y,
        Var F_k(t) = sum_{s<=t} [S(s-)^2 h_k (1 - h_k) - 2 S(s-) D h_k + D^2 h/(1 - h)] / Y, D = F_k(t) - F_k(s): the
        infinitesimal jackknife without late entry, the delta method with it. The other variance treats the causes'
        counts as independent, with variances d_k (Y - d_k)/(Y - 1) for d_k > 1.

    Parameters
    ----------
    table : event table; days are whole.
    group : label or position of a group, None for all groups together.
    interval : "log-log", "log" or "plain", on F itself as R's survfit makes them.
    level : confidence level.
    from_day, least_at_risk : start of the curves with late entry, as in `estimate_survival`.

    Returns
    -------
    IncidenceCurves

    Raises
    ------
    StatisticsError as `estimate_survival`.

    References
    ----------
    Aalen, Johansen, Scand J Stat 5 (1978) 141-150; Aalen, Ann Stat 6 (1978) 534-545; Gaynor et al., J Am
    Stat Assoc 88 (1993) 400-409; Choudhury, Stat Med 21 (2002) 1129-1144 for the log-log interval.
    """
    sets = risk_sets_of(table, group)
    start = start_of_curve(sets, from_day, least_at_risk)
    counted = np.where((sets.days >= start)[:, None], sets.events, 0)
    at_risk = np.maximum(sets.at_risk, 1)  # a day on which patients only enter may have nobody at risk yet
    survival = np.cumprod(1 - add_causes(counted) / at_risk, dtype=np.float64)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(before[:, None] * counted / at_risk[:, None], axis=0)
    std_error = np.sqrt(_jackknife_variance(counted, at_risk, before, incidence))
    aalen = np.sqrt(_aalen_variance(counted, at_risk, before, incidence))
    early = sets.days < start
    survival[early] = np.nan
    for values in (incidence, std_error, aalen):
        values[early] = np.nan
    lower, upper = probability_interval(incidence, std_error, interval, level)
    return IncidenceCurves(sets.group, table.causes, sets.patients, interval, level, start, sets.days, sets.at_risk,
                           sets.censored, sets.entered, sets.events, survival, incidence, std_error, aalen, lower,
                           upper)


def read_incidence(curves: IncidenceCurves, days: ArrayLike) -> IncidenceAt:
    """Read cumulative incidences off at chosen days.

    Parameters
    ----------
    curves : cumulative incidences of a group.
    days : shape (m,); whole days in any order.

    Returns
    -------
    IncidenceAt; NaN before `curves.from_day`, and past the last day of follow-up unless everybody has had an event.

    Raises
    ------
    StatisticsError if a day is negative or not whole.
    """
    at = whole_days(days)
    row = np.searchsorted(curves.days, at, side="right")
    defined = at >= curves.from_day
    if curves.survival[-1] > 0:
        defined &= at <= curves.days[-1]
    untouched = defined & (np.concatenate([[-1], curves.days])[row] < curves.from_day)
    values = {}
    for name, start in (("incidence", 0.0), ("std_error", 0.0), ("lower", np.nan), ("upper", np.nan)):
        steps = np.vstack([np.full((1, len(curves.causes)), start), getattr(curves, name)])
        values[name] = np.where(defined[:, None], steps[row], np.nan)
        values[name][untouched] = start
    sets = RiskSets(curves.group, curves.days, curves.at_risk, curves.events, curves.censored, curves.entered)
    return IncidenceAt(at, at_risk_on(sets.days, sets.at_risk, sets.left, sets.entered, at), **values)


def _jackknife_variance(events: Ints, at_risk: Ints, before: Floats, incidence: Floats) -> Floats:
    """Return the variance of a multinomial choice among the causes on each day, shape (rows, causes)."""
    n = at_risk[:, None]
    hazard, every = events / n, add_causes(events)
    own = before[:, None] ** 2 * hazard * (1 - hazard) / n
    shared = before[:, None] * hazard / n
    # After the last patient's event F no longer changes, so that day carries no weight here.
    both = np.where(at_risk > every, every / (at_risk * np.maximum(at_risk - every, 1.0)), 0.0)[:, None]
    return _collect(own, shared, both, incidence)


def _aalen_variance(events: Ints, at_risk: Ints, before: Floats, incidence: Floats) -> Floats:
    """Return the variance of independent counts of the causes on each day, shape (rows, causes)."""
    n = at_risk[:, None].astype(np.float64)
    every = events.sum(axis=1, keepdims=True)

    def count_variance(count: Ints) -> Floats:
        tied = np.where(count > 1, (n - count) / np.maximum(n - 1, 1), 1.0)
        return np.asarray(count * tied / n**2)

    own, others = count_variance(events), count_variance(every - events)
    after = before[:, None] * (n - every) / n
    share = np.divide(before[:, None], after, out=np.zeros_like(after), where=after > 0)
    return _collect(before[:, None] ** 2 * own, before[:, None] * share * own, share**2 * (own + others), incidence)


def _collect(own: Floats, shared: Floats, both: Floats, incidence: Floats) -> Floats:
    """Return sum_{s<=t} own - 2 D shared + D^2 both with D = F(t) - F(s), all t at once, shape (rows, causes)."""
    both = np.broadcast_to(both, own.shape)
    constant = own + 2 * incidence * shared + incidence**2 * both
    linear = shared + incidence * both
    total = np.cumsum(constant, axis=0) - 2 * incidence * np.cumsum(linear, axis=0)
    variance: Floats = total + incidence**2 * np.cumsum(both, axis=0)
    return np.maximum(variance, 0)
