"""The three parts of the access page, and which one is shown; the address bar holds it."""

from __future__ import annotations

import streamlit as st

PEOPLE, GRANTS, TRAIL = "people", "grants", "trail"
_LABELS = {PEOPLE: "People", GRANTS: "Grants", TRAIL: "Who saw what"}
_KEY = "part"


def choose_part() -> str:
    """Draw the choice and return it; links without one open the grants, where decisions wait."""
    return str(st.segmented_control("Part", list(_LABELS), key=_KEY, default=GRANTS, required=True,
                                    format_func=lambda part: _LABELS[part], label_visibility="collapsed",
                                    bind="query-params", persist_state="session"))


def go_to_part(part: str) -> None:
    """Show another part from the next run on; for callbacks of widgets alone."""
    st.session_state[_KEY] = part
