"""The answer to a survival question, from the title to the methods line."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.charts.numbers import TimeUnit, name_time
from harmony_dash.charts.palette import palette_for
from harmony_dash.charts.survival.figure import build_survival_figure
from harmony_dash.charts.survival.frame import MOST_CURVES
from harmony_dash.charts.survival.words import describe_survival
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.precision import describe_precision
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import RestrictedMeanDifference, SurvivalResult
from harmony_dash.ui.components.answer_notes import describe_compared, explain_dagger, explain_no_test, explain_ratios
from harmony_dash.ui.components.methods_line import show_method_line
from harmony_dash.ui.components.survival_view import SurvivalView, full_link
from harmony_dash.ui.components.tables import (
    build_estimates,
    build_key_numbers,
    build_mean_differences,
    build_pairwise,
    build_risk_table,
    describe_test,
    show_table,
)
from harmony_dash.ui.components.text import escape_markdown, tidy_units
from harmony_dash.ui.components.withheld import show_too_few

FIGURE_CONFIG = {"displaylogo": False, "responsive": True, "scrollZoom": False,
                 # The camera would make a copy without provenance; the rest has no use on these axes.
                 "modeBarButtonsToRemove": ["toImage", "select2d", "lasso2d", "autoScale2d", "pan2d"]}


def show_heading(title: str) -> None:
    """The question in words."""
    st.markdown(f"### {escape_markdown(tidy_units(title))}")


def show_figure(released: Released[SurvivalResult], view: SurvivalView) -> None:
    """The figure, or why there is none."""
    result = released.value
    if not result.groups:
        show_too_few(released)
        return
    causes = endpoint_named(result.question.endpoint).causes if view.all_causes else ()
    figure = build_survival_figure(released, time_unit=view.time_unit, dark=is_dark(), causes=causes)
    st.plotly_chart(figure, key="survival.figure", theme=None, config=FIGURE_CONFIG, width="stretch",
                    alt=describe_survival(released))
    if off := describe_precision(result, released.scope):
        st.caption(escape_markdown(off))


def is_dark() -> bool:
    """Whether the reader's theme is dark."""
    return st.context.theme.type == "dark"


def show_numbers(released: Released[SurvivalResult], view: SurvivalView) -> None:
    """Key numbers, the overall test, the summary, and the rest behind expanders."""
    result, unit = released.value, view.time_unit
    if not result.groups:
        return
    competing = endpoint_named(result.question.endpoint).competing
    what = "cumulative incidences" if competing else "estimates"
    words = palette_for(is_dark()).words
    show_table(build_key_numbers(released, unit), alt=f"Key numbers of {result.title}",
               colours=words if 1 < len(result.groups) <= MOST_CURVES else ())
    mean = "" if competing else " RMST is the restricted mean time without the event."
    if dagger := explain_dagger(result):
        st.caption(escape_markdown(dagger))
    ratios = escape_markdown(explain_ratios(result))
    st.caption(f"In brackets, 95 % confidence intervals. Percentages are {what} at that time.{ratios}{mean} Follow-up "
               "is the median by reverse Kaplan–Meier.")
    tests, compared = describe_test(released), describe_compared(result)
    for line in tests:
        st.markdown(escape_markdown(f"{line} ({compared})" if compared else line))
    if not tests and len(result.groups) > 1:
        st.caption(explain_no_test(result))
    st.markdown(escape_markdown(tidy_units(result.summary)))
    differences = () if competing else result.restricted_mean_differences
    if result.pairwise or differences:
        pairs = st.expander("Compare pairs of groups", key="survival.pairs", on_change="rerun")
        if pairs.open:
            with pairs:
                _show_pairs(result, differences, unit)
    twin = st.expander("View as table", key="survival.table", on_change="rerun")
    if twin.open:  # tables are a third of the time of a click, so only those that are looked at are made
        with twin:
            show_table(build_estimates(released), left=("Group", "Cause", "Time"), alt="Estimates at chosen times")
            st.caption(f"Patients at risk, events and censored so far, by {unit.value} since the clock started.")
            show_table(build_risk_table(released, unit), left=("Group", "Patients"), alt="Numbers at risk")


def _show_pairs(result: SurvivalResult, differences: Sequence[RestrictedMeanDifference], unit: TimeUnit) -> None:
    if result.pairwise:
        show_table(build_pairwise(result), left=("Group", "Compared with"), alt="Pairwise comparisons")
    if differences:
        st.caption("Difference of restricted mean time without the event, up to "
                   f"{name_time(differences[0].tau_days)}.")
        show_table(build_mean_differences(result, unit), left=("Group", "Minus"),
                   alt="Differences of restricted mean times")


def show_methods(released: Released[SurvivalResult], view: SurvivalView) -> None:
    """The methods line, and what to take along: its text and a link to this view."""
    show_method_line(released.value.title, released.value.methods, full_link(view, st.context.url or ""))
