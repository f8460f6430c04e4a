"""When a page fails: a number for the person, the place for the log, and the values for nobody."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from harmony_dash.errors import AccessRefused, UserError, describe_error
from harmony_dash.ui.components.text import escape_markdown

_log = logging.getLogger("harmony_dash.incidents")


def note_error(error: Exception) -> bool:
    """Show and log an error that a page let through; always True, so that Streamlit shows nothing of its own."""
    if isinstance(error, UserError):
        title = "This was refused" if isinstance(error, AccessRefused) else "This cannot be done as it stands"
        show_problem(title, escape_markdown(error.message))
        return True
    incident = secrets.token_hex(4)
    _log.error("incident %s: %s", incident, describe_error(error))
    show_problem("Something went wrong on our side",
                 f"The page could not be finished; nothing was changed. If it happens again, tell whoever runs the "
                 f"server and give the incident number **{incident}**.")
    return True


def show_problem(title: str, text: str) -> None:
    """A problem in words, where the page would be; `text` is Markdown."""
    st.error(f"**{title}**\n\n{text}", icon=":material/error:")


class DropValues(logging.Filter):
    """Keeps Streamlit's own lines about failed scripts out of the log: they print messages, and so values."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line through unless it carries an exception of a script."""
        return record.exc_info is None or not str(record.msg).startswith("Uncaught app execution")


def quieten_streamlit() -> None:
    """Install the filter; `note_error` writes its own line for each failure."""
    logging.getLogger("streamlit.error_util").addFilter(DropValues())
