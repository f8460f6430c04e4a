"""The twins of the figures: tables of released results, as text that is ready to read."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harmony_dash.charts.names import mark_name
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
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import EstimateAt, GroupResult, SurvivalResult
from harmony_dash.ui.components.text import capital, escape_markdown

_Z = 1.959963984540054


def build_key_numbers(released: Released[SurvivalResult], unit: TimeUnit) -> pd.DataFrame:
    """One row a group: size, events, estimates at the chosen times, hazard ratio, median, restricted mean, follow-up.

    For competing endpoints the estimates are cumulative incidences of the cause of interest; median and restricted
    mean would describe something else and are left out.
    """
    result, minimum = released.value, released.scope.rules.minimum_cell
    endpoint = endpoint_named(result.question.endpoint)
    competing = endpoint.competing
    mean_column = _name_means(result, unit)
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, released.scope)
        row = {"Group": capital(mark_name(group.name, result)), "Patients": format_count(group.n, minimum),
               "Events": format_part(group.events)}
        for point in estimates_of(group, result):
            row[f"{capital(name_time(point.days))}, %"] = format_percent_interval(
                point.estimate, point.lower, point.upper, precision, unit=False)
        if result.reference:
            row[name_ratio(endpoint)] = format_group_ratio(group, result)
        if not competing:
            row[f"Median, {unit}"] = format_time_interval(group.median_days, group.median_lower_days,
                                                          group.median_upper_days, unit,
                                                          outward=precision.is_protected)
            mean = group.restricted_mean
            row[mean_column] = NOTHING if mean is None else format_time_interval(
                mean.days, mean.days - _Z * mean.se, mean.days + _Z * mean.se, unit, outward=precision.is_protected)
        row[f"Follow-up, {unit}"] = format_time(group.follow_up_median_days, unit)
        rows.append(row)
    return pd.DataFrame(rows).fillna(NOTHING)


def _name_means(result: SurvivalResult, unit: TimeUnit) -> str:
    """The header of the restricted means: all end on the same day, and a group may have none."""
    ends = {group.restricted_mean.tau_days for group in result.groups if group.restricted_mean is not None}
    return f"RMST to {format_time(max(ends), unit)}, {unit}" if ends else f"RMST, {unit}"


def estimates_of(group: GroupResult, result: SurvivalResult) -> tuple[EstimateAt, ...]:
    """The estimates a reader looks for: survival, relapse rate, or the incidence of the cause of interest."""
    return headline_estimates(group, endpoint_named(result.question.endpoint))


def build_estimates(released: Released[SurvivalResult]) -> pd.DataFrame:
    """One row a group, cause and time: estimate, interval, patients at risk."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    endpoint = endpoint_named(result.question.endpoint)
    rows = []
    for group in result.groups:
        precision = precision_of(group.n, released.scope)
        causes = [(c.label, c.at) for c in group.cumulative_incidence] if endpoint.competing else [
            ("", headline_estimates(group, endpoint))]
        for cause, points in causes:
            for point in points:
                row = {"Group": capital(mark_name(group.name, result))}
                if endpoint.competing:
                    row["Cause"] = capital(cause)
                rows.append(row | {
                    "Time": capital(name_time(point.days)),
                    "Estimate (95 % CI), %": format_percent_interval(point.estimate, point.lower, point.upper,
                                                                     precision, unit=False),
                    "At risk": format_count(point.at_risk, minimum)})
    return pd.DataFrame(rows)


def build_risk_table(released: Released[SurvivalResult], unit: TimeUnit) -> pd.DataFrame:
    """At risk, events and censored of each group at each time of the figure's table."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    events = "All events" if endpoint_named(result.question.endpoint).competing else "Events"
    rows = []
    for group in result.groups:
        table = group.risk_table
        for word, counts in (("At risk", None), (events, table.events), ("Censored", table.censored)):
            row = {"Group": capital(mark_name(group.name, result)), "Patients": word}
            for place, day in enumerate(table.days):
                row[f"{round(day / unit.days, 2):g}"] = (
                    format_at_risk(table, place, minimum) if counts is None
                    else format_so_far(table, counts, place, minimum))
            rows.append(row)
    return pd.DataFrame(rows)


def build_pairwise(result: SurvivalResult) -> pd.DataFrame:
    """Each pair of groups with its p-value, raw and adjusted by Holm's method."""
    return pd.DataFrame([(capital(first), capital(second), format_p(raw), format_p(holm))
                         for first, second, raw, holm in result.pairwise],
                        columns=["Group", "Compared with", "p", "p (Holm)"])


def build_mean_differences(result: SurvivalResult, unit: TimeUnit) -> pd.DataFrame:
    """Differences of restricted mean times against the reference group."""
    decimals = 2 if unit is TimeUnit.YEARS else unit.decimals
    rows = []
    for one in result.restricted_mean_differences:
        value, lower, upper = (f"{days / unit.days:.{decimals}f}".replace("-", "−")
                               for days in (one.days, one.lower, one.upper))
        rows.append((capital(one.group), capital(one.reference), f"{value} ({lower} to {upper})", format_p(one.p)))
    return pd.DataFrame(rows, columns=["Group", "Minus", f"Difference, {unit} (95 % CI)", "p"])


def describe_test(released: Released[SurvivalResult]) -> list[str]:
    """The overall tests in words, "Log-rank test: χ² 61.2 on 2 degrees of freedom, p <0.001"; none on few events.

    A protected statistic has two significant digits and is printed with them alone.
    """
    result = released.value
    tests = [*([result.log_rank] if result.log_rank else []), *result.gray]
    lines = []
    for test in tests:
        if test.events < released.scope.rules.minimum_events_for_test:
            continue
        p = format_p(test.p)
        degrees = "1 degree of freedom" if test.df == 1 else f"{test.df} degrees of freedom"
        equals = p if p[0] in "<>" else f"= {p}"
        statistic = f"{test.statistic:g}" if released.scope.is_protected else f"{test.statistic:.1f}"
        lines.append(f"{capital(test.label)}: χ² {statistic} on {degrees}, p {equals}")
    return lines


def show_table(table: pd.DataFrame, *, left: Sequence[str] = ("Group",), alt: str = "",
               colours: Sequence[str] = (), headings: Sequence[int] = ()) -> None:
    """A static table: words left, numbers right with digits of equal width. Cells and headers are plain text.

    Parameters
    ----------
    left : columns of words.
    colours : a colour for the first cell of each row, the one the row has in the figure.
    headings : rows, by place, that name what the rows below them belong to.
    """
    safe = table.map(lambda cell: escape_markdown(str(cell)))
    safe.columns = [escape_markdown(column) for column in table.columns]
    numbers = [place for place, column in enumerate(table.columns) if column not in left]
    # Streamlit aligns each cell by its type, in the cell itself; text that is a number has to insist.
    right = {"text-align": "right !important", "font-variant-numeric": "tabular-nums"}
    styled = safe.style.set_properties(subset=[safe.columns[place] for place in numbers], **right)
    for row, colour in enumerate(colours[:len(safe)]):
        styled = styled.set_properties(subset=pd.IndexSlice[[row], [safe.columns[0]]],
                                       **{"color": f"{colour} !important", "font-weight": "600"})
    if headings:
        names = pd.IndexSlice[list(headings), [safe.columns[0]]]
        styled = styled.set_properties(subset=names, **{"font-weight": "600"})
    styled = styled.set_table_styles([
        *({"selector": f"th.col{place}", "props": list(right.items())} for place in numbers),
        *({"selector": f"td.col{place}, td.col{place} *", "props": [("white-space", "nowrap !important")]}
          for place in numbers)])
    st.table(styled, border="horizontal", hide_index=True, alt=alt or None)
