"""Who is in a cohort, by group: Table 1 of every paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant_rules import check_grant_covers
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_patients
from harmony_dash.cohort.filters import Filter, Missing, Not, OneOf, variables_of
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.cohort.subgroup_question import MOST_VARIABLES, default_variables, fixed_values
from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable, VariableType
from harmony_dash.disclosure import Level, Released, Scope, release, too_few
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.description_results import Quartiles, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount
from harmony_dash.disclosure.low_effect import Answerable, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget_for_all, record_all_within_budget
from harmony_dash.services.choices import choose_counted, count_each_choice
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.services.survival_notes import notes_of_grant
from harmony_dash.services.unapplied import explain_unapplied
from harmony_dash.store.distributions import Distribution, fetch_distributions
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.reader import Snapshot

ACTION: Final = "table one"
MOST_GROUPS: Final = 8


def ask_table_one(deployment: Deployment, actor: Actor, question: Question, variables: Sequence[str] = (), *,
                  level: Level = Level.PROTECTED, grant: str = "") -> Released[TableOne]:
    """Patients by value, medians and quartiles, and how far groups are apart.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : the cohort, by a variable with few values or by none. Everybody who meets the filters is counted, with or
        without a value for the endpoint.
    variables : what describes them; by default what the dictionary offers for subgroups, and the baseline numbers that
        have bands.
    level, grant : as in `ask_survival`.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    record = f"{question.for_the_record} described by {', '.join(variables)}"
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        admission = admit(deployment, actor, question, level=level, grant_id=grant)
        snapshot, scope = admission.snapshot, admission.scope
        question, chosen, parts = prepare_table_one(question, variables, admission)
        check_budget_for_all(deployment, actor, parts, ACTION, scope)
        table = compute_table_one(snapshot, restrict(question, admission.countries), chosen, scope,
                                  countries=admission.countries)
        released = release(replace(table, notes=(*notes_of_grant(admission), *table.notes)), scope)
        check_still_admitted(deployment, actor, admission)
        record_all_within_budget(deployment, actor, parts, ACTION, scope, snapshot=snapshot.snapshot)
    return released


def prepare_table_one(question: Question, variables: Sequence[str], admission: Admission,
                      ) -> tuple[Question, tuple[Variable, ...], list[Question]]:
    """The question as it is answered, what describes its patients, and the questions it stands for: one a column.

    Raises
    ------
    AccessRefused for a variable that the grant does not cover, QuestionError.
    """
    if admission.grant is not None:
        check_grant_covers(admission.grant, disease=question.disease, variables=tuple(variables), countries=())
    snapshot = admission.snapshot
    question = replace(question, strata=None, landmark_days=0, horizon_days=None)
    check_against_snapshot(question, snapshot)
    chosen = choose_variables(question, variables, snapshot.dictionary)
    return question, chosen, list(_columns(snapshot, question).values())


def choose_variables(question: Question, names: Sequence[str], dictionary: Dictionary) -> tuple[Variable, ...]:
    """The variables of the table in the dictionary's order, without the one that makes its groups.

    Raises
    ------
    QuestionError for a name that there is not, or too many.
    """
    numbers = [variable.name for variable in dictionary.askable(question.disease)
               if variable.bands and variable.measured is TimePoint.BASELINE]
    wanted = set(names) or {*default_variables(question, dictionary), *numbers}
    if len(wanted) > MOST_VARIABLES:
        raise QuestionError(f"{len(wanted)} variables are too many for one table, at most {MOST_VARIABLES} fit",
                            where="variables", remedy="Ask for them in several tables.")
    found = {name: askable_variable(name, question.disease, dictionary, where=name) for name in wanted}
    days = [variable for variable in found.values() if variable.type is VariableType.DAYS]
    if days:
        raise QuestionError(f"'{days[0].name}' is the day of something and describes nobody", where="variables",
                            remedy="Leave it out.")
    return tuple(found[name] for name in dictionary.variables if name in found and name != question.by)


def compute_table_one(snapshot: Snapshot, question: Question, variables: Sequence[Variable], scope: Scope, *,
                      countries: OneOf | None = None) -> TableOne:
    """The unreleased table of a checked question.

    Parameters
    ----------
    countries : as of `plan_answer`.
    """
    described = [_describe_group(snapshot, question, value, part, variables, scope, countries)
                 for value, part in _columns(snapshot, question).items()]
    notes = dict.fromkeys(note for _, told in described for note in told)
    left = fixed_values(question)
    blocks = tuple(TableOneVariable(
        variable.name, variable.label,
        {value: variable.label_of(value) for value in snapshot.values_of(variable)
         if value in left.get(variable.name, (value,))} if variable.is_categorical else {}, variable.unit)
        for variable in variables)
    title = f"Characteristics of {describe_patients(question, snapshot.dictionary)}"
    return TableOne(question, title, snapshot.snapshot, snapshot.synthetic, tuple(group for group, _ in described),
                    blocks, tuple(notes))


def _columns(snapshot: Snapshot, question: Question) -> dict[str, Question]:
    """Each group's value and the question for its patients alone."""
    if question.by is None:
        return {"": question}
    values = snapshot.values_of(snapshot.dictionary[question.by])
    left = fixed_values(question).get(question.by, values)
    values = tuple(value for value in values if value in left)
    if len(values) > MOST_GROUPS:
        raise QuestionError(f"'{question.by}' has {len(values)} values, at most {MOST_GROUPS} make columns", where="by",
                            remedy="Choose a grouping with fewer groups.")
    others = tuple(item for item in question.where if set(variables_of(item)) != {question.by})
    return {value: replace(question, by=None, where=(*others, OneOf(question.by, (value,)))) for value in values}


def _describe_group(snapshot: Snapshot, question: Question, value: str, part: Question, variables: Sequence[Variable],
                    scope: Scope, countries: OneOf | None) -> tuple[TableOneGroup, list[str]]:
    """The column of a group, and in what it differs from what was asked."""
    name = snapshot.dictionary[question.by].label_of(value) if question.by else "all patients"
    check_closed(part, snapshot.dictionary, scope.level, protected=[countries] if countries else [])
    least = scope.rules.minimum_cell if scope.is_protected else 0
    answer = apply_low_effect_rule(fetch_effects(snapshot, part, figure=False), least)
    withheld = TableOneGroup(value, name, NOBODY, None, {}, too_few(scope.rules))
    if isinstance(answer, TooFewPatients):
        return withheld, []
    if question.by and OneOf(question.by, (value,)) not in answer.question.where:
        return withheld, []  # nearly everybody is in this group, and it is answered with everybody
    categories = [variable for variable in variables if variable.is_categorical]
    counts = count_each_choice(snapshot, part, choose_counted(part, categories, scope, most_added=MOST_VARIABLES),
                               categories, scope)
    numeric = [variable for variable in variables if variable.is_numeric]
    numbers = fetch_distributions(snapshot, answer.question, numeric)
    asked = {variable.name for variable in choose_counted(part, numeric, scope, most_added=MOST_VARIABLES)}
    group = TableOneGroup(value, name, answer.n, CohortChoices(answer.n, _asked(counts, part), counts.missing,
                                                               not_counted=counts.not_counted),
                          {name: _quartiles(one, _count_missing(snapshot, answer.question, name, scope)
                                            if name in asked else None) for name, one in numbers.items()})
    groups = (name,) if question.by else ()
    return group, [explain_unapplied(one, snapshot.dictionary, least, groups) for one in answer.not_applied]


def _asked(counts: CohortChoices, part: Question) -> dict[str, dict[str, int | None]]:
    """The counts without values that a filter leaves out: the panel counts them to offer them."""
    left = fixed_values(part)
    return {name: {value: n for value, n in values.items() if value in left.get(name, (value,))}
            for name, values in counts.counts.items()}


def _quartiles(one: Distribution, missing: KeyedCount | None) -> Quartiles:
    return Quartiles(one.n, one.median, one.lower, one.upper, one.mean, one.deviation, missing)


def _count_missing(snapshot: Snapshot, question: Question, name: str, scope: Scope) -> KeyedCount | None:
    """Patients without the number, if the panel would answer both for them and for those who have it as asked."""
    if not scope.is_protected:
        return None
    absent = Missing(name)
    known = _answer_as_asked(snapshot, question, Not(absent), scope)
    return None if known is None else _answer_as_asked(snapshot, question, absent, scope)


def _answer_as_asked(snapshot: Snapshot, question: Question, more: Filter, scope: Scope) -> KeyedCount | None:
    """The patients who meet one condition more, None where some condition would not be applied."""
    asked = replace(question, where=(*question.where, more))
    answer = apply_low_effect_rule(fetch_effects(snapshot, asked, figure=False), scope.rules.minimum_cell)
    return answer.n if isinstance(answer, Answerable) and not answer.not_applied else None
