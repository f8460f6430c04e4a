"""How one kind of identifier looks, and how many cells of a column must look like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# Pure digits pass a check digit by chance (one in eleven for many), so most of a column has to pass.
MOST = 0.8
HALF = 0.5


@dataclass(frozen=True)
class Pattern:
    """One kind of identifier.

    `share` of the distinct cells of this shape has to pass; 0 means that one cell is enough. Bare digits (`bare`) are
    not looked for in columns of numbers, where they are counts or days.
    """

    kind: str
    shape: re.Pattern[str]
    passes: Callable[[str], bool]
    share: float = 0.0
    bare: bool = False
    search: bool = False


def always(_: str) -> bool:
    """For identifiers whose shape alone tells them."""
    return True


def shaped_like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    """A test of a narrower shape than the one that is searched for."""
    return lambda text: pattern.fullmatch(text) is not None
