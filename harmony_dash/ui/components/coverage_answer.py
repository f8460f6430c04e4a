"""Who is in the data: headline numbers, figures, and a table for each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from harmony_dash.charts.case_mix import build_case_mix_figure, rows_of
from harmony_dash.charts.completeness import build_completeness_figure, knows
from harmony_dash.charts.coverage import (
    build_accrual_figure,
    build_country_figure,
    build_cross_figure,
    build_follow_up_figure,
    build_trial_figure,
    describe_coverage,
)
from harmony_dash.charts.coverage_map import build_map_figure, not_on_map
from harmony_dash.charts.numbers import NOTHING, TimeUnit, format_count, format_time
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.coverage_results import CoverageResult, Status
from harmony_dash.disclosure.released import Released
from harmony_dash.services.coverage import KEY_VARIABLES
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.coverage_tables import (
    LEFT,
    build_case_mix_table,
    build_completeness_table,
    build_count_table,
    build_cross_table,
    build_period_table,
    build_source_table,
)
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.survival_answer import FIGURE_CONFIG, is_dark
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import escape_markdown

QUIET_FIGURE = {**FIGURE_CONFIG, "displayModeBar": False}


def show_headline(released: Released[CoverageResult], disease: str) -> None:
    """How many, where from, how long followed, before any click."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    st.markdown(f"### {escape_markdown(disease)}: who is in the data")
    show_chips(released.scope, synthetic=result.synthetic, snapshot=result.snapshot, curves=False)
    numbers = (("Patients", format_count(result.n, minimum)), ("Countries", str(len(result.by_country))),
               ("Trials and registries", str(len(result.by_trial))), ("Sources", str(len(result.sources))),
               ("Median follow-up", f"{format_time(result.follow_up_median_days, TimeUnit.YEARS)} years"
                if result.follow_up_median_days is not None else NOTHING))
    with st.container(horizontal=True, gap="medium"):
        for label, value in numbers:
            st.metric(label, value, width="content")


def show_coverage(released: Released[CoverageResult], names: Mapping[str, str]) -> None:
    """The figures with their tables; `names` turns country codes into words."""
    result, dark = released.value, is_dark()
    if not result.sources:
        show_empty("No patients with this disease are in this release", "Choose another disease above.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        show_part("Where patients come from", build_map_figure(released, names=names, dark=dark), "map", None,
                  describe_coverage(released, names), note=describe_map(released, names))
    with right:
        show_part("Patients by country", build_country_figure(released, names=names, dark=dark), "country",
                  lambda: build_count_table(released, "country", names), describe_coverage(released, names))
    left, right = st.columns(2, gap="large")
    with left:
        show_part("Patients by trial or registry", build_trial_figure(released, dark=dark), "trial",
                  lambda: build_count_table(released, "trial", {}), "Patients by trial or registry.")
    with right:
        show_part("When patients were diagnosed", build_accrual_figure(released, dark=dark), "accrual",
                  lambda: build_period_table(released), "Patients by period of diagnosis.")
    show_cross(released, names)
    show_completeness(released)
    show_part("How long patients were followed", build_follow_up_figure(released, dark=dark), "follow_up",
              lambda: build_source_table(released, names), "Median follow-up by source.",
              note="Median by the reverse Kaplan–Meier method: how long patients were observed, not how long they "
                   "lived.")
    show_case_mix(released, names)


def show_methods(released: Released[CoverageResult]) -> None:
    """How it was counted."""
    st.caption(escape_markdown(released.value.methods))


def describe_map(released: Released[CoverageResult], names: Mapping[str, str]) -> str:
    """What the shades mean, and who is not on the map."""
    beside = not_on_map(released, names)
    words = "Stronger blue: more patients. Hatched: hidden. Grey: takes no part."
    return f"{words} Not on the map: {', '.join(beside)}." if beside else words


def show_cross(released: Released[CoverageResult], names: Mapping[str, str]) -> None:
    """Countries by trial, period or kind of patient."""
    result = released.value
    known = {"trial", *(table.by[1] for table in result.tables if table.by[:1] == ("country",))}
    choices = {name: words for name, words in _COLUMNS.items() if name in known}
    st.markdown("#### Patients by country and …")
    columns = st.segmented_control("Columns", list(choices), default="trial", required=True, key="columns",
                                   format_func=choices.__getitem__, bind="query-params", persist_state="session",
                                   label_visibility="collapsed")
    show_part("", build_cross_figure(released, names=names, columns=columns, dark=is_dark()), f"cross.{columns}",
              lambda: build_cross_table(released, names, columns),
              f"Patients by country and {choices[columns].lower()}.",
              note="A cell is empty where no source has both. Numbers are rounded to five. One below ten is hidden, "
                   "zero included, and sometimes a larger one with it, so that it cannot be computed."
              if released.scope.is_protected else "A cell is empty where no source has both.")


def show_completeness(released: Released[CoverageResult]) -> None:
    """Variables by source: recorded, or what else is known."""
    st.markdown("#### How complete the variables are")
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control("Share of patients", list(_PARTS), default="recorded", required=True, key="part",
                                      format_func=_PARTS.__getitem__, bind="query-params", persist_state="session",
                                      label_visibility="collapsed")
        every = st.toggle("All variables", key="variables", bind="query-params", persist_state="session")
    part = None if chosen == "recorded" else Status[chosen.upper()]
    variables = () if every else KEY_VARIABLES
    if part is not None and not every and not any(knows(one, part) for one in released.value.completeness
                                                  if one.variable in variables):
        st.caption("None of the key variables has this. Switch on all variables.")
        return
    show_part("", build_completeness_figure(released, part=part, variables=variables, dark=is_dark()),
              f"completeness.{chosen}", lambda: build_completeness_table(released, part, variables),
              f"{_PARTS[chosen]}: share of patients by variable and source.", note=_MEANINGS[chosen])


def show_case_mix(released: Released[CoverageResult], names: Mapping[str, str]) -> None:
    """How the countries differ in who their patients are."""
    if not rows_of(released):
        st.markdown("#### How countries differ")
        st.caption("There are too few patients, or too few countries, to compare.")
        return
    show_part("How countries differ", build_case_mix_figure(released, names=names, dark=is_dark()), "case_mix",
              lambda: build_case_mix_table(released, names), "Standardised differences between countries.",
              note="Standardised difference of the share among patients whose value is stated, each country against "
                   "all others together: plus and orange for more, minus and blue for less, 0.1 or "
                   "more is called notable. Computed from the numbers above; a cell is "
                   "empty where one is hidden, or where rounding, or how many have no value, leaves the difference "
                   "uncertain.")


def show_part(heading: str, figure: object, key: str, build_table: Callable[[], pd.DataFrame] | None, alt: str,
              note: str = "") -> None:
    """A figure, what it means, and its table, which is built when it is opened."""
    if heading:
        st.markdown(f"#### {heading}")
    st.plotly_chart(figure, key=f"coverage.{key}", theme=None, config=QUIET_FIGURE, alt=alt)  # type: ignore[arg-type]
    if note:
        st.caption(escape_markdown(note))
    if build_table is None:
        return
    twin = st.expander("View as table", key=f"coverage.{key}.table", on_change="rerun")
    if twin.open:
        with twin:
            show_table(build_table(), left=LEFT, alt=heading or alt)


_COLUMNS = {"trial": "Trial", "dx_period": "Period of diagnosis", "age_group": "Age group",
            "immunophenotype": "Immunophenotype", "sex": "Sex"}
_PARTS = {"recorded": "Recorded", "negative": "Tested, negative", "failed": "Test failed", "not_tested": "Not tested",
          "unknown": "Unknown"}
_ALWAYS = ("n/s: not supplied by the source. n/a: too few patients, too few of one kind, or a number that would give a "
           "small one away. What only some patients can have, such as a partner gene, is on the Data quality page, of "
           "those patients.")
_MEANINGS = {
    "recorded": "Per cent of a source's patients with a recorded value, negative results included. A test that failed "
                f"or was not done does not count. {_ALWAYS}",
    "negative": f"Per cent of a source's patients who were tested with a negative result. {_ALWAYS}",
    "failed": f"Per cent of a source's patients whose test failed. {_ALWAYS}",
    "not_tested": f"Per cent of a source's patients of whom the source says that they were not tested. {_ALWAYS}",
    "unknown": "Per cent of a source's patients of whom nothing is recorded: tested or not, nobody can tell. "
               f"{_ALWAYS}"}


def country_names(dictionary: Dictionary) -> Mapping[str, str]:
    """Country codes and their names."""
    return dictionary["country"].values if "country" in dictionary else {}
