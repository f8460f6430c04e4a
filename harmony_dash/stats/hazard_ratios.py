"""Hazard ratios of the levels of one variable, from an event table or the levels side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER, ChiSquareTest, fit_cox
from harmony_dash.stats.estimability import compare_patterns
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.level_grid import LevelGrid
from harmony_dash.stats.partial_likelihood import PatternDays, select_pattern_days
from harmony_dash.stats.risk_sets import RiskGrid, add_causes, cause_position, count_risk_grid, group_position


@dataclass(frozen=True)
class LevelHazardRatio:
    """One level of a variable against the reference level.

    Attributes
    ----------
    level : label of the level.
    patients, events : of this level.
    ratio, lower, upper : hazard ratio and its Wald limits. The reference has ratio 1 and no limits (NaN). NaN
        throughout where it is not estimable.
    log_ratio, std_error : natural logarithm of the ratio and its standard error.
    p : Wald test of a ratio of 1; NaN for the reference.
    not_estimable : why there is no ratio; empty where there is one.
    """

    level: str
    patients: int
    events: int
    ratio: float
    lower: float
    upper: float
    log_ratio: float
    std_error: float
    p: float
    not_estimable: str


@dataclass(frozen=True)
class HazardRatios:
    """The levels of one variable in one Cox model.

    Attributes
    ----------
    reference : label of the reference level.
    levels : every level of the table, in its order, the reference included.
    left_out : labels of the levels the model was fitted without; `levels` says why.
    patients, events : of the levels in the model.
    informative_events : events on days with two levels at risk in their stratum.
    strata : number of strata that compare levels.
    cause : the cause counted as event, None for any.
    level : confidence level.
    likelihood_ratio_test : of no difference between any levels in the model.
    """

    reference: str
    levels: tuple[LevelHazardRatio, ...]
    left_out: tuple[str, ...]
    patients: int
    events: int
    informative_events: int
    strata: int
    cause: str | None
    level: float
    likelihood_ratio_test: ChiSquareTest

    @property
    def methods(self) -> str:
        """The method in words."""
        stratified = f", {self.strata} strata" if self.strata > 1 else ""
        without = f"; fitted without {', '.join(self.left_out)}" if self.left_out else ""
        return (f"hazard ratios against {self.reference}, Cox proportional hazards model{stratified}, Efron ties, "
                f"{100 * self.level:g} % Wald confidence interval, likelihood-ratio test{without}")


def estimate_hazard_ratios(table: EventTable | LevelGrid, reference: str | int = 0, *, cause: str | int | None = None,
                           level: float = 0.95, least_events: int = 1,
                           events_per_parameter: float = EVENTS_PER_PARAMETER) -> HazardRatios:
    """Estimate the hazard ratio of every level of a variable against one of them, inside strata.

    Assumes
        Hazards within a stratum are proportional between levels. Censoring and late entry are independent of the event
        given level and stratum. Several events on a day are ties (Efron).

    Formula
        A Cox model with one 0/1 column for each level but the reference (see `fit_cox`). The model is fitted without
        the levels whose ratio it does not determine: with no patients or too few events, never at risk beside the
        reference, straight or through others, or with all events on one side of every such comparison. Leaving out a
        level without events is what the likelihood tends to as its ratio tends to 0, so it moves no other ratio.

    Parameters
    ----------
    table : event table, or grid, whose groups are the levels; its strata stratify the model.
    reference : label or position of the reference level; the first of the table by default.
    cause : name or position of the cause that counts as event, the others being censored; None for any cause.
    level : confidence level.
    least_events : a level with fewer events is not estimated, at least 1.
    events_per_parameter : as in `fit_cox`.

    Returns
    -------
    HazardRatios; a level that cannot be estimated is named with its reason and does not fail the others.

    Raises
    ------
    StatisticsError if the reference is unknown or has too few events, if no level can be compared with it, or with too
    few events for the levels that can.

    References
    ----------
    Cox, J R Stat Soc B 34 (1972) 187-220; Therneau, Grambsch, Modeling Survival Data (2000), chapter 3.
    """
    position = None if cause is None else cause_position(table, cause)
    grid = table.count_at_risk() if isinstance(table, LevelGrid) else count_risk_grid(table)
    counts = table.event_counts
    one = _Levels(grid, table.groups, table.patients, add_causes(counts) if position is None else counts[:, position],
                  len(table.strata), position, None if position is None else table.causes[position])
    return _estimate(one, group_position(table, reference), level, least_events, events_per_parameter)


@dataclass(frozen=True)
class _Levels:
    """The levels of one variable side by side, and what is counted as event."""

    grid: RiskGrid
    labels: tuple[str, ...]
    patients: Ints
    events: Ints
    strata: int
    position: int | None
    cause: str | None


def _estimate(one: _Levels, reference: int, level: float, least_events: int,
              events_per_parameter: float) -> HazardRatios:
    if least_events < 1:
        raise StatisticsError("a hazard ratio needs at least one event in each level")
    reasons = [_count_reason(int(n), int(d), least_events) for n, d in zip(one.patients, one.events, strict=True)]
    first = one.labels[reference]
    if reasons[reference]:
        raise StatisticsError(f"the reference level {first!r} has {reasons[reference]}",
                              remedy="choose another reference level")
    candidates = np.array([position for position, reason in enumerate(reasons) if not reason], dtype=np.int64)
    days = _select(one, candidates)
    kept = _comparable(days, candidates, reference, reasons)
    if len(kept) == 1:
        others = "; ".join(f"{label!r}: {reason}" for label, reason in zip(one.labels, reasons, strict=True) if reason)
        raise StatisticsError(f"no level can be compared with the reference level {first!r}"
                              + (f" ({others})" if others else ""))
    compared = kept[kept != reference]
    days = days if len(kept) == len(candidates) else _select(one, kept)
    # Events lead from each level kept to each other one, so their differences have one finite maximum.
    model = fit_cox(days, (kept[:, None] == compared).astype(np.float64), [one.labels[g] for g in compared],
                    level=level, events_per_parameter=events_per_parameter, known_estimable=True)
    estimates = np.full((len(one.labels), 6), np.nan)
    estimates[compared] = np.column_stack([model.ratio, model.lower, model.upper, model.coefficients, model.std_error,
                                           model.p])
    estimates[reference] = 1, np.nan, np.nan, 0, np.nan, np.nan
    levels = tuple(_describe(label, int(one.patients[g]), int(one.events[g]), estimates[g], reasons[g])
                   for g, label in enumerate(one.labels))
    return HazardRatios(first, levels, tuple(entry.level for entry in levels if entry.not_estimable),
                        model.patients, model.events, model.informative_events, model.strata, model.cause, level,
                        model.likelihood_ratio_test)


def _describe(label: str, patients: int, events: int, estimate: Floats, reason: str) -> LevelHazardRatio:
    ratio, lower, upper, log_ratio, std_error, p = estimate.tolist()
    return LevelHazardRatio(label, patients, events, ratio, lower, upper, log_ratio, std_error, p, reason)


def _count_reason(patients: int, events: int, least_events: int) -> str:
    if patients == 0:
        return "no patients"
    if events == 0:
        return "no events"
    return f"fewer than {least_events} events" if events < least_events else ""


def _select(one: _Levels, levels: Ints) -> PatternDays:
    return select_pattern_days(one.grid, levels, one.position, strata=one.strata, cause=one.cause,
                               patients=one.patients[levels])


def _comparable(days: PatternDays, candidates: Ints, reference: int, reasons: list[str]) -> Ints:
    """Return the levels with a finite ratio to the reference, and write down why the others have none."""
    linked, wins = compare_patterns(days.together[0])
    # Two levels have a finite ratio when events lead from each to the other, straight or through other levels.
    reach = wins | np.eye(len(candidates), dtype=bool)
    for _ in range(len(candidates).bit_length()):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    place = int(np.flatnonzero(candidates == reference)[0])
    mutual = reach[place] & reach[:, place]
    for j, g in enumerate(candidates):
        if linked[j] != linked[place]:
            reasons[g] = "never at risk beside the reference level, in one stratum, on a day with an event"
        elif not mutual[j]:
            reasons[g] = "all events fall on one side of the comparison with the reference level"
    kept: Ints = candidates[mutual]
    return kept
