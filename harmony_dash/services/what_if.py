"""What if patients like these had been treated one way, or the other? One question in, an answer or a refusal out.

The order is that of care: first whether the data may be asked at all (time zero, trials that used both, numbers,
overlap, balance, confounders), and only then the estimators. A refused comparison is never estimated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant_rules import check_grant_covers
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion, check_what_if, late_variables
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure import Level, Released, release
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget_for_all, record_all_within_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.services.survival_notes import notes_of_grant
from harmony_dash.services.what_if_answer import compute_what_if
from harmony_dash.services.what_if_cache import CACHE, CacheKey
from harmony_dash.services.what_if_estimates import Bootstrap, in_threads
from harmony_dash.services.what_if_levels import level_questions
from harmony_dash.services.what_if_queue import QUEUE
from harmony_dash.services.what_if_randomised import from_remission, randomised_question
from harmony_dash.store.reader import Snapshot

ACTION = "what-if"
REPLICATES = 200


def ask_what_if(deployment: Deployment, actor: Actor, question: WhatIfQuestion, *, level: Level = Level.PROTECTED,
                grant: str = "", replicates: int = REPLICATES, progress: Callable[[int, int], None] | None = None,
                waiting: Callable[[int], None] | None = None, cancelled: Callable[[], bool] | None = None,
                bootstrap: Callable[[], AbstractContextManager[Bootstrap]] = in_threads) -> Released[WhatIfResult]:
    """Compare two treatment strategies, or say why these data cannot.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : what is asked; its adjustment variables are chosen from the dictionary if it names none, and its landmark
        is moved to the day by which all its variables are known.
    level, grant : as in `ask_survival`.
    replicates : of the bootstrap.
    progress : told how much of the bootstrap is done, and of how much; never called for an answer known already.
    waiting : told how many others are computed or wait before it.
    cancelled : asked while waiting, between stages and between replicates whether to stop. A question that was begun is
        recorded and counts, whether its answer was waited for or not: how far it came tells something too.
    bootstrap : entered once it is its turn, gives what draws the replicates.

    Returns
    -------
    Released[WhatIfResult]; a refusal by the data is a result with its reasons, not an error.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions; Cancelled; ComputationLost,
    ComputationFailed.
    """
    record = question.for_the_record
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        admission = admit(deployment, actor, question.cohort, level=level, grant_id=grant)
        snapshot, scope = admission.snapshot, admission.scope
        asked = prepare_what_if(question, admission, deployment.store.current().dictionary)
        parts: list[Question | WhatIfQuestion] = [asked, *parts_of(asked, snapshot)]
        check_budget_for_all(deployment, actor, parts, ACTION, scope)
        key = CacheKey(str(deployment.settings.store), snapshot.snapshot, asked.fingerprint,
                       question.fingerprint, scope.key, tuple(sorted(admission.withdrawn)), replicates)
        released = CACHE.get(key)
        if released is None:
            begin = partial(record_within_budget, deployment, actor, asked, ACTION, scope, snapshot=snapshot.snapshot,
                            n=None)
            granted = replace(asked, cohort=restrict(asked.cohort, admission.countries))
            with QUEUE.turn(actor.username, deployment.settings.what_if_runs, waiting=waiting, cancelled=cancelled):
                released = CACHE.get(key)  # somebody before may have asked the same
                if released is None:
                    with bootstrap() as draw:
                        result = compute_what_if(
                            snapshot, granted, question, scope=scope, countries=admission.countries, bootstrap=draw,
                            replicates=replicates, begin=begin, progress=progress, cancelled=cancelled)
                    result = replace(result, notes=(*notes_of_grant(admission), *result.notes))
                    released = CACHE.put(key, release(result, scope))
        check_still_admitted(deployment, actor, admission)
        record_all_within_budget(deployment, actor, parts, ACTION, scope, snapshot=snapshot.snapshot,
                                 n=_size(released.value))
    return released


def prepare_what_if(question: WhatIfQuestion, admission: Admission, whole: Dictionary) -> WhatIfQuestion:
    """Check the question against the snapshot and the grant; choose its adjustment variables and its landmark.

    Parameters
    ----------
    whole : the dictionary before a grant cut it down: a confounder must not be left out because it is not open.

    Raises
    ------
    AccessRefused for a variable that the grant does not cover, one the dictionary adjusts for by default included.
    QuestionError.
    """
    snapshot = admission.snapshot
    if admission.grant is not None:
        check_grant_covers(admission.grant, disease=question.cohort.disease,
                           variables=check_what_if(question, whole).read_variables, countries=())
    check_against_snapshot(question.cohort, snapshot)
    asked = check_what_if(question, snapshot.dictionary)
    check_against_snapshot(asked.by_strategy, snapshot)
    return asked


def parts_of(question: WhatIfQuestion, snapshot: Snapshot) -> list[Question]:
    """The questions of the survival page that a comparison answers, for the budget beside the comparison itself."""
    if late_variables(question, snapshot.dictionary):
        return []
    parts = [question.by_strategy, question.by_cause, *level_questions(question, question.cohort)]
    by_arm = randomised_question(snapshot, question)
    if by_arm is not None:
        parts += [by_arm, from_remission(by_arm)]
    return parts


def _size(result: WhatIfResult) -> int | None:
    """The patients of both arms as they are shown; None if any is hidden."""
    counts: Sequence[int | None] = [cell.n for cell in result.allocation]
    return None if not counts or None in counts else sum(n or 0 for n in counts)
