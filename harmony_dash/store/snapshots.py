"""Listing snapshots and going back to an earlier one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.store import layout
from harmony_dash.store.causes import readable_os_errors
from harmony_dash.store.layout import SnapshotRecord

_log = logging.getLogger("harmony_dash.store")


def list_snapshots(store: Path) -> list[SnapshotRecord]:
    """The records of all published snapshots, newest first; one that is damaged is logged and left out."""
    records = []
    for snapshot in reversed(layout.published_snapshots(store)):
        try:
            records.append(_record(store, snapshot))
        except StoreError as problem:
            _log.warning("%s", problem.message)
    return records


def current_snapshot(store: Path) -> str:
    """The id of the snapshot being served, empty if there is none."""
    record = layout.read_pointer(store)
    return record.snapshot if record else ""


def _say_nothing(_changes_key: bool) -> None:
    """Nobody wants to be told."""


def roll_back(store: Path, snapshot: str, *, new_disclosure_key: bool = False,
              announce: Callable[[bool], None] = _say_nothing) -> SnapshotRecord:
    """Serve an earlier snapshot again.

    Parameters
    ----------
    new_disclosure_key : accept a snapshot that was made with another disclosure key than the one being served.
    announce : called right before it happens, with whether the key is another one; what it raises stops it.

    Raises
    ------
    StoreError if there is no such snapshot or its file is damaged, SettingsError if it was made with another disclosure
    key; the pointer then stays as it is.
    """
    path = layout.snapshot_file(store, snapshot)
    if snapshot not in layout.published_snapshots(store):
        raise StoreError("there is no such snapshot", where=snapshot, remedy="List them with `snapshots`.")
    with layout.writer_lock(store), readable_os_errors("the pointer could not be written"):
        record = _record(store, snapshot)
        if layout.file_sha256(path) != record.sha256:
            raise StoreError("the snapshot's file is damaged", where=snapshot,
                             remedy="Choose another snapshot, or restore the file from a backup.")
        changes_key = layout.needs_new_key(store, record.key_fingerprint)
        if changes_key and not new_disclosure_key:
            raise SettingsError(
                "the snapshot was made with another disclosure key than the current one, and rounding the same "
                "patients anew would let people average the rounding out", where=snapshot,
                remedy="Choose another snapshot. If this one has to be served, run `snapshots --rollback` with "
                       "--new-disclosure-key.")
        announce(changes_key)
        layout.write_record(store / layout.POINTER, record)
    return record


def _record(store: Path, snapshot: str) -> SnapshotRecord:
    record = layout.read_record(layout.record_file(store, snapshot), "Remove the snapshot or restore it.")
    if record is None:
        raise StoreError("the record of the snapshot is missing", where=snapshot, remedy="Restore it from a backup.")
    return record
