"""A store that lost its pointer or its records is not an empty one, and no other key gets in that way."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SettingsError, StoreError
from harmony_dash.store import backup, causes, layout
from harmony_dash.store.backup import hold_snapshots
from harmony_dash.store.reader import Store
from harmony_dash.store.snapshots import list_snapshots, roll_back
from harmony_dash.store.writer import Stage, new_snapshot
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, no_issues

OTHER_KEY = b"another made-up disclosure key"


def publish(store: Path, n: int = 30, minutes: int = 0, key: bytes = DISCLOSURE_KEY, stage: Stage = lambda _: None,
            **options: Any) -> str:
    frame = make_patients(n, seed=n)
    with new_snapshot(store, load_dictionary(), NOW + timedelta(minutes=minutes), key, stage=stage, **options,
                      ) as (writer, done):
        writer.add_source(make_record(frame), frame, no_issues())
    return done[0]


def unreadable(path: Path) -> None:
    """Put something in the file's place that no permission lets anybody read as one."""
    path.unlink()
    path.mkdir()


# ------------------------------------------------------------------------------------------------- the pointer is lost


def test_a_store_without_its_pointer_is_not_empty(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / layout.POINTER).unlink()
    for look in (lambda: Store(tmp_path).is_empty, lambda: Store(tmp_path).current(),
                 lambda: hold_snapshots(tmp_path).__enter__()):
        with pytest.raises(StoreError, match="missing") as refused:
            look()
        assert (refused.value.where, "--rollback" in refused.value.remedy) == (layout.POINTER, True)


def test_nor_is_one_that_lost_the_records_as_well(tmp_path: Path) -> None:
    layout.record_file(tmp_path, publish(tmp_path)).unlink()
    (tmp_path / layout.POINTER).unlink()
    with pytest.raises(StoreError, match="missing"):
        layout.read_pointer(tmp_path)


def test_a_lost_pointer_is_mended_as_its_message_says(tmp_path: Path) -> None:
    first, second = publish(tmp_path), publish(tmp_path, 40, 1)
    (tmp_path / layout.POINTER).unlink()
    assert [record.snapshot for record in list_snapshots(tmp_path)] == [second, first]
    roll_back(tmp_path, first)
    assert Store(tmp_path).current().snapshot == first


def test_an_ingest_mends_it_too_and_says_that_the_history_is_lost(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / layout.POINTER).unlink()
    frame = make_patients(40, seed=40)
    with new_snapshot(tmp_path, load_dictionary(), NOW + timedelta(minutes=1), DISCLOSURE_KEY) as (writer, done):
        assert writer.history_lost
        with pytest.raises(StoreError, match="missing"):
            layout.read_pointer(tmp_path)
        writer.add_source(make_record(frame), frame, no_issues())
    assert Store(tmp_path).current().snapshot == done[0]


def test_an_empty_store_is_empty_until_the_pointer_moves_and_never_seems_to_have_lost_it(tmp_path: Path) -> None:
    assert Store(tmp_path / "store").is_empty
    seen = []
    publish(tmp_path / "store", stage=lambda name: seen.append((name, Store(tmp_path / "store").is_empty)))
    assert seen == [("opened", True), ("written", True), ("recorded", True), ("renamed", True), ("published", False)]


@pytest.mark.parametrize("last", ["opened", "written", "recorded", "renamed"])
def test_a_first_ingest_that_died_leaves_an_empty_store_that_can_be_filled(tmp_path: Path, last: str) -> None:
    class Dies(Exception):
        pass

    def stage(name: str) -> None:
        if name == last:
            raise Dies

    with pytest.raises(Dies):
        publish(tmp_path, stage=stage)
    assert Store(tmp_path).is_empty
    layout.remove_abandoned(tmp_path)
    assert Store(tmp_path).is_empty
    assert publish(tmp_path, 40, 1) == Store(tmp_path).current().snapshot


def test_a_pointer_that_comes_between_two_looks_is_not_called_lost(tmp_path: Path,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    look_for_files, published = layout._snapshot_files, []

    def slowly(store: Path) -> list[Path]:
        if not published:
            published.append("")
            published.append(publish(store))
        return look_for_files(store)

    monkeypatch.setattr(layout, "_snapshot_files", slowly)
    pointer = layout.read_pointer(tmp_path)
    assert pointer is not None and pointer.snapshot == published[1]


@given(place=st.integers(0, 24), bit=st.integers(0, 7))
def test_a_flipped_bit_in_the_pointer_of_an_empty_store_is_seen(tmp_path_factory: pytest.TempPathFactory, place: int,
                                                               bit: int) -> None:
    store = tmp_path_factory.mktemp("empty")
    layout.begin_pointer(store)
    file = store / layout.POINTER
    content = bytearray(file.read_bytes())
    content[place % len(content)] ^= 1 << bit
    file.write_bytes(content)
    with pytest.raises(layout.DamagedRecord):
        layout.read_pointer(store)


# ------------------------------------------------------------------------------------------- which key was in use


def damage_all(store: Path) -> None:
    for path in [store / layout.POINTER, *store.glob("*.json")]:
        path.write_bytes(b"{")


def lose_all(store: Path) -> None:
    for path in [store / layout.POINTER, *store.glob("*.json")]:
        path.unlink()


@pytest.mark.parametrize("key", [DISCLOSURE_KEY, OTHER_KEY])
@pytest.mark.parametrize("lose", [damage_all, lose_all])
def test_where_no_record_tells_of_the_key_a_new_one_has_to_be_meant(tmp_path: Path, lose: Callable[[Path], None],
                                                                    key: bytes) -> None:
    publish(tmp_path)
    lose(tmp_path)
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        publish(tmp_path, 40, 1, key)
    publish(tmp_path, 40, 2, key, new_disclosure_key=True)
    assert Store(tmp_path).current().patients == 40


def test_a_lost_pointer_lets_no_other_key_in(tmp_path: Path) -> None:
    publish(tmp_path)
    (tmp_path / layout.POINTER).unlink()
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        publish(tmp_path, 40, 1, OTHER_KEY)
    assert len(list_snapshots(tmp_path)) == 1


def test_a_record_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    publish(tmp_path)
    second = publish(tmp_path, 40, 1, OTHER_KEY, new_disclosure_key=True)
    (tmp_path / layout.POINTER).write_bytes(b"{")
    unreadable(layout.record_file(tmp_path, second))
    # the record before it would let the earlier key in
    for options in ({}, {"new_disclosure_key": True}):
        with pytest.raises(StoreError, match="cannot be read"):
            publish(tmp_path, 50, 2, **options)


def test_a_pointer_that_cannot_be_read_stops_an_ingest_before_it_changes_anything(tmp_path: Path) -> None:
    publish(tmp_path)
    unreadable(tmp_path / layout.POINTER)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(StoreError, match="cannot be read"):
        publish(tmp_path, 40, 1, OTHER_KEY)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_the_newest_whole_record_speaks_for_a_damaged_pointer(tmp_path: Path) -> None:
    publish(tmp_path)
    second = publish(tmp_path, 40, 1)
    (tmp_path / layout.POINTER).write_bytes(b"{")
    layout.record_file(tmp_path, second).write_bytes(b"{")
    with pytest.raises(SettingsError, match="--new-disclosure-key"):
        publish(tmp_path, 50, 2, OTHER_KEY)
    assert publish(tmp_path, 50, 3)


# ------------------------------------------------------------------------------------------------------- records kept


def test_a_server_that_starts_leaves_a_record_whose_snapshot_is_away(tmp_path: Path) -> None:
    first = publish(tmp_path)
    publish(tmp_path, 40, 1)
    file = layout.snapshot_file(tmp_path, first)
    away = file.rename(tmp_path.with_name("away"))
    assert layout.remove_abandoned(tmp_path) == 0
    away.rename(file)
    assert roll_back(tmp_path, first).patients == 30


def test_a_record_is_written_in_one_way(tmp_path: Path) -> None:
    file = layout.record_file(tmp_path, publish(tmp_path))
    record = layout.read_record(file, "")
    assert record is not None
    assert file.read_bytes() == layout.record_text(record) == (tmp_path / layout.POINTER).read_bytes()
    assert b'"check"' in file.read_bytes()


def test_a_snapshot_forgotten_during_a_backup_is_not_called_damaged(tmp_path: Path,
                                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = publish(tmp_path), publish(tmp_path, 40, 1)
    check = backup._check

    def forget_first(*arguments: Any) -> Any:
        layout.snapshot_file(tmp_path, first).unlink()
        layout.record_file(tmp_path, first).unlink()
        return check(*arguments)

    monkeypatch.setattr(backup, "_check", forget_first)
    with hold_snapshots(tmp_path) as held:
        assert (list(held.records), held.left_out) == ([second], ())


def test_a_record_damaged_or_unreadable_during_a_backup_is_told_apart(tmp_path: Path) -> None:
    first, second = publish(tmp_path), publish(tmp_path, 40, 1)
    layout.record_file(tmp_path, first).write_bytes(b"{")
    with hold_snapshots(tmp_path) as held:
        assert (list(held.records), held.left_out) == ([second], (first,))
    unreadable(layout.record_file(tmp_path, first))
    with pytest.raises(StoreError, match="cannot be read"), hold_snapshots(tmp_path):
        pytest.fail("the record was passed over")


# -------------------------------------------------------------------------------------------------------------- causes


@pytest.mark.parametrize(("number", "cause", "remedy"), [
    (errno.EIO, "the disk fails", "checked"), (errno.EMFILE, "too many files are open", "ulimit"),
    (errno.ENOSPC, "the disk is full", "Free space"), (errno.EACCES, "permission denied", "permissions")])
def test_the_cause_is_named_with_what_helps_against_it(number: int, cause: str, remedy: str) -> None:
    with pytest.raises(StoreError) as refused, causes.readable_os_errors("it failed"):
        raise OSError(number, os.strerror(number), "/srv/secret/path")
    assert refused.value.problem == f"it failed ({cause})"
    assert remedy in refused.value.remedy
    assert "/srv" not in refused.value.message


def test_a_failing_disk_is_named_where_a_record_or_a_snapshot_is_read(tmp_path: Path,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path)

    def fails(*_: Any) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(layout, "file_sha256", fails)
    with pytest.raises(StoreError, match="the disk fails") as refused:
        Store(tmp_path).current()
    assert "as it was" not in refused.value.message
    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(StoreError, match="the disk fails") as refused:
        layout.read_pointer(tmp_path)
    assert "as it was" not in refused.value.message
