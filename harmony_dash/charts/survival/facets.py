"""Small multiples: one panel a group, all others pale behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmony_dash.charts.axes import choose_ticks
from harmony_dash.charts.curves import Series, Trace
from harmony_dash.charts.numbers import format_count
from harmony_dash.charts.survival.frame import (
    PLOT_WIDTH,
    TOP,
    Frame,
    Panel,
    axis_layout,
    head_panel,
    horizon_line,
    lay_out_page,
    read_off,
)
from harmony_dash.charts.survival.traces import curve_traces

_MOST_BACKDROPS = 12
_FACET_HEIGHT, _FACET_GAP, _FACET_COLUMNS = 150, 92, 3


def draw_facets(frame: Frame, series: Sequence[Series]) -> dict[str, Any]:
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
        panel = Panel(i, one.name, (one,), others, (left, left + width), (max(0.0, top - _FACET_HEIGHT / inner), top))
        pen = frame.pen(panel, _FACET_HEIGHT, PLOT_WIDTH / columns)
        traces += curve_traces(frame, (one,), pen, backdrop=others)
        layout |= axis_layout(frame, panel, ticks, title="", percent=column == 0)
        layout[f"xaxis{panel.suffix}"]["ticktext"] = _ticks_with_numbers(frame, one, ticks)
        shapes += horizon_line(frame, panel)[0]
        annotations.append(head_panel(frame, panel, read_off(frame, one)))
    annotations.append({"xref": "paper", "yref": "paper", "x": 0, "xanchor": "left", "y": 0, "yanchor": "top",
                        "yshift": -46, "showarrow": False,
                        "text": f"{frame.time_label}; below each axis, patients at risk",
                        "font": {"size": 12, "color": frame.palette.muted}})
    top_margin = TOP + 14
    layout |= lay_out_page(frame, inner + top_margin + 70, left=52, right=14, top=top_margin, bottom=70)
    return {"data": traces, "layout": layout | {"annotations": annotations, "shapes": shapes}}


def _ticks_with_numbers(frame: Frame, one: Series, ticks: Sequence[float]) -> list[str]:
    """Tick labels with the patients at risk as their second line."""
    table = one.risk_table
    days = {round(day / frame.unit.days, 1): n for day, n in zip(table.days, table.at_risk, strict=True)}
    return [f"{tick:g}<br>{format_count(days[round(tick, 1)], one.minimum) if round(tick, 1) in days else ''}"
            for tick in ticks]
