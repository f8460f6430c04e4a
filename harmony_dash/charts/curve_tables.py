"""Tables that stand beside curves, as text that is ready to read: the same cells on the screen and in a report."""

from __future__ import annotations

from typing import Final, NamedTuple

from harmony_dash.charts.numbers import (
    NOTHING,
    TimeUnit,
    format_at_risk,
    format_count,
    format_part,
    format_percent_interval,
    format_so_far,
    format_time,
    format_time_interval,
    name_length,
    name_time,
)
from harmony_dash.charts.ratios import format_group_ratio, name_ratio
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import GroupResult, RestrictedMeanDifference, SurvivalResult
from harmony_dash.stats.intervals import normal_quantile

_Z: Final = normal_quantile(0.95)


class TextTable(NamedTuple):
    """A header and rows of the same length; the first cell of a row is the name of its group."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def build_key_numbers(released: Released[SurvivalResult], unit: TimeUnit) -> TextTable:
    """One row a group: size, events, estimates at the chosen times, hazard ratio, median, restricted mean, follow-up.

    For competing endpoints the estimates are cumulative incidences of the cause of interest; median and restricted
    mean would describe something else and are left out.
    """
    result, minimum = released.value, released.scope.rules.minimum_cell
    endpoint = endpoint_named(result.question.endpoint)
    days = sorted({at.days for group in result.groups for at in headline_estimates(group, endpoint)})
    ratio = (name_ratio(endpoint),) if result.reference else ()
    times = () if endpoint.competing else (f"Median, {unit}", _name_means(result, unit))
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, released.scope)
        read = {at.days: format_percent_interval(at.estimate, at.lower, at.upper, precision, unit=False)
                for at in headline_estimates(group, endpoint)}
        rows.append((group.name, format_count(group.n, minimum), format_part(group.events),
                     *(read.get(day, NOTHING) for day in days), *(format_group_ratio(group, result) for _ in ratio),
                     *(_format_times(group, unit, result.question.horizon_days, outward=precision.is_protected)
                       if times else ()),
                     format_time(group.follow_up_median_days, unit)))
    return TextTable(("Group", "Patients", "Events", *(head_percent(day) for day in days), *ratio, *times,
                      f"Follow-up, {unit}"), tuple(rows))


def head_percent(days: int) -> str:
    """The head of a column of percentages at a time, "5 years, %"."""
    return f"{name_time(days).capitalize()}, %"


def _name_means(result: SurvivalResult, unit: TimeUnit) -> str:
    """The head of the restricted means: all end on the same day, and a group may have none."""
    ends = {group.restricted_mean.tau_days for group in result.groups if group.restricted_mean is not None}
    return f"RMST to {name_length(max(ends), unit)}" if ends else f"RMST, {unit}"


def _format_times(group: GroupResult, unit: TimeUnit, horizon: int | None, *, outward: bool) -> tuple[str, str]:
    mean = group.restricted_mean
    # A curve that ends at the horizon was cut there, and says nothing of what comes after.
    is_cut = horizon is not None and len(group.curve.days) > 0 and group.curve.days[-1] >= horizon
    median = format_time_interval(group.median_days, group.median_lower_days, group.median_upper_days, unit,
                                  outward=outward, horizon=horizon if is_cut else None)
    if mean is None:
        return median, NOTHING
    # A mean time until a day lies between none of it and all of it; the normal interval does not know that.
    lower, upper = max(mean.days - _Z * mean.se, 0.0), min(mean.days + _Z * mean.se, mean.tau_days)
    return median, format_time_interval(mean.days, lower, upper, unit, outward=outward)


def build_risk_table(released: Released[SurvivalResult], unit: TimeUnit) -> TextTable:
    """At risk, events and censored so far of each group, at each time of the figure's table."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    days = sorted({day for group in result.groups for day in group.risk_table.days})
    events = "all events" if endpoint_named(result.question.endpoint).competing else "events"
    rows = []
    for group in result.groups:
        table = group.risk_table
        place = {day: at for at, day in enumerate(table.days)}
        rows.append((group.name, "at risk", *(format_at_risk(table, place[day], minimum) if day in place else NOTHING
                                              for day in days)))
        rows += [(group.name, word, *(format_so_far(table, counts, place[day], minimum) if day in place else NOTHING
                                      for day in days))
                 for word, counts in ((events, table.events), ("censored", table.censored))]
    return TextTable(("Group", "Patients", *(f"{round(day / unit.days, 2):g}" for day in days)), tuple(rows))


def format_mean_difference(one: RestrictedMeanDifference, unit: TimeUnit) -> str:
    """The difference of two restricted mean times with its interval, "−0.31 (−0.52 to −0.10)"."""
    decimals = 2 if unit is TimeUnit.YEARS else unit.decimals
    value, lower, upper = (f"{days / unit.days:.{decimals}f}".replace("-", "−")
                           for days in (one.days, one.lower, one.upper))
    return f"{value} ({lower} to {upper})"
