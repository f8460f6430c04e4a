"""The only two scripts of ours that run in the browser.

Each is a constant, and the content security policy allows it by its hash: a script that somebody else smuggled into a
page does not run. What changes from run to run travels in a data attribute.
"""

from __future__ import annotations

import base64
import hashlib
import html

import streamlit as st

# The ticket goes in the body of a request: never in an address, which ends up in logs and histories. The reload keeps
# the address, so that a link somebody was sent still leads where it should after signing in.
ESTABLISH_SCRIPT = (
    "fetch('/auth/establish',{method:'POST',credentials:'same-origin',"
    "body:document.getElementById('harmony-ticket').dataset.ticket})"
    ".finally(()=>window.location.reload());"
)
END_SCRIPT = ("fetch('/auth/end',{method:'POST',credentials:'same-origin'})"
              ".finally(()=>window.location.replace('/'));")


def script_hash(script: str) -> str:
    """The source expression that lets a content security policy accept this script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def run_establish(ticket: str) -> None:
    """Let the browser exchange its ticket for a session cookie and load the page anew."""
    st.html(f'<span id="harmony-ticket" data-ticket="{html.escape(ticket, quote=True)}"></span>'
            f"<script>{ESTABLISH_SCRIPT}</script>", unsafe_allow_javascript=True)


def run_end() -> None:
    """Let the browser give up its session cookie and go to the sign-in page."""
    st.html(f"<script>{END_SCRIPT}</script>", unsafe_allow_javascript=True)
