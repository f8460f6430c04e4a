"""The files of a store and how one becomes current.

    <snapshot-id>.duckdb        immutable once published
    <snapshot-id>.json          its record: SHA-256, counts, when it was made
    .tmp-<snapshot-id>.duckdb   being written; removed by the next writer if its maker died
    CURRENT                     a copy of the record of the snapshot that is served
    ingest.lock                 held by the one writer

Publishing is: write under the temporary name, check, sync, rename, then replace `CURRENT` by a synced temporary file.
A process killed at any moment leaves either the old pointer or the new one, each naming a complete file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harmony_dash.errors import StoreError

POINTER = "CURRENT"
LOCK = "ingest.lock"
TEMPORARY = ".tmp-"
_SNAPSHOT_ID = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")

if os.name == "posix":
    import fcntl


@dataclass(frozen=True)
class SnapshotRecord:
    """What is known of a snapshot without opening it.

    Attributes
    ----------
    snapshot : its id, UTC time and eight digits of its content.
    sha256 : of its file.
    schema : version of the table layout.
    created : UTC time, ISO 8601.
    patients, sources : how many.
    synthetic : whether every source is.
    key_fingerprint : of the disclosure key its record keys were made with; empty in a format that had none.
    """

    snapshot: str
    sha256: str
    schema: int
    created: str
    patients: int
    sources: int
    synthetic: bool
    key_fingerprint: str = ""


def snapshot_file(store: Path, snapshot: str) -> Path:
    """The file of a snapshot; refuses anything that is not a snapshot id."""
    if not _SNAPSHOT_ID.match(snapshot):
        raise StoreError(f"'{snapshot[:40]}' is not a snapshot id", remedy="List them with `snapshots`.")
    return store / f"{snapshot}.duckdb"


def record_file(store: Path, snapshot: str) -> Path:
    """The record beside a snapshot's file."""
    return snapshot_file(store, snapshot).with_suffix(".json")


def read_pointer(store: Path) -> SnapshotRecord | None:
    """The record of the snapshot being served, None if nothing was ever published.

    Raises
    ------
    StoreError if the pointer is damaged.
    """
    return read_record(store / POINTER, "Point it back with `snapshots --rollback ID`.")


def read_record(path: Path, remedy: str) -> SnapshotRecord | None:
    """A record from its file, None if there is no file; `StoreError` with `remedy` if it is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        record = SnapshotRecord(**json.loads(text))
        snapshot_file(path.parent, record.snapshot)
    except (ValueError, TypeError, StoreError):
        raise StoreError("the record of a snapshot is damaged", where=path.name, remedy=remedy) from None
    return record


def write_record(path: Path, record: SnapshotRecord) -> None:
    """Write or replace a record so that a reader sees the old text or the new one, never part of either."""
    temporary = path.parent / f"{TEMPORARY}{path.name}"
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(asdict(record), handle)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def key_fingerprint_in_use(store: Path) -> str:
    """The fingerprint of the disclosure key answers are rounded with now, empty if nothing was rounded yet.

    A damaged pointer is mended by an ingest, so the newest snapshot whose record can be read speaks for it then.
    """
    candidates = [store / POINTER, *(record_file(store, name) for name in reversed(published_snapshots(store)))]
    for path in candidates:
        try:
            record = read_record(path, "")
        except StoreError:
            continue
        if record is not None:
            return record.key_fingerprint
    return ""


def published_snapshots(store: Path) -> list[str]:
    """Ids of all complete snapshots, oldest first."""
    return sorted(path.stem for path in store.glob("*.duckdb")
                  if _SNAPSHOT_ID.match(path.stem) and record_file(store, path.stem).exists())


def remove_leftovers(store: Path) -> int:
    """Delete what killed writers left behind; only under the lock. Returns how many files."""
    leftovers = list(store.glob(f"{TEMPORARY}*"))
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def keep_private(path: Path) -> None:
    """Let the file be read by its owner alone: it holds patients, one a row."""
    if os.name == "posix":
        path.chmod(0o600)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writer_lock(store: Path) -> Iterator[None]:
    """Hold the store for writing; a second writer is refused at once instead of waiting.

    Raises
    ------
    StoreError if the folder cannot be written or another ingest is under way.
    """
    with readable_os_errors("the store cannot be written"):
        store.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = (store / LOCK).open("a+")
    try:
        if os.name == "posix":
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError("another ingest is writing to this store", where=LOCK,
                                 remedy="Wait until it has finished and try again.") from None
        yield
    finally:
        handle.close()


@contextmanager
def readable_os_errors(what: str) -> Iterator[None]:
    """Turn disk trouble into a `StoreError` that names the cause and no path."""
    try:
        yield
    except OSError as problem:
        raise StoreError(f"{what} ({describe_os_error(problem)})",
                         remedy="Free space or correct the permissions, then run the command again.") from problem


def describe_os_error(problem: OSError) -> str:
    """The cause in words."""
    if problem.errno == errno.ENOSPC:
        return "the disk is full"
    if problem.errno == errno.EMFILE:
        return "too many files are open"
    return (problem.strerror or "unknown cause").lower()
