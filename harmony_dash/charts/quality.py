"""The trend of a source's checks over snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.palette import FONT, palette_for
from harmony_dash.disclosure.quality_results import QualityResult, SourceQuality, Tally
from harmony_dash.disclosure.quality_words import CATEGORIES
from harmony_dash.disclosure.released import Released

_HEIGHT, _ROOM = 230, 110
_DASHES = ("solid", "dash", "dot")
# Markers too, so that lines of equal numbers can be told apart without colour.
_SYMBOLS = ("circle", "square", "diamond")


def trend_tallies(result: QualityResult, source: SourceQuality) -> list[tuple[str, tuple[Tally, ...]]]:
    """Day and tallies of each snapshot, oldest first, the one shown last; with the time where a day has several."""
    points = [*((point.created, point.tallies) for point in reversed(source.trend)), (result.created, source.tallies)]
    days = [created[:10] for created, _ in points]
    one_a_day = len(set(days)) == len(days)
    return [(created[:10] if one_a_day else created[:16].replace("T", " "), tallies) for created, tallies in points]


def build_trend_figure(released: Released[QualityResult], *, dark: bool = False) -> go.Figure:
    """Checks of the first source that failed or warned, by category, a marker a snapshot."""
    points = trend_tallies(released.value, released.value.sources[0])
    palette = palette_for(dark)
    days = [day for day, _ in points]
    traces: list[dict[str, Any]] = []
    for place, category in enumerate(CATEGORIES):
        found = [sum(t.failed + t.warned for t in tallies if t.category is category) for _, tallies in points]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "x": list(range(len(days))), "y": found,
            "name": CATEGORIES[category][0],
            "line": {"color": palette.marks[place], "width": 2, "dash": _DASHES[place]},
            "marker": {"size": 8, "symbol": _SYMBOLS[place]}, "cliponaxis": False,
            "hovertemplate": f"{CATEGORIES[category][0]}: %{{y}}<extra></extra>"})
    top = max([1, *(max(trace["y"]) for trace in traces)])
    notes, high = _labels([(trace["name"], trace["y"][-1]) for trace in traces], len(days) - 1, top, palette.words)
    layout = {
        "height": _HEIGHT, "margin": {"l": 44, "r": _ROOM, "t": 12, "b": 36, "autoexpand": False}, "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "dragmode": False,
        "font": {"family": FONT, "size": 12, "color": palette.ink}, "hovermode": "x unified", "annotations": notes,
        "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                       "font": {"family": FONT, "size": 12, "color": palette.ink}},
        "xaxis": {"tickmode": "array", "tickvals": list(range(len(days))), "ticktext": days, "ticklabelstandoff": 8,
                  "showgrid": False, "zeroline": False, "fixedrange": True, "range": [-0.1, len(days) - 0.9],
                  "tickfont": {"size": 11, "color": palette.muted}},
        "yaxis": {"range": [0, 1.06 * high], "gridcolor": palette.grid, "zeroline": False, "fixedrange": True,
                  "dtick": max(1, round(high / 4)), "tickformat": ",d",
                  "tickfont": {"size": 11, "color": palette.muted}}}
    return build_figure({"data": traces, "layout": layout})


def _labels(ends: Sequence[tuple[str, int]], x: int, top: float, colours: Sequence[str],
            ) -> tuple[list[dict[str, Any]], float]:
    """Names at the ends of the lines, moved apart where they would touch, and the height that holds all."""
    least = 0.11 * top
    order = sorted(range(len(ends)), key=lambda place: ends[place][1])
    heights: dict[int, float] = {}
    below = -float(least)
    for place in order:
        heights[place] = below = max(float(ends[place][1]), below + least)
    notes = [{"x": x, "y": heights[place], "xanchor": "left", "xshift": 10, "text": name, "showarrow": False,
              "font": {"size": 12, "color": colours[place]}} for place, (name, _) in enumerate(ends)]
    return notes, max(top, *heights.values())


def describe_trend(result: QualityResult, source: SourceQuality) -> str:
    """The figure in a sentence."""
    first, last = trend_tallies(result, source)[0], trend_tallies(result, source)[-1]
    parts = [f"{CATEGORIES[old.category][0].lower()} from {old.failed + old.warned} to {new.failed + new.warned}"
             for old, new in zip(first[1], last[1], strict=True)]
    return f"Checks that failed or warned, {first[0]} to {last[0]}: {', '.join(parts)}."
