"""Problems a person can mend, and answers that are empty: calm, designed, never a traceback."""

from __future__ import annotations

import streamlit as st

from harmony_dash.errors import UserError
from harmony_dash.ui.components.text import escape_markdown, sentence


def show_problem(error: UserError, *, heading: str = "This question cannot be answered as it stands") -> None:
    """What is wrong and what to do next."""
    with st.container(border=True, key="problem"):
        st.markdown(f"**{heading}**")
        st.markdown(escape_markdown(sentence(error.problem)))
        if error.remedy:
            st.caption(escape_markdown(sentence(error.remedy)))


def show_empty(heading: str, *lines: str, key: str = "empty") -> None:
    """An answer without figures: what happened and what would help.

    Parameters
    ----------
    key : of the box; a page with several of them gives each its own.
    """
    with st.container(border=True, key=key):
        st.markdown(f"**{heading}**")
        for line in lines:
            st.caption(escape_markdown(line))
