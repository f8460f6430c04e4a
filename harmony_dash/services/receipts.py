"""Receipts of exports: who made which, and whether a file is one of them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.access.receipts import EXPORT_ACTION, NUMBER, SavedReceipt, find_receipts, list_receipts
from harmony_dash.errors import UserError
from harmony_dash.services.audited import check_and_record, record_answer, record_refusal
from harmony_dash.services.deployment import Deployment

MOST_RECEIPTS: Final = 1_000
MOST_BYTES: Final = 100_000_000
_MOST_MEMBERS = 200
_MOST_NUMBERS = 100


class Match(StrEnum):
    """What became of a file."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FileCheck:
    """Whether a file left here as it is.

    Attributes
    ----------
    match : same as when it was exported; changed since (it names a receipt that has another file); or unknown.
    file : its name in the export; empty unless it is the same and its receipt may be seen.
    saved : its receipt, or the one it names; None if unknown, or if it is another person's and may not be seen.
    sealed : whether the audit trail holds the receipt as it is; a receipt that somebody changed proves nothing.
    """

    match: Match
    file: str = ""
    saved: SavedReceipt | None = None
    sealed: bool = False


def review_receipts(deployment: Deployment, actor: Actor, *, limit: int = 50, before: SavedReceipt | None = None,
                    ) -> tuple[SavedReceipt, ...]:
    """The newest receipts first: everybody's for those who oversee the trail, for others their own.

    Parameters
    ----------
    limit : how many at most.
    before : continues a list after its last receipt.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a limit that is none.
    """
    action = "list receipts"
    check_and_record(deployment, actor, Permission.EXPORT, action)
    if not 1 <= limit <= MOST_RECEIPTS:
        raise UserError(f"a list has 1 to {MOST_RECEIPTS:,} receipts", where="limit")
    whose = None if user_can(actor, Permission.READ_AUDIT) else actor.username
    found = list_receipts(deployment.access, username=whose, limit=limit, before=before)
    record_answer(deployment, actor, action)
    return found


def verify_export(deployment: Deployment, actor: Actor, content: bytes) -> FileCheck:
    """Whether a file is one that was exported here, byte for byte.

    The receipt comes with it to those who oversee the trail, to others if it is their own. Some files are alike in many
    exports: a receipt that may be seen goes before others.

    Raises
    ------
    AccessRefused, AuditUnavailable; UserError for a file that no export is as large as.
    """
    action = "verify export"
    checksum = hashlib.sha256(content).hexdigest()
    check_and_record(deployment, actor, Permission.EXPORT, action, question=checksum)
    if len(content) > MOST_BYTES:
        refused = UserError("the file is larger than any export", where="file")
        record_refusal(deployment, actor, action, refused, question=checksum)
        raise refused
    found = _check(deployment, actor, content, checksum)
    record_answer(deployment, actor, action, question=checksum)
    return found if found.saved is None or _may_see(actor, found.saved) else replace(found, file="", saved=None)


def _check(deployment: Deployment, actor: Actor, content: bytes, checksum: str) -> FileCheck:
    def first(found: Iterable[SavedReceipt]) -> SavedReceipt | None:
        return min(found, key=lambda saved: not _may_see(actor, saved), default=None)

    saved = first(find_receipts(deployment.access, sha256=checksum))
    if saved is not None:
        name = next(file.name for file in saved.receipt.files if file.sha256 == checksum)
        return FileCheck(Match.SAME, name, saved, _is_sealed(deployment, saved))
    saved = first(find_receipts(deployment.access, numbers=sorted(_numbers_in(content))[:_MOST_NUMBERS]))
    if saved is not None:
        return FileCheck(Match.CHANGED, "", saved, _is_sealed(deployment, saved))
    return FileCheck(Match.UNKNOWN)


def _may_see(actor: Actor, saved: SavedReceipt) -> bool:
    return saved.receipt.username == actor.username or user_can(actor, Permission.READ_AUDIT)


def _is_sealed(deployment: Deployment, saved: SavedReceipt) -> bool:
    """Whether the receipt's line of the trail tells of this very receipt: a line of an export, and no other."""
    rows = list_events(deployment.access, before_id=saved.audit_id + 1, limit=1)
    if not rows or rows[0].id != saved.audit_id:
        return False
    event, receipt = rows[0].event, saved.receipt
    return (event.action, event.decision, event.username, event.snapshot) == (
        EXPORT_ACTION, Decision.ALLOWED, receipt.username, receipt.snapshot) and event.question.endswith(receipt.ending)


def _numbers_in(content: bytes) -> set[str]:
    """The receipt numbers that stand in a file, or in the parts of a ZIP (which a workbook is, too)."""
    # a PDF writes two bytes a letter
    found = set(NUMBER.findall(content.replace(b"\0", b"").decode("latin-1")))
    if zipfile.is_zipfile(io.BytesIO(content)):
        found |= _numbers_in_members(content)
    return found


def _numbers_in_members(content: bytes) -> set[str]:
    found: set[str] = set()
    room = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist()[:_MOST_MEMBERS]:
                with archive.open(member) as part:
                    read = part.read(room)  # what a member claims to be says nothing about its size
                room -= len(read)
                found |= set(NUMBER.findall(read.decode("latin-1")))
                if room <= 0:
                    break
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        return found  # a damaged or encrypted archive is none that left here
    return found
