from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from harmony_dash.access.accounts import list_accounts
from harmony_dash.access.audit import AuditEvent, list_events, record_event
from harmony_dash.access.database import AccessDatabase, AuditUnavailable, to_text
from harmony_dash.access.migrations import MIGRATIONS
from harmony_dash.errors import SettingsError, StoreError
from tests.factories import ACCESS_KEY
from tests.unit.access.conftest import NOW
from tests.unit.access.people import add_account


def test_the_file_belongs_to_its_owner_alone(database: AccessDatabase) -> None:
    assert database.path.stat().st_mode & 0o777 == 0o600


def test_every_step_is_recorded_and_every_commit_reaches_the_disk(database: AccessDatabase) -> None:
    with database.read() as connection:
        assert [row[0] for row in connection.execute("select name from migration")] == [name for name, _ in MIGRATIONS]
        assert connection.execute("pragma journal_mode").fetchone()[0] == "wal"
        assert connection.execute("pragma synchronous").fetchone()[0] == 2


def test_opening_again_keeps_what_was_there(database: AccessDatabase) -> None:
    add_account(database, now=NOW)
    again = AccessDatabase(database.path, ACCESS_KEY)
    assert [account.username for account in list_accounts(again)] == ["vera"]
    again.close()


def test_a_file_that_others_may_read_is_refused(database: AccessDatabase) -> None:
    database.path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        AccessDatabase(database.path, ACCESS_KEY)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "access.sqlite"
    path.touch(0o600)
    with pytest.raises(StoreError, match="backup"):
        AccessDatabase(path, ACCESS_KEY)


@pytest.mark.parametrize("damage", ["header", "middle", "half", "zeros"])
def test_a_damaged_file_is_refused_and_never_starts_empty(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "access.sqlite"
    database = AccessDatabase(path, ACCESS_KEY)
    add_account(database, now=NOW)
    database.close()
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[0:16] = os.urandom(16)
    elif damage == "middle":
        content[4096:12288] = os.urandom(8192)
    elif damage == "half":
        content = content[: len(content) // 2]
    else:
        content[:] = bytes(len(content))
    path.write_bytes(content)
    with pytest.raises(StoreError):
        AccessDatabase(path, ACCESS_KEY)


def test_somebody_elses_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    other = sqlite3.connect(path)
    other.execute("create table t (x)")
    other.close()
    path.chmod(0o600)
    with pytest.raises(StoreError, match="not an access database"):
        AccessDatabase(path, ACCESS_KEY)


@pytest.mark.parametrize("statement", ["drop trigger audit_refuses_delete", "drop table session",
                                       "create trigger hole after insert on audit begin select 1; end"])
def test_a_database_that_lost_a_part_is_refused(database: AccessDatabase, statement: str) -> None:
    with database.write() as connection:
        connection.execute(statement)
    with pytest.raises(StoreError, match="lost, or was given"):
        AccessDatabase(database.path, ACCESS_KEY)


def test_a_newer_database_is_refused(database: AccessDatabase) -> None:
    with database.write() as connection:
        connection.execute("insert into migration values ('999 from the future', ?)", (to_text(NOW),))
    with pytest.raises(StoreError, match="newer version"):
        AccessDatabase(database.path, ACCESS_KEY)


def test_threads_and_a_second_process_lose_no_write(database: AccessDatabase) -> None:
    second = AccessDatabase(database.path, ACCESS_KEY)  # a second connection stands for a second process

    def write(target: AccessDatabase) -> None:
        for _ in range(20):
            record_event(target, AuditEvent("counted"), now=NOW)

    threads = [threading.Thread(target=write, args=(target,)) for target in (database, database, second, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list_events(database, limit=1000)) == 80
    second.close()


def test_many_first_starts_at_once_make_one_database(tmp_path: Path) -> None:
    path, opened = tmp_path / "access.sqlite", []
    threads = [threading.Thread(target=lambda: opened.append(AccessDatabase(path, ACCESS_KEY))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 6
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []
    for database in opened:
        database.close()


def test_what_cannot_be_written_is_refused(database: AccessDatabase) -> None:
    with database.read() as connection:
        connection.execute("pragma query_only = on")
    with pytest.raises(AuditUnavailable):
        record_event(database, AuditEvent("anything"), now=NOW)
