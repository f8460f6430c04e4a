"""Ranked bars, the form in which single counts are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harmony_dash.charts.heat import LETTER_WIDTH, ROW_HEIGHT, build_frame, plain, shorten
from harmony_dash.charts.palette import Palette

_TOP, _BOTTOM = 8, 34


def build_bars(bars: Sequence[tuple[str, float, str]], palette: Palette, *, title: str, unit: str,
               letters: int = 34) -> dict[str, Any]:
    """Horizontal bars with their number at the end; a hidden number has no bar.

    Parameters
    ----------
    bars : name, length, and number as it is printed.
    letters : of a name at most; more than the default need the width of the page.
    """
    names = [shorten(name, letters) for name, _, _ in bars]
    places = list(range(len(bars)))
    left = int(min(letters, max((len(name) for name in names), default=4)) * LETTER_WIDTH) + 16
    trace = {"type": "bar", "orientation": "h", "x": [value for _, value, _ in bars], "y": places,
             "text": [text for _, _, text in bars], "textposition": "outside", "cliponaxis": False,
             "textfont": {"size": 12, "color": palette.ink}, "marker": {"color": palette.marks[0]}, "width": 0.64,
             "customdata": [plain(name) for name, _, _ in bars],
             "hovertemplate": f"%{{customdata}}: %{{text}} {unit}<extra></extra>"}
    top = max((value for _, value, _ in bars), default=1.0) or 1.0
    layout = build_frame(palette, _TOP + _BOTTOM + ROW_HEIGHT * max(1, len(bars)), left=left, right=16, top=_TOP,
                         bottom=_BOTTOM)
    layout["xaxis"] = {"range": [0, top * 1.14], "gridcolor": palette.grid, "zeroline": False, "nticks": 6,
                       "tickfont": {"size": 11, "color": palette.muted}, "tickformat": ",", "fixedrange": True,
                       "title": {"text": title, "font": {"size": 12, "color": palette.muted}, "standoff": 4}}
    layout["yaxis"] = {"range": [len(bars) - 0.5, -0.5], "tickmode": "array", "tickvals": places, "ticktext": names,
                       "showgrid": False, "zeroline": False, "ticklabelstandoff": 6, "fixedrange": True,
                       "tickfont": {"size": 12, "color": palette.ink}}
    return {"data": [trace], "layout": layout}
