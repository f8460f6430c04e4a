"""Data quality at a glance: every source in a line, and the three categories of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from harmony_dash.charts.numbers import format_count
from harmony_dash.disclosure.quality_results import QualityResult, SourceQuality, Tally
from harmony_dash.disclosure.quality_words import CATEGORIES
from harmony_dash.disclosure.released import Released
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.html_table import Cell, Mark, show_rows
from harmony_dash.ui.components.text import escape_markdown

_NOT_SIGNED = "not yet"


def show_heading(released: Released[QualityResult]) -> None:
    """The marks, and what is left out."""
    result = released.value
    show_chips(released.scope, synthetic=result.synthetic, snapshot=result.snapshot)
    if result.withheld:
        st.info(escape_markdown(f"A country in {', '.join(result.withheld)} was withdrawn, so that their checks are "
                                "not shown. They are asked anew at the next ingest."), icon=":material/block:")


def show_overview(released: Released[QualityResult]) -> None:
    """A line a source."""
    rows = [build_row(source, released) for source in released.value.sources]
    show_rows(rows, alt="Sources with the number of checks that failed, warned and passed",
              right=("Patients", "Refused", "Failed", "Warned", "Passed"), whole=("Source", "Signed off"))


def build_row(source: SourceQuality, released: Released[QualityResult]) -> Mapping[str, Cell]:
    """One line of the overview."""
    minimum = released.scope.rules.minimum_cell
    failed, warned, passed = (sum(getattr(tally, name) for tally in source.tallies)
                              for name in ("failed", "warned", "passed"))
    return {"Source": source.source, "Title": source.title, "Patients": format_count(source.accepted, minimum),
            "Refused": format_count(source.refused, minimum),
            "Failed": Mark(f"{failed:,}", "red") if failed else "0",
            "Warned": Mark(f"{warned:,}", "orange") if warned else "0", "Passed": f"{passed:,}",
            "Signed off": _signed(source, released.value.snapshot)}


def _signed(source: SourceQuality, snapshot: str) -> Cell:
    if not source.signed:
        return _NOT_SIGNED
    newest = source.signed[0]
    return newest.at[:10] if newest.snapshot == snapshot else f"earlier, {newest.at[:10]}"


def choose_source(sources: Sequence[SourceQuality]) -> str:
    """The source whose checks are shown. The address bar holds what the list shows: names rather than titles."""
    return str(st.selectbox("Source", [source.source for source in sources], key="source", bind="query-params",
                            persist_state="session", width=320))


def show_tiles(source: SourceQuality) -> None:
    """The title of the source, and a tile a category."""
    st.markdown(f"### {escape_markdown(source.title)}")
    for column, tally in zip(st.columns(len(source.tallies)), source.tallies, strict=True):
        with column, st.container(border=True, height="stretch"):
            _show_tile(tally)


def _show_tile(tally: Tally) -> None:
    name, question = CATEGORIES[tally.category]
    st.markdown(f"**{name}**")
    st.caption(question)
    with st.container(horizontal=True, gap="medium"):
        for label, n in (("Failed", tally.failed), ("Warned", tally.warned), ("Passed", tally.passed)):
            st.metric(label, f"{n:,}", width="content")
    st.caption(f"{tally.not_applicable:,} not applicable")
