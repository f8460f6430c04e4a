"""The forest plot: one line a level, words left and right of a logarithmic axis of hazard ratios.

It is as tall as its lines, so that sixty of them stand on a page of A4 upright, and each can be read.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from harmony_dash.charts.forest_lines import (
    ForestLines,
    Line,
    LineKind,
    Mark,
    list_level_lines,
    list_treatment_lines,
)
from harmony_dash.charts.palette import FONT, Palette, palette_for
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.subgroup_results import SubgroupsResult

# Pixels. Sixty lines with thirty headings and the head are as high as a page that is as wide as the figure.
_ROW, _TOP, _BOTTOM, _SIDE = 16, 48, 58, 10
_TEXT, _SMALL = 11, 10
# Where the words of each column end (the first one: begins), and the axis, as shares of the width.
_PLACES: Final = (0.0, 0.30, 0.36, 0.53, 0.885, 0.945, 1.0)
_AXIS: Final = (0.555, 0.745)
_TREATMENT_PLACES: Final = (0.0, 0.30, 0.38, 0.535, 0.845, 0.955, 1.0)
_TREATMENT_AXIS: Final = (0.56, 0.725)
_LETTERS = 42
_WIDEST = (1 / 16, 16.0)
_TICKS = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_MOST_TICKS = 6
_SMALLEST_SQUARE, _LARGEST_SQUARE = 5.0, 13.0


def build_forest_figure(released: Released[SubgroupsResult], *, dark: bool = False) -> go.Figure:
    """Levels of every variable against their reference level.

    Parameters
    ----------
    released : the table.
    dark : whether it stands on a dark background.
    """
    return _figure(list_level_lines(released), _PLACES, _AXIS, palette_for(dark))


def build_treatment_forest_figure(released: Released[SubgroupsResult], *, place: int = 0,
                                  dark: bool = False) -> go.Figure:
    """The effect of a treatment in every level: raw ones hollow, those drawn towards their mean filled.

    Parameters
    ----------
    released : the table of a question with a treatment.
    place : which of the arms that are compared with the reference arm.
    dark : whether it stands on a dark background.
    """
    return _figure(list_treatment_lines(released, place), _TREATMENT_PLACES, _TREATMENT_AXIS, palette_for(dark))


def _figure(forest: ForestLines, places: Sequence[float], axis: tuple[float, float], palette: Palette) -> go.Figure:
    ends = _ends(forest.lines)
    traces = [*_words(forest, places, palette), *_marks(forest, ends, palette)]
    return go.Figure({"data": traces, "layout": _layout(forest, places, axis, ends, palette)}, _validate=False)


def _ends(lines: Sequence[Line]) -> tuple[float, float]:
    """Where the axis ends: powers of two that hold all limits, as far as the widest axis goes."""
    values = [value for line in lines for mark in (line.mark, line.shrunken) if mark is not None
              for value in (mark.lower, mark.upper) if 0 < value < math.inf]
    low, high = min([0.5, *values]), max([2.0, *values])
    return (max(_WIDEST[0], 2.0 ** math.floor(math.log2(low))), min(_WIDEST[1], 2.0 ** math.ceil(math.log2(high))))


def _words(forest: ForestLines, places: Sequence[float], palette: Palette) -> list[dict[str, Any]]:
    """A trace of text for each column and colour: grey lines are grey from end to end."""
    traces = []
    for column, place in enumerate(places):
        for grey in (False, True):
            chosen = [(row, line) for row, line in enumerate(forest.lines)
                      if (line.kind is LineKind.GREY) is grey and line.cells[column]]
            if not chosen:
                continue
            first = column == 0
            traces.append({
                "type": "scatter", "mode": "text", "xaxis": "x2", "x": [place] * len(chosen),
                "y": [row for row, _ in chosen], "text": [_text(line, column) for _, line in chosen],
                "textposition": "middle right" if first else "middle left", "cliponaxis": False,
                "textfont": {"size": _TEXT, "color": palette.muted if grey else palette.ink},
                "hoverinfo": "skip" if not first else "text",
                "hovertext": [html.escape(line.cells[0], quote=False) for _, line in chosen] if first else None})
    return traces


def _text(line: Line, column: int) -> str:
    words = line.cells[column]
    if column:
        return html.escape(words, quote=False)
    short = html.escape(words if len(words) <= _LETTERS else f"{words[:_LETTERS - 1].rstrip()}…", quote=False)
    return f"<b>{short}</b>" if line.kind is LineKind.HEADING else f"\u2002{short}"


def _marks(forest: ForestLines, ends: tuple[float, float], palette: Palette) -> list[dict[str, Any]]:
    drawn = [(row, line) for row, line in enumerate(forest.lines) if line.mark is not None]
    most = max((line.mark.information for _, line in drawn if line.mark is not None), default=0.0)
    traces: list[dict[str, Any]] = []
    for row, line in drawn:
        if line.mark is not None and line.kind is not LineKind.REFERENCE:
            traces.append(_whisker(row, line.shrunken or line.mark, ends, palette))
    raw = [(row, line.mark, line) for row, line in drawn if line.mark is not None]
    hollow = [(row, mark) for row, mark, line in raw if line.shrunken is not None]
    filled = [(row, mark) for row, mark, line in raw
              if line.shrunken is None and line.kind is not LineKind.REFERENCE]
    filled += [(row, line.shrunken) for row, line in drawn if line.shrunken is not None]
    reference = [(row, mark) for row, mark, line in raw if line.kind is LineKind.REFERENCE]
    traces.append(_squares("hollow", hollow, most, ends, palette))
    traces.append(_squares("filled", filled, most, ends, palette))
    traces.append(_squares("reference", reference, 0.0, ends, palette))
    return [trace for trace in traces if trace["x"]]


def _whisker(row: int, mark: Mark, ends: tuple[float, float], palette: Palette) -> dict[str, Any]:
    """The interval; an end beyond the axis has an arrow."""
    low, high = max(mark.lower, ends[0]), min(mark.upper, ends[1])
    symbols = ["triangle-left" if mark.lower < ends[0] else "line-ns", "triangle-right" if mark.upper > ends[1]
               else "line-ns"]
    return {"type": "scatter", "mode": "lines+markers", "x": [low, high], "y": [row, row], "hoverinfo": "skip",
            "line": {"color": palette.marks[0], "width": 1.4},
            "marker": {"symbol": symbols, "size": [8 if "triangle" in symbol else 5 for symbol in symbols],
                       "color": palette.marks[0], "line": {"color": palette.marks[0], "width": 1.2}}}


def _squares(name: str, marks: Sequence[tuple[int, Mark | None]], most: float, ends: tuple[float, float],
             palette: Palette) -> dict[str, Any]:
    shown = [(row, mark) for row, mark in marks if mark is not None and ends[0] <= mark.ratio <= ends[1]]
    sizes = [_SMALLEST_SQUARE + (_LARGEST_SQUARE - _SMALLEST_SQUARE) * math.sqrt(mark.information / most)
             if most else _SMALLEST_SQUARE for _, mark in shown]
    is_open = name == "hollow"
    colour = palette.muted if name == "reference" else palette.marks[0]
    return {"type": "scatter", "mode": "markers", "name": name, "x": [mark.ratio for _, mark in shown],
            "y": [row for row, _ in shown],
            "hovertemplate": "%{x:.2f}<extra></extra>" if name != "reference" else "reference<extra></extra>",
            "marker": {"symbol": "diamond" if name == "reference" else "square-open" if is_open else "square",
                       "size": sizes, "color": colour, "line": {"color": colour, "width": 1.4 if is_open else 0}}}


def _layout(forest: ForestLines, places: Sequence[float], axis: tuple[float, float], ends: tuple[float, float],
            palette: Palette) -> dict[str, Any]:
    rows = max(1, len(forest.lines))
    height = _TOP + _BOTTOM + _ROW * rows
    ticks = [tick for tick in _TICKS if ends[0] <= tick <= ends[1]]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log2(tick) % 2 == 0]
    stripes = [{"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": row - 0.5, "y1": row + 0.5,
                "fillcolor": palette.grid, "opacity": 0.5, "line": {"width": 0}, "layer": "below"}
               for row, line in enumerate(forest.lines) if line.kind is LineKind.HEADING]
    one = {"type": "line", "xref": "x", "x0": 1, "x1": 1, "yref": "y", "y0": -0.5, "y1": rows - 0.5,
           "line": {"color": palette.muted, "width": 1, "dash": "dot"}, "layer": "below"}
    return {
        "height": height, "margin": {"l": _SIDE, "r": _SIDE, "t": _TOP, "b": _BOTTOM, "autoexpand": False},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "dragmode": False,
        "font": {"family": FONT, "size": _TEXT, "color": palette.ink}, "template": "none", "uirevision": "forest",
        "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                       "font": {"family": FONT, "size": 12, "color": palette.ink}},
        "xaxis": {"type": "log", "domain": list(axis), "range": [math.log10(end) for end in ends],
                  "tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks],
                  "gridcolor": palette.grid, "zeroline": False, "fixedrange": True, "anchor": "y",
                  "tickangle": 0, "tickfont": {"size": _SMALL, "color": palette.muted}},
        "xaxis2": {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "y"},
        "yaxis": {"range": [rows - 0.5, -0.5], "visible": False, "fixedrange": True},
        "shapes": [*stripes, one],
        "annotations": [*_heads(forest, places, palette), *_directions(forest, axis, height, palette)]}


def _heads(forest: ForestLines, places: Sequence[float], palette: Palette) -> list[dict[str, Any]]:
    """The words over the columns, in two lines where they are long."""
    return [{"xref": "paper", "yref": "paper", "x": place, "y": 1, "yanchor": "bottom", "showarrow": False,
             "xanchor": "left" if column == 0 else "right", "align": "left" if column == 0 else "right",
             "text": _wrap(words), "font": {"size": _SMALL, "color": palette.muted}}
            for column, (place, words) in enumerate(zip(places, forest.columns, strict=True)) if words]


def _wrap(words: str) -> str:
    head, bracket, rest = html.escape(words, quote=False).partition(" (")
    return f"{head}<br>({rest}" if len(words) > len("HR (95 % CI)") and bracket else f"{head}{bracket}{rest}"


def _directions(forest: ForestLines, axis: tuple[float, float], height: int, palette: Palette,
                ) -> list[dict[str, Any]]:
    """Which way is which, in words on both sides of the middle of the axis."""
    below = -34 / max(1, height - _TOP - _BOTTOM)
    return [{"xref": "paper", "yref": "paper", "x": sum(axis) / 2 + (0.01 if end else -0.01), "y": below,
             "yanchor": "top", "showarrow": False, "xanchor": "left" if end else "right",
             "text": html.escape(words, quote=False), "font": {"size": _SMALL, "color": palette.muted}}
            for end, words in enumerate((f"← {forest.better}", f"{forest.worse} →"))]
