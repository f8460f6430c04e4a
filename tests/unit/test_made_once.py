"""What a run makes once is made once, and what a test does to its copy stays in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.store import layout
from tests.factories import make_store
from tests.made_once import make_once


def test_stores_of_the_same_patients_hold_the_same_and_of_others_other_ones(tmp_path: Path) -> None:
    made = [make_store(tmp_path / str(number), 60, seed) for number, seed in enumerate((1, 1, 2))]
    first, again, others = (one.fetch_rows("SELECT * FROM patient ORDER BY patient") for one in made)
    assert first == again != others


def test_a_store_that_is_damaged_is_nobody_elses(tmp_path: Path) -> None:
    make_store(tmp_path / "mine", 60).close()
    (tmp_path / "mine" / layout.POINTER).write_bytes(b"{")
    assert make_store(tmp_path / "yours", 60).patients == 60


def test_whoever_comes_second_finds_the_folder_made(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        folder.mkdir()
        made.append(folder)

    name = f"of-this-test-{tmp_path.name}-{tmp_path.parent.name}"
    assert make_once(tmp_path_factory, name, make) == make_once(tmp_path_factory, name, make) == made[0]
    assert len(made) == 1


def test_what_was_half_made_is_not_taken_for_made(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise RuntimeError("half-way")

    name = f"of-this-test-{tmp_path.name}-{tmp_path.parent.name}"
    with pytest.raises(RuntimeError, match="half-way"):
        make_once(tmp_path_factory, name, fail)
    assert make_once(tmp_path_factory, name, Path.mkdir).is_dir()
