"""The twins of the figures: tables of released results, as text that is ready to read."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from harmony_dash.charts import curve_tables
from harmony_dash.charts.curve_tables import format_mean_difference
from harmony_dash.charts.names import mark_name
from harmony_dash.charts.numbers import TimeUnit, format_count, format_p, format_percent_interval, name_time
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.ui.components.html_table import render_table
from harmony_dash.ui.components.text import capital

# A number with its interval stands on one line; what is told in words instead would push other columns off the page.
_LONGEST_LINE = 24


def build_key_numbers(released: Released[SurvivalResult], unit: TimeUnit) -> pd.DataFrame:
    """The key numbers of each group, in a row of its own."""
    header, rows = curve_tables.build_key_numbers(released, unit)
    return pd.DataFrame([(capital(mark_name(group, released.value)), *cells) for group, *cells in rows], columns=header)


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
    header, rows = curve_tables.build_risk_table(released, unit)
    return pd.DataFrame([(capital(mark_name(group, released.value)), capital(word), *cells)
                         for group, word, *cells in rows], columns=header)


def build_pairwise(result: SurvivalResult) -> pd.DataFrame:
    """Each pair of groups with its p-value, raw and adjusted by Holm's method."""
    return pd.DataFrame([(capital(first), capital(second), format_p(raw), format_p(holm))
                         for first, second, raw, holm in result.pairwise],
                        columns=["Group", "Compared with", "p", "p (Holm)"])


def build_mean_differences(result: SurvivalResult, unit: TimeUnit) -> pd.DataFrame:
    """Differences of restricted mean times against the reference group."""
    rows = [(capital(one.group), capital(one.reference), format_mean_difference(one, unit), format_p(one.p))
            for one in result.restricted_mean_differences]
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
    rows = [[str(cell) for cell in row] for row in table.itertuples(index=False, name=None)]
    kinds = []
    for place, name in enumerate(table.columns):
        short = max((len(row[place]) for row in rows), default=0) <= _LONGEST_LINE
        kinds.append("" if name in left else "number line" if short else "number")
    st.html(render_table(list(table.columns), rows, kinds, alt=alt, colours=colours, headings=headings))
