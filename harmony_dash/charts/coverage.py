"""Figures of who is in the data: ranked bars, accrual, country by trial or kind, follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from harmony_dash.charts.bars import build_bars
from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.heat import build_heat
from harmony_dash.charts.numbers import TimeUnit, format_part
from harmony_dash.charts.palette import Palette, palette_for
from harmony_dash.disclosure.coverage_results import CountCell, CoverageResult
from harmony_dash.disclosure.released import Released

MOST_BARS = 30


def build_country_figure(released: Released[CoverageResult], *, names: Mapping[str, str],
                         dark: bool = False) -> go.Figure:
    """Patients by country, most first; `names` turns country codes into words."""
    result = released.value
    bars = [(names.get(cell.labels["country"], cell.labels["country"]), cell.n) for cell in result.by_country]
    return build_figure(_count_bars(bars, palette_for(dark)))


def build_trial_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Patients by trial or registry, most first."""
    bars = [(cell.labels["trial"], cell.n) for cell in released.value.by_trial]
    return build_figure(_count_bars(bars, palette_for(dark)))


def build_follow_up_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Median follow-up of each source in years, longest first; sources without one are left to the table."""
    titles = short_titles(released.value)
    known = [(titles[source.source], source.follow_up_median_days / TimeUnit.YEARS.days)
             for source in released.value.sources if source.follow_up_median_days is not None]
    known.sort(key=lambda pair: -pair[1])
    return build_figure(build_bars([(name, years, f"{years:.1f}") for name, years in known], palette_for(dark),
                                   title="Median follow-up in years", unit="years", letters=48))


def build_accrual_figure(released: Released[CoverageResult], *, dark: bool = False) -> go.Figure:
    """Patients by period of diagnosis, in order of time."""
    result = released.value
    cells = {cell.labels["dx_period"]: cell.n for cell in result.table("dx_period")}
    bars = [(result.label_of("dx_period", period), cells.get(period)) for period in values_shown(result, "dx_period")]
    return build_figure(_count_bars(bars, palette_for(dark)))


def build_cross_figure(released: Released[CoverageResult], *, names: Mapping[str, str], columns: str = "trial",
                       dark: bool = False) -> go.Figure:
    """Country by trial, period or kind: the number of patients in each cell, darker where there are more."""
    result, minimum = released.value, released.scope.rules.minimum_cell
    countries = [cell.labels["country"] for cell in result.by_country]
    values = values_shown(result, columns)
    cells = {(cell.labels["country"], cell.labels[columns]): cell.n for cell in cross_cells(result, columns)}
    shades = [[_shade(cells, country, value, minimum) for value in values] for country in countries]
    texts = [[format_part(cells[country, value]) if (country, value) in cells else ""
              for value in values] for country in countries]
    rows = [names.get(country, country) for country in countries]
    top = max((n for row in shades for n in row if n is not None), default=1.0)
    figure = build_heat(rows, [result.label_of(columns, value) for value in values], shades, texts, palette_for(dark),
                        top=top, hover="%{y}, %{x}: %{customdata} patients<extra></extra>")
    return build_figure(figure)


def cross_cells(result: CoverageResult, columns: str) -> tuple[CountCell, ...]:
    """Patients by country and one more variable."""
    return result.by_country_and_trial if columns == "trial" else result.table("country", columns)


def values_shown(result: CoverageResult, variable: str) -> list[str]:
    """The values of a variable that have a column: trials by size, others in their order.

    Periods before the first and after the last of which any number is shown are left out. That is read from what is
    shown, so it tells nothing more.
    """
    if variable == "trial":
        return [cell.labels["trial"] for cell in result.by_trial]
    values = list(dict.fromkeys(cell.labels[variable] for cell in result.table("country", variable)))
    if variable != "dx_period":
        return values
    some = {cell.labels[variable] for table in result.tables if variable in table.by for cell in table.cells if cell.n}
    places = [place for place, value in enumerate(values) if value in some]
    return values[places[0]:places[-1] + 1] if places else []


def short_titles(result: CoverageResult) -> dict[str, str]:
    """Source to title, without a beginning up to a colon that all titles share ("Synthetic: ")."""
    titles = {source.source: source.title for source in result.sources}
    heads = {title.partition(": ")[0] if ": " in title else "" for title in titles.values()}
    shared = next(iter(heads)) if len(heads) == 1 else ""
    short = {name: title.removeprefix(f"{shared}: ") if shared else title for name, title in titles.items()}
    return {name: f"{title[:1].upper()}{title[1:]}" for name, title in short.items()}


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
    return build_bars([(name, float(n or 0), format_part(n)) for name, n in shown], palette, title="Patients",
                      unit="patients")
