"""How do patients do by two things at once, such as genetic subtype and residual disease after induction?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_question
from harmony_dash.cohort.description_question import MRD_COLUMNS
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf, variables_of
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.cohort.subgroup_question import FIVE_YEARS
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.description_results import MapCell, OutcomeMap
from harmony_dash.disclosure.keyed_count import NOBODY
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget_for_all, record_all_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.late_entry import why_withheld
from harmony_dash.services.protection import AnswerPlan, fetch_planned_tables, plan_answer
from harmony_dash.services.subgroup_rows import Reading, count_levels, read_level
from harmony_dash.services.survival import prepare_question
from harmony_dash.services.survival_notes import notes_of_grant
from harmony_dash.store.reader import Snapshot

ACTION: Final = "outcome map"
ROWS, COLUMNS = "subtype", MRD_COLUMNS
_MOST_COLUMNS: Final = 12


def ask_outcome_map(deployment: Deployment, actor: Actor, question: Question, *, columns: str = COLUMNS,
                    at_days: int = FIVE_YEARS, interval: IntervalType = IntervalType.LOG_LOG,
                    level: Level = Level.PROTECTED, grant: str = "") -> Released[OutcomeMap]:
    """Patients, events and an estimate for every pair of values of two variables.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : the cohort, grouped by the variable of the rows. Its landmark is moved to the day by which both variables
        are known: whoever had an event before that has no place in the map.
    columns : the other variable.
    at_days : day of the estimates.
    interval, level, grant : as in `ask_survival`.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    record = f"{question.for_the_record} by {columns}"
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        check_two_variables(question, columns)
        admission = admit(deployment, actor, replace(question, strata=columns), level=level, grant_id=grant)
        snapshot, scope = admission.snapshot, admission.scope
        asked, variable, parts = prepare_outcome_map(question, columns, snapshot)
        check_budget_for_all(deployment, actor, parts, ACTION, scope)
        found = compute_outcome_map(snapshot, restrict(asked, admission.countries), variable, at_days=at_days,
                                    interval=interval, scope=scope, countries=admission.countries)
        released = release(replace(found, notes=(*notes_of_grant(admission), *found.notes)), scope)
        check_still_admitted(deployment, actor, admission)
        record_all_within_budget(deployment, actor, parts, ACTION, scope, snapshot=snapshot.snapshot)
    return released


def check_two_variables(question: Question, columns: str) -> None:
    """Refuse a map of one variable.

    Raises
    ------
    QuestionError.
    """
    if question.by is None or question.by == columns:
        raise QuestionError("a map of outcomes needs two different variables", where="by",
                            remedy="Choose one for the rows and one for the columns.")


def prepare_outcome_map(question: Question, columns: str, snapshot: Snapshot,
                        ) -> tuple[Question, Variable, list[Question]]:
    """The question with its landmark, the variable of the columns, and the questions it stands for: one a column.

    Raises
    ------
    QuestionError.
    """
    check_two_variables(question, columns)
    asked = prepare_question(replace(prepare_question(replace(question, by=columns), snapshot), by=question.by),
                             snapshot)
    variable = askable_variable(columns, question.disease, snapshot.dictionary, where="columns")
    return asked, variable, [within for _, within in _columns(snapshot, asked, variable)]


def compute_outcome_map(snapshot: Snapshot, question: Question, columns: Variable, *, at_days: int,
                        interval: IntervalType, scope: Scope, countries: OneOf | None = None) -> OutcomeMap:
    """The unreleased map of a checked question, with its landmark.

    Parameters
    ----------
    countries : as of `plan_answer`.
    """
    rows = snapshot.dictionary[question.by or ""]
    reading = Reading(question, at_days, interval, scope, late_entry=snapshot.late_entry)
    cells: list[MapCell] = []
    notes: dict[str, None] = {}
    names: dict[str, str] = {}
    for value, within in _columns(snapshot, question, columns):
        plan = plan_answer(snapshot, within, scope, countries=countries)
        names[value] = columns.label_of(value)
        cells += _column(snapshot, plan, rows, OneOf(columns.name, (value,)), reading)
        notes |= dict.fromkeys(f"{names[value]}: {note}" for note in plan.notes)
    if question.landmark_days:
        zero = endpoint_named(question.endpoint).time_zero
        clock = (f"The clock starts on day {question.landmark_days} after {zero}. Patients with an event or last "
                 "contact by that day are not counted.")
        notes = {clock: None} | notes
    whom = describe_question(replace(question, by=None), snapshot.dictionary)
    title = f"{whom}, by two variables: {rows.label} and {columns.label}"
    return OutcomeMap(question, rows.name, columns.name, rows.label, columns.label,
                      {value: rows.label_of(value) for value in snapshot.values_of(rows)}, names, tuple(cells),
                      at_days, title, snapshot.snapshot, snapshot.synthetic, interval, tuple(notes))


def _columns(snapshot: Snapshot, question: Question, columns: Variable) -> Iterator[tuple[str, Question]]:
    """Each value of the columns and the question among its patients; a filter on it leaves its values alone."""
    values = snapshot.values_of(columns)
    for item in question.where:
        if isinstance(item, OneOf) and item.variable == columns.name:
            values = tuple(value for value in values if value in item.values)
    if len(values) > _MOST_COLUMNS:
        raise QuestionError(f"'{columns.name}' has {len(values)} values, at most {_MOST_COLUMNS} make columns",
                            where="columns", remedy="Choose a grouping with fewer values.")
    others = tuple(item for item in question.where if set(variables_of(item)) != {columns.name})
    for value in values:
        yield value, replace(question, where=(*others, OneOf(columns.name, (value,))))


def _column(snapshot: Snapshot, plan: AnswerPlan, rows: Variable, column: OneOf, reading: Reading,
            ) -> Iterator[MapCell]:
    """The cells of one column; one of whose own filter nothing is left is not of this column, and stays empty."""
    table = None if plan.question is None else fetch_planned_tables(snapshot, plan)[0]
    counts = {} if table is None else count_levels(table)
    asked = {row: part.question for part in plan.parts for row in part.groups if column in part.question.where}
    for row in snapshot.values_of(rows):
        if table is None or row not in asked:
            reason = why_withheld(plan.withheld.get(row, "too few"), reading.scope.rules, late_entry=reading.late_entry)
            yield MapCell(row, column.values[0], NOBODY, NOBODY, None, reason)
            continue
        n, events = counts[row]
        at, group, reason = read_level(table, row, n, events, None, reading)
        wider = asked[row] != plan.question
        yield MapCell(row, column.values[0], n, events, at, reason or ("answers a wider question" if wider else ""),
                      group)
