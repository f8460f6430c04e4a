"""Hazard ratios between the levels of a variable: the one function behind every page that shows one.

Which levels take part, and against which of them, is decided here and nowhere else, so that the survival page, the
table of subgroups and an export give the same number to the same question.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.cohort.endpoints import Endpoint
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.results import EqualityTest, HazardRatio
from harmony_dash.errors import StatisticsError
from harmony_dash.services.within_strata import drop_small_cells, link_levels
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER, fit_cox
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.hazard_ratios import HazardRatios, estimate_hazard_ratios
from harmony_dash.stats.level_grid import LevelGrid
from harmony_dash.stats.proportional_hazards import compare_effects_over_time

# On fewer events in a level its ratio is a matter of chance, whoever looks at it (see EVENTS_PER_PARAMETER).
FEWEST_EVENTS: Final = 5
# Ten events a parameter where a result leaves protected; so the degrees of freedom are ten or more as well.
PROTECTED_EVENTS_PER_PARAMETER: Final = 10.0
# A forest of more is no longer read, and hardly any of its rows would have enough patients.
MOST_LEVELS: Final = 30


@dataclass(frozen=True)
class LevelComparison:
    """The levels of one variable against each other.

    Attributes
    ----------
    reference : the level the others are compared with; empty if there is no comparison.
    ratios : the comparison, None if there is none.
    reason : why there is none.
    table : the patients it was made of.
    """

    reference: str
    ratios: HazardRatios | None
    reason: str = ""
    table: EventTable | LevelGrid | None = None

    @property
    def hazard_ratios(self) -> Mapping[str, HazardRatio]:
        """Level to its ratio against the reference, of those that have one."""
        levels = self.ratios.levels if self.ratios else ()
        return {entry.level: HazardRatio(entry.ratio, entry.lower, entry.upper, entry.p) for entry in levels
                if not entry.not_estimable and not math.isnan(entry.p)}


def compare_levels(table: EventTable | LevelGrid, endpoint: Endpoint, scope: Scope, *,
                   levels: Sequence[str] | None = None) -> LevelComparison:
    """Compare the hazards of a variable's levels, by the cause of interest and inside the strata of the table.

    Patients who were not tested, or whose test failed, are in no level. The reference is the first level, in the
    table's order, with enough patients and events; another one only if more levels can be compared with it, because the
    first is never at risk beside them (infants have trials of their own). Where results leave protected, levels with
    few patients or events take no part at all, because the other ratios would tell of them, and no ratio rests on few
    patients beside one another inside strata.

    Parameters
    ----------
    table : event table, or grid, whose groups are the levels.
    endpoint : with competing causes the ratio is cause-specific: the other causes are censored.
    scope : how the result will leave.
    levels : those that may be compared; all by default.
    """
    allowed = [label for label in table.groups if label and label not in UNTESTED
               and (levels is None or label in levels)]
    least = scope.rules.minimum_events if scope.is_protected else FEWEST_EVENTS
    counts = dict(zip(table.groups, zip(table.patients.tolist(), table.event_counts[:, 0].tolist(), strict=True),
                      strict=True))
    enough = [label for label in allowed if counts[label][1] >= least
              and (not scope.is_protected or _may_be_told(*counts[label], scope))]
    if len(enough if scope.is_protected else [label for label in allowed if counts[label][0]]) > MOST_LEVELS:
        return LevelComparison("", None, f"more than {MOST_LEVELS} levels")
    if len(enough) < 2:
        few = "fewer than two levels" if allowed else "no level"
        return LevelComparison("", None, f"{few} with {least} events or more")
    taking_part = table.select_groups(enough if scope.is_protected else allowed)
    if scope.is_protected:
        taking_part = drop_small_cells(taking_part, scope)
        enough = list(link_levels(taking_part, scope)[0])
        taking_part = drop_small_cells(taking_part.select_groups(enough), scope)
    best: LevelComparison | None = None
    refusal = ""
    for reference in enough:
        try:
            ratios = estimate_hazard_ratios(
                taking_part, reference, cause=endpoint.causes[0] if endpoint.competing else None, least_events=least,
                events_per_parameter=PROTECTED_EVENTS_PER_PARAMETER if scope.is_protected else EVENTS_PER_PARAMETER)
        except StatisticsError as problem:
            refusal = refusal or problem.problem
            continue
        if best is None or best.ratios is None or len(ratios.left_out) < len(best.ratios.left_out):
            best = LevelComparison(reference, ratios, table=taking_part)
        if len(ratios.left_out) == len(taking_part.groups) - len(enough):
            break
    if best is not None:
        return best
    # what exactly is in the way may be a count
    return LevelComparison("", None, "too few events to compare levels" if scope.is_protected else refusal)


def _may_be_told(n: int, events: int, scope: Scope) -> bool:
    """Whether a level may be compared where results leave protected: it carries a curve, and its events are told, which
    they are not where nearly everybody has had one."""
    return scope.rules.carries_curve(n, events) and n - events >= scope.rules.minimum_cell


def compare_over_time(comparison: LevelComparison, endpoint: Endpoint) -> EqualityTest | None:
    """Whether the hazard ratios of a comparison change with time; None where that cannot be tested."""
    table, ratios = comparison.table, comparison.hazard_ratios
    if table is None or not ratios:
        return None
    kept = [label for label in table.groups if label == comparison.reference or label in ratios]
    compared = [label for label in kept if label != comparison.reference]
    chosen = table.select_groups(kept)
    levels = chosen.to_table() if isinstance(chosen, LevelGrid) else chosen
    design = np.array([[label == other for other in compared] for label in kept], dtype=np.float64)
    try:
        model = fit_cox(levels, design, compared, cause=endpoint.causes[0] if endpoint.competing else None,
                        events_per_parameter=EVENTS_PER_PARAMETER)
        test = compare_effects_over_time(levels, model).overall
    except StatisticsError:
        return None
    return EqualityTest("Grambsch–Therneau test of proportional hazards", test.statistic, test.df, test.p,
                        model.informative_events)
