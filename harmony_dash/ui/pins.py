"""Controls that show a value kept elsewhere: what each was told, page by page."""

from __future__ import annotations

from typing import Any

import streamlit as st

_PAGE, _TOLD = "pins.page", "pins.told"


def begin_page(page: str) -> None:
    """Before a page runs: if another one ran before it, all of its controls have to be told what they show.

    Streamlit makes new, empty controls of the same keys on each page, while the session still holds the old values.
    """
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_TOLD] = frozenset()


def pin(key: str, value: Any) -> None:
    """Let the control of that key show the value; called just before the control is drawn.

    Nothing is sent to the browser when the control shows it already, so a click made meanwhile is not undone.
    """
    told = st.session_state.get(_TOLD, frozenset())
    if key not in told or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
        st.session_state[_TOLD] = told | {key}
