"""From a released result to what is written, by the kind of result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.export.coverage import summarise_coverage
from harmony_dash.export.descriptions import summarise_outcome_map, summarise_table_one
from harmony_dash.export.feasibility import summarise_feasibility
from harmony_dash.export.subgroups import summarise_subgroups
from harmony_dash.export.summary import Summary
from harmony_dash.export.survival import summarise_survival


@dataclass(frozen=True)
class Looks:
    """How the figure and the tables for people show the result.

    Attributes
    ----------
    time_unit : of the axis and of medians.
    all_causes : competing causes side by side, instead of the cause of interest alone.
    """

    time_unit: TimeUnit = TimeUnit.YEARS
    all_causes: bool = False


def summarise(released: Released[Any], looks: Looks) -> Summary:
    """The result as tables, words and a figure.

    Raises
    ------
    TypeError for a result that is not released or not protected, or has no form for files.
    """
    if not isinstance(released, Released) or not released.scope.is_protected:
        raise TypeError("only released, protected results are written to files")
    return _summarise(released.value, released, looks)


@singledispatch
def _summarise(value: Any, released: Released[Any], looks: Looks) -> Summary:
    raise TypeError(f"{type(value).__name__} has no form for files")


@_summarise.register
def _(value: SurvivalResult, released: Released[SurvivalResult], looks: Looks) -> Summary:
    return summarise_survival(released, time_unit=looks.time_unit, all_causes=looks.all_causes)


@_summarise.register
def _(value: SubgroupsResult, released: Released[SubgroupsResult], looks: Looks) -> Summary:
    return summarise_subgroups(released)


@_summarise.register
def _(value: TableOne, released: Released[TableOne], looks: Looks) -> Summary:
    return summarise_table_one(released)


@_summarise.register
def _(value: OutcomeMap, released: Released[OutcomeMap], looks: Looks) -> Summary:
    return summarise_outcome_map(released)


@_summarise.register
def _(value: CoverageResult, released: Released[CoverageResult], looks: Looks) -> Summary:
    return summarise_coverage(released)


@_summarise.register
def _(value: FeasibilityResult, released: Released[FeasibilityResult], looks: Looks) -> Summary:
    return summarise_feasibility(released)
