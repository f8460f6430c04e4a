"""The settings of a deployment, read once from the environment and passed on as a value."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from harmony_dash.errors import SettingsError

MINIMUM_SECRET_BYTES = 32
# Words of sample files, compared without signs between the letters; a random secret holds none of them.
_PLACEHOLDERS = ("changeme", "changethis", "replaceme", "somekey", "yourkey", "secret", "placeholder", "example",
                 "password", "passphrase", "goeshere")


@dataclass(frozen=True)
class Settings:
    """Everything a deployment may choose.

    Attributes
    ----------
    store : folder of the snapshots (`HARMONY_STORE`, default var/store).
    access_database : SQLite file of accounts, sessions and the audit trail (`HARMONY_ACCESS`, default
        var/access.sqlite).
    samples : folder of the synthetic sources that fill an empty store (`HARMONY_SAMPLES`, default data_samples; empty
        string for none).
    dictionary_files : further dictionary files, separated by the system's path separator (`HARMONY_DICTIONARY`).
    patient_key : secret under which provider identifiers are hashed (`HARMONY_PATIENT_KEY`, or the file
        `patient.key` beside the access database, made on first use).
    access_key : secret of the access database (`HARMONY_ACCESS_KEY`, or the file `access.key` beside it, made on first
        use): it chains the audit trail and encrypts the secrets of two-step sign-in.
    audit_head : file that keeps the newest link of the audit trail (`HARMONY_AUDIT_HEAD`, default audit.head beside the
        access database); on another volume it shows a trail that was cut short.
    session_idle, session_lifetime : how long a session lives untouched, and at all.
    keep_snapshots : how many snapshots stay on disk.
    query_threads, memory_limit : limits of one DuckDB connection.
    oidc_groups : group of the identity provider and role here, in pairs (`HARMONY_OIDC_GROUPS`, e.g.
        "allbd-clinicians=clinician;allbd-analysts=analyst"). The provider itself is set up in .streamlit/secrets.toml.
    oidc_groups_claim : claim that lists a person's groups (`HARMONY_OIDC_GROUPS_CLAIM`, default groups).
    oidc_label : words on the button (`HARMONY_OIDC_LABEL`, default "Sign in with your organisation").
    """

    store: Path
    access_database: Path
    samples: Path | None
    dictionary_files: tuple[Path, ...] = ()
    patient_key: bytes = field(default=b"", repr=False)
    access_key: bytes = field(default=b"", repr=False)
    audit_head: Path | None = None
    session_idle: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=12)
    keep_snapshots: int = 5
    query_threads: int = 2
    memory_limit: str = "1GB"
    oidc_groups: tuple[tuple[str, str], ...] = ()
    oidc_groups_claim: str = "groups"
    oidc_label: str = "Sign in with your organisation"


def configured_store(environment: Mapping[str, str], root: Path) -> Path:
    """The store's folder, as `read_settings` finds it; unlike that, this makes no file."""
    return _path("HARMONY_STORE", "var/store", environment, root)


def _path(name: str, default: str, environment: Mapping[str, str], root: Path) -> Path:
    return root / Path(environment.get(name, "") or default)


def read_settings(environment: Mapping[str, str], root: Path) -> Settings:
    """Settings from environment variables.

    Parameters
    ----------
    environment : usually `os.environ`.
    root : folder that relative defaults are taken from, usually the one that holds app.py.

    Raises
    ------
    SettingsError for a secret that is short or a placeholder, or groups and roles that cannot be read.
    """
    samples_text = environment.get("HARMONY_SAMPLES", "data_samples")
    extra = environment.get("HARMONY_DICTIONARY", "")
    access = _path("HARMONY_ACCESS", "var/access.sqlite", environment, root)
    return Settings(
        store=configured_store(environment, root), access_database=access,
        samples=root / samples_text if samples_text else None,
        dictionary_files=tuple(Path(part) for part in extra.split(os.pathsep) if part),
        patient_key=read_secret("HARMONY_PATIENT_KEY", environment, access.parent / "patient.key"),
        access_key=read_secret("HARMONY_ACCESS_KEY", environment, access.parent / "access.key"),
        audit_head=_path("HARMONY_AUDIT_HEAD", str(access.parent / "audit.head"), environment, root),
        oidc_groups=read_groups("HARMONY_OIDC_GROUPS", environment),
        oidc_groups_claim=environment.get("HARMONY_OIDC_GROUPS_CLAIM", "") or "groups",
        oidc_label=environment.get("HARMONY_OIDC_LABEL", "") or "Sign in with your organisation")


def read_groups(name: str, environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Pairs of group and role; a group's own name may hold equals signs, as directories write them.

    Raises
    ------
    SettingsError for a part that is no such pair.
    """
    pairs = []
    for part in filter(str.strip, environment.get(name, "").split(";")):
        group, sign, role = part.rpartition("=")
        if not sign or not group.strip() or not role.strip():
            raise SettingsError(f"'{part.strip()}' is not a group and a role", where=name,
                                remedy="Write group=role and put a semicolon between two of them.")
        pairs.append((group.strip(), role.strip()))
    return tuple(pairs)


def read_secret(name: str, environment: Mapping[str, str], file: Path) -> bytes:
    """A secret of at least 32 bytes from the environment, else from a file made with mode 0600 on first use.

    Raises
    ------
    SettingsError for a placeholder, a short secret, or a secret file that others may read.
    """
    given = environment.get(name, "")
    if given:
        check_secret(name, given.encode())
        return given.encode()
    try:
        if not file.exists():
            _make_secret(file)
        secret = file.read_bytes().strip()
        mode = file.stat().st_mode
    except OSError as problem:
        raise SettingsError(f"the secret file {file.name} cannot be made or read ({problem.strerror})", where=name,
                            remedy=f"Check the permissions of its folder, or set {name}.") from None
    if os.name == "posix" and mode & 0o077:
        raise SettingsError(f"the secret file {file.name} can be read by others", where=name,
                            remedy=f"Run `chmod 600` on {file.name}.")
    check_secret(name, secret)
    return secret


def _make_secret(file: Path) -> None:
    """Make the file, complete or not at all; of two processes at it, both end with the secret of the first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # readable by its owner only
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secrets.token_hex(MINIMUM_SECRET_BYTES))
            handle.flush()
            os.fsync(handle.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        Path(temporary).unlink(missing_ok=True)


def check_secret(name: str, secret: bytes) -> None:
    """Refuse a secret that is short, repeats a block, or is a placeholder from a sample file."""
    letters = re.sub(r"[^a-z0-9]", "", secret.decode("utf-8", "replace").lower())
    if (len(secret) < MINIMUM_SECRET_BYTES or len(set(secret)) < 8 or _repeats(secret)
            or any(word in letters for word in _PLACEHOLDERS)):
        raise SettingsError(f"the secret is a placeholder, repeats itself or is shorter than {MINIMUM_SECRET_BYTES} "
                            "bytes", where=name,
                            remedy=f"Set {name} to 64 hexadecimal digits, e.g. from `openssl rand -hex 32`.")


def _repeats(secret: bytes) -> bool:
    """Whether a block of at most half its length, written again and again, makes the whole secret."""
    return any(secret[size:] == secret[:-size] for size in range(1, len(secret) // 2 + 1))
