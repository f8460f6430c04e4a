"""The patients behind a comparison of treatments, counted with their keys: who may be compared, where, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed
from harmony_dash.disclosure.results import RiskTable, Unapplied
from harmony_dash.disclosure.what_if_results import AllocationCell, ComparedArm, Mark
from harmony_dash.services.protection import NEARLY_ALL, AnswerPlan, Part, plan_answer
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import (
    KeyedCounts,
    count_keyed_events,
    count_keyed_patients,
    read_keyed_counts,
)
from harmony_dash.store.event_tables import NOT_RECORDED, fetch_event_table
from harmony_dash.store.parts import StrataOfSnapshot, under_observation
from harmony_dash.store.reader import Snapshot

# A trial with fewer patients in one of the arms compares nothing, and its name beside the answer would tell of them.
LEAST_IN_BOTH: Final = 10
ALIKE: Final = "all but a few of these patients were treated the same way"
LATE_ENTRY: Final = "Patients who came under observation after the clock starts are not compared."


@dataclass(frozen=True)
class ArmTables:
    """Two arms of one question by stratum, with keys.

    Attributes
    ----------
    question : the one both arms answer.
    table : groups are the arms, the reference first; strata are trials. The last one is of patients without a value.
        Patients of trials that are not compared are those of the question as it is applied to everybody.
    snapshot : the patients who may be compared, for whatever else is asked about them.
    compared : names of the strata with enough patients in both arms; that of no recorded value is none.
    """

    question: Question
    table: EventTable
    snapshot: Snapshot
    compared: frozenset[str]

    @property
    def both(self) -> tuple[int, ...]:
        """Positions of the strata compared."""
        return _places(self.table, self.compared)

    def only(self, strata: tuple[int, ...]) -> EventTable:
        """The patients of some strata."""
        return _keep(self.table, np.isin(self.table.stratum, strata))


@dataclass(frozen=True)
class PlannedArms:
    """Two arms as they may be answered, or why not.

    Attributes
    ----------
    tables : None with a `reason`.
    """

    tables: ArmTables | None
    reason: str
    not_applied: tuple[Unapplied, ...]
    notes: tuple[str, ...]


def plan_arms(snapshot: Snapshot, question: Question, arms: tuple[str, str], strata: str, scope: Scope, *,
              countries: OneOf | None) -> PlannedArms:
    """The event table of two groups of a question, if both of them answer the same one.

    Fewer patients are compared than meet the filters: those of strata with enough patients in both arms, who were under
    observation when the clock starts. So the question is planned anew as if nobody else were in the data: what a filter
    does to fewer than ten of them is not done to them. Strata may thereby fall away, and none ever comes back.

    Raises
    ------
    QuestionError for a question that protected results do not answer at all.
    """
    base = under_observation(snapshot, question)
    late = (LATE_ENTRY,) if snapshot.late_entry else ()
    plan, part = _plan(base, question, arms, scope, countries)
    if part is None:
        return PlannedArms(None, _why_not(plan, arms), plan.not_applied, (*plan.notes, *late))
    table = fetch_event_table(base, replace(part.question, strata=strata)).select_groups(arms)
    compared, rest, here = _used_both(table), table, base
    while compared and scope.is_protected:
        inside = StrataOfSnapshot.of(base, strata=strata, names=tuple(sorted(compared)))
        asked = _without_strata(question, strata, compared)
        plan, found = _plan(inside, asked, arms, scope, countries)
        if found is None:
            return PlannedArms(None, _why_not(plan, arms), plan.not_applied, (*plan.notes, *late))
        table = fetch_event_table(inside, replace(found.question, strata=strata)).select_groups(arms)
        still = _used_both(table)
        if still == compared:
            others = _keep(rest, ~np.isin(rest.stratum, _places(rest, compared)))
            table, part, here = others + table, found, inside
            break
        compared, table = still, rest
    return PlannedArms(ArmTables(part.question, table, here, compared), "", plan.not_applied, (*plan.notes, *late))


def _plan(snapshot: Snapshot, question: Question, arms: tuple[str, str], scope: Scope, countries: OneOf | None,
          ) -> tuple[AnswerPlan, Part | None]:
    """How the question is answered, and the question of both arms if there is one."""
    plan = plan_answer(snapshot, question, scope, countries=countries)
    return plan, next((part for part in plan.parts if set(arms) <= set(part.groups)), None)


def _why_not(plan: AnswerPlan, arms: tuple[str, str]) -> str:
    reason = next((plan.withheld[arm] for arm in arms if arm in plan.withheld),
                  "one of the filters can be applied in one of the two arms only")
    return ALIKE if reason == NEARLY_ALL else reason


def allocate(tables: ArmTables, randomised: Mapping[str, bool], *, cause: int | None = None,
             ) -> tuple[AllocationCell, ...]:
    """The table of strata by arms; strata that nobody of either arm is in are left out.

    Parameters
    ----------
    randomised : of the strata that allocated patients at random, whether they did so for nearly all.
    """
    table, both, cells = tables.table, set(tables.both), []
    for k, name in enumerate(table.strata):
        here = _keep(table, table.stratum == k)
        n, events = _patients(here), _events(here, cause)
        if not sum(n):
            continue
        mark = Mark.ONE
        if k in both:
            mark = {True: Mark.RANDOMISED, False: Mark.PART}[randomised[name]] if name in randomised else Mark.BOTH
        cells += [AllocationCell(name, name or "not recorded", arm, n[place], events[place], mark, k in both)
                  for place, arm in enumerate(table.groups)]
    return tuple(cells)


def count_compared(table: EventTable, names: tuple[str, str], horizon: int, *, cause: int | None = None,
                   ) -> tuple[ComparedArm, ComparedArm]:
    """Counts of both arms of a table, over all follow-up, at the horizon and on the quarterly grid until then."""
    days = tuple(dict.fromkeys([*(day for day in grid_days(horizon) if day < horizon), horizon]))
    n, events, arms = _patients(table), _events(table, cause), []
    for place, (arm, name) in enumerate(zip(table.groups, names, strict=True)):
        if not n[place]:
            arms.append(ComparedArm(arm, name, NOBODY, NOBODY, NOBODY, NOBODY))
            continue
        counts = read_keyed_counts(table, place, days)
        happened = counts.events.union() if cause is None else counts.events[:, cause]
        at_risk, so_far, left = (keyed(part) for part in (counts.at_risk, happened, counts.censored))
        arms.append(ComparedArm(arm, name, n[place], events[place], at_risk[-1], so_far[-1],
                                RiskTable(days, at_risk, so_far, left)))
    return arms[0], arms[1]


def keep_strata(table: EventTable, names: frozenset[str]) -> EventTable:
    """The patients of some strata, by name."""
    return _keep(table, np.isin(table.stratum, _places(table, names)))


def _patients(table: EventTable) -> tuple[KeyedCount, ...]:
    return keyed(count_keyed_patients(table))


def _events(table: EventTable, cause: int | None) -> tuple[KeyedCount, ...]:
    """Of one cause, or of all."""
    counts = count_keyed_events(table)
    return keyed(counts.union() if cause is None else KeyedCounts(counts.n[:, cause], counts.keys[:, cause]))


def join_competing(table: EventTable) -> EventTable:
    """The table with two causes: the first, and all others together."""
    if len(table.causes) == 2:
        return table
    keys = None if table.keys is None else replace(table.keys, events=np.column_stack(
        [table.keys.events[:, 0], np.bitwise_xor.reduce(table.keys.events[:, 1:], axis=1)]))
    return replace(table, causes=table.causes[:2], keys=keys,
                   events=np.column_stack([table.events[:, 0], table.events[:, 1:].sum(axis=1)]))


def _used_both(table: EventTable) -> frozenset[str]:
    counts = _count_by_stratum(table)
    return frozenset(name for k, name in enumerate(table.strata)
                     if name != NOT_RECORDED and counts[k].min() >= LEAST_IN_BOTH)


def _places(table: EventTable, names: frozenset[str]) -> tuple[int, ...]:
    return tuple(k for k, name in enumerate(table.strata) if name in names)


def _without_strata(question: Question, strata: str, compared: frozenset[str]) -> Question:
    """The question without filters that choose strata: which ones are compared is shown, so these say nothing more."""
    return replace(question, where=tuple(item for item in question.where if not (
        isinstance(item, OneOf) and item.variable == strata and compared <= set(item.values))))


def _keep(table: EventTable, rows: NDArray[np.bool_]) -> EventTable:
    return EventTable(table.groups, table.strata, table.causes, table.group[rows], table.stratum[rows],
                      table.day[rows], table.censored[rows], table.events[rows], table.entries[rows],
                      None if table.keys is None else table.keys[rows])


def _count_by_stratum(table: EventTable) -> NDArray[np.int64]:
    patients = np.zeros((len(table.strata), 2), dtype=np.int64)
    np.add.at(patients, (table.stratum, table.group), table.censored + table.events.sum(axis=1))
    return patients
