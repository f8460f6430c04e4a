"""Small counts: which are hidden, and which others must be hidden with them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def suppress_cell(n: int | None, minimum: int) -> int | None:
    """The count, or None below the minimum. Zero is hidden too: that nobody has something is also a disclosure."""
    return n if n is not None and n >= minimum else None


def suppress_part(n: int | None, of: int, minimum: int) -> int | None:
    """A count out of a shown total: hidden if it or its complement is small."""
    return n if n is not None and n >= minimum and of - n >= minimum else None


def suppress_list(counts: Mapping[K, int], minimum: int, *, total_shown: bool) -> dict[K, int | None]:
    """Hide small counts of one list, and a second one where the total would give a single hidden one away.

    Parameters
    ----------
    counts : category to patients.
    minimum : smallest count shown.
    total_shown : whether the sum of all categories can be seen somewhere.
    """
    shown: dict[K, int | None] = {key: suppress_cell(n, minimum) for key, n in counts.items()}
    hidden = [key for key, n in shown.items() if n is None]
    if total_shown and len(hidden) == 1:
        rest = [key for key in counts if shown[key] is not None]
        if rest:
            shown[min(rest, key=lambda key: counts[key])] = None
    return shown


def suppress_table(counts: Mapping[tuple[str, str], int], minimum: int) -> dict[tuple[str, str], int | None]:
    """Hide small cells of a two-way table whose margins are shown, and enough others that none can be computed.

    Repeats until no row and no column has exactly one hidden cell; a hidden cell gets as its companion the smallest
    shown one of its row or column. Ends because every step hides one more cell.
    """
    shown: dict[tuple[str, str], int | None] = {key: suppress_cell(n, minimum) for key, n in counts.items()}
    while True:
        companion = _missing_companion(shown, counts)
        if companion is None:
            return shown
        shown[companion] = None


def _missing_companion(shown: Mapping[tuple[str, str], int | None], counts: Mapping[tuple[str, str], int],
                       ) -> tuple[str, str] | None:
    for axis in (0, 1):
        lines: dict[str, list[tuple[str, str]]] = {}
        for key in shown:
            lines.setdefault(key[axis], []).append(key)
        for keys in lines.values():
            open_cells = [key for key in keys if shown[key] is not None]
            if len(keys) - len(open_cells) == 1 and open_cells:
                return min(open_cells, key=lambda key: counts[key])
    return None


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
