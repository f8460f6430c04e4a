"""Outcome by two variables, such as genetic subtype and residual disease: darker where more patients had the event."""

from __future__ import annotations

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.heat import build_heat
from harmony_dash.charts.numbers import format_part, format_percent, format_percent_interval
from harmony_dash.charts.palette import palette_for
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure.description_results import MapCell, OutcomeMap
from harmony_dash.disclosure.headline import counts_failures
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released, Scope

_TOO_FEW = "·"


def build_outcome_map_figure(released: Released[OutcomeMap], *, dark: bool = False) -> go.Figure:
    """The map; a cell that may not be shown has a dot, and rows of nothing else are left to the table.

    Parameters
    ----------
    released : the map.
    dark : whether it stands on a dark background.
    """
    result = released.value
    rising = counts_failures(endpoint_named(result.question.endpoint))
    cells = {(cell.row, cell.column): cell for cell in result.cells}
    rows = [row for row in result.rows if any(_estimate(cells.get((row, column))) is not None
                                              for column in result.columns)]
    values = [[_shade(cells.get((row, column)), rising=rising) for column in result.columns] for row in rows]
    texts = [[_words(cells.get((row, column)), released.scope) for column in result.columns] for row in rows]
    figure = build_heat([result.rows[row] for row in rows], list(result.columns.values()), values, texts,
                        palette_for(dark), top=max((value for row in values for value in row if value is not None),
                                                   default=1.0) or 1.0,
                        hover="%{y}<br>%{x}: %{customdata}<extra></extra>", uirevision="outcome map")
    return build_figure(figure)


def list_outcome_rows(released: Released[OutcomeMap]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The map as a table: its column names, and a row a cell that anybody may be in."""
    result = released.value
    header = (result.row_label, result.column_label, "n", "Events", "Estimate, % (95 % CI)")
    rows: list[tuple[str, ...]] = []
    for cell in result.cells:
        if cell.n != 0:
            words = cell.reason if cell.at is None else format_percent_interval(
                cell.at.estimate, cell.at.lower, cell.at.upper, precision_of(cell.n or 1, released.scope), unit=False)
            rows.append((result.rows[cell.row], result.columns[cell.column], format_part(cell.n),
                         format_part(cell.events), words))
    return header, rows


def _estimate(cell: MapCell | None) -> float | None:
    return None if cell is None or cell.at is None else cell.at.estimate


def _shade(cell: MapCell | None, *, rising: bool) -> float | None:
    """The share of patients with the event."""
    estimate = _estimate(cell)
    return None if estimate is None else estimate if rising else 1 - estimate


def _words(cell: MapCell | None, scope: Scope) -> str:
    estimate = _estimate(cell)
    if cell is None or estimate is None or cell.n is None:
        return _TOO_FEW
    return f"{format_percent(estimate, precision_of(cell.n, scope))} ({format_part(cell.n)})"
