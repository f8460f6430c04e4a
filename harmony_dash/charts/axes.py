"""Axes and labels: whole-number time ticks, nice upper ends, wrapped names, labels that do not overlap."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence

from harmony_dash.charts.numbers import TimeUnit

_STEPS = {TimeUnit.YEARS: (1, 2, 5, 10, 20), TimeUnit.MONTHS: (1, 3, 6, 12, 24, 60, 120)}
MAXIMUM_TICKS = 12
MAXIMUM_COLUMNS = 7  # numbers like 1,234 stay apart down to a plot 240 px wide: a window of 800 px beside the panel


def choose_ticks(end: float, unit: TimeUnit, table_days: Sequence[int] = (), most: int = MAXIMUM_TICKS) -> list[float]:
    """Whole-number tick positions from 0 to `end`, both in the unit.

    Steps are whole multiples of the at-risk table's own, so that every tick has its numbers; in days the ticks are
    the table's days themselves.
    """
    if unit is TimeUnit.DAYS:
        inside = [float(day) for day in table_days if day <= end]
        stride = max(1, math.ceil(len(inside) / most))
        return inside[::stride] if len(inside) > 1 else [0.0, float(round(end))]
    own = round(table_days[1] / unit.days) if len(table_days) > 1 else 1
    steps = sorted({step for step in _STEPS[unit] if step % max(1, own) == 0}
                   | {own * times for times in (1, 2, 3, 4) if own > 0}) or [1]
    step = next((s for s in steps if int(end * 1.002 / s) <= most - 1), steps[-1])
    return [float(tick) for tick in range(0, int(end * 1.002) + 1, step)]


def choose_table_days(days: Sequence[int], end: float, unit: TimeUnit, ticks: Sequence[float]) -> list[int]:
    """Which columns of the at-risk table to draw: those under a tick, every few of them where they would crowd."""
    inside = [day for day in days if day / unit.days <= end * 1.001]
    tolerance = max(0.005 * end, 1e-9)
    under = [day for day in inside if any(abs(day / unit.days - tick) <= tolerance for tick in ticks)]
    drawn = under if len(under) >= min(3, len(inside)) else inside
    return drawn[::max(1, math.ceil(len(drawn) / MAXIMUM_COLUMNS))]


def nice_end(share: float) -> float:
    """The upper end of a percentage axis that has room for `share`: 10, 20, 40, 60 … 100 %."""
    return next((end for end in (0.1, 0.2, 0.3, 0.4, 0.6, 0.8) if share <= end * 0.96), 1.0)


def wrap_label(text: str, width: int = 22, lines: int = 3) -> list[str]:
    """A label in at most `lines` lines, safe for Plotly's small HTML; a longer one ends in an ellipsis."""
    parts = textwrap.wrap(text, width, break_long_words=True) or [""]
    if len(parts) > lines:
        parts = parts[:lines]
        parts[-1] = parts[-1][: width - 1].rstrip() + "…"
    return [html.escape(part, quote=False) for part in parts]


def spread_labels(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Centres as near as possible to `wanted` so that labels of those heights do not overlap between low and high.

    Everything in pixels, upwards. Labels keep their order; if they do not all fit they are spread evenly.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    if sum(heights) > high - low:
        gap = (high - low) / max(1, len(order))
        centres = {i: low + gap * (rank + 0.5) for rank, i in enumerate(order)}
        return [centres[i] for i in range(len(wanted))]
    # Pool neighbours that collide into blocks, each block centred on the mean of what its members want.
    blocks: list[tuple[list[int], float]] = []
    for i in order:
        members, centre = [i], wanted[i]
        while True:
            half = sum(heights[j] for j in members) / 2
            centre = min(max(centre, low + half), high - half)
            if not blocks:
                break
            before, other = blocks[-1]
            if other + sum(heights[j] for j in before) / 2 <= centre - half + 1e-9:
                break
            members, blocks = before + members, blocks[:-1]
            centre = sum(_aim(members, wanted, heights)) / len(members)
        blocks.append((members, centre))
    placed = [0.0] * len(wanted)
    for members, centre in blocks:
        top = centre - sum(heights[j] for j in members) / 2
        for j in members:
            placed[j] = top + heights[j] / 2
            top += heights[j]
    return placed


def _aim(members: Sequence[int], wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Where each member would put the centre of its block to stand exactly where it wants."""
    total = sum(heights[j] for j in members)
    aims, start = [], 0.0
    for j in members:
        aims.append(wanted[j] - (start + heights[j] / 2) + total / 2)
        start += heights[j]
    return aims
