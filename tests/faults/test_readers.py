"""R5 and R6: readers during ingests, going back, and the same file again."""

from __future__ import annotations

from pathlib import Path

from tests.faults.readers import go_back_and_again, read_during_ingests


def test_twenty_readers_meet_no_error_and_no_mixture(tmp_path: Path) -> None:
    found = read_during_ingests(tmp_path / "house", readers=20, ingests=2, pause=0.5)
    assert found.errors == []
    assert found.mixed == 0
    assert found.answers > 40
    assert len(found.snapshots) >= 2


def test_going_back_and_ingesting_again_give_the_same_data(tmp_path: Path) -> None:
    found = go_back_and_again(tmp_path / "house")
    assert found.first == found.rolled_back == found.ingested_again
