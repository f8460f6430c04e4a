"""What stands behind the checks of a source: refused rows by reason, risk groups, the trend."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harmony_dash.charts.numbers import format_part
from harmony_dash.charts.quality import build_trend_figure, describe_trend, trend_tallies
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.quality_results import QualityResult, ReasonCount, RiskMatrix
from harmony_dash.disclosure.quality_words import CATEGORIES, reason_words, tally_words
from harmony_dash.disclosure.released import Released
from harmony_dash.ui.components.coverage_answer import QUIET_FIGURE
from harmony_dash.ui.components.html_table import Cell, Mark, show_rows
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.survival_answer import is_dark
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, tidy_units

_NOT_RECORDED = "not recorded"


def show_trend(released: Released[QualityResult]) -> None:
    """Checks that failed or warned, over the snapshots."""
    result, source = released.value, released.value.sources[0]
    st.subheader("Over the snapshots")
    if not source.trend:
        show_empty("This is the first snapshot with this source", "From the next one on, the trend is shown here.",
                   key="quality.empty.trend")
        return
    words = describe_trend(result, source)
    st.plotly_chart(build_trend_figure(released, dark=is_dark()), key="quality.trend", theme=None, config=QUIET_FIGURE,
                    alt=words)
    st.caption("Checks that failed or warned, by category.")
    changed = sorted({check for point in source.trend for check in point.not_comparable})
    if changed:
        st.caption(escape_markdown(
            f"Not comparable over all snapshots, because the dictionary or the check changed: {', '.join(changed[:12])}"
            f"{f', … and {len(changed) - 12} more' if len(changed) > 12 else ''}. They are left out of the earlier "
            "points."))
    twin = st.expander("View as table", key="quality.trend.table", on_change="rerun")
    if twin.open:
        with twin:
            show_table(build_trend_table(released), left=("Snapshot of", *(name for name, _ in CATEGORIES.values())),
                       alt=words)


def build_trend_table(released: Released[QualityResult]) -> pd.DataFrame:
    """One row a snapshot, newest first."""
    rows = [{"Snapshot of": day, **{CATEGORIES[tally.category][0]: tally_words(tally) for tally in tallies}}
            for day, tallies in reversed(trend_tallies(released.value, released.value.sources[0]))]
    return pd.DataFrame(rows)


def show_reasons(released: Released[QualityResult]) -> None:
    """Refused rows and rows kept with a remark, by reason, file and column."""
    source, minimum = released.value.sources[0], released.scope.rules.minimum_cell
    st.subheader("Rows by reason")
    st.caption("What ingest refused, and what it kept with a remark. Row numbers are in the report of "
               "`ingest --check-only`, which whoever holds the files can run. How many rows are about what became of "
               "patients is not shown.")
    if not source.reasons:
        show_empty("No row was refused", "None was kept with a remark in a number that may be shown, either.",
                   key="quality.empty.reasons")
        return
    show_rows([build_reason(reason, minimum) for reason in source.reasons], alt="Rows by reason", right=("Rows",),
              whole=("Rows",), roomy=("Reason",))


def build_reason(reason: ReasonCount, minimum: int) -> Mapping[str, Cell]:
    """One line of the table."""
    what = Mark("Refused", "red") if reason.refused else Mark("Kept", "gray")
    where = ", ".join(filter(None, (reason.file, reason.column)))
    return {"Decision": what, "Rows": reason_words(reason, minimum), "Reason": capital(tidy_units(reason.message)),
            "Variable": reason.variable or "–", "File and column": where}


def show_matrices(released: Released[QualityResult], dictionary: Dictionary) -> None:
    """Reported risk groups against each derived one."""
    st.subheader("Reported and derived risk groups")
    st.caption("Patients by the risk group the provider reported and by what their own values say. Protocols differ, "
               "so that the two need not agree. Numbers that are small, or would give a small one away, are hidden; "
               "empty cells too.")
    for matrix in released.value.sources[0].matrices:
        st.markdown(f"**{escape_markdown(matrix.label)}**")
        show_table(build_matrix(matrix, dictionary), left=("Reported",), alt=f"Reported risk group by {matrix.label}")


def build_matrix(matrix: RiskMatrix, dictionary: Dictionary) -> pd.DataFrame:
    """Reported groups down, derived groups across; groups nobody may be shown of are left out."""
    reported, derived = dictionary["risk_group_reported"], dictionary[matrix.variable]

    def label(variable: object, code: str) -> str:
        return variable.label_of(code) if code else _NOT_RECORDED  # type: ignore[attr-defined]

    rows: dict[str, dict[str, str]] = {}
    for cell in matrix.cells:
        rows.setdefault(cell.reported, {"Reported": label(reported, cell.reported)})[
            label(derived, cell.derived)] = format_part(cell.n)
    shown = {cell.reported for cell in matrix.cells if cell.n}
    return pd.DataFrame([row for code, row in rows.items() if code in shown] or list(rows.values()))
