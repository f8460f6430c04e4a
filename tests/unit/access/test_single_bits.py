"""What a single flipped bit in the file can and cannot do; docs/operations.md says the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import combinations
from pathlib import Path

import pytest

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.database_file import check_content, connect, unusable
from harmony_dash.errors import StoreError
from tests.factories import ACCESS_KEY, NOW


@pytest.fixture
def file(tmp_path: Path) -> Path:
    database = AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY, now=lambda: NOW)
    create_account(database, username="clara.kornblum", name="Clara", role=Role.CLINICIAN,
                   password="violet kettle under seven stairs", by=OPERATOR, now=NOW, rounds=4)
    database.close()
    with closing(connect(database.path)) as connection:
        connection.execute("pragma journal_mode = delete")
    return database.path


@pytest.mark.parametrize(("table", "cell"), [("account", b"clara.kornblum"), ("migration", b"002 audit trail")])
@pytest.mark.parametrize("part", ["table", "index"])
def test_a_bit_in_what_is_looked_up_is_seen_in_the_row_and_in_the_index(file: Path, table: str, cell: bytes, part: str,
                                                                      ) -> None:
    with closing(connect(file)) as connection:
        name = table if part == "table" else f"sqlite_autoindex_{table}_1"
        root, size = (connection.execute(sql).fetchone()[0] for sql in (
            f"select rootpage from sqlite_master where name = '{name}'", "pragma page_size"))
    content = bytearray(file.read_bytes())
    place = content.index(cell, (root - 1) * size, root * size)
    content[place + 4] ^= 1
    file.write_bytes(content)
    with closing(connect(file)) as connection, pytest.raises(StoreError):
        check_content(connection, file)


def test_no_role_is_one_bit_from_another() -> None:
    for one, other in combinations((role.value.encode() for role in Role), 2):
        distance = sum((a ^ b).bit_count() for a, b in zip(one, other, strict=False)) + 8 * abs(len(one) - len(other))
        assert distance > 1, (one, other)


def test_a_disk_that_cannot_be_read_is_not_a_damaged_file() -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    told = unusable(Path("access.sqlite"), error)
    assert "the disk fails" in told.problem
    assert "move it away" not in told.remedy
