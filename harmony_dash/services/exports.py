"""Files of protected results: made, recorded with a receipt, listed, and known again.

Whoever makes an export, and under whatever grant, it is computed anew at the protected level.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from harmony_dash import __version__
from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.permissions import Permission
from harmony_dash.access.receipts import EXPORT_ACTION, FileMark, Receipt, SavedReceipt, make_number, save_receipt
from harmony_dash.cohort.description_question import OutcomeMapQuestion, TableOneQuestion
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Released
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.errors import QuestionError
from harmony_dash.export.files import Bundle, Format, nothing_to_write, write_files
from harmony_dash.export.kinds import Looks
from harmony_dash.export.provenance import Occasion, SourceNote
from harmony_dash.services.admission import check_still_admitted
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget_for_all, record_all_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.export_answers import ExportQuestion, answer_for_export, cohort_of
from harmony_dash.services.survival import DEFAULT_DAYS
from harmony_dash.store.counts import fetch_cross_counts, fetch_sources
from harmony_dash.store.reader import Snapshot

ACTION = EXPORT_ACTION
PREVIEW_ACTION = "preview export"


@dataclass(frozen=True)
class Export:
    """The files, and the receipt under which they are known."""

    bundle: Bundle
    saved: SavedReceipt


def preview_export(deployment: Deployment, actor: Actor, question: ExportQuestion, *,
                   interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS, grant: str = "",
                   ) -> Released[Any]:
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
        answer = answer_for_export(deployment, actor, question, PREVIEW_ACTION, interval, days, grant)
        check_still_admitted(deployment, actor, answer.admission)
        record_all_within_budget(deployment, actor, answer.parts, PREVIEW_ACTION, answer.released.scope,
                                 snapshot=answer.admission.snapshot.snapshot, n=answer.n,
                                 table=answer.asked.for_the_record if answer.is_table else "")
    return answer.released


def make_export(deployment: Deployment, actor: Actor, question: ExportQuestion, *, formats: Collection[Format],
                interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS,
                looks: Looks | None = None, grant: str = "", progress: Callable[[str], None] = nothing_to_write,
                ) -> Export:
    """The files of a question, recorded in the audit trail with a receipt.

    A table of subgroups, a Table 1 and a map of outcomes answer many questions at once, which are recorded with it.

    Parameters
    ----------
    question, interval, days : as for the service that answers it on screen; at most four conditions, as protected
        results have it.
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
        answer = answer_for_export(deployment, actor, question, ACTION, interval, days, grant)
        result, scope, asked = answer.released.value, answer.released.scope, answer.asked
        if not answer.has_something:
            raise QuestionError("no group of this cohort is large enough to be shown, so there is nothing to export",
                                where="export", remedy="Remove a filter, or choose a grouping with fewer groups.")
        now = deployment.now()
        number = make_number(now, secrets.choice)
        occasion = Occasion(number, now, actor.username, actor.name, actor.role.value.replace("_", " "), __version__,
                            note_sources(answer.admission.snapshot, cohort_of(asked).disease))
        bundle = write_files(answer.released, occasion, formats, looks or Looks(),
                             stem=_stem(asked, number), progress=progress)
        check_still_admitted(deployment, actor, answer.admission)
    receipt = Receipt(
        number, now, actor.username, actor.role.value, result.title, bundle.question,
        bundle.fingerprint, result.snapshot, scope.level.value, grant, bundle.data_sha256,
        tuple(FileMark(file.name, len(file.content), file.sha256) for file in bundle.files))
    made = f"{asked.for_the_record} as {', '.join(sorted(formats))}{receipt.ending}"
    # the questions that a table is made of, for whoever would put answers together
    lines = [*(part.for_the_record for part in answer.parts if answer.is_table), made]
    with refusals_recorded(deployment, actor, ACTION, text, grant=grant), deployment.access.write() as connection:
        # other exports may have used up the budget while this one was made
        check_budget_for_all(deployment, actor, answer.parts, ACTION, scope)
        for line in lines:
            audit_id = record(connection, AuditEvent.of(actor, ACTION, question=line, snapshot=result.snapshot,
                                                        level=scope.level.value, n=answer.n, grant=grant), now=now)
        save_receipt(connection, receipt, audit_id)
    return Export(bundle, SavedReceipt(receipt, audit_id))


def _stem(question: ExportQuestion, number: str) -> str:
    """The name of the ZIP: the disease, what it holds, and the receipt."""
    cohort = cohort_of(question)
    kind = {SubgroupsQuestion: f"{cohort.endpoint}-subgroups", TableOneQuestion: "table-one",
            OutcomeMapQuestion: f"{cohort.endpoint}-map"}.get(type(question), cohort.endpoint)
    return f"harmony-{cohort.disease}-{kind}-{number}"


def note_sources(snapshot: Snapshot, disease: str) -> tuple[SourceNote, ...]:
    """The sources of the snapshot that hold patients of the disease."""
    held = {source for (source,), _ in fetch_cross_counts(snapshot, disease, ("source",))}
    return tuple(SourceNote(str(row["source"]), str(row["title"]), str(row["provider"]), str(row["licence"]),
                            row["synthetic"] == "true")
                 for row in fetch_sources(snapshot) if row["source"] in held)
