"""The patients behind a comparison of treatments, counted with their keys: who may be compared, where, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed
from harmony_dash.disclosure.results import RiskTable, Unapplied
from harmony_dash.disclosure.what_if_results import AllocationCell, ComparedArm, Mark
from harmony_dash.errors import QuestionError
from harmony_dash.services.protection import AnswerPlan, Part, plan_answer
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import (
    KeyedCounts,
    count_keyed_events,
    count_keyed_patients,
    read_keyed_counts,
)
from harmony_dash.store.event_tables import NOT_RECORDED, fetch_event_table
from harmony_dash.store.parts import StrataOfSnapshot
from harmony_dash.store.reader import Snapshot

T = TypeVar("T")
# A trial with fewer patients in one of the arms compares nothing, and its name beside the answer would tell of them.
LEAST_IN_BOTH: Final = 10
# Conditions only ever fall away from one round to the next, and few do.
MOST_ROUNDS: Final = 10
UNSETTLED: Final = "too many of the filters make a difference to a few of the compared patients only"


@dataclass(frozen=True)
class ArmTables:
    """Two arms of one question by stratum, with keys.

    Attributes
    ----------
    question : the one both arms answer.
    table : groups are the arms, the reference first; strata are trials, or randomised comparisons. The last one is of
        patients without a value.
    """

    question: Question
    table: EventTable

    @property
    def both(self) -> tuple[int, ...]:
        """Positions of the strata with enough patients in both arms; those of no recorded value are none."""
        counts = _count_by_stratum(self.table)
        return tuple(k for k, name in enumerate(self.table.strata)
                     if name != NOT_RECORDED and counts[k].min() >= LEAST_IN_BOTH)

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

    def then(self, plan: AnswerPlan) -> PlannedArms:
        """With what a further plan has to say."""
        return replace(self, not_applied=_without_repeats((*self.not_applied, *plan.not_applied)),
                       notes=_without_repeats((*self.notes, *plan.notes)))


def plan_arms(snapshot: Snapshot, question: Question, arms: tuple[str, str], strata: str, scope: Scope, *,
              countries: OneOf | None) -> PlannedArms:
    """The event table of two groups of a question, if both of them answer the same one.

    Fewer patients are compared than meet the filters: those of strata with enough patients in both arms. What a filter
    does is looked at among them too, and what makes no difference there is applied nowhere, so that what is shown of
    all patients and of those compared answers one question.

    Raises
    ------
    QuestionError for a question that protected results do not answer at all, and with patients who came late.
    """
    told = PlannedArms(None, "", (), ())
    for _ in range(MOST_ROUNDS):
        plan, part = _plan(snapshot, question, arms, scope, countries)
        told = told.then(plan)
        if part is None:
            return replace(told, reason=_why_not(plan, arms))
        table = fetch_event_table(snapshot, replace(part.question, strata=strata)).select_groups(arms)
        if table.has_late_entry:
            raise QuestionError("some of these patients came under observation after the clock starts, and whoever "
                                "died before is not among them", where="landmark",
                                remedy="Choose a later landmark, or leave out the source that does so.")
        tables = ArmTables(part.question, table)
        if not (scope.is_protected and tables.both):
            return replace(told, tables=tables)
        names = tuple(table.strata[place] for place in tables.both)
        plan, inner = _plan(StrataOfSnapshot.of(snapshot, strata=strata, names=names), part.question, arms, scope,
                            countries)
        told = told.then(plan)
        if inner is None:
            return replace(told, reason=_why_not(plan, arms))
        if inner.question == part.question:
            return replace(told, tables=tables)
        question = inner.question
    return replace(told, reason=UNSETTLED)


def _plan(snapshot: Snapshot, question: Question, arms: tuple[str, str], scope: Scope, countries: OneOf | None,
          ) -> tuple[AnswerPlan, Part | None]:
    """How the question is answered, and the question of both arms if there is one."""
    plan = plan_answer(snapshot, question, scope, countries=countries)
    return plan, next((part for part in plan.parts if set(arms) <= set(part.groups)), None)


def _why_not(plan: AnswerPlan, arms: tuple[str, str]) -> str:
    return next((plan.withheld[arm] for arm in arms if arm in plan.withheld),
                "one of the filters can be applied in one of the two arms only")


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
    return _keep(table, np.isin(table.stratum, [k for k, name in enumerate(table.strata) if name in names]))


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


def _without_repeats(items: Iterable[T]) -> tuple[T, ...]:
    """In the order of first appearance; of values that need not be hashable."""
    found: list[T] = []
    for item in items:
        if item not in found:
            found.append(item)
    return tuple(found)


def _keep(table: EventTable, rows: NDArray[np.bool_]) -> EventTable:
    return EventTable(table.groups, table.strata, table.causes, table.group[rows], table.stratum[rows],
                      table.day[rows], table.censored[rows], table.events[rows], table.entries[rows],
                      None if table.keys is None else table.keys[rows])


def _count_by_stratum(table: EventTable) -> NDArray[np.int64]:
    patients = np.zeros((len(table.strata), 2), dtype=np.int64)
    np.add.at(patients, (table.stratum, table.group), table.censored + table.events.sum(axis=1))
    return patients
