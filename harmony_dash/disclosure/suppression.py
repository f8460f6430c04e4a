"""Small counts: which are hidden, and which others must be hidden with them."""

from __future__ import annotations

from collections.abc import Sequence


def suppress_cell(n: int | None, minimum: int) -> int | None:
    """The count, or None below the minimum. Zero is hidden too: that nobody has something is also a disclosure."""
    return n if n is not None and n >= minimum else None


def suppress_part(n: int | None, of: int, minimum: int) -> int | None:
    """A count out of a shown total: hidden if it or its complement is small."""
    return n if n is not None and n >= minimum and of - n >= minimum else None


def round_half_up(n: int, base: int) -> int:
    """The nearest multiple of the base."""
    return (n + base // 2) // base * base


def suppress_steps(counts: Sequence[int], minimum: int) -> list[int | None]:
    """Hide what would show a step of 1 to minimum − 1 patients in a falling series of counts.

    A step is shown only if it is at least the minimum itself, and equals the last shown or differs from it by the
    minimum or more.
    """
    shown: list[int | None] = []
    last: int | None = None
    for n in counts:
        if n < minimum or (last is not None and 0 < abs(last - n) < minimum):
            shown.append(None)
        else:
            shown.append(n)
            last = n
    return shown
