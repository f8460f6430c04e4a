"""A released survival result as tables for people, with the words and decimals of the screen."""

from __future__ import annotations

from harmony_dash.charts.names import DAGGER, mark_name
from harmony_dash.charts.numbers import (
    NOTHING,
    TimeUnit,
    format_at_risk,
    format_count,
    format_p,
    format_part,
    format_percent_interval,
    format_so_far,
    format_time,
    format_time_interval,
    name_time,
)
from harmony_dash.charts.ratios import format_group_ratio, name_ratio
from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import describe_precision, precision_of
from harmony_dash.disclosure.released import Released, Scope
from harmony_dash.disclosure.results import GroupResult, RestrictedMeanDifference, SurvivalResult
from harmony_dash.disclosure.wording import differing_groups
from harmony_dash.export.summary import Display
from harmony_dash.export.survival_tables import curves_of
from harmony_dash.stats.intervals import normal_quantile

_Z = normal_quantile(0.95)


def survival_displays(released: Released[SurvivalResult], unit: TimeUnit) -> tuple[Display, ...]:
    """Key numbers, competing causes, comparisons, numbers at risk, and how the cohort came about."""
    result, scope = released.value, released.scope
    endpoint = endpoint_named(result.question.endpoint)
    found = [_key_numbers(result, endpoint, unit, scope)]
    if endpoint.competing:
        found.append(_causes(result, endpoint, scope))
    found += [_comparisons(result, endpoint, unit), _at_risk(result, endpoint, unit, scope.rules.minimum_cell),
              display_flow(result)]
    return tuple(display for display in found if display.rows)


def _key_numbers(result: SurvivalResult, endpoint: Endpoint, unit: TimeUnit, scope: Scope) -> Display:
    days = sorted({at.days for group in result.groups for at in headline_estimates(group, endpoint)})
    means = [group.restricted_mean for group in result.groups if group.restricted_mean]
    until = f" to {format_time(means[0].tau_days, unit)}" if means else ""
    times = () if endpoint.competing else (f"Median, {unit}", f"RMST{until}, {unit}")
    ratio = (name_ratio(endpoint),) if result.reference else ()
    header = ("Group", "Patients", "Events", *(f"{name_time(day).capitalize()}, %" for day in days), *ratio, *times,
              f"Follow-up, {unit}")
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, scope)
        read = {at.days: format_percent_interval(at.estimate, at.lower, at.upper, precision, unit=False)
                for at in headline_estimates(group, endpoint)}
        rows.append((mark_name(group.name, result), format_count(group.n), format_part(group.events),
                     *(read.get(day, NOTHING) for day in days), *(format_group_ratio(group, result) for _ in ratio),
                     *(_times(group, unit, outward=precision.is_protected) if times else ()),
                     format_time(group.follow_up_median_days, unit)))
    note = "In brackets, 95 % confidence intervals. Follow-up is the median by reverse Kaplan–Meier."
    if ratio:
        note += f" HR is the hazard ratio against {result.reference} over all follow-up, by a Cox model."
    if groups := differing_groups(result):
        note += f" {DAGGER} {', '.join(groups)}: answered for slightly different patients (see notes)."
    if off := describe_precision(result, scope):
        note += f" {off}"
    if times:
        note += " RMST is the restricted mean time without the event."
    return Display("Key numbers", header, tuple(rows), note=note)


def _times(group: GroupResult, unit: TimeUnit, *, outward: bool) -> tuple[str, str]:
    mean = group.restricted_mean
    return (format_time_interval(group.median_days, group.median_lower_days, group.median_upper_days, unit,
                                 outward=outward),
            NOTHING if mean is None else format_time_interval(mean.days, mean.days - _Z * mean.se,
                                                              mean.days + _Z * mean.se, unit, outward=outward))


def _causes(result: SurvivalResult, endpoint: Endpoint, scope: Scope) -> Display:
    days = sorted({at.days for group in result.groups for at in group.at})
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, scope)
        for _, words, _, ats in curves_of(group, endpoint):
            read = {at.days: format_percent_interval(at.estimate, at.lower, at.upper, precision, unit=False)
                    for at in ats}
            rows.append((group.name, words, *(read.get(day, NOTHING) for day in days)))
    return Display("Every cause", ("Group", "Curve", *(f"{name_time(day).capitalize()}, %" for day in days)),
                   tuple(rows), words=2,
                   note=f"A cause with fewer than {scope.rules.minimum_events} events in a group is left out.")


def _comparisons(result: SurvivalResult, endpoint: Endpoint, unit: TimeUnit) -> Display:
    whom = ", ".join(result.compared) if 0 < len(result.compared) < len(result.groups) else "all groups"
    rows = [(f"{test.label[:1].upper()}{test.label[1:]}", whom, f"χ² {test.statistic:g} on {test.df} df",
             format_p(test.p), NOTHING)
            for test in [*([result.log_rank] if result.log_rank else []), *result.gray,
                         *([result.over_time] if result.over_time else [])]]
    rows += [("Log-rank test", f"{first} and {second}", NOTHING, format_p(p), format_p(holm))
             for first, second, p, holm in result.pairwise]
    if not endpoint.competing:
        rows += [(f"Restricted means to {format_time(one.tau_days, unit)} {unit}",
                  f"{one.group} minus {one.reference}", _difference(one, unit), format_p(one.p), NOTHING)
                 for one in result.restricted_mean_differences]
    return Display("Comparisons", ("Comparison", "Of", f"Result (differences in {unit})", "p", "p, Holm"), tuple(rows),
                   words=2, note="p-values are not adjusted for other comparisons; Holm's are, for the pairs.")


def _difference(one: RestrictedMeanDifference, unit: TimeUnit) -> str:
    decimals = 2 if unit is TimeUnit.YEARS else unit.decimals
    value, lower, upper = (f"{days / unit.days:.{decimals}f}".replace("-", "−")
                           for days in (one.days, one.lower, one.upper))
    return f"{value} ({lower} to {upper})"


def _at_risk(result: SurvivalResult, endpoint: Endpoint, unit: TimeUnit, minimum: int) -> Display:
    days = sorted({day for group in result.groups for day in group.risk_table.days})
    events = "all events" if endpoint.competing else "events"
    rows = []
    for group in result.groups:
        table = group.risk_table
        place = {day: at for at, day in enumerate(table.days)}
        rows.append((group.name, "at risk", *(format_at_risk(table, place[day], minimum) if day in place else NOTHING
                                              for day in days)))
        for word, counts in ((events, table.events), ("censored", table.censored)):
            rows.append((group.name, word, *(format_so_far(table, counts, place[day], minimum) if day in place
                                             else NOTHING for day in days)))
    return Display(f"Numbers at risk, by {unit}", ("Group", "Patients", *(f"{round(day / unit.days, 2):g}"
                                                                         for day in days)), tuple(rows), words=2)


def display_flow(result: SurvivalResult) -> Display:
    """How the cohort came about, step by step."""
    rows = [(step.label, format_part(step.removed) if place else NOTHING, format_part(step.n))
            for place, step in enumerate(result.attrition)]
    rows += [(f"not counted: {one.reason}", format_part(one.n), "") for one in result.exclusions]
    rows += [(f"withheld: {group.name} ({group.reason})", format_part(None), "") for group in result.withheld]
    rows.append(("in the figure", "", format_part(result.n)))
    return Display("How the cohort came about", ("Step", "Removed", "Left"), tuple(rows))
