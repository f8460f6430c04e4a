"""The files of a store and how one becomes current.

    <snapshot-id>.duckdb        immutable once published
    <snapshot-id>.json          its record: SHA-256, counts, when it was made, and a check of the record itself
    .tmp-<snapshot-id>.duckdb   being written; removed by the next writer or server start if its maker died
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
_CHECK = "check"
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
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"the record of a snapshot cannot be read ({describe_os_error(problem)})", where=path.name,
                         remedy="Correct that and try again; the snapshot itself is as it was.") from problem
    try:
        fields = json.loads(raw.decode("utf-8"))
        # records of earlier versions have no check
        check = fields.pop(_CHECK, None)
        record = SnapshotRecord(**fields)
        snapshot_file(path.parent, record.snapshot)
        if check not in (None, _check_of(record)):
            raise ValueError("the record is not as it was written")
    except (ValueError, TypeError, AttributeError, RecursionError, StoreError):
        raise StoreError("the record of a snapshot is damaged", where=path.name, remedy=remedy) from None
    return record


def _check_of(record: SnapshotRecord) -> str:
    """Digits that change with anything in the record: a flipped bit in a number is still a number."""
    return hashlib.sha256(json.dumps(asdict(record), sort_keys=True).encode()).hexdigest()[:16]


def write_record(path: Path, record: SnapshotRecord) -> None:
    """Write or replace a record so that a reader sees the old text or the new one, never part of either."""
    temporary = path.parent / f"{TEMPORARY}{path.name}"
    try:
        with temporary.open("w", encoding="utf-8") as handle:
            json.dump({**asdict(record), _CHECK: _check_of(record)}, handle)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
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
    leftovers = [*store.glob(f"{TEMPORARY}*"), *(record for record in store.glob("*.json")
                                                 if _SNAPSHOT_ID.match(record.stem)
                                                 and not snapshot_file(store, record.stem).exists())]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def remove_abandoned(store: Path) -> int:
    """As `remove_leftovers`, for a server that starts: nothing is done while an ingest runs or the folder is shut."""
    if not store.exists():
        return 0
    try:
        with writer_lock(store), readable_os_errors("the store cannot be cleaned"):
            return remove_leftovers(store)
    except StoreError:
        return 0


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
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if problem.errno in (errno.EMFILE, errno.ENFILE):
        return "too many files are open"
    return (problem.strerror or "unknown cause").lower()


def describe_database_error(problem: Exception) -> str:
    """The cause in words, empty if it is none of those a person can mend; what DuckDB says holds paths."""
    said = str(problem).lower()
    causes = {"no space left": "the disk is full", "too many open files": "too many files are open",
              "permission denied": "permission denied", "read-only": "it may only be read",
              "file too large": "file too large", "out of memory": "memory is short",
              "corrupt": "its file is damaged"}
    return next((words for part, words in causes.items() if part in said), "")
