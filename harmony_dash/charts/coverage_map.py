"""Patients by country on a map of Europe, drawn from outlines that travel with the program.

No tile and no outline is fetched from anywhere. `outlines/NOTICE` names the source of the shapes, which is in the
public domain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.heat import build_frame, plain
from harmony_dash.charts.numbers import format_part
from harmony_dash.charts.palette import Palette, faded, palette_for
from harmony_dash.disclosure.coverage_results import NOT_STATED, CoverageResult
from harmony_dash.disclosure.released import Released

OUTLINES = Path(__file__).parent / "outlines" / "europe.json"
_HEIGHT = 460
_LIGHTEST, _DARKEST = 0.15, 0.85


@cache
def read_outlines() -> dict[str, Any]:
    """Window in km, and country code to rings of x, y, x, y, … in km."""
    document: dict[str, Any] = json.loads(OUTLINES.read_text(encoding="utf-8"))
    return document


def build_map_figure(released: Released[CoverageResult], *, names: Mapping[str, str], dark: bool = False) -> go.Figure:
    """A country is darker the more patients it has, hatched where the number is hidden, grey where it takes no part."""
    palette, outlines = palette_for(dark), read_outlines()
    counts = {cell.labels["country"]: cell.n for cell in released.value.by_country}
    grey = _merge([ring for code, rings in outlines["countries"].items() if code not in counts for ring in rings])
    traces = [_shape(grey, palette, fillcolor=palette.grid, hoverinfo="skip")]
    top = max((n for n in counts.values() if n), default=1)
    for code, n in counts.items():
        rings = outlines["countries"].get(code)
        if not rings:
            continue
        words = f"{plain(names.get(code, code))}: {format_part(n)} patients"
        look = {"fillpattern": {"shape": "/", "fgcolor": palette.muted, "bgcolor": palette.grid, "size": 6,
                                "solidity": 0.3}} if n is None else {
            "fillcolor": faded(palette.marks[0], _opacity(n, top))}
        traces.append(_shape(_merge(rings), palette, hoveron="fills", text=words, hoverinfo="text", name=words, **look))
    left, right, bottom, height = outlines["window"]
    layout = build_frame(palette, _HEIGHT, left=0, right=0, top=0, bottom=0)
    hidden = {"visible": False, "fixedrange": True}
    layout["xaxis"] = {**hidden, "range": [left, right], "constrain": "domain"}
    layout["yaxis"] = {**hidden, "range": [bottom, height], "scaleanchor": "x", "constrain": "domain"}
    layout["hovermode"] = "closest"
    return build_figure({"data": traces, "layout": layout})


def not_on_map(released: Released[CoverageResult], names: Mapping[str, str]) -> list[str]:
    """Countries that take part and have no outline, with their patients in words."""
    known = read_outlines()["countries"]
    return [f"{names.get(code, code)} {format_part(cell.n)}" for cell in released.value.by_country
            if (code := cell.labels["country"]) not in known and code != NOT_STATED]


def _opacity(n: int, top: int) -> float:
    """By the logarithm: one large country would otherwise leave all others alike."""
    return _LIGHTEST + (_DARKEST - _LIGHTEST) * log(1 + n) / log(1 + top)


def _merge(rings: list[list[int]]) -> tuple[list[int | None], list[int | None]]:
    """The rings one after the other, each closed, with a gap between them."""
    x: list[int | None] = []
    y: list[int | None] = []
    for ring in rings:
        x += [*ring[::2], ring[0], None]
        y += [*ring[1::2], ring[1], None]
    return x, y


def _shape(points: tuple[list[int | None], list[int | None]], palette: Palette, **look: Any) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": points[0], "y": points[1], "fill": "toself",
            "line": {"width": 0.7, "color": palette.surface}, **look}
