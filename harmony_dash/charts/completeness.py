"""How complete each variable is in each source, and what the rest of it is: negative, failed, not tested, unknown."""

from __future__ import annotations

from collections.abc import Collection

import plotly.graph_objects as go

from harmony_dash.charts.coverage import short_titles
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.heat import build_heat
from harmony_dash.charts.numbers import format_share
from harmony_dash.charts.palette import palette_for
from harmony_dash.disclosure.coverage_results import Completeness, CoverageResult, Status
from harmony_dash.disclosure.released import Released

NOT_AVAILABLE = "n/a"
NOT_SUPPLIED, NOT_SUPPLIED_IN_FULL = "n/s", "not supplied"
DOES_NOT_APPLY = "–"


def build_completeness_figure(released: Released[CoverageResult], *, part: Status | None = None,
                              variables: Collection[str] = (), dark: bool = False) -> go.Figure:
    """Share of each source's patients, variables down, sources across.

    Parameters
    ----------
    part : which patients; None for those with a recorded value.
    variables : names of those to draw; all if there are none.
    """
    result = released.value
    titles = short_titles(result)
    sources = list(dict.fromkeys(one.source for one in result.completeness))
    found = {(one.variable, one.source): one for one in result.completeness}
    labels = {one.variable: one.label for one in result.completeness
              if (not variables or one.variable in variables) and (part is None or knows(one, part))}
    values = [[share_of(found.get((name, source)), part) for source in sources] for name in labels]
    texts = [[share_text(found.get((name, source)), part) for source in sources] for name in labels]
    figure = build_heat(list(labels.values()), [titles.get(source, source) for source in sources], values, texts,
                        palette_for(dark), top=1.0, hover="%{x}<br>%{y}: %{customdata} per cent<extra></extra>")
    return build_figure(figure)


def knows(one: Completeness, part: Status) -> bool:
    """Whether the variable can be in that state: not everything is a test that fails."""
    return any(known.part is part for known in one.parts)


def share_of(one: Completeness | None, part: Status | None) -> float | None:
    """The share that may be shown."""
    if one is None:
        return None
    return one.share if part is None else next((known.share for known in one.parts if known.part is part), None)


def share_text(one: Completeness | None, part: Status | None) -> str:
    """The share in per cent; one that is only known to be large has a sign before it."""
    if one is not None and part is not None and not knows(one, part):
        return DOES_NOT_APPLY
    share = share_of(one, part)
    if one is not None and not one.supplied and not one.share:
        return NOT_SUPPLIED
    if one is None or share is None:
        return NOT_AVAILABLE
    return f"{'≥' if part is None and one.nearly_all else ''}{format_share(share)}"
