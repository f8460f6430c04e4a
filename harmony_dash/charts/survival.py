"""The survival figure: curves with bands and direct labels, and the at-risk table under the same axis."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from harmony_dash.charts.axes import (
    MAXIMUM_TICKS,
    choose_table_days,
    choose_ticks,
    nice_end,
    spread_labels,
    wrap_label,
)
from harmony_dash.charts.curves import (
    STEPS,
    STRAIGHT,
    Pen,
    Series,
    Trace,
    build_backdrop,
    build_band,
    build_censor_marks,
    build_hover,
    build_line,
    hover_days,
    start_curve,
    value_at,
)
from harmony_dash.charts.names import mark_name
from harmony_dash.charts.numbers import (
    TimeUnit,
    format_at_risk,
    format_count,
    format_percent,
    format_percent_interval,
    format_so_far,
    name_time,
)
from harmony_dash.charts.palette import FONT, Palette, palette_for
from harmony_dash.cohort.endpoints import Endpoint, TimeZero, endpoint_named
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.headline import counts_failures, headline_censorings, headline_curve, headline_estimates
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import Curve, SurvivalResult

MOST_CURVES = 4  # a fifth colour could not be told from the rest on both backgrounds
DEFAULT_HORIZON_DAYS = 1826
_MOST_BACKDROPS = 12

# Pixels. Widths are those of a plot of middling size; heights are exact.
_PLOT_HEIGHT, _PLOT_WIDTH, _AXIS_HEIGHT, _TOP, _BOTTOM, _LEFT = 400, 700, 52, 30, 6, 92
_ROW, _LETTER, _LABEL_LINE = 16, 6.9, 15
_FACET_HEIGHT, _FACET_GAP, _FACET_COLUMNS = 150, 92, 3

_ROWS = (("At risk", "at_risk"), ("Events", "events"), ("Censored", "censored"))


@dataclass(frozen=True)
class _Panel:
    """One pair of axes: what stands in it and where, in fractions of the figure."""

    index: int
    heading: str
    series: tuple[Series, ...]
    backdrop: tuple[Curve, ...]
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def suffix(self) -> str:
        return "" if self.index == 0 else str(self.index + 1)

    @property
    def axes(self) -> dict[str, str]:
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


@dataclass(frozen=True)
class _Frame:
    """What all panels of one figure share."""

    result: SurvivalResult
    palette: Palette
    unit: TimeUnit
    end_days: float
    top_share: float
    horizon_days: int | None
    shape: str
    time_label: str

    @property
    def end(self) -> float:
        return self.end_days / self.unit.days

    def pen(self, panel: _Panel, height: float, width: float) -> Pen:
        return Pen(self.unit, self.end_days, self.shape, self.top_share / height, self.end / width, panel.axes)


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
        return _figure(_empty_figure(frame))
    if len(result.groups) > MOST_CURVES:
        return _figure(_facets(frame, columns[0]))
    return _figure(_shared_axes(frame, endpoint, shown, columns))


def _figure(spec: dict[str, Any]) -> go.Figure:
    """The figure without Plotly's check of every property, which takes longer than all the rest; a test makes it."""
    return go.Figure(spec, _validate=False)


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
                 columns: Sequence[Sequence[Series]]) -> _Frame:
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
    return _Frame(result, palette, unit, end_days, highest, horizon if horizon <= end_days * 1.001 else None,
                  STRAIGHT if protected else STEPS, f"{unit.value.capitalize()} since {since}")


# -- one pair of axes, or one a cause ------------------------------------------------------------------------------


def _shared_axes(frame: _Frame, endpoint: Endpoint, causes: Sequence[str],
                 columns: Sequence[tuple[Series, ...]]) -> dict[str, Any]:
    """Groups on common axes with the at-risk table below; several causes stand side by side."""
    series = max(columns, key=len)  # a cause with few events is not drawn in every group
    ticks = choose_ticks(frame.end, frame.unit, series[0].risk_table.days,
                         MAXIMUM_TICKS if len(columns) == 1 else 6)
    rows = _table_rows(frame, series)
    table_height = len(rows) * _ROW
    inner = _PLOT_HEIGHT + _AXIS_HEIGHT + table_height
    floor = (table_height + _AXIS_HEIGHT) / inner
    gap = 0.04
    width = (1 - gap * (len(columns) - 1)) / len(columns)
    words = dict(zip(endpoint.causes, endpoint.cause_labels, strict=True))
    panels = [_Panel(i, words.get(cause, "").capitalize(), columns[i], (),
                     (i * (width + gap), i * (width + gap) + width), (floor, 1.0)) for i, cause in enumerate(causes)]
    direct = len(columns) == 1 and (len(series) > 1 or bool(frame.result.question.by))
    traces: list[Trace] = []
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    for panel in panels:
        pen = frame.pen(panel, _PLOT_HEIGHT, _PLOT_WIDTH / len(panels))
        traces += _curve_traces(frame, panel.series, pen, legend=not direct and len(series) > 1 and panel.index == 0)
        first = panel.index == 0  # panels share their scale, so one of them names it
        layout |= _axis_layout(frame, panel, ticks, title=frame.time_label if first else "", percent=first)
        horizon_shapes, horizon_notes = _horizon_line(frame, panel)
        shapes += horizon_shapes
        annotations += horizon_notes
        if len(panels) > 1:
            annotations.append(_heading(frame, panel))
        if not panel.series:
            annotations.append(_empty_panel(frame, panel))
    traces += _table_traces(frame, panels[0], series, rows, ticks, axis=f"y{len(panels) + 1}")
    layout[f"yaxis{len(panels) + 1}"] = _table_axis(frame, rows, table_height / inner)
    annotations += _table_headings(series, rows, axis=f"y{len(panels) + 1}")
    right = 16
    if direct:
        labels, leaders, right = _direct_labels(frame, panels[0])
        annotations += labels
        traces += leaders
    legend = not direct and len(series) > 1
    top = _TOP + (44 if legend else 0)
    layout |= _page(frame, inner + top + _BOTTOM, left=_LEFT, right=right, top=top)
    layout |= {"annotations": annotations, "shapes": shapes}
    if legend:
        layout["legend"] = {"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "yref": "container",
                            "xanchor": "left", "font": {"color": frame.palette.ink, "size": 13}, "itemclick": False,
                            "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)"}
    return {"data": traces, "layout": layout}


def _curve_traces(frame: _Frame, series: Sequence[Series], pen: Pen, *, legend: bool = False,
                  backdrop: Sequence[Curve] = ()) -> list[Trace]:
    """Backdrop, then bands, then lines, then marks, so that no band covers a line."""
    days = hover_days(series, frame.end_days, frame.shape)
    keep = () if frame.horizon_days is None else (float(frame.horizon_days),)
    traces = [build_backdrop(backdrop, pen, frame.palette.context)] if backdrop else []
    for one in series:
        traces += build_band(one, pen)
    traces += [build_line(one, pen, keep_days=keep, legend=legend) for one in series]
    for one in series:
        if one.start == 1.0:
            traces += build_censor_marks(one, pen)
    traces += _horizon_dots(frame, series, pen)
    return traces + [build_hover(one, pen, days) for one in series]


def _horizon_dots(frame: _Frame, series: Sequence[Series], pen: Pen) -> list[Trace]:
    """A dot where each curve meets the horizon, the value its label gives."""
    if frame.horizon_days is None:
        return []
    points = [(one, value) for one in series if (value := value_at(one.curve, frame.horizon_days)) is not None]
    if not points:
        return []
    at = frame.horizon_days / frame.unit.days
    return [{"type": "scatter", "mode": "markers", "x": [at] * len(points), "y": [value[0] for _, value in points],
             "hoverinfo": "skip", "showlegend": False, "cliponaxis": False,
             "marker": {"size": 6, "color": [one.colour for one, _ in points]}, **pen.axes}]


def _horizon_line(frame: _Frame, panel: _Panel) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    if frame.horizon_days is None or frame.horizon_days >= frame.end_days * 0.999:
        return [], []
    at = frame.horizon_days / frame.unit.days
    x, y = panel.axes["xaxis"], panel.axes["yaxis"]
    line = {"type": "line", "xref": x, "yref": f"{y} domain", "x0": at, "x1": at, "y0": 0, "y1": 1, "layer": "below",
            "line": {"width": 1, "color": frame.palette.context}}
    note = {"xref": x, "yref": f"{y} domain", "x": at, "y": 1, "yanchor": "bottom", "showarrow": False,
            "text": name_time(frame.horizon_days), "font": {"size": 11, "color": frame.palette.muted}}
    return [line], [note]


def _direct_labels(frame: _Frame, panel: _Panel) -> tuple[list[dict[str, Any]], list[Trace], int]:
    """Names right of the plot, apart from each other, joined to where their curves end.

    Returns the annotations, the thin lines that join them, and the right margin they need.
    """
    pixel = frame.top_share / _PLOT_HEIGHT
    names = [wrap_label(one.name) for one in panel.series]
    reads = [_read_off(frame, one) for one in panel.series]
    ends = [float(one.curve.estimate[np.searchsorted(one.curve.days, frame.end_days, side="right") - 1])
            for one in panel.series]
    heights = [_LABEL_LINE * (len(name) + bool(read)) + 8.0 for name, read in zip(names, reads, strict=True)]
    centres = spread_labels([end / pixel for end in ends], heights, -10.0, _PLOT_HEIGHT + 10.0)
    annotations, leaders = [], []
    for one, name, read, end, centre in zip(panel.series, names, reads, ends, centres, strict=True):
        text = f"<b>{'<br>'.join(name)}</b>"
        if read:
            text += f"<br><span style=\"font-size:11px;color:{frame.palette.muted}\">{read}</span>"
        # In the frame rather than on the axis, so that names stay when the reader zooms.
        annotations.append({"xref": "paper", "x": 1, "xanchor": "left", "xshift": 14, "yref": "y domain",
                            "y": centre / _PLOT_HEIGHT, "yanchor": "middle", "align": "left", "showarrow": False,
                            "text": text, "font": {"size": 13, "color": one.word_colour}})
        x_end = min(float(one.curve.days[-1]), frame.end_days) / frame.unit.days
        reach = frame.end * (1 + 10 / _PLOT_WIDTH)
        leaders.append({"type": "scatter", "mode": "lines", "x": [x_end, max(x_end, frame.end), reach],
                        "y": [end, end, centre * pixel], "cliponaxis": False, "hoverinfo": "skip", "showlegend": False,
                        "opacity": 0.6, "line": {"color": one.colour, "width": 1, "dash": "dot"}, **panel.axes})
    longest = max([len(part) for name in names for part in name] + [0.85 * len(read) for read in reads])
    return annotations, leaders, int(longest * _LETTER * 1.08) + 26


def _read_off(frame: _Frame, series: Series) -> str:
    """"91.2 % at 5 years", or nothing where the curve ends before the horizon."""
    if frame.horizon_days is None:
        return ""
    value = value_at(series.curve, frame.horizon_days)
    return "" if value is None else f"{format_percent(value[0], series.precision)} at {name_time(frame.horizon_days)}"


# -- the at-risk table ---------------------------------------------------------------------------------------------


def _table_rows(frame: _Frame, series: Sequence[Series]) -> list[tuple[int, str]]:
    """Rows from the top: (group, "") for a group's name, then (group, field) for its numbers."""
    rows: list[tuple[int, str]] = []
    for i in range(len(series)):
        if len(series) > 1 or frame.result.question.by:
            rows.append((i, ""))
        rows += [(i, field) for _, field in _ROWS]
    return rows


def _table_traces(frame: _Frame, panel: _Panel, series: Sequence[Series], rows: Sequence[tuple[int, str]],
                  ticks: Sequence[float], axis: str) -> list[Trace]:
    """One text trace a group, in its colour, so that columns follow the time axis under zoom."""
    traces: list[Trace] = []
    for i, one in enumerate(series):
        days = choose_table_days(one.risk_table.days, frame.end, frame.unit, ticks)
        x: list[float] = []
        y: list[int] = []
        text: list[str] = []
        for position, (group, field) in enumerate(rows):
            if group != i or not field:
                continue
            for day in days:
                x.append(day / frame.unit.days)
                y.append(position)
                text.append(_table_text(one, field, one.risk_table.days.index(day)))
        traces.append({"type": "scatter", "mode": "text", "x": x, "y": y, "text": text, "hoverinfo": "skip",
                       "showlegend": False, "cliponaxis": False, "xaxis": panel.axes["xaxis"], "yaxis": axis,
                       "textfont": {"size": 11.5, "color": one.word_colour, "family": FONT}})
    return traces


def _table_text(one: Series, field: str, place: int) -> str:
    if field == "at_risk":
        return format_at_risk(one.risk_table, place, one.minimum)
    return format_so_far(one.risk_table, getattr(one.risk_table, field), place, one.minimum)


def _table_axis(frame: _Frame, rows: Sequence[tuple[int, str]], height: float) -> dict[str, Any]:
    words = {field: word for word, field in _ROWS}
    if endpoint_named(frame.result.question.endpoint).competing:
        words["events"] = "All events"  # the table counts every cause, the curve one of them
    numbered = [(position, words[field]) for position, (_, field) in enumerate(rows) if field]
    return {"domain": [0, height], "range": [len(rows) - 0.5, -0.5], "anchor": "x", "fixedrange": True,
            "showgrid": False, "zeroline": False, "showline": False, "tickmode": "array", "ticks": "",
            "tickvals": [position for position, _ in numbered], "ticktext": [word for _, word in numbered],
            "ticklabelstandoff": 26, "tickfont": {"size": 11, "color": frame.palette.muted}}


def _table_headings(series: Sequence[Series], rows: Sequence[tuple[int, str]], axis: str) -> list[dict[str, Any]]:
    return [{"xref": "paper", "x": 0, "xanchor": "left", "xshift": -_LEFT + 6, "yref": axis, "y": position,
             "yanchor": "middle", "showarrow": False, "text": f"<b>{html.escape(series[i].name, quote=False)}</b>",
             "font": {"size": 11.5, "color": series[i].word_colour}}
            for position, (i, field) in enumerate(rows) if not field]


def _empty_panel(frame: _Frame, panel: _Panel) -> dict[str, Any]:
    return {"xref": "paper", "x": sum(panel.x) / 2, "yref": "paper", "y": sum(panel.y) / 2, "showarrow": False,
            "text": "Too few events to draw", "font": {"size": 12, "color": frame.palette.muted}}


# -- small multiples -----------------------------------------------------------------------------------------------


def _facets(frame: _Frame, series: Sequence[Series]) -> dict[str, Any]:
    """One small panel a group, all others pale behind it, its numbers at risk underneath."""
    columns = _FACET_COLUMNS
    lines = -(-len(series) // columns)
    inner = lines * _FACET_HEIGHT + (lines - 1) * _FACET_GAP
    gutter = 0.08  # numbers at risk of neighbours stay apart in a window of 800 px
    width = (1 - gutter * (columns - 1)) / columns
    ticks = choose_ticks(frame.end, frame.unit, series[0].risk_table.days, 6)
    traces: list[Trace] = []
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    for i, one in enumerate(series):
        line, column = divmod(i, columns)
        top = 1 - line * (_FACET_HEIGHT + _FACET_GAP) / inner
        left = column * (width + gutter)
        others = tuple(s.curve for s in series if s is not one) if len(series) <= _MOST_BACKDROPS else ()
        panel = _Panel(i, one.name, (one,), others, (left, left + width), (max(0.0, top - _FACET_HEIGHT / inner), top))
        pen = frame.pen(panel, _FACET_HEIGHT, _PLOT_WIDTH / columns)
        traces += _curve_traces(frame, (one,), pen, backdrop=others)
        layout |= _axis_layout(frame, panel, ticks, title="", percent=column == 0)
        layout[f"xaxis{panel.suffix}"]["ticktext"] = _ticks_with_numbers(frame, one, ticks)
        shapes += _horizon_line(frame, panel)[0]
        annotations.append(_heading(frame, panel, _read_off(frame, one)))
    annotations.append({"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "y": 0, "yanchor": "top",
                        "yshift": -46, "showarrow": False,
                        "text": f"{frame.time_label}; below each axis, patients at risk",
                        "font": {"size": 12, "color": frame.palette.muted}})
    top_margin = _TOP + 14
    layout |= _page(frame, inner + top_margin + 70, left=52, right=14, top=top_margin, bottom=70)
    return {"data": traces, "layout": layout | {"annotations": annotations, "shapes": shapes}}


def _ticks_with_numbers(frame: _Frame, one: Series, ticks: Sequence[float]) -> list[str]:
    """Tick labels with the patients at risk as their second line."""
    table = one.risk_table
    days = {round(day / frame.unit.days, 1): n for day, n in zip(table.days, table.at_risk, strict=True)}
    return [f"{tick:g}<br>{format_count(days[round(tick, 1)], one.minimum) if round(tick, 1) in days else ''}"
            for tick in ticks]


# -- layout --------------------------------------------------------------------------------------------------------


def _axis_layout(frame: _Frame, panel: _Panel, ticks: Sequence[float], *, title: str, percent: bool) -> dict[str, Any]:
    palette = frame.palette
    font = {"size": 12, "color": palette.muted}
    unit = frame.unit.value[:-1]
    hover_title = f"{unit.capitalize()} %{{x:.2~f}}" if frame.unit is not TimeUnit.DAYS else "Day %{x:.0f}"
    x: dict[str, Any] = {
        "domain": list(panel.x), "anchor": panel.axes["yaxis"], "range": [0, max(frame.end, *ticks)],
        "tickmode": "array",
        "tickvals": list(ticks), "ticktext": [f"{tick:g}" for tick in ticks], "showgrid": False, "zeroline": False,
        "showline": True, "linecolor": palette.muted, "linewidth": 1, "ticks": "outside", "ticklen": 4,
        "tickcolor": palette.muted, "tickfont": font, "unifiedhovertitle": {"text": hover_title},
        "showspikes": True, "spikemode": "across", "spikethickness": 1, "spikedash": "solid",
        "spikecolor": palette.grid, "spikesnap": "hovered data"}
    if title:
        x["title"] = {"text": title, "standoff": 6, "font": {"size": 12, "color": palette.ink}}
    bottom = -0.004 * frame.top_share
    y: dict[str, Any] = {
        "domain": list(panel.y), "anchor": panel.axes["xaxis"], "range": [bottom, frame.top_share * 1.004],
        "tickformat": ".0%", "dtick": 0.2 if frame.top_share > 0.4 else 0.1 if frame.top_share > 0.2 else 0.05,
        "tick0": 0, "gridcolor": palette.grid, "gridwidth": 1, "zeroline": False, "showline": False, "ticks": "",
        "tickfont": font, "showticklabels": percent, "ticklabelstandoff": 6}
    return {f"xaxis{panel.suffix}": x, f"yaxis{panel.suffix}": y}


def _heading(frame: _Frame, panel: _Panel, note: str = "") -> dict[str, Any]:
    text = f"<b>{'<br>'.join(wrap_label(panel.heading, 34, 1))}</b>"
    if note:
        text += f"<br><span style=\"font-size:11px;color:{frame.palette.muted}\">{note}</span>"
    return {"xref": "paper", "x": panel.x[0], "xanchor": "left", "yref": "paper", "y": panel.y[1], "yanchor": "bottom",
            "yshift": 2 if note else 16, "align": "left", "showarrow": False, "text": text,
            "font": {"size": 13, "color": frame.palette.ink}}


def _page(frame: _Frame, height: float, *, left: int, right: int, top: int, bottom: int = _BOTTOM) -> dict[str, Any]:
    palette = frame.palette
    return {"height": round(height), "margin": {"l": left, "r": right, "t": top, "b": bottom, "autoexpand": False},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 13, "color": palette.ink},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.ink},
            "hovermode": "x unified", "hoverdistance": 40, "dragmode": "zoom", "showlegend": True,
            "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid, "align": "left",
                           "font": {"family": FONT, "size": 12, "color": palette.ink}},
            # One constant for the whole figure: a changed filter never throws away the reader's zoom.
            "uirevision": "survival", "template": "none"}


def _empty_figure(frame: _Frame) -> dict[str, Any]:
    panel = _Panel(0, "", (), (), (0, 1), (0, 1))
    layout = _axis_layout(frame, panel, choose_ticks(frame.end, frame.unit), title=frame.time_label, percent=True)
    layout |= _page(frame, 300, left=_LEFT, right=16, top=_TOP, bottom=48)
    layout["annotations"] = [{"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False,
                              "text": "No group is large enough to be drawn",
                              "font": {"size": 14, "color": frame.palette.muted}}]
    return {"data": [], "layout": layout}


# -- in words ------------------------------------------------------------------------------------------------------


def describe_survival(released: Released[SurvivalResult]) -> str:
    """The figure in one or two sentences, for people who do not see it."""
    result = released.value
    endpoint = endpoint_named(result.question.endpoint)
    if not result.groups:
        return f"{result.title}. No group is large enough to be drawn."
    parts = []
    for group in result.groups:
        known = [point for point in headline_estimates(group, endpoint) if point.estimate is not None]
        size = f"{group.name}, {format_count(group.n, released.scope.rules.minimum_cell)} patients"
        if known:
            last = known[-1]
            shown = format_percent_interval(last.estimate, last.lower, last.upper,
                                            precision_of(group.n, released.scope))
            size += f": {shown} at {name_time(last.days)}"
        parts.append(size)
    return f"{result.title}. {'; '.join(parts)}."
