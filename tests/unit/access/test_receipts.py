"""Receipts are kept beside their line of the audit trail, and nobody changes them afterwards."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta

import pytest

from harmony_dash.access.audit import AuditEvent, list_events, record
from harmony_dash.access.database import AccessDatabase, AuditUnavailable
from harmony_dash.access.receipts import (
    NUMBER,
    FileMark,
    Receipt,
    SavedReceipt,
    find_receipts,
    list_receipts,
    make_number,
    save_receipt,
)
from tests.unit.access.conftest import NOW

RECEIPT = Receipt(
    number="E-20261121-7KQ3MF0X", made=NOW, username="anna", role="analyst", title="Overall survival of 40 patients",
    question="{}", fingerprint="0" * 16, snapshot="s1", level="protected", grant="", data_sha256="d" * 64,
    files=(FileMark("report.html", 100, "a" * 64), FileMark("tables.xlsx", 20, "b" * 64)))


def save(database: AccessDatabase, receipt: Receipt = RECEIPT) -> SavedReceipt:
    with database.write() as connection:
        audit_id = record(connection, AuditEvent("export", question=receipt.seal), now=receipt.made)
        save_receipt(connection, receipt, audit_id)
    return SavedReceipt(receipt, audit_id)


def test_a_receipt_comes_back_as_it_was_saved(database: AccessDatabase) -> None:
    saved = save(database)
    assert list_receipts(database) == (saved,)
    assert find_receipts(database, sha256="b" * 64) == (saved,)
    assert find_receipts(database, numbers=["E-20261121-00000000", RECEIPT.number]) == (saved,)
    assert find_receipts(database, sha256="c" * 64) == ()


def test_receipts_are_listed_by_person_newest_first_and_page_by_page(database: AccessDatabase) -> None:
    made = [save(database, replace(RECEIPT, number=f"E-20261121-0000000{place}", username=name,
                                   made=NOW + timedelta(minutes=place // 2)))
            for place, name in enumerate(["anna", "bo", "anna", "bo", "anna"])]
    assert list_receipts(database, username="anna") == (made[4], made[2], made[0])
    first = list_receipts(database, limit=2)
    assert first == (made[4], made[3])
    assert list_receipts(database, limit=10, before=first[-1]) == (made[2], made[1], made[0])


@pytest.mark.parametrize("statement", [
    "update export_receipt set username = 'bo'", "delete from export_receipt",
    "insert or replace into export_receipt select * from export_receipt",
    "update export_file set sha256 = 'x'", "delete from export_file",
    "insert or replace into export_file select * from export_file"])
def test_nobody_changes_or_removes_a_receipt(database: AccessDatabase, statement: str) -> None:
    saved = save(database)
    with pytest.raises(sqlite3.IntegrityError, match="receipts are never"), database.write() as connection:
        connection.execute(statement)
    assert list_receipts(database) == (saved,)


def test_a_receipt_that_cannot_be_saved_leaves_no_line_in_the_trail(database: AccessDatabase) -> None:
    save(database)
    before = len(list_events(database))
    with pytest.raises(AuditUnavailable):
        save(database)  # the same number again
    assert len(list_events(database)) == before


@pytest.mark.parametrize("change", [
    {"username": "bo"}, {"question": "{ }"}, {"data_sha256": "e" * 64}, {"made": NOW + timedelta(seconds=1)},
    {"files": RECEIPT.files[:1]}, {"files": (replace(RECEIPT.files[0], sha256="f" * 64), RECEIPT.files[1])}])
def test_the_seal_changes_with_every_part_of_a_receipt(change: dict[str, object]) -> None:
    assert replace(RECEIPT, **change).seal != RECEIPT.seal  # type: ignore[arg-type]


def test_the_seal_does_not_hang_on_the_order_of_the_files() -> None:
    assert replace(RECEIPT, files=RECEIPT.files[::-1]).seal == RECEIPT.seal


def test_a_number_names_the_day_and_is_known_among_other_text() -> None:
    number = make_number(NOW, lambda alphabet: alphabet[-1])
    assert number == "E-20261121-ZZZZZZZZ"
    assert NUMBER.findall(f"receipt {number}, seal") == [number]
