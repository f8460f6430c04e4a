"""From the file of a backup to a folder that the application can be pointed at, or to nothing at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from harmony_dash.access import head as heads
from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent
from harmony_dash.access.backup import settle_copy
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.derived_keys import derive_key
from harmony_dash.access.permissions import Permission, check_user_can
from harmony_dash.access.trail import read_sealed_head
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.services.backup_archive import (
    DATABASE,
    HEAD,
    SEAL_PURPOSE,
    STORE,
    Manifest,
    Part,
    fingerprint_key,
    read_archive,
)
from harmony_dash.settings import KEY_FILES
from harmony_dash.store.causes import describe_os_error, readable_os_errors
from harmony_dash.store.layout import sync_folder
from harmony_dash.store.reader import Store

ACTION: Final = "restore"


@dataclass(frozen=True)
class RestoreReport:
    """What was restored.

    Attributes
    ----------
    lost_entries : how many entries of the audit trail are newer than the backup, as the head that is kept elsewhere
        says; 0 without one.
    """

    manifest: Manifest
    folder: Path
    lost_entries: int


def restore_backup(actor: Actor, file: Path, into: Path, *, environment: Mapping[str, str], now: Callable[[], datetime],
                   keys_folder: Path | None = None, other_head: Path | None = None) -> RestoreReport:
    """Build the folder beside its place, check all of it, and only then put it there.

    Every session is ended, and the restored trail says when it was restored from what.

    Parameters
    ----------
    into : does not exist, or is an empty folder.
    environment : where keys are looked for first, because the application will do so as well.
    keys_folder : where they are looked for next, as files; otherwise they must be in the backup.
    other_head : the head that is kept on another volume, to tell what the backup is too old for.

    Raises
    ------
    AccessRefused; StoreError for a damaged backup, a place that is not free, or a full disk; SettingsError for a key
    that is missing or is not the one the backup was made with. Nothing is left behind then.
    """
    check_user_can(actor, Permission.BACK_UP)
    into = into.resolve()
    with readable_os_errors("the backup could not be restored"), _building(into) as folder:
        manifest = read_archive(file, _writer(folder))
        (folder / STORE).mkdir(mode=0o700, exist_ok=True)
        keys = _find_keys(manifest, folder, environment, keys_folder)
        access_key = keys["HARMONY_ACCESS_KEY"]
        if not manifest.is_sealed(derive_key(access_key, SEAL_PURPOSE)):
            raise StoreError("the backup was changed after it was made", where=file.name,
                             remedy="Nothing was restored. Take another backup.")
        _check_snapshot(folder / STORE, manifest)
        event = AuditEvent.of(actor, ACTION, question=f"backup of {manifest.created}, entries up to {manifest.trail}",
                              snapshot=manifest.snapshot)
        database = AccessDatabase(folder / DATABASE, access_key, head=folder / HEAD, now=now)
        try:
            settle_copy(database, event, now())
        finally:
            database.close()
        lost = _lost_entries(other_head, derive_key(access_key, heads.KEY_PURPOSE), manifest.trail)
        _sync(folder)
        os.rename(folder, into)
        sync_folder(into.parent)
    return RestoreReport(manifest, into, lost)


@contextmanager
def _building(into: Path) -> Iterator[Path]:
    """A new folder beside the place; it is gone afterwards, renamed or removed."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise StoreError("this is not an empty folder", where=str(into),
                         remedy="Move what is there away, or name another folder with --into.")
    if into.is_mount():
        raise StoreError("this folder is where a disk is mounted, which nothing can be put in the place of",
                         where=str(into), remedy="Name a folder inside it with --into.")
    into.parent.mkdir(parents=True, exist_ok=True)
    folder = into.with_name(f".{into.name}.restoring")
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise StoreError("another restore is under way, or was stopped half-way", where=str(folder),
                         remedy="If none is running, remove this folder and try again.") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _writer(folder: Path) -> Callable[[Part], AbstractContextManager[BinaryIO]]:
    return lambda part: _new_file(folder / part.name)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there, readable by its owner alone."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(descriptor, "wb") as target:
        yield target


def _find_keys(manifest: Manifest, folder: Path, environment: Mapping[str, str], keys_folder: Path | None
               ) -> dict[str, bytes]:
    """Name to key; those that the environment does not hold are files of the restored folder then."""
    keys = {}
    for name, key_file in KEY_FILES.items():
        place = folder / key_file
        if given := environment.get(name, ""):
            keys[name] = given.encode()
            place.unlink(missing_ok=True)
        elif (kept := _read_key(name, keys_folder, key_file)) is not None:
            keys[name] = kept
            place.unlink(missing_ok=True)
            with _new_file(place) as target:
                target.write(kept)
        elif place.exists():
            keys[name] = place.read_bytes().strip()
        else:
            raise SettingsError("the key is missing; with a new one the restored data would be wrong", where=name,
                                remedy=f"Set it, or name the folder that holds {key_file} with --keys.")
        if fingerprint_key(name, keys[name]) != manifest.keys.get(name):
            raise SettingsError("this is not the key that the backup was made with", where=name,
                                remedy=f"Set the right one, or name the folder that holds {key_file} with --keys.")
    return keys


def _read_key(name: str, keys_folder: Path | None, key_file: str) -> bytes | None:
    """The key from its file; None if there is none."""
    if keys_folder is None:
        return None
    file = keys_folder / key_file
    try:
        return file.read_bytes().strip()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise SettingsError(f"the key file {file} cannot be read ({describe_os_error(problem)})", where=name,
                            remedy="Copy it to where the user who runs this command can read it, with mode 600.",
                            ) from problem


def _check_snapshot(store: Path, manifest: Manifest) -> None:
    """Open the current snapshot as the application would."""
    reader = Store(store)
    if not manifest.snapshot and reader.is_empty:
        return
    try:
        snapshot = reader.current()
    except StoreError as problem:
        # its bytes are as they were written, so it is this version that cannot read them
        raise StoreError(problem.problem, where=problem.where,
                         remedy=f"Restore it with version {manifest.version} of harmony_dash.") from problem
    found = snapshot.snapshot
    snapshot.close()
    if found != manifest.snapshot:
        raise StoreError("the backup is damaged: it points to another snapshot than it says", where=found,
                         remedy="Nothing was restored. Take another backup.")


def _lost_entries(other_head: Path | None, key: bytes, trail: int) -> int:
    head = None if other_head is None else read_sealed_head(other_head, key)
    return 0 if head is None else max(0, head.id - trail)


def _sync(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
