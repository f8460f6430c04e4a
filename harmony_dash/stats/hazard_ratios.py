"""Hazard ratios of the levels of one variable, or of many variables one by one, from an event table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER, ChiSquareTest, fit_cox
from harmony_dash.stats.estimability import compare_patterns
from harmony_dash.stats.event_table import EventTable, Floats, Ints
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


@dataclass(frozen=True)
class VariableHazardRatios:
    """The answer for one of many variables: its hazard ratios, or why there are none (then `ratios` is None)."""

    variable: str
    ratios: HazardRatios | None
    refusal: str


def estimate_hazard_ratios(table: EventTable, reference: str | int = 0, *, cause: str | int | None = None,
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
    table : event table whose groups are the levels; its strata stratify the model.
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
    one = _Levels(count_risk_grid(table), np.arange(len(table.groups)), table.groups, table.patients,
                  _count_events(table, cause), len(table.strata), _position(table, cause), _name(table, cause))
    return _estimate(one, group_position(table, reference), level, least_events, events_per_parameter)


def estimate_many_hazard_ratios(table: EventTable, variables: Mapping[str, Sequence[str]], *,
                                references: Mapping[str, str] | None = None, cause: str | int | None = None,
                                level: float = 0.95, least_events: int = 1,
                                events_per_parameter: float = EVENTS_PER_PARAMETER) -> tuple[VariableHazardRatios, ...]:
    """Estimate the hazard ratios of many variables, one model each, from one long table.

    Assumes and formula as `estimate_hazard_ratios`. A patient stands in the table once for every variable whose value
    is known; the risk sets of all levels are counted together, once.

    Parameters
    ----------
    table : event table whose groups are the levels of all variables.
    variables : group labels of each variable's levels, in order.
    references : reference level of a variable; its first level when not given.
    cause, level, least_events, events_per_parameter : as in `estimate_hazard_ratios`.

    Returns
    -------
    VariableHazardRatios in the order of `variables`; one that cannot be estimated does not fail the others.

    Raises
    ------
    StatisticsError for an unknown level, a level named twice, or an unknown cause.

    References
    ----------
    As `estimate_hazard_ratios`.
    """
    index = {label: position for position, label in enumerate(table.groups)}
    named = [label for labels in variables.values() for label in labels]
    if len(set(named)) < len(named) or not index.keys() >= set(named):
        raise StatisticsError("every level of a variable is a group of the event table, of that variable alone")
    grid, patients, events = count_risk_grid(table), table.patients, _count_events(table, cause)
    position, name = _position(table, cause), _name(table, cause)
    answers = []
    for variable, labels in variables.items():
        if not labels:
            answers.append(VariableHazardRatios(variable, None, f"{variable!r} has no levels."))
            continue
        first = (references or {}).get(variable, labels[0])
        if first not in labels:
            raise StatisticsError(f"{variable!r} has no level {first!r}")
        columns = np.array([index[label] for label in labels], dtype=np.int64)
        one = _Levels(grid, columns, tuple(labels), patients[columns], events[columns], len(table.strata), position,
                      name)
        try:
            ratios = _estimate(one, list(labels).index(first), level, least_events, events_per_parameter)
            answers.append(VariableHazardRatios(variable, ratios, ""))
        except StatisticsError as refusal:
            answers.append(VariableHazardRatios(variable, None, refusal.message))
    return tuple(answers)


@dataclass(frozen=True)
class _Levels:
    """The levels of one variable; `columns` are theirs in the grid."""

    grid: RiskGrid
    columns: Ints
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
    model = fit_cox(days, (kept[:, None] == compared).astype(np.float64), [one.labels[g] for g in compared],
                    level=level, events_per_parameter=events_per_parameter)
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
    return select_pattern_days(one.grid, one.columns[levels], one.position, strata=one.strata, cause=one.cause,
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


def _position(table: EventTable, cause: str | int | None) -> int | None:
    return None if cause is None else cause_position(table, cause)


def _name(table: EventTable, cause: str | int | None) -> str | None:
    return None if cause is None else table.causes[cause_position(table, cause)]


def _count_events(table: EventTable, cause: str | int | None) -> Ints:
    """Return the events of each group, shape (groups,)."""
    position = _position(table, cause)
    counts: Ints = add_causes(table.event_counts) if position is None else table.event_counts[:, position]
    return counts
