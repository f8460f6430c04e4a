"""Problems a person can mend, and answers that are empty: calm, designed, never a traceback."""

from __future__ import annotations

import re

import streamlit as st

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import UserError
from harmony_dash.ui.components.text import escape_markdown, sentence

# Words of prose have no underscore.
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
# What is to be typed stands between backticks, as on the command line.
_TYPED = re.compile(r"(`[^`]+`)")


def show_problem(error: UserError, *, heading: str = "This question cannot be answered as it stands",
                 dictionary: Dictionary | None = None) -> None:
    """What is wrong and what to do next; with a dictionary, variables go by their labels."""
    with st.container(border=True, key="problem"):
        st.markdown(f"**{heading}**")
        st.markdown(_write(error.problem, dictionary))
        if error.remedy:
            st.caption(_write(error.remedy, dictionary))


def _write(text: str, dictionary: Dictionary | None) -> str:
    """The words of an error; what is to be typed keeps its form, and nothing else is markup."""
    parts = _TYPED.split(sentence(text))
    return "".join(part if place % 2 else escape_markdown(name_variables(part, dictionary))
                   for place, part in enumerate(parts))


def name_variables(text: str, dictionary: Dictionary | None) -> str:
    """The text with the labels of variables in place of the names that programs use."""
    if dictionary is None:
        return text
    return _NAME.sub(lambda found: dictionary[found.group()].label if found.group() in dictionary else found.group(),
                     text)


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
