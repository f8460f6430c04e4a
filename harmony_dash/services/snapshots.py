"""Which snapshots there are, and going back to one."""

from __future__ import annotations

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.errors import StoreError
from harmony_dash.services.audited import check_and_record, record_answer
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.layout import SnapshotRecord
from harmony_dash.store.snapshots import current_snapshot, list_snapshots, roll_back


def review_snapshots(deployment: Deployment, actor: Actor) -> tuple[str, list[SnapshotRecord]]:
    """The id of the snapshot being served (empty for none) and all records, newest first."""
    check_and_record(deployment, actor, Permission.VIEW_HOME, "list snapshots")
    folder = deployment.settings.store
    return (current_snapshot(folder), list_snapshots(folder)) if folder.exists() else ("", [])


def roll_back_to(deployment: Deployment, actor: Actor, snapshot: str) -> SnapshotRecord:
    """Serve an earlier snapshot again; recorded in the audit trail before it happens.

    Raises
    ------
    AccessRefused, StoreError.
    """
    check_and_record(deployment, actor, Permission.INGEST, "roll back")
    if snapshot not in {record.snapshot for record in review_snapshots(deployment, actor)[1]}:
        raise StoreError("there is no such snapshot", where=snapshot[:40], remedy="List them with `snapshots`.")
    record_answer(deployment, actor, "roll back", snapshot=snapshot)
    return roll_back(deployment.settings.store, snapshot)
