"""Which access database a command works on: never another one than the server's without saying so."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harmony_dash.access.accounts import list_accounts
from harmony_dash.access.database import AccessDatabase
from harmony_dash.access.grants import withdrawn_countries
from harmony_dash.cli import command, main
from harmony_dash.settings import read_secret

PASSWORD = "marmalade tugboat zephyr quilt"
TODAY = datetime.now(UTC).date().isoformat()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation that leaves every setting at its default; commands run in it."""
    for name in ("HARMONY_STORE", "HARMONY_ACCESS", "HARMONY_ACCESS_KEY", "HARMONY_PATIENT_KEY", "HARMONY_AUDIT_HEAD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "PROJECT_ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var" / "store").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "var" / "store")
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command: exit code and what it said on stderr."""
    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
        code = main(arguments)
        return code, capsys.readouterr().err

    return call


Run = Callable[..., tuple[int, str]]
ADD = ("accounts", "add", "clara", "--name", "Clara", "--role", "clinician")


def database_of(folder: Path) -> AccessDatabase:
    return AccessDatabase(folder / "access.sqlite", read_secret("HARMONY_ACCESS_KEY", {}, folder / "access.key"))


@pytest.mark.parametrize("named", [None, "var/store", "var/store/", "./var/../var/store", "ABSOLUTE", "link"])
def test_the_installed_store_goes_with_the_installed_access_database_however_it_is_named(
        root: Path, run: Run, named: str | None) -> None:
    store = () if named is None else ("--store", str(root / "var" / "store") if named == "ABSOLUTE" else named)
    code, said = run(*ADD, *store)
    assert (code, str(root / "var" / "access.sqlite") in said) == (0, True)
    assert [account.username for account in list_accounts(database_of(root / "var"))] == ["clara"]
    assert list((root / "var" / "store").iterdir()) == []


def test_a_store_that_the_environment_names_is_the_installed_one(
        root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARMONY_STORE", str(root / "elsewhere"))
    assert run(*ADD, "--store", "elsewhere")[0] == 0
    assert (root / "var" / "access.sqlite").exists()
    assert run(*ADD, "--store", "var/store")[0] == 2


def test_a_withdrawal_reaches_the_database_that_the_server_reads(root: Path, run: Run) -> None:
    server = database_of(root / "var")
    assert run("grants", "withdraw-country", "NL", "--reason", "a letter", "--store", "var/store")[0] == 0
    assert withdrawn_countries(server) == {"NL": "a letter"}


ARGUMENTS = pytest.mark.parametrize("arguments", [
    ("accounts",), ADD, ("accounts", "disable", "clara"), ("grants",), ("grants", "withdrawn"),
    ("grants", "withdraw-country", "NL", "--reason", "a letter"), ("audit",), ("audit", "verify"), ("audit", "head"),
    ("audit", "accept-clock")], ids=" ".join)


@ARGUMENTS
@pytest.mark.parametrize("named", [None, "typo/access.sqlite"])
def test_what_looks_after_people_makes_no_installed_access_database_but_for_the_first_account(
        root: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], named: str | None) -> None:
    monkeypatch.setenv("HARMONY_ACCESS", named or "")
    access = root / (named or "var/access.sqlite")
    before = sorted(root.rglob("*"))
    code, said = run(*arguments)
    if arguments == ADD:
        assert (code, access.exists()) == (0, True)
    else:
        assert (code, sorted(root.rglob("*"))) == (2, before)
        assert "there is no access database" in said and str(access) in said


def test_an_access_database_that_cannot_be_looked_for_is_refused_in_words(
        root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.exists", refuse)
    code, said = run("grants")
    assert code == 2 and "cannot be looked for (permission denied)" in said


@ARGUMENTS
@pytest.mark.parametrize("place", ["own", "nothing"])
def test_what_looks_after_people_makes_no_access_database_beside_another_store(
        root: Path, run: Run, arguments: tuple[str, ...], place: str) -> None:
    (root / "own").mkdir()
    before = sorted(root.rglob("*"))
    code, said = run(*arguments, "--store", place)
    assert code == 2
    assert str(root / place / "access.sqlite") in said
    assert "Leave out --store" in said and "HARMONY_ACCESS" in said
    assert sorted(root.rglob("*")) == before


def test_a_store_of_its_own_gets_its_own_database_from_what_works_on_data(root: Path, run: Run) -> None:
    assert run("snapshots", "--store", "own")[0] == 0
    code, said = run(*ADD, "--store", "own")
    assert (code, str(root / "own" / "access.sqlite") in said) == (0, True)
    assert [account.username for account in list_accounts(database_of(root / "own"))] == ["clara"]
    assert not (root / "var" / "access.sqlite").exists()


def test_a_database_that_the_environment_names_is_used_with_every_store(
        root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARMONY_ACCESS", str(root / "named" / "access.sqlite"))
    assert run(*ADD, "--store", "own")[0] == 0
    assert [account.username for account in list_accounts(database_of(root / "named"))] == ["clara"]


def test_every_change_says_where_it_was_written_and_no_look_does(root: Path, run: Run) -> None:
    (root / "empty").mkdir()
    assert run(*ADD)[0] == run("accounts", "add", "anna", "--name", "A", "--role", "analyst")[0] == 0
    _, said = run("grants", "propose", "--project", "P", "--purpose", "To see.", "--disease", "ALL", "--country", "NL",
                  "--variable", "sex", "--level", "exact", "--member", "anna", "--from", TODAY, "--to", TODAY)
    grant = said.split()[1].rstrip(".")
    changes = [("accounts", "role", "clara", "steering"), ("accounts", "password", "clara"),
               ("accounts", "disable", "clara"), ("accounts", "enable", "clara"),
               ("accounts", "clear-attempts", "clara"), ("accounts", "sessions", "clara", "--end"),
               ("grants", "remove-member", grant, "anna"), ("grants", "end", grant, "--reason", "x"),
               ("grants", "withdraw-country", "NL", "--reason", "x"),
               ("grants", "restore-country", "NL", "--reason", "x"), ("audit", "accept-clock")]
    written = f"Written to the access database {root / 'var' / 'access.sqlite'}."
    assert written in said
    for arguments in changes:
        code, said = run(*arguments)
        assert (code, written in said) == (0, True), arguments
    for arguments in (("accounts",), ("accounts", "sessions", "clara"), ("grants",), ("grants", "show", grant),
                      ("grants", "withdrawn"), ("audit",), ("audit", "head"), ("audit", "verify"), ("snapshots",)):
        code, said = run(*arguments)
        assert (code, "Written" in said) == (0, False), arguments


def test_what_an_earlier_version_wrote_beside_the_installed_store_is_pointed_out(root: Path, run: Run) -> None:
    stray = root / "var" / "store" / "access.sqlite"
    database_of(stray.parent).close()
    assert run(*ADD)[0] == 0
    code, said = run("accounts")
    assert (code, str(stray) in said) == (0, True)
    stray.unlink()
    assert "stray" not in run("accounts")[1] and str(stray) not in run("accounts")[1]
