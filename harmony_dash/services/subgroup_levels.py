"""The levels of a table of subgroups: whom each answers for, and their event tables.

This is the one place where the table meets the plans of protected answers. Every level of every variable is answered
as if its variable had been asked for alone on the survival page, from the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harmony_dash.cohort.filters import Missing, OneOf, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, fixed_values
from harmony_dash.dictionary.model import UNTESTED, Variable
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.disclosure.subgroup_results import RowKind
from harmony_dash.errors import QuestionError
from harmony_dash.services.late_entry import find_together
from harmony_dash.services.protection import drawn_groups, fetch_planned_tables, patients_meant, plan_answer
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.level_grid import LevelGrid, join_levels
from harmony_dash.store.level_tables import NOT_RECORDED, Levels, fetch_level_tables
from harmony_dash.store.reader import Snapshot

MISSING_WORDS = "not recorded"


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
    not_applied, notes : of a level that was asked for by a filter, in what it answers another question.
    """

    value: str
    kind: RowKind
    table: EventTable | None
    own_question: bool = False
    reason: str = ""
    not_applied: tuple[Unapplied, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VariableLevels:
    """One variable with its levels.

    Attributes
    ----------
    asked : value to the question it answers, without groups; of those that answer the same.
    comparable : of these, the values that are watched at the same time, and so compared with one another, in order.
    grid : these levels side by side, inside strata; None if there is none.
    not_applied, notes : in what levels answer another question than the one asked, for programs and in words.
    """

    variable: Variable
    asked: Mapping[str, Question]
    comparable: tuple[str, ...]
    levels: tuple[Level, ...]
    grid: LevelGrid | None
    notes: tuple[str, ...] = ()
    not_applied: tuple[Unapplied, ...] = ()


def fetch_variables(snapshot: Snapshot, question: SubgroupsQuestion, scope: Scope, *, countries: OneOf | None = None,
                    ) -> Iterator[VariableLevels]:
    """The variables of the table, one by one, in its order.

    Parameters
    ----------
    countries : as of `plan_answer`.
    """
    if not scope.is_protected:
        yield from _fetch_as_they_are(snapshot, question, scope)
        return
    planned = [_plan(snapshot, question, snapshot.dictionary[name], scope, countries) for name in question.variables]
    # Nearly all variables are answered with one question; each question is one scan.
    wanted: dict[Question, list[Levels]] = {}
    for one in planned:
        for asked, values in _by_question(one.asked).items():
            wanted.setdefault(asked, []).append(Levels(one.variable.name, one.variable.name, values, missing=False))
    grids: dict[str, list[LevelGrid]] = {}
    for asked, levels in wanted.items():
        for name, grid in fetch_level_tables(snapshot, asked, levels, strata=question.strata).items():
            grids.setdefault(name, []).append(grid)
    for one in planned:
        found = grids.get(one.variable.name)
        yield replace(one, grid=join_levels(found).select_groups(one.comparable)) if found else one


def _by_question(asked: Mapping[str, Question]) -> dict[Question, tuple[str, ...]]:
    """The values that answer each question."""
    found: dict[Question, list[str]] = {}
    for value, question in asked.items():
        found.setdefault(question, []).append(value)
    return {question: tuple(values) for question, values in found.items()}


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


def _find_apart(table: EventTable, scope: Scope) -> frozenset[str]:
    """The levels that would be drawn but are not watched with the others; as on the survival page."""
    drawn = [level for level in drawn_groups(table, scope) if level != NOT_RECORDED]
    return frozenset(find_together(table.select_groups(drawn), scope).apart)


def _fetch_as_they_are(snapshot: Snapshot, question: SubgroupsQuestion, scope: Scope) -> Iterator[VariableLevels]:
    variables = [snapshot.dictionary[name] for name in question.variables]
    grids = fetch_level_tables(snapshot, question.cohort,
                               [_levels_of(snapshot, question, variable) for variable in variables],
                               strata=question.strata)
    for variable in variables:
        grid = grids[variable.name]
        table = grid.pool_strata()
        levels = tuple(Level(value, _kind(value), table) for value in grid.groups)
        apart = _find_apart(table, scope)
        asked = {level.value: question.cohort for level in levels if level.kind is RowKind.LEVEL}
        yield VariableLevels(variable, asked, tuple(value for value in asked if value not in apart), levels, grid)


def _plan(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable, scope: Scope,
          countries: OneOf | None) -> VariableLevels:
    """The levels as the survival page would answer them; without the grid."""
    plan = plan_answer(snapshot, question.by(variable.name), scope, countries=countries)
    values = values_asked(snapshot, question, variable)
    if plan.question is None:
        levels = [Level(value, _kind(value), None, reason=plan.withheld.get(value, too_few(scope.rules)))
                  for value in values]
        return VariableLevels(variable, {}, (), tuple(levels), None, plan.notes, plan.not_applied)
    table, _ = fetch_planned_tables(snapshot, plan)
    asked = {value: part.question for part in plan.parts for value in part.groups}
    levels = [Level(value, _kind(value), table if value in asked else None,
                    own_question=value in asked and asked[value] != plan.question,
                    reason=plan.withheld.get(value, "" if value in asked else too_few(scope.rules)))
              for value in values]
    levels += _plan_missing(snapshot, question, variable, plan.question, scope, countries)
    drawn, apart = drawn_groups(table, scope), _find_apart(table, scope)
    meant = patients_meant(snapshot.dictionary, variable.name)
    watched = plan.choose_alike([level for level in drawn if level not in apart], meant)
    # a level that is not watched with its siblings has arms of its own that may be
    alike = plan.choose_alike(drawn, meant)
    alike = alike if set(watched) <= set(alike) else watched
    same = {value: replace(asked[value], by=None) for value in values
            if value in alike and _kind(value) is RowKind.LEVEL}
    return VariableLevels(
        variable, same, tuple(value for value in same if value in watched), tuple(levels), None,
        (*plan.notes, *(note for level in levels for note in level.notes)),
        (*plan.not_applied, *(one for level in levels for one in level.not_applied)))


def within_missing(question: SubgroupsQuestion, variable: str) -> Question | None:
    """The question whose patients have no value of a variable; None where a filter asks for some of its values."""
    if variable in fixed_values(question.cohort):
        return None
    return replace(question.cohort, where=(*question.cohort.where, Missing(variable)))


def _plan_missing(snapshot: Snapshot, question: SubgroupsQuestion, variable: Variable, whole: Question, scope: Scope,
                  countries: OneOf | None) -> Sequence[Level]:
    """Patients without a value, as if they had been asked for by a filter; none where a filter asks for values."""
    asked = within_missing(question, variable.name)
    if asked is None:
        return []
    missing = Missing(variable.name)
    nothing = [Level(NOT_RECORDED, RowKind.MISSING, None, reason="too many filters to count them as well")]
    try:
        plan = plan_answer(snapshot, asked, scope, countries=countries)
    except QuestionError:
        return nothing
    if plan.question is None or missing not in plan.question.where:
        return [replace(nothing[0], reason=too_few(scope.rules))]
    table, _ = fetch_planned_tables(snapshot, plan)
    own = set(plan.question.where) != {*whole.where, missing}
    renamed = replace(table, groups=(NOT_RECORDED,))
    if not own:
        return [Level(NOT_RECORDED, RowKind.MISSING, renamed)]
    told = tuple(replace(one, groups=(MISSING_WORDS,)) for one in plan.not_applied)
    return [Level(NOT_RECORDED, RowKind.MISSING, renamed, own_question=True, not_applied=told,
                  notes=tuple(f"{MISSING_WORDS}: {note}" for note in plan.notes))]


def fetch_arms(snapshot: Snapshot, question: SubgroupsQuestion, variable: VariableLevels, arms: Sequence[str],
               ) -> dict[str, LevelGrid]:
    """For each arm of the treatment the levels of a variable among its patients, inside strata."""
    if question.treatment is None:
        return {}
    grids: dict[str, list[LevelGrid]] = {}
    for asked, values in _by_question(variable.asked).items():
        levels = [Levels(arm, variable.variable.name, values, missing=False, within=(question.treatment, arm))
                  for arm in arms]
        for arm, grid in fetch_level_tables(snapshot, asked, levels, strata=question.strata).items():
            grids.setdefault(arm, []).append(grid)
    return {arm: join_levels(found).select_groups(tuple(variable.asked)) for arm, found in grids.items()}


def fetch_keyed_arm(snapshot: Snapshot, question: SubgroupsQuestion, variable: VariableLevels, arm: str,
                    scope: Scope, *, countries: OneOf | None = None) -> tuple[EventTable, frozenset[str]]:
    """The levels of a variable among the patients of one arm with their keys, as the survival page would answer them.

    Returns
    -------
    The table, and the values for which it answers the same question as their row, within the arm.

    Raises
    ------
    QuestionError where such a question is not answered.
    """
    asked = question.by_within(variable.variable.name, arm)
    plan = plan_answer(snapshot, asked, scope, countries=countries)
    if plan.question is None or question.treatment is None:
        raise QuestionError("too few patients in an arm")
    in_arm = OneOf(question.treatment, (arm,))
    expected = {value: {*(item for item in asked.where if set(variables_of(item)) != {question.treatment}), in_arm}
                for value, asked in variable.asked.items()}
    table, _ = fetch_planned_tables(snapshot, plan)
    fit = [value for part in plan.parts for value in part.groups if set(part.question.where) == expected.get(value)]
    return table, frozenset(fit)
