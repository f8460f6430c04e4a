"""R2: damaged files are found, every time, and the message says what to do; and doing it helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli import main
from harmony_dash.errors import StoreError
from harmony_dash.services.snapshots import review_snapshots
from harmony_dash.store import layout
from harmony_dash.store.reader import Store
from tests.faults import damage
from tests.faults.damage import Damages
from tests.faults.installation import Installation


def check(found: Damages) -> None:
    assert found.crashed == ()
    assert found.silent == 0
    assert found.refused > 0


def test_a_damaged_snapshot_is_never_served(tmp_path: Path) -> None:
    found = damage.damage_snapshots(tmp_path / "house", 24)
    check(found)
    assert found.refused == 24


def test_a_snapshot_damaged_while_it_is_open_answers_right_or_not_at_all(tmp_path: Path) -> None:
    check(damage.damage_open_snapshots(tmp_path / "house", 24))


@pytest.mark.parametrize("name", [layout.POINTER, ""], ids=["pointer", "record"])
def test_no_flipped_bit_and_no_cut_of_a_record_goes_unseen(tmp_path: Path, name: str) -> None:
    found = damage.damage_records(tmp_path / "house", name)
    check(found)
    assert found.harmless == 0


@pytest.mark.parametrize("damaged", [b"", b"{", b"\xff\xfe", b"[]", b"null", b'"CURRENT"', b"[" * 100_000, b"\0" * 200])
def test_a_damaged_pointer_is_mended_as_its_message_says(tmp_path: Path, damaged: bytes) -> None:
    assert damage.mend_by_the_remedy(tmp_path / "house", damaged) == ""


def test_the_list_says_that_nothing_is_served_and_names_what_could_be(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    house = Installation(tmp_path / "house")
    snapshot = house.ingest()
    house.open().access.close()
    (house.store / layout.POINTER).write_bytes(b"{")
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "other" / "access.sqlite"))
    assert main(["snapshots", "--store", str(house.store)]) == 0
    captured = capsys.readouterr()
    assert "--rollback" in captured.err
    assert snapshot in captured.out
    assert "*" not in captured.out


def test_one_damaged_record_does_not_hide_the_other_snapshots(tmp_path: Path) -> None:
    house = Installation(tmp_path / "house")
    first, second = house.ingest(), house.ingest(minutes=1)
    layout.record_file(house.store, first).write_bytes(b"{")
    current, records = review_snapshots(house.open(2), OPERATOR)
    assert (current, [record.snapshot for record in records]) == (second, [second])


def test_what_the_machine_refuses_is_not_called_damage(tmp_path: Path) -> None:
    house = Installation(tmp_path / "house")
    file = layout.snapshot_file(house.store, house.ingest())
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreError, match="is a directory"):
        Store(house.store).current()


def test_a_damaged_block_of_the_access_database_is_never_served(tmp_path: Path) -> None:
    kinds = (damage.cut_off, damage.zero_a_block, damage.overwrite_a_block)
    check(damage.damage_access(tmp_path / "house", 30, kinds=kinds))


def test_no_flipped_bit_and_no_cut_of_the_head_goes_unseen(tmp_path: Path) -> None:
    check(damage.damage_heads(tmp_path / "house", step=7))
