"""The traces of one panel: backdrop, bands, lines, censor marks and where the curves meet the horizon."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.charts.curves import (
    Pen,
    Series,
    Trace,
    build_backdrop,
    build_band,
    build_censor_marks,
    build_hover,
    build_line,
    hover_days,
    value_at,
)
from harmony_dash.charts.survival.frame import Frame
from harmony_dash.disclosure.results import Curve


def curve_traces(frame: Frame, series: Sequence[Series], pen: Pen, *, legend: bool = False,
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


def _horizon_dots(frame: Frame, series: Sequence[Series], pen: Pen) -> list[Trace]:
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
