"""How many patients each choice of the cohort panel would leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import PANEL_ACTION
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure import Released, Scope, release
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.group_effects import apply_rule_by_group
from harmony_dash.disclosure.keyed_count import NOBODY
from harmony_dash.disclosure.low_effect import TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.results import CohortChoices
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import open_to_all, scope_for_all
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.budget import as_recorded, check_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.store.effects import fetch_choice_effects, fetch_effects
from harmony_dash.store.reader import Snapshot


def count_choices(deployment: Deployment, actor: Actor, question: Question, variables: Sequence[str],
                  ) -> Released[CohortChoices]:
    """Patients per value of each variable, among those who meet every filter on other variables.

    Parameters
    ----------
    question : only its disease and filters count.
    variables : categorical variables.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    action = PANEL_ACTION
    record = f"{question.for_the_record} counted by {', '.join(variables)}"
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, action, question=record)
    snapshot = open_to_all(deployment)
    scope = scope_for_all(deployment, snapshot)
    with refusals_recorded(deployment, actor, action, record):
        check_against_snapshot(question, snapshot)
        chosen = [variable for variable in (askable_variable(name, question.disease, snapshot.dictionary, where=name)
                                            for name in variables) if variable.is_categorical]
        question = as_recorded(question, snapshot.dictionary)
        check_budget(deployment, actor, question, action, scope)
    record = f"{question.for_the_record} counted by {', '.join(variables)}"
    try:
        check_closed(question, snapshot.dictionary, scope.level)
        choices = count_each_choice(snapshot, question, chosen, scope)
    except QuestionError:
        # the panel must stay usable, because it is where such a question can be mended; the answer says what is wrong
        choices = CohortChoices(NOBODY, {variable.name: dict.fromkeys(snapshot.values_of(variable), NOBODY)
                                         for variable in chosen}, dict.fromkeys((v.name for v in chosen), NOBODY))
    released = release(choices, scope)
    record_answer(deployment, actor, action, question=record, snapshot=snapshot.snapshot,
                  level=released.scope.level, n=released.value.total)
    return released


def count_each_choice(snapshot: Snapshot, question: Question, variables: Sequence[Variable], scope: Scope,
                      ) -> CohortChoices:
    """Every count as the answer to the question that has its choice as one more filter."""
    least = scope.rules.minimum_cell if scope.is_protected else 0
    total = apply_low_effect_rule(fetch_effects(snapshot, replace(question, by=None), figure=False), least)
    counts: dict[str, dict[str, int | None]] = {}
    missing: dict[str, int | None] = {}
    effects = fetch_choice_effects(snapshot, question, variables)
    for variable in variables:
        values = snapshot.values_of(variable)
        answers = apply_rule_by_group(effects[variable.name], len(values) + 1, variable.name, least, floor=least)
        *of_values, missing[variable.name] = (
            NOBODY if isinstance(answer, TooFewPatients) else answer.n for answer in answers)
        counts[variable.name] = dict(zip(values, of_values, strict=True))
    return CohortChoices(NOBODY if isinstance(total, TooFewPatients) else total.n, counts, missing)
