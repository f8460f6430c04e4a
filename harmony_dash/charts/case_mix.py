"""How countries differ in who their patients are."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.heat import build_heat
from harmony_dash.charts.palette import faded, palette_for
from harmony_dash.disclosure.case_mix import CaseMixDifference, compare_case_mix
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.released import Released

_FARTHEST = 0.6  # differences beyond it have the colour of this one
UNCERTAIN = ""


def build_case_mix_figure(released: Released[CoverageResult], *, names: Mapping[str, str],
                          dark: bool = False) -> go.Figure:
    """Standardised differences: values down, countries across; blue for less than elsewhere, vermillion for more."""
    palette = palette_for(dark)
    rows = rows_of(released)
    countries = countries_of(released)
    values = [[_clip(cells[country].difference) for country in countries] for cells in rows.values()]
    texts = [[difference_text(cells[country], released) for country in countries] for cells in rows.values()]
    scale = [[0.0, faded(palette.marks[0], 0.5)], [0.5, faded(palette.marks[0], 0.0)],
             [0.5, faded(palette.marks[1], 0.0)], [1.0, faded(palette.marks[1], 0.5)]]
    figure = build_heat(list(rows), [names.get(country, country) for country in countries], values, texts, palette,
                        top=_FARTHEST, bottom=-_FARTHEST, colours=scale,
                        hover="%{y}, %{x}: %{customdata}<extra></extra>")
    return build_figure(figure)


def rows_of(released: Released[CoverageResult]) -> dict[str, dict[str, CaseMixDifference]]:
    """By value in words, the differences of the countries; values of which none can be told are left out."""
    result = released.value
    rows: dict[str, dict[str, CaseMixDifference]] = {}
    for one in compare_case_mix(released):
        rows.setdefault(result.label_of(one.variable, one.value), {})[one.country] = one
    return {label: cells for label, cells in rows.items() if any(one.difference is not None for one in cells.values())}


def countries_of(released: Released[CoverageResult]) -> list[str]:
    """The countries of which some difference can be told, the one with most patients first."""
    told = {one.country for one in compare_case_mix(released) if one.difference is not None}
    return [cell.labels["country"] for cell in released.value.by_country if cell.labels["country"] in told]


def difference_text(one: CaseMixDifference, released: Released[CoverageResult]) -> str:
    """With a sign, and one decimal where protected; nothing where it cannot be told."""
    if one.difference is None:
        return UNCERTAIN
    decimals = 1 if released.scope.is_protected else 2
    text = f"{one.difference:+.{decimals}f}".replace("-", "−")
    return f"{0:.{decimals}f}" if not any(digit in text for digit in "123456789") else text


def _clip(difference: float | None) -> float | None:
    return None if difference is None else max(-_FARTHEST, min(_FARTHEST, difference))
