"""Outcome by two variables at once, and who is in the cohort (Table 1)."""

from __future__ import annotations

import streamlit as st

from harmony_dash.charts.heat_map import build_outcome_map_figure
from harmony_dash.charts.numbers import name_time
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne
from harmony_dash.disclosure.description_words import MOST_ERROR, STEP
from harmony_dash.disclosure.headline import counts_failures
from harmony_dash.disclosure.policy import too_few
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_words import describe_estimate
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.subgroup_tables import CHARACTERISTIC, build_map_table, build_table_one, find_headings
from harmony_dash.ui.components.survival_answer import FIGURE_CONFIG, is_dark
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, tidy_units

# Pixels that the names of the rows and a column need at least; a narrower page scrolls the map alone.
_LEFT, _COLUMN = 180, 92
_FITTING_STYLE = """
<style>
.st-key-subgroups_map { overflow-x: auto; }
.st-key-subgroups_map > * { min-width: %dpx; }
</style>
"""


def show_map(released: Released[OutcomeMap]) -> None:
    """The heat map, how to read it, and its twin."""
    result = released.value
    if not any(cell.at is not None for cell in result.cells):
        show_empty("Too few patients to show a map",
                   "No pair of values has enough patients and events.",
                   "Remove a filter, or choose variables with fewer values.")
        return
    st.caption(escape_markdown(f"Columns: {result.column_label}. Rows: {result.row_label}."))
    st.html(_FITTING_STYLE % (_LEFT + _COLUMN * len(result.columns)))
    with st.container(key="subgroups_map"):
        st.plotly_chart(build_outcome_map_figure(released, dark=is_dark()), key="subgroups.map", theme=None,
                        config=FIGURE_CONFIG, width="stretch",
                        alt=f"{result.title}: a table of estimates, deeper where more patients had the event")
    st.caption(escape_markdown(tidy_units(explain_map(released))))
    with st.expander("View as table", key="subgroups.map_table"):
        show_table(build_map_table(released), left=(result.row_label, result.column_label), alt="The cells of the map")


def explain_map(released: Released[OutcomeMap]) -> str:
    """What stands in a cell and what its shade means."""
    result, endpoint = released.value, endpoint_named(released.value.question.endpoint)
    deeper = "higher" if counts_failures(endpoint) else "lower"
    why = f" (· where there are {too_few(released.scope.rules)})" if released.scope.is_protected else ""
    return (f"{capital(describe_estimate(endpoint))} at {name_time(result.at_days)}, with patients in brackets{why}. "
            f"The deeper the colour, the {deeper} it is. Cells are not compared by any test: look "
            "for a pattern, not for the deepest cell.")


def show_table_one(released: Released[TableOne]) -> None:
    """The table, and how to read it."""
    result = released.value
    if all(group.choices is None for group in result.groups):
        show_empty("Too few patients to describe", "No group of this cohort is large enough to be described.",
                   "Remove a filter, or choose columns with fewer groups.")
        return
    table = build_table_one(result)
    show_table(table, left=(CHARACTERISTIC,), alt=result.title, headings=find_headings(table))
    lines = ["Shares are of patients with a value; whoever was not tested or whose test failed is in none."]
    if released.scope.is_protected:
        lines.append("Hidden: too small to show, or it would give a small number away. –: gets no answer by itself, or "
                     "cannot be worked out from the numbers shown.")
    if len(result.groups) > 1:
        rounded = (f", in steps of {STEP:g} and ± {MOST_ERROR:g} because the numbers are rounded"
                   if released.scope.is_protected else "")
        lines.append(f"Std. diff.: standardised difference{rounded}; above 0.1 it is usually called an imbalance. "
                     "There are no p-values: whether groups differ by chance is not what a Table 1 asks.")
    hidden = [group for group in result.groups if group.choices is None]
    lines += [f"Not described: {group.name} ({group.reason})." for group in hidden]
    st.caption(escape_markdown(tidy_units(" ".join(lines))))
