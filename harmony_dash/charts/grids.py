"""Ranked bars and shaded tables, the two forms in which counts are drawn."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from harmony_dash.charts.axes import wrap_label
from harmony_dash.charts.palette import FONT, Palette, faded

_ROW, _TOP, _BOTTOM = 30, 8, 34
_LETTER = 6.8
_MOST_UPRIGHT = 8  # more column names than this stand slanted, so that they do not touch at 800 px


def build_bars(bars: Sequence[tuple[str, float, str]], palette: Palette, *, title: str, unit: str) -> dict[str, Any]:
    """Horizontal bars with their number at the end; a hidden number has no bar."""
    names = [shorten(name, 34) for name, _, _ in bars]
    places = list(range(len(bars)))
    left = min(250, int(max((len(name) for name in names), default=4) * _LETTER) + 16)
    trace = {"type": "bar", "orientation": "h", "x": [value for _, value, _ in bars], "y": places,
             "text": [text for _, _, text in bars], "textposition": "outside", "cliponaxis": False,
             "textfont": {"size": 12, "color": palette.ink}, "marker": {"color": palette.marks[0]}, "width": 0.64,
             "customdata": [plain(name) for name, _, _ in bars],
             "hovertemplate": f"%{{customdata}}: %{{text}} {unit}<extra></extra>"}
    top = max((value for _, value, _ in bars), default=1.0) or 1.0
    layout = frame_of(palette, _TOP + _BOTTOM + _ROW * max(1, len(bars)), left=left, right=16, top=_TOP, bottom=_BOTTOM)
    layout["xaxis"] = {"range": [0, top * 1.14], "gridcolor": palette.grid, "zeroline": False, "nticks": 6,
                       "tickfont": {"size": 11, "color": palette.muted}, "tickformat": ",", "fixedrange": True,
                       "title": {"text": title, "font": {"size": 12, "color": palette.muted}, "standoff": 4}}
    layout["yaxis"] = {"range": [len(bars) - 0.5, -0.5], "tickmode": "array", "tickvals": places, "ticktext": names,
                       "showgrid": False, "zeroline": False, "ticklabelstandoff": 6, "fixedrange": True,
                       "tickfont": {"size": 12, "color": palette.ink}}
    return {"data": [trace], "layout": layout}


def build_heat(rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]],
               texts: Sequence[Sequence[str]], palette: Palette, *, top: float, hover: str,
               colours: Sequence[Sequence[Any]] | None = None, bottom: float = 0.0) -> dict[str, Any]:
    """A table whose cells are shaded; the number stands in every cell.

    Parameters
    ----------
    bottom, top : the values of the first and the last colour.
    colours : a colour scale; from the surface to the accent by default.
    """
    names = [shorten(row, 34) for row in rows]
    left = min(250, int(max((len(name) for name in names), default=4) * _LETTER) + 16)
    # Every cell keeps its ink.
    scale = colours or [[0.0, faded(palette.marks[0], 0.06)], [1.0, faded(palette.marks[0], 0.45)]]
    trace = {"type": "heatmap", "z": [list(row) for row in values], "x": list(range(len(columns))),
             "y": list(range(len(rows))), "zmin": bottom, "zmax": top, "colorscale": scale, "showscale": False,
             "xgap": 2, "ygap": 2, "customdata": [list(row) for row in texts],
             "hovertemplate": hover.replace("%{x}", "%{text}").replace("%{y}", "%{hovertext}"), "hoverongaps": False,
             "text": [[plain(column) for column in columns] for _ in rows],
             "hovertext": [[plain(row)] * len(columns) for row in rows]}
    notes = [{"x": x, "y": y, "text": html.escape(text, quote=False), "showarrow": False,
              "font": {"size": 12, "color": palette.ink}}
             for y, row in enumerate(texts) for x, text in enumerate(row) if text]
    slanted = len(columns) > _MOST_UPRIGHT
    headers = [[shorten(column, 24)] if slanted else wrap_label(column, 14, 4) for column in columns]
    longest = max((len(header[0]) for header in headers), default=1)
    above = 14 + int(0.71 * _LETTER * longest if slanted else 15 * max((len(header) for header in headers), default=1))
    layout = frame_of(palette, above + 8 + _ROW * max(1, len(rows)), left=left, right=above if slanted else 16,
                      top=above, bottom=8)
    layout["xaxis"] = {"side": "top", "tickmode": "array", "tickvals": list(range(len(columns))),
                       "ticktext": ["<br>".join(header) for header in headers], "ticks": "",
                       "tickangle": -45 if slanted else 0,
                       "showgrid": False, "zeroline": False, "tickfont": {"size": 11, "color": palette.muted},
                       "range": [-0.5, len(columns) - 0.5], "fixedrange": True}
    layout["yaxis"] = {"range": [len(rows) - 0.5, -0.5], "tickmode": "array", "tickvals": list(range(len(rows))),
                       "ticktext": names, "showgrid": False, "zeroline": False, "ticklabelstandoff": 6, "ticks": "",
                       "fixedrange": True, "tickfont": {"size": 12, "color": palette.ink}}
    layout["annotations"] = notes
    return {"data": [trace], "layout": layout}


def shorten(text: str, width: int) -> str:
    """Plain text of at most that many letters."""
    return html.escape(text if len(text) <= width else text[: width - 1].rstrip() + "…", quote=False)


def plain(text: str) -> str:
    """Text that a figure does not read as markup."""
    return html.escape(text, quote=False)


def frame_of(palette: Palette, height: int, *, left: int, right: int, top: int, bottom: int) -> dict[str, Any]:
    """The layout that all these figures share."""
    return {"height": height, "margin": {"l": left, "r": right, "t": top, "b": bottom, "autoexpand": False},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "bargap": 0.3,
            "font": {"family": FONT, "size": 12, "color": palette.ink}, "dragmode": False, "uirevision": "coverage",
            "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                           "font": {"family": FONT, "size": 12, "color": palette.ink}}, "template": "none"}
