"""The survival figure: curves with bands and direct labels, and the at-risk table under the same axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from harmony_dash.charts.axes import choose_ticks, nice_end
from harmony_dash.charts.curves import STEPS, STRAIGHT, Series, start_curve
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.names import mark_name
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.palette import Palette, palette_for
from harmony_dash.charts.survival.facets import draw_facets
from harmony_dash.charts.survival.frame import LEFT, MOST_CURVES, TOP, Frame, Panel, axis_layout, lay_out_page
from harmony_dash.charts.survival.shared_axes import draw_shared_axes
from harmony_dash.cohort.endpoints import Endpoint, TimeZero, endpoint_named
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.headline import counts_failures, headline_censorings, headline_curve
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult

DEFAULT_HORIZON_DAYS = 1826


def build_survival_figure(released: Released[SurvivalResult], *, time_unit: TimeUnit = TimeUnit.YEARS,
                          dark: bool = False, causes: Sequence[str] = ()) -> go.Figure:
    """The figure of a survival result.

    Up to four groups share one pair of axes and are named at the right end of their curves; more become small
    multiples. An endpoint with competing causes shows cumulative incidences.

    Parameters
    ----------
    released : the result.
    time_unit : unit of the time axis.
    dark : whether it stands on a dark background.
    causes : causes to show side by side, for competing endpoints; the cause of interest if empty.
    """
    result = released.value
    endpoint = endpoint_named(result.question.endpoint)
    palette = palette_for(dark)
    shown = _causes_shown(endpoint, causes)
    columns = [_series_of(released, endpoint, cause, palette) for cause in shown]
    frame = _build_frame(released, endpoint, palette, time_unit, columns)
    if not any(columns):
        return build_figure(_empty_figure(frame))
    if len(result.groups) > MOST_CURVES:
        return build_figure(draw_facets(frame, columns[0]))
    return build_figure(draw_shared_axes(frame, endpoint, shown, columns))


def _causes_shown(endpoint: Endpoint, causes: Sequence[str]) -> tuple[str, ...]:
    if not endpoint.competing:
        return ("",)
    return tuple(cause for cause in endpoint.causes if cause in causes) or endpoint.causes[:1]


def _series_of(released: Released[SurvivalResult], endpoint: Endpoint, cause: str, palette: Palette,
               ) -> tuple[Series, ...]:
    """One curve a group, coloured in order; facets use the first colour alone."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    start = 0.0 if counts_failures(endpoint) else 1.0
    several = len(result.groups) > MOST_CURVES
    found = []
    for i, group in enumerate(result.groups):
        curve = headline_curve(group, endpoint, cause)
        if curve is None:
            continue
        colour = 0 if several else i
        found.append(Series(mark_name(group.name, result), palette.marks[colour], palette.words[colour],
                            start_curve(curve, start), start, group.risk_table, headline_censorings(group, endpoint),
                            minimum, precision_of(group.n, released.scope)))
    return tuple(found)


def _build_frame(released: Released[SurvivalResult], endpoint: Endpoint, palette: Palette, unit: TimeUnit,
                 columns: Sequence[Sequence[Series]]) -> Frame:
    result, question = released.value, released.value.question
    everything = [series for column in columns for series in column]
    last = max((float(s.curve.days[-1]) for s in everything), default=0.0)
    protected = released.scope.is_protected
    asked = question.horizon_days
    if asked is not None and protected:
        asked = grid_days(asked)[-1]  # where the curves end, and what can be read off them
    end_days = float(asked or last or DEFAULT_HORIZON_DAYS)
    horizon = asked or DEFAULT_HORIZON_DAYS
    highest = 1.0
    if counts_failures(endpoint) and everything:
        tops = [np.concatenate([s.curve.estimate, s.curve.upper[np.isfinite(s.curve.upper)]]) for s in everything]
        highest = nice_end(float(max(top.max() for top in tops)))
    zero = "remission" if endpoint.time_zero is TimeZero.REMISSION else endpoint.time_zero.value
    since = f"day {question.landmark_days} after {zero}" if question.landmark_days else zero
    return Frame(result, palette, unit, end_days, highest, horizon if horizon <= end_days * 1.001 else None,
                 STRAIGHT if protected else STEPS, f"{unit.value.capitalize()} since {since}")


def _empty_figure(frame: Frame) -> dict[str, Any]:
    panel = Panel(0, "", (), (), (0, 1), (0, 1))
    layout = axis_layout(frame, panel, choose_ticks(frame.end, frame.unit), title=frame.time_label, percent=True)
    layout |= lay_out_page(frame, 300, left=LEFT, right=16, top=TOP, bottom=48)
    layout["annotations"] = [{"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False,
                              "text": "No group is large enough to be drawn",
                              "font": {"size": 14, "color": frame.palette.muted}}]
    return {"data": [], "layout": layout}
