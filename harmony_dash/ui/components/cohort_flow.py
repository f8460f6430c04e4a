"""Who is in the figure and how it came to that: active filters, live count, attrition, exclusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from harmony_dash.charts.numbers import NOTHING, format_part
from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.filters import Filter, to_json
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure.released import Released, Scope
from harmony_dash.disclosure.results import AttritionStep, SurvivalResult
from harmony_dash.ui.components.answer_notes import describe_unapplied
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.cohort_filters import without_filter
from harmony_dash.ui.components.survival_view import SurvivalView, current_view, set_view
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, join_words, tidy_units

LONGEST_CHIP = 60


def show_active_filters(view: SurvivalView, dictionary: Dictionary) -> None:
    """One removable chip a filter."""
    if not view.question.where:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for item in view.question.where:
            label = tidy_units(capital(describe_filter(item, dictionary)))
            short = label if len(label) <= LONGEST_CHIP else label[: LONGEST_CHIP - 1].rstrip() + "…"
            st.button(escape_markdown(short), key=f"survival.chip.{to_json(item)}", icon=":material/close:",
                      icon_position="right", help=f"Remove this filter: {escape_markdown(label)}",
                      on_click=_remove, args=(item,))


def _remove(item: Filter) -> None:
    view = current_view()
    set_view(replace(view, question=without_filter(view.question, item)))


def build_flow_words(attrition: Sequence[AttritionStep], shown: int) -> str:
    """"5,012 → 3,310 → 2,145 patients", ending with the patients in the figure."""
    numbers = [format_part(step.n) for step in attrition]
    if not shown:
        return f"{' → '.join(numbers)}, no patients shown" if numbers else "No patients shown"
    last = format_part(shown)
    if not numbers or numbers[-1] != last:
        numbers.append(last)
    return f"{' → '.join(numbers)} patients"


def build_flow_table(result: SurvivalResult) -> pd.DataFrame:
    """What each filter removed, why others are excluded, and how many are in the figure."""
    rows = []
    for place, step in enumerate(result.attrition):
        removed = NOTHING if place == 0 else format_part(step.removed)
        rows.append((tidy_units(capital(step.label)), removed, format_part(step.n)))
    rows += [(f"Not counted: {exclusion.reason}", format_part(exclusion.n), "")
             for exclusion in result.exclusions]
    rows += [(f"Withheld: {join_words(names)} ({reason})", format_part(None), "")
             for reason, names in withheld_by_reason(result).items()]
    rows.append(("In the figure", "", format_part(result.n)))
    return pd.DataFrame(rows, columns=["Step", "Removed", "Left"])


def withheld_by_reason(result: SurvivalResult) -> dict[str, list[str]]:
    """Each reason with the names of the groups that are withheld for it."""
    reasons: dict[str, list[str]] = {}
    for group in result.withheld:
        reasons.setdefault(group.reason, []).append(group.name)
    return reasons


def remaining_share(attrition: Sequence[AttritionStep], shown: int) -> float | None:
    """Patients in the figure as a share of the disease; None where either is hidden."""
    first = attrition[0].n if attrition else None
    return None if not first else min(1.0, shown / first)


def show_flow(released: Released[SurvivalResult]) -> None:
    """One row: the live count with a tiny bar, its details on a click, and what kind of numbers these are."""
    show_flow_of(released.value, released.scope)


def show_flow_of(result: SurvivalResult, scope: Scope) -> None:
    """The same for the cohort that is a part of another released answer."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.popover(build_flow_words(result.attrition, result.n), type="tertiary",
                        icon=":material/filter_alt:", help="How many each filter removed, and who is not counted"):
            show_table(build_flow_table(result), left=("Step",), alt="How the cohort came about")
        share = remaining_share(result.attrition, result.n)
        if share is not None:
            st.progress(share, width=120)
        show_chips(scope, synthetic=result.synthetic, snapshot=result.snapshot,
                   not_applied=describe_unapplied(result))
