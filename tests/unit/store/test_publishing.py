"""A snapshot is published whole or not at all, whatever happens to the one who writes it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from harmony_dash.cohort import Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import StoreError
from harmony_dash.store import layout
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Store
from harmony_dash.store.snapshots import current_snapshot, list_snapshots, roll_back
from harmony_dash.store.writer import Stage, new_snapshot
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, make_store, no_issues

ROOT = Path(__file__).parents[3]
STAGES = ["opened", "written", "recorded", "renamed", "published"]


def publish(folder: Path, n: int, minutes: int = 0, keep: int = 5, stage: Stage = lambda _: None,
            **counts: int) -> str:
    frame = make_patients(n, seed=n)
    moment = NOW + timedelta(minutes=minutes)
    with new_snapshot(folder, load_dictionary(), moment, DISCLOSURE_KEY, keep=keep, stage=stage) as (writer, done):
        writer.add_source(make_record(frame, files={"a.csv": f"{n:064d}"}, **counts), frame, no_issues())
    return done[0]


def test_a_published_snapshot_is_served(tmp_path: Path) -> None:
    snapshot = make_store(tmp_path, 50)
    assert snapshot.patients == 50
    assert snapshot.synthetic
    assert fetch_event_table(snapshot, Question("ALL", "os")).patients.sum() == 50


def test_an_open_store_follows_the_pointer_and_old_handles_stay_valid(tmp_path: Path) -> None:
    publish(tmp_path, 30)
    store = Store(tmp_path)
    before = store.current()
    publish(tmp_path, 40, minutes=1)
    assert store.current().patients == 40
    assert fetch_event_table(before, Question("ALL", "os")).patients.sum() == 30


def test_the_same_data_share_the_digits_of_their_content(tmp_path: Path) -> None:
    first, second = publish(tmp_path, 30), publish(tmp_path, 30, minutes=1)
    assert first != second
    assert first.split("-")[1] == second.split("-")[1]


def test_going_back_serves_the_earlier_snapshot(tmp_path: Path) -> None:
    first = publish(tmp_path, 30)
    publish(tmp_path, 40, minutes=1)
    roll_back(tmp_path, first)
    assert Store(tmp_path).current().patients == 30
    assert current_snapshot(tmp_path) == first


def test_only_the_newest_snapshots_are_kept(tmp_path: Path) -> None:
    ids = [publish(tmp_path, 30 + minutes, minutes=minutes, keep=3) for minutes in range(5)]
    assert [record.snapshot for record in list_snapshots(tmp_path)] == ids[:1:-1]


def test_an_error_inside_the_block_publishes_nothing(tmp_path: Path) -> None:
    before = publish(tmp_path, 30)
    with pytest.raises(StoreError, match="add up"):
        publish(tmp_path, 10, minutes=1, read_count=12)
    assert current_snapshot(tmp_path) == before
    assert list(tmp_path.glob(".tmp-*")) == []


def test_a_snapshot_without_patients_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no patient was accepted"):
        publish(tmp_path, 0, read_count=3, quarantined_count=3)
    assert Store(tmp_path).is_empty


def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    with layout.writer_lock(tmp_path), pytest.raises(StoreError, match="another ingest"), layout.writer_lock(tmp_path):
        pytest.fail("two writers at once")


@pytest.mark.parametrize("stage", STAGES)
def test_a_writer_killed_at_any_stage_leaves_one_whole_snapshot(tmp_path: Path, stage: str) -> None:
    first = publish(tmp_path, 30)
    code = f"""
import os, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.unit.store.test_publishing import publish
def stage(name):
    if name == {stage!r}:
        os.kill(os.getpid(), signal.SIGKILL)
publish(Path({str(tmp_path)!r}), 40, minutes=1, stage=stage)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr
    expected = 40 if stage == "published" else 30
    assert Store(tmp_path).current().patients == expected
    assert (current_snapshot(tmp_path) == first) == (stage != "published")
    publish(tmp_path, 50, minutes=2)
    assert Store(tmp_path).current().patients == 50
    assert list(tmp_path.glob(".tmp-*")) == []


def test_a_full_disk_is_named_and_the_old_snapshot_is_still_served(tmp_path: Path) -> None:
    publish(tmp_path, 30)
    code = f"""
import resource, signal, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from harmony_dash.errors import StoreError
from tests.unit.store.test_publishing import publish
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    publish(Path({str(tmp_path)!r}), 20_000, minutes=1)
except StoreError as problem:
    print(problem.message)
    sys.exit(2)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert "could not be written" in run.stdout
    assert str(tmp_path) not in run.stdout
    assert Store(tmp_path).current().patients == 30


@pytest.mark.parametrize("damage", ["{", "{}", '{"snapshot": "../../etc/passwd"}'])
def test_a_damaged_pointer_is_refused_with_the_remedy(tmp_path: Path, damage: str) -> None:
    publish(tmp_path, 30)
    (tmp_path / "CURRENT").write_text(damage, encoding="utf-8")
    with pytest.raises(StoreError, match="rollback"):
        Store(tmp_path).current()


@pytest.mark.parametrize("place", [0, 5_000, 100_000, -1])
def test_a_damaged_snapshot_is_refused_with_the_remedy(tmp_path: Path, place: int) -> None:
    file = layout.snapshot_file(tmp_path, publish(tmp_path, 30))
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path).current()


def test_going_back_to_a_damaged_snapshot_leaves_the_pointer_alone(tmp_path: Path) -> None:
    first, second = publish(tmp_path, 30), publish(tmp_path, 40, minutes=1)
    with layout.snapshot_file(tmp_path, first).open("ab") as handle:
        handle.write(b"x")
    with pytest.raises(StoreError, match="damaged"):
        roll_back(tmp_path, first)
    assert current_snapshot(tmp_path) == second


def test_readers_never_see_half_a_publish(tmp_path: Path) -> None:
    sizes = {publish(tmp_path, 30): 30}
    store, wrong, stop = Store(tmp_path), [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            snapshot = store.current()
            if fetch_event_table(snapshot, Question("ALL", "os", by="sex")).patients.sum() != snapshot.patients:
                wrong.append(snapshot.snapshot)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for minutes in range(1, 5):
        sizes[publish(tmp_path, 30 + minutes, minutes=minutes)] = 30 + minutes
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(sizes) == 5


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_readers_cannot_reach_the_file_system_or_change_their_settings(tmp_path: Path) -> None:
    import duckdb

    snapshot = make_store(tmp_path, 20)
    for sql in ("SELECT * FROM read_text('/etc/passwd')", f"COPY patient TO '{tmp_path}/out.csv'",
                "SET enable_external_access = true", f"ATTACH '{tmp_path}/x.duckdb'", "INSTALL httpfs",
                "CREATE TABLE t AS SELECT 1", "DELETE FROM patient"):
        with pytest.raises(duckdb.Error):
            snapshot.fetch_rows(sql)


def test_the_record_beside_a_snapshot_tells_its_size_without_opening_it(tmp_path: Path) -> None:
    snapshot = publish(tmp_path, 30)
    record = json.loads(layout.record_file(tmp_path, snapshot).read_text())
    assert (record["patients"], record["sources"], record["synthetic"]) == (30, 1, True)
