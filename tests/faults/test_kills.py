"""R1: an ingest that is killed leaves the old snapshot or the new one, and the next start cleans up."""

from __future__ import annotations

from pathlib import Path

from harmony_dash.store import layout
from tests.faults.installation import SMALLEST, Installation, run_apart
from tests.faults.kills import ingest_and_die, kill_ingests


def test_killed_ingests_leave_no_part_lose_nothing_and_are_cleaned_away(tmp_path: Path) -> None:
    found = kill_ingests(tmp_path / "house", 6)
    assert (found.partial, found.lost, found.leftovers) == (0, 0, ())
    assert found.trail_intact
    assert found.killed == 6


def test_a_first_ingest_killed_before_its_pointer_leaves_an_empty_store_that_fills(tmp_path: Path) -> None:
    house = Installation(tmp_path / "house")
    assert run_apart(ingest_and_die, house, SMALLEST, 1, "renamed").ending == "killed"
    assert len(layout.published_snapshots(house.store)) == 1
    assert layout.read_pointer(house.store) is None
    layout.remove_abandoned(house.store)
    assert layout.read_pointer(house.store) is None
    assert house.ingest(minutes=2) == house.current().snapshot


def test_a_server_that_starts_removes_what_a_dead_ingest_left(tmp_path: Path) -> None:
    house = Installation(tmp_path / "house")
    published = house.ingest()
    for name in (".tmp-20261121T120500Z.duckdb", ".tmp-20261121T120500Z.duckdb.wal", ".tmp-CURRENT",
                 "20261121T120500Z-0123abcd.json"):
        (house.store / name).write_bytes(b"rows of patients")
    assert layout.remove_abandoned(house.store) == 4
    assert house.leftovers == []
    assert house.current().snapshot == published


def test_a_server_that_starts_leaves_an_ingest_under_way_alone(tmp_path: Path) -> None:
    house = Installation(tmp_path / "house")
    house.ingest()
    (house.store / ".tmp-20261121T120500Z.duckdb").write_bytes(b"being written")
    with layout.writer_lock(house.store):
        assert layout.remove_abandoned(house.store) == 0
    assert house.leftovers == [".tmp-20261121T120500Z.duckdb"]
    assert layout.remove_abandoned(tmp_path / "nowhere") == 0
