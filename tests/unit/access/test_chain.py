"""The links of the trail, its head, and what a process notices while it runs."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.access.audit import AuditEvent, Decision, list_events, record, record_event
from harmony_dash.access.chain import COLUMNS, body_of, link
from harmony_dash.access.database import AccessDatabase, AuditUnavailable, to_text
from harmony_dash.access.head import parse_head
from harmony_dash.access.inspection import Break, Fault
from harmony_dash.access.trail import CHAIN_BEGUN, CLOCK_ACCEPTED, HEAD_MISSING
from harmony_dash.access.verification import HeadFile, verify
from harmony_dash.errors import SettingsError, StoreError, UserError
from tests.factories import ACCESS_KEY
from tests.unit.access.conftest import NOW
from tests.unit.access.people import add_account
from tests.unit.access.tampering import tamper

OTHER_KEY = bytes(reversed(ACCESS_KEY))


def open_with_head(folder: Path, key: bytes = ACCESS_KEY) -> AccessDatabase:
    return AccessDatabase(folder / "access.sqlite", key, head=folder / "audit.head", now=lambda: NOW)


def append(database: AccessDatabase, count: int) -> None:
    for number in range(count):
        record_event(database, AuditEvent("survival", "vera", question=f"q{number}", n=number), now=NOW)


def take_back(database: AccessDatabase, event: AuditEvent) -> None:
    """Begin what then fails."""
    with suppress(ZeroDivisionError), database.write() as connection:
        record(connection, event, now=NOW)
        database.clock_is_behind(NOW)  # may not take the row for one that stays
        raise ZeroDivisionError


# --- keys and links


def test_a_derived_key_is_hkdf_of_the_access_key_for_one_purpose(database: AccessDatabase) -> None:
    expected = HKDF(SHA256(), 32, b"harmony_dash access key", b"audit chain").derive(ACCESS_KEY)
    assert database.derive_key("audit chain") == expected
    assert len({database.derive_key(purpose) for purpose in ("audit chain", "audit head", "other")}) == 3


def test_the_key_is_in_no_repr(database: AccessDatabase) -> None:
    assert ACCESS_KEY.decode() not in repr(database)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 31])
def test_a_database_without_a_proper_key_is_refused(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(SettingsError, match="HARMONY_ACCESS_KEY"):
        AccessDatabase(tmp_path / "access.sqlite", key)
    assert not (tmp_path / "access.sqlite").exists()


def test_a_link_is_the_hmac_of_the_link_before_and_of_every_column(database: AccessDatabase) -> None:
    append(database, 2)
    with database.read() as connection:
        assert [row[1] for row in connection.execute("pragma table_info(audit)")] == [*COLUMNS, "mac"]
        first, second = (tuple(row) for row in connection.execute(f"select {', '.join(COLUMNS)}, mac from audit"))
    key = database.derive_key("audit chain")
    previous = hashlib.sha256(b"").hexdigest()
    for *values, mac in (first, second):
        body = json.dumps(values, separators=(",", ":"))
        assert mac == hmac.new(key, f"{previous}\n{body}".encode(), hashlib.sha256).hexdigest()
        previous = mac


def test_no_two_rows_have_the_same_body() -> None:
    rows = [("a", "b"), ("ab", ""), ('a","b', ""), ("a", None), ("a", ""), ("a", "None"), ("1", ""), (1, ""),
            (b"1", ""), ('{"blob": "31"}', ""), ("\udcff", ""), ("\\udcff", ""), ("ÿ", "")]
    assert len({body_of(row) for row in rows}) == len(rows)


TEXTS = st.text(st.characters(), max_size=12)
EVENTS = st.builds(AuditEvent, action=TEXTS, username=TEXTS, question=TEXTS, reason=TEXTS, grant=TEXTS,
                   n=st.none() | st.integers(-2**63, 2**63 - 1), decision=st.sampled_from(Decision))
STEPS = st.lists(st.tuples(st.sampled_from(["append", "take back", "other process", "reopen"]), EVENTS), max_size=12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(STEPS)
def test_any_sequence_of_appends_verifies(tmp_path_factory: pytest.TempPathFactory,
                                          steps: list[tuple[str, AuditEvent]]) -> None:
    folder = tmp_path_factory.mktemp("chain")
    database, other, appended = open_with_head(folder), open_with_head(folder), 0
    for step, event in steps:
        if step == "take back":
            take_back(database, event)
            continue
        if step == "reopen":
            database.close()
            database = open_with_head(folder)
        record_event(other if step == "other process" else database, event, now=NOW)
        appended += 1
    found = verify(database)
    assert (found.intact, found.rows, found.newest.id, found.head_file) == (True, appended, appended, HeadFile.KEPT)
    assert found.newest == database.read_head()
    database.close()
    other.close()


def test_values_of_a_wrong_type_are_chained_as_they_are_stored(database: AccessDatabase) -> None:
    record_event(database, AuditEvent("survival", question=5, n=7.0), now=NOW)  # type: ignore[arg-type]
    record_event(database, AuditEvent("survival", question="\ud800half a pair", n=True), now=NOW)
    assert [row.event.question for row in list_events(database)] == ["?half a pair", "5"]
    assert verify(database).intact


def test_five_thousand_rows_verify(database: AccessDatabase) -> None:
    with database.write() as connection:
        for number in range(5_000):
            record(connection, AuditEvent("survival", question=f"q{number}"), now=NOW)
    found = verify(database)
    assert (found.intact, found.rows, found.old_rows) == (True, 5_000, 0)


# --- rows older than the chain


@pytest.fixture
def old_trail(tmp_path: Path) -> AccessDatabase:
    """A trail of three rows without links, as a version before the chain left it, opened by this one."""
    open_with_head(tmp_path).close()
    (tmp_path / "audit.head").unlink()
    raw = sqlite3.connect(tmp_path / "access.sqlite")
    for number in range(3):
        raw.execute("insert into audit (at, username, role, session, action, question, snapshot, level, decision, "
                    "reason) values (?, 'old', '', '', 'survival', ?, '', '', 'allowed', '')",
                    (to_text(NOW - timedelta(days=9)), f"q{number}"))
    raw.commit()
    raw.close()
    return open_with_head(tmp_path)


def test_old_rows_are_covered_from_the_first_opening_on(old_trail: AccessDatabase) -> None:
    begun, *old = list_events(old_trail)
    assert (begun.event.action, [row.mac for row in old]) == (CHAIN_BEGUN, ["", "", ""])
    found = verify(old_trail)
    assert (found.intact, found.rows, found.old_rows, found.times_without_head) == (True, 4, 3, 0)
    old_trail.close()


@pytest.mark.parametrize("statement", [
    "update audit set question = 'harmless' where id = 2", "delete from audit where id = 1",
    "update audit set mac = 'x' where id = 3", "update audit set mac = '' where id = 4",
    "insert into audit select 0, at, username, role, session, action, question, snapshot, level, n, decision, reason, "
    "grant_id, mac from audit where id = 1"])
def test_a_change_to_an_old_row_is_found(old_trail: AccessDatabase, statement: str) -> None:
    append(old_trail, 2)
    tamper(old_trail.path, statement)
    assert not verify(old_trail).intact
    old_trail.close()
    with pytest.raises(StoreError, match="cut short or changed"):
        open_with_head(old_trail.path.parent)


# --- what is said about a break


COPY = ("update audit set (at, username, role, session, action, question, snapshot, level, n, decision, reason, "
        "grant_id{mac}) = (select at, username, role, session, action, question, snapshot, level, n, decision, reason, "
        "grant_id{mac} from kept where kept.id = {source}) where id = {target}")
SWAP = ("create temp table kept as select * from audit", COPY.format(mac="", source=6, target=4),
        COPY.format(mac="", source=4, target=6))
SWAP_WITH_LINKS = ("create temp table kept as select * from audit", COPY.format(mac=", mac", source=6, target=4),
                   COPY.format(mac=", mac", source=4, target=6))
INSERT = ("insert into audit select {id}, at, username, role, session, action, question, snapshot, level, n, decision, "
          "reason, grant_id, {mac} from audit where id = 5")
BREAKS: dict[str, tuple[tuple[str, ...], Break]] = {
    "a value": (("update audit set n = 99 where id = 5",), Break(5, Fault.CHANGED)),
    "a moment": (("update audit set at = replace(at, '2026', '2025') where id = 1",), Break(1, Fault.CHANGED)),
    "a link": (("update audit set mac = replace(mac, 'a', 'b') where id = 5",), Break(5, Fault.CHANGED)),
    "a link wiped": (("update audit set mac = '' where id = 5",), Break(5, Fault.CHANGED)),
    "the last row": (("update audit set n = 99 where id = 9",), Break(9, Fault.CHANGED)),
    "bytes that are no text": (("update audit set reason = cast(x'ff41' as text) where id = 5",),
                               Break(5, Fault.CHANGED)),
    "deleted": (("delete from audit where id in (4, 5)",), Break(4, Fault.MISSING)),
    "the first deleted": (("delete from audit where id = 1",), Break(1, Fault.MISSING)),
    "swapped": (SWAP, Break(4, Fault.OUT_OF_ORDER)),
    "swapped with links": (SWAP_WITH_LINKS, Break(4, Fault.OUT_OF_ORDER)),
    "appended": ((INSERT.format(id=10, mac="mac"),), Break(10, Fault.INSERTED)),
    "appended without link": ((INSERT.format(id=10, mac="''"),), Break(10, Fault.INSERTED)),
    "put before": ((INSERT.format(id=-1, mac="mac"),), Break(-1, Fault.INSERTED)),
    "cut short": (("delete from audit where id > 6",), Break(7, Fault.CUT_SHORT)),
    "cut short, counter set back": (("delete from audit where id > 6", "update sqlite_sequence set seq = 6"),
                                    Break(7, Fault.CUT_SHORT)),
    "emptied": (("delete from audit", "delete from sqlite_sequence"), Break(1, Fault.CUT_SHORT)),
    "all links wiped": (("update audit set mac = ''",), Break(9, Fault.CHANGED)),
}


@pytest.mark.parametrize("case", BREAKS)
def test_the_first_break_is_named_with_its_kind(tmp_path: Path, case: str) -> None:
    statements, expected = BREAKS[case]
    database = open_with_head(tmp_path)
    append(database, 9)
    tamper(database.path, *statements)
    assert verify(database).broken == expected
    database.close()
    with pytest.raises(StoreError, match="cut short or changed"):
        open_with_head(tmp_path)


def test_a_cut_shows_without_a_head_through_the_counter_of_the_ids(database: AccessDatabase) -> None:
    append(database, 5)
    tamper(database.path, "delete from audit where id > 3")
    found = verify(database)
    assert (found.broken, found.head_file) == (Break(4, Fault.CUT_SHORT), HeadFile.NONE)


# --- the head


def test_the_head_follows_every_append_and_is_its_owners_alone(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    kept = tmp_path / "audit.head"
    assert parse_head(kept.read_text()).id == 0
    for number in range(1, 4):
        append(database, 1)
        head = parse_head(kept.read_text())
        assert (head.id, head.mac) == (number, list_events(database, limit=1)[0].mac)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert ACCESS_KEY not in kept.read_bytes()
    database.close()


def test_a_transaction_that_is_taken_back_leaves_the_head_alone(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 1)
    before = (tmp_path / "audit.head").read_bytes()
    take_back(database, AuditEvent("half"))
    assert (tmp_path / "audit.head").read_bytes() == before
    append(database, 1)
    assert verify(database).intact
    database.close()


def test_a_head_that_is_behind_after_a_crash_is_brought_up_to_date(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    older = (tmp_path / "audit.head").read_bytes()
    append(database, 2)
    database.close()
    (tmp_path / "audit.head").write_bytes(older)
    database = open_with_head(tmp_path)
    found = verify(database)
    assert (found.intact, found.rows, found.head_file) == (True, 4, HeadFile.KEPT)
    database.close()


@pytest.mark.parametrize("lost", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["missing", "empty"])
def test_a_missing_head_is_recorded_for_good(tmp_path: Path, lost: Callable[[Path], object]) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    lost(tmp_path / "audit.head")
    assert verify(database).head_file is HeadFile.MISSING
    database.close()
    database = open_with_head(tmp_path)
    event = list_events(database, limit=1)[0].event
    assert (event.action, event.reason) == (HEAD_MISSING, "the newest row was 2")
    found = verify(database)
    assert (found.intact, found.head_file, found.times_without_head) == (True, HeadFile.KEPT, 1)
    database.close()


@pytest.mark.parametrize("content", [
    "{}", "[]", "nonsense", "[" * 100_000, '{"id": true, "at": "", "mac": "", "seal": ""}',
    '{"id": 1, "at": "", "mac": "", "seal": "0"}', '{"id": 1, "at": "", "mac": "", "seal": "é"}'])
def test_a_head_that_somebody_wrote_is_refused(tmp_path: Path, content: str) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    (tmp_path / "audit.head").write_text(content)
    found = verify(database)
    assert (found.broken, found.head_file) == (Break(2, Fault.HEAD), HeadFile.DAMAGED)
    database.close()
    with pytest.raises(StoreError, match="head"):
        open_with_head(tmp_path)


def test_an_older_copy_of_the_whole_file_is_refused(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    database.close()
    shutil.copy(database.path, tmp_path / "older.sqlite")
    database = open_with_head(tmp_path)
    append(database, 2)
    database.close()
    (tmp_path / "older.sqlite").replace(database.path)
    with pytest.raises(StoreError, match=r"cut short.*from 3 on.*backup"):
        open_with_head(tmp_path)


def test_an_empty_database_beside_the_head_of_another_is_refused(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    database.close()
    database.path.unlink()
    with pytest.raises(StoreError, match="cut short"):
        open_with_head(tmp_path)


@pytest.mark.parametrize("with_head", [True, False])
def test_another_key_is_refused(tmp_path: Path, with_head: bool) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    database.close()
    if not with_head:
        (tmp_path / "audit.head").unlink()
    with pytest.raises(StoreError, match=r"access\.key"):
        open_with_head(tmp_path, OTHER_KEY)


def test_a_head_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="HARMONY_AUDIT_HEAD"):
        AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY, head=tmp_path / "not mounted" / "audit.head")


def test_a_head_that_cannot_be_written_later_is_reported_and_made_good(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "volume").mkdir()
    database = AccessDatabase(tmp_path / "access.sqlite", ACCESS_KEY, head=tmp_path / "volume" / "audit.head")
    append(database, 1)
    (tmp_path / "volume").rename(tmp_path / "away")
    with caplog.at_level(logging.WARNING):
        append(database, 3)
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]
    assert str(tmp_path) not in caplog.text
    (tmp_path / "away").rename(tmp_path / "volume")
    found = verify(database)
    assert (found.intact, found.rows, found.head_file) == (True, 4, HeadFile.BEHIND)
    append(database, 1)
    assert verify(database).head_file is HeadFile.KEPT
    database.close()


def test_an_exported_head_shows_what_the_head_file_cannot(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 2)
    older_head = (tmp_path / "audit.head").read_bytes()
    append(database, 2)
    exported = parse_head(database.newest_head().text)
    assert verify(database, exported).intact
    database.close()
    # somebody who can write both volumes puts an older head back beside a shortened trail
    tamper(database.path, "delete from audit where id > 2", "update sqlite_sequence set seq = 2 where name = 'audit'")
    (tmp_path / "audit.head").write_bytes(older_head)
    database = open_with_head(tmp_path)
    assert verify(database).intact
    assert verify(database, exported).broken == Break(3, Fault.CUT_SHORT)
    record_event(database, AuditEvent("survival", "somebody else"), now=NOW)
    append(database, 5)
    assert verify(database).intact
    assert verify(database, exported).broken == Break(4, Fault.CHANGED)
    database.close()


def test_an_exported_head_of_another_key_is_no_evidence(database: AccessDatabase, tmp_path: Path) -> None:
    append(database, 1)
    (tmp_path / "other").mkdir()
    other = AccessDatabase(tmp_path / "other" / "access.sqlite", OTHER_KEY)
    append(other, 1)
    with pytest.raises(UserError, match="another deployment"):
        verify(database, other.newest_head())
    other.close()


# --- while a process runs


def test_rows_of_a_second_process_are_taken_up(tmp_path: Path) -> None:
    server, command_line = open_with_head(tmp_path), open_with_head(tmp_path)
    for _ in range(5):
        append(server, 1)
        append(command_line, 1)
    assert verify(server).intact
    assert server.newest_head() == command_line.newest_head() == server.read_head()
    server.close()
    command_line.close()


def test_appends_of_many_threads_and_processes_make_one_chain(tmp_path: Path) -> None:
    server, command_line = open_with_head(tmp_path), open_with_head(tmp_path)
    threads = [threading.Thread(target=append, args=(target, 15)) for target in (server, server, command_line) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify(server)
    assert (found.intact, found.rows, found.head_file) == (True, 90, HeadFile.KEPT)
    server.close()
    command_line.close()


@pytest.mark.parametrize("statement", [
    "delete from audit where id = 3", "update audit set mac = 'x' where id = 3",
    "update audit set n = 99 where id = 3", INSERT.format(id=4, mac="mac").replace("id = 5", "id = 3")])
def test_nothing_more_is_done_once_the_newest_rows_were_changed(
        database: AccessDatabase, statement: str, caplog: pytest.LogCaptureFixture) -> None:
    append(database, 3)
    tamper(database.path, statement)
    with pytest.raises(AuditUnavailable):
        add_account(database, "ghost", now=NOW)
    with pytest.raises(AuditUnavailable):
        database.clock_is_behind(NOW)
    assert "cut short or changed" in caplog.text
    assert "ghost" not in caplog.text


def test_nothing_more_is_done_once_another_file_took_the_place(database: AccessDatabase, tmp_path: Path) -> None:
    append(database, 3)
    shutil.copy(database.path, tmp_path / "copy.sqlite")
    (tmp_path / "copy.sqlite").replace(database.path)
    with pytest.raises(AuditUnavailable):
        append(database, 1)
    database.path.unlink()
    with pytest.raises(AuditUnavailable):
        append(database, 1)


def test_verifying_holds_up_nobody(database: AccessDatabase) -> None:
    append(database, 2)
    with database.snapshot() as connection:
        before = connection.execute("select count(*) from audit").fetchone()[0]
        append(database, 1)
        assert connection.execute("select count(*) from audit").fetchone()[0] == before
        with pytest.raises(StoreError):
            _write_through(database)


def _write_through(database: AccessDatabase) -> None:
    with database.snapshot() as connection:
        connection.execute("delete from account")


# --- the clock


def test_a_clock_moved_back_is_noticed_until_the_operator_accepts_it(database: AccessDatabase) -> None:
    assert not database.clock_is_behind(NOW)
    append(database, 1)
    assert not database.clock_is_behind(NOW - timedelta(minutes=5))
    past = NOW - timedelta(minutes=5, microseconds=1)
    assert database.clock_is_behind(past)
    record_event(database, AuditEvent("survival"), now=past)
    assert database.clock_is_behind(past)
    record_event(database, AuditEvent(CLOCK_ACCEPTED, decision=Decision.REFUSED), now=past)
    assert database.clock_is_behind(past)
    record_event(database, AuditEvent(CLOCK_ACCEPTED), now=past)
    assert not database.clock_is_behind(past)
    assert database.clock_is_behind(past - timedelta(days=1))


@pytest.mark.parametrize("accepted", [True, False])
def test_the_clock_is_judged_alike_by_every_process(tmp_path: Path, accepted: bool) -> None:
    running = open_with_head(tmp_path)
    append(running, 1)
    past = NOW - timedelta(days=30)
    other = open_with_head(tmp_path)
    assert other.clock_is_behind(past)
    record_event(other, AuditEvent(CLOCK_ACCEPTED if accepted else "survival"), now=past)
    later = open_with_head(tmp_path)
    assert [each.clock_is_behind(past) for each in (running, other, later)] == [not accepted] * 3
    for each in (running, other, later):
        each.close()


def test_the_link_function_is_the_one_of_the_database(database: AccessDatabase) -> None:
    key = database.derive_key("audit chain")
    with database.read() as connection:
        made = connection.execute("select audit_link('p', 'b')").fetchone()[0]
    assert made == link(key, "p", "b")


def test_opening_leaves_no_file_behind(tmp_path: Path) -> None:
    database = open_with_head(tmp_path)
    append(database, 3)
    database.close()
    assert sorted(os.listdir(tmp_path)) == ["access.sqlite", "audit.head"]
