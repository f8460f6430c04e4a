"""Does a treatment work differently in the levels of a variable? Answered from comparisons within trials alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.subgroup_question import MOST_ARMS, SubgroupsQuestion
from harmony_dash.dictionary.model import UNTESTED, Variable
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.keyed_count import NOBODY, keyed
from harmony_dash.disclosure.subgroup_results import (
    ArmCount,
    Finding,
    InteractionResult,
    Interval,
    LevelsTest,
    RowKind,
    SubgroupVariable,
    TreatmentInLevel,
)
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.level_comparison import FEWEST_EVENTS, PROTECTED_EVENTS_PER_PARAMETER
from harmony_dash.services.protection import plan_answer
from harmony_dash.services.subgroup_levels import VariableLevels, fetch_arms, fetch_keyed_arm
from harmony_dash.services.subgroup_rows import Reading, read_group
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.hazard_ratios import LevelHazardRatio, estimate_hazard_ratios
from harmony_dash.stats.interaction import TreatmentInteraction, compare_treatment_effect
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients
from harmony_dash.stats.level_grid import LevelGrid
from harmony_dash.stats.risk_sets import at_risk_on, count_risk_sets
from harmony_dash.stats.shrinkage import FEWEST_SUBGROUPS, shrink_effects
from harmony_dash.stats.stratified_difference import estimate_stratified_difference
from harmony_dash.store.level_tables import NOT_RECORDED, Levels, fetch_level_tables
from harmony_dash.store.reader import Snapshot

# ICEMAN asks for agreement between trials; two in three is what the label rule wants.
_AGREEING = 2 / 3
# A difference from trials with less of the smaller arm would speak for patients it did not look at.
_ENOUGH_OF_ARM = 2 / 3
# An interaction less sure than this is not worth the assessment of its credibility.
CREDIBILITY_BELOW = 0.1
_MARK = "\x1f"  # between level and arm in the labels of a table's groups


@dataclass(frozen=True)
class Arms:
    """The treatment of a table and its arms, the reference first."""

    variable: Variable
    values: tuple[str, ...]

    def name(self, value: str) -> str:
        """The words for an arm."""
        return self.variable.label_of(value)


def choose_arms(snapshot: Snapshot, question: SubgroupsQuestion, scope: Scope, *, countries: OneOf | None = None,
                ) -> Arms | None:
    """The arms to compare, by default those that enough patients of the cohort have; None without a treatment.

    Parameters
    ----------
    countries : as of `plan_answer`.

    Raises
    ------
    QuestionError if they are not two to four values that the data know.
    """
    if question.treatment is None:
        return None
    variable = snapshot.dictionary[question.treatment]
    known = [value for value in snapshot.values_of(variable) if value not in UNTESTED]
    wrong = [arm for arm in question.arms if arm not in known]
    if wrong:
        raise QuestionError(f"'{wrong[0]}' is not a value of {variable.name} in this snapshot", where="arms",
                            remedy=f"Choose from: {', '.join(known)}.")
    values = question.arms or _arms_in_use(snapshot, question, variable, known, scope, countries)
    if not 2 <= len(values) <= MOST_ARMS:
        raise QuestionError(f"'{variable.name}' has {len(values)} values with enough patients in this cohort, and two "
                            f"to {MOST_ARMS} arms are compared", where="arms",
                            remedy="Choose another treatment, or name the reference arm and those compared with it.")
    return Arms(variable, values)


def _arms_in_use(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable, known: Sequence[str],
                 scope: Scope, countries: OneOf | None) -> tuple[str, ...]:
    """The arms with patients; of a protected answer those that the cohort by treatment would be answered for."""
    if scope.is_protected:
        plan = plan_answer(snapshot, replace(question.cohort, by=variable.name), scope, countries=countries)
        return tuple(arm for arm in known if any(arm in part.groups for part in plan.parts))
    levels = Levels("arms", variable.name, tuple(known), missing=False)
    counts = fetch_level_tables(snapshot, question.cohort, [levels], strata=None)["arms"].patients.tolist()
    return tuple(arm for arm, n in zip(known, counts, strict=True) if n)


@dataclass(frozen=True)
class _Cells:
    """The patients of each level and arm.

    Attributes
    ----------
    table : groups are level and arm, strata the trials; patients whose trial is not known are left out.
    keyed : arm to event table of the levels with keys, where results leave protected.
    fit : arm to the levels it answers the cohort's own question for.
    """

    table: EventTable
    keyed: Mapping[str, EventTable]
    fit: Mapping[str, frozenset[str]]


def add_treatment(snapshot: Snapshot, question: SubgroupsQuestion, levels: VariableLevels, variable: SubgroupVariable,
                  arms: Arms, reading: Reading) -> SubgroupVariable:
    """The variable with the treatment's effect in each level, and the tests of its difference between levels."""
    if not levels.asked:
        return replace(variable, interactions=tuple(
            _without(arms, compared, "too few patients") for compared in arms.values[1:]))
    cells = _fetch_cells(snapshot, question, levels, arms, reading)
    rows = {row.level: row for row in variable.rows if row.kind is RowKind.LEVEL and row.level in levels.asked}
    interactions = []
    for compared in arms.values[1:]:
        pair = (arms.values[0], compared)
        in_levels = {level: _compare_in_level(cells, level, pair, arms, reading) for level in rows}
        # what a treatment does in levels that are watched at different times is not set side by side
        beside = {level: in_levels[level] for level in rows if level in levels.comparable}
        in_levels |= _shrink(beside)
        for level, (found, _) in in_levels.items():
            rows[level] = replace(rows[level], by_treatment=(*rows[level].by_treatment, found))
        if cells.table.has_late_entry:
            beside = {level: one for level, one in beside.items() if one[1] is not None}
        interactions.append(_interaction(cells, list(rows), list(beside), arms, compared, reading))
    return replace(variable, rows=tuple(rows.get(row.level, row) for row in variable.rows),
                   interactions=tuple(interactions))


def check_varies_within_trials(variables: Sequence[SubgroupVariable], arms: Arms) -> None:
    """Refuse a treatment that no trial of the cohort used beside another.

    Raises
    ------
    QuestionError.
    """
    trials = [found.trials for variable in variables for found in variable.interactions]
    if trials and not any(trials):
        raise QuestionError(
            f"no trial of this cohort has patients with different values of '{arms.variable.label}', so nothing can be "
            "said about its effect: what differs between trials is not the treatment alone", where="treatment",
            remedy="Choose a treatment that was compared within a trial, or other arms.")


def _fetch_cells(snapshot: Snapshot, question: SubgroupsQuestion, levels: VariableLevels, arms: Arms,
                 reading: Reading) -> _Cells:
    tables, fit = {}, {}
    for arm in arms.values if reading.scope.is_protected else ():
        try:
            tables[arm], fit[arm] = fetch_keyed_arm(snapshot, question, levels, arm, reading.scope,
                                                    countries=reading.countries)
        except QuestionError:
            fit[arm] = frozenset()
    grids = fetch_arms(snapshot, question, levels, arms.values)
    return _Cells(_join(grids), tables, fit)


def _join(grids: Mapping[str, LevelGrid]) -> EventTable:
    """One table of all arms, of patients whose stratum is known."""
    tables = {arm: grid.to_table() for arm, grid in grids.items()}
    first = next(iter(tables.values()))
    strata = tuple(name for name in first.strata if name != NOT_RECORDED)
    kept = {arm: table.stratum < len(strata) for arm, table in tables.items()}  # the last one is that of no value

    def column(name: str) -> Ints:
        return np.concatenate([getattr(table, name)[kept[arm]] for arm, table in tables.items()])

    groups = [f"{level}{_MARK}{arm}" for arm, table in tables.items() for level in table.groups]
    places = np.concatenate([table.group[kept[arm]] + place * len(first.groups)
                             for place, (arm, table) in enumerate(tables.items())])
    return EventTable.from_counts(groups, strata, first.causes, places, column("stratum"), column("day"),
                                  column("censored"), column("events"), column("entries"))


def _compare_in_level(cells: _Cells, level: str, pair: tuple[str, str], arms: Arms, reading: Reading,
                      ) -> tuple[TreatmentInLevel, LevelHazardRatio | None]:
    """The treatment among the patients of one level, who are in no other, so that levels can be set side by side."""
    counts = [_count_arm(cells, level, arm, arms, reading) for arm in pair]
    table = cells.table.select_groups([f"{level}{_MARK}{arm}" for arm in pair])
    reason = _why_not(counts, level, pair, cells, reading.scope)
    entry = None
    if not reason:
        told = _trials_with_both(table, [level], pair, reading.scope)
        reason = _why_not_together(told, reading.scope)
        if not reason:
            entry, reason = _ratio(replace(told, groups=tuple(arms.name(arm) for arm in pair)), reading)
    found = TreatmentInLevel(
        counts[0], counts[1], None if entry is None else Interval(entry.ratio, entry.lower, entry.upper),
        None, None, reason)
    return (found if reason else _add_difference(found, table, reading)), entry


def _count_arm(cells: _Cells, level: str, arm: str, arms: Arms, reading: Reading) -> ArmCount:
    if not reading.scope.is_protected:
        place = cells.table.groups.index(f"{level}{_MARK}{arm}")
        return ArmCount(arm, arms.name(arm), int(cells.table.patients[place]),
                        int(cells.table.event_counts[place, 0]))
    table = cells.keyed.get(arm)
    if table is None or level not in table.groups or level not in cells.fit[arm]:
        return ArmCount(arm, arms.name(arm), NOBODY, NOBODY)
    place = table.groups.index(level)
    n, events = keyed(count_keyed_patients(table)[place])[0], keyed(count_keyed_events(table)[place])[0]
    group = None
    if reading.scope.rules.carries_curve(n, events):
        try:
            group = read_group(table, level, reading)
        except StatisticsError:
            group = None  # not under observation for a while: no curve, and so no difference
    return ArmCount(arm, arms.name(arm), n, events, group)


def _why_not(counts: Sequence[ArmCount], level: str, pair: tuple[str, str], cells: _Cells, scope: Scope) -> str:
    """Why the arms are not compared in a level; empty if they are."""
    if not scope.is_protected:
        few = [count for count in counts if (count.events or 0) < FEWEST_EVENTS]
        return f"fewer than {FEWEST_EVENTS} events in an arm" if few else ""
    least = scope.rules
    if any(level not in cells.fit[arm] for arm in pair) or any(
            (count.n or 0) < least.minimum_cell or (count.events or 0) < least.minimum_events
            or (count.n or 0) - (count.events or 0) < least.minimum_cell for count in counts):
        return "too few"
    return ""


def _why_not_together(table: EventTable, scope: Scope) -> str:
    """Why arms that patients enter late are not compared: too few events while both are watched; empty if they are.

    Parameters
    ----------
    table : of the two arms in the trials that are compared. Protected, until the last patient of a trial has entered,
        an arm counts as watched while it has as many at risk as may be told: fewer beside those who enter the other
        arm would be the whole effect.
    """
    if not table.has_late_entry:
        return ""
    at_least = scope.rules.minimum_cell if scope.is_protected else 1
    events = np.zeros(2, dtype=np.int64)
    for trial in np.unique(table.stratum):
        alone = _select_cells(table, np.arange(len(table.strata))[:, None] == trial)
        sets = [count_risk_sets(alone, arm) for arm in alone.groups]
        days = np.unique(alone.day)
        at_risk = np.array([at_risk_on(one.days, one.at_risk, one.left, one.entered, days) for one in sets])
        last_entry = alone.day[alone.entries > 0].max(initial=-1)
        watched = days[((at_risk >= at_least) | ((days > last_entry) & (at_risk > 0))).all(axis=0)]
        events += [int(one.events[np.isin(one.days, watched), 0].sum()) for one in sets]
    least = scope.rules.minimum_events if scope.is_protected else FEWEST_EVENTS
    if events.min() >= least:
        return ""
    return "too few" if scope.is_protected else f"fewer than {least} events in an arm while both are under observation"


def _ratio(table: EventTable, reading: Reading) -> tuple[LevelHazardRatio | None, str]:
    protected = reading.scope.is_protected
    try:
        ratios = estimate_hazard_ratios(
            table, 0, cause=_cause(reading),
            least_events=reading.scope.rules.minimum_events if protected else FEWEST_EVENTS,
            events_per_parameter=PROTECTED_EVENTS_PER_PARAMETER if protected else EVENTS_PER_PARAMETER)
    except StatisticsError as problem:
        return None, "too few" if protected else problem.problem
    entry = ratios.levels[1]
    return (None, entry.not_estimable) if entry.not_estimable else (entry, "")


def _cause(reading: Reading) -> str | None:
    return reading.endpoint.causes[0] if reading.endpoint.competing else None


def _add_difference(found: TreatmentInLevel, table: EventTable, reading: Reading) -> TreatmentInLevel:
    """With the difference of the endpoint's own share within trials, where enough are followed that long in them."""
    rules = reading.scope.rules
    try:
        one = estimate_stratified_difference(table, reading.day, cause=_cause(reading),
                                             least_at_risk=max(rules.minimum_at_risk, rules.minimum_cell))
    except StatisticsError:
        return found
    if one.share < _ENOUGH_OF_ARM:
        return found
    difference = (Interval(-one.estimate, -one.upper, -one.lower) if reading.endpoint.shown_as_failure
                  else Interval(one.estimate, one.lower, one.upper))
    return replace(found, difference=difference, difference_trials=one.strata, difference_share=one.share)


def _shrink(found: Mapping[str, tuple[TreatmentInLevel, LevelHazardRatio | None]],
            ) -> dict[str, tuple[TreatmentInLevel, LevelHazardRatio | None]]:
    """Draw the effects of a variable's levels, which exclude one another, towards their mean."""
    known = {level: entry for level, (_, entry) in found.items() if entry is not None}
    if len(known) < FEWEST_SUBGROUPS:
        return dict(found)
    shrunken = shrink_effects([entry.log_ratio for entry in known.values()],
                              [entry.std_error for entry in known.values()])
    limits = zip(np.exp(shrunken.estimate).tolist(), np.exp(shrunken.lower).tolist(), np.exp(shrunken.upper).tolist(),
                 strict=True)
    intervals = {level: Interval(*values) for level, values in zip(known, limits, strict=True)}
    return {level: (replace(one, shrunken=intervals.get(level)), entry) for level, (one, entry) in found.items()}


def _interaction(cells: _Cells, levels: Sequence[str], beside: Sequence[str], arms: Arms, compared: str,
                 reading: Reading) -> InteractionResult:
    """The test of the treatment's difference between those levels that may be set beside one another."""
    pair = (arms.values[0], compared)
    kept = [level for level in beside
            if not _why_not([_count_arm(cells, level, arm, arms, reading) for arm in pair], level, pair, cells,
                            reading.scope)]
    table = _trials_with_both(cells.table, kept or levels, pair, reading.scope)
    trials = len(np.unique(table.stratum))
    if not trials:
        return _without(arms, compared, "no trial has patients of both arms")
    if len(kept) < 2:
        watched = ", watched at the same time" if cells.table.has_late_entry else ""
        return replace(_without(arms, compared, f"fewer than two levels with enough events in both arms{watched}"),
                       trials=trials)
    if reading.scope.is_protected:
        table, kept = _trials_that_tell(table, kept, pair, reading.scope)
        if len(kept) < 2:
            return replace(_without(arms, compared, "too few events to compare levels"), trials=trials)
    names = [label.split(_MARK) for label in table.groups]
    try:
        found = compare_treatment_effect(
            table, [arm for _, arm in names], [level for level, _ in names], pair, kept, cause=_cause(reading),
            events_per_parameter=PROTECTED_EVENTS_PER_PARAMETER if reading.scope.is_protected
            else EVENTS_PER_PARAMETER)
    except StatisticsError as problem:
        reason = "too few events to compare levels" if reading.scope.is_protected else problem.problem
        return replace(_without(arms, compared, reason), trials=trials)
    return InteractionResult(arms.name(pair[0]), arms.name(compared),
                             LevelsTest(found.test.statistic, found.test.df, found.test.p), len(found.levels),
                             len(found.trials), _trials_agree(found), found.test.p < CREDIBILITY_BELOW,
                             Finding.EXPLORATORY)


def _trials_with_both(table: EventTable, levels: Sequence[str], pair: tuple[str, str], scope: Scope) -> EventTable:
    """The trials with patients of both arms in these levels; enough of them where results leave protected."""
    least = scope.rules.minimum_cell if scope.is_protected else 1
    chosen = table.select_groups([f"{level}{_MARK}{arm}" for level in levels for arm in pair])
    patients, _ = _count_cells(chosen, len(levels))
    return _select_cells(chosen, patients.sum(axis=1, keepdims=True).min(axis=2) >= least)


def _trials_that_tell(table: EventTable, levels: Sequence[str], pair: tuple[str, str], scope: Scope,
                      ) -> tuple[EventTable, list[str]]:
    """What may inform a protected interaction, and the levels it compares.

    Of each trial the levels with enough patients in both arms, two at least; of these levels, those with enough events
    in both arms there. A single patient beside the other arm would be the whole effect of the level in that trial.
    """
    kept = list(levels)
    while True:
        chosen = table.select_groups([f"{level}{_MARK}{arm}" for level in kept for arm in pair])
        patients, events = _count_cells(chosen, len(kept))
        cells = patients.min(axis=2) >= scope.rules.minimum_cell
        cells &= (cells.sum(axis=1) > 1)[:, None]
        enough = (events * cells[:, :, None]).sum(axis=0).min(axis=1) >= scope.rules.minimum_events
        if enough.all():
            return _select_cells(chosen, cells), kept
        kept = [level for level, told in zip(kept, enough.tolist(), strict=True) if told]


def _count_cells(table: EventTable, levels: int) -> tuple[Ints, Ints]:
    """Shape (strata, levels, arms): patients, and events of interest, of a table of the arms of each level in turn."""
    patients, events = np.zeros((2, len(table.strata), levels, 2), dtype=np.int64)
    cell = (table.stratum, table.group // 2, table.group % 2)
    np.add.at(patients, cell, table.censored + table.events.sum(axis=1))
    np.add.at(events, cell, table.events[:, 0])
    return patients, events


def _select_cells(table: EventTable, kept: NDArray[np.bool_]) -> EventTable:
    """The rows of some levels in some strata; `kept` of shape (strata, levels), or (strata, 1) for all levels."""
    rows = np.broadcast_to(kept, (len(table.strata), len(table.groups) // 2))[table.stratum, table.group // 2]
    return EventTable(table.groups, table.strata, table.causes, table.group[rows], table.stratum[rows],
                      table.day[rows], table.censored[rows], table.events[rows], table.entries[rows])


def _trials_agree(found: TreatmentInteraction) -> bool | None:
    """Whether two in three trials with an estimate of their own point the same way, for each level."""
    alone = np.asarray(found.trial_log_ratios)
    known = np.isfinite(alone)
    if (known.sum(axis=0) < 2).any():
        return None
    same = np.where(known, np.sign(alone) == np.sign(found.log_ratio_of_ratios), False).sum(axis=0)
    return bool((same >= _AGREEING * known.sum(axis=0) - 1e-9).all())


def _without(arms: Arms, compared: str, reason: str) -> InteractionResult:
    return InteractionResult(arms.name(arms.values[0]), arms.name(compared), None, 0, 0, None, False,
                             Finding.EXPLORATORY, reason)
