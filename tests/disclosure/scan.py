"""Everything that is sent for an answer, looked at: the result, the figure, the tables, the words. Problems as text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd

from harmony_dash.charts.case_mix import build_case_mix_figure
from harmony_dash.charts.completeness import build_completeness_figure
from harmony_dash.charts.coverage import (
    build_accrual_figure,
    build_country_figure,
    build_cross_figure,
    build_follow_up_figure,
    build_trial_figure,
    describe_coverage,
)
from harmony_dash.charts.coverage_map import build_map_figure, not_on_map
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.charts.survival.figure import build_survival_figure
from harmony_dash.charts.survival.words import describe_survival
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure import Released
from harmony_dash.disclosure.coverage_results import CoverageResult, Status
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.policy import DAYS_PER_MONTH
from harmony_dash.disclosure.precision import describe_precision
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.results import Curve, SurvivalResult
from harmony_dash.ui.components.answer_notes import (
    build_notes_line,
    describe_compared,
    describe_unapplied,
    explain_dagger,
)
from harmony_dash.ui.components.cohort_flow import build_flow_table, build_flow_words
from harmony_dash.ui.components.coverage_tables import (
    build_case_mix_table,
    build_completeness_table,
    build_count_table,
    build_cross_table,
    build_period_table,
    build_source_table,
)
from harmony_dash.ui.components.tables import (
    build_estimates,
    build_key_numbers,
    build_mean_differences,
    build_pairwise,
    build_risk_table,
    describe_test,
)
from harmony_dash.ui.components.withheld import describe_missing_causes, describe_withheld

_COUNTS = frozenset({"n", "events", "removed", "at_risk", "censored", "total", "accepted", "quarantined"})
_MONTHS = frozenset({"median_days", "median_lower_days", "median_upper_days", "follow_up_median_days"})
_GRID = set(GRID.tolist())
# A cell of a table that is a count: a number, or why there is none.
_CELL = re.compile(r"^(?:[\d,]+|<10|hidden|–|)$")
_IN_WORDS = (re.compile(r"n = (\d[\d,]*)"), re.compile(r"(\d[\d,]*) (?:events|patients|at risk)\b"))
# Thresholds are numbers of patients or events too.
_THRESHOLDS = re.compile(r"(?:fewer than|to about|under|at least|below) [\d,]+|to [\d,]+ at risk|or [\d,]+ events")
_EXTREMES = re.compile(r"\b(?:minimum|maximum|youngest|oldest|earliest|latest|longest|shortest|range of)\b", re.I)


def scan_survival(released: Released[SurvivalResult]) -> Iterator[str]:
    """Problems of a survival answer and of what the page makes of it."""
    result = released.value
    yield from _scan_fields(result, "result")
    for group in result.groups:
        for curve in (group.curve, *(cause.curve for cause in group.cumulative_incidence)):
            yield from _scan_curve(curve)
        days = [*group.risk_table.days, *(at.days for at in group.at)]
        days += [] if group.restricted_mean is None else [group.restricted_mean.tau_days]
        yield from (f"day {day} is not on the grid" for day in days if day not in _GRID)
        if len(group.censorings.days):
            yield "there are censor marks"
    for unit in TimeUnit:
        yield from _scan_figure(released, unit)
        yield from _scan_table(build_key_numbers(released, unit), lambda name: name in ("Patients", "Events"))
        yield from _scan_table(build_risk_table(released, unit), lambda name: name not in ("Group", "Patients"))
    yield from _scan_table(build_estimates(released), lambda name: name == "At risk")
    flow = build_flow_table(result)
    # Without a group nobody is in the figure, whoever is in the cohort.
    yield from _scan_table(flow if result.groups else flow[:-1], lambda name: name in ("Removed", "Left"))
    words = [result.title, result.methods, result.summary, *result.notes, describe_survival(released),
             describe_missing_causes(released), *(" ".join(pair) for pair in describe_withheld(result)),
             build_flow_words(result.attrition, result.n), *describe_test(released), build_notes_line(result),
             *describe_unapplied(result), explain_dagger(result), describe_compared(result),
             describe_precision(result, released.scope),
             *build_pairwise(result).to_csv().splitlines(),
             *build_mean_differences(result, TimeUnit.YEARS).to_csv().splitlines()]
    for text in words:
        yield from _scan_words(text)


def scan_choices(released: Released[CohortChoices]) -> Iterator[str]:
    """Problems of the panel's counts."""
    value = released.value
    yield from _scan_count(value.total, "total")
    for name, counts in value.counts.items():
        for n in (*counts.values(), value.missing.get(name)):
            yield from _scan_count(n, name)


def scan_coverage(released: Released[CoverageResult]) -> Iterator[str]:
    """Problems of the coverage page."""
    result = released.value
    yield from _scan_fields(result, "coverage")
    columns = ("trial", *(table.by[1] for table in result.tables if table.by[:1] == ("country",)))
    periods = build_period_table(released)
    tables = ((build_count_table(released, "country", {}), {"Patients"}),
              (build_count_table(released, "trial", {}), {"Patients"}),
              *((build_cross_table(released, {}, name), {"Patients"}) for name in columns),
              (periods, set(periods.columns) - {"Period"}), (build_case_mix_table(released, {}), set()),
              (build_source_table(released, {}), {"Accepted", "Refused"}),
              *((build_completeness_table(released, part), set()) for part in (None, *Status)))
    for table, counts in tables:
        yield from _scan_table(table, counts.__contains__)
    for figure in (build_country_figure(released, names={}), build_trial_figure(released),
                   build_map_figure(released, names={}), build_accrual_figure(released),
                   build_case_mix_figure(released, names={}), build_follow_up_figure(released),
                   *(build_cross_figure(released, names={}, columns=name) for name in columns),
                   *(build_completeness_figure(released, part=part) for part in (None, *Status))):
        yield from _scan_words(figure.to_json())
    yield from _scan_words(" ".join([describe_coverage(released, {}), *not_on_map(released, {})]))


# -- parts ---------------------------------------------------------------------------------------------------------


def _scan_count(n: object, where: str) -> Iterator[str]:
    if n is None:
        return
    if type(n) is not int or n % 5 or n < 10:
        yield f"{where}: the count {n!r}"


def _scan_fields(value: Any, where: str) -> Iterator[str]:
    """Counts, medians and internal fields, wherever they stand in a result."""
    if isinstance(value, tuple | list):
        for one in value:
            yield from _scan_fields(one, where)
    elif (is_dataclass(value) and not isinstance(value, Curve)
          and type(value).__module__.startswith("harmony_dash.disclosure.")):
        for one in fields(value):
            inner, path = getattr(value, one.name), f"{where}.{one.name}"
            if one.metadata and inner != one.default:
                yield f"{path} is internal"
            elif type(value).__name__ == "EqualityTest":
                continue  # its events only say that they were enough
            elif one.name in _COUNTS:
                # A result without groups has no patients to speak of.
                empty = type(value).__name__ == "SurvivalResult" and not value.groups
                for n in inner if isinstance(inner, tuple) else () if empty else (inner,):
                    yield from _scan_count(n, path)
            elif one.name in _MONTHS and inner is not None:
                months = inner / DAYS_PER_MONTH
                if abs(months - round(months)) > 1e-4:
                    yield f"{path} is {inner} days"
            else:
                yield from _scan_fields(inner, path)


def _scan_curve(curve: Curve) -> Iterator[str]:
    if not set(curve.days.tolist()) <= _GRID:
        yield "a curve has a day between those of the grid"
    if not np.isfinite(curve.estimate).all() or np.diff(curve.estimate).min(initial=0) * np.diff(
            curve.estimate).max(initial=0) < 0:
        yield "a curve has gaps or turns"
    yield from (f"{n:g} at risk" for n in curve.at_risk[np.isfinite(curve.at_risk)] if n % 5 or n < 10)


def _scan_figure(released: Released[SurvivalResult], unit: TimeUnit) -> Iterator[str]:
    """Days that are drawn are those of the grid, and texts hold rounded counts, in every kind of trace."""
    competing = endpoint_named(released.value.question.endpoint)
    figure = build_survival_figure(released, time_unit=unit, causes=competing.causes)
    for trace in figure.data:
        days = np.asarray(trace.x if trace.x is not None else (), dtype=float) * unit.days
        near = GRID[np.clip(np.searchsorted(GRID, days), 1, len(GRID) - 1)]
        before = GRID[np.clip(np.searchsorted(GRID, days) - 1, 0, len(GRID) - 1)]
        if trace.line.dash == "dot":
            continue  # leads from the end of a curve to its label, beyond the axis
        off = np.minimum(np.abs(near - days), np.abs(before - days))
        # Single precision in years moves a day by thousandths.
        if len(days) and np.nanmax(off) > 0.02 and trace.mode != "text":
            yield f"a trace '{trace.mode}' has day {days[int(np.nanargmax(off))]:.2f}"
        if trace.mode == "text":
            for text in trace.text if isinstance(trace.text, Iterable) else ():
                yield from _scan_cell(str(text), "figure")
        for text in trace.customdata if trace.customdata is not None else ():
            yield from _scan_words(str(text))
    yield from _scan_words(json.dumps(figure.layout.to_plotly_json(), default=str))


def _scan_table(table: pd.DataFrame, is_count: Callable[[str], bool]) -> Iterator[str]:
    for name in table.columns:
        for cell in table[name]:
            yield from _scan_cell(str(cell), str(name)) if is_count(str(name)) else _scan_words(str(cell))
        if _EXTREMES.search(str(name)):
            yield f"the column {name}"


def _scan_cell(text: str, where: str) -> Iterator[str]:
    plain = re.sub(r"<[^>]*>", "", text.replace("<10", "few").replace("&lt;10", "few")).strip()
    if plain in ("few", ""):
        return
    if not _CELL.match(plain):
        yield f"{where}: the cell '{text}'"
    elif plain[0].isdigit():
        yield from _scan_count(int(plain.replace(",", "")), where)


def _scan_words(text: str) -> Iterator[str]:
    plain = _THRESHOLDS.sub("", text)
    for pattern in _IN_WORDS:
        for found in pattern.findall(plain):
            yield from _scan_count(int(found.replace(",", "")), f"words '{text[:60]}'")
    if _EXTREMES.search(plain):
        yield f"an extreme in '{text[:80]}'"
