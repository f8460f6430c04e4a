"""The table of levels and its forest plot, from the counter of comparisons to the curves behind each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from harmony_dash.charts.forest import build_forest_figure, build_treatment_forest_figure
from harmony_dash.charts.forest_lines import ForestLines, list_level_lines, list_treatment_lines
from harmony_dash.charts.names import DAGGER
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.disclosure.subgroup_words import describe_tests
from harmony_dash.ui.components.cohort_flow import build_flow_table
from harmony_dash.ui.components.subgroup_controls import show_effect_control
from harmony_dash.ui.components.subgroup_tables import (
    FIRST,
    REASON,
    build_forest_table,
    build_tests_table,
    find_headings,
)
from harmony_dash.ui.components.subgroup_view import SubgroupSettings
from harmony_dash.ui.components.survival_answer import FIGURE_CONFIG, is_dark
from harmony_dash.ui.components.survival_view import SurvivalView, set_view, write_link
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import escape_markdown, tidy_units
from harmony_dash.ui.components.withheld import describe_withheld
from harmony_dash.ui.registry import PAGES

# Under this width the words of a line stand below its name. The container's own width decides, not the window's.
_NARROW = 640
_FITTING_STYLE = f"""
<style>
.st-key-subgroups_forest {{ container-type: inline-size; }}
@container (max-width: {_NARROW - 1}px) {{ .st-key-subgroups_wide {{ display: none; }} }}
@container (min-width: {_NARROW}px) {{ .st-key-subgroups_narrow {{ display: none; }} }}
.st-key-subgroups_forest .js-plotly-plot .nsewdrag {{ cursor: pointer; }}
</style>
"""


def show_levels(released: Released[SubgroupsResult], view: SurvivalView, settings: SubgroupSettings) -> None:
    """The plot, its words and its twin; or why there is none."""
    result = released.value
    if not result.variables:
        _show_too_few(result)
        return
    st.markdown(count_comparisons(result))
    effects = list_effects(result)
    effect = show_effect_control(settings, effects) if effects else 0
    forest = list_treatment_lines(released, effect - 1) if effect else list_level_lines(released)
    chosen = _show_figure(released, forest, effect)
    if chosen:
        set_view(view_of_curves(view, result, chosen))
        st.switch_page(_survival_page().file)
    _show_words(result, effect)
    st.markdown(escape_markdown(tidy_units(result.summary)))
    _show_curve_links(view, result)
    with st.expander("View as table", key="subgroups.table"):  # made at once: asking anew to open it takes far longer
        lines = build_forest_table(forest)
        show_table(lines, left=(FIRST, REASON), alt="The lines of the forest plot", headings=find_headings(lines))
        st.caption("The tests of each variable and what may be said of it")
        show_table(build_tests_table(result), left=("Variable", "Whether", "What may be said", "Trials"),
                   alt="Tests of each variable")


def count_comparisons(result: SubgroupsResult) -> str:
    """"14 comparisons (8 of levels, 4 of variables and 2 of interactions) were made in this table, 28 before it in
    this session.\""""
    one = result.comparisons == 1
    return (f"**{result.comparisons:,}** {'comparison was' if one else 'comparisons were'} made in this table "
            f"({describe_tests(result)}), "
            f"**{result.comparisons_before:,}** before it in this session.")


def list_effects(result: SubgroupsResult) -> tuple[str, ...]:
    """The comparisons of arms in words; none without a treatment."""
    found = max((variable.interactions for variable in result.variables), key=len, default=())
    return tuple(escape_markdown(f"{one.compared} against {one.reference}") for one in found)


def _show_figure(released: Released[SubgroupsResult], forest: ForestLines, effect: int) -> str:
    """Draw the plot in both widths, of which the page shows one; returns the variable of a line that was clicked."""
    st.html(_FITTING_STYLE)
    chosen = ""
    with st.container(key="subgroups_forest"):
        for name in ("wide", "narrow"):
            figure = _build_figure(released, effect, narrow=name == "narrow")
            with st.container(key=f"subgroups_{name}"):
                event = st.plotly_chart(figure, key=f"subgroups.figure.{name}", theme=None, config=FIGURE_CONFIG,
                                        width="stretch", on_select="rerun", selection_mode="points",
                                        alt=f"Forest plot. {released.value.title}. {released.value.summary}")
            chosen = chosen or find_variable(event, forest)
    return chosen


def _build_figure(released: Released[SubgroupsResult], effect: int, *, narrow: bool) -> go.Figure:
    if effect:
        return build_treatment_forest_figure(released, place=effect - 1, dark=is_dark(), narrow=narrow)
    return build_forest_figure(released, dark=is_dark(), narrow=narrow)


def find_variable(event: Mapping[str, Any], forest: ForestLines) -> str:
    """The variable of the line that was clicked, empty if none was; what the browser sends is not trusted."""
    points = (event.get("selection") or {}).get("points") or []
    row = points[0].get("y") if points else None
    if not isinstance(row, int | float) or not -0.5 <= row < len(forest.lines) - 0.5:
        return ""
    return forest.lines[round(row)].variable


def _show_words(result: SubgroupsResult, effect: int) -> None:
    """How to read the plot."""
    lines = ["In brackets, 95 % confidence intervals. Click a line for the curves of its variable."]
    if effect:
        lines.append("Hollow squares are the effect in a level alone, filled ones the same drawn towards the mean of "
                     "all levels. Differences are percentage points, compared minus reference arm.")
    if any(row.own_question for variable in result.variables for row in variable.rows):
        lines.append(f"{DAGGER} These patients answer a slightly different question; the notes say which filter was "
                     "not applied.")
    st.caption(escape_markdown(tidy_units(" ".join(lines))))


def view_of_curves(view: SurvivalView, result: SubgroupsResult, name: str) -> SurvivalView:
    """The survival page's view of one variable: the same patients, clock and strata, so the same numbers."""
    strata = result.question.strata if result.question.strata != name else None
    return view.with_question(by=name, strata=strata, landmark_days=result.question.cohort.landmark_days)


def _show_curve_links(view: SurvivalView, result: SubgroupsResult) -> None:
    """The way to the curves by keyboard, one link a variable."""
    links = st.expander("Curves of each variable", key="subgroups.curves", on_change="rerun")
    if links.open:
        with links, st.container(horizontal=True, gap="small"):
            for variable in result.variables:
                st.page_link(_survival_page().file, label=escape_markdown(variable.label), icon=":material/stairs:",
                             query_params=write_link(view_of_curves(view, result, variable.variable)))


def _survival_page() -> Any:
    return next(page for page in PAGES if page.url_path == "survival")


def _show_too_few(result: SubgroupsResult) -> None:
    """No row at all: why, what to do, and where the patients went."""
    with st.container(border=True, key="empty"):
        st.markdown("**Too few patients to compare subgroups**")
        for names, reason in describe_withheld(result.cohort):
            st.markdown(escape_markdown(tidy_units(f"{names[:1].upper()}{names[1:]}: {reason}.")))
        steps: Sequence[str] = ("Remove the filter that matters least, or choose more values in it.",
                                "Choose an endpoint with more events, or an earlier landmark.",
                                "Ask whoever prepares projects for a grant, if your question needs exactly these "
                                "patients.")
        st.markdown("**What you can do**\n" + "\n".join(f"- {escape_markdown(step)}" for step in steps))
        if result.cohort.attrition:
            st.caption("Where the patients went")
            show_table(build_flow_table(replace(result.cohort, withheld=())), left=("Step",),
                       alt="How the cohort came about")
