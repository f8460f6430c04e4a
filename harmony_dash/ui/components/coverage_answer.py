"""Who is in the data: headline numbers, figures, and a table for each of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harmony_dash.charts.coverage import (
    build_completeness_figure,
    build_country_figure,
    build_cross_figure,
    build_follow_up_figure,
    build_trial_figure,
    describe_coverage,
)
from harmony_dash.charts.numbers import NOTHING, TimeUnit, format_count, format_part, format_share, format_time
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import CoverageResult
from harmony_dash.ui.components.chips import show_chips
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
        _show("Patients by country", build_country_figure(released, names=names, dark=dark), "country",
              build_count_table(released, "country", names), describe_coverage(released, names))
    with right:
        _show("Patients by trial or registry", build_trial_figure(released, dark=dark), "trial",
              build_count_table(released, "trial", {}), "Patients by trial or registry.")
    _show("Country by trial", build_cross_figure(released, names=names, dark=dark), "cross",
          build_cross_table(released, names), "Patients by country and trial.",
          note="A cell is empty where no source has both the country and the trial. Numbers are rounded to five. One "
               "below ten is hidden, zero included, and sometimes a larger one with it, so that it cannot be computed.")
    _show("How complete the key variables are", build_completeness_figure(released, dark=dark), "completeness",
          build_completeness_table(released), "Share of patients with a recorded value, by variable and source.",
          note="Per cent of a source's patients with a recorded value. A test that failed or was not done does not "
               "count as recorded. n/a: too few patients, or too few with or without a value.")
    _show("How long patients were followed", build_follow_up_figure(released, dark=dark), "follow_up",
          build_source_table(released, names), "Median follow-up by source.",
          note="Median by the reverse Kaplan–Meier method: how long patients were observed, not how long they lived.")
    st.caption(escape_markdown(result.methods))


def _show(heading: str, figure: object, key: str, table: pd.DataFrame, alt: str, note: str = "") -> None:
    st.markdown(f"#### {heading}")
    st.plotly_chart(figure, key=f"coverage.{key}", theme=None, config=QUIET_FIGURE, alt=alt)  # type: ignore[arg-type]
    if note:
        st.caption(note)
    twin = st.expander("View as table", key=f"coverage.{key}.table", on_change="rerun")
    if twin.open:
        with twin:
            show_table(table, left=_LEFT, alt=heading)


_LEFT = ("Country", "Trial or registry", "Variable", "Source", "Provider", "Countries", "Diagnosed")


def build_count_table(released: Released[CoverageResult], by: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Patients by country or by trial."""
    cells = released.value.by_country if by == "country" else released.value.by_trial
    header = "Country" if by == "country" else "Trial or registry"
    return pd.DataFrame([(names.get(cell.labels[by], cell.labels[by]), format_part(cell.n))
                         for cell in cells], columns=[header, "Patients"])


def build_cross_table(released: Released[CoverageResult], names: Mapping[str, str]) -> pd.DataFrame:
    """Patients by country and trial, one row a pair."""
    return pd.DataFrame([(names.get(cell.labels["country"], cell.labels["country"]), cell.labels["trial"],
                          format_part(cell.n)) for cell in released.value.by_country_and_trial],
                        columns=["Country", "Trial or registry", "Patients"])


def build_completeness_table(released: Released[CoverageResult]) -> pd.DataFrame:
    """Completeness in per cent, variables down, sources across."""
    rows: dict[str, dict[str, str]] = {}
    for one in released.value.completeness:
        share = NOTHING if one.share is None else f"{'≥' if one.nearly_all else ''}{format_share(one.share)}"
        rows.setdefault(one.label, {"Variable": one.label})[f"{one.source}, %"] = share
    return pd.DataFrame(list(rows.values())).fillna(NOTHING)


def build_source_table(released: Released[CoverageResult], names: Mapping[str, str]) -> pd.DataFrame:
    """The sources: where from, how many accepted and refused, when diagnosed, how long followed."""
    return pd.DataFrame([(
        source.title, source.provider, ", ".join(names.get(code, code) for code in source.countries),
        f"{source.dx_periods[0]} to {source.dx_periods[-1]}" if len(source.dx_periods) > 1
        else (source.dx_periods[0] if source.dx_periods else NOTHING),
        format_part(source.accepted), format_part(source.quarantined),
        format_time(source.follow_up_median_days, TimeUnit.YEARS)) for source in released.value.sources],
        columns=["Source", "Provider", "Countries", "Diagnosed", "Accepted", "Refused", "Follow-up, years"])


def country_names(dictionary: Dictionary) -> Mapping[str, str]:
    """Country codes and their names."""
    return dictionary["country"].values if "country" in dictionary else {}
