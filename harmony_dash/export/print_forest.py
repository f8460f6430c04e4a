"""Forest plots for paper: 180 mm wide, drawn by matplotlib from the same lines as on the screen."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harmony_dash.charts.forest_lines import ForestLines, Line, LineKind, Mark
from harmony_dash.charts.palette import LIGHT
from harmony_dash.export.print_survival import WIDTH

# Inches.
_ROW, _HEAD, _FOOT, _TITLE_LINE, _FOOTER_LINE, _MARGIN = 0.135, 0.62, 0.48, 0.185, 0.098, 0.06
# Points, and signs that fit on a line of the full width at that size.
_TITLE, _TEXT, _FOOTER = 9.5, 5.8, 5.6
_TITLE_SIGNS, _FOOTER_SIGNS, _NAME_SIGNS, _WORDS_SIGNS = 88, 172, 46, 54
# Where the words of each column end (the first one: begins) as shares of the width; of levels, and of a treatment in
# them. Then the ends of the axis.
_LEVELS: Final = (0.01, 0.335, 0.40, 0.555, 0.895, 0.945, 0.99)
_TREATMENT: Final = (0.01, 0.325, 0.415, 0.555, 0.865, 0.99)
_AXIS: Final = (0.58, 0.725)
_WIDEST: Final = (1 / 16, 16.0)
_TICKS: Final = (0.0625, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0)
_MOST_TICKS = 4
_SMALLEST, _LARGEST = 2.0, 5.5  # points of a square


def draw_forest(plots: Sequence[tuple[str, ForestLines]], title: str, footer: Sequence[str]) -> Figure:
    """One plot under the other, as tall as their lines.

    Parameters
    ----------
    plots : heading and lines of each.
    footer : paragraphs under the figure: methods line, provenance.
    """
    titles = textwrap.wrap(title, _TITLE_SIGNS)
    foot = [line for paragraph in footer for line in textwrap.wrap(paragraph, _FOOTER_SIGNS)]
    bodies = [_HEAD + max(1, len(lines.lines)) * _ROW + _FOOT for _, lines in plots]
    height = 0.12 + len(titles) * _TITLE_LINE + sum(bodies) + len(foot) * _FOOTER_LINE + 0.12
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    top = height - 0.08
    figure.text(_MARGIN / WIDTH, top / height, "\n".join(titles), fontsize=_TITLE, fontweight="bold", color=LIGHT.ink,
                va="top", linespacing=1.35)
    top -= len(titles) * _TITLE_LINE
    for (heading, lines), body in zip(plots, bodies, strict=True):
        _draw(figure, lines, heading if len(plots) > 1 else "", top, height)
        top -= body
    figure.text(_MARGIN / WIDTH, top / height, "\n".join(foot), fontsize=_FOOTER, color=LIGHT.muted, va="top",
                linespacing=1.25)
    return figure


def _draw(figure: Figure, forest: ForestLines, heading: str, top: float, height: float) -> None:
    """One plot whose upper edge is so many inches above the lower edge of the figure."""
    rows = max(1, len(forest.lines))
    floor = top - _HEAD - rows * _ROW
    words = figure.add_axes((0, floor / height, 1, rows * _ROW / height))
    words.set_axis_off()
    axis = figure.add_axes((_AXIS[0], floor / height, _AXIS[1] - _AXIS[0], rows * _ROW / height))
    for one in (words, axis):
        one.set_ylim(rows - 0.5, -0.5)
    words.set_xlim(0, 1)
    if heading:
        figure.text(_MARGIN / WIDTH, (top - 0.10) / height, heading, fontsize=_TEXT + 2, fontweight="bold",
                    color=LIGHT.ink, va="top")
    # the names of arms stand side by side over narrow columns
    places, signs = (_TREATMENT, 16) if "Shrunken" in forest.columns else (_LEVELS, 24)
    for place, column in zip(places, forest.columns, strict=True):
        if column:
            figure.text(place, (floor + rows * _ROW + 0.05) / height, "\n".join(textwrap.wrap(column, signs)),
                        fontsize=_TEXT, color=LIGHT.muted, ha="right", va="bottom")
    for row, line in enumerate(forest.lines):
        _write_line(words, row, line, places)
    _draw_marks(axis, forest.lines)
    _set_axis(axis, forest, rows)


def _write_line(words: Axes, row: int, line: Line, places: Sequence[float]) -> None:
    is_head = line.kind is LineKind.HEADING
    colour = LIGHT.muted if line.kind is LineKind.GREY else LIGHT.ink
    if is_head:
        words.axhspan(row - 0.5, row + 0.5, color=LIGHT.grid, alpha=0.6, linewidth=0)
    for column, (place, text) in enumerate(zip(places, line.cells, strict=True)):
        if text:
            short = textwrap.shorten(text, _NAME_SIGNS if column == 0 else _WORDS_SIGNS, placeholder="…")
            words.text(place + (0 if is_head or column else 0.012), row, short, fontsize=_TEXT, color=colour,
                       ha="right" if column else "left", va="center",
                       fontweight="bold" if is_head and not column else "normal")


def _draw_marks(axis: Axes, lines: Sequence[Line]) -> None:
    most = max((line.mark.information for line in lines if line.mark is not None), default=0.0)
    for row, line in enumerate(lines):
        mark = line.mark
        if mark is None:
            continue
        if line.kind is LineKind.REFERENCE:
            axis.plot([1], [row], marker="D", markersize=2.5, color=LIGHT.muted)
            continue
        told = line.shrunken or mark
        low, high = max(told.lower, _WIDEST[0]), min(told.upper, _WIDEST[1])
        if low < high:
            axis.plot([low, high], [row, row], color=LIGHT.marks[0], linewidth=0.9, solid_capstyle="butt")
        if line.shrunken is not None:
            _square(axis, row, mark, most, is_open=True)
        _square(axis, row, told, most, is_open=False)


def _square(axis: Axes, row: int, mark: Mark, most: float, *, is_open: bool) -> None:
    if _WIDEST[0] <= mark.ratio <= _WIDEST[1]:
        size = _SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(mark.information / most) if most else _SMALLEST
        axis.plot([mark.ratio], [row], marker="s", markersize=size, markeredgewidth=0.7,
                  color=LIGHT.marks[0], markerfacecolor="none" if is_open else LIGHT.marks[0])


def _set_axis(axis: Axes, forest: ForestLines, rows: int) -> None:
    found = [value for line in forest.lines for mark in (line.mark, line.shrunken) if mark is not None
             for value in (mark.lower, mark.upper) if 0 < value < math.inf]
    low, high = (max(_WIDEST[0], min([0.5, *found]) / 1.1), min(_WIDEST[1], max([2.0, *found]) * 1.1))
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    if len(ticks) > _MOST_TICKS:
        ticks = [tick for tick in ticks if math.log2(tick) % 2 == 0]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.set_yticks([])
    axis.tick_params(axis="x", labelsize=_TEXT, colors=LIGHT.muted, length=2, width=0.5)
    axis.axvline(1, color=LIGHT.muted, linewidth=0.6, linestyle=":", zorder=0)
    axis.patch.set_alpha(0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_linewidth(0.5)
    axis.set_xlabel(f"← {forest.better}        {forest.worse} →", fontsize=_TEXT, color=LIGHT.muted, labelpad=2)
