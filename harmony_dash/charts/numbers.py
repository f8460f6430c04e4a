"""Numbers as people read them: counts, percentages, intervals, p-values and times."""

from __future__ import annotations

import math
from enum import StrEnum

from harmony_dash.disclosure.precision import EXACT, Precision, format_length, format_limits
from harmony_dash.disclosure.precision import format_percent as print_percent
from harmony_dash.disclosure.wording import (
    HIDDEN,
    NOTHING,
    format_at_risk,
    format_count,
    format_p,
    format_part,
    format_so_far,
)

__all__ = ["HIDDEN", "NOTHING", "TimeUnit", "format_at_risk", "format_count", "format_p", "format_part",
           "format_percent", "format_percent_interval", "format_share", "format_so_far", "format_time",
           "format_time_interval", "name_length", "name_time"]

_NOT_REACHED = "not reached"
_LEFT_OPEN = "not certain"
_TOLERANCE = 1e-9


class TimeUnit(StrEnum):
    """The unit times are shown in. Inside the statistics there are only days."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"

    @property
    def days(self) -> float:
        """Days in one unit."""
        return {TimeUnit.YEARS: 365.25, TimeUnit.MONTHS: 30.4375, TimeUnit.DAYS: 1.0}[self]

    @property
    def decimals(self) -> int:
        """Decimals a time in this unit is shown with."""
        return 1 if self is TimeUnit.YEARS else 0


def format_percent(share: float | None, precision: Precision = EXACT, *, unit: bool = True) -> str:
    """A share as a percentage with the decimals it can be meant with; a dash where there is none."""
    if share is None or not math.isfinite(share):
        return NOTHING
    return print_percent(share, precision, unit=unit)


def format_share(share: float) -> str:
    """A share of a count in per cent, without the unit: whole, or with the one decimal it was given with."""
    return f"{100 * share:.1f}".removesuffix(".0")


def format_percent_interval(estimate: float | None, lower: float | None, upper: float | None,
                            precision: Precision = EXACT, *, unit: bool = True) -> str:
    """An estimate with its confidence interval, "91.2 % (88.0–93.4)"."""
    text = format_percent(estimate, precision, unit=unit)
    if text == NOTHING or lower is None or upper is None or not (math.isfinite(lower) and math.isfinite(upper)):
        return text
    return f"{text} ({format_limits(lower, upper, precision)})"


def format_time(days: float | None, unit: TimeUnit) -> str:
    """A length of time in the unit, without naming it."""
    if days is None or not math.isfinite(days):
        return NOTHING
    return f"{days / unit.days:,.{unit.decimals}f}"


def name_length(days: float, unit: TimeUnit) -> str:
    """A length of time with its unit, "5 years", "4.25 years", "60 months"; decimals only where they say something."""
    text = format_length(days, unit.days)
    return f"{text} {unit.removesuffix('s') if text == '1' else unit}"


def format_time_interval(days: float | None, lower: float | None, upper: float | None, unit: TimeUnit, *,
                         outward: bool = False, horizon: int | None = None) -> str:
    """A time with its confidence interval; an end that was not reached is "not reached".

    Parameters
    ----------
    outward : whether limits are printed no narrower than they are, as those of protected results; a time left open
        beside its limits is then "not certain".
    horizon : the day on which the curve was cut, None for one that follow-up ends; what was not reached by then is
        "beyond 1 year".
    """
    unreached = _NOT_REACHED if horizon is None else f"beyond {name_length(horizon, unit)}"
    known = days is not None and math.isfinite(days)
    # The rounding can leave a protected median open; only a band that stays above one half says it is not reached.
    if not known and (lower is None or not outward):
        return unreached
    if lower is None and upper is None:
        return format_time(days, unit)
    low, high = (unreached if end is None or not math.isfinite(end)
                 else format_time(_cut(end, unit, side) if outward else end, unit)
                 for end, side in ((lower, -1), (upper, 1)))
    return f"{format_time(days, unit) if known else _LEFT_OPEN} ({low}–{high})"


def _cut(days: float, unit: TimeUnit, side: int) -> float:
    """The next number of days below (side −1) or above (1) that the unit's decimals can print."""
    step = unit.days / 10.0**unit.decimals
    return side * math.ceil(side * days / step - _TOLERANCE) * step


def name_time(days: int) -> str:
    """A day in the largest unit that gives a whole number: "5 years", "6 months", "day 42"."""
    years = days / TimeUnit.YEARS.days
    if round(years) >= 1 and abs(years - round(years)) < 0.005:
        return f"{round(years)} year{'s' if round(years) > 1 else ''}"
    months = days / TimeUnit.MONTHS.days
    if round(months) >= 1 and abs(months - round(months)) < 0.02:
        return f"{round(months)} month{'s' if round(months) > 1 else ''}"
    return f"day {days}"
