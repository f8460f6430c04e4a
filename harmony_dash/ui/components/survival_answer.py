"""The answer to a survival question, from the title to the methods line."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.charts.numbers import TimeUnit, name_time
from harmony_dash.charts.palette import palette_for
from harmony_dash.charts.survival import MOST_CURVES, build_survival_figure, describe_survival
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import RestrictedMeanDifference, SurvivalResult
from harmony_dash.ui.components.problem import show_empty
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
from harmony_dash.ui.components.text import capital, escape_markdown, sentence, tidy_units

FIGURE_CONFIG = {"displaylogo": False, "responsive": True, "scrollZoom": False,
                 # The camera would make a copy without provenance; the rest has no use on these axes.
                 "modeBarButtonsToRemove": ["toImage", "select2d", "lasso2d", "autoScale2d", "pan2d"]}

MOST_NAMES = 6  # the flow's table has them all


def show_heading(title: str) -> None:
    """The question in words."""
    st.markdown(f"### {escape_markdown(tidy_units(title))}")


def show_notes(result: SurvivalResult) -> None:
    """What was done to the question on the way, before anybody reads the figure."""
    if result.notes:
        st.info("  \n".join(escape_markdown(sentence(note)) for note in result.notes), icon=":material/info:")


def show_figure(released: Released[SurvivalResult], view: SurvivalView) -> None:
    """The figure, or why there is none."""
    result = released.value
    if not result.groups:
        reasons = [f"{capital(names)}: {reason}." for names, reason in describe_withheld(result)]
        show_empty("Too few patients to show a curve", *reasons,
                   "Remove a filter, or choose a grouping with fewer groups; the count above shows which filter "
                   "removes most.")
        return
    causes = endpoint_named(result.question.endpoint).causes if view.all_causes else ()
    figure = build_survival_figure(released, time_unit=view.time_unit, dark=is_dark(), causes=causes)
    st.plotly_chart(figure, key="survival.figure", theme=None, config=FIGURE_CONFIG, width="stretch",
                    alt=describe_survival(released))


def is_dark() -> bool:
    """Whether the reader's theme is dark."""
    return st.context.theme.type == "dark"


def show_withheld(released: Released[SurvivalResult]) -> None:
    """The groups and causes that are not in the figure, and why."""
    result = released.value
    if result.withheld and result.groups:
        words = "; ".join(f"{names} ({reason})" for names, reason in describe_withheld(result))
        st.caption(f"Not shown: {escape_markdown(words)}.")
    missing = describe_missing_causes(released)
    if missing:
        st.caption(f"Not drawn: {escape_markdown(missing)}.")


def describe_withheld(result: SurvivalResult) -> list[tuple[str, str]]:
    """Each reason with the groups it applies to in words; of many only the first are named."""
    reasons: dict[str, list[str]] = {}
    for group in result.withheld:
        reasons.setdefault(group.reason, []).append(group.name)
    return [(_list_names(names), reason) for reason, names in reasons.items()]


def _list_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def describe_missing_causes(released: Released[SurvivalResult]) -> str:
    """Competing causes with too few events for a curve, by group: "death in a, b (fewer than 10 events)"."""
    result, rules = released.value, released.scope.rules
    endpoint = endpoint_named(result.question.endpoint)
    if not endpoint.competing:
        return ""
    parts = []
    for cause, label in zip(endpoint.causes, endpoint.cause_labels, strict=True):
        names = [group.name for group in result.groups if cause not in {c.cause for c in group.cumulative_incidence}]
        if names:
            parts.append(f"{label} in {_list_names(names)}")
    return f"{'; '.join(parts)} (fewer than {rules.minimum_events} events)" if parts else ""


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
    st.caption(f"In brackets, 95 % confidence intervals. Percentages are {what} at that time.{mean} Follow-up is the "
               "median by reverse Kaplan–Meier.")
    tests = describe_test(released)
    for line in tests:
        st.markdown(escape_markdown(line))
    if not tests and len(result.groups) > 1:
        st.caption("No test is shown: too few events, or a withheld group would have taken part.")
    st.markdown(escape_markdown(result.summary))
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
    st.caption(escape_markdown(released.value.methods))
    with st.container(horizontal=True, gap="small"):
        with st.popover("Copy methods", icon=":material/content_copy:", type="tertiary"):
            st.code(f"{released.value.title}. {released.value.methods}", language=None, wrap_lines=True)
        with st.popover("Copy link", icon=":material/link:", type="tertiary"):
            st.code(full_link(view, st.context.url or ""), language=None, wrap_lines=True)
            st.caption("Opens this view for anyone who may see it, with their own rights.")
