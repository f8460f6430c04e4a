"""The at-risk table below the curves, as text that follows the time axis."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from harmony_dash.charts.axes import choose_table_days
from harmony_dash.charts.curves import Series, Trace
from harmony_dash.charts.numbers import format_at_risk, format_so_far
from harmony_dash.charts.palette import FONT
from harmony_dash.charts.survival.frame import LEFT, UNCHECKED, Frame, Panel
from harmony_dash.cohort.endpoints import endpoint_named

ROW_HEIGHT = 16

_ROWS = (("At risk", "at_risk"), ("Events", "events"), ("Censored", "censored"))


def table_rows(frame: Frame, series: Sequence[Series]) -> list[tuple[int, str]]:
    """Rows from the top: (group, "") for a group's name, then (group, field) for its numbers."""
    rows: list[tuple[int, str]] = []
    for i in range(len(series)):
        if len(series) > 1 or frame.result.question.by:
            rows.append((i, ""))
        rows += [(i, field) for _, field in _ROWS]
    return rows


def table_traces(frame: Frame, panel: Panel, series: Sequence[Series], rows: Sequence[tuple[int, str]],
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


def table_axis(frame: Frame, rows: Sequence[tuple[int, str]], height: float) -> dict[str, Any]:
    """The vertical axis of the table, whose ticks name its rows."""
    words = {field: word for word, field in _ROWS}
    if endpoint_named(frame.result.question.endpoint).competing:
        words["events"] = "All events"  # the table counts every cause, the curve one of them
    numbered = [(position, words[field]) for position, (_, field) in enumerate(rows) if field]
    return {"domain": [0, height], "range": [len(rows) - 0.5, -0.5], "anchor": "x", "fixedrange": True,
            "showgrid": False, "zeroline": False, "showline": False, "tickmode": "array", "ticks": "",
            "tickvals": [position for position, _ in numbered], "ticktext": [word for _, word in numbered],
            "ticklabelstandoff": 26, "tickfont": {"size": 11, "color": frame.palette.muted}, **UNCHECKED}


def table_headings(series: Sequence[Series], rows: Sequence[tuple[int, str]], axis: str) -> list[dict[str, Any]]:
    """The names of the groups above their rows."""
    return [{"xref": "paper", "x": 0, "xanchor": "left", "xshift": -LEFT + 6, "yref": axis, "y": position,
             "yanchor": "middle", "showarrow": False, "text": f"<b>{html.escape(series[i].name, quote=False)}</b>",
             "font": {"size": 11.5, "color": series[i].word_colour}}
            for position, (i, field) in enumerate(rows) if not field]
