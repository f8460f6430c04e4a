"""The files of a store and how one becomes current.

    <snapshot-id>.duckdb        immutable once published
    <snapshot-id>.json          its record: SHA-256, counts, when it was made, and a check of the record itself
    .tmp-<snapshot-id>.duckdb   being written; removed by the next writer or server start if its maker died
    CURRENT                     a copy of the record of the snapshot that is served, or words that none ever was
    ingest.lock                 held by the one writer

Publishing is: write under the temporary name, check, sync, rename, then replace `CURRENT` by a synced temporary file.
A process killed at any moment leaves either the old pointer or the new one, each naming a complete file. The pointer of
a new store is there before its first snapshot, so that a store with snapshots and no pointer has lost it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harmony_dash.errors import StoreError
from harmony_dash.store.causes import describe_os_error, readable_os_errors, remedy_for

POINTER = "CURRENT"
LOCK = "ingest.lock"
TEMPORARY = ".tmp-"
_NOTHING_YET = b"nothing was published yet\n"
_CHECK = "check"
_SNAPSHOT_ID = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{8}$")

if os.name == "posix":
    import fcntl


class DamagedRecord(StoreError):
    """A record, or the pointer, is lost or not as it was written; one that cannot be read just now is not."""


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
    DamagedRecord if the pointer is damaged, or lost; StoreError if it cannot be read.
    """
    remedy = "Point it back with `snapshots --rollback ID`, or restore a backup."
    # a writer may make the pointer and publish between two looks, so only one that is still missing is lost
    for _ in range(2):
        raw = _read_file(store / POINTER)
        if raw is not None:
            return None if raw == _NOTHING_YET else _parse_record(store / POINTER, raw, remedy)
        if not _snapshot_files(store):
            return None
    raise DamagedRecord("the pointer to the snapshot that is served is missing", where=POINTER, remedy=remedy)


def begin_pointer(store: Path) -> None:
    """Write into a new store that nothing was published yet; only under the lock."""
    if not (store / POINTER).exists() and not _snapshot_files(store):
        _replace_file(store / POINTER, _NOTHING_YET)


def read_record(path: Path, remedy: str) -> SnapshotRecord | None:
    """A record from its file, None if there is no file.

    Raises
    ------
    DamagedRecord, with `remedy`, if it is damaged; StoreError if it cannot be read.
    """
    raw = _read_file(path)
    return None if raw is None else _parse_record(path, raw, remedy)


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise StoreError(f"the record of a snapshot cannot be read ({describe_os_error(problem)})", where=path.name,
                         remedy=remedy_for(problem)) from problem


def _parse_record(path: Path, raw: bytes, remedy: str) -> SnapshotRecord:
    try:
        fields = json.loads(raw.decode("utf-8"))
        # records of earlier versions have no check
        check = fields.pop(_CHECK, None)
        record = SnapshotRecord(**fields)
        snapshot_file(path.parent, record.snapshot)
        if check not in (None, _check_of(record)):
            raise ValueError("the record is not as it was written")
    except (ValueError, TypeError, AttributeError, RecursionError, StoreError):
        raise DamagedRecord("the record of a snapshot is damaged", where=path.name, remedy=remedy) from None
    return record


def _check_of(record: SnapshotRecord) -> str:
    """Digits that change with anything in the record: a flipped bit in a number is still a number."""
    return hashlib.sha256(json.dumps(asdict(record), sort_keys=True).encode()).hexdigest()[:16]


def record_text(record: SnapshotRecord) -> bytes:
    """A record as its file, or the pointer, holds it."""
    return json.dumps({**asdict(record), _CHECK: _check_of(record)}).encode()


def write_record(path: Path, record: SnapshotRecord) -> None:
    """Write or replace a record so that a reader sees the old text or the new one, never part of either."""
    _replace_file(path, record_text(record))


def _replace_file(path: Path, content: bytes) -> None:
    temporary = path.parent / f"{TEMPORARY}{path.name}"
    try:
        with temporary.open("wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def needs_new_key(store: Path, fingerprint: str) -> bool:
    """Whether answers were rounded with another disclosure key than that of `fingerprint`, or nobody can tell.

    A damaged pointer is mended by an ingest, so the newest snapshot whose record is whole speaks for it then.

    Raises
    ------
    StoreError if a record cannot be read: what it says must not be passed over.
    """
    candidates = [store / POINTER, *(record_file(store, name) for name in reversed(published_snapshots(store)))]
    damaged = False
    for path in candidates:
        try:
            record = read_pointer(store) if path.name == POINTER else read_record(path, "")
        except DamagedRecord:
            damaged = True
            continue
        if record is not None:
            # a format without record keys had no disclosure key either
            return record.key_fingerprint not in ("", fingerprint)
    return damaged or bool(_snapshot_files(store))


def published_snapshots(store: Path) -> list[str]:
    """Ids of all complete snapshots, oldest first."""
    return sorted(path.stem for path in _snapshot_files(store) if record_file(store, path.stem).exists())


def _snapshot_files(store: Path) -> list[Path]:
    return [path for path in store.glob("*.duckdb") if _SNAPSHOT_ID.match(path.stem)]


def remove_leftovers(store: Path) -> int:
    """Delete what killed writers left behind; only under the lock, by the next writer. Returns how many files."""
    return _remove([*store.glob(f"{TEMPORARY}*"), *_lone_records(store)])


def _lone_records(store: Path) -> list[Path]:
    return [path for path in store.glob("*.json")
            if _SNAPSHOT_ID.match(path.stem) and not snapshot_file(store, path.stem).exists()]


def _remove(paths: list[Path]) -> int:
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def remove_abandoned(store: Path) -> int:
    """As `remove_leftovers`, for a server that starts: nothing is done while an ingest runs or the folder is shut.

    A record without its snapshot stays unless it is known to be a killed writer's: somebody may have moved the file
    away for a while, and without the record it could not be served again.
    """
    if not store.exists():
        return 0
    try:
        with writer_lock(store), readable_os_errors("the store cannot be cleaned"):
            temporaries = list(store.glob(f"{TEMPORARY}*"))
            dead = {path.name.removeprefix(TEMPORARY).partition(".")[0] for path in temporaries}
            return _remove([*temporaries, *(path for path in _lone_records(store)
                                            if path.stem.partition("-")[0] in dead)])
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
