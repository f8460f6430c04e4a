"""The checks of a source: filters, the table, and one check over the snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from harmony_dash.access.permissions import Permission
from harmony_dash.disclosure.quality_results import CheckResult, QualityResult
from harmony_dash.disclosure.quality_words import (
    CATEGORIES,
    NO_OUTCOMES,
    VERDICTS,
    WHY_NOT_SHOWN,
    asked_words,
    failing_words,
    found_words,
    limit_words,
)
from harmony_dash.disclosure.released import Released
from harmony_dash.quality.model import Category, Verdict
from harmony_dash.quality.types import TYPES
from harmony_dash.ui.components.html_table import Cell, Mark, show_rows
from harmony_dash.ui.components.problem import show_empty
from harmony_dash.ui.components.text import capital, escape_markdown, tidy_units
from harmony_dash.ui.guard import require

_COLOURS = {Verdict.FAIL: "red", Verdict.WARN: "orange", Verdict.PASS: "green", Verdict.NOT_APPLICABLE: "gray"}
_FIRST = 40


@st.fragment(key="quality_checks")
def show_checks(released: Released[QualityResult]) -> None:
    """Filters and table together: a click redraws them and nothing else."""
    require(Permission.VIEW_QUALITY)
    source = released.value.sources[0]
    st.subheader("Checks")
    if released.scope.is_protected:
        st.caption(NO_OUTCOMES)
    verdicts, categories, kind, text = _choose_filters()
    found = select_checks(source.results, verdicts, categories, kind, text)
    if not found:
        show_empty("No check of this source fits", "Choose further verdicts, or take a filter away.",
                   key="quality.empty.checks")
        return
    everything = len(found) <= _FIRST or st.toggle(f"Show all {len(found):,}", key="quality.all")
    shown = found if everything else found[:_FIRST]
    minimum, exact = released.scope.rules.minimum_cell, not released.scope.is_protected
    show_rows([build_row(one, minimum, exact=exact) for one in shown], alt="Checks of the source",
              right=("Failing", "Of", "Found"), whole=("Failing", "Of", "Found"), roomy=("Check",))
    _show_one(released, found)


def _choose_filters() -> tuple[Sequence[Verdict], Sequence[Category], str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdicts = st.segmented_control(
            "Verdict", list(VERDICTS), selection_mode="multi", default=[Verdict.FAIL, Verdict.WARN], width="content",
            format_func=lambda verdict: VERDICTS[verdict], key="quality.verdict")
        categories = st.segmented_control(
            "Category", list(CATEGORIES), selection_mode="multi", format_func=lambda one: CATEGORIES[one][0],
            width="content", key="quality.category")
        kind = st.selectbox("Type", ["", *TYPES], key="quality.type", width=220, format_func=lambda name: (
            TYPES[name].label if name else "All types"))
        text = st.text_input("Variable or word", key="quality.text", width=200, max_chars=60)
    return verdicts, categories, kind, text.strip()


def select_checks(results: Sequence[CheckResult], verdicts: Sequence[Verdict], categories: Sequence[Category],
                  kind: str, text: str) -> list[CheckResult]:
    """The checks that fit every filter, failed ones first; an empty filter lets all through."""
    order = list(VERDICTS)
    word = text.casefold()
    found = [one for one in results if (not verdicts or one.verdict in verdicts)
             and (not categories or one.check.category in categories) and kind in ("", one.check.type)
             and (word in one.check.id.casefold() or word in one.check.words.casefold())]
    return sorted(found, key=lambda one: order.index(one.verdict))


def build_row(one: CheckResult, minimum: int, *, exact: bool = False) -> Mapping[str, Cell]:
    """One line of the table."""
    failing, asked = failing_words(one, minimum, exact=exact), asked_words(one, minimum, exact=exact)
    return {"Verdict": Mark(VERDICTS[one.verdict], _COLOURS[one.verdict]),
            "Check": capital(tidy_units(one.check.words)), "Type": TYPES[one.check.type].label, "Failing": failing,
            "Of": asked, "Found": found_words(one), "Limit": limit_words(one.check)}


def _show_one(released: Released[QualityResult], found: Sequence[CheckResult]) -> None:
    """What a check means, what to do, and how it came about over the snapshots."""
    labels = {one.check.id: f"{capital(one.check.words)} ({one.check.id})" for one in found}
    chosen = st.selectbox("Explain a check", list(labels), index=None, key="quality.one",
                          format_func=lambda name: labels.get(name, name),
                          placeholder="Choose one of the checks above")
    one = next((one for one in found if one.check.id == chosen), None)
    if one is None:
        return
    type_, exact = TYPES[one.check.type], not released.scope.is_protected
    with st.container(border=True):
        st.markdown(escape_markdown(f"{type_.definition} {type_.limits}"))
        st.markdown(f"**What to do.** {escape_markdown(type_.remedy)}")
        if not exact and WHY_NOT_SHOWN[one.check.showing]:
            st.caption(escape_markdown(WHY_NOT_SHOWN[one.check.showing]))
        rows = build_history(released, one)
        if len(rows) > 1:
            show_rows(rows, alt="The check in each snapshot, newest first", right=("Failing", "Of", "Found"))
        else:
            st.caption("There is no earlier snapshot to compare with.")


def build_history(released: Released[QualityResult], one: CheckResult) -> list[Mapping[str, Cell]]:
    """The check in each snapshot, newest first; not comparable where it was defined otherwise."""
    result, source = released.value, released.value.sources[0]
    minimum, exact = released.scope.rules.minimum_cell, not released.scope.is_protected

    def row(snapshot: str, then: CheckResult) -> Mapping[str, Cell]:
        cells = build_row(then, minimum, exact=exact)
        return {"Snapshot": snapshot, **{name: cells[name] for name in ("Verdict", "Failing", "Of", "Found")}}

    rows = [row(result.snapshot, one)]
    for point in source.trend:
        then = next((past for past in point.results if past.check.id == one.check.id), None)
        if then is not None:
            rows.append(row(point.snapshot, then))
        elif one.check.id in point.not_comparable:
            rows.append({"Snapshot": point.snapshot, "Verdict": Mark("Not comparable", "gray"), "Failing": "–",
                         "Of": "–", "Found": "–"})
    return rows
