"""Whether the arms can be compared, as two pictures: who could have had either strategy, and what still differs."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.palette import FONT, Palette, faded, palette_for
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_diagnostics import Balance, Diagnostics
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.stats.refusal import Thresholds

# Pixels.
_HEIGHT, _ROW = 250, 19
_LIMITS: Final = Thresholds().imbalance
_SUPPORT: Final = Thresholds().common_support
_LETTERS: Final = 30


def build_overlap_figure(released: Released[WhatIfResult], *, dark: bool = False) -> go.Figure:
    """The probability of the compared strategy in each arm: compared upwards, reference downwards.

    Bins with few patients are missing. Where the two halves mirror one another, either strategy was possible.
    """
    result, palette = released.value, palette_for(dark)
    bins = result.diagnostics.propensity
    (_, reference), (_, compared) = result.arms
    middles = [(one.lower + one.upper) / 2 for one in bins]
    widths = [0.92 * (one.upper - one.lower) for one in bins]
    traces = []
    for place, name, sign in ((1, compared, 1), (0, reference, -1)):
        shares = [one.shares[place] for one in bins]
        traces.append({
            "type": "bar", "x": middles, "y": [None if share is None else sign * share for share in shares],
            "width": widths, "name": html.escape(name, quote=False),
            "customdata": ["" if share is None else f"{100 * share:.0f} %" for share in shares],
            "hovertemplate": "%{customdata} of " + html.escape(name, quote=False) + "<extra></extra>",
            "marker": {"color": faded(palette.marks[place], 0.85), "line": {"width": 0}}})
    most = max((share for one in bins for share in one.shares if share is not None), default=0.1)
    layout = _page(palette, _HEIGHT, left=12, bottom=44) | {
        "barmode": "overlay", "bargap": 0,
        "xaxis": {"range": [0, 1], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "zeroline": False,
                  "showgrid": False, "fixedrange": True, "ticks": "outside", "ticklen": 4, "tickcolor": palette.muted,
                  "tickfont": {"size": 11, "color": palette.muted},
                  "title": {"text": html.escape(f"Probability of {compared}", quote=False), "standoff": 4,
                            "font": {"size": 12, "color": palette.ink}}},
        "yaxis": {"range": [-1.15 * most, 1.15 * most], "visible": True, "showticklabels": False, "showgrid": False,
                  "zeroline": True, "zerolinecolor": palette.muted, "fixedrange": True},
        "annotations": [
            # in the corners where that arm has the fewest
            {"xref": "paper", "yref": "paper", "x": x, "xanchor": side, "y": y, "yanchor": anchor, "showarrow": False,
             "text": f"<b>{html.escape(name, quote=False)}</b>",
             "font": {"size": 12, "color": palette.words[place]}}
            for place, name, x, side, y, anchor in ((1, compared, 0.01, "left", 1.0, "top"),
                                                    (0, reference, 0.99, "right", 0.0, "bottom"))]}
    return build_figure({"data": traces, "layout": layout})


def build_balance_figure(released: Released[WhatIfResult], *, dark: bool = False) -> go.Figure:
    """How far apart the arms are in each covariate, before (hollow) and after weighing (filled); a line at 0.1.

    Where only a limit of a weighted difference may be told, a bar shows between which limits it lies.
    """
    palette = palette_for(dark)
    rows = sorted(released.value.diagnostics.balance, key=lambda one: -abs(one.before))
    names = [_shorten(one.name) for one in rows]
    places = list(range(len(rows)))
    most = max((max(abs(one.before), abs(one.after or 0.0)) for one in rows), default=0.0)
    end = max(0.25, 1.08 * most)
    traces: list[dict[str, Any]] = [
        _lines([(abs(one.before), abs(one.after)) if one.after is not None else None for one in rows],
               {"color": palette.context, "width": 1}),
        _lines([_between(one, end) if one.after is None else None for one in rows],
               {"color": palette.marks[0], "width": 5}) | {
            "name": "weighted, between", "opacity": 0.45, "showlegend": any(one.after is None for one in rows)}]
    for word, symbol, values in (("before", "circle-open", [abs(one.before) for one in rows]),
                                 ("weighted", "circle", [None if one.after is None else abs(one.after)
                                                         for one in rows])):
        traces.append({
            "type": "scatter", "mode": "markers", "name": word, "x": values, "y": places, "cliponaxis": False,
            "showlegend": any(value is not None for value in values),
            "customdata": [f"{html.escape(one.name, quote=False)}{_limit_words(one)}" for one in rows],
            "hovertemplate": f"%{{customdata}}<br>{word}: %{{x:.2f}}<extra></extra>",
            "marker": {"symbol": symbol, "size": 8, "color": palette.marks[0],
                       "line": {"color": palette.marks[0], "width": 1.5}}})
    layout = _page(palette, 74 + _ROW * max(3, len(rows)), left=184, bottom=44) | {
        "showlegend": True,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "itemclick": False,
                   "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)", "font": {"size": 11, "color": palette.ink}},
        "xaxis": {"range": [-0.03 * end, end], "zeroline": False, "gridcolor": palette.grid, "fixedrange": True,
                  "tickfont": {"size": 11, "color": palette.muted},
                  "title": {"text": "Standardised mean difference", "standoff": 4,
                            "font": {"size": 12, "color": palette.ink}}},
        "yaxis": {"range": [len(rows) - 0.4, -0.6], "tickmode": "array", "tickvals": places, "fixedrange": True,
                  "ticktext": [html.escape(name, quote=False) for name in names], "showgrid": False, "zeroline": False,
                  "ticks": "", "ticklabelstandoff": 4, "tickfont": {"size": 11, "color": palette.ink}},
        "shapes": [{"type": "line", "xref": "x", "x0": _LIMITS.amber, "x1": _LIMITS.amber, "yref": "paper", "y0": 0,
                    "y1": 1, "layer": "below", "line": {"color": palette.muted, "width": 1, "dash": "dash"}}]}
    return build_figure({"data": traces, "layout": layout})


def _lines(spans: Sequence[tuple[float, float] | None], line: dict[str, Any]) -> dict[str, Any]:
    """A horizontal line in each row that has one."""
    return {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "connectgaps": False, "showlegend": False,
            "x": [value for span in spans for value in (*(span or (None, None)), None)],
            "y": [place for row in range(len(spans)) for place in (row, row, None)], "line": line}


def _between(one: Balance, end: float) -> tuple[float, float]:
    """Between which limits of the verdict a weighted difference lies."""
    limits = (0.0, *(limit for limit in (_LIMITS.amber, _LIMITS.refused) if limit is not None), end)
    place = len(limits) - 1 if one.after_below is None else limits.index(one.after_below)
    return limits[place - 1], limits[place]


def _limit_words(one: Balance) -> str:
    """The weighted difference in the box of the one before, where it has no mark of its own."""
    return "" if one.after is not None else f"<br>weighted: {_weighted(one)}"


def _shorten(name: str) -> str:
    """The name of a covariate in few letters; of "variable: value" the value stays whole as far as there is room."""
    if len(name) <= _LETTERS:
        return name
    head, colon, value = name.partition(": ")
    room = max(8, _LETTERS - len(value) - 3)
    short = f"{head[:room].rstrip()}…: {value}" if colon and len(head) > room else name
    return short if len(short) <= _LETTERS else f"{short[:_LETTERS - 1].rstrip()}…"


def describe_overlap(released: Released[WhatIfResult]) -> str:
    """The overlap in words."""
    (_, reference), (_, compared) = released.value.arms
    support = released.value.diagnostics.common_support
    share = "" if support is None else f" {describe_common_support(released.value.diagnostics)}"
    return f"Probability of {compared} among patients treated {compared} and {reference}.{share}"


def describe_common_support(found: Diagnostics) -> str:
    """How many patients lie where both arms have some, in words; empty where that is not known."""
    if found.common_support is None:
        return ""
    if found.support_is_bound and not found.common_support:
        return f"Fewer than {100 * (_SUPPORT.refused or 0):.0f} % of the patients lie where both arms have some."
    least = "At least " if found.support_is_bound else ""
    return f"{least}{100 * found.common_support:.0f} % of the patients lie where both arms have some."


def describe_balance(released: Released[WhatIfResult]) -> str:
    """The balance in words."""
    rows = sorted(released.value.diagnostics.balance, key=_unlike)
    worst = "; ".join(f"{one.name} {abs(one.before):.2f} before, {_weighted(one)} weighted" for one in rows[:5])
    return f"Standardised mean differences between the arms, largest first: {worst}."


def _unlike(one: Balance) -> tuple[float, float]:
    """The most unlike after weighing first, then those before it."""
    after = abs(one.after) if one.after is not None else one.after_below or math.inf
    return -after, -abs(one.before)


def _weighted(one: Balance) -> str:
    if one.after is not None:
        return f"{abs(one.after):.2f}"
    return f"{_LIMITS.refused:g} or more" if one.after_below is None else f"below {one.after_below:g}"


def _page(palette: Palette, height: int, *, left: int, bottom: int) -> dict[str, Any]:
    return {"height": height, "margin": {"l": left, "r": 26, "t": 26, "b": bottom, "autoexpand": False},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "template": "none", "showlegend": False,
            "dragmode": False, "font": {"family": FONT, "size": 12, "color": palette.ink}, "uirevision": "what_if",
            "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                           "font": {"family": FONT, "size": 12, "color": palette.ink}}}
