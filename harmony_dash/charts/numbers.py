"""Numbers as people read them: counts, percentages, intervals, p-values and times."""

from __future__ import annotations

import math
from enum import StrEnum

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
           "format_time_interval", "name_time"]


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


def format_percent(share: float | None, *, unit: bool = True) -> str:
    """A share as a percentage with one decimal; a dash where there is none."""
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{100 * share:.1f}{' %' if unit else ''}"


def format_share(share: float) -> str:
    """A share of a count in per cent, without the unit: whole, or with the one decimal it was given with."""
    return f"{100 * share:.1f}".removesuffix(".0")


def format_percent_interval(estimate: float | None, lower: float | None, upper: float | None, *,
                            unit: bool = True) -> str:
    """An estimate with its confidence interval, "91.2 % (88.0–93.4)"."""
    text = format_percent(estimate, unit=unit)
    if text == NOTHING or lower is None or upper is None or not (math.isfinite(lower) and math.isfinite(upper)):
        return text
    return f"{text} ({100 * lower:.1f}–{100 * upper:.1f})"


def format_time(days: float | None, unit: TimeUnit) -> str:
    """A length of time in the unit, without naming it."""
    if days is None or not math.isfinite(days):
        return NOTHING
    return f"{days / unit.days:,.{unit.decimals}f}"


def format_time_interval(days: float | None, lower: float | None, upper: float | None, unit: TimeUnit) -> str:
    """A time with its confidence interval; an end that was not reached is "not reached"."""
    if days is None or not math.isfinite(days):
        return "not reached"
    if lower is None and upper is None:
        return format_time(days, unit)
    low, high = (format_time(end, unit) if end is not None and math.isfinite(end) else "not reached"
                 for end in (lower, upper))
    return f"{format_time(days, unit)} ({low}–{high})"


def name_time(days: int) -> str:
    """A day in the largest unit that gives a whole number: "5 years", "6 months", "day 42"."""
    years = days / TimeUnit.YEARS.days
    if round(years) >= 1 and abs(years - round(years)) < 0.005:
        return f"{round(years)} year{'s' if round(years) > 1 else ''}"
    months = days / TimeUnit.MONTHS.days
    if round(months) >= 1 and abs(months - round(months)) < 0.02:
        return f"{round(months)} month{'s' if round(months) > 1 else ''}"
    return f"day {days}"
