"""What a person may have meant by a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def near_matches(word: str, choices: Iterable[str]) -> list[str]:
    """Up to three choices a person may have meant, ignoring case."""
    by_folded: dict[str, str] = {}
    for choice in choices:
        by_folded.setdefault(choice.casefold(), choice)
    return [by_folded[match] for match in difflib.get_close_matches(word.casefold(), list(by_folded), n=3, cutoff=0.6)]


def suggest(word: str, choices: Sequence[str]) -> str:
    """A remedy that names the nearest choices, or all of them if they are few."""
    close = near_matches(word, choices)
    if close:
        return f"Did you mean {' or '.join(f'`{choice}`' for choice in close)}?"
    return f"Use one of: {', '.join(choices)}." if len(choices) <= 30 else "See the data dictionary for the names."
