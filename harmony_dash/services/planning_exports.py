"""Files of who is in the data, and of whether a question can be asked: for planning a study, with a receipt.

They hold what the page shows to everybody, and no more. Nothing in them is an outcome.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Any, Final

from harmony_dash import __version__
from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record
from harmony_dash.access.permissions import Permission
from harmony_dash.access.receipts import EXPORT_ACTION, FileMark, Receipt, SavedReceipt, make_number, save_receipt
from harmony_dash.cohort.need import Need
from harmony_dash.disclosure import Level, Released
from harmony_dash.export.files import Format, write_files
from harmony_dash.export.kinds import Looks
from harmony_dash.export.provenance import Occasion
from harmony_dash.services.admission import Admission, check_still_admitted
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.coverage import answer_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.exports import Export, note_sources
from harmony_dash.services.feasibility import answer_need

FORMATS: Final = (Format.HTML, Format.XLSX, Format.CSV)


def export_coverage(deployment: Deployment, actor: Actor, disease: str, *, formats: Collection[Format] = FORMATS,
                    ) -> Export:
    """Who is in the data, as files; recorded with a receipt.

    Raises
    ------
    AccessRefused, AuditUnavailable: then nothing leaves; QuestionError, StoreError.
    """
    check_and_record(deployment, actor, Permission.EXPORT, EXPORT_ACTION, question=disease[:40])
    admission, released = answer_coverage(deployment, actor, disease, EXPORT_ACTION, Level.PROTECTED)
    return _hand_over(deployment, actor, admission, released, disease, formats, kind="coverage",
                      title=f"Who is in the data: {disease}")


def export_feasibility(deployment: Deployment, actor: Actor, need: Need, *, formats: Collection[Format] = FORMATS,
                       ) -> Export:
    """Whether a question can be asked, as files; recorded with a receipt beside the question itself.

    Raises
    ------
    AccessRefused, AuditUnavailable: then nothing leaves; QuestionError, StoreError, TooManyQuestions.
    """
    check_and_record(deployment, actor, Permission.EXPORT, EXPORT_ACTION, question=need.disease[:40])
    admission, released = answer_need(deployment, actor, need)
    return _hand_over(deployment, actor, admission, released, need.disease, formats, kind="feasibility",
                      title=released.value.title)


def _hand_over(deployment: Deployment, actor: Actor, admission: Admission, released: Released[Any], disease: str,
               formats: Collection[Format], *, kind: str, title: str) -> Export:
    """Files and receipt of a released answer, if what it was computed from is still open to this person."""
    now, level, snapshot = deployment.now(), released.scope.level.value, released.value.snapshot
    number = make_number(now, secrets.choice)
    occasion = Occasion(number, now, actor.username, actor.name, actor.role.value.replace("_", " "), __version__,
                        note_sources(admission.snapshot, disease))
    bundle = write_files(released, occasion, formats, Looks(), stem=f"harmony-{disease}-{kind}-{number}")
    with refusals_recorded(deployment, actor, EXPORT_ACTION, f"{kind} of {disease}"):
        check_still_admitted(deployment, actor, admission)
    receipt = Receipt(number, now, actor.username, actor.role.value, title, bundle.question, bundle.fingerprint,
                      snapshot, level, "", bundle.data_sha256,
                      tuple(FileMark(file.name, len(file.content), file.sha256) for file in bundle.files))
    made = f"{kind} of {disease}, {bundle.fingerprint}, as {', '.join(sorted(formats))}{receipt.ending}"
    with deployment.access.write() as connection:
        audit_id = record(connection, AuditEvent.of(actor, EXPORT_ACTION, question=made, snapshot=snapshot, level=level,
                                                    n=released.value.n), now=now)
        save_receipt(connection, receipt, audit_id)
    return Export(bundle, SavedReceipt(receipt, audit_id))
