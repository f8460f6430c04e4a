"""Holding the snapshots of a store as they are now, while others publish and forget some."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType

from harmony_dash.errors import StoreError
from harmony_dash.store import layout
from harmony_dash.store.layout import DamagedRecord, SnapshotRecord

# A new snapshot is published in minutes; between two looks at the pointer lie microseconds.
_LOOKS = 5


@dataclass(frozen=True)
class HeldSnapshots:
    """Snapshots that stay readable although their names may go.

    Attributes
    ----------
    current : id of the one being served; empty if there is none.
    records : id to record of each that is held.
    files : id to its open file, found to be as it was published.
    left_out : ids of older ones that are damaged.
    """

    current: str
    records: Mapping[str, SnapshotRecord]
    files: Mapping[str, BufferedReader]
    left_out: tuple[str, ...]


@contextmanager
def hold_snapshots(store: Path) -> Iterator[HeldSnapshots]:
    """The current snapshot and those kept beside it.

    No lock is needed: snapshots never change, and one that is forgotten meanwhile lives on in the open file.

    Raises
    ------
    StoreError if the pointer or the current snapshot is damaged, or something cannot be read.
    """
    for _ in range(_LOOKS):
        pointer = layout.read_pointer(store)
        with ExitStack() as stack:
            found = _open_all(store, pointer, stack)
            if pointer is None or pointer.snapshot in found:
                yield _check(pointer, found)
                return
        # forgotten between the two looks, so there is a newer one
    raise StoreError("the current snapshot is missing", where=pointer.snapshot if pointer else "",
                     remedy="Go back to an earlier one with `snapshots --rollback ID`, or ingest again.")


def _open_all(store: Path, pointer: SnapshotRecord | None, stack: ExitStack) -> dict[str, BufferedReader]:
    """Id to open file; without those that are forgotten this moment."""
    found: dict[str, BufferedReader] = {}
    for snapshot in layout.published_snapshots(store) if pointer is not None else ():
        try:
            found[snapshot] = stack.enter_context(layout.snapshot_file(store, snapshot).open("rb"))
        except FileNotFoundError:
            continue
    return found


def _check(pointer: SnapshotRecord | None, found: Mapping[str, BufferedReader]) -> HeldSnapshots:
    if pointer is None:
        return HeldSnapshots("", {}, {}, ())
    records: dict[str, SnapshotRecord] = {}
    left_out = []
    for snapshot, file in found.items():
        try:
            record = pointer if snapshot == pointer.snapshot else _read_record(file, snapshot)
        except DamagedRecord:
            left_out.append(snapshot)
            continue
        if record is None:
            # forgotten since its file was opened
            continue
        if hashlib.file_digest(file, "sha256").hexdigest() == record.sha256:
            records[snapshot] = record
            file.seek(0)
        elif snapshot == pointer.snapshot:
            raise StoreError("the current snapshot is damaged", where=snapshot,
                             remedy="Go back to an earlier one with `snapshots --rollback ID`, or ingest again.")
        else:
            left_out.append(snapshot)
    return HeldSnapshots(pointer.snapshot, MappingProxyType(records),
                         MappingProxyType({snapshot: found[snapshot] for snapshot in records}), tuple(left_out))


def _read_record(file: BufferedReader, snapshot: str) -> SnapshotRecord | None:
    return layout.read_record(layout.record_file(Path(file.name).parent, snapshot), "")
