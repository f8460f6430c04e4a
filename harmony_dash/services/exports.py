"""Files of protected results: made, recorded with a receipt, listed, and known again.

Whoever makes an export, and under whatever grant, it is computed anew at the protected level.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from harmony_dash import __version__
from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.permissions import Permission
from harmony_dash.access.receipts import FileMark, Receipt, SavedReceipt, make_number, save_receipt
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.results import IntervalType, SurvivalResult
from harmony_dash.errors import QuestionError
from harmony_dash.export.files import Bundle, Format, nothing_to_write, write_files
from harmony_dash.export.kinds import Looks
from harmony_dash.export.provenance import Occasion, SourceNote
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.survival import DEFAULT_DAYS, compute_survival, notes_of_grant, prepare_question
from harmony_dash.store.counts import fetch_cross_counts, fetch_sources
from harmony_dash.store.reader import Snapshot

ACTION = "export"
PREVIEW_ACTION = "preview export"


@dataclass(frozen=True)
class Export:
    """The files, and the receipt under which they are known."""

    bundle: Bundle
    saved: SavedReceipt


@dataclass(frozen=True)
class _Answer:
    """A released result with what it was computed from."""

    asked: Question
    admission: Admission
    released: Released[SurvivalResult]


def preview_export(deployment: Deployment, actor: Actor, question: Question, *,
                   interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS, grant: str = "",
                   ) -> Released[SurvivalResult]:
    """The result that an export of the question would hold; no group of it may be large enough to be shown.

    Parameters
    ----------
    question, interval, days, grant : as for `make_export`.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    text = question.for_the_record
    check_and_record(deployment, actor, Permission.EXPORT, PREVIEW_ACTION, question=text, grant=grant)
    with refusals_recorded(deployment, actor, PREVIEW_ACTION, text, grant=grant):
        answer = _answer(deployment, actor, question, PREVIEW_ACTION, interval, days, grant)
        check_still_admitted(deployment, actor, answer.admission)
        result, scope = answer.released.value, answer.released.scope
        record_within_budget(deployment, actor, answer.asked, PREVIEW_ACTION, scope, snapshot=result.snapshot,
                             n=result.n)
    return answer.released


def make_export(deployment: Deployment, actor: Actor, question: Question, *, formats: Collection[Format],
                interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS,
                looks: Looks | None = None, grant: str = "", progress: Callable[[str], None] = nothing_to_write,
                ) -> Export:
    """The files of a survival question, recorded in the audit trail with a receipt.

    Parameters
    ----------
    question, interval, days : as for `ask_survival`; at most four conditions, as protected results have it.
    looks : unit of time, and whether competing causes stand side by side.
    grant : id of the grant to ask under, empty for none; the question must lie inside it.
    progress : told in words what is being written.

    Raises
    ------
    AccessRefused, also for a question outside the grant; AuditUnavailable: then nothing leaves.
    QuestionError, also when no group is large enough to be shown; StoreError, TooManyQuestions.
    """
    text = question.for_the_record
    check_and_record(deployment, actor, Permission.EXPORT, ACTION, question=text, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, text, grant=grant):
        progress("numbers")
        answer = _answer(deployment, actor, question, ACTION, interval, days, grant)
        result, scope = answer.released.value, answer.released.scope
        if not result.groups:
            raise QuestionError("no group of this cohort is large enough to be shown, so there is nothing to export",
                                where="export", remedy="Remove a filter, or choose a grouping with fewer groups.")
        now = deployment.now()
        number = make_number(now, secrets.choice)
        occasion = Occasion(number, now, actor.username, actor.name, actor.role.value.replace("_", " "), __version__,
                            _sources(answer.admission.snapshot, question.disease))
        bundle = write_files(answer.released, occasion, formats, looks or Looks(),
                             stem=f"harmony-{question.disease}-{question.endpoint}-{number}", progress=progress)
        check_still_admitted(deployment, actor, answer.admission)
    receipt = Receipt(
        number, now, actor.username, actor.role.value, result.title, result.question.canonical_json,
        result.question.fingerprint, result.snapshot, scope.level.value, grant, bundle.data_sha256,
        tuple(FileMark(file.name, len(file.content), file.sha256) for file in bundle.files))
    event = AuditEvent.of(
        actor, ACTION, question=f"{answer.asked.for_the_record} as {', '.join(sorted(formats))}; receipt {number}, "
                                f"seal {receipt.seal}",
        snapshot=result.snapshot, level=scope.level.value, n=result.n, grant=grant)
    with deployment.access.write() as connection:
        audit_id = record(connection, event, now=now)
        save_receipt(connection, receipt, audit_id)
    return Export(bundle, SavedReceipt(receipt, audit_id))


def _answer(deployment: Deployment, actor: Actor, question: Question, action: str, interval: IntervalType,
            days: Sequence[int], grant: str) -> _Answer:
    """The released answer, at the protected level whatever the actor's rights."""
    admitted = admit(deployment, actor, question, level=Level.PROTECTED, grant_id=grant)
    admission = replace(admitted, scope=_scope_of_exports(deployment, admitted))
    asked = prepare_question(question, admission.snapshot)
    check_budget(deployment, actor, asked, action, admission.scope)
    result = compute_survival(admission.snapshot, restrict(asked, admission.countries), question, interval=interval,
                              days=days, scope=admission.scope, countries=admission.countries)
    notes = (*notes_of_grant(admission, result.not_applied), *result.notes)
    released = release(replace(result, notes=notes), admission.scope)
    return _Answer(asked, admission, released)


def _scope_of_exports(deployment: Deployment, admission: Admission) -> Scope:
    """Protected, also where answers on screen are not; where they are more strictly protected, as they are."""
    level = Level.PUBLIC if deployment.settings.protection == Level.PUBLIC else Level.PROTECTED
    return Scope(level, grant=admission.scope.grant)


def _sources(snapshot: Snapshot, disease: str) -> tuple[SourceNote, ...]:
    """The sources of the snapshot that hold patients of the disease."""
    held = {source for (source,), _ in fetch_cross_counts(snapshot, disease, ("source",))}
    return tuple(SourceNote(str(row["source"]), str(row["title"]), str(row["provider"]), str(row["licence"]),
                            row["synthetic"] == "true")
                 for row in fetch_sources(snapshot) if row["source"] in held)
