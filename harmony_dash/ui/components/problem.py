"""Problems a person can mend, and answers that are empty: calm, designed, never a traceback."""

from __future__ import annotations

import re

import streamlit as st

from harmony_dash.dictionary.model import Dictionary
from harmony_dash.errors import UserError
from harmony_dash.ui.components.text import escape_markdown, sentence

_LINES = re.compile(r"\s*[\r\n]\s*")
# Words of prose have no underscore.
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)+")
# What is to be typed stands between backticks, as on the command line. None of these signs makes a link or an image:
# an error may repeat what stood in an address.
_TYPED = re.compile(r"(`[A-Za-z0-9][A-Za-z0-9 ._=…-]*`)")


def show_problem(error: UserError, *, heading: str = "This question cannot be answered as it stands",
                 dictionary: Dictionary | None = None) -> None:
    """What is wrong and what to do next; with a dictionary, variables go by their labels."""
    with st.container(border=True, key="problem"):
        st.markdown(f"**{heading}**")
        st.markdown(_escape(sentence(error.problem), dictionary))
        if error.remedy:
            st.caption(_write_remedy(error.remedy, dictionary))


def _write_remedy(text: str, dictionary: Dictionary | None) -> str:
    """What to do next; what is to be typed keeps its form, and nothing else is markup."""
    parts = _TYPED.split(sentence(text))
    return "".join(part if place % 2 else _escape(part, dictionary) for place, part in enumerate(parts))


def _escape(text: str, dictionary: Dictionary | None) -> str:
    """Words that may hold anything somebody sent: none of it is markup."""
    # lines of their own could become headings or lists without a sign that is escaped
    return escape_markdown(_LINES.sub(" ", name_variables(text, dictionary)))


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
