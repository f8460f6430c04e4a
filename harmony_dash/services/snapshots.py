"""Which snapshots there are, and going back to one."""

from __future__ import annotations

from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record_event
from harmony_dash.access.permissions import Permission
from harmony_dash.errors import StoreError
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.layout import SnapshotRecord
from harmony_dash.store.snapshots import current_snapshot, list_snapshots, roll_back

ROLL_BACK: Final = "roll back"
OTHER_KEY: Final = "with another disclosure key"


def review_snapshots(deployment: Deployment, actor: Actor) -> tuple[str, list[SnapshotRecord]]:
    """The id of the snapshot being served (empty for none) and all records, newest first."""
    check_and_record(deployment, actor, Permission.VIEW_HOME, "list snapshots")
    folder = deployment.settings.store
    return (current_snapshot(folder), list_snapshots(folder)) if folder.exists() else ("", [])


def roll_back_to(deployment: Deployment, actor: Actor, snapshot: str, *, new_disclosure_key: bool = False,
                 ) -> SnapshotRecord:
    """Serve an earlier snapshot again; recorded in the audit trail before it happens, and so are refusals.

    Parameters
    ----------
    new_disclosure_key : accept a snapshot that was made with another disclosure key than the one being served; the
        trail says so. Who saw counts of both knows two roundings of the same numbers.

    Raises
    ------
    AccessRefused, AuditUnavailable, SettingsError for another disclosure key, StoreError.
    """
    def record_first(changes_key: bool) -> None:
        event = AuditEvent.of(actor, ROLL_BACK, snapshot=snapshot, reason=OTHER_KEY if changes_key else "")
        record_event(deployment.access, event, now=deployment.now())

    check_and_record(deployment, actor, Permission.INGEST, ROLL_BACK)
    with refusals_recorded(deployment, actor, ROLL_BACK, snapshot[:40]):
        if snapshot not in {record.snapshot for record in review_snapshots(deployment, actor)[1]}:
            raise StoreError("there is no such snapshot", where=snapshot[:40], remedy="List them with `snapshots`.")
        return roll_back(deployment.settings.store, snapshot, new_disclosure_key=new_disclosure_key,
                         announce=record_first)
