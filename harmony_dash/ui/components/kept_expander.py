"""An expander that stays as the person left it while what it belongs to is away from the page."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from harmony_dash.ui.pins import pin


def show_kept_expander(label: str, *, key: str, icon: str | None = None) -> Any:
    """The expander; its content is drawn by whoever finds it open.

    While an answer is computed nothing of it is on the page, and Streamlit forgets an expander that is not drawn. So
    would be lost who opens one below the answer before, just when the next one is begun.
    """
    pin(key, bool(st.session_state.get(_kept(key))))
    return st.expander(label, key=key, icon=icon, on_change=partial(_keep, key))


def _keep(key: str) -> None:
    st.session_state[_kept(key)] = st.session_state[key]


def _kept(key: str) -> str:
    return f"{key}.kept"
