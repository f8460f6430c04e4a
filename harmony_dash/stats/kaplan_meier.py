"""The Kaplan-Meier estimate, and how values and quantiles are read off it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.intervals import describe_interval, probability_interval
from harmony_dash.stats.risk_sets import (
    RiskSets,
    add_causes,
    at_risk_on,
    count_risk_sets,
    first_supported_day,
    whole_days,
)

# With late entry a single early patient could carry the curve to 0; the curve starts once this many are at risk.
LEAST_AT_RISK: Final = 10
# A curve that equals the level but for rounding has reached it.
PLATEAU: Final = 1e-9


@dataclass(frozen=True)
class SurvivalCurve:
    """A right-continuous step curve: `survival[i]` holds from `days[i]` until the next day; it is 1 before `days[0]`.

    Attributes
    ----------
    group : label of the group, "all" for every group together.
    patients : number of patients.
    interval, level : how `lower` and `upper` were made.
    from_day : the curve is conditional on being event-free just before this day; 0 without late entry.
    days : shape (rows,); all days on which anybody leaves or enters, a drop on day 0 included.
    at_risk, events, censored, entered : shape (rows,); counts, events of every cause together.
    survival, std_error : shape (rows,); NaN before `from_day`. The standard error is NaN where the curve is 0.
    lower, upper : shape (rows,); NaN before the first event and where the curve is 0.
    """

    group: str
    patients: int
    interval: str
    level: float
    from_day: int
    days: Ints
    at_risk: Ints
    events: Ints
    censored: Ints
    entered: Ints
    survival: Floats
    std_error: Floats
    lower: Floats
    upper: Floats

    @property
    def methods(self) -> str:
        """The method in words."""
        condition = f", conditional on being event-free before day {self.from_day}" if self.from_day else ""
        return (f"Kaplan-Meier estimate, {describe_interval(self.interval, self.level)} (Greenwood), "
                f"events before censorings on a day{condition}")


@dataclass(frozen=True)
class SurvivalAt:
    """A survival curve read off at chosen days.

    Attributes
    ----------
    days, at_risk : shape (m,); at risk means T >= day on that very day.
    survival, std_error, lower, upper : shape (m,); NaN where the curve says nothing.
    """

    days: Ints
    at_risk: Ints
    survival: Floats
    std_error: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Quantile:
    """The first day by which a share of the patients has had the event, in days; NaN where it is not reached."""

    share: float
    days: float
    lower: float
    upper: float


def estimate_survival(table: EventTable, group: str | int | None = None, *, interval: str = "log-log",
                      level: float = 0.95, from_day: int | None = None,
                      least_at_risk: int = LEAST_AT_RISK) -> SurvivalCurve:
    """Estimate freedom from every event cause, strata pooled.

    Assumes
        Censoring and late entry are independent of the event. On one day events come before censorings. An event on
        day 0 counts: S(0) = 1 - d/n.

    Formula
        S(t) = prod_{s<=t} (1 - d(s)/Y(s)); SE = S(t) sqrt(sum_{s<=t} d / (Y (Y - d))). With late entry the product
        starts on the first day with `least_at_risk` patients at risk.

    Parameters
    ----------
    table : event table; days are whole.
    group : label or position of a group, None for all groups together.
    interval : "log-log", "log" or "plain".
    level : confidence level.
    from_day : first day of the product, when groups with late entry are to share one; see `least_at_risk`.
    least_at_risk : patients that must be at risk before a curve with late entry starts.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    StatisticsError if the group is empty, if late entry never brings enough patients together, or if everybody has
    left while others have yet to enter, after which the product means nothing.

    References
    ----------
    Kaplan, Meier, J Am Stat Assoc 53 (1958) 457-481, equations (2b) and (2f); intervals: see
    `probability_interval`.
    """
    sets = risk_sets_of(table, group)
    return product_limit(sets, add_causes(sets.events), sets.censored, interval=interval, level=level,
                         from_day=from_day, least_at_risk=least_at_risk)


def product_limit(sets: RiskSets, events: Ints, censored: Ints, *, interval: str, level: float,
                  from_day: int | None = None, least_at_risk: int = LEAST_AT_RISK) -> SurvivalCurve:
    """Multiply (1 - d/Y) over risk sets; `events` and `censored`, shape (rows,), say what counts as an event."""
    start = start_of_curve(sets, from_day, least_at_risk)
    counted = np.where(sets.days >= start, events, 0)
    at_risk = np.maximum(sets.at_risk, 1)  # a day on which patients only enter may have nobody at risk yet
    stay = at_risk - counted
    survival = np.cumprod(stay / at_risk, dtype=np.float64)
    variance = np.cumsum(counted / (at_risk * np.maximum(stay, 1.0)))
    std_error = np.where(survival > 0, survival * np.sqrt(variance), np.nan)
    survival[sets.days < start] = np.nan
    std_error[sets.days < start] = np.nan
    lower, upper = probability_interval(survival, std_error, interval, level)
    return SurvivalCurve(sets.group, sets.patients, interval, level, start, sets.days, sets.at_risk, events, censored,
                         sets.entered, survival, std_error, lower, upper)


def read_survival(curve: SurvivalCurve, days: ArrayLike) -> SurvivalAt:
    """Read a curve off at chosen days.

    Parameters
    ----------
    curve : a survival curve.
    days : shape (m,); whole days in any order.

    Returns
    -------
    SurvivalAt; NaN before `curve.from_day`, and past the last day of follow-up unless the curve has reached 0.

    Raises
    ------
    StatisticsError if a day is negative or not whole.
    """
    at = whole_days(days)
    row = np.searchsorted(curve.days, at, side="right")
    defined = at >= curve.from_day
    if curve.survival[-1] > 0:
        defined &= at <= curve.days[-1]
    before = {"survival": 1.0, "std_error": 0.0, "lower": np.nan, "upper": np.nan}
    values = {name: np.where(defined, np.concatenate([[start], getattr(curve, name)])[row], np.nan)
              for name, start in before.items()}
    # Rows before the start of the curve are NaN although the curve is 1 from its first day on.
    untouched = defined & (np.concatenate([[-1], curve.days])[row] < curve.from_day)
    values["survival"][untouched], values["std_error"][untouched] = 1.0, 0.0
    at_risk = at_risk_on(curve.days, curve.at_risk, curve.events + curve.censored, curve.entered, at)
    return SurvivalAt(at, at_risk, **values)


def find_quantile(curve: SurvivalCurve, share: float = 0.5) -> Quantile:
    """Find the first day by which a share of the patients has had the event.

    Formula
        The first day with S(t) <= 1 - share + 1e-9; the limits are the same rule on the limits of the curve. No
        midpoint is taken on a plateau at exactly that level.

    Parameters
    ----------
    curve : a survival curve.
    share : between 0 and 1; 0.5 for the median, 0.25 for the first quartile.

    Returns
    -------
    Quantile, in days; NaN where the curve, or its limit, never falls so low.

    Raises
    ------
    StatisticsError if the share is not between 0 and 1.

    References
    ----------
    Brookmeyer, Crowley, Biometrics 38 (1982) 29-41, section 2.
    """
    if not 0 < share < 1:
        raise StatisticsError("the share of a quantile lies between 0 and 1")

    def first_day(values: Floats) -> float:
        reached = np.flatnonzero(values <= 1 - share + PLATEAU)
        return float(curve.days[reached[0]]) if len(reached) else float("nan")

    return Quantile(share, first_day(curve.survival), first_day(curve.lower), first_day(curve.upper))


def start_of_curve(sets: RiskSets, from_day: int | None, least_at_risk: int) -> int:
    """Return the first day of a product over risk sets, or refuse."""
    start = first_supported_day(sets, least_at_risk)
    if start is None:
        raise StatisticsError(f"fewer than {least_at_risk} patients are ever under observation together")
    if from_day is not None:
        start = int(whole_days(from_day)[0])
    if not at_risk_on(sets.days, sets.at_risk, sets.left, sets.entered, np.array([start]))[0]:
        raise StatisticsError(f"nobody is under observation on day {start}")
    alone = (sets.days >= start) & (sets.at_risk - sets.left + sets.entered == 0)
    if bool(alone[:-1].any()):
        day = int(sets.days[np.flatnonzero(alone)[0]])
        raise StatisticsError(f"nobody is under observation after day {day} although others enter later",
                              remedy="start the curve later")
    return start


def risk_sets_of(table: EventTable, group: str | int | None) -> RiskSets:
    """Return the risk sets of a group, or refuse an empty one."""
    sets = count_risk_sets(table, group)
    if not sets.patients:
        raise StatisticsError(f"the group {sets.group!r} has no patients")
    return sets
