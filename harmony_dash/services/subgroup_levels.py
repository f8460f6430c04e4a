"""The levels of a table of subgroups: whom each answers for, and their event tables.

This is the one place where the table meets the plans of protected answers. Every level of every variable is answered
as if its variable had been asked for alone on the survival page, from the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harmony_dash.cohort.filters import Missing, OneOf, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, fixed_values
from harmony_dash.dictionary.model import UNTESTED, Variable
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.subgroup_results import RowKind
from harmony_dash.errors import QuestionError
from harmony_dash.services.protection import drawn_groups, fetch_planned_tables, plan_answer
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.level_grid import LevelGrid
from harmony_dash.store.level_tables import NOT_RECORDED, Levels, fetch_level_tables
from harmony_dash.store.reader import Snapshot


@dataclass(frozen=True)
class Level:
    """The patients of one row.

    Attributes
    ----------
    value : of the variable; NOT_RECORDED for those without one.
    table : event table with the group `value` among others, strata pooled, and keys where results leave protected.
        None where nothing may be said.
    own_question : they answer another question than the cohort.
    reason : why nothing may be said.
    """

    value: str
    kind: RowKind
    table: EventTable | None
    own_question: bool = False
    reason: str = ""


@dataclass(frozen=True)
class VariableLevels:
    """One variable with its levels.

    Attributes
    ----------
    question : what the levels answer that may be compared; None if nothing.
    grid : all levels side by side, inside strata, of that question; for comparisons.
    notes : which filters were not applied.
    """

    variable: Variable
    question: Question | None
    levels: tuple[Level, ...]
    grid: LevelGrid | None
    notes: tuple[str, ...] = ()

    @property
    def comparable(self) -> tuple[str, ...]:
        """The values that answer the same question."""
        return tuple(level.value for level in self.levels
                     if level.kind is RowKind.LEVEL and level.table is not None and not level.own_question)


def fetch_variables(snapshot: Snapshot, question: SubgroupsQuestion, scope: Scope, *, countries: OneOf | None = None,
                    ) -> Iterator[VariableLevels]:
    """The variables of the table, one by one, in its order.

    Parameters
    ----------
    countries : as of `plan_answer`.
    """
    if not scope.is_protected:
        yield from _fetch_as_they_are(snapshot, question)
        return
    planned = [_plan(snapshot, question, snapshot.dictionary[name], scope, countries) for name in question.variables]
    # Nearly all variables are answered with one question; each question is one scan.
    wanted: dict[Question, list[Levels]] = {}
    for one in planned:
        if one.question is not None:
            wanted.setdefault(one.question, []).append(_levels_of(snapshot, question, one.variable))
    grids = {(asked, name): grid for asked, levels in wanted.items()
             for name, grid in fetch_level_tables(snapshot, asked, levels, strata=question.strata).items()}
    for one in planned:
        yield one if one.question is None else replace(one, grid=grids[one.question, one.variable.name])


def values_asked(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable) -> tuple[str, ...]:
    """The values of a variable that the filters leave."""
    values = snapshot.values_of(variable)
    left = fixed_values(question.cohort).get(variable.name, values)
    return tuple(value for value in values if value in left)


def _levels_of(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable) -> Levels:
    return Levels(variable.name, variable.name, values_asked(snapshot, question, variable))


def _kind(value: str) -> RowKind:
    if value == NOT_RECORDED:
        return RowKind.MISSING
    return RowKind.UNTESTED if value in UNTESTED else RowKind.LEVEL


def _fetch_as_they_are(snapshot: Snapshot, question: SubgroupsQuestion) -> Iterator[VariableLevels]:
    variables = [snapshot.dictionary[name] for name in question.variables]
    grids = fetch_level_tables(snapshot, question.cohort,
                               [_levels_of(snapshot, question, variable) for variable in variables],
                               strata=question.strata)
    for variable in variables:
        grid = grids[variable.name]
        table = grid.pool_strata()
        levels = tuple(Level(value, _kind(value), table) for value in grid.groups)
        yield VariableLevels(variable, question.cohort, levels, grid)


def _plan(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable, scope: Scope,
          countries: OneOf | None) -> VariableLevels:
    """The levels as the survival page would answer them; without the grid.

    Levels are compared that answer the same question, as there; it need not be the cohort's own, because a lineage as
    a filter says nothing within a subtype.
    """
    plan = plan_answer(snapshot, question.by(variable.name), scope, countries=countries)
    values = values_asked(snapshot, question, variable)
    if plan.question is None:
        levels = [Level(value, _kind(value), None, reason=plan.withheld.get(value, too_few(scope.rules)))
                  for value in values]
        return VariableLevels(variable, None, tuple(levels), None, plan.notes)
    table, _ = fetch_planned_tables(snapshot, plan)
    asked = {value: part.question for part in plan.parts for value in part.groups}
    alike = plan.choose_alike(drawn_groups(table, scope))
    shared = asked[alike[0]] if alike else plan.question
    levels = [Level(value, _kind(value), table if value in asked else None,
                    own_question=value in asked and asked[value] != shared,
                    reason=plan.withheld.get(value, "" if value in asked else too_few(scope.rules)))
              for value in values]
    whole = replace(shared, by=None)
    levels += _plan_missing(snapshot, question, variable, whole, scope, countries)
    return VariableLevels(variable, whole, tuple(levels), None, plan.notes)


def _plan_missing(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable, whole: Question, scope: Scope,
                  countries: OneOf | None) -> Sequence[Level]:
    """Patients without a value, as if they had been asked for by a filter; none where a filter asks for values."""
    if variable.name in fixed_values(question.cohort):
        return []
    missing = Missing(variable.name)
    nothing = [Level(NOT_RECORDED, RowKind.MISSING, None, reason="too many filters to count them as well")]
    try:
        plan = plan_answer(snapshot, replace(question.cohort, where=(*question.cohort.where, missing)), scope,
                           countries=countries)
    except QuestionError:
        return nothing
    if plan.question is None or missing not in plan.question.where:
        return [replace(nothing[0], reason=too_few(scope.rules))]
    table, _ = fetch_planned_tables(snapshot, plan)
    own = set(plan.question.where) != {*whole.where, missing}
    renamed = replace(table, groups=(NOT_RECORDED,))
    return [Level(NOT_RECORDED, RowKind.MISSING, renamed, own_question=own)]


def fetch_arms(snapshot: Snapshot, question: SubgroupsQuestion, variable: VariableLevels, arms: Sequence[str],
               ) -> dict[str, LevelGrid]:
    """For each arm of the treatment the levels of a variable among its patients, inside strata."""
    if variable.question is None or question.treatment is None:
        return {}
    values = variable.comparable
    levels = [Levels(arm, variable.variable.name, values, missing=False, within=(question.treatment, arm))
              for arm in arms]
    return fetch_level_tables(snapshot, variable.question, levels, strata=question.strata)


def fetch_keyed_arm(snapshot: Snapshot, question: SubgroupsQuestion, variable: VariableLevels, arm: str,
                    scope: Scope, *, countries: OneOf | None = None) -> tuple[EventTable, frozenset[str]]:
    """The levels of a variable among the patients of one arm with their keys, as the survival page would answer them.

    Returns
    -------
    The table, and the values of which it answers the same question as the cohort beside it.

    Raises
    ------
    QuestionError where such a question is not answered.
    """
    asked = question.by_within(variable.variable.name, arm)
    plan = plan_answer(snapshot, asked, scope, countries=countries)
    if plan.question is None or variable.question is None or question.treatment is None:
        raise QuestionError("too few patients in an arm")
    others = [item for item in variable.question.where if set(variables_of(item)) != {question.treatment}]
    expected = {*others, OneOf(question.treatment, (arm,))}
    table, _ = fetch_planned_tables(snapshot, plan)
    fit = [value for part in plan.parts if set(part.question.where) == expected for value in part.groups]
    return table, frozenset(fit)
