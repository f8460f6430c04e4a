"""R3: without disk, open files or permission the old snapshot is served and the message names the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import starving
from tests.faults.starving import FULL_FROM


@pytest.mark.parametrize("stage", FULL_FROM)
def test_a_disk_that_takes_no_more_leaves_the_old_snapshot(tmp_path: Path, stage: str) -> None:
    found = starving.limit_files(tmp_path / "house", stage)
    assert found.is_right, found.outcome.words
    assert "the disk takes no more bytes" in found.outcome.words
    assert "damaged" not in found.outcome.words
    assert str(tmp_path) not in found.outcome.words
    assert found.leftovers == ()


def test_a_full_disk_leaves_the_old_snapshot_and_is_named(tmp_path: Path) -> None:
    # where nothing may be mounted, the limit on the size of files stands in
    with starving.small_disk() as disk:
        found = (starving.limit_files(tmp_path / "house", "start") if disk is None
                 else starving.fill_disk(disk, "written"))
    assert found.is_right, found.outcome.words
    assert ("the disk takes no more bytes" if disk is None else "the disk is full") in found.outcome.words


def test_too_many_open_files_are_named_or_do_no_harm(tmp_path: Path) -> None:
    refused = []
    for spare in range(4):
        found = starving.limit_open_files(tmp_path / "house", spare)
        assert found.is_right, found.outcome.words
        refused += [found.outcome.words] if found.outcome.ending == "refused" else []
    assert refused
    # what the system itself says of a file of settings is as clear
    assert all("too many files are open" in words or "too many open files" in words for words in refused)
    assert not any("damaged" in words for words in refused)


@pytest.mark.parametrize("work", [starving.ask_with_few_files, starving.start_with_few_files])
def test_a_reader_without_files_to_open_is_told_so(tmp_path: Path, work: starving.Work) -> None:
    house = tmp_path / "house"
    starving.Installation(house).ingest()
    outcomes = [work(house, spare) for spare in (0, 1, 3, 5)]
    assert {outcome.ending for outcome in outcomes} == {"refused", "done"}
    for outcome in outcomes:
        assert outcome.ending == "done" or "open" in outcome.words.lower()
        assert "damaged" not in outcome.words


@pytest.mark.parametrize(("part", "work", "cause"), [
    ("store", "ingest", "permission denied"), ("store", "ask", ""), ("access", "ingest", "may only be read"),
    ("access", "ask", "may only be read")])
def test_a_folder_that_may_only_be_read(part: str, work: str, cause: str) -> None:
    found = starving.forbid(part, work)
    assert found.is_right, found.outcome.words
    assert found.outcome.ending == ("refused" if cause else "done")
    assert cause in found.outcome.words
    assert "damaged" not in found.outcome.words
