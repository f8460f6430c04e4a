"""The traces one curve is made of: band, line, censor marks, hover points. Plain dictionaries and lists."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harmony_dash.charts.numbers import TimeUnit, format_count, format_percent
from harmony_dash.charts.palette import faded
from harmony_dash.charts.thinning import thin_marks, thin_steps
from harmony_dash.disclosure.precision import EXACT, Precision, format_limits
from harmony_dash.disclosure.results import Censorings, Curve, RiskTable

Trace = dict[str, Any]
Floats = NDArray[np.float64]

STEPS, STRAIGHT = "hv", "linear"
LINE_STEP_PX = 0.25  # a difference nobody sees on an ordinary screen
BAND_STEP_PX = 1.0  # bands are pale and have no outline
CENSOR_STEP_PX = 3.0
HOVER_POINTS = 73  # monthly over six years, every two months over twelve
_DECIMALS = 5  # of a share and of a year; a day is 0.003 of a year


@dataclass(frozen=True)
class Series:
    """One curve to draw: its name, colours, and where it starts (1 for survival, 0 for incidence).

    `minimum` is the least count that is shown, `precision` how finely estimates are given.
    """

    name: str
    colour: str
    word_colour: str
    curve: Curve
    start: float
    risk_table: RiskTable
    censorings: Censorings
    minimum: int = 10
    precision: Precision = EXACT


@dataclass(frozen=True)
class Pen:
    """How curves are drawn in one panel.

    Attributes
    ----------
    unit : time unit of the x axis.
    end_days : where the panel ends.
    shape : STEPS, or STRAIGHT for curves read on a coarse grid, where a step would suggest a day of event.
    y_per_px : height of a pixel in shares.
    x_per_px : width of a pixel in the time unit.
    axes : names of the panel's axes, {"xaxis": "x", "yaxis": "y"}.
    """

    unit: TimeUnit
    end_days: float
    shape: str
    y_per_px: float
    x_per_px: float
    axes: Mapping[str, str]


def start_curve(curve: Curve, start: float) -> Curve:
    """The curve with a first point at `start`: on day 0, or with late entry where the result says that it begins."""
    if len(curve.days) and curve.estimate[0] == start:
        return curve
    known = np.isfinite(curve.estimate)
    first, nan, at_risk = np.array([0.0]), np.array([np.nan]), curve.at_risk[:1]
    return Curve(np.concatenate([first, curve.days[known]]), np.concatenate([[start], curve.estimate[known]]),
                 np.concatenate([nan, curve.lower[known]]), np.concatenate([nan, curve.upper[known]]),
                 np.concatenate([at_risk if len(at_risk) else nan, curve.at_risk[known]]))


def cut_curve(curve: Curve, end_days: float, shape: str = STEPS) -> Curve:
    """The curve up to the last day drawn; steps that go on beyond it are extended flat to it."""
    inside = curve.days <= end_days
    if inside.all():
        return curve
    if shape == STRAIGHT:
        return Curve(curve.days[inside], curve.estimate[inside], curve.lower[inside], curve.upper[inside],
                     curve.at_risk[inside])
    last = int(np.flatnonzero(inside)[-1])
    columns = [np.append(column[inside], column[last])
               for column in (curve.estimate, curve.lower, curve.upper, curve.at_risk)]
    return Curve(np.append(curve.days[inside], end_days), *columns)


def value_at(curve: Curve, day: float) -> tuple[float, float, float] | None:
    """Estimate and interval on a day; None beyond the curve's end."""
    if len(curve.days) == 0 or day > curve.days[-1] + 0.5:
        return None
    i = int(np.searchsorted(curve.days, day, side="right")) - 1
    return float(curve.estimate[i]), float(curve.lower[i]), float(curve.upper[i])


def build_band(series: Series, pen: Pen) -> list[Trace]:
    """The confidence band: an upper edge without width and a lower edge filled up to it."""
    curve = cut_curve(series.curve, pen.end_days, pen.shape)
    known = np.isfinite(curve.lower) & np.isfinite(curve.upper)
    if known.sum() < 2:
        return []
    days, lower, upper = curve.days[known], curve.lower[known], curve.upper[known]
    kept = _thin(curve.estimate[known], BAND_STEP_PX, pen)
    x = _numbers(days[kept] / pen.unit.days)
    common: Trace = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
                     "legendgroup": series.name, "line": {"width": 0, "shape": pen.shape}, **pen.axes}
    filled = {"fill": "tonexty", "fillcolor": faded(series.colour, 0.15)}
    return [{**common, "x": x, "y": _numbers(upper[kept])}, {**common, "x": x, "y": _numbers(lower[kept]), **filled}]


def build_line(series: Series, pen: Pen, *, keep_days: Sequence[float] = (), legend: bool = False) -> Trace:
    """The curve itself, thinned; `keep_days` are days that must stay exact."""
    curve = cut_curve(series.curve, pen.end_days, pen.shape)
    keep = tuple(int(np.searchsorted(curve.days, day, side="right")) - 1 for day in keep_days
                 if day <= curve.days[-1])
    kept = _thin(curve.estimate, LINE_STEP_PX, pen, keep)
    return {"type": "scatter", "mode": "lines", "name": html.escape(series.name, quote=False),
            "x": _numbers(curve.days[kept] / pen.unit.days), "y": _numbers(curve.estimate[kept]), "hoverinfo": "skip",
            "legendgroup": series.name, "showlegend": legend,
            "line": {"color": series.colour, "width": 2, "shape": pen.shape}, **pen.axes}


def build_backdrop(curves: Sequence[Curve], pen: Pen, colour: str) -> Trace:
    """Other groups' curves as one pale trace behind a facet."""
    xs: list[Floats] = []
    ys: list[Floats] = []
    gap = np.array([np.nan])
    for curve in curves:
        drawn = cut_curve(curve, pen.end_days, pen.shape)
        kept = _thin(drawn.estimate, 2, pen)
        xs += [drawn.days[kept] / pen.unit.days, gap]
        ys += [drawn.estimate[kept], gap]
    return {"type": "scatter", "mode": "lines", "x": _numbers(np.concatenate(xs)), "y": _numbers(np.concatenate(ys)),
            "hoverinfo": "skip", "showlegend": False, "connectgaps": False,
            "line": {"color": colour, "width": 1, "shape": pen.shape}, **pen.axes}


def build_censor_marks(series: Series, pen: Pen) -> list[Trace]:
    """Ticks where patients left follow-up; none on protected results, which carry no censoring days."""
    inside = series.censorings.days <= pen.end_days
    days, heights = series.censorings.days[inside], series.censorings.estimate[inside]
    if len(days) == 0:
        return []
    x = days / pen.unit.days
    kept = thin_marks(x, CENSOR_STEP_PX * pen.x_per_px)
    return [{"type": "scatter", "mode": "markers", "x": _numbers(x[kept]), "y": _numbers(heights[kept]),
             "hoverinfo": "skip", "showlegend": False, "legendgroup": series.name,
             "marker": {"symbol": "line-ns-open", "size": 7, "color": series.colour,
                        "line": {"width": 1, "color": series.colour}}, **pen.axes}]


def hover_days(series: Sequence[Series], end_days: float, shape: str = STEPS) -> Floats:
    """The days hover boxes read from, the same for all curves so that one box holds them all.

    A protected curve is read on its own days: between them the drawn line is no estimate.
    """
    union = np.unique(np.concatenate([s.curve.days for s in series])) if series else np.array([0.0])
    union = union[union <= end_days]
    if shape == STRAIGHT or len(union) <= HOVER_POINTS:
        return union
    return np.round(np.linspace(0, end_days, HOVER_POINTS))


def build_hover(series: Series, pen: Pen, days: Floats) -> Trace:
    """Invisible points that carry the hover text: estimate, interval, number at risk."""
    curve = series.curve
    inside = days[days <= (curve.days[-1] if len(curve.days) else -1)]
    now = np.searchsorted(curve.days, inside, side="right") - 1
    next_change = np.searchsorted(curve.days, inside, side="left")  # at risk on a day: who leaves on it or later
    texts = []
    for s, low, high, n in zip(curve.estimate[now], curve.lower[now], curve.upper[now], curve.at_risk[next_change],
                               strict=True):
        known = np.isfinite(low) and np.isfinite(high)
        interval = f" ({format_limits(low, high, series.precision)})" if known else ""
        at_risk = f", {format_count(int(n), series.minimum)} at risk" if np.isfinite(n) else ""
        texts.append(f"{format_percent(float(s), series.precision)}{interval}{at_risk}")
    return {"type": "scatter", "mode": "markers", "name": html.escape(series.name, quote=False),
            "x": _numbers(inside / pen.unit.days), "y": _numbers(curve.estimate[now]), "customdata": texts,
            "showlegend": False,
            # one of them stands for all in the page: a hundred are half the time of a drawing, and hover needs none
            "marker": {"size": 8, "color": series.colour, "opacity": 0, "maxdisplayed": 1},
            "hovertemplate": f"<span style=\"color:{series.word_colour}\"><b>%{{fullData.name}}</b></span>  "
                             "%{customdata}<extra></extra>", **pen.axes}


def _thin(values: Floats, step_px: float, pen: Pen, keep: tuple[int, ...] = ()) -> NDArray[np.intp]:
    """Thinning is for steps: between the few points of a protected curve the line is straight, and each one shows."""
    return thin_steps(values, step_px * pen.y_per_px, keep) if pen.shape == STEPS else np.arange(len(values))


def _numbers(values: Floats) -> list[float | None]:
    """Numbers for the browser, to less than a hundredth of a pixel; None where the line has a gap.

    A list and no array: `build_figure` says why.
    """
    return [None if value != value else value for value in np.round(values, _DECIMALS).tolist()]
