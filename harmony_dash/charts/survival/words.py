"""The survival figure in words."""

from __future__ import annotations

from harmony_dash.charts.numbers import format_count, format_percent_interval, name_time
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult


def describe_survival(released: Released[SurvivalResult]) -> str:
    """The figure in one or two sentences, for people who do not see it."""
    result = released.value
    endpoint = endpoint_named(result.question.endpoint)
    if not result.groups:
        return f"{result.title}. No group is large enough to be drawn."
    parts = []
    for group in result.groups:
        known = [point for point in headline_estimates(group, endpoint) if point.estimate is not None]
        size = f"{group.name}, {format_count(group.n, released.scope.rules.minimum_cell)} patients"
        if known:
            last = known[-1]
            shown = format_percent_interval(last.estimate, last.lower, last.upper,
                                            precision_of(group.n, released.scope))
            size += f": {shown} at {name_time(last.days)}"
        parts.append(size)
    return f"{result.title}. {'; '.join(parts)}."
