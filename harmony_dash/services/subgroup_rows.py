"""From the levels of a variable to the rows of the table. Every number comes from `stats`; this only arranges them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable, VariableType
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.grid import grid_days, snap_to_grid
from harmony_dash.disclosure.keyed_count import keyed
from harmony_dash.disclosure.results import EstimateAt, GroupResult, IntervalType
from harmony_dash.disclosure.subgroup_results import (
    Finding,
    LevelsTest,
    RowKind,
    SubgroupRow,
    SubgroupVariable,
)
from harmony_dash.errors import StatisticsError
from harmony_dash.services.estimates import estimate_group
from harmony_dash.services.late_entry import Together, find_together, why_withheld
from harmony_dash.services.level_comparison import LevelComparison, compare_levels, compare_over_time
from harmony_dash.services.subgroup_levels import Level, VariableLevels
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.hazard_ratios import LevelHazardRatio
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients
from harmony_dash.store.level_tables import NOT_RECORDED

_NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Reading:
    """How the rows of one table are read: endpoint and cohort, the day, the interval, and for whom.

    Attributes
    ----------
    countries : the condition that a grant puts on the cohort, None without one.
    late_entry : patients of the snapshot come under observation late.
    """

    question: Question
    at_days: int
    interval: IntervalType
    scope: Scope
    countries: OneOf | None = None
    late_entry: bool = False

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint followed."""
        return endpoint_named(self.question.endpoint)

    @property
    def day(self) -> int:
        """The day that estimates name: protected ones are read on the quarterly grid."""
        return snap_to_grid(self.at_days) if self.scope.is_protected else self.at_days

    @property
    def too_few(self) -> str:
        """Why a row of a protected result has no curve."""
        return why_withheld(too_few(self.scope.rules), self.scope.rules, late_entry=self.late_entry)


def build_variable(levels: VariableLevels, reading: Reading) -> SubgroupVariable:
    """The rows of one variable, with hazard ratios between its levels. A variable that cannot be compared says why."""
    variable = levels.variable
    comparison = _compare(levels, reading)
    entries = {entry.level: entry for entry in comparison.ratios.levels} if comparison.ratios else {}
    together = _find_together(levels, reading)
    # Nearly all levels of a variable stand in one table.
    counts = {key: count_levels(table) for key, table in
              {id(level.table): level.table for level in levels.levels}.items() if table is not None}
    rows = tuple(_build_row(level, counts.get(id(level.table), {}), variable, entries.get(level.value), comparison,
                            None if level.kind is RowKind.MISSING else together, reading) for level in levels.levels)
    test = None
    if comparison.ratios is not None:
        found = comparison.ratios.likelihood_ratio_test
        test = LevelsTest(found.statistic, found.df, found.p)
    return SubgroupVariable(variable.name, variable.label, rows, comparison.reference, test, Finding.EXPLORATORY,
                            reason=comparison.reason, over_time=compare_over_time(comparison, reading.endpoint),
                            is_circumstance=variable.is_circumstance)


def _compare(levels: VariableLevels, reading: Reading) -> LevelComparison:
    if levels.grid is None:
        return LevelComparison("", None, "too few patients")
    return compare_levels(levels.grid, reading.endpoint, reading.scope, levels=levels.comparable)


def _find_together(levels: VariableLevels, reading: Reading) -> Together | None:
    """The levels whose curves start together, as on the survival page; None without late entry."""
    tables = {level.value: level.table for level in levels.levels
              if level.table is not None and level.kind is not RowKind.MISSING}
    first = next(iter(tables.values()), None)
    if first is None or not first.has_late_entry:
        return None
    counts = count_levels(first)
    table = first.select_groups([value for value in tables if _is_drawn(*counts[value], reading.scope)])
    return find_together(table, reading.scope)


def _is_drawn(n: int, events: int, scope: Scope) -> bool:
    return scope.rules.carries_curve(n, events) if scope.is_protected else n > 0


def count_levels(table: EventTable) -> dict[str, tuple[int, int]]:
    """Patients of each level, and those with the event of interest; with their keys where the table has them."""
    if table.keys is None:
        return dict(zip(table.groups, zip(table.patients.tolist(), table.event_counts[:, 0].tolist(), strict=True),
                        strict=True))
    events = keyed(count_keyed_events(table)[:, 0])
    return dict(zip(table.groups, zip(keyed(count_keyed_patients(table)), events, strict=True), strict=True))


def _build_row(level: Level, counts: Mapping[str, tuple[int, int]], variable: Variable,
               entry: LevelHazardRatio | None, comparison: LevelComparison, together: Together | None,
               reading: Reading) -> SubgroupRow:
    name = name_level(variable, level.value)
    if level.table is None:
        reason = why_withheld(level.reason, reading.scope.rules, late_entry=reading.late_entry)
        return SubgroupRow(level.value, name, level.kind, None, None, None, reason=reason)
    n, events = counts[level.value]
    at, group, reason = read_level(level.table, level.value, n, events, together, reading)
    ratio = comparison.hazard_ratios.get(level.value)
    is_reference = bool(level.value) and level.value == comparison.reference
    is_apart = together is not None and level.value in together.apart
    if ratio is None and not is_reference and not is_apart and level.kind is RowKind.LEVEL:
        reason = _why_no_ratio(entry, comparison, reading.scope) or reason
    return SubgroupRow(level.value, name, level.kind, n, events, at, is_reference, ratio, None, reason,
                       level.own_question, (), group)


def _why_no_ratio(entry: LevelHazardRatio | None, comparison: LevelComparison, scope: Scope) -> str:
    if entry is not None and not scope.is_protected:
        return entry.not_estimable
    return "too few" if comparison.ratios is not None else ""


def read_level(table: EventTable, value: str, n: int, events: int, together: Together | None, reading: Reading,
          ) -> tuple[EstimateAt | None, GroupResult | None, str]:
    """The estimate of a row on the day of the table; for protection also everything its curve is made of."""
    scope = reading.scope
    if not _is_drawn(n, events, scope):
        return None, None, reading.too_few if scope.is_protected else "no patients"
    if together is not None and value in together.apart:
        return None, None, reading.too_few if scope.is_protected else together.apart[value]
    start = None if together is None else together.start
    try:
        if not scope.is_protected:
            return read_headline(table, value, reading, from_day=start), None, ""
        group = read_group(table, value, reading, from_day=start)
    except StatisticsError as problem:
        return None, None, reading.too_few if scope.is_protected else problem.problem
    return None, group, ""


def read_group(table: EventTable, value: str, reading: Reading, *, from_day: int | None = None) -> GroupResult:
    """Everything that the survival page knows of a group, for protection.

    Raises
    ------
    StatisticsError if late entry leaves the group unobserved for a while, or never brings enough patients together.
    """
    alone = table.select_groups([value])
    if from_day is None:
        together = find_together(alone, reading.scope, reading.question.horizon_days)
        if together.apart:
            raise StatisticsError(together.apart[value])
        from_day = together.start
    return estimate_group(
        alone, value, label={"": value}, name=value or NOT_RECORDED, question=reading.question,
        interval=reading.interval, days=(reading.at_days,), ticks=(0,), restricted_mean=None, from_day=from_day,
        followed=alone, grid=grid_days(int(alone.day.max(initial=0))))


def read_headline(table: EventTable, value: str, reading: Reading, *, from_day: int | None = None) -> EstimateAt:
    """The estimate that goes by the endpoint's name, on the day of the table.

    Survival by Kaplan-Meier, one minus it for an endpoint shown as failure, and with competing causes the cumulative
    incidence of the cause of interest, never one minus Kaplan-Meier.

    Raises
    ------
    StatisticsError if late entry leaves the group unobserved for a while.
    """
    endpoint, day, interval = reading.endpoint, reading.at_days, reading.interval.value
    if endpoint.competing:
        incidence = read_incidence(
            estimate_cumulative_incidence(table, value, interval=interval, from_day=from_day), [day])
        values = [incidence.incidence[0, 0], incidence.lower[0, 0], incidence.upper[0, 0]]
        at_risk = int(incidence.at_risk[0])
    else:
        survival = read_survival(estimate_survival(table, value, interval=interval, from_day=from_day), [day])
        values = [survival.survival[0], survival.lower[0], survival.upper[0]]
        at_risk = int(survival.at_risk[0])
        if endpoint.shown_as_failure:
            values = [1 - values[0], 1 - values[2], 1 - values[1]]
    estimate, lower, upper = (None if math.isnan(share) else float(share) for share in values)
    return EstimateAt(day, estimate, lower, upper, at_risk)


def name_level(variable: Variable, value: str) -> str:
    """The words for a level."""
    if value == NOT_RECORDED:
        return _NOT_RECORDED
    words = variable.label_of(value)
    return words.lower() if variable.type is VariableType.YES_NO else words
