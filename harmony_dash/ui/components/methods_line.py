"""The methods line of an analysis page, and what to take along."""

from __future__ import annotations

import streamlit as st

from harmony_dash.ui.components.text import escape_markdown


def show_method_line(title: str, methods: str, link: str) -> None:
    """The methods line, its text to copy with the title, and a link to this view."""
    st.caption(escape_markdown(methods))
    with st.container(horizontal=True, gap="small"):
        with st.popover("Copy methods", icon=":material/content_copy:", type="tertiary"):
            st.code(f"{title}. {methods}", language=None, wrap_lines=True)
        with st.popover("Copy link", icon=":material/link:", type="tertiary"):
            st.code(link, language=None, wrap_lines=True)
            st.caption("Opens this view for anyone who may see it, with their own rights.")
