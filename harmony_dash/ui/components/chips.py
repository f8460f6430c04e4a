"""Small marks that say what the numbers are: synthetic, protected, of which snapshot."""

from __future__ import annotations

import streamlit as st

from harmony_dash.disclosure.policy import Level, too_few
from harmony_dash.disclosure.released import Scope
from harmony_dash.ui.components.text import escape_markdown

_LABELS = {Level.PROTECTED: "Protected", Level.PUBLIC: "Protected for the public"}


def build_chips(scope: Scope, *, synthetic: bool, snapshot: str) -> list[tuple[str, str, str]]:
    """Label, colour and explanation of each mark."""
    rules = scope.rules
    chips = []
    if synthetic:
        chips.append(("Synthetic data", "orange", "The patients were made by a generator. Nothing here is about a "
                                                  "person, and nothing here is evidence."))
    if scope.level is Level.EXACT:
        chips.append(("Exact", "violet", "Exact aggregates. Do not copy them out of this screen; exports are "
                                         "protected."))
    elif scope.level is Level.OFF:
        chips.append(("Not protected", "gray", "Nobody has to be protected in these data, so numbers are exact."))
    else:
        chips.append((_LABELS[scope.level], "blue",
                      f"Counts are rounded to {rules.rounding_base}, so they may not add up, and hidden under "
                      f"{rules.minimum_cell}. Curves are read every quarter, rounded to about "
                      f"{rules.patients_per_step} patients, and end where fewer than {rules.minimum_at_risk} are at "
                      f"risk. Groups of {too_few(rules)} are not drawn. The same question always gives the same "
                      "numbers."))
    chips.append((f"Snapshot {snapshot}", "gray", "The version of the data. The same question asked of the same "
                                                  "snapshot gives the same answer."))
    return chips


def show_chips(scope: Scope, *, synthetic: bool, snapshot: str) -> None:
    """The marks in one row."""
    with st.container(horizontal=True, gap="xsmall", width="content"):
        for label, colour, explanation in build_chips(scope, synthetic=synthetic, snapshot=snapshot):
            st.badge(escape_markdown(label), color=colour, help=explanation)  # type: ignore[arg-type]
