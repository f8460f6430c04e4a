"""The settings of a deployment, read once from the environment and passed on as a value."""

from __future__ import annotations

import contextlib
import math
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, get_type_hints

from harmony_dash.errors import SettingsError

MINIMUM_SECRET_BYTES = 32
PROTECTIONS = ("protected", "public", "off")
# Words of sample files, compared without signs between the letters; a random secret holds none of them.
_PLACEHOLDERS = ("changeme", "changethis", "replaceme", "somekey", "yourkey", "secret", "placeholder", "example",
                 "password", "passphrase", "goeshere")
_STORE, _ACCESS = "var/store", "var/access.sqlite"
_KEY_FILE = "made on first use, in a file beside the access database:"
# The keys that cannot be made anew, and the file beside the access database that holds each unless it is set.
KEY_FILES = MappingProxyType({"HARMONY_PATIENT_KEY": "patient.key", "HARMONY_DISCLOSURE_KEY": "disclosure.key",
                              "HARMONY_ACCESS_KEY": "access.key"})


@dataclass(frozen=True)
class Setting:
    """The environment variable behind a setting, and what whoever runs the server reads about it.

    Attributes
    ----------
    name : of the variable; empty for a setting that no deployment may choose.
    meaning : one or two sentences.
    default : in words, where the field has no default of its own to show.
    secret : whether its value may never be printed.
    """

    name: str
    meaning: str
    default: str = ""
    secret: bool = False


@dataclass(frozen=True)
class Settings:
    """Everything a deployment may choose; beside each field stands what the manual says about it."""

    store: Annotated[Path, Setting(
        "HARMONY_STORE", "Folder of the snapshots.", default=_STORE)]
    access_database: Annotated[Path, Setting(
        "HARMONY_ACCESS", "SQLite file of accounts, sessions, grants and the audit trail.", default=_ACCESS)]
    samples: Annotated[Path | None, Setting(
        "HARMONY_SAMPLES", "Folder of the synthetic sources that fill an empty store at the first start; set it to "
        "nothing for none.", default="data_samples")]
    dictionary_files: Annotated[tuple[Path, ...], Setting(
        "HARMONY_DICTIONARY", "Further dictionary files, separated by the system's path separator (`:` on Linux).",
        default="none")] = ()
    patient_key: Annotated[bytes, Setting(
        "HARMONY_PATIENT_KEY", "Secret under which providers' identifiers are hashed. Never changes: with another one "
        "the same patient would come back as somebody else.", default=f"{_KEY_FILE} patient.key",
        secret=True)] = field(default=b"", repr=False)
    disclosure_key: Annotated[bytes, Setting(
        "HARMONY_DISCLOSURE_KEY", "Secret behind the rounding of released counts. Never changes as long as the same "
        "patients are served: rounded anew, the same numbers could be averaged.", default=f"{_KEY_FILE} disclosure.key",
        secret=True)] = field(default=b"", repr=False)
    access_key: Annotated[bytes, Setting(
        "HARMONY_ACCESS_KEY", "Secret of the access database: it chains the audit trail and encrypts the secrets of "
        "two-step sign-in. Kept as long as the trail: with another one nothing verifies.",
        default=f"{_KEY_FILE} access.key", secret=True)] = field(default=b"", repr=False)
    audit_head: Annotated[Path | None, Setting(
        "HARMONY_AUDIT_HEAD", "File that keeps the newest link of the audit trail. On another volume it shows a trail "
        "that was cut short.", default="audit.head beside the access database")] = None
    health_token: Annotated[bytes, Setting(
        "HARMONY_HEALTH_TOKEN", "Secret with which `/healthz` tells details, sent as `Authorization: Bearer …`; at "
        "least 32 bytes. May be changed at any time.", default="none: no details", secret=True)] = field(
            default=b"", repr=False)
    protection: Annotated[str, Setting(
        "HARMONY_PROTECTION", "How results leave without a grant: `protected`, `public` with a higher threshold, or "
        "`off`, which is refused unless every source is marked synthetic or public.")] = "protected"
    daily_questions: Annotated[int, Setting(
        "HARMONY_DAILY_QUESTIONS", "How many different questions a person may ask in a day (UTC) at the protected "
        "levels.")] = 300
    what_if_runs: Annotated[int, Setting(
        "HARMONY_WHAT_IF_RUNS", "How many comparisons of treatments are computed at once; others wait. Each keeps up "
        "to two cores busy, most of the time in a process that everything else goes before.")] = 2
    session_idle: Annotated[timedelta, Setting(
        "", "How long a session lives untouched.", default="30 minutes")] = timedelta(minutes=30)
    session_lifetime: Annotated[timedelta, Setting(
        "", "How long a session lives at all.", default="12 hours")] = timedelta(hours=12)
    keep_snapshots: Annotated[int, Setting("", "How many snapshots stay on disk.")] = 5
    query_threads: Annotated[int, Setting("", "Threads of one DuckDB connection.")] = 2
    memory_limit: Annotated[str, Setting("", "Memory of one DuckDB connection.")] = "1GB"
    # EMA policy 0070 accepts 0.09 for data that are published; here nobody sees patients, so it bounds their mean and
    # not each one's risk.
    max_mean_risk: Annotated[float, Setting(
        "HARMONY_MAX_MEAN_RISK", "Largest mean risk of recognising a patient with which a source is taken in, at the "
        "accepted grains of the quasi-identifiers; above 0, up to 1.")] = 0.09
    # The mean alone would let one patient in twelve stand alone beside a crowd; with one in twenty, trials of a hundred
    # patients still pass.
    max_unique_share: Annotated[float, Setting(
        "HARMONY_MAX_UNIQUE_SHARE", "Largest share of patients who share their quasi-identifiers with nobody, at the "
        "same grains; 0 to 1.")] = 0.05
    oidc_groups: Annotated[tuple[tuple[str, str], ...], Setting(
        "HARMONY_OIDC_GROUPS", "Group of the identity provider and role here, in pairs, e.g. "
        "`allbd-clinicians=clinician;allbd-analysts=analyst`. The provider itself is set up in "
        "`.streamlit/secrets.toml`.", default="none")] = ()
    oidc_groups_claim: Annotated[str, Setting(
        "HARMONY_OIDC_GROUPS_CLAIM", "Claim of the ID token that lists a person's groups.")] = "groups"
    oidc_label: Annotated[str, Setting(
        "HARMONY_OIDC_LABEL", "Words on the button.")] = "Sign in with your organisation"


def describe_settings() -> dict[str, Setting]:
    """Field of `Settings` to what the manual says about it, in their order; every default in words."""
    hints = get_type_hints(Settings, include_extras=True)
    described = {}
    for one in fields(Settings):
        about: Setting = hints[one.name].__metadata__[0]
        described[one.name] = about if about.default else replace(about, default=str(one.default))
    return described


def configured_store(environment: Mapping[str, str], root: Path) -> Path:
    """The store's folder, as `read_settings` finds it; unlike that, this makes no file."""
    return _path("HARMONY_STORE", _STORE, environment, root)


def configured_access(environment: Mapping[str, str], root: Path) -> Path:
    """The access database, as `read_settings` finds it; unlike that, this makes no file."""
    return _path("HARMONY_ACCESS", _ACCESS, environment, root)


def configured_head(environment: Mapping[str, str], root: Path) -> Path:
    """The file with the head of the audit trail, as `read_settings` finds it; unlike that, this makes no file."""
    beside = configured_access(environment, root).parent / "audit.head"
    return _path("HARMONY_AUDIT_HEAD", str(beside), environment, root)


def configured_dictionary_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The further dictionary files, as `read_settings` finds them."""
    return tuple(Path(part) for part in environment.get("HARMONY_DICTIONARY", "").split(os.pathsep) if part)


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
    access = configured_access(environment, root)
    keys = {name: read_secret(name, environment, access.parent / file) for name, file in KEY_FILES.items()}
    return Settings(
        store=configured_store(environment, root), access_database=access,
        samples=root / samples_text if samples_text else None,
        dictionary_files=configured_dictionary_files(environment), patient_key=keys["HARMONY_PATIENT_KEY"],
        disclosure_key=keys["HARMONY_DISCLOSURE_KEY"], access_key=keys["HARMONY_ACCESS_KEY"],
        audit_head=configured_head(environment, root),
        health_token=read_token("HARMONY_HEALTH_TOKEN", environment),
        protection=read_protection("HARMONY_PROTECTION", environment),
        max_mean_risk=read_share("HARMONY_MAX_MEAN_RISK", environment, Settings.max_mean_risk, above_zero=True),
        max_unique_share=read_share("HARMONY_MAX_UNIQUE_SHARE", environment, Settings.max_unique_share),
        daily_questions=read_positive("HARMONY_DAILY_QUESTIONS", environment, Settings.daily_questions),
        what_if_runs=read_positive("HARMONY_WHAT_IF_RUNS", environment, Settings.what_if_runs),
        oidc_groups=read_groups("HARMONY_OIDC_GROUPS", environment),
        oidc_groups_claim=environment.get("HARMONY_OIDC_GROUPS_CLAIM", "") or Settings.oidc_groups_claim,
        oidc_label=environment.get("HARMONY_OIDC_LABEL", "") or Settings.oidc_label)


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


def read_token(name: str, environment: Mapping[str, str]) -> bytes:
    """A secret of at least 32 bytes from the environment, empty if there is none; no file is made for it.

    Raises
    ------
    SettingsError for a placeholder or a short secret.
    """
    given = environment.get(name, "").encode()
    if given:
        check_secret(name, given)
    return given


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
