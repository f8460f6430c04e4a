"""`grants` as the one who runs the server types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grants import approve_grant
from harmony_dash.cli import main
from harmony_dash.settings import read_secret

STEERING = [Actor(name, Role.STEERING, "s", name) for name in ("sanne", "stefan")]
TODAY = datetime.now(UTC).date()


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AccessDatabase:
    """The access database of the store in `tmp_path`, with an analyst and two members of the committee."""
    for name in ("HARMONY_ACCESS", "HARMONY_ACCESS_KEY", "HARMONY_PATIENT_KEY", "HARMONY_AUDIT_HEAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    key = read_secret("HARMONY_ACCESS_KEY", {}, tmp_path / "access.key")
    database = AccessDatabase(tmp_path / "access.sqlite", key, head=tmp_path / "audit.head")
    for username, role in (("anna", Role.ANALYST), ("sanne", Role.STEERING), ("stefan", Role.STEERING)):
        create_account(database, username=username, name=username, role=role, by=OPERATOR, now=datetime.now(UTC),
                       password="marmalade tugboat zephyr quilt", rounds=4)
    return database


def run(*arguments: str) -> int:
    return main(["grants", *arguments])


def propose(*more: str, days: int = 100) -> int:
    return run("propose", "--project", "Relapse", "--purpose", "To see.", "--disease", "ALL", "--country", "NL,DE",
               "--country", "FR", "--variable", "sex, subtype", "--level", "exact", "--member", "anna", "--from",
               TODAY.isoformat(), "--to", (TODAY + timedelta(days=days)).isoformat(), *more)


def answer_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("access")
def test_a_grant_is_proposed_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("--json") == 0
    out = capsys.readouterr()
    grant = json.loads(out.out)
    assert (grant["status"], grant["approvals_missing"], grant["level"]) == ("proposed", 2, "exact")
    assert (grant["countries"], grant["variables"]) == (["DE", "FR", "NL"], ["sex", "subtype"])
    assert "cannot be approved on the command line" in out.err
    assert run("--json") == 0
    assert [one["id"] for one in answer_of(capsys)["grants"]] == [grant["id"]]
    assert run("list", "--json") == run("--json", "list") == 0
    capsys.readouterr()
    assert run("show", grant["id"], "--json") == 0
    assert answer_of(capsys) == grant
    assert run("show", grant["id"]) == 0
    said = capsys.readouterr().out
    assert "2 of 2 approvals missing" in said and "nobody yet" in said and "To see." in said


def test_a_grant_in_force_says_its_days_and_loses_members(
        access: AccessDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("--json") == 0
    grant = answer_of(capsys)["id"]
    for actor in STEERING:
        approve_grant(access, grant, by=actor, now=datetime.now(UTC))
    assert run() == 0
    assert "active, 101 days left" in capsys.readouterr().out
    assert run("remove-member", grant, "anna", "--json") == 0
    assert answer_of(capsys)["members"] == []
    assert run("end", grant, "--reason", "done", "--json") == 0
    ended = answer_of(capsys)
    assert (ended["status"], ended["end_reason"]) == ("ended", "done")
    assert run("end", grant, "--reason", "again") == 2
    assert "over already" in capsys.readouterr().err


@pytest.mark.usefixtures("access")
def test_a_country_is_withdrawn_and_restored(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("withdrawn") == 0
    assert "No country is withdrawn" in capsys.readouterr().err
    assert run("withdraw-country", "nl", "--reason", "letter of 3 May", "--json") == 0
    assert answer_of(capsys) == {"withdrawn": [{"country": "NL", "reason": "letter of 3 May"}]}
    assert run("withdrawn") == 0
    assert capsys.readouterr().out == "NL  letter of 3 May\n"
    assert run("restore-country", "NL", "--reason", "second letter", "--json") == 0
    assert answer_of(capsys) == {"withdrawn": []}
    assert run("restore-country", "NL", "--reason", "third letter") == 2


BAD = {
    "an unknown variable": (["--variable", "sexx"], "Did you mean sex?"),
    "an unknown country": (["--country", "XX"], "there is no country 'XX'"),
    "an unknown disease": (["--disease", "AXL"], "there is no disease 'AXL'"),
    "somebody who is not an analyst": (["--member", "sanne"], "sanne is not an analyst"),
    "somebody without an account": (["--member", "nobody"], "there is no open account"),
    "a day that is none": (["--from", "tomorrow"], "'tomorrow' is not a day"),
    "days the wrong way round": (["--to", "2020-01-01"], "the last day lies before the first"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_clear_line_and_nothing_is_written(
        access: AccessDatabase, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    more, words = BAD[case]
    assert propose(*more) == 2
    out = capsys.readouterr()
    assert words in out.err and out.out == ""
    assert run("--json") == 0
    assert answer_of(capsys) == {"grants": []}


@pytest.mark.usefixtures("access")
def test_more_than_a_year_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert propose(days=366) == 2
    assert "at most twelve months" in capsys.readouterr().err


@pytest.mark.usefixtures("access")
def test_a_grant_that_is_not_there_says_where_to_look(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("show", "G-1"), ("end", "G-1", "--reason", "x"), ("remove-member", "G-1", "anna")):
        assert run(*arguments) == 2
        assert "there is no such grant" in capsys.readouterr().err


def test_nobody_approves_on_the_command_line_and_the_help_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("approve", "G-2026-001")
    with pytest.raises(SystemExit):
        run("--help")
    assert "cannot be approved on the command line" in " ".join(capsys.readouterr().out.split())


def test_every_change_is_recorded_as_the_operators(access: AccessDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    assert propose("--json") == 0
    run("end", answer_of(capsys)["id"], "--reason", "x")
    by_action = {row.event.action: row.event for row in list_events(access)}
    assert {by_action[action].username for action in ("grant proposed", "grant ended")} == {"operator"}
