"""The curves of a treatment comparison: the endpoint above, relapse and death in remission side by side below.

The trade-off is the point of the question, so no panel is drawn without the other two.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from harmony_dash.charts.axes import choose_ticks, nice_end, spread_labels, wrap_label
from harmony_dash.charts.curves import (
    STRAIGHT,
    Pen,
    Series,
    Trace,
    build_band,
    build_hover,
    build_line,
    hover_days,
    start_curve,
    value_at,
)
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.numbers import TimeUnit, format_percent, name_time
from harmony_dash.charts.palette import FONT, Palette, palette_for
from harmony_dash.charts.what_if_words import (
    METHOD_NAMES,
    contrast_of,
    list_outcomes,
    outcome_label,
    patients_of,
    precision_of_curves,
)
from harmony_dash.disclosure.points import format_points
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import Censorings, RiskTable
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    RANDOMISED,
    Measure,
    Method,
    StrategyCurve,
    WhatIfResult,
)

# Which method carries the band, and how the others differ from it.
_MAIN: Final = {OBSERVED: Method.STANDARDISED, RANDOMISED: Method.RANDOMISED}
_DASHES: Final = {Method.AUGMENTED: "dash", Method.WEIGHTED: "dot"}
_NO_TABLE, _NO_CENSORINGS = RiskTable((), (), (), ()), Censorings(np.array([]), np.array([]))
# Pixels.
_TALL, _LOW, _GAP, _TOP, _BOTTOM, _LEFT, _RIGHT, _WIDTH = 270, 200, 116, 72, 46, 48, 118, 620
_COLUMN_GAP = 0.10
_THIN = 1.3
_SAMPLES: Final = {Method.STANDARDISED: "━━", Method.RANDOMISED: "━━", Method.AUGMENTED: "╌╌", Method.WEIGHTED: "┈┈"}


@dataclass(frozen=True)
class _Panel:
    """One outcome: its place in fractions of the figure, and how many of the axes it has."""

    place: int
    outcome: str
    x: tuple[float, float]
    y: tuple[float, float]
    height: int

    @property
    def suffix(self) -> str:
        return "" if self.place == 0 else str(self.place + 1)

    @property
    def axes(self) -> dict[str, str]:
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


def build_strategy_figure(released: Released[WhatIfResult], *, population: str = OBSERVED, dark: bool = False,
                          ) -> go.Figure:
    """What would have happened under either strategy, by outcome.

    Method A (or the randomised comparison) is drawn with its band, B and C as thin dashed lines. Of a comparison
    between protocols only the plain curves are drawn, in grey.

    Parameters
    ----------
    released : the answer.
    population : whose curves, OBSERVED or RANDOMISED.
    dark : whether it stands on a dark background.
    """
    result, palette = released.value, palette_for(dark)
    outcomes = list_outcomes(result, population)
    panels = _place(outcomes)
    drawn = [_series(released, outcome, population, palette) for outcome in outcomes]
    end_days = max((float(one.curve.days[-1]) for lines in drawn for _, one in lines if len(one.curve.days)),
                   default=float(result.question.horizon_days))
    failures = [one for place, lines in enumerate(drawn) if place for _, one in lines]
    top_of_failures = nice_end(max((_highest(one) for one in failures), default=0.0))
    traces: list[Trace] = []
    layout: dict[str, Any] = {}
    annotations: list[dict[str, Any]] = []
    for panel, lines in zip(panels, drawn, strict=True):
        top = 1.0 if panel.place == 0 else top_of_failures
        pen = Pen(TimeUnit.YEARS, end_days, STRAIGHT, top / panel.height, end_days / TimeUnit.YEARS.days / _WIDTH,
                  panel.axes)
        traces += _traces(lines, pen, end_days)
        layout |= _axes(panel, palette, end_days, top)
        annotations.append(_heading(released, panel, population, palette))
        annotations += _labels(lines, panel, top, end_days, palette) if panel.place == 0 else []
        if not lines:
            annotations.append(_empty(released, panel, population, palette))
    annotations += _key(result, population, palette)
    height = sum(panel.height for panel in panels if panel.x[0] == 0) + (_GAP if len(panels) > 1 else 0)
    layout |= _page(palette, height, population)
    return build_figure({"data": traces, "layout": layout | {"annotations": annotations}})


def _place(outcomes: Sequence[str]) -> list[_Panel]:
    """The first outcome over the whole width, the others beside one another below it."""
    if not outcomes:
        return []
    rest = len(outcomes) - 1
    inner = _TALL + (_LOW + _GAP if rest else 0)
    panels = [_Panel(0, outcomes[0], (0.0, 1.0), (1 - _TALL / inner, 1.0), _TALL)]
    width = (1 - _COLUMN_GAP * (rest - 1)) / max(1, rest)
    for number, outcome in enumerate(outcomes[1:]):
        left = number * (width + _COLUMN_GAP)
        panels.append(_Panel(number + 1, outcome, (left, left + width), (0.0, _LOW / inner), _LOW))
    return panels


def _series(released: Released[WhatIfResult], outcome: str, population: str, palette: Palette,
            ) -> list[tuple[StrategyCurve, Series]]:
    """The curves of one outcome, dashed ones first so that the main ones lie over them."""
    result = released.value
    main = Method.PLAIN if result.between_protocol else _MAIN[population]
    shown = [one for one in result.curves if one.outcome == outcome
             and (one.method is main or (one.method in _DASHES and population == OBSERVED))]
    shown.sort(key=lambda one: one.method is main)
    values, found = [value for value, _ in result.arms], []
    start = 1.0 if outcome == list_outcomes(result, population)[0] else 0.0
    for one in shown:
        place = values.index(one.arm)
        colour, words = ((palette.muted, palette.muted) if result.between_protocol
                         else (palette.marks[place], palette.words[place]))
        name = result.arms[place][1] if one.method is main else f"{result.arms[place][1]}, {METHOD_NAMES[one.method]}"
        found.append((one, Series(name, colour, words, start_curve(one.curve, start), start, _NO_TABLE, _NO_CENSORINGS,
                                  released.scope.rules.minimum_cell,
                                  precision_of_curves(released, outcome, population))))
    return found


def _traces(lines: Sequence[tuple[StrategyCurve, Series]], pen: Pen, end_days: float) -> list[Trace]:
    main = [one for curve, one in lines if curve.method not in _DASHES]
    traces = [trace for one in main for trace in build_band(one, pen)]
    for curve, one in lines:
        trace = build_line(one, pen)
        if curve.method in _DASHES:
            trace["line"] = trace["line"] | {"width": _THIN, "dash": _DASHES[curve.method]}
        elif curve.method is Method.PLAIN and one is not main[0]:
            trace["line"] = trace["line"] | {"dash": "dash"}  # grey curves cannot be told apart by colour
        traces.append(trace)
    return traces + [build_hover(one, pen, hover_days(main, end_days, STRAIGHT)) for one in main]


def _highest(series: Series) -> float:
    values = np.concatenate([series.curve.estimate, series.curve.upper])
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _heading(released: Released[WhatIfResult], panel: _Panel, population: str, palette: Palette) -> dict[str, Any]:
    """The outcome, and under it the difference that its panel shows."""
    result = released.value
    note = ""
    measure = Measure.SURVIVAL if panel.place == 0 else Measure.INCIDENCE
    contrast = contrast_of(result, _MAIN[population], measure, panel.outcome)
    if contrast is not None and not result.between_protocol:
        note = f"{format_points(contrast.estimate)} points at {name_time(contrast.days)}"
    text = f"<b>{'<br>'.join(wrap_label(outcome_label(result, panel.outcome), 60 if panel.place == 0 else 24, 2))}</b>"
    text += f"<br><span style=\"font-size:11px;color:{palette.muted}\">{html.escape(note, quote=False)}</span>"
    return {"xref": "paper", "yref": "paper", "x": panel.x[0], "xanchor": "left", "y": panel.y[1], "yanchor": "bottom",
            "yshift": 4, "align": "left", "showarrow": False, "text": text, "font": {"size": 13, "color": palette.ink}}


def _empty(released: Released[WhatIfResult], panel: _Panel, population: str, palette: Palette) -> dict[str, Any]:
    patients = patients_of(released.value, panel.outcome, population)
    reason = (patients.reason if patients else "") or "not estimated"
    return {"xref": "paper", "yref": "paper", "x": sum(panel.x) / 2, "y": sum(panel.y) / 2, "showarrow": False,
            "text": "<br>".join(wrap_label(reason[:1].upper() + reason[1:], 30 if panel.place == 0 else 18, 5)),
            "font": {"size": 12, "color": palette.muted}}


def _labels(lines: Sequence[tuple[StrategyCurve, Series]], panel: _Panel, top: float, end_days: float,
            palette: Palette) -> list[dict[str, Any]]:
    """The names of the strategies at the right end of their curves, with what is read off there."""
    ends = [(one, value) for curve, one in lines if curve.method not in _DASHES
            and (value := value_at(one.curve, float(one.curve.days[-1]))) is not None]
    pixel = top / panel.height
    names = [wrap_label(one.name, 16, 2) for one, _ in ends]
    centres = spread_labels([value[0] / pixel for _, value in ends], [15.0 * (len(name) + 1) + 6 for name in names],
                            0.0, panel.height + 8.0)
    return [{"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8, "yref": f"y{panel.suffix} domain",
             "y": centre / panel.height, "yanchor": "middle", "align": "left", "showarrow": False,
             "text": f"<b>{'<br>'.join(name)}</b><br><span style=\"font-size:11px;color:{palette.muted}\">"
                     f"{format_percent(value[0], one.precision)} at {name_time(round(end_days))}</span>",
             "font": {"size": 13, "color": one.word_colour}}
            for (one, value), name, centre in zip(ends, names, centres, strict=True)]


def _dashed(result: WhatIfResult, population: str) -> list[Method]:
    if population != OBSERVED or result.between_protocol:
        return []
    return [method for method in _DASHES if any(one.method is method for one in result.curves)]


def _key(result: WhatIfResult, population: str, palette: Palette) -> list[dict[str, Any]]:
    """What solid, dashed and dotted mean, in one line above the figure."""
    dashed = _dashed(result, population)
    words = "\u2003".join(f"{_SAMPLES[method]}\u2002{METHOD_NAMES[method]}" for method in (_MAIN[population], *dashed))
    return [{"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom", "yshift": 46,
             "showarrow": False, "text": words, "font": {"size": 12, "color": palette.muted}}] if dashed else []


def _axes(panel: _Panel, palette: Palette, end_days: float, top: float) -> dict[str, Any]:
    end = end_days / TimeUnit.YEARS.days
    ticks = choose_ticks(end, TimeUnit.YEARS, most=6)
    font = {"size": 12, "color": palette.muted}
    x = {"domain": list(panel.x), "anchor": panel.axes["yaxis"], "range": [0, end], "tickmode": "array",
         "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks], "showgrid": False, "zeroline": False,
         "showline": True, "linecolor": palette.muted, "ticks": "outside", "ticklen": 4, "tickcolor": palette.muted,
         "tickfont": font, "unifiedhovertitle": {"text": "Year %{x:.2~f}"},
         "title": {"text": "Years since the clock starts", "standoff": 4, "font": {"size": 12, "color": palette.ink}}}
    y = {"domain": list(panel.y), "anchor": panel.axes["xaxis"], "range": [-0.004 * top, top * 1.004],
         "tickformat": ".0%", "dtick": 0.2 if top > 0.4 else 0.1 if top > 0.2 else 0.05, "gridcolor": palette.grid,
         "zeroline": False, "ticks": "", "tickfont": font, "showticklabels": panel.place < 2}
    return {f"xaxis{panel.suffix}": x, f"yaxis{panel.suffix}": y}


def _page(palette: Palette, inner: int, population: str) -> dict[str, Any]:
    return {"height": inner + _TOP + _BOTTOM,
            "margin": {"l": _LEFT, "r": _RIGHT, "t": _TOP, "b": _BOTTOM, "autoexpand": False},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "template": "none",
            "font": {"family": FONT, "size": 13, "color": palette.ink}, "hovermode": "x unified", "hoverdistance": 40,
            "dragmode": "zoom", "showlegend": False, "uirevision": f"what_if.{population}",
            "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid, "align": "left",
                           "font": {"family": FONT, "size": 12, "color": palette.ink}}}


def describe_strategies(released: Released[WhatIfResult], population: str = OBSERVED) -> str:
    """The figure in words, for people who do not see it."""
    result = released.value
    parts = []
    for outcome in list_outcomes(result, population):
        ends = []
        for curve, one in _series(released, outcome, population, palette_for(False)):
            value = None if curve.method in _DASHES else value_at(one.curve, float(one.curve.days[-1]))
            if value is not None:
                ends.append(f"{one.name} {format_percent(value[0], one.precision)}")
        if ends:
            parts.append(f"{outcome_label(result, outcome)} at {name_time(result.question.horizon_days)}: "
                         f"{', '.join(ends)}")
    return f"{result.title}. {'. '.join(parts)}."
