"""What is asked: the estimand in words, and who was treated how in which trial."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from harmony_dash.charts.numbers import HIDDEN, format_count, format_part
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.disclosure.what_if_results import AllocationCell, Mark, WhatIfResult
from harmony_dash.disclosure.what_if_words import NOT_FOR_DECISIONS
from harmony_dash.ui.components.answer_notes import MOST_OPEN
from harmony_dash.ui.components.chips import show_chips
from harmony_dash.ui.components.tables import show_table
from harmony_dash.ui.components.text import capital, escape_markdown, sentence, tidy_units

_MARKS: Mapping[Mark, str] = {Mark.RANDOMISED: "◆ randomised", Mark.PART: "◈ part randomised",
                               Mark.BOTH: "● both used", Mark.ONE: "○ only one used"}
_KINDS = {"not applied": "Not applied", "left out": "Left out, too few patients", "taken in": "Taken in with them"}


def show_standing(released: Released[WhatIfResult]) -> None:
    """What the numbers may be used for, and what kind of numbers they are; before anything else."""
    result = released.value
    st.caption(f":material/science: {escape_markdown(NOT_FOR_DECISIONS)}")
    show_chips(released.scope, synthetic=result.synthetic, snapshot=result.snapshot,
               not_applied=tuple(_describe_unapplied(one) for one in result.not_applied))


def _describe_unapplied(one: Unapplied) -> str:
    groups = f" ({', '.join(one.groups)})" if one.groups else ""
    return f"{_KINDS[one.kind]}{groups}: {tidy_units(one.words)}"


def show_notes(result: WhatIfResult) -> None:
    """What was done to the question on the way; many of them behind one line."""
    lines = [escape_markdown(sentence(tidy_units(note))) for note in result.notes]
    if len(lines) <= MOST_OPEN:
        for line in lines:
            st.caption(f":material/info: {line}")
        return
    with st.expander(f"{len(lines)} notes on this answer – details", icon=":material/info:", type="compact",
                     key="what_if.notes"):
        for line in lines:
            st.caption(line)


def show_asked(released: Released[WhatIfResult]) -> None:
    """The estimand, then the allocation matrix."""
    result = released.value
    st.markdown("#### What is asked")
    st.markdown("  \n".join(f"**{heading}:** {escape_markdown(tidy_units(words))}"
                            for heading, words in result.estimand))
    if not result.allocation:
        return
    st.markdown("**Who was treated how**")
    show_table(build_allocation(released), left=("Trial", "What it tells"),
               alt="Patients and events by trial and strategy")
    st.caption("Patients / events of the outcome over all follow-up, counted from time zero. Only rows in which both "
               "strategies were used stand behind an answer.")


def build_allocation(released: Released[WhatIfResult]) -> pd.DataFrame:
    """One row a trial, one column a strategy: patients / events; rows that compare the strategies come first."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    cells: dict[str, dict[str, AllocationCell]] = {}
    for cell in result.allocation:
        cells.setdefault(cell.stratum, {})[cell.arm] = cell
    order = list(Mark)
    rows = []
    for arms in sorted(cells.values(), key=lambda arms: order.index(next(iter(arms.values())).mark)):
        first = next(iter(arms.values()))
        row = {"Trial": capital(first.name)}
        for value, name in result.arms:
            found = arms.get(value)
            row[capital(name)] = "0" if found is None else _count(found, minimum)
        rows.append(row | {"What it tells": _MARKS[first.mark]})
    return pd.DataFrame(rows)


def _count(cell: AllocationCell, minimum: int) -> str:
    if cell.n == 0:
        return "0"
    # A count may be hidden because it would give another one away, and then it is not small.
    return HIDDEN if cell.n is None else f"{format_count(cell.n, minimum)} / {format_part(cell.events)}"
