"""How many patients each choice of the cohort panel would leave."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.question import Question, askable_variable
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.results import CohortChoices
from harmony_dash.services.admission import open_to_all
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.store.counts import fetch_choices, fetch_cohort_count


def count_choices(deployment: Deployment, actor: Actor, question: Question, variables: Sequence[str],
                  ) -> Released[CohortChoices]:
    """Patients per value of each variable, among those who meet every filter on other variables.

    Parameters
    ----------
    question : only its disease and filters count.
    variables : categorical variables.

    Raises
    ------
    AccessRefused, QuestionError, StoreError.
    """
    action = "count choices"
    record = f"{question.for_the_record} counted by {', '.join(variables)}"
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, action, question=record)
    snapshot = open_to_all(deployment)
    with refusals_recorded(deployment, actor, action, record):
        check_against_snapshot(question, snapshot)
        chosen = [askable_variable(name, question.disease, snapshot.dictionary, where=name) for name in variables]
    counted = fetch_choices(snapshot, question, [variable for variable in chosen if variable.is_categorical])
    choices = CohortChoices(
        total=fetch_cohort_count(snapshot, question),
        counts={name: {value: counts.get(value, 0) for value in snapshot.values_of(snapshot.dictionary[name])}
                for name, counts in counted.items()},
        missing={name: counts.get(None, 0) for name, counts in counted.items()})
    released = release(choices, Scope(Level.PROTECTED))
    record_answer(deployment, actor, action, question=record, snapshot=snapshot.snapshot,
                  level=released.scope.level, n=released.value.total)
    return released
