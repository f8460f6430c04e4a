"""The survival figure for paper: 180 mm wide, drawn by matplotlib from the same released result as on the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harmony_dash.charts.axes import choose_table_days, choose_ticks, spread_labels
from harmony_dash.charts.curves import Series, cut_curve, value_at
from harmony_dash.charts.numbers import TimeUnit, format_at_risk, format_count, format_percent, format_so_far, name_time
from harmony_dash.charts.palette import LIGHT
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.export.print_frame import Frame, Panel, build_frame

# Inches; a full text width of most journals, and of A4 with margins of 15 mm.
WIDTH = 180 / 25.4
_LEFT, _RIGHT, _PLOT = 0.98, 0.12, 3.1
_LINE = {"title": 0.185, "footer": 0.098, "row": 0.148}
_AXIS, _FOOT_GAP = 0.40, 0.16
_FACET, _FACET_COLUMNS, _FACET_HEAD, _FACET_FOOT = 1.25, 3, 0.40, 0.36
# Points, and signs that fit on a line of the full width at that size.
_TITLE, _TEXT, _SMALL, _FOOTER = 9.5, 8.0, 7.0, 5.6
_TITLE_SIGNS, _FOOTER_SIGNS, _LABEL_SIGNS = 88, 172, 22
_POINT = 1 / 72

_ROWS = ("At risk", "at_risk"), ("Events", "events"), ("Censored", "censored")


def draw_survival(released: Released[SurvivalResult], footer: Sequence[str], *, time_unit: TimeUnit,
                  all_causes: bool) -> Figure:
    """The figure with its question as title, the numbers at risk, and the footer's lines.

    Parameters
    ----------
    footer : paragraphs under the figure: methods line, provenance.
    """
    frame = build_frame(released, time_unit, all_causes=all_causes)
    title = textwrap.wrap(released.value.title, _TITLE_SIGNS)
    foot = [line for paragraph in footer for line in textwrap.wrap(paragraph, _FOOTER_SIGNS)]
    above = 0.08 + len(title) * _LINE["title"] + 0.12
    below = _FOOT_GAP + len(foot) * _LINE["footer"] + 0.06
    body = _facet_height(frame) if frame.faceted else _shared_height(frame)
    figure = Figure(figsize=(WIDTH, above + body + below), facecolor="white")
    _write(figure, 0.06, above + body + below - 0.08, "\n".join(title), size=_TITLE, weight="bold", va="top",
           linespacing=1.35)
    (_draw_facets if frame.faceted else _draw_shared)(figure, frame, below, body)
    _write(figure, 0.06, below - _FOOT_GAP, "\n".join(foot), size=_FOOTER, color=LIGHT.muted, va="top",
           linespacing=1.25)
    return figure


def _write(figure: Figure, x: float, y: float, text: str, *, size: float, color: str = LIGHT.ink,
           weight: str = "normal", ha: str = "left", va: str = "baseline", linespacing: float = 1.2) -> None:
    """Text at a place in inches from the lower left corner."""
    width, height = figure.get_size_inches()
    figure.text(x / width, y / height, text, fontsize=size, color=color, fontweight=weight, ha=ha, va=va,
                linespacing=linespacing)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    whole_width, whole_height = figure.get_size_inches()
    return figure.add_axes((left / whole_width, bottom / whole_height, width / whole_width, height / whole_height))


# -- groups on one pair of axes, or one pair a cause ---------------------------------------------------------------


def _table(frame: Frame) -> tuple[Series, ...]:
    """The groups of the risk table: all that are drawn; a cause with few events is not drawn in every group."""
    return max((panel.series for panel in frame.panels), key=len, default=())


def _shared_height(frame: Frame) -> float:
    lines = len(_table(frame)) * (3 + frame.named)
    return _heading(frame) + _PLOT + _AXIS + lines * _LINE["row"]


def _heading(frame: Frame) -> float:
    """Room over the plot: the horizon's words, and for several panels their headings and a key."""
    return 0.16 if len(frame.panels) == 1 else 0.62


def _draw_shared(figure: Figure, frame: Frame, bottom: float, body: float) -> None:
    series = _table(frame)
    direct = len(frame.panels) == 1 and frame.named
    labels = [textwrap.wrap(one.name, _LABEL_SIGNS)[:3] for one in series] if direct else []
    signs = max((len(line) for lines in labels for line in lines), default=0)
    right = max(_RIGHT, 0.24 + max(signs, 18) * _TEXT * 0.62 * _POINT) if direct else _RIGHT
    table = len(series) * (3 + frame.named) * _LINE["row"]
    floor = bottom + table + _AXIS
    gap = 0.18
    width = (WIDTH - _LEFT - right - gap * (len(frame.panels) - 1)) / len(frame.panels)
    ticks = choose_ticks(frame.end, frame.unit, series[0].risk_table.days if series else (),
                         12 if len(frame.panels) == 1 else 6)
    for place, panel in enumerate(frame.panels):
        left = _LEFT + place * (width + gap)
        axes = _axes(figure, left, floor, width, _PLOT)
        _draw_curves(axes, frame, panel)
        _set_axes(axes, frame, ticks, percent=place == 0)
        if place == 0:
            axes.set_xlabel(frame.time_label, fontsize=_TEXT, color=LIGHT.ink, loc="left", labelpad=3)
        if panel.heading:
            _write(figure, left, floor + _PLOT + 0.24, panel.heading, size=_TEXT, weight="bold")
        if not panel.series:
            axes.text(0.5, 0.5, "Too few events to draw", transform=axes.transAxes, ha="center", fontsize=_SMALL,
                      color=LIGHT.muted)
        _mark_horizon(axes, frame)
    if direct:
        _name_curves(figure, frame, series, labels, WIDTH - right, floor)
    elif len(series) > 1:
        _draw_key(figure, series, floor + _PLOT + 0.50)
    _draw_table(figure, frame, series, ticks, (_LEFT, width), bottom + table)


def _draw_curves(axes: Axes, frame: Frame, panel: Panel) -> None:
    """Pale others, then bands, then lines, so that no band covers a line."""
    unit = frame.unit.days
    for curve in panel.backdrop:
        drawn = cut_curve(curve, frame.end_days, "linear")
        axes.plot(drawn.days / unit, drawn.estimate, color=LIGHT.context, linewidth=0.6)
    drawn_curves = [(one, cut_curve(one.curve, frame.end_days, "linear")) for one in panel.series]
    for one, curve in drawn_curves:
        known = np.isfinite(curve.lower) & np.isfinite(curve.upper)
        axes.fill_between(curve.days[known] / unit, curve.lower[known], curve.upper[known], color=one.colour,
                          alpha=0.15, linewidth=0)
    for one, curve in drawn_curves:
        axes.plot(curve.days / unit, curve.estimate, color=one.colour, linewidth=1.4, solid_joinstyle="round",
                  clip_on=False)
        value = None if frame.horizon_days is None else value_at(one.curve, frame.horizon_days)
        if value is not None and frame.horizon_days is not None:
            axes.plot([frame.horizon_days / unit], [value[0]], marker="o", markersize=3.2, color=one.colour,
                      clip_on=False)


def _set_axes(axes: Axes, frame: Frame, ticks: Sequence[float], *, percent: bool) -> None:
    axes.set_xlim(0, max(frame.end, *ticks))
    axes.set_ylim(0, frame.top)
    step = 0.2 if frame.top > 0.4 else 0.1 if frame.top > 0.2 else 0.05
    heights = [round(step * place, 2) for place in range(round(frame.top / step) + 1)]
    axes.set_yticks(heights, [f"{100 * height:g} %" if percent else "" for height in heights])
    axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
    axes.tick_params(axis="both", labelsize=_SMALL, colors=LIGHT.muted, length=3, width=0.6)
    axes.tick_params(axis="y", length=0, pad=4)
    axes.grid(axis="y", color=LIGHT.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT.muted)
    axes.spines["bottom"].set_linewidth(0.6)


def _mark_horizon(axes: Axes, frame: Frame, *, words: bool = True) -> None:
    if frame.horizon_days is None or frame.horizon_days >= frame.end_days * 0.999:
        return
    at = frame.horizon_days / frame.unit.days
    axes.axvline(at, color=LIGHT.context, linewidth=0.7, zorder=0)
    if words:
        axes.text(at, 1.01, name_time(frame.horizon_days), transform=axes.get_xaxis_transform(), ha="center",
                  va="bottom", fontsize=_SMALL - 0.5, color=LIGHT.muted)


def _name_curves(figure: Figure, frame: Frame, series: Sequence[Series], labels: Sequence[Sequence[str]], left: float,
                 floor: float) -> None:
    """Names right of the plot, apart from each other, joined to the ends of their curves."""
    line = _TEXT * 1.25 * _POINT
    reads = [_read_off(frame, one) for one in series]
    ends = [cut_curve(one.curve, frame.end_days, "linear") for one in series]
    wanted = [float(end.estimate[-1]) / frame.top * _PLOT for end in ends]
    heights = [line * (len(words) + bool(read)) + 0.06 for words, read in zip(labels, reads, strict=True)]
    scale = (left - _LEFT) / max(frame.end, 1e-9)
    width, height = figure.get_size_inches()
    for one, words, read, end, at, centre in zip(series, labels, reads, ends, wanted,
                                                 spread_labels(wanted, heights, -0.1, _PLOT + 0.1), strict=True):
        x = _LEFT + float(end.days[-1]) / frame.unit.days * scale
        figure.add_artist(_line(figure, [x, max(x, left), left + 0.1], [floor + at, floor + at, floor + centre],
                                one.colour, dotted=True))
        top = floor + centre + (len(words) + bool(read)) * line / 2
        figure.text((left + 0.14) / width, top / height, "\n".join(words), fontsize=_TEXT, fontweight="bold",
                    color=one.word_colour, va="top", linespacing=1.25)
        if read:
            figure.text((left + 0.14) / width, (top - len(words) * line) / height, read, fontsize=_SMALL,
                        color=LIGHT.muted, va="top")


def _line(figure: Figure, x: Sequence[float], y: Sequence[float], colour: str, *, dotted: bool) -> Line2D:
    width, height = figure.get_size_inches()
    return Line2D([one / width for one in x], [one / height for one in y], color=colour,
                  linewidth=0.6 if dotted else 1.4, linestyle=":" if dotted else "-", transform=figure.transFigure)


def _read_off(frame: Frame, one: Series) -> str:
    value = None if frame.horizon_days is None else value_at(one.curve, frame.horizon_days)
    return "" if value is None or frame.horizon_days is None else (
        f"{format_percent(value[0], one.precision)} at {name_time(frame.horizon_days)}")


def _draw_key(figure: Figure, series: Sequence[Series], y: float) -> None:
    x = _LEFT
    for one in series:
        name = textwrap.shorten(one.name, 34, placeholder="…")
        figure.add_artist(_line(figure, [x, x + 0.18], [y + 0.03, y + 0.03], one.colour, dotted=False))
        _write(figure, x + 0.23, y, name, size=_SMALL, weight="bold", color=one.word_colour)
        x += 0.42 + len(name) * _SMALL * 0.66 * _POINT


def _draw_table(figure: Figure, frame: Frame, series: Sequence[Series], ticks: Sequence[float],
                place: tuple[float, float], top: float) -> None:
    """At risk, events and censored of every group under the ticks of the first panel."""
    left, width = place
    scale = width / max(frame.end, *ticks)
    y = top + 0.04
    for one in series:
        if frame.named:
            y -= _LINE["row"]
            _write(figure, 0.06, y, one.name, size=_SMALL, weight="bold", color=one.word_colour)
        for word, field in _ROWS:
            y -= _LINE["row"]
            label = frame.events_label if field == "events" else word
            _write(figure, left - 0.2, y, label, size=_SMALL - 0.5, color=LIGHT.muted, ha="right")
            for day in choose_table_days(one.risk_table.days, frame.end, frame.unit, ticks):
                _write(figure, left + day / frame.unit.days * scale, y,
                       _number(one, field, one.risk_table.days.index(day)), size=_SMALL, color=one.word_colour,
                       ha="center")


def _number(one: Series, field: str, place: int) -> str:
    if field == "at_risk":
        return format_at_risk(one.risk_table, place, one.minimum)
    return format_so_far(one.risk_table, getattr(one.risk_table, field), place, one.minimum)


# -- small multiples -----------------------------------------------------------------------------------------------


def _facet_height(frame: Frame) -> float:
    lines = -(-len(frame.panels) // _FACET_COLUMNS)
    return lines * (_FACET_HEAD + _FACET + _FACET_FOOT) + 0.22


def _draw_facets(figure: Figure, frame: Frame, bottom: float, body: float) -> None:
    """One small panel a group, all others pale behind it, its numbers at risk underneath."""
    left, gap = 0.5, 0.32
    width = (WIDTH - left - _RIGHT - gap * (_FACET_COLUMNS - 1)) / _FACET_COLUMNS
    ticks = choose_ticks(frame.end, frame.unit, frame.panels[0].series[0].risk_table.days, 6)
    for place, panel in enumerate(frame.panels):
        line, column = divmod(place, _FACET_COLUMNS)
        x = left + column * (width + gap)
        y = bottom + body - (line + 1) * (_FACET_HEAD + _FACET + _FACET_FOOT) + _FACET_FOOT
        axes = _axes(figure, x, y, width, _FACET)
        _draw_curves(axes, frame, panel)
        _set_axes(axes, frame, ticks, percent=column == 0)
        one = panel.series[0]
        axes.set_xticks(list(ticks), [f"{tick:g}\n{_at_tick(one, tick, frame.unit)}" for tick in ticks])
        _mark_horizon(axes, frame, words=False)
        _write(figure, x, y + _FACET + 0.22, textwrap.shorten(panel.heading, 36, placeholder="…"), size=_TEXT,
               weight="bold")
        _write(figure, x, y + _FACET + 0.09, _read_off(frame, one), size=_SMALL, color=LIGHT.muted)
    _write(figure, left, bottom + 0.08, f"{frame.time_label}; below each axis, patients at risk", size=_SMALL,
           color=LIGHT.muted)


def _at_tick(one: Series, tick: float, unit: TimeUnit) -> str:
    numbers = {round(day / unit.days, 1): n
               for day, n in zip(one.risk_table.days, one.risk_table.at_risk, strict=True)}
    return format_count(numbers[round(tick, 1)], one.minimum) if round(tick, 1) in numbers else ""
