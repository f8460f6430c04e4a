"""Single values on their way into a file."""

from __future__ import annotations

import math
import re

Cell = str | int | float | None

# What a spreadsheet takes for the beginning of a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
# Neither XML nor a spreadsheet can hold them.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def neutralise(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe goes before a sign that begins one.

    Signs that cannot be written are replaced first: what stands behind one would come to the front.
    """
    readable = _UNWRITABLE.sub("\ufffd", text)
    return f"'{readable}" if readable.startswith(FORMULA_SIGNS) else readable


def plain(value: Cell) -> Cell:
    """The value as a file holds it: text that is no formula, and nothing where there is no number."""
    if isinstance(value, str):
        return neutralise(value)
    return None if value is None or not math.isfinite(value) else value


def as_text(value: Cell) -> str:
    """The value in a text file; a number with all its digits, so that reading it back gives the same number."""
    kept = plain(value)
    return "" if kept is None else str(kept)
