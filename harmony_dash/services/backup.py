"""Everything that a deployment would need on an empty machine, as one file, while the application runs."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from harmony_dash import __version__
from harmony_dash.access.actor import Actor
from harmony_dash.access.audit import AuditEvent, record_event
from harmony_dash.access.backup import copy_database
from harmony_dash.access.permissions import Permission
from harmony_dash.errors import StoreError
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.backup_archive import (
    DATABASE,
    HEAD,
    POINTER,
    SEAL_PURPOSE,
    Content,
    Manifest,
    Part,
    describe_part,
    fingerprint_key,
    read_archive,
    write_archive,
)
from harmony_dash.services.deployment import Deployment
from harmony_dash.settings import KEY_FILES, Settings
from harmony_dash.store.backup import HeldSnapshots, hold_snapshots
from harmony_dash.store.causes import readable_os_errors
from harmony_dash.store.layout import record_text, sync_folder

ACTION: Final = "back up"
WITH_KEYS: Final = "with the keys"
# What a file system answers that has no links: vfat, exFAT, CIFS, many of FUSE.
_NO_LINKS: Final = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds; `left_out` are ids of older snapshots that are damaged."""

    manifest: Manifest
    bytes: int
    left_out: tuple[str, ...]


def make_backup(deployment: Deployment, actor: Actor, file: Path, *, with_keys: bool = False) -> BackupReport:
    """Write the snapshots, the access database and the head of its trail into one file, and read it back.

    An ingest or people at work are not held up. The snapshots are taken first and the trail after them, because the
    trail tells of a snapshot before it is served.

    Parameters
    ----------
    file : must not exist; it appears under this name complete or not at all (empty for an instant on file systems
        without links), readable by its owner alone where the file system knows owners. It holds patients, one a row.
    with_keys : put the keys in too; then whoever has the file has everything.

    Raises
    ------
    AccessRefused, AuditUnavailable; StoreError for damaged data, a full disk, or a file that is there already.
    """
    check_and_record(deployment, actor, Permission.BACK_UP, ACTION)
    with (refusals_recorded(deployment, actor, ACTION, file.name),
          readable_os_errors("the backup could not be written"),
          hold_snapshots(deployment.settings.store) as held, _scratch(file) as scratch):
        record_event(deployment.access, AuditEvent.of(actor, ACTION, question=file.name, snapshot=held.current,
                                                      reason=WITH_KEYS if with_keys else ""), now=deployment.now())
        head = copy_database(deployment.access, scratch / DATABASE)
        with ExitStack() as stack:
            contents = _snapshot_contents(held)
            contents[DATABASE] = stack.enter_context((scratch / DATABASE).open("rb"))
            contents[HEAD] = io.BytesIO(f"{head.text}\n".encode())
            keys = _keys_of(deployment.settings)
            if with_keys:
                contents |= {KEY_FILES[name]: io.BytesIO(key) for name, key in keys.items()}
            manifest = Manifest(
                __version__, deployment.now().isoformat(timespec="seconds"), held.current, head.id,
                {name: fingerprint_key(name, key) for name, key in keys.items()},
                tuple(describe_part(name, content) for name, content in contents.items()),
            ).sealed(deployment.access.derive_key(SEAL_PURPOSE))
            archive = scratch / "archive"
            with archive.open("xb") as target:
                archive.chmod(0o600)
                write_archive(target, manifest, contents)
                target.flush()
                os.fsync(target.fileno())
        read_archive(archive, _nowhere)
        size = archive.stat().st_size
        _give_name(archive, file)
        sync_folder(file.parent)
    return BackupReport(manifest, size, held.left_out)


@contextmanager
def _scratch(file: Path) -> Iterator[Path]:
    """A folder beside the file, so that its last step is a name."""
    if file.exists() or file.is_symlink():
        raise _taken(file)
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as folder:
        yield Path(folder)


def _give_name(archive: Path, file: Path) -> None:
    """Unlike a rename, a link never takes the place of a file that came meanwhile."""
    try:
        os.link(archive, file)
    except FileExistsError:
        raise _taken(file) from None
    except OSError as problem:
        if problem.errno not in _NO_LINKS:
            raise
        _claim_name(archive, file)


def _claim_name(archive: Path, file: Path) -> None:
    """Where there are no links: an empty file takes the name, which is refused if it is taken, and is replaced."""
    try:
        file.open("xb").close()
    except FileExistsError:
        raise _taken(file) from None
    try:
        archive.replace(file)
    except OSError:
        file.unlink()
        raise


def _taken(file: Path) -> StoreError:
    return StoreError("there is a file of this name already", where=file.name, remedy="Name a new one.")


def _snapshot_contents(held: HeldSnapshots) -> dict[str, Content]:
    contents: dict[str, Content] = {}
    for snapshot, record in held.records.items():
        contents[f"store/{snapshot}.duckdb"] = held.files[snapshot]
        contents[f"store/{snapshot}.json"] = io.BytesIO(record_text(record))
    if held.current:
        contents[POINTER] = io.BytesIO(record_text(held.records[held.current]))
    return contents


def _keys_of(settings: Settings) -> dict[str, bytes]:
    return {"HARMONY_PATIENT_KEY": settings.patient_key, "HARMONY_DISCLOSURE_KEY": settings.disclosure_key,
            "HARMONY_ACCESS_KEY": settings.access_key}


@contextmanager
def _nowhere(_: Part) -> Iterator[BinaryIO]:
    with open(os.devnull, "wb") as target:
        yield target
