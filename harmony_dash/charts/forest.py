"""The forest plot: one line a level, words left and right of a logarithmic axis of hazard ratios.

It is as tall as its lines, so that sixty of them stand on a page of A4 upright, and each can be read. Where the page is
too narrow for all columns, each line is stacked: its name and its axis above, the words of all columns below.
"""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
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
_LETTERS = 42
# So many letters of a reason fit beside the axis; the box beside the pointer and the table have all of it.
_REASON, _STACKED_REASON = 58, 40
_APART = " · "
# Words before the axis in a line: its name and three columns.
_BEFORE = 4
# Where the box beside the pointer stands, as a share of the width.
_POINTED_AT = 0.15
_WIDEST = (1 / 16, 16.0)
_TICKS = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_MOST_TICKS = 6
_SMALLEST_SQUARE, _LARGEST_SQUARE = 5.0, 13.0


@dataclass(frozen=True)
class _Frame:
    """Where things stand.

    Attributes
    ----------
    places : where the words of each column end (the first one: begins), as shares of the width; of a stacked frame, of
        the words before the axis and of those beside it.
    axis : its ends, as shares of the width.
    row : height of a line in pixels.
    lift : how far a line's name and marks stand above its middle, as a share of its height.
    """

    places: tuple[float, ...]
    axis: tuple[float, float]
    row: int = _ROW
    lift: float = 0.0

    @property
    def is_stacked(self) -> bool:
        return self.lift > 0


_LEVELS: Final = _Frame((0.0, 0.30, 0.36, 0.53, 0.885, 0.945, 1.0), (0.555, 0.745))
_TREATMENT: Final = _Frame((0.0, 0.30, 0.38, 0.535, 0.87, 1.0), (0.56, 0.735))
_STACKED: Final = _Frame((0.0, 1.0), (0.56, 0.98), row=34, lift=0.22)


def build_forest_figure(released: Released[SubgroupsResult], *, dark: bool = False, narrow: bool = False) -> go.Figure:
    """Levels of every variable against their reference level.

    Parameters
    ----------
    released : the table.
    dark : whether it stands on a dark background.
    narrow : whether there is no room for columns, under some 640 pixels.
    """
    return _figure(list_level_lines(released), _STACKED if narrow else _LEVELS, palette_for(dark))


def build_treatment_forest_figure(released: Released[SubgroupsResult], *, place: int = 0,
                                  dark: bool = False, narrow: bool = False) -> go.Figure:
    """The effect of a treatment in every level: raw ones hollow, those drawn towards their mean filled.

    Parameters
    ----------
    released : the table of a question with a treatment.
    place : which of the arms that are compared with the reference arm.
    dark, narrow : as of `build_forest_figure`.
    """
    return _figure(list_treatment_lines(released, place), _STACKED if narrow else _TREATMENT, palette_for(dark))


def _figure(forest: ForestLines, frame: _Frame, palette: Palette) -> go.Figure:
    ends = _ends(forest.lines)
    words = _stacked_words if frame.is_stacked else _words
    traces = [*words(forest, frame, palette), *_marks(forest, frame, ends, palette)]
    if forest.lines:
        traces.append(_rows(forest, frame))
    return build_figure({"data": traces, "layout": _layout(forest, frame, ends, palette)})


def _ends(lines: Sequence[Line]) -> tuple[float, float]:
    """Where the axis ends: powers of two that hold all limits, as far as the widest axis goes."""
    values = [value for line in lines for mark in (line.mark, line.shrunken) if mark is not None
              for value in (mark.lower, mark.upper) if 0 < value < math.inf]
    low, high = min([0.5, *values]), max([2.0, *values])
    return (max(_WIDEST[0], 2.0 ** math.floor(math.log2(low))), min(_WIDEST[1], 2.0 ** math.ceil(math.log2(high))))


def _words(forest: ForestLines, frame: _Frame, palette: Palette) -> list[dict[str, Any]]:
    """A trace of text for each column and colour: grey lines are grey from end to end."""
    traces = []
    for column, place in enumerate(frame.places):
        for grey in (False, True):
            chosen = [(row, _name(line, palette) if column == 0 else _plain(_cut(line.cells[column], _REASON)))
                      for row, line in enumerate(forest.lines)
                      if (line.kind is LineKind.GREY) is grey and line.cells[column]]
            traces.append(_column(chosen, place, palette.muted if grey else palette.ink))
    return [trace for trace in traces if trace["x"]]


def _stacked_words(forest: ForestLines, frame: _Frame, palette: Palette) -> list[dict[str, Any]]:
    """Names above, the words of the columns in front of the axis and behind it below."""
    names = [(row - frame.lift, line.kind is LineKind.GREY, _name(line, palette))
             for row, line in enumerate(forest.lines)]
    traces = [_column([(y, words) for y, is_grey, words in names if is_grey is grey], frame.places[0],
                      palette.muted if grey else palette.ink) for grey in (False, True)]
    parts = ((slice(1, _BEFORE), _REASON), (slice(_BEFORE, None), _STACKED_REASON))
    for place, (part, letters) in zip(frame.places, parts, strict=True):
        below = [(row + frame.lift, _APART.join(_plain(_cut(words, letters)) for words in line.cells[part]
                                                if words))
                 for row, line in enumerate(forest.lines)]
        traces.append(_column([(y, f"\u2002{words}") for y, words in below if words], place, palette.muted, _SMALL))
    return [trace for trace in traces if trace["x"]]


def _column(words: Sequence[tuple[float, str]], place: float, colour: str, size: int = _TEXT) -> dict[str, Any]:
    font = {"size": size, "color": colour}
    return {"type": "scatter", "mode": "text", "xaxis": "x2", "x": [place] * len(words), "y": [y for y, _ in words],
            "text": [text for _, text in words], "textposition": "middle left" if place else "middle right",
            "cliponaxis": False, "textfont": font, "unselected": {"textfont": {"color": colour}}, "hoverinfo": "skip"}


def _name(line: Line, palette: Palette) -> str:
    short = _plain(_cut(line.cells[0], _LETTERS))
    if line.kind is not LineKind.HEADING:
        return f"\u2002{short}"
    tag = f' <span style="color:{palette.muted}">{_plain(line.tag)}</span>' if line.tag else ""
    return f"<b>{short}</b>{tag}"


def _cut(words: str, letters: int) -> str:
    return words if len(words) <= letters else f"{words[:letters - 1].rstrip(' ,')}…"


def _plain(words: str) -> str:
    return html.escape(words, quote=False)


def _rows(forest: ForestLines, frame: _Frame) -> dict[str, Any]:
    """What the pointer finds anywhere in a line: its full name, and who clicks finds its variable by its place."""
    heads = {line.variable: line.cells[0] for line in forest.lines if line.kind is LineKind.HEADING}
    names = [line.cells[0] if line.kind is LineKind.HEADING else f"{heads.get(line.variable, '')}: {line.cells[0]}"
             for line in forest.lines]
    names = ["<br>".join(_plain(part) for part in (name, *textwrap.wrap(line.reason, _LETTERS)))
             for name, line in zip(names, forest.lines, strict=True)]
    return {"type": "scatter", "mode": "markers", "name": "rows", "xaxis": "x2",
            "x": [_POINTED_AT] * len(names), "y": list(range(len(names))),
            "text": names, "hovertemplate": "%{text}<extra></extra>",
            "marker": {"opacity": 0, "size": 1},
            "unselected": {"marker": {"opacity": 0}}, "selected": {"marker": {"opacity": 0}}}


def _marks(forest: ForestLines, frame: _Frame, ends: tuple[float, float], palette: Palette) -> list[dict[str, Any]]:
    drawn = [(row - frame.lift, line, line.mark) for row, line in enumerate(forest.lines) if line.mark is not None]
    most = max((mark.information for _, _, mark in drawn), default=0.0)
    found = [one for one in drawn if one[1].kind is not LineKind.REFERENCE]
    traces = [_whisker(y, line.shrunken or mark, ends, palette) for y, line, mark in found]
    hollow = [(y, mark) for y, line, mark in found if line.shrunken is not None]
    filled = [(y, line.shrunken or mark) for y, line, mark in found]
    reference = [(y, mark) for y, line, mark in drawn if line.kind is LineKind.REFERENCE]
    traces.append(_squares("hollow", hollow, most, ends, palette))
    traces.append(_squares("filled", filled, most, ends, palette))
    traces.append(_squares("reference", reference, 0.0, ends, palette))
    return [trace for trace in traces if trace["x"]]


def _whisker(row: float, mark: Mark, ends: tuple[float, float], palette: Palette) -> dict[str, Any]:
    """The interval; an end beyond the axis has an arrow."""
    low, high = max(mark.lower, ends[0]), min(mark.upper, ends[1])
    symbols = ["triangle-left" if mark.lower < ends[0] else "line-ns", "triangle-right" if mark.upper > ends[1]
               else "line-ns"]
    return {"type": "scatter", "mode": "lines+markers", "x": [low, high], "y": [row, row], "hoverinfo": "skip",
            "line": {"color": palette.marks[0], "width": 1.4},
            "marker": {"symbol": symbols, "size": [8 if "triangle" in symbol else 5 for symbol in symbols],
                       "color": palette.marks[0], "line": {"color": palette.marks[0], "width": 1.2}}}


def _squares(name: str, marks: Sequence[tuple[float, Mark]], most: float, ends: tuple[float, float],
             palette: Palette) -> dict[str, Any]:
    shown = [(row, mark) for row, mark in marks if ends[0] <= mark.ratio <= ends[1]]
    sizes = [_SMALLEST_SQUARE + (_LARGEST_SQUARE - _SMALLEST_SQUARE) * math.sqrt(mark.information / most)
             if most else _SMALLEST_SQUARE for _, mark in shown]
    is_open = name == "hollow"
    colour = palette.muted if name == "reference" else palette.marks[0]
    return {"type": "scatter", "mode": "markers", "name": name, "x": [mark.ratio for _, mark in shown],
            "y": [row for row, _ in shown],
            "hoverinfo": "skip", "unselected": {"marker": {"opacity": 1}},
            "marker": {"symbol": "diamond" if name == "reference" else "square-open" if is_open else "square",
                       "size": sizes, "color": colour, "line": {"color": colour, "width": 1.4 if is_open else 0}}}


def _layout(forest: ForestLines, frame: _Frame, ends: tuple[float, float], palette: Palette) -> dict[str, Any]:
    rows = max(1, len(forest.lines))
    height = _TOP + _BOTTOM + frame.row * rows
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
        "hoverdistance": -1,  # from anywhere in a line to the line
        "xaxis": {"type": "log", "domain": list(frame.axis), "range": [math.log10(end) for end in ends],
                  "tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks],
                  "gridcolor": palette.grid, "zeroline": False, "fixedrange": True, "anchor": "y",
                  "tickangle": 0, "tickfont": {"size": _SMALL, "color": palette.muted}},
        "xaxis2": {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "y"},
        "yaxis": {"range": [rows - 0.5, -0.5], "visible": False, "fixedrange": True},
        "shapes": [*stripes, one],
        "annotations": [*_heads(forest, frame, palette), *_directions(forest, frame.axis, height, palette)]}


def _heads(forest: ForestLines, frame: _Frame, palette: Palette) -> list[dict[str, Any]]:
    """The words over the columns, in two lines where they are long."""
    columns = forest.columns
    if frame.is_stacked:
        columns = (_APART.join(columns[1:_BEFORE]), _APART.join(columns[_BEFORE:]))
    return [{"xref": "paper", "yref": "paper", "x": place, "y": 1, "yanchor": "bottom", "showarrow": False,
             "xanchor": "left" if column == 0 else "right", "align": "left" if column == 0 else "right",
             "text": _plain(words) if frame.is_stacked else _wrap(words),
             "font": {"size": _SMALL, "color": palette.muted}}
            for column, (place, words) in enumerate(zip(frame.places, columns, strict=True)) if words]


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
