"""What reaches the operator's terminal: no sign that it would obey, or that would hide what stands there."""

from __future__ import annotations

import ast
import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import harmony_dash.cli
from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Role
from harmony_dash.access.audit import AuditEvent, record_event
from harmony_dash.access.database import AccessDatabase
from harmony_dash.cli import main
from harmony_dash.cli.command import printable
from harmony_dash.settings import read_secret

# Clears the screen, sets the title, turns the line around, begins a new line in every way there is.
NASTY = "x\x1b[2J\x1b]0;gone\x07\x9b31m\u202egnp\u2028\u2029\x85\r\n\t\0\x7f\u200b\ufeff\U000e0041y"


def is_safe(text: str) -> bool:
    return all(sign == "\n" or (unicodedata.category(sign)[0] != "C" and unicodedata.category(sign) not in ("Zl", "Zp"))
               for sign in text)


@pytest.mark.parametrize(("text", "printed"), [
    ("Zoë Müller, 王 – 5 € ½", "Zoë Müller, 王 – 5 € ½"), ("", ""), ("\x1b[2J", r"\x1b[2J"),
    ("a\nb\rc\td", r"a\nb\rc\td"),
    ("\x7f\x9b", r"\x7f\x9b"), ("\u202eabc", r"\u202eabc"), ("\u2028\u2029", r"\u2028\u2029"),
    ("\ud800", r"\ud800"), ("\U000e0041", r"\U000e0041"), ("\ue000", r"\ue000"), ("a\xadb", r"a\xadb")],
    ids=ascii)
def test_a_sign_that_a_terminal_may_obey_is_printed_as_an_escape(text: str, printed: str) -> None:
    assert printable(text) == printed


@pytest.fixture
def access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AccessDatabase:
    """A database that holds nasty texts in every place that people type into."""
    for name in ("HARMONY_ACCESS_KEY", "HARMONY_PATIENT_KEY", "HARMONY_AUDIT_HEAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    key = read_secret("HARMONY_ACCESS_KEY", {}, tmp_path / "access.key")
    database, now = AccessDatabase(tmp_path / "access.sqlite", key, head=tmp_path / "audit.head"), datetime.now(UTC)
    create_account(database, username="anna", name="Anna", role=Role.ANALYST, password="marmalade tugboat zephyr quilt",
                   by=OPERATOR, now=now, rounds=4)
    today, soon = now.date().isoformat(), (now.date() + timedelta(days=9)).isoformat()
    assert main(["grants", "propose", "--project", "P", "--purpose", "To see.", "--disease", "ALL", "--country", "NL",
                 "--variable", "sex", "--level", "exact", "--member", "anna", "--from", today, "--to", soon]) == 0
    assert main(["grants", "withdraw-country", "NL", "--reason", "a letter"]) == 0
    # past the checks of what is typed today: databases hold what earlier versions let in
    with database.write() as connection:
        connection.execute("update account set name = ?", (NASTY,))
        connection.execute("update data_grant set project = ?, purpose = ?, end_reason = ?", (NASTY, NASTY, NASTY))
        connection.execute("update withdrawn_country set reason = ?", (NASTY,))
    record_event(database, AuditEvent(NASTY, NASTY, question=NASTY, reason=NASTY), now=now)
    return database


@pytest.mark.parametrize("arguments", [
    ("accounts",), ("audit",), ("audit", "--user", NASTY), ("grants",), ("grants", "show", "GRANT"),
    ("grants", "withdrawn"), ("grants", "show", NASTY), ("accounts", "disable", NASTY), ("audit", "--since", NASTY)],
    ids=lambda arguments: ascii(" ".join(arguments)))
def test_nothing_that_people_typed_reaches_the_terminal_as_it_is(
        access: AccessDatabase, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with access.read() as connection:
        grant = str(connection.execute("select id from data_grant").fetchone()[0])
    capsys.readouterr()
    words = [grant if word == "GRANT" else word for word in arguments]
    codes = []
    for more in ([], ["--json"]):
        codes.append(main([*words, *more]))
        out = capsys.readouterr()
        assert is_safe(out.out) and is_safe(out.err), ascii(out)
        assert r"\x1b" in out.out + out.err or r"\u001b" in out.out
    assert codes[0] == codes[1]


def test_a_json_document_says_the_same_as_before(access: AccessDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["accounts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["accounts"][0]["name"] == NASTY


def test_no_command_prints_past_what_escapes() -> None:
    paths = sorted(Path(harmony_dash.cli.__file__).parent.glob("*.py"))
    assert "command.py" in {path.name for path in paths}
    for path in paths:
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"]
        assert not calls or path.name == "command.py", path.name
