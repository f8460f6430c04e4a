"""How do patients like these do? One question in, one released answer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.filters import Filter, OneOf, leaves_of
from harmony_dash.cohort.question import Question, check_question, with_landmark
from harmony_dash.disclosure import Level, Released, release
from harmony_dash.disclosure.results import IntervalType, SurvivalResult
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.services.survival_notes import notes_of_grant
from harmony_dash.store.reader import Snapshot

DEFAULT_DAYS = (365, 1096, 1826)
ACTION = "survival"


def ask_survival(deployment: Deployment, actor: Actor, question: Question, *,
                 interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS,
                 level: Level = Level.PROTECTED, grant: str = "") -> Released[SurvivalResult]:
    """Curves, estimates, tests and the cohort's flow for one question.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : what is asked. Its landmark is moved to the day by which all its variables are known.
    interval : type of the confidence intervals.
    days : days after time zero (or the landmark) at which estimates are read off.
    level : exact results need a grant that gives them, or the operator's own right.
    grant : id of the grant to ask under, empty for none; the answer then comes from what the grant opens, no more.

    Returns
    -------
    Released[SurvivalResult]. Groups too small to be shown take no part in any test.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    record = question.for_the_record
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        admission = admit(deployment, actor, question, level=level, grant_id=grant)
        asked = prepare_question(question, admission.snapshot)
        check_budget(deployment, actor, asked, ACTION, admission.scope)
        released = _release(deployment, admission, asked, question, interval, tuple(days))
        check_still_admitted(deployment, actor, admission)
        record_within_budget(deployment, actor, asked, ACTION, admission.scope, snapshot=admission.snapshot.snapshot,
                             n=released.value.n)
    return released


def _release(deployment: Deployment, admission: Admission, asked: Question, as_asked: Question,
             interval: IntervalType, days: tuple[int, ...]) -> Released[SurvivalResult]:
    """The released answer; a protected one that rests on no grant is computed once for everybody who asks."""
    snapshot, scope = admission.snapshot, admission.scope

    def compute() -> Released[SurvivalResult]:
        result = compute_survival(snapshot, restrict(asked, admission.countries), as_asked, interval=interval,
                                  days=days, scope=scope, countries=admission.countries)
        notes = (*notes_of_grant(admission, result.not_applied), *result.notes)
        return release(replace(result, notes=notes), scope)

    if admission.grant is not None or not scope.is_protected:
        return compute()
    key = (snapshot.snapshot, admission.withdrawn, scope.key, asked, as_asked, interval, days)
    return deployment.survival.get(key, compute)


def prepare_question(question: Question, snapshot: Snapshot) -> Question:
    """Check the question against the snapshot and set the landmark its variables need."""
    check_against_snapshot(question, snapshot)
    return with_landmark(question, snapshot.dictionary)


def check_against_snapshot(question: Question, snapshot: Snapshot) -> None:
    """Refuse a question that the snapshot's dictionary or data cannot be asked."""
    check_question(question, snapshot.dictionary)
    held = snapshot.code_values.get("disease", ())
    if question.disease not in held:
        raise QuestionError(f"the snapshot holds no patient with {question.disease}", where="disease",
                            remedy=f"Choose one of: {', '.join(held)}.")
    for item in question.where:
        _check_code_values(item, snapshot)


def _check_code_values(item: Filter, snapshot: Snapshot) -> None:
    """Refuse a trial, arm or other open code that no patient of the snapshot has."""
    for leaf in leaves_of(item):
        if isinstance(leaf, OneOf):
            known = snapshot.values_of(snapshot.dictionary[leaf.variable])
            wrong = [value for value in leaf.values if value not in known]
            if wrong:
                raise QuestionError(f"'{wrong[0]}' is not a value of {leaf.variable} in this snapshot", where="where",
                                    remedy=f"Choose from: {', '.join(known)}.")
