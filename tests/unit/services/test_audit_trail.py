"""Reading, exporting and proving the trail: by whom, and what that leaves in the trail."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import AuditEvent, Decision, list_events, record, record_event
from harmony_dash.access.database import AuditUnavailable
from harmony_dash.access.head import Head
from harmony_dash.access.inspection import Fault
from harmony_dash.cli import main
from harmony_dash.errors import AccessRefused, UserError
from harmony_dash.services import audit_trail
from harmony_dash.services.audit_trail import (
    TrailFilters,
    accept_clock,
    export_head,
    read_trail,
    trail_as_csv,
    verify_trail,
)
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW
from tests.unit.access.tampering import tamper

STEERING = Actor("stefan", Role.STEERING, session="test")
READERS = [STEERING, Actor("dora", Role.DATA_MANAGER, session="test"), OPERATOR]
OTHERS = [Actor("clara", Role.CLINICIAN, session="test"), Actor("anna", Role.ANALYST, session="test")]
PARTS: dict[str, Callable[[Deployment, Actor], object]] = {
    "read audit trail": read_trail, "export audit trail": trail_as_csv, "verify audit trail": verify_trail,
    "export audit head": export_head}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                        audit_head=tmp_path / "audit.head")
    deployment = open_deployment(settings, now=lambda: NOW)
    yield deployment
    deployment.access.close()


def append(deployment: Deployment, *events: AuditEvent) -> None:
    for event in events:
        record_event(deployment.access, event, now=NOW)


def newest(deployment: Deployment) -> AuditEvent:
    return list_events(deployment.access, limit=1)[0].event


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("actor", READERS, ids=lambda actor: actor.role.value)
def test_whoever_may_read_the_trail_leaves_one_line_in_it(deployment: Deployment, actor: Actor, part: str) -> None:
    PARTS[part](deployment, actor)
    (row,) = list_events(deployment.access)
    assert (row.event.username, row.event.action, row.event.decision) == (actor.username, part, Decision.ALLOWED)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("actor", OTHERS, ids=lambda actor: actor.role.value)
def test_nobody_else_sees_anything_and_the_attempt_is_recorded(deployment: Deployment, actor: Actor, part: str) -> None:
    append(deployment, AuditEvent("survival"))
    with pytest.raises(AccessRefused):
        PARTS[part](deployment, actor)
    assert (newest(deployment).action, newest(deployment).decision) == (part, Decision.REFUSED)


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_handed_over_if_it_cannot_be_recorded(deployment: Deployment, part: str) -> None:
    append(deployment, AuditEvent("survival"))
    with deployment.access.read() as connection:
        connection.execute("pragma query_only = on")
    with pytest.raises(AuditUnavailable):
        PARTS[part](deployment, OPERATOR)


# --- reading


def test_the_filters_reach_the_trail_and_the_record(deployment: Deployment) -> None:
    append(deployment, AuditEvent("survival", "ada", question="mrd_group"), AuditEvent("survival", "bo"))
    filters = TrailFilters(username="ada", since=NOW, decision=Decision.ALLOWED, contains="mrd")
    assert [row.event.username for row in read_trail(deployment, STEERING, filters)] == ["ada"]
    assert json.loads(newest(deployment).question) == {
        "username": "ada", "since": NOW.isoformat(), "decision": "allowed", "contains": "mrd"}


def test_a_list_goes_on_where_it_ended(deployment: Deployment) -> None:
    append(deployment, *(AuditEvent("survival", question=str(number)) for number in range(5)))
    first = read_trail(deployment, STEERING, limit=2)
    second = read_trail(deployment, STEERING, limit=2, before_id=first[-1].id)
    assert [row.event.question for row in (*first, *second)] == ["4", "3", "2", "1"]


@pytest.mark.parametrize("limit", [0, -1, 100_001])
def test_a_limit_that_is_none_is_refused(deployment: Deployment, limit: int) -> None:
    with pytest.raises(UserError, match="1 to 100,000"):
        read_trail(deployment, STEERING, limit=limit)


def test_a_moment_without_time_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        TrailFilters(until=datetime(2026, 11, 21))


# --- the file for a spreadsheet


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_file_holds_every_column_of_every_row(deployment: Deployment) -> None:
    asked = AuditEvent.of(STEERING, "survival", question='a "b", c\nd', snapshot="s1", level="protected", n=120,
                          grant="G-2026-001")
    append(deployment, asked, AuditEvent("sign-in", decision=Decision.REFUSED, reason="é"))
    content = trail_as_csv(deployment, STEERING)
    assert content.startswith(b"\xef\xbb\xbf")
    refused, allowed = read_csv(content)
    assert (refused["decision"], refused["reason"], refused["n"]) == ("refused", "é", "")
    mac = list_events(deployment.access)[-1].mac
    assert allowed == {
        "id": "1", "at": NOW.isoformat(), "username": "stefan", "role": "steering", "session": "test",
        "grant": "G-2026-001", "action": "survival", "question": 'a "b", c\nd', "snapshot": "s1", "level": "protected",
        "n": "120", "decision": "allowed", "reason": "", "mac": mac}


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_can_be_taken_for_a_formula(deployment: Deployment, sign: str) -> None:
    text = f'{sign}HYPERLINK("https://example.org")'
    append(deployment, AuditEvent(text, text, question=text, reason=text))
    content = trail_as_csv(deployment, STEERING)
    (row,) = read_csv(content)
    assert [row[name] for name in ("action", "username", "question", "reason")] == [f"'{text}"] * 4
    assert all(line.startswith(b'"') and line.endswith(b'"') for line in content[3:].split(b"\r\n")[:1])


def test_a_long_file_is_complete_and_in_order(deployment: Deployment) -> None:
    with deployment.access.write() as connection:
        for _ in range(12_001):
            record(connection, AuditEvent("survival"), now=NOW)
    rows = read_csv(trail_as_csv(deployment, STEERING))
    assert [int(row["id"]) for row in rows] == list(range(12_001, 0, -1))


def test_more_rows_than_a_file_holds_are_refused_and_not_cut_off(
        deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_trail, "MOST_ROWS", 3)
    append(deployment, *[AuditEvent("survival", "ada")] * 3)
    assert len(read_csv(trail_as_csv(deployment, STEERING))) == 3
    with pytest.raises(UserError, match="4 events are too many"):
        trail_as_csv(deployment, STEERING)
    assert newest(deployment).decision is Decision.REFUSED
    assert len(read_csv(trail_as_csv(deployment, STEERING, TrailFilters(username="ada")))) == 3


# --- proving


def test_an_intact_trail_is_counted(deployment: Deployment) -> None:
    append(deployment, *[AuditEvent("survival")] * 3)
    head = export_head(deployment, STEERING)
    assert (head.id, newest(deployment).action) == (4, "export audit head")
    found = verify_trail(deployment, STEERING, head)
    assert (found.intact, found.rows, found.newest) == (True, 4, head)


def test_a_broken_trail_is_told_although_it_takes_no_more_rows(deployment: Deployment) -> None:
    append(deployment, *[AuditEvent("survival")] * 3)
    tamper(deployment.settings.access_database, "delete from audit where id = 3")
    broken = verify_trail(deployment, STEERING).broken
    assert broken is not None
    assert (broken.id, broken.fault, broken.words) == (
        3, Fault.CUT_SHORT, "the newest rows, from 3 on, were cut off")


def test_an_old_break_is_told_and_recorded(deployment: Deployment) -> None:
    append(deployment, *[AuditEvent("survival")] * 3)
    tamper(deployment.settings.access_database, "update audit set username = 'x' where id = 2")
    assert not verify_trail(deployment, STEERING).intact
    assert newest(deployment).reason == "row 2 was changed"


def test_a_forged_head_is_refused(deployment: Deployment) -> None:
    append(deployment, AuditEvent("survival"))
    head = export_head(deployment, STEERING)
    with pytest.raises(UserError, match="changed"):
        verify_trail(deployment, STEERING, replace(head, id=1))
    with pytest.raises(UserError, match="changed"):
        verify_trail(deployment, STEERING, Head(0, "", "", ""))


# --- the clock


def test_the_operator_alone_accepts_the_clock(deployment: Deployment) -> None:
    append(deployment, AuditEvent("survival"))
    behind = replace(deployment, now=lambda: NOW - timedelta(days=40))
    for actor in (*READERS[:-1], *OTHERS):
        with pytest.raises(AccessRefused):
            accept_clock(behind, actor)
        assert (newest(behind).username, newest(behind).decision) == (actor.username, Decision.REFUSED)
        assert behind.access.clock_is_behind(behind.now())
    assert accept_clock(behind, OPERATOR)
    assert not behind.access.clock_is_behind(behind.now())
    assert not accept_clock(behind, OPERATOR)


# --- the command line


@pytest.fixture
def run(deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
        ) -> Callable[..., tuple[int, Any, str]]:
    """Run `audit` on the deployment: exit code, stdout (parsed if it is JSON), stderr."""
    folder = deployment.settings.access_database.parent
    monkeypatch.setenv("HARMONY_ACCESS", str(folder / "access.sqlite"))
    monkeypatch.setenv("HARMONY_ACCESS_KEY", ACCESS_KEY.decode())

    def call(*arguments: str) -> tuple[int, Any, str]:
        code = main(["audit", "--store", str(folder / "store"), *arguments])
        out = capsys.readouterr()
        return code, json.loads(out.out) if "--json" in arguments and out.out else out.out, out.err

    return call


Run = Callable[..., tuple[int, Any, str]]


def test_events_are_listed_and_filtered(deployment: Deployment, run: Run) -> None:
    append(deployment, AuditEvent("survival", "ada", question="mrd_group", grant="G-2026-001"),
           AuditEvent("coverage", "bo", decision=Decision.REFUSED, reason="no"))
    code, answer, _ = run("--json")
    assert (code, [event["action"] for event in answer["events"]]) == (0, ["coverage", "survival"])
    for options in (["--user", "ada"], ["--action", "survival"], ["--grant", "G-2026-001"], ["--contains", "mrd"]):
        assert [event["username"] for event in run(*options, "--json")[1]["events"]] == ["ada"]
    assert [event["reason"] for event in run("--decision", "refused", "--json")[1]["events"]] == ["no"]
    assert "mrd_group" in run("--user", "ada")[1]
    assert len(run("--limit", "1", "--json")[1]["events"]) == 1


def test_days_are_whole_and_in_utc(deployment: Deployment, run: Run) -> None:
    append(deployment, AuditEvent("survival", "ada"))
    day, before = NOW.date().isoformat(), (NOW - timedelta(days=1)).date().isoformat()
    ada = ["--user", "ada", "--json"]
    assert len(run("--since", day, "--until", day, *ada)[1]["events"]) == 1
    assert run("--until", before, *ada)[1]["events"] == []
    assert run("--since", NOW.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:01"), *ada)[1]["events"] == []
    for text in ("yesterday", "2026-13-01", "9999-12-31"):
        code, _, words = run("--until", text)
        assert (code, "2026-11-21" in words) == (2, True)


def test_a_file_is_written_once(deployment: Deployment, run: Run, tmp_path: Path) -> None:
    append(deployment, AuditEvent("survival", "ada"))
    target = tmp_path / "trail.csv"
    assert run("--user", "ada", "--csv", str(target))[0] == 0
    assert len(read_csv(target.read_bytes())) == 1
    assert target.stat().st_mode & 0o077 == 0
    code, _, words = run("--csv", str(target))
    assert (code, "not there yet" in words) == (2, True)


def test_the_trail_is_verified_against_a_head_kept_elsewhere(deployment: Deployment, run: Run, tmp_path: Path) -> None:
    append(deployment, AuditEvent("survival", "ada"))
    code, text, _ = run("head")
    assert code == 0
    kept = tmp_path / "kept.head"
    kept.write_text(text)
    assert run("head", "--json")[1]["id"] == json.loads(text)["id"] + 1
    code, answer, words = run("verify", "--head", str(kept), "--json")
    assert (code, answer["intact"], answer["broken"], answer["head_file"]) == (0, True, None, "kept")
    assert "as it was written" in words
    kept.write_text("{}")
    assert run("verify", "--head", str(kept))[0] == 2
    assert run("verify", "--head", str(tmp_path / "none"))[0] == 2


def test_a_break_is_exit_code_2_and_a_clear_message(deployment: Deployment, run: Run) -> None:
    with deployment.access.write() as connection:
        for _ in range(1_500):
            record(connection, AuditEvent("survival"), now=NOW)
    tamper(deployment.settings.access_database, "update audit set username = 'x' where id = 7")
    code, answer, words = run("verify", "--json")
    assert (code, answer["intact"], answer["broken"]) == (2, False, {"id": 7, "fault": "changed"})
    assert "row 7 was changed" in words
    tamper(deployment.settings.access_database, "delete from audit where id > 1200")
    code, _, words = run("verify")
    assert (code, "row 7 was changed" in words) == (2, True)


def test_a_head_that_was_lost_is_told(deployment: Deployment, run: Run) -> None:
    append(deployment, AuditEvent("survival"))
    (deployment.settings.access_database.parent / "audit.head").unlink()
    code, answer, words = run("verify", "--json")
    assert (code, answer["times_without_head"]) == (0, 1)
    assert "kept elsewhere" in words


def test_the_clock_is_accepted(deployment: Deployment, run: Run) -> None:
    record_event(deployment.access, AuditEvent("survival"), now=datetime.now(UTC) + timedelta(days=1))
    assert run("accept-clock", "--json")[1] == {"was_behind": True}
    assert run("accept-clock", "--json")[1] == {"was_behind": False}
