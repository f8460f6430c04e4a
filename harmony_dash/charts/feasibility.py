"""Where a question has its patients, and what it loses the others by."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from harmony_dash.charts.figures import build_figure
from harmony_dash.charts.flow import DIFFERS, Bar, build_bars
from harmony_dash.charts.numbers import NOTHING, format_count
from harmony_dash.charts.palette import palette_for
from harmony_dash.disclosure.feasibility_results import CountryCount, FeasibilityResult
from harmony_dash.disclosure.released import Released

MOST_JOINT = 6


def build_country_figure(released: Released[FeasibilityResult], *, names: Mapping[str, str], dark: bool = False,
                         ) -> go.Figure:
    """Patients counted by country; those without a number are left to the table."""
    minimum = released.scope.rules.minimum_cell
    bars = [Bar(names.get(one.country, one.country), float(one.n or 0), name_country_count(one, minimum))
            for one in released.value.by_country if one.n]
    return build_figure(build_bars(bars, palette_for(dark), title="Patients"))


def name_country_count(one: CountryCount, minimum: int) -> str:
    """The number of a country as it is printed, with the mark of a slightly different question."""
    if not one.answered:
        return NOTHING
    return f"{format_count(one.n, minimum)}{DIFFERS if one.differs and one.n is not None else ''}"


def build_loss_figure(released: Released[FeasibilityResult], *, dark: bool = False) -> go.Figure:
    """Who meets every filter and is lost, by exactly what is not known of them; most lost first."""
    return build_figure(build_bars([Bar(words, float(n), f"{n:,}") for words, n in rank_losses(released.value)],
                                   palette_for(dark), title="Patients of whom it is not known"))


def rank_losses(result: FeasibilityResult) -> list[tuple[str, int]]:
    """What is not known, alone or together, and of how many patients; only numbers that may be shown."""
    alone = "{} alone" if len(result.losses) > 1 else "{}"
    found = [(alone.format(one.label), one.only) for one in result.losses if one.only]
    found += [(" + ".join(one.labels), one.n) for one in result.joint[:MOST_JOINT] if one.n]
    return sorted(((words, n) for words, n in found if n), key=lambda pair: -pair[1])
