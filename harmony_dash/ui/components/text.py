"""Labels that come from data, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>$:-])")
_SHORTCODE = re.compile(r":(?=[A-Za-z0-9_+/-]+:)")


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is.

    "ETV6::RUNX1" or ":red[x]" must not turn into emoji or colours, "<1" not into a tag. Emoji shortcodes are replaced
    after backslashes are gone, so an invisible joiner breaks them up.
    """
    return _SPECIAL.sub(r"\\\1", _SHORTCODE.sub(":\u2060", text))


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """The text as a sentence: first letter raised, full stop at the end."""
    ended = text if text.endswith((".", "?", "…")) else text + "."
    return capital(ended)
