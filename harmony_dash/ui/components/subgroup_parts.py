"""What the three views of subgroups share: the notes on an answer, and what the page cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from harmony_dash.ui.components.answer_notes import MOST_OPEN
from harmony_dash.ui.components.text import escape_markdown, sentence, tidy_units

LIMITS = (
    "Whether a level causes the outcome. Levels are compared one variable at a time, without adjusting for the others: "
    "a marker can stand out because of another one that goes with it.",
    "Whether a treatment would work better for patients with a marker. That takes a comparison of treatments within "
    "trials, several trials that agree, and a judgement of its credibility (ICEMAN). A level with a worse outcome need "
    "not gain from more treatment.",
    "That there is no difference. A level with few patients or events can differ and not show it; a wide interval says "
    "so.",
    "What chance made. Of twenty looks one is below p = 0.05 by chance. q is for this table alone and not for those "
    "opened before it, so the number of looks stands above the figure.",
    "How patients without a test would have done. They are missing for reasons, and they are in no comparison.",
)


def show_answer_notes(notes: Sequence[str], key: str) -> None:
    """What was done to the question on the way; many of them behind one line."""
    lines = [escape_markdown(sentence(tidy_units(note))) for note in notes]
    if len(lines) <= MOST_OPEN:
        for line in lines:
            st.caption(f":material/info: {line}")
        return
    with st.expander(f"{len(lines)} notes on this answer – details", icon=":material/info:", type="compact", key=key):
        for line in lines:
            st.caption(line)


def show_limits() -> None:
    """What a reader must not take from the page."""
    with st.expander("What this page cannot tell you", icon=":material/block:", key="subgroups.limits"):
        st.markdown("\n".join(f"- {escape_markdown(line)}" for line in LIMITS))
