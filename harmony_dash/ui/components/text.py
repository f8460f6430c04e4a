"""Labels that come from data, made safe for Streamlit's Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>$:-])")
_SHORTCODE = re.compile(r":(?=[A-Za-z0-9_+/-]+:)")
# Addresses that Markdown turns into links without any brackets; a backslash does not keep it from doing so.
_ADDRESS = re.compile(r"(www)(?=\.)|(:)(?=//)|(@)", re.IGNORECASE)
# Neither can be sent to a browser.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def readable(text: str) -> str:
    """The text with a mark in place of what no browser can be sent."""
    return _UNWRITABLE.sub("\ufffd", text)


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is.

    "ETV6::RUNX1" or ":red[x]" must not turn into emoji or colours, "<1" not into a tag. Emoji shortcodes are replaced
    after backslashes are gone, so an invisible joiner breaks them up. So it does addresses, which would become links
    to wherever the data say.
    """
    joined = _ADDRESS.sub(lambda found: f"{found.group()}\u2060", _SHORTCODE.sub(":\u2060", readable(text)))
    return _SPECIAL.sub(r"\\\1", joined)


def capital(text: str) -> str:
    """The text with its first letter raised, unless the first word is a name of its own kind (iAMP21, p53)."""
    first = text.split(" ")[0]
    return text if any(letter.isupper() or letter.isdigit() for letter in first[1:]) else text[:1].upper() + text[1:]


def tidy_units(text: str) -> str:
    """Units as they are printed rather than typed; no line begins with a per cent sign."""
    return text.replace("10^9", "10⁹").replace("10^3", "10³").replace(" %", "\N{NO-BREAK SPACE}%")


def sentence(text: str) -> str:
    """The text as a sentence: first letter raised, full stop at the end."""
    ended = text if text.endswith((".", "?", "…")) else text + "."
    return capital(ended)


def join_words(words: Sequence[str]) -> str:
    """"a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
