"""What the panels of one survival figure share: sizes, axes, headings and the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harmony_dash.charts.axes import wrap_label
from harmony_dash.charts.curves import Pen, Series, value_at
from harmony_dash.charts.numbers import TimeUnit, format_percent, name_time
from harmony_dash.charts.palette import FONT, Palette
from harmony_dash.disclosure.results import Curve, SurvivalResult

MOST_CURVES = 4  # a fifth colour could not be told from the rest on both backgrounds

# Pixels. Widths are those of a plot of middling size; heights are exact.
PLOT_HEIGHT, PLOT_WIDTH, AXIS_HEIGHT, TOP, BOTTOM, LEFT = 400, 700, 52, 30, 6, 92

# Labels that the margins have room for. Plotly would lay out the page once a label to see whether it has.
UNCHECKED = {"ticklabeloverflow": "allow"}


@dataclass(frozen=True)
class Panel:
    """One pair of axes: what stands in it and where, in fractions of the figure."""

    index: int
    heading: str
    series: tuple[Series, ...]
    backdrop: tuple[Curve, ...]
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def suffix(self) -> str:
        """What Plotly adds to the names of the panel's axes."""
        return "" if self.index == 0 else str(self.index + 1)

    @property
    def axes(self) -> dict[str, str]:
        """The axes a trace of the panel is drawn on."""
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}


@dataclass(frozen=True)
class Frame:
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
        """Where the time axis ends, in the unit it is shown in."""
        return self.end_days / self.unit.days

    def pen(self, panel: Panel, height: float, width: float) -> Pen:
        """How to draw in a panel of this size, in pixels."""
        return Pen(self.unit, self.end_days, self.shape, self.top_share / height, self.end / width, panel.axes)


def horizon_line(frame: Frame, panel: Panel) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The line at the horizon and its name; none where the axis ends there."""
    if frame.horizon_days is None or frame.horizon_days >= frame.end_days * 0.999:
        return [], []
    at = frame.horizon_days / frame.unit.days
    x, y = panel.axes["xaxis"], panel.axes["yaxis"]
    line = {"type": "line", "xref": x, "yref": f"{y} domain", "x0": at, "x1": at, "y0": 0, "y1": 1, "layer": "below",
            "line": {"width": 1, "color": frame.palette.context}}
    note = {"xref": x, "yref": f"{y} domain", "x": at, "y": 1, "yanchor": "bottom", "showarrow": False,
            "text": name_time(frame.horizon_days), "font": {"size": 11, "color": frame.palette.muted}}
    return [line], [note]


def read_off(frame: Frame, series: Series) -> str:
    """"91.2 % at 5 years", or nothing where the curve ends before the horizon."""
    if frame.horizon_days is None:
        return ""
    value = value_at(series.curve, frame.horizon_days)
    return "" if value is None else f"{format_percent(value[0], series.precision)} at {name_time(frame.horizon_days)}"


def axis_layout(frame: Frame, panel: Panel, ticks: Sequence[float], *, title: str, percent: bool) -> dict[str, Any]:
    """The two axes of a panel."""
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
        "tickfont": font, "showticklabels": percent, "ticklabelstandoff": 6, **UNCHECKED}
    return {f"xaxis{panel.suffix}": x, f"yaxis{panel.suffix}": y}


def head_panel(frame: Frame, panel: Panel, note: str = "") -> dict[str, Any]:
    """What stands above a panel, with a note below it."""
    text = f"<b>{'<br>'.join(wrap_label(panel.heading, 34, 1))}</b>"
    if note:
        text += f"<br><span style=\"font-size:11px;color:{frame.palette.muted}\">{note}</span>"
    return {"xref": "paper", "x": panel.x[0], "xanchor": "left", "yref": "paper", "y": panel.y[1], "yanchor": "bottom",
            "yshift": 2 if note else 16, "align": "left", "showarrow": False, "text": text,
            "font": {"size": 13, "color": frame.palette.ink}}


def lay_out_page(frame: Frame, height: float, *, left: int, right: int, top: int,
                 bottom: int = BOTTOM) -> dict[str, Any]:
    """Size, margins and hover of the whole figure."""
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
