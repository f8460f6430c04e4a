"""Figures of who is in the data: ranked bars, country by trial, completeness, follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from harmony_dash.charts.heat import LETTER_WIDTH, ROW_HEIGHT, build_frame, build_heat, plain, shorten
from harmony_dash.charts.numbers import TimeUnit, format_part, format_share
from harmony_dash.charts.palette import Palette, palette_for
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import CoverageResult

_TOP, _BOTTOM = 8, 34
MOST_BARS = 30


def build_country_figure(released: Released[CoverageResult], *, names: Mapping[str, str],
                         dark: bool = False) -> go.Figure:
    """Patients by country, most first; `names` turns country codes into words."""
    result = released.value
    bars = [(names.get(cell.labels["country"], cell.labels["country"]), cell.n) for cell in result.by_country]
    return go.Figure(_count_bars(bars, palette_for(dark)))


def build_trial_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Patients by trial or registry, most first."""
    bars = [(cell.labels["trial"], cell.n) for cell in released.value.by_trial]
    return go.Figure(_count_bars(bars, palette_for(dark)))


def build_follow_up_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Median follow-up of each source in years, longest first; sources without one are left to the table."""
    titles = short_titles(released.value)
    known = [(titles[source.source], source.follow_up_median_days / TimeUnit.YEARS.days)
             for source in released.value.sources if source.follow_up_median_days is not None]
    known.sort(key=lambda pair: -pair[1])
    return go.Figure(_bars([(name, years, f"{years:.1f}") for name, years in known], palette_for(dark),
                           title="Median follow-up in years", unit="years"))


def build_cross_figure(released: Released[CoverageResult], *, names: Mapping[str, str],
                       dark: bool = False) -> go.Figure:
    """Country by trial: the number of patients in each cell, darker where there are more."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    countries = [cell.labels["country"] for cell in result.by_country]
    trials = [cell.labels["trial"] for cell in result.by_trial]
    cells = {(cell.labels["country"], cell.labels["trial"]): cell.n for cell in result.by_country_and_trial}
    values = [[_shade(cells, country, trial, minimum) for trial in trials] for country in countries]
    texts = [[format_part(cells[country, trial]) if (country, trial) in cells else ""
              for trial in trials] for country in countries]
    rows = [names.get(country, country) for country in countries]
    top = max((n for row in values for n in row if n is not None), default=1.0)
    return go.Figure(build_heat(rows, trials, values, texts, palette_for(dark), top=top,
                           hover="%{y}, %{x}: %{customdata} patients<extra></extra>"))


def build_completeness_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Share of each source's patients with a recorded value: variables down, sources across."""
    result = released.value
    sources = list(dict.fromkeys(one.source for one in result.completeness))
    titles = short_titles(result)
    labels = list(dict.fromkeys(one.label for one in result.completeness))
    shares = {(one.label, one.source): one.share for one in result.completeness}
    least = {(one.label, one.source) for one in result.completeness if one.nearly_all}
    values = [[shares.get((label, source)) for source in sources] for label in labels]
    texts = [["n/a" if (share := shares.get((label, source))) is None
              else f"{'≥' if (label, source) in least else ''}{format_share(share)}" for source in sources]
             for label in labels]
    return go.Figure(build_heat(labels, [titles.get(source, source) for source in sources], values, texts,
                           palette_for(dark), top=1.0, hover="%{x}<br>%{y}: %{customdata} %<extra></extra>"))


def short_titles(result: CoverageResult) -> dict[str, str]:
    """Source to title, without a beginning up to a colon that all titles share ("Synthetic: ")."""
    titles = {source.source: source.title for source in result.sources}
    heads = {title.partition(": ")[0] if ": " in title else "" for title in titles.values()}
    shared = next(iter(heads)) if len(heads) == 1 else ""
    return {name: title.removeprefix(f"{shared}: ") if shared else title for name, title in titles.items()}


def describe_coverage(released: Released[CoverageResult], names: Mapping[str, str]) -> str:
    """Who is in the data, in one sentence, for people who do not see the bars."""
    result = released.value
    parts = [f"{names.get(cell.labels['country'], cell.labels['country'])} {format_part(cell.n)}"
             for cell in result.by_country]
    return f"Patients by country: {', '.join(parts)}." if parts else "No patients."


def _shade(cells: Mapping[tuple[str, str], int | None], country: str, trial: str, minimum: int) -> float | None:
    """Height of a cell's colour: nothing for an empty cell, the least for one that may not be shown."""
    if (country, trial) not in cells:
        return None
    n = cells[country, trial]
    return float(minimum) / 2 if n is None else float(n)


def _count_bars(bars: Sequence[tuple[str, int | None]], palette: Palette) -> dict[str, Any]:
    shown = bars[:MOST_BARS]
    return _bars([(name, float(n or 0), format_part(n)) for name, n in shown], palette, title="Patients",
                 unit="patients")


def _bars(bars: Sequence[tuple[str, float, str]], palette: Palette, *, title: str, unit: str) -> dict[str, Any]:
    """Horizontal bars with their number at the end; a hidden number has no bar."""
    names = [shorten(name, 34) for name, _, _ in bars]
    places = list(range(len(bars)))
    left = min(250, int(max((len(name) for name in names), default=4) * LETTER_WIDTH) + 16)
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
