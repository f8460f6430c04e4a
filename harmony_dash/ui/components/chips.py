"""Small marks that say what the numbers are: synthetic, protected, of which snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.disclosure.policy import Level, too_few
from harmony_dash.disclosure.released import Scope
from harmony_dash.ui.components.text import escape_markdown, sentence

SYNTHETIC = "The patients were made by a generator. Nothing here is about a person, and nothing here is evidence."
SNAPSHOT = "The version of the data. The same question asked of the same snapshot gives the same answer."
_LABELS = {Level.EXACT: "Exact", Level.OFF: "Not protected", Level.PROTECTED: "Protected",
           Level.PUBLIC: "Protected for the public"}
_EXACT = {Level.EXACT: ("violet", "Exact aggregates. Do not copy them out of this screen; exports are protected."),
          Level.OFF: ("gray", "Nobody has to be protected in these data, so numbers are exact.")}


def name_level(scope: Scope) -> str:
    """The level in a word or two."""
    return _LABELS[scope.level]


def explain_protection(scope: Scope, *, curves: bool = True) -> tuple[str, ...]:
    """What protection does to the numbers, one sentence a rule; `curves` adds those about curves."""
    rules = scope.rules
    points = [f"Counts are rounded to {rules.rounding_base}, each by itself, so that numbers need not add up.",
              f"Counts under {rules.minimum_cell} are hidden, and so is what would give them away."]
    if curves:
        points += [f"Curves are read every quarter of a year and rounded to about {rules.patients_per_step} patients. "
                   "Confidence intervals are rounded outward, so that they stay at least as wide as they were.",
                   f"A curve ends where fewer than {rules.minimum_at_risk} patients are at risk. Groups of "
                   f"{too_few(rules)} are not drawn."]
    return (*points, "The same question always gives the same numbers.")


def show_chips(scope: Scope, *, synthetic: bool, snapshot: str, curves: bool = True,
               not_applied: Sequence[str] | None = None) -> None:
    """The marks in one row.

    Parameters
    ----------
    curves : whether the page draws curves.
    not_applied : in what the answer differs from the question, one sentence each; None where nothing is asked.
    """
    with st.container(horizontal=True, gap="xsmall", width="content", vertical_alignment="center"):
        if synthetic:
            st.badge("Synthetic data", color="orange", help=SYNTHETIC)
        if scope.is_protected:
            _show_protection(scope, curves, not_applied)
        else:
            colour, explanation = _EXACT[scope.level]
            st.badge(name_level(scope), color=colour, help=explanation)  # type: ignore[arg-type]
        st.badge(escape_markdown(f"Snapshot {snapshot}"), color="gray", help=SNAPSHOT)


def _show_protection(scope: Scope, curves: bool, not_applied: Sequence[str] | None) -> None:
    """A button, so that the keyboard reaches what it explains."""
    with st.popover(name_level(scope), icon=":material/shield:", type="tertiary", key="protected"):
        st.markdown("**What protection does to these numbers**")
        _show_points(explain_protection(scope, curves=curves))
        if not_applied is not None:
            st.markdown("**What was not applied here**")
            _show_points(not_applied or ("Nothing: the answer is to the question as it was asked.",))


def _show_points(points: Sequence[str]) -> None:
    st.markdown("\n".join(f"- {escape_markdown(sentence(point))}" for point in points))
