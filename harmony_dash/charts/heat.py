"""Tables whose cells are shaded, and the frame that flat figures share."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from harmony_dash.charts.axes import wrap_label
from harmony_dash.charts.palette import FONT, Palette, faded

ROW_HEIGHT = 30
LETTER_WIDTH = 6.8
_SMALL_WIDTH = 5.6  # of a letter of a column's name
_SLANTED = 34  # letters of a slanted name: the parts in which similar titles differ stand at their end
_NARROW = 11  # size of numbers where many columns share a narrow window
_MOST_UPRIGHT = 8  # more column names than this stand slanted, so that they do not touch at 800 px


def build_heat(rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]],
               texts: Sequence[Sequence[str]], palette: Palette, *, top: float, hover: str,
               colours: Sequence[Sequence[Any]] | None = None, bottom: float = 0.0,
               uirevision: str = "coverage") -> dict[str, Any]:
    """A table whose cells are shaded; the number stands in every cell.

    Parameters
    ----------
    values, texts : shape (rows, columns); a cell without a value has no shade, one without a text no number.
    bottom, top : the values of the first and the last colour.
    hover : template in which %{x}, %{y} and %{customdata} stand for the names of column and row and for the text.
    colours : a colour scale; from the surface to the accent by default.
    """
    names = [shorten(row, 34) for row in rows]
    left = min(250, int(max((len(name) for name in names), default=4) * LETTER_WIDTH) + 16)
    # Every cell keeps its ink.
    scale = colours or [[0.0, faded(palette.marks[0], 0.06)], [1.0, faded(palette.marks[0], 0.45)]]
    trace = {"type": "heatmap", "z": [list(row) for row in values], "x": list(range(len(columns))),
             "y": list(range(len(rows))), "zmin": bottom, "zmax": top, "colorscale": scale, "showscale": False,
             "xgap": 2, "ygap": 2, "customdata": [list(row) for row in texts],
             "hovertemplate": hover.replace("%{x}", "%{text}").replace("%{y}", "%{hovertext}"), "hoverongaps": False,
             "text": [[plain(column) for column in columns] for _ in rows],
             "hovertext": [[plain(row)] * len(columns) for row in rows]}
    slanted = len(columns) > _MOST_UPRIGHT
    cells = [(x, y, plain(text)) for y, row in enumerate(texts) for x, text in enumerate(row) if text]
    # One trace of text: an annotation a cell would cost most of the time of a large table.
    numbers = {"type": "scatter", "mode": "text", "x": [x for x, _, _ in cells], "y": [y for _, y, _ in cells],
               "text": [text for _, _, text in cells], "hoverinfo": "skip", "cliponaxis": False,
               "textfont": {"size": _NARROW if slanted else 12, "color": palette.ink}}
    headers = [[shorten(column, _SLANTED)] if slanted else wrap_label(column, 14, 4) for column in columns]
    longest = max((len(header[0]) for header in headers), default=1)
    lines = max((len(header) for header in headers), default=1)
    above = 14 + int(0.71 * _SMALL_WIDTH * longest if slanted else 15 * lines)
    layout = build_frame(palette, above + 8 + ROW_HEIGHT * max(1, len(rows)), left=left,
                         right=above if slanted else 16, top=above, bottom=8, uirevision=uirevision)
    layout["xaxis"] = {"side": "top", "tickmode": "array", "tickvals": list(range(len(columns))),
                       "ticktext": ["<br>".join(header) for header in headers], "ticks": "",
                       "tickangle": -45 if slanted else 0,
                       "showgrid": False, "zeroline": False, "tickfont": {"size": 11, "color": palette.muted},
                       "range": [-0.5, len(columns) - 0.5], "fixedrange": True}
    layout["yaxis"] = {"range": [len(rows) - 0.5, -0.5], "tickmode": "array", "tickvals": list(range(len(rows))),
                       "ticktext": names, "showgrid": False, "zeroline": False, "ticklabelstandoff": 6, "ticks": "",
                       "fixedrange": True, "tickfont": {"size": 12, "color": palette.ink}}
    return {"data": [trace, numbers], "layout": layout}


def shorten(text: str, width: int) -> str:
    """At most so many letters, safe for Plotly's small HTML."""
    return html.escape(text if len(text) <= width else text[: width - 1].rstrip() + "…", quote=False)


def plain(text: str) -> str:
    """Safe for Plotly's small HTML."""
    return html.escape(text, quote=False)


def build_frame(palette: Palette, height: int, *, left: int, right: int, top: int, bottom: int,
                uirevision: str = "coverage") -> dict[str, Any]:
    """A layout without axes."""
    return {"height": height, "margin": {"l": left, "r": right, "t": top, "b": bottom, "autoexpand": False},
            "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "bargap": 0.3,
            "font": {"family": FONT, "size": 12, "color": palette.ink}, "dragmode": False, "uirevision": uirevision,
            "hoverlabel": {"bgcolor": palette.surface, "bordercolor": palette.grid,
                           "font": {"family": FONT, "size": 12, "color": palette.ink}}, "template": "none"}
