"""Groups on common axes, named at the ends of their curves, or one pair of axes a cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harmony_dash.charts.axes import MAXIMUM_TICKS, choose_ticks, spread_labels, wrap_label
from harmony_dash.charts.curves import Series, Trace
from harmony_dash.charts.survival.frame import (
    AXIS_HEIGHT,
    BOTTOM,
    LEFT,
    PLOT_HEIGHT,
    PLOT_WIDTH,
    TOP,
    UNCHECKED,
    Frame,
    Panel,
    axis_layout,
    head_panel,
    horizon_line,
    lay_out_page,
    read_off,
)
from harmony_dash.charts.survival.risk_table import ROW_HEIGHT, table_axis, table_headings, table_rows, table_traces
from harmony_dash.charts.survival.traces import curve_traces
from harmony_dash.cohort.endpoints import Endpoint

_LETTER, _LABEL_LINE = 6.9, 15


def draw_shared_axes(frame: Frame, endpoint: Endpoint, causes: Sequence[str],
                     columns: Sequence[tuple[Series, ...]]) -> dict[str, Any]:
    """Groups on common axes with the at-risk table below; several causes stand side by side."""
    series = max(columns, key=len)  # a cause with few events is not drawn in every group
    ticks = choose_ticks(frame.end, frame.unit, series[0].risk_table.days,
                         MAXIMUM_TICKS if len(columns) == 1 else 6)
    rows = table_rows(frame, series)
    table_height = len(rows) * ROW_HEIGHT
    inner = PLOT_HEIGHT + AXIS_HEIGHT + table_height
    floor = (table_height + AXIS_HEIGHT) / inner
    gap = 0.04
    width = (1 - gap * (len(columns) - 1)) / len(columns)
    words = dict(zip(endpoint.causes, endpoint.cause_labels, strict=True))
    panels = [Panel(i, words.get(cause, "").capitalize(), columns[i], (),
                    (i * (width + gap), i * (width + gap) + width), (floor, 1.0)) for i, cause in enumerate(causes)]
    direct = len(columns) == 1 and (len(series) > 1 or bool(frame.result.question.by))
    traces: list[Trace] = []
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    for panel in panels:
        pen = frame.pen(panel, PLOT_HEIGHT, PLOT_WIDTH / len(panels))
        traces += curve_traces(frame, panel.series, pen, legend=not direct and len(series) > 1 and panel.index == 0)
        first = panel.index == 0  # panels share their scale, so one of them names it
        layout |= axis_layout(frame, panel, ticks, title=frame.time_label if first else "", percent=first)
        layout[f"xaxis{panel.suffix}"] |= UNCHECKED
        horizon_shapes, horizon_notes = horizon_line(frame, panel)
        shapes += horizon_shapes
        annotations += horizon_notes
        if len(panels) > 1:
            annotations.append(head_panel(frame, panel))
        if not panel.series:
            annotations.append(_empty_panel(frame, panel))
    traces += table_traces(frame, panels[0], series, rows, ticks, axis=f"y{len(panels) + 1}")
    layout[f"yaxis{len(panels) + 1}"] = table_axis(frame, rows, table_height / inner)
    annotations += table_headings(series, rows, axis=f"y{len(panels) + 1}")
    right = 16
    if direct:
        labels, leaders, right = _direct_labels(frame, panels[0])
        annotations += labels
        traces += leaders
    legend = not direct and len(series) > 1
    top = TOP + (44 if legend else 0)
    layout |= lay_out_page(frame, inner + top + BOTTOM, left=LEFT, right=right, top=top)
    layout |= {"annotations": annotations, "shapes": shapes}
    if legend:
        layout["legend"] = {"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "yref": "container",
                            "xanchor": "left", "font": {"color": frame.palette.ink, "size": 13}, "itemclick": False,
                            "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)"}
    return {"data": traces, "layout": layout}


def _direct_labels(frame: Frame, panel: Panel) -> tuple[list[dict[str, Any]], list[Trace], int]:
    """Names right of the plot, apart from each other, joined to where their curves end.

    Returns the annotations, the thin lines that join them, and the right margin they need.
    """
    pixel = frame.top_share / PLOT_HEIGHT
    names = [wrap_label(one.name) for one in panel.series]
    reads = [read_off(frame, one) for one in panel.series]
    ends = [float(one.curve.estimate[np.searchsorted(one.curve.days, frame.end_days, side="right") - 1])
            for one in panel.series]
    heights = [_LABEL_LINE * (len(name) + bool(read)) + 8.0 for name, read in zip(names, reads, strict=True)]
    centres = spread_labels([end / pixel for end in ends], heights, -10.0, PLOT_HEIGHT + 10.0)
    annotations, leaders = [], []
    for one, name, read, end, centre in zip(panel.series, names, reads, ends, centres, strict=True):
        text = f"<b>{'<br>'.join(name)}</b>"
        if read:
            text += f"<br><span style=\"font-size:11px;color:{frame.palette.muted}\">{read}</span>"
        # In the frame rather than on the axis, so that names stay when the reader zooms.
        annotations.append({"xref": "paper", "x": 1, "xanchor": "left", "xshift": 14, "yref": "y domain",
                            "y": centre / PLOT_HEIGHT, "yanchor": "middle", "align": "left", "showarrow": False,
                            "text": text, "font": {"size": 13, "color": one.word_colour}})
        x_end = min(float(one.curve.days[-1]), frame.end_days) / frame.unit.days
        reach = frame.end * (1 + 10 / PLOT_WIDTH)
        leaders.append({"type": "scatter", "mode": "lines", "x": [x_end, max(x_end, frame.end), reach],
                        "y": [end, end, centre * pixel], "cliponaxis": False, "hoverinfo": "skip", "showlegend": False,
                        "opacity": 0.6, "line": {"color": one.colour, "width": 1, "dash": "dot"}, **panel.axes})
    longest = max([len(part) for name in names for part in name] + [0.85 * len(read) for read in reads])
    return annotations, leaders, int(longest * _LETTER * 1.08) + 26


def _empty_panel(frame: Frame, panel: Panel) -> dict[str, Any]:
    return {"xref": "paper", "x": sum(panel.x) / 2, "yref": "paper", "y": sum(panel.y) / 2, "showarrow": False,
            "text": "Too few events to draw", "font": {"size": 12, "color": frame.palette.muted}}
