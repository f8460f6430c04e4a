"""A change that was made, said once; and a change tried from a dialog, which stays open with the reason if refused."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from harmony_dash.errors import UserError
from harmony_dash.ui.components.text import escape_markdown, sentence

_DONE = "access.done"


def show_done() -> None:
    """Say what the run before this one did, once."""
    words = st.session_state.pop(_DONE, "")
    if words:
        st.success(escape_markdown(words), icon=":material/check_circle:")


def carry_out(change: Callable[[], object], done: str) -> None:
    """Make a change, then close the dialog and say so on the page; or say here why it was not made.

    Parameters
    ----------
    change : calls one service.
    done : what to say afterwards, a sentence.
    """
    try:
        change()
    except UserError as refused:
        show_refused(refused)
        return
    remember_done(done)
    st.rerun()


def remember_done(words: str) -> None:
    """Keep a sentence for `show_done` of the next run."""
    st.session_state[_DONE] = words


def show_refused(refused: UserError) -> None:
    """What is wrong and what to do next, beside what was tried."""
    lines = [sentence(refused.problem), *([sentence(refused.remedy)] if refused.remedy else [])]
    st.error(escape_markdown(" ".join(lines)), icon=":material/error:")


def show_confirmation(label: str, *, key: str, missing: str = "") -> bool:
    """The last row of a dialog: the deed by its name, and the way out. True when the deed is confirmed.

    A dialog is made with `on_dismiss="rerun"`, so that what was typed into one is gone when the next one opens.

    Parameters
    ----------
    label : the verb and its object, "End the grant".
    key : of the dialog.
    missing : what the person has still to give, a sentence; the deed is not confirmed without it.
    """
    place = st.empty()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel", key=f"access.{key}.cancel"):
            st.rerun()
        confirmed = st.button(escape_markdown(label), key=f"access.{key}.confirm", type="primary")
    if confirmed and missing:
        place.error(missing, icon=":material/error:")
    return confirmed and not missing
