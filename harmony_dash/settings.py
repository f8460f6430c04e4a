"""The settings of a deployment, read once from the environment and passed on as a value."""

from __future__ import annotations

import contextlib
import math
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
PROTECTIONS = ("protected", "public", "off")
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
    disclosure_key : secret behind the rounding of released counts (`HARMONY_DISCLOSURE_KEY`, or the file
        `disclosure.key` beside the access database, made on first use). It must never change as long as the same
        patients are served: rounded anew, the same numbers could be averaged.
    protection : how results leave without a grant (`HARMONY_PROTECTION`): protected (default), public with a higher
        threshold, or off, which is refused unless every source is marked synthetic or public.
    access_key : secret of the access database (`HARMONY_ACCESS_KEY`, or the file `access.key` beside it, made on first
        use): it chains the audit trail and encrypts the secrets of two-step sign-in.
    audit_head : file that keeps the newest link of the audit trail (`HARMONY_AUDIT_HEAD`, default audit.head beside the
        access database); on another volume it shows a trail that was cut short.
    daily_questions : how many different questions a person may ask in a day at the protected levels
        (`HARMONY_DAILY_QUESTIONS`, default 300).
    what_if_runs : how many comparisons of treatments are computed at once (`HARMONY_WHAT_IF_RUNS`, default 2); others
        wait. Each keeps up to two cores busy for seconds.
    session_idle, session_lifetime : how long a session lives untouched, and at all.
    keep_snapshots : how many snapshots stay on disk.
    query_threads, memory_limit : limits of one DuckDB connection.
    max_mean_risk : largest mean risk of recognising a patient with which a source is taken in, at the accepted grains
        of the quasi-identifiers (`HARMONY_MAX_MEAN_RISK`, above 0 up to 1). EMA policy 0070 accepts 0.09 for data that
        are published; here nobody sees patients, so it bounds their mean and not each one's risk.
    max_unique_share : largest share of patients who share their quasi-identifiers with nobody, at the same grains
        (`HARMONY_MAX_UNIQUE_SHARE`, 0 to 1). The mean alone would let one patient in twelve stand alone beside a crowd;
        with one in twenty, trials of a hundred patients still pass.
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
    disclosure_key: bytes = field(default=b"", repr=False)
    access_key: bytes = field(default=b"", repr=False)
    audit_head: Path | None = None
    protection: str = "protected"
    daily_questions: int = 300
    what_if_runs: int = 2
    session_idle: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=12)
    keep_snapshots: int = 5
    query_threads: int = 2
    memory_limit: str = "1GB"
    max_mean_risk: float = 0.09
    max_unique_share: float = 0.05
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
        disclosure_key=read_secret("HARMONY_DISCLOSURE_KEY", environment, access.parent / "disclosure.key"),
        access_key=read_secret("HARMONY_ACCESS_KEY", environment, access.parent / "access.key"),
        audit_head=_path("HARMONY_AUDIT_HEAD", str(access.parent / "audit.head"), environment, root),
        protection=read_protection("HARMONY_PROTECTION", environment),
        max_mean_risk=read_share("HARMONY_MAX_MEAN_RISK", environment, Settings.max_mean_risk, above_zero=True),
        max_unique_share=read_share("HARMONY_MAX_UNIQUE_SHARE", environment, Settings.max_unique_share),
        daily_questions=read_positive("HARMONY_DAILY_QUESTIONS", environment, Settings.daily_questions),
        what_if_runs=read_positive("HARMONY_WHAT_IF_RUNS", environment, Settings.what_if_runs),
        oidc_groups=read_groups("HARMONY_OIDC_GROUPS", environment),
        oidc_groups_claim=environment.get("HARMONY_OIDC_GROUPS_CLAIM", "") or "groups",
        oidc_label=environment.get("HARMONY_OIDC_LABEL", "") or "Sign in with your organisation")


def read_protection(name: str, environment: Mapping[str, str]) -> str:
    """One of PROTECTIONS, the first by default.

    Raises
    ------
    SettingsError for anything else.
    """
    given = (environment.get(name, "") or PROTECTIONS[0]).strip().lower()
    if given not in PROTECTIONS:
        raise SettingsError(f"'{given[:40]}' is not a level of protection", where=name,
                            remedy=f"Choose one of: {', '.join(PROTECTIONS)}.")
    return given


def read_share(name: str, environment: Mapping[str, str], default: float, *, above_zero: bool = False) -> float:
    """A share from 0 to 1.

    Raises
    ------
    SettingsError for anything else: a limit that was mistyped must not let everything pass.
    """
    text = environment.get(name, "").strip()
    if not text:
        return default
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1 or (above_zero and share == 0):
        raise SettingsError(f"the value is not a number {'above 0 and up to' if above_zero else 'from 0 to'} 1",
                            where=name, remedy=f"Write e.g. {name}={default:g}, or leave it out.")
    return share


def read_positive(name: str, environment: Mapping[str, str], default: int) -> int:
    """A whole number from 1 on.

    Raises
    ------
    SettingsError for anything else.
    """
    given = environment.get(name, "").strip()
    if not given:
        return default
    if not re.fullmatch("[0-9]{1,9}", given) or int(given) < 1:
        raise SettingsError(f"'{given[:40]}' is not a whole number from 1 on", where=name,
                            remedy=f"Write one, or leave it out for {default}.")
    return int(given)


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
