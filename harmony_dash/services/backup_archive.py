"""The file of a backup: a plain tar of regular files, in the order of the manifest that comes first.

    manifest.json                 what follows, with sizes and SHA-256; sealed with a key derived from the access key
    store/<snapshot-id>.duckdb    each snapshot, its record, and the pointer to the current one
    store/<snapshot-id>.json
    store/CURRENT
    access.sqlite                 accounts, sessions, grants, receipts, audit trail
    audit.head                    the head of that trail
    patient.key …                 the keys, if they were asked for

Nothing else is read from such a file: a member with another name, out of order, of another kind or size ends it. Names
are compared with this list and never built upon, so none of them leads out of a folder.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO

from harmony_dash.errors import StoreError

MANIFEST = "manifest.json"
FORMAT = 1
DATABASE, HEAD, STORE = "access.sqlite", "audit.head", "store"
POINTER = f"{STORE}/CURRENT"
SEAL_PURPOSE = "backup manifest"
_NAME = re.compile(r"store/(CURRENT|\d{8}T\d{6}Z-[0-9a-f]{8}\.(duckdb|json))|access\.sqlite|audit\.head|"
                   r"(patient|disclosure|access)\.key")
_LONGEST_MANIFEST = 1 << 20
_BLOCK = 1 << 20
# What a part is read from when a backup is made.
Content = io.BufferedReader | io.BytesIO
# What the tar reader raises over bytes that are no tar.
_NO_TAR = (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError, RecursionError)


@dataclass(frozen=True)
class Part:
    """One file of a backup; `name` is also its place in the restored folder."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes
    ----------
    version : of the application that made it.
    created : UTC time, ISO 8601.
    snapshot : id of the one that was served; empty for none.
    trail : number of the newest entry of the audit trail.
    keys : name of each key's setting to its fingerprint.
    parts : the files, in order.
    seal : HMAC over all of this.
    """

    version: str
    created: str
    snapshot: str
    trail: int
    keys: Mapping[str, str]
    parts: tuple[Part, ...]
    format: int = FORMAT
    seal: str = ""

    def sealed(self, key: bytes) -> Manifest:
        """The same with its seal.

        Parameters
        ----------
        key : derived from the access key for `SEAL_PURPOSE`.
        """
        body = json.dumps({**asdict(self), "seal": ""}, sort_keys=True, separators=(",", ":"))
        return replace(self, seal=hmac.digest(key, body.encode(), "sha256").hex())

    def is_sealed(self, key: bytes) -> bool:
        """Whether it is as it was sealed with this key."""
        return hmac.compare_digest(self.sealed(key).seal.encode(), self.seal.encode("utf-8", "replace"))

    def holds(self, name: str) -> bool:
        """Whether a file of this name follows."""
        return any(part.name == name for part in self.parts)


def describe_part(name: str, content: Content) -> Part:
    """A part from its content, which is left at its beginning."""
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    return Part(name, size, digest)


def fingerprint_key(name: str, key: bytes) -> str:
    """16 hexadecimal digits by which a key is known again and from which it cannot be computed."""
    return hmac.digest(key, b"harmony_dash backup of " + name.encode(), "sha256")[:8].hex()


def write_archive(file: BinaryIO, manifest: Manifest, contents: Mapping[str, Content]) -> None:
    """Write the manifest, then the content of each of its parts."""
    text = json.dumps(asdict(manifest), indent=1).encode()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.GNU_FORMAT) as archive:
        _add(archive, MANIFEST, len(text), io.BytesIO(text))
        for part in manifest.parts:
            _add(archive, part.name, part.bytes, contents[part.name])


def _add(archive: tarfile.TarFile, name: str, size: int, content: Content) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


def read_archive(path: Path, open_part: Callable[[Part], AbstractContextManager[BinaryIO]]) -> Manifest:
    """Read a backup from its first to its last byte, handing each part on as it comes.

    Parameters
    ----------
    open_part : where the content of a part goes. It gets there before its hash is known: nothing may be relied on
        until this function has returned.

    Raises
    ------
    StoreError if it is not a backup, was cut short, or any byte of it was changed.
    """
    with _opened(path) as archive:
        manifest = _read_manifest(path, archive)
        for part in manifest.parts:
            content = _next(path, archive, part.name, part.bytes)
            digest = hashlib.sha256()
            with open_part(part) as target:
                while block := _read(path, content, _BLOCK):
                    digest.update(block)
                    target.write(block)
            if digest.hexdigest() != part.sha256:
                raise _damaged(path, f"{part.name} is not as it was written")
        if _advance(path, archive) is not None:
            raise _damaged(path, "there is more in it than its manifest says")
    return manifest


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        file = path.open("rb")
    except OSError as problem:
        raise StoreError(f"the backup cannot be read ({(problem.strerror or 'unknown cause').lower()})",
                         where=path.name, remedy="Name a file that `backup` wrote.") from None
    with ExitStack() as stack:
        stack.enter_context(file)
        try:
            archive = stack.enter_context(tarfile.open(fileobj=file, mode="r:"))
        except _NO_TAR:
            raise _damaged(path, "this is not a backup") from None
        yield archive


def _read_manifest(path: Path, archive: tarfile.TarFile) -> Manifest:
    content = _next(path, archive, MANIFEST, None)
    text = _read(path, content, _LONGEST_MANIFEST + 1)
    try:
        given = json.loads(text)
        manifest = Manifest(**{**given, "parts": tuple(Part(**part) for part in given["parts"])})
    except (ValueError, TypeError, LookupError, RecursionError):
        raise _damaged(path, "its manifest cannot be read") from None
    if manifest.format != FORMAT:
        raise StoreError("the backup is of another format", where=path.name,
                         remedy=f"Restore it with version {str(manifest.version)[:40]} of harmony_dash.")
    names = [part.name for part in manifest.parts]
    if (not all(_is_plain(part) for part in manifest.parts) or len(set(names)) < len(names)
            or not {DATABASE, HEAD} <= set(names) or not _are_texts(manifest)):
        raise _damaged(path, "its manifest names what no backup holds")
    return manifest


def _is_plain(part: Part) -> bool:
    return (isinstance(part.name, str) and _NAME.fullmatch(part.name) is not None and type(part.bytes) is int
            and part.bytes >= 0 and isinstance(part.sha256, str))


def _are_texts(manifest: Manifest) -> bool:
    texts: tuple[Any, ...] = (manifest.version, manifest.created, manifest.snapshot, manifest.seal)
    return (all(isinstance(text, str) for text in texts) and type(manifest.trail) is int
            and isinstance(manifest.keys, dict))


def _next(path: Path, archive: tarfile.TarFile, name: str, size: int | None) -> IO[bytes]:
    """The content of the next member, which must be this one."""
    member = _advance(path, archive)
    if member is None:
        raise _damaged(path, "it was cut short")
    # a sparse file, too, calls itself regular
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not getattr(member, "sparse", None)
    if member.name != name or not plain or (size is not None and member.size != size):
        raise _damaged(path, f"something else is where {name} should be")
    content = archive.extractfile(member)
    if content is None:
        raise _damaged(path, f"{name} is not a file")
    return content


def _advance(path: Path, archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        return archive.next()
    except _NO_TAR:
        raise _damaged(path, "it was cut short or changed") from None


def _read(path: Path, content: IO[bytes], size: int) -> bytes:
    try:
        return content.read(size)
    except _NO_TAR:
        raise _damaged(path, "it was cut short") from None


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(f"the backup is damaged or none: {what}", where=path.name,
                      remedy="Nothing was restored. Take another backup.")
