"""What a page leaves for the sign-in page to say, when it has ended the session it runs in."""

from __future__ import annotations

import streamlit as st

_KEY = "sign_in.farewell"


def leave_for_sign_in_page(words: str) -> None:
    """Have the sign-in page say this, in this tab, until somebody has signed in."""
    st.session_state[_KEY] = words


def said_on_leaving() -> str:
    """What was left; empty if nothing."""
    return str(st.session_state.get(_KEY, ""))
