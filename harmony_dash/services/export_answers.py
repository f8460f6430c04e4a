"""The answers that exports are made of: each kind of question at the protected level, whatever the person's rights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from harmony_dash.access.actor import Actor
from harmony_dash.cohort.description_question import OutcomeMapQuestion, TableOneQuestion
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.admission import Admission, admit, restrict
from harmony_dash.services.budget import check_budget_for_all
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.outcome_map import compute_outcome_map, prepare_outcome_map
from harmony_dash.services.subgroups import compute_subgroups, parts_of, prepare_subgroups
from harmony_dash.services.survival import prepare_question
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.services.survival_notes import notes_of_grant
from harmony_dash.services.table_one import compute_table_one, prepare_table_one

# Refuses questions that are too many for a day.
Check: TypeAlias = Callable[[Sequence[Question]], None]
ExportQuestion: TypeAlias = Question | SubgroupsQuestion | TableOneQuestion | OutcomeMapQuestion


@dataclass(frozen=True)
class Answer:
    """A released result with what it was computed from.

    Attributes
    ----------
    asked : the question as it was answered.
    parts : the questions of the Survival page that it answers, as the audit trail keeps them.
    n : patients shown; None for a table that has no such number.
    has_something : whether any of its numbers may be shown.
    """

    asked: ExportQuestion
    parts: tuple[Question, ...]
    admission: Admission
    released: Released[Any]
    n: int | None
    has_something: bool

    @property
    def is_table(self) -> bool:
        """Whether it answers several questions at once."""
        return not isinstance(self.asked, Question)


def cohort_of(question: ExportQuestion) -> Question:
    """Whom a question is about."""
    return question if isinstance(question, Question) else question.cohort


def answer_for_export(deployment: Deployment, actor: Actor, question: ExportQuestion, action: str,
                      interval: IntervalType, days: Sequence[int], grant: str) -> Answer:
    """The released answer.

    Raises
    ------
    AccessRefused, QuestionError, StoreError, TooManyQuestions.
    """
    asked = cohort_of(question)
    if isinstance(question, OutcomeMapQuestion):
        asked = replace(asked, strata=question.columns)  # a grant must cover both variables
    admitted = admit(deployment, actor, asked, level=Level.PROTECTED, grant_id=grant)
    admission = replace(admitted, scope=_scope_of_exports(deployment, admitted))

    def check(parts: Sequence[Question]) -> None:
        check_budget_for_all(deployment, actor, parts, action, admission.scope)

    match question:
        case SubgroupsQuestion():
            return _answer_subgroups(question, admission, interval, check)
        case TableOneQuestion():
            return _answer_table_one(question, admission, check)
        case OutcomeMapQuestion():
            return _answer_outcome_map(question, admission, interval, check)
    return _answer_survival(question, admission, interval, days, check)


def _scope_of_exports(deployment: Deployment, admission: Admission) -> Scope:
    """Protected, also where answers on screen are not; where they are more strictly protected, as they are."""
    level = Level.PUBLIC if deployment.settings.protection == Level.PUBLIC else Level.PROTECTED
    return Scope(level, grant=admission.scope.grant)


def _answer_survival(question: Question, admission: Admission, interval: IntervalType, days: Sequence[int],
                     check: Check) -> Answer:
    asked = prepare_question(question, admission.snapshot)
    check([asked])
    result = compute_survival(admission.snapshot, restrict(asked, admission.countries), question, interval=interval,
                              days=days, scope=admission.scope, countries=admission.countries)
    notes = (*notes_of_grant(admission, result.not_applied), *result.notes)
    released = release(replace(result, notes=notes), admission.scope)
    return Answer(asked, (asked,), admission, released, released.value.n, bool(released.value.groups))


def _answer_subgroups(question: SubgroupsQuestion, admission: Admission, interval: IntervalType,
                      check: Check) -> Answer:
    snapshot, scope, countries = admission.snapshot, admission.scope, admission.countries
    asked = prepare_subgroups(question, admission)
    granted = replace(asked, cohort=restrict(asked.cohort, countries))
    parts = parts_of(snapshot, asked, scope, countries=countries)
    check(parts)
    result = compute_subgroups(snapshot, granted, question, interval=interval, scope=scope, countries=countries)
    released = release(replace(result, notes=(*notes_of_grant(admission), *result.notes)), scope)
    return Answer(asked, tuple(parts), admission, released, released.value.cohort.n,
                  any(row.n is not None for variable in released.value.variables for row in variable.rows))


def _answer_table_one(question: TableOneQuestion, admission: Admission, check: Check) -> Answer:
    cohort, chosen, parts = prepare_table_one(question.cohort, question.variables, admission)
    check(parts)
    result = compute_table_one(admission.snapshot, restrict(cohort, admission.countries), chosen, admission.scope,
                               countries=admission.countries)
    released = release(replace(result, notes=(*notes_of_grant(admission), *result.notes)), admission.scope)
    asked = replace(question, cohort=cohort, variables=tuple(variable.name for variable in chosen))
    return Answer(asked, tuple(parts), admission, released, None,
                  any(group.n is not None for group in released.value.groups))


def _answer_outcome_map(question: OutcomeMapQuestion, admission: Admission, interval: IntervalType,
                        check: Check) -> Answer:
    cohort, columns, parts = prepare_outcome_map(question.cohort, question.columns, admission.snapshot)
    check(parts)
    result = compute_outcome_map(admission.snapshot, restrict(cohort, admission.countries), columns,
                                 at_days=question.at_days, interval=interval, scope=admission.scope,
                                 countries=admission.countries)
    released = release(replace(result, notes=(*notes_of_grant(admission), *result.notes)), admission.scope)
    return Answer(replace(question, cohort=cohort), tuple(parts), admission, released, None,
                  any(cell.n is not None for cell in released.value.cells))
