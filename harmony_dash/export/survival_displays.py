"""A released survival result as tables for people, with the words and decimals of the screen."""

from __future__ import annotations

from harmony_dash.charts.curve_tables import build_key_numbers, build_risk_table, format_mean_difference, head_percent
from harmony_dash.charts.names import DAGGER, mark_name
from harmony_dash.charts.numbers import NOTHING, TimeUnit, format_p, format_part, format_percent_interval, name_length
from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.precision import describe_precision, precision_of
from harmony_dash.disclosure.released import Released, Scope
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.wording import differing_groups
from harmony_dash.export.summary import Display
from harmony_dash.export.survival_tables import curves_of


def survival_displays(released: Released[SurvivalResult], unit: TimeUnit) -> tuple[Display, ...]:
    """Key numbers, competing causes, comparisons, numbers at risk, and how the cohort came about."""
    result, scope = released.value, released.scope
    endpoint = endpoint_named(result.question.endpoint)
    found = [_key_numbers(released, endpoint, unit)]
    if endpoint.competing:
        found.append(_causes(result, endpoint, scope))
    found += [_comparisons(result, endpoint, unit), _at_risk(released, unit), display_flow(result)]
    return tuple(display for display in found if display.rows)


def _key_numbers(released: Released[SurvivalResult], endpoint: Endpoint, unit: TimeUnit) -> Display:
    result = released.value
    header, rows = build_key_numbers(released, unit)
    note = "In brackets, 95 % confidence intervals. Follow-up is the median by reverse Kaplan–Meier."
    if result.reference:
        note += f" HR is the hazard ratio against {result.reference} over all follow-up, by a Cox model."
    if groups := differing_groups(result):
        note += f" {DAGGER} {', '.join(groups)}: answered for slightly different patients (see notes)."
    if off := describe_precision(result, released.scope):
        note += f" {off}"
    if not endpoint.competing:
        note += " RMST is the restricted mean time without the event."
    marked = tuple((mark_name(group, result), *cells) for group, *cells in rows)
    return Display("Key numbers", header, marked, note=note)


def _causes(result: SurvivalResult, endpoint: Endpoint, scope: Scope) -> Display:
    days = sorted({at.days for group in result.groups for at in group.at})
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, scope)
        for _, words, _, ats in curves_of(group, endpoint):
            read = {at.days: format_percent_interval(at.estimate, at.lower, at.upper, precision, unit=False)
                    for at in ats}
            rows.append((group.name, words, *(read.get(day, NOTHING) for day in days)))
    return Display("Every cause", ("Group", "Curve", *(head_percent(day) for day in days)),
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
        rows += [(f"Restricted means to {name_length(one.tau_days, unit)}",
                  f"{one.group} minus {one.reference}", format_mean_difference(one, unit), format_p(one.p), NOTHING)
                 for one in result.restricted_mean_differences]
    return Display("Comparisons", ("Comparison", "Of", f"Result (differences in {unit})", "p", "p, Holm"), tuple(rows),
                   words=2, note="p-values are not adjusted for other comparisons; Holm's are, for the pairs.")


def _at_risk(released: Released[SurvivalResult], unit: TimeUnit) -> Display:
    header, rows = build_risk_table(released, unit)
    return Display(f"Numbers at risk, by {unit}", header, rows, words=2)


def display_flow(result: SurvivalResult) -> Display:
    """How the cohort came about, step by step."""
    rows = [(step.label, format_part(step.removed) if place else NOTHING, format_part(step.n))
            for place, step in enumerate(result.attrition)]
    rows += [(f"not counted: {one.reason}", format_part(one.n), "") for one in result.exclusions]
    rows += [(f"withheld: {group.name} ({group.reason})", format_part(None), "") for group in result.withheld]
    rows.append(("in the figure", "", format_part(result.n)))
    return Display("How the cohort came about", ("Step", "Removed", "Left"), tuple(rows))
