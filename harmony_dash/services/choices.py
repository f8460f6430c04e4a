"""How many patients each choice of the cohort panel would leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import PANEL_ACTION
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.filters import leaves_of, variables_of
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure import Released, Scope, release
from harmony_dash.disclosure.closed_questions import MOST_CONDITIONS, check_closed
from harmony_dash.disclosure.group_effects import apply_rule_by_choice
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.low_effect import Answerable, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.protect_counts import NO_VALUE
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.selections import list_choices
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import admit_to_all, check_still_admitted
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import as_recorded, check_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.store.effects import fetch_choice_effects, fetch_effects
from harmony_dash.store.reader import Snapshot

# Each variable is a question more. People add a few to the everyday ones; who adds dozens is listing the data.
MOST_ADDED: Final = 10


def count_choices(deployment: Deployment, actor: Actor, question: Question, variables: Sequence[str],
                  ) -> Released[CohortChoices]:
    """Patients per value of each variable: as many as the question has with this value as its filter on the variable.

    Not counted are variables with which the question would have too many conditions, and those beyond the everyday
    ones, the filtered ones and `MOST_ADDED` others.

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
    admission = admit_to_all(deployment)
    snapshot, scope = admission.snapshot, admission.scope
    with refusals_recorded(deployment, actor, action, record):
        check_against_snapshot(question, snapshot)
        chosen = [variable for variable in (askable_variable(name, question.disease, snapshot.dictionary, where=name)
                                            for name in variables) if variable.is_categorical]
        question = as_recorded(question, snapshot.dictionary)
        check_budget(deployment, actor, question, action, scope)
    record = f"{question.for_the_record} counted by {', '.join(variables)}"
    try:
        check_closed(question, snapshot.dictionary, scope.level)
        counted = choose_counted(question, chosen, scope)
        # the same whatever the figure beside the panel shows
        key = (snapshot.snapshot, admission.withdrawn, scope.key, question.disease, question.where,
               tuple(v.name for v in counted), tuple(v.name for v in chosen))
        released = deployment.choices.get(key, lambda: release(
            count_each_choice(snapshot, question, counted, chosen, scope), scope))
    except QuestionError:
        # the panel must stay usable, because it is where such a question can be mended; the answer says what is wrong
        released = release(_count_nothing(snapshot, chosen), scope)
    with refusals_recorded(deployment, actor, action, record):
        check_still_admitted(deployment, actor, admission)
        record_within_budget(deployment, actor, question, action, released.scope, snapshot=snapshot.snapshot,
                             n=released.value.total, counted_by=f" counted by {', '.join(variables)}")
    return released


def choose_counted(question: Question, variables: Sequence[Variable], scope: Scope, *, most_added: int = MOST_ADDED,
                   ) -> list[Variable]:
    """The variables that are counted, in their order.

    A count is the answer to a question with a filter on its variable, so where no further condition is answered only
    variables that are filtered already are counted.
    """
    filtered = {name for item in question.where for name in variables_of(item)}
    conditions = sum(1 for item in question.where for _ in leaves_of(item))
    more = conditions < MOST_CONDITIONS[scope.level]
    added = [variable for variable in variables if not (variable.everyday or variable.name in filtered)][:most_added]
    return [variable for variable in variables
            if variable.name in filtered or (more and (variable.everyday or variable in added))]


def _count_nothing(snapshot: Snapshot, variables: Sequence[Variable]) -> CohortChoices:
    """The choices of a question that gets no answer whatever is chosen."""
    return CohortChoices(None, {variable.name: dict.fromkeys(snapshot.values_of(variable)) for variable in variables},
                         dict.fromkeys(variable.name for variable in variables),
                         not_counted={variable.name: frozenset([*snapshot.values_of(variable), NO_VALUE])
                                      for variable in variables})


def count_each_choice(snapshot: Snapshot, question: Question, counted: Sequence[Variable],
                      variables: Sequence[Variable], scope: Scope) -> CohortChoices:
    """Every count as the answer to the question that has its choice as its filter on the variable.

    Parameters
    ----------
    counted : those of the variables that are counted; the others are said not to be.
    """
    least = scope.rules.minimum_cell if scope.is_protected else 0
    cohort = fetch_effects(snapshot, replace(question, by=None), figure=False)
    total = _size(apply_low_effect_rule(cohort, least), least)
    nothing = _count_nothing(snapshot, variables)
    counts, missing, not_counted = dict(nothing.counts), dict(nothing.missing), dict(nothing.not_counted)
    effects = fetch_choice_effects(snapshot, question, counted)
    for variable in counted:
        choices = list_choices(variable, snapshot.values_of(variable))
        sizes: dict[str, int | None] = dict(zip((*choices.values, NO_VALUE), (
            _size(answer, least) for answer in apply_rule_by_choice(effects[variable.name], choices, least)),
            strict=True))
        not_counted[variable.name] = frozenset(value for value, n in sizes.items() if n is None)
        missing[variable.name] = sizes.pop(NO_VALUE)
        counts[variable.name] = sizes
    return CohortChoices(total, counts, missing, not_counted=not_counted)


def _size(answer: Answerable | TooFewPatients, least: int) -> KeyedCount | None:
    """The patients of an answer; small ones even if there is none, because the question has no more; None if not."""
    return answer.n if isinstance(answer, Answerable) or answer.n < least else None
