"""What the printed survival figure shows: which curves in which panel, on which axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmony_dash.charts.axes import nice_end
from harmony_dash.charts.curves import Series, start_curve
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.palette import LIGHT
from harmony_dash.charts.survival.figure import DEFAULT_HORIZON_DAYS
from harmony_dash.charts.survival.frame import MOST_CURVES
from harmony_dash.cohort.endpoints import Endpoint, TimeZero, endpoint_named
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.headline import counts_failures, headline_censorings, headline_curve
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import Curve, SurvivalResult

_MOST_BACKDROPS = 12


@dataclass(frozen=True)
class Panel:
    """One pair of axes: its heading, its curves, and others that stand pale behind them."""

    heading: str
    series: tuple[Series, ...]
    backdrop: tuple[Curve, ...] = ()


@dataclass(frozen=True)
class Frame:
    """The whole figure.

    Attributes
    ----------
    panels : from left to right, line by line.
    faceted : one panel a group, because there are too many for one pair of axes.
    named : whether the groups have names worth showing.
    unit, end_days, top : of the axes; `top` is a share.
    horizon_days : where values are read off; None beyond the curves.
    time_label : words under the time axis.
    all_events : what the events of the risk table are called.
    """

    panels: tuple[Panel, ...]
    faceted: bool
    named: bool
    unit: TimeUnit
    end_days: float
    top: float
    horizon_days: int | None
    time_label: str
    events_label: str

    @property
    def end(self) -> float:
        """The end of the time axis in its unit."""
        return self.end_days / self.unit.days


def build_frame(released: Released[SurvivalResult], unit: TimeUnit, *, all_causes: bool) -> Frame:
    """The panels of a result: its groups together, one a competing cause, or one a group."""
    result = released.value
    endpoint, question = endpoint_named(result.question.endpoint), result.question
    causes = (endpoint.causes if all_causes else endpoint.causes[:1]) if endpoint.competing else ("",)
    faceted = len(result.groups) > MOST_CURVES
    columns = [_series_of(released, endpoint, cause, one_colour=faceted)
               for cause in (causes[:1] if faceted else causes)]
    everything = [one for column in columns for one in column]
    last = max((float(one.curve.days[-1]) for one in everything), default=0.0)
    asked = None if question.horizon_days is None else grid_days(question.horizon_days)[-1]
    end_days = float(asked or last or DEFAULT_HORIZON_DAYS)
    horizon = asked or DEFAULT_HORIZON_DAYS
    zero = "remission" if endpoint.time_zero is TimeZero.REMISSION else endpoint.time_zero.value
    since = f"day {question.landmark_days} after {zero}" if question.landmark_days else zero
    return Frame(
        panels=_facets(columns[0]) if faceted else _side_by_side(columns, endpoint), faceted=faceted,
        named=len(result.groups) > 1 or bool(question.by), unit=unit, end_days=end_days,
        top=_highest(everything) if counts_failures(endpoint) and everything else 1.0,
        horizon_days=horizon if horizon <= end_days * 1.001 else None,
        time_label=f"{unit.value.capitalize()} since {since}",
        events_label="All events" if endpoint.competing else "Events")


def _series_of(released: Released[SurvivalResult], endpoint: Endpoint, cause: str, *, one_colour: bool,
               ) -> tuple[Series, ...]:
    start = 0.0 if counts_failures(endpoint) else 1.0
    found = []
    for place, group in enumerate(released.value.groups):
        curve = headline_curve(group, endpoint, cause)
        if curve is not None and len(curve.days):
            colour = 0 if one_colour else place
            found.append(Series(group.name, LIGHT.marks[colour], LIGHT.words[colour], start_curve(curve, start), start,
                                group.risk_table, headline_censorings(group, endpoint),
                                released.scope.rules.minimum_cell, precision_of(group.n, released.scope)))
    return tuple(found)


def _side_by_side(columns: Sequence[tuple[Series, ...]], endpoint: Endpoint) -> tuple[Panel, ...]:
    labels = endpoint.cause_labels if len(columns) > 1 else ("",)
    return tuple(Panel(label[:1].upper() + label[1:], series)
                 for label, series in zip(labels, columns, strict=True))


def _facets(series: Sequence[Series]) -> tuple[Panel, ...]:
    return tuple(Panel(one.name, (one,), tuple(other.curve for other in series if other is not one)
                       if len(series) <= _MOST_BACKDROPS else ()) for one in series)


def _highest(series: Sequence[Series]) -> float:
    tops = [np.concatenate([one.curve.estimate, one.curve.upper[np.isfinite(one.curve.upper)]]) for one in series]
    return nice_end(float(max(top.max() for top in tops)))
