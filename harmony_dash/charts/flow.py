"""How a cohort came about: one bar a step, with what the step before had behind it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from harmony_dash.charts.axes import wrap_label
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.numbers import format_part
from harmony_dash.charts.palette import FONT, Palette, palette_for
from harmony_dash.disclosure.feasibility_results import FeasibilityResult, Stage
from harmony_dash.disclosure.released import Released

_ROW, _TOP, _BOTTOM = 46, 4, 36
_LETTER, _THICK = 6.8, 0.38
# As much as fits over the bars of half a window of 800 px.
_LONGEST = 58
DIFFERS = "†"
ALL_BUT_FEW = "all but a few"


@dataclass(frozen=True)
class Bar:
    """One row: its words, its length, the number at its end, and the length of the pale bar behind it."""

    label: str
    value: float
    text: str
    behind: float | None = None


def build_flow_figure(released: Released[FeasibilityResult], *, dark: bool = False) -> go.Figure:
    """From all patients of the disease to those that are counted; a step whose number is hidden has no bar."""
    result = released.value
    bars, before = [], None
    for step in (*result.steps, result.not_followed):
        lost = f"  −{step.removed:,}" if step.removed is not None else ""
        bars.append(Bar(capital(step.label), float(step.n or 0), f"{format_part(step.n)}{lost}",
                        float(before) if before is not None and step.n is not None else None))
        before = step.n if step.n is not None else before
    return build_figure(build_bars(bars, palette_for(dark), title="Patients"))


def build_source_flow_figure(released: Released[FeasibilityResult], *, dark: bool = False) -> go.Figure:
    """Of each source the patients accepted, and in front of them those that are counted; most accepted first."""
    bars = []
    for one in sorted(released.value.sources, key=lambda one: (-(one.accepted.n or 0), one.source)):
        accepted = one.accepted.n
        if one.counted is not None and one.counted.nearly_all:
            counted, words = accepted, ALL_BUT_FEW
        else:
            counted, words = (None, "–") if one.counted is None else (one.counted.n, name_stage(one.counted))
        bars.append(Bar(capital(one.title.removeprefix("Synthetic: ")), float(counted or 0),
                        f"{words}{DIFFERS if one.differs else ''} of {format_part(accepted)}", float(accepted or 0)))
    return build_figure(build_bars(bars, palette_for(dark), title="Patients"))


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]


def name_stage(stage: Stage | None) -> str:
    """The number of a stage, or why there is none."""
    if stage is None:
        return "–"
    return ALL_BUT_FEW if stage.nearly_all else format_part(stage.n)


def build_bars(bars: Sequence[Bar], palette: Palette, *, title: str) -> dict[str, Any]:
    """Horizontal bars, each over a pale one: words above them, numbers in a column at the right.

    So bars keep their room in half of a narrow window, whatever the words.
    """
    places = list(range(len(bars)))
    top = max((max(bar.value, bar.behind or 0.0) for bar in bars), default=1.0) or 1.0
    right = int(max((len(bar.text) for bar in bars), default=1) * _LETTER) + 16
    labels = [wrap_label(bar.label, _LONGEST, 1)[0] for bar in bars]
    shared = {"type": "bar", "orientation": "h", "y": places, "width": _THICK,
              "customdata": [[html.escape(bar.label, quote=False), bar.text] for bar in bars],
              "hovertemplate": "%{customdata[0]}: %{customdata[1]}<extra></extra>"}
    traces = [{**shared, "x": [bar.behind or 0.0 for bar in bars], "marker": {"color": palette.context}},
              {**shared, "x": [bar.value for bar in bars], "marker": {"color": palette.marks[0]}}]
    font = {"size": 12, "color": palette.ink}
    notes = [{"x": 0, "y": place, "text": label, "showarrow": False, "xanchor": "left", "yshift": _ROW * 0.4,
              "font": font} for place, label in zip(places, labels, strict=True)]
    notes += [{"x": 1, "xref": "paper", "y": place, "text": bar.text, "showarrow": False, "xanchor": "left",
               "xshift": 6, "font": font} for place, bar in zip(places, bars, strict=True)]
    layout = {
        "height": _TOP + _BOTTOM + _ROW * max(1, len(bars)), "barmode": "overlay", "showlegend": False,
        "margin": {"l": 4, "r": right, "t": _TOP, "b": _BOTTOM, "autoexpand": False}, "annotations": notes,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "dragmode": False, "template": "none",
        "font": {"family": FONT, **font}, "uirevision": "feasibility",
        "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid, "font": {"family": FONT, **font}},
        "xaxis": {"range": [0, top], "gridcolor": palette.grid, "zeroline": False, "nticks": 5, "tickformat": ",",
                  "tickfont": {"size": 11, "color": palette.muted}, "tickangle": 0, "fixedrange": True,
                  "title": {"text": title, "font": {"size": 12, "color": palette.muted}, "standoff": 4}},
        "yaxis": {"range": [len(bars) - 0.5, -0.6], "showticklabels": False, "showgrid": False, "zeroline": False,
                  "fixedrange": True}}
    return {"data": traces, "layout": layout}
