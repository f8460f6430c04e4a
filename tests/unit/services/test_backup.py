"""A backup holds everything, is of one moment, and becomes a deployment that answers the same, or nothing at all."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmony_dash.access.accounts import create_account, list_accounts
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import AuditEvent, Decision, list_events, record_event
from harmony_dash.access.sessions import look_up_session, open_session
from harmony_dash.access.verification import HeadFile, verify
from harmony_dash.cohort import Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import AccessRefused, SettingsError, StoreError
from harmony_dash.services.backup import make_backup
from harmony_dash.services.backup_archive import SEAL_PURPOSE, Manifest, Part, read_archive
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.restore import restore_backup
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.settings import KEY_FILES, Settings
from harmony_dash.store import layout
from harmony_dash.store.snapshots import list_snapshots, roll_back
from harmony_dash.store.writer import new_snapshot
from tests.factories import ACCESS_KEY, NOW, make_patients, make_record, make_store, no_issues

PATIENT_KEY = b"made-up-7d41c9a2e05b83f6d41c9a2e05b8"
KEYS = {"HARMONY_PATIENT_KEY": PATIENT_KEY.decode(), "HARMONY_DISCLOSURE_KEY": "a made-up disclosure key for tests",
        "HARMONY_ACCESS_KEY": ACCESS_KEY.decode()}
QUESTION = Question("ALL", "efs", by="sex")
LATER = NOW + timedelta(hours=1)


def open_at(folder: Path, **changes: Any) -> Deployment:
    values = Settings(folder / "store", folder / "access.sqlite", None, patient_key=PATIENT_KEY,
                      disclosure_key=KEYS["HARMONY_DISCLOSURE_KEY"].encode(), access_key=ACCESS_KEY,
                      audit_head=folder / "audit.head")
    return open_deployment(replace(values, **changes), now=lambda: NOW)


def publish(store: Path, n: int, minutes: int, stage: Callable[[str], None] = lambda _: None, keep: int = 5) -> str:
    frame = make_patients(n, seed=n)
    with new_snapshot(store, load_dictionary(), NOW + timedelta(minutes=minutes),
                      KEYS["HARMONY_DISCLOSURE_KEY"].encode(), keep=keep, stage=stage) as (writer, done):
        writer.add_source(make_record(frame, files={"a.csv": f"{n:064d}"}), frame, no_issues())
    return done[0]


@pytest.fixture(scope="module")
def store_of_400(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "store"
    make_store(folder, 400).close()
    return folder


@pytest.fixture
def house(tmp_path: Path, store_of_400: Path) -> Iterator[Deployment]:
    shutil.copytree(store_of_400, tmp_path / "house" / "store")
    deployment = open_at(tmp_path / "house")
    create_account(deployment.access, username="clara", name="Clara", role=Role.CLINICIAN,
                   password="violet kettle under seven stairs", by=OPERATOR, now=NOW, rounds=4)
    yield deployment
    deployment.access.close()


@pytest.fixture
def backup(house: Deployment, tmp_path: Path) -> Path:
    make_backup(house, OPERATOR, tmp_path / "one.backup")
    return tmp_path / "one.backup"


def restore(file: Path, into: Path, **options: Any) -> Any:
    return restore_backup(OPERATOR, file, into, **{"environment": KEYS, "now": lambda: LATER, **options})


def left_beside(into: Path) -> list[str]:
    return sorted(path.name for path in into.parent.iterdir() if into.name in path.name)


def answer(deployment: Deployment) -> Any:
    return survival_as_json(ask_survival(deployment, OPERATOR, QUESTION))


def test_the_restored_deployment_answers_the_same_and_its_trail_verifies(house: Deployment, tmp_path: Path) -> None:
    before = answer(house)
    make_backup(house, OPERATOR, tmp_path / "one.backup")
    report = restore(tmp_path / "one.backup", tmp_path / "new")
    restored = open_at(tmp_path / "new")
    try:
        assert answer(restored) == before
        assert [account.username for account in list_accounts(restored.access)] == ["clara"]
        found = verify(restored.access)
        assert (found.intact, found.head_file, found.times_without_head) == (True, HeadFile.KEPT, 0)
        assert restored.settings.store.exists() and report.lost_entries == 0
        (noted,) = list_events(restored.access, action="restore")
        assert (noted.event.username, noted.event.snapshot) == ("operator", report.manifest.snapshot)
        assert noted.id == report.manifest.trail + 1
        assert [row.event.question for row in list_events(restored.access, action="back up")] == ["one.backup"]
    finally:
        restored.access.close()


def test_every_snapshot_that_is_kept_comes_along_and_can_be_gone_back_to(house: Deployment, tmp_path: Path) -> None:
    first = house.store.current().snapshot
    second = publish(house.settings.store, 60, 1)
    report = make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert report.manifest.snapshot == second
    restore(tmp_path / "one.backup", tmp_path / "new")
    store = tmp_path / "new" / "store"
    assert [record.snapshot for record in list_snapshots(store)] == [second, first]
    assert roll_back(store, first).patients == 400


def test_files_are_for_their_owner_alone(house: Deployment, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_backup(house, OPERATOR, tmp_path / "one.backup", with_keys=True)
        restore(tmp_path / "one.backup", tmp_path / "new", environment={})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "one.backup").stat().st_mode) == 0o600
    paths = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert {path.name for path in paths} >= {"access.sqlite", "audit.head", "CURRENT", *KEY_FILES.values()}
    for path in paths:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_keys_are_left_out_unless_asked_for(house: Deployment, backup: Path, tmp_path: Path) -> None:
    content = backup.read_bytes()
    assert not any(key.encode() in content for key in KEYS.values())
    make_backup(house, OPERATOR, tmp_path / "all.backup", with_keys=True)
    restore(tmp_path / "all.backup", tmp_path / "new", environment={})
    for name, file in KEY_FILES.items():
        assert (tmp_path / "new" / file).read_text() == KEYS[name]
    assert [row.event.reason for row in list_events(house.access, action="back up")] == ["with the keys", ""]


def test_keys_may_lie_in_a_folder_of_their_own(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "safe").mkdir()
    for name, file in KEY_FILES.items():
        (tmp_path / "safe" / file).write_text(f"{KEYS[name]}\n")
    restore(backup, tmp_path / "new", environment={}, keys_folder=tmp_path / "safe")
    assert (tmp_path / "new" / "patient.key").read_text() == KEYS["HARMONY_PATIENT_KEY"]


@pytest.mark.parametrize("name", KEY_FILES)
@pytest.mark.parametrize("wrong", ["", "6b1f0a94c7e2d85361b0f9a47c2e8d5f"])
def test_a_key_that_is_missing_or_another_one_is_refused(backup: Path, tmp_path: Path, name: str, wrong: str) -> None:
    with pytest.raises(SettingsError) as refused:
        restore(backup, tmp_path / "new", environment={**KEYS, name: wrong})
    assert refused.value.where == name
    assert left_beside(tmp_path / "new") == []


def test_a_session_that_was_open_is_ended(house: Deployment, tmp_path: Path) -> None:
    with house.access.write() as connection:
        token = open_session(connection, "clara", now=NOW)
    make_backup(house, OPERATOR, tmp_path / "one.backup")
    restore(tmp_path / "one.backup", tmp_path / "new")
    restored = open_at(tmp_path / "new")
    options = {"idle": timedelta(hours=2), "lifetime": timedelta(hours=12), "now": NOW}
    assert look_up_session(house.access, token, **options).actor is not None
    assert look_up_session(restored.access, token, **options).actor is None
    restored.access.close()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR])
def test_whoever_runs_the_server_alone_may(house: Deployment, backup: Path, tmp_path: Path, role: Role) -> None:
    actor = Actor("somebody", role, session="test")
    with pytest.raises(AccessRefused):
        make_backup(house, actor, tmp_path / "two.backup")
    assert list_events(house.access, limit=1)[0].event.decision is Decision.REFUSED
    with pytest.raises(AccessRefused):
        restore_backup(actor, backup, tmp_path / "new", environment=KEYS, now=lambda: LATER)
    assert left_beside(tmp_path / "new") == [] and not (tmp_path / "two.backup").exists()


# ------------------------------------------------------------------------------------------------ while people work


def test_a_backup_during_an_ingest_is_of_the_snapshot_before(house: Deployment, tmp_path: Path) -> None:
    before = house.store.current().snapshot
    reports = []

    def stage(name: str) -> None:
        reports.append(make_backup(house, OPERATOR, tmp_path / f"{name}.backup"))

    after = publish(house.settings.store, 60, 1, stage)
    assert [report.manifest.snapshot for report in reports] == [before] * 4 + [after]
    for name in ("written", "published"):
        restore(tmp_path / f"{name}.backup", tmp_path / name)


def test_snapshots_that_come_and_go_meanwhile_do_no_harm(house: Deployment, tmp_path: Path) -> None:
    done = threading.Event()
    problems: list[Exception] = []

    def ingest() -> None:
        try:
            for minutes in range(1, 9):
                publish(house.settings.store, 30 + minutes, minutes, keep=1)
        except Exception as problem:
            problems.append(problem)
        finally:
            done.set()

    writer = threading.Thread(target=ingest)
    writer.start()
    number = 0
    while not done.is_set():
        number += 1
        make_backup(house, OPERATOR, tmp_path / f"{number}.backup")
    writer.join()
    assert problems == [] and number > 0
    restore(tmp_path / f"{number}.backup", tmp_path / "new")


def test_a_backup_while_others_write_into_the_trail_is_whole(house: Deployment, tmp_path: Path) -> None:
    stop = threading.Event()
    other = open_at(tmp_path / "house")

    def work() -> None:
        while not stop.is_set():
            record_event(other.access, AuditEvent.of(OPERATOR, "survival", question="q" * 500), now=NOW)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        for number in range(5):
            make_backup(house, OPERATOR, tmp_path / f"{number}.backup")
    finally:
        stop.set()
        writer.join()
        other.access.close()
    trails = [restore(tmp_path / f"{number}.backup", tmp_path / f"new{number}").manifest.trail for number in range(5)]
    assert trails == sorted(set(trails))


def test_a_head_on_another_volume_tells_how_many_entries_are_lost(house: Deployment, backup: Path,
                                                                  tmp_path: Path) -> None:
    for _ in range(7):
        record_event(house.access, AuditEvent.of(OPERATOR, "survival"), now=NOW)
    report = restore(backup, tmp_path / "new", other_head=tmp_path / "house" / "audit.head")
    assert report.lost_entries == 7


# ------------------------------------------------------------------------------------------------------ what is refused


def test_a_backup_never_replaces_a_file(house: Deployment, backup: Path) -> None:
    content = backup.read_bytes()
    with pytest.raises(StoreError, match="already"):
        make_backup(house, OPERATOR, backup)
    assert backup.read_bytes() == content


def test_a_folder_that_cannot_be_written_leaves_nothing(house: Deployment, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be written"):
        make_backup(house, OPERATOR, tmp_path / "nowhere" / "one.backup")
    assert list_events(house.access, limit=1)[0].event.decision is Decision.REFUSED
    assert sorted(path.name for path in tmp_path.iterdir()) == ["house"]


def test_a_damaged_current_snapshot_is_refused_and_an_older_one_is_left_out(house: Deployment, tmp_path: Path) -> None:
    first = house.store.current().snapshot
    second = publish(house.settings.store, 60, 1)
    flip(layout.snapshot_file(house.settings.store, first), 5_000)
    report = make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert report.left_out == (first,)
    assert not report.manifest.holds(f"store/{first}.duckdb")
    flip(layout.snapshot_file(house.settings.store, second), 5_000)
    with pytest.raises(StoreError, match="current snapshot is damaged"):
        make_backup(house, OPERATOR, tmp_path / "two.backup")
    assert not (tmp_path / "two.backup").exists()


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def test_a_store_without_snapshots_is_backed_up_too(tmp_path: Path) -> None:
    deployment = open_at(tmp_path / "house")
    make_backup(deployment, OPERATOR, tmp_path / "one.backup")
    deployment.access.close()
    assert restore(tmp_path / "one.backup", tmp_path / "new").manifest.snapshot == ""
    assert list((tmp_path / "new" / "store").iterdir()) == []


@pytest.mark.parametrize("cause", [errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_links_gets_a_backup_that_replaces_nothing(
        house: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    came: list[Path] = []

    def no_links(_: Path, file: Path) -> None:
        for meanwhile in came:
            meanwhile.write_text("somebody else's")
        raise OSError(cause, os.strerror(cause))

    monkeypatch.setattr(os, "link", no_links)
    make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert stat.S_IMODE((tmp_path / "one.backup").stat().st_mode) == 0o600
    assert restore(tmp_path / "one.backup", tmp_path / "new").manifest.snapshot
    came.append(tmp_path / "two.backup")
    with pytest.raises(StoreError, match="a file of this name already"):
        make_backup(house, OPERATOR, tmp_path / "two.backup")
    assert (tmp_path / "two.backup").read_text() == "somebody else's"


@pytest.mark.parametrize("cause", [errno.EIO, errno.EPERM])
def test_a_backup_that_gets_no_name_leaves_nothing_of_it(
        house: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    def fail(number: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", lambda *_: fail(cause))
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: fail(errno.EIO))
    with pytest.raises(StoreError, match="could not be written"):
        make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert not [path for path in tmp_path.iterdir() if "one.backup" in path.name]


@pytest.mark.parametrize("taken", ["a file in it", "a file of its name", "a link to a folder that is not empty",
                                   "the folder of a restore that was stopped"])
def test_a_place_that_is_not_free_is_left_as_it_is(backup: Path, tmp_path: Path, taken: str) -> None:
    into, inside = tmp_path / "new", tmp_path / "full" / "precious"
    inside.parent.mkdir()
    inside.write_text("precious")
    if taken == "a file in it":
        inside.parent.rename(into)
        inside = into / "precious"
    elif taken == "a file of its name":
        inside = inside.rename(into)
    elif taken == "a link to a folder that is not empty":
        into.symlink_to(inside.parent)
    else:
        inside.parent.rename(tmp_path / ".new.restoring")
        inside = tmp_path / ".new.restoring" / "precious"
    with pytest.raises(StoreError):
        restore(backup, into)
    assert inside.read_text() == "precious"


def test_an_empty_folder_is_free(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    restore(backup, tmp_path / "new")
    assert left_beside(tmp_path / "new") == ["new"]


def test_a_backup_cut_short_anywhere_leaves_nothing(backup: Path, tmp_path: Path) -> None:
    content, cut = backup.read_bytes(), tmp_path / "cut.backup"
    with tarfile.open(backup) as archive:
        edges = [member.offset for member in archive] + [member.offset_data + member.size for member in archive]
    for size in sorted({0, 1, 511, 512, *edges, *range(0, max(edges), max(edges) // 20)} - {max(edges)}):
        cut.write_bytes(content[:size])
        with pytest.raises(StoreError):
            restore(cut, tmp_path / "new")
        assert left_beside(tmp_path / "new") == [], size


def test_a_changed_byte_in_any_part_leaves_nothing(backup: Path, tmp_path: Path) -> None:
    content = backup.read_bytes()
    with tarfile.open(backup) as archive:
        places = {member.name: member.offset_data + member.size // 2 for member in archive}
    assert len(places) == 6
    for name, place in places.items():
        changed = bytearray(content)
        changed[place] ^= 0x01
        (tmp_path / "changed.backup").write_bytes(changed)
        with pytest.raises(StoreError):
            restore(tmp_path / "changed.backup", tmp_path / "new")
        assert left_beside(tmp_path / "new") == [], name


def rewrite(backup: Path, target: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> Path:
    """The same tar with other members."""
    with tarfile.open(backup) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(target, "w:") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return target


HOSTILE_NAMES = ["../evil", "/tmp/evil", "store/../../evil", "store/evil.duckdb", "access.sqlite/../evil", "evil", "",
                 "store/CURRENT\n", "./store/CURRENT", "store//CURRENT", "STORE/CURRENT", "store\\..\\evil",
                 ".streamlit/secrets.toml", "manifest.json"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("named_in_manifest", [False, True])
def test_a_hostile_name_is_never_followed(house: Deployment, backup: Path, tmp_path: Path, name: str,
                                          named_in_manifest: bool) -> None:
    """Even where its maker held the access key and sealed a manifest that names it."""
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        place = next(number for number, (member, _) in enumerate(members) if member.name == "store/CURRENT")
        member = members[place][0]
        old, member.name = member.name, name
        if named_in_manifest:
            given_manifest = json.loads(members[0][1])
            parts = tuple(Part(**{**part, "name": name if part["name"] == old else part["name"]})
                          for part in given_manifest["parts"])
            sealed = Manifest(**{**given_manifest, "parts": parts}).sealed(house.access.derive_key(SEAL_PURPOSE))
            text = json.dumps({**given_manifest, "parts": [vars(part) for part in sealed.parts],
                               "seal": sealed.seal}).encode()
            members[0][0].size = len(text)
            members[0] = (members[0][0], text)

    hostile = rewrite(backup, tmp_path / "hostile.backup", change)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    with pytest.raises(StoreError):
        restore(hostile, tmp_path / "deep" / "er" / "new")
    assert list(tmp_path.rglob("*evil*")) == []
    assert list((tmp_path / "deep" / "er").iterdir()) == [] and not Path("/tmp/evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
                                  tarfile.GNUTYPE_SPARSE, b"x", b"L"])
def test_what_is_no_plain_file_is_refused(backup: Path, tmp_path: Path, kind: bytes) -> None:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        members[-1][0].type = kind
        members[-1][0].linkname = "/etc/passwd"

    with pytest.raises(StoreError):
        restore(rewrite(backup, tmp_path / "hostile.backup", change), tmp_path / "new")
    assert left_beside(tmp_path / "new") == []


CHANGES: dict[str, Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]] = {
    "a member more": lambda members: members.append(members[-1]),
    "a member less": lambda members: members.__delitem__(-1),
    "members in another order": lambda members: members.insert(1, members.pop()),
    "no manifest": lambda members: members.__delitem__(0),
    "two manifests": lambda members: members.insert(0, members[0]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_members_than_the_manifest_names_are_refused(backup: Path, tmp_path: Path, change: str) -> None:
    with pytest.raises(StoreError):
        restore(rewrite(backup, tmp_path / "hostile.backup", CHANGES[change]), tmp_path / "new")
    assert left_beside(tmp_path / "new") == []


def test_a_manifest_that_was_written_anew_without_the_key_is_refused(backup: Path, tmp_path: Path) -> None:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        text = members[0][1].replace(b'"version": "', b'"version": "9')
        members[0][0].size = len(text)
        members[0] = (members[0][0], text)

    with pytest.raises(StoreError, match="changed after it was made"):
        restore(rewrite(backup, tmp_path / "hostile.backup", change), tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"\0" * 10_240, b"PK\x03\x04", b"\x1f\x8b",
                                     b"SQLite format 3\0" + b"\0" * 4096])
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(StoreError):
        restore(tmp_path / "other", tmp_path / "new")
    with pytest.raises(StoreError, match="cannot be read"):
        restore(tmp_path / "missing", tmp_path / "new")


def test_a_backup_of_another_format_names_the_version_that_reads_it(backup: Path, tmp_path: Path) -> None:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        text = members[0][1].replace(b'"format": 1', b'"format": 2')
        members[0] = (members[0][0], text)

    with pytest.raises(StoreError, match="Restore it with version"):
        restore(rewrite(backup, tmp_path / "hostile.backup", change), tmp_path / "new")


@pytest.fixture(scope="module")
def small_archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The first bytes of a backup: where a reader can be led astray."""
    folder = tmp_path_factory.mktemp("small")
    deployment = open_at(folder / "house")
    make_backup(deployment, OPERATOR, folder / "small.backup")
    deployment.access.close()
    content = (folder / "small.backup").read_bytes()
    shutil.rmtree(folder)
    return content


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 4095), st.binary(min_size=1, max_size=24)), min_size=1, max_size=4))
def test_whatever_bytes_are_changed_in_its_headers_the_refusal_is_one_clear_error(
        small_archive: bytes, tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(small_archive)
    for place, new in changes:
        content[place:place + len(new)] = new
    file = tmp_path_factory.mktemp("fuzz") / "x.backup"
    file.write_bytes(content)
    # where only padding was changed there is nothing to find
    with contextlib.suppress(StoreError):
        assert read_archive(file, lambda part: contextlib.nullcontext(io.BytesIO())).holds("access.sqlite")


# -------------------------------------------------------------------------------------------- disks and sudden ends


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk with room for files of this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [140_000, 200_000])  # too little for the copy of the database; for the archive
def test_a_full_disk_leaves_no_backup_and_is_named(house: Deployment, tmp_path: Path, room: int) -> None:
    house.access.read_head()
    with house.access.read() as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    with files_no_larger_than(room), pytest.raises(StoreError, match=r"could not be (written|copied)"):
        make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["house"]


def test_a_full_disk_leaves_nothing_restored_and_is_named(backup: Path, tmp_path: Path) -> None:
    with files_no_larger_than(100_000), pytest.raises(StoreError, match="could not be restored"):
        restore(backup, tmp_path / "new")
    assert left_beside(tmp_path / "new") == []


def test_a_restore_that_is_killed_before_its_last_step_leaves_the_place_empty(backup: Path, tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from tests.unit.services.test_backup import restore
os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
restore(Path({str(backup)!r}), Path({str(tmp_path / "new")!r}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    assert not (tmp_path / "new").exists()
    with pytest.raises(StoreError, match="stopped half-way"):
        restore(backup, tmp_path / "new")
    shutil.rmtree(tmp_path / ".new.restoring")
    restore(backup, tmp_path / "new")


def test_a_file_that_comes_meanwhile_is_not_replaced(house: Deployment, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    def and_another_comes(*arguments: Any) -> Manifest:
        (tmp_path / "one.backup").write_text("precious")
        return read_archive(*arguments)

    monkeypatch.setattr("harmony_dash.services.backup.read_archive", and_another_comes)
    with pytest.raises(StoreError, match="already"):
        make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert (tmp_path / "one.backup").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["house", "one.backup"]


def test_restored_records_are_as_they_were_written(house: Deployment, backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "new")
    store, restored = house.settings.store, tmp_path / "new" / "store"
    names = [layout.POINTER, layout.record_file(store, house.store.current().snapshot).name]
    assert [(restored / name).read_bytes() for name in names] == [(store / name).read_bytes() for name in names]


def test_a_store_that_lost_its_pointer_is_not_backed_up_as_an_empty_one(house: Deployment, tmp_path: Path) -> None:
    (house.settings.store / layout.POINTER).unlink()
    with pytest.raises(StoreError, match=r"pointer .* is missing"):
        make_backup(house, OPERATOR, tmp_path / "one.backup")
    assert not (tmp_path / "one.backup").exists()


def test_a_key_file_that_cannot_be_read_is_named(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "safe" / "patient.key").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"safe/patient\.key cannot be read \(is a directory\)"):
        restore(backup, tmp_path / "new", environment={}, keys_folder=tmp_path / "safe")
    assert left_beside(tmp_path / "new") == []
