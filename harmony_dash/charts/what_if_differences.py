"""Differences between two strategies as dots on one axis: the methods beside one another, or the levels of biomarkers.

The axis is in percentage points around no difference. What a plain comparison would have said stands in grey below the
answers, so that nobody takes it for one.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from harmony_dash.charts.axes import wrap_label
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.palette import FONT, Palette, palette_for
from harmony_dash.charts.what_if_words import (
    METHOD_NAMES,
    format_difference,
    outcome_label,
)
from harmony_dash.disclosure.points import format_points, format_points_limits
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import Contrast, Measure, Method, WhatIfResult

_ORDER: Final = (Method.RANDOMISED, Method.STANDARDISED, Method.AUGMENTED, Method.WEIGHTED, Method.PLAIN)
# Pixels, and shares of the width.
_ROW, _TOP, _BOTTOM = 23, 10, 54
_FURTHER_LINE = 14  # of a label
_AXIS: Final = (0.30, 0.72)
_LABEL_LETTERS: Final = 24
# Half the width of the axis in points, and the ticks that go with it.
_REACHES: Final = ((2, 1), (5, 2.5), (10, 5), (20, 10), (40, 20), (100, 50))
_SYMBOLS: Final = {Method.RANDOMISED: "diamond", Method.STANDARDISED: "circle", Method.AUGMENTED: "square",
                   Method.WEIGHTED: "triangle-up", Method.PLAIN: "x-thin"}


@dataclass(frozen=True)
class _Line:
    """One line of the figure; a heading has neither dot nor words."""

    label: str
    words: str = ""
    estimate: float | None = None
    limits: tuple[float, float] | None = None
    symbol: str = "circle"
    is_heading: bool = False
    is_grey: bool = False


def build_methods_figure(released: Released[WhatIfResult], *, dark: bool = False) -> go.Figure:
    """The difference of each outcome by each method, with 95 % intervals.

    Parameters
    ----------
    released : the answer.
    dark : whether it stands on a dark background.
    """
    return _figure(list_method_lines(released), _directions(released.value), palette_for(dark), "methods")


def build_effects_figure(released: Released[WhatIfResult], *, dark: bool = False) -> go.Figure:
    """The difference in the endpoint within each level of the biomarkers, by method A."""
    return _figure(list_effect_lines(released), _directions(released.value), palette_for(dark), "effects")


def list_method_lines(released: Released[WhatIfResult]) -> list[_Line]:
    """A heading an outcome, and under it the methods that have a difference, the plain comparison last."""
    lines = []
    for outcome in dict.fromkeys(one.outcome for one in released.value.contrasts):
        found = [one for one in released.value.contrasts
                 if one.outcome == outcome and one.measure is not Measure.RESTRICTED_MEAN]
        if not found:
            continue
        lines.append(_Line(outcome_label(released.value, outcome), is_heading=True))
        lines += [_line_of(one) for one in sorted(found, key=lambda one: _ORDER.index(one.method))]
    return lines


def _line_of(contrast: Contrast) -> _Line:
    limits = (None if contrast.lower is None or contrast.upper is None
              else (100 * contrast.lower, 100 * contrast.upper))
    name = METHOD_NAMES[contrast.method] + (f", {contrast.randomisation}" if contrast.randomisation else "")
    return _Line(name, format_difference(contrast), 100 * contrast.estimate,
                 limits, _SYMBOLS[contrast.method], is_grey=contrast.method is Method.PLAIN)


def list_effect_lines(released: Released[WhatIfResult]) -> list[_Line]:
    """A heading a biomarker, and under it its levels; those without a difference in grey."""
    result, lines = released.value, []
    for label in dict.fromkeys(one.label for one in result.effects):
        lines.append(_Line(label, is_heading=True))
        for one in (effect for effect in result.effects if effect.label == label):
            if one.difference is None:
                lines.append(_Line(one.name, "not shown", is_grey=True))
                continue
            low, high = one.difference.lower, one.difference.upper
            words = f"{format_points(one.difference.estimate)} ({format_points_limits(low, high)})"
            lines.append(_Line(one.name, words, 100 * one.difference.estimate, (100 * low, 100 * high)))
    return lines


def _directions(result: WhatIfResult) -> tuple[str, str]:
    """Which way is which. More is good of survival and bad of relapse, so neither side is called better."""
    (_, reference), (_, compared) = result.arms
    return f"more under {reference}", f"more under {compared}"


def _figure(lines: Sequence[_Line], directions: tuple[str, str], palette: Palette, name: str) -> go.Figure:
    reach, step = _reach(lines)
    rows = max(1, len(lines))
    tallest = max((len(_wrap(line)) for line in lines), default=1)
    height = _TOP + _BOTTOM + (_ROW + _FURTHER_LINE * (tallest - 1)) * rows
    traces = [*_words(lines, palette), *_marks(lines, reach, palette)]
    ticks = [place * step for place in range(-round(reach / step), round(reach / step) + 1)]
    layout = {
        "height": height, "margin": {"l": 4, "r": 4, "t": _TOP, "b": _BOTTOM, "autoexpand": False},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "template": "none", "showlegend": False,
        "dragmode": False, "font": {"family": FONT, "size": 12, "color": palette.ink}, "uirevision": f"what_if.{name}",
        "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                       "font": {"family": FONT, "size": 12, "color": palette.ink}},
        "xaxis": {"domain": list(_AXIS), "range": [-reach, reach], "tickmode": "array", "tickvals": ticks,
                  "ticktext": [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks],
                  "gridcolor": palette.grid, "zeroline": True, "zerolinecolor": palette.muted, "zerolinewidth": 1,
                  "fixedrange": True, "tickfont": {"size": 11, "color": palette.muted}, "tickangle": 0},
        "xaxis2": {"domain": [0, 1], "range": [0, 1], "visible": False, "fixedrange": True, "anchor": "y"},
        "yaxis": {"range": [rows - 0.5, -0.5], "visible": False, "fixedrange": True},
        "annotations": _ends(directions, height, palette)}
    return build_figure({"data": traces, "layout": layout})


def _reach(lines: Sequence[_Line]) -> tuple[float, float]:
    """Half the width of the axis and its step, so that every estimate and nearly all limits are inside."""
    values = [abs(value) for line in lines for value in (line.estimate, *(line.limits or ())) if value is not None]
    most = max(values, default=1.0)
    return next(((reach, step) for reach, step in _REACHES if most <= reach), _REACHES[-1])


def _words(lines: Sequence[_Line], palette: Palette) -> list[dict[str, Any]]:
    """Labels on the left and numbers on the right, each as one trace a colour."""
    traces = []
    for place, position, pick in ((0.0, "middle right", _label), (1.0, "middle left", _numbers)):
        for is_grey in (False, True):
            chosen = [(row, line) for row, line in enumerate(lines) if line.is_grey is is_grey and pick(line)]
            if chosen:
                traces.append({
                    "type": "scatter", "mode": "text", "xaxis": "x2", "x": [place] * len(chosen),
                    "y": [row for row, _ in chosen], "text": [pick(line) for _, line in chosen],
                    "textposition": position, "cliponaxis": False, "hoverinfo": "text",
                    "hovertext": [html.escape(line.label, quote=False) for _, line in chosen],
                    "textfont": {"size": 12, "color": palette.muted if is_grey else palette.ink}})
    return traces


def _label(line: _Line) -> str:
    words = _wrap(line)
    return f"<b>{words[0]}</b>" if line.is_heading else "<br>".join(f"\u2002{part}" for part in words)


def _wrap(line: _Line) -> list[str]:
    """The label in as many lines as it takes, so that the name of a randomisation is not cut off."""
    return wrap_label(line.label, 40, 1) if line.is_heading else wrap_label(line.label, _LABEL_LETTERS, 3)


def _numbers(line: _Line) -> str:
    return html.escape(line.words, quote=False)


def _marks(lines: Sequence[_Line], reach: float, palette: Palette) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for row, line in enumerate(lines):
        if line.estimate is None:
            continue
        colour = palette.muted if line.is_grey else palette.marks[0]
        if line.limits is not None:
            low, high = (min(max(end, -reach), reach) for end in line.limits)
            traces.append({"type": "scatter", "mode": "lines", "x": [low, high], "y": [row, row], "hoverinfo": "skip",
                           "line": {"color": colour, "width": 1.6, "dash": "dot" if line.is_grey else "solid"}})
        traces.append({"type": "scatter", "mode": "markers", "x": [min(max(line.estimate, -reach), reach)], "y": [row],
                       "text": [f"{html.escape(line.label, quote=False)}: {line.words}"],
                       "hovertemplate": "%{text}<extra></extra>", "cliponaxis": False,
                       "marker": {"symbol": line.symbol, "size": 10, "color": colour,
                                  "line": {"color": colour, "width": 2 if line.symbol == "x-thin" else 0}}})
    return traces


def _ends(directions: tuple[str, str], height: int, palette: Palette) -> list[dict[str, Any]]:
    inner = max(1, height - _TOP - _BOTTOM)
    middle = sum(_AXIS) / 2
    notes = []
    for words, side in zip((f"← {directions[0]}", f"{directions[1]} →"), (-1, 1), strict=True):
        notes.append({"xref": "paper", "yref": "paper", "x": middle + 0.012 * side, "y": -30 / inner, "yanchor": "top",
                      "xanchor": "left" if side > 0 else "right", "showarrow": False,
                      "text": html.escape(words, quote=False), "font": {"size": 11, "color": palette.muted}})
    return notes


def describe_methods(released: Released[WhatIfResult]) -> str:
    """The figure of methods in words."""
    return _describe(list_method_lines(released), f"{released.value.title}. Differences in percentage points by method")


def describe_effects(released: Released[WhatIfResult]) -> str:
    """The figure of biomarkers in words."""
    return _describe(list_effect_lines(released), f"{released.value.title}. Differences in percentage points by level")


def _describe(lines: Sequence[_Line], start: str) -> str:
    parts = [line.label if line.is_heading else f"{line.label} {line.words}" for line in lines]
    return f"{start}: {'; '.join(parts)}."
