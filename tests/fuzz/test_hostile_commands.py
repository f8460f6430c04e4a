"""S19: hostile texts in every option of the commands that ask: exit code 0 or 2, and nothing a terminal obeys."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from harmony_dash.cli import main
from harmony_dash.store.reader import Store
from tests.factories import make_store
from tests.faults.installation import data_digest
from tests.fuzz.hostile import hostile_texts, some_of

# A program's arguments hold no NUL.
TEXTS = [text for text in hostile_texts() if "\0" not in text]
_SURVIVAL = ("survival", {"--disease": "ALL", "--endpoint": "os"})
_TABLE = ("subgroups", {"--disease": "ALL", "--endpoint": "os", "--variables": "sex"})
# Command, the options it gets, and the option that gets the text.
OPTIONS = [
    *(((*_SURVIVAL, option)) for option in ("--disease", "--endpoint", "--where", "--by", "--strata", "--landmark",
                                            "--horizon", "--times", "--interval")),
    *(((*_TABLE, option)) for option in ("--variables", "--where", "--strata", "--treatment", "--arms", "--at")),
    *(("table-one", {"--disease": "ALL"}, option) for option in ("--disease", "--where", "--by", "--variables")),
    *(("outcome-map", {"--disease": "ALL", "--endpoint": "os", "--rows": "sex"}, option) for option in (
        "--rows", "--columns", "--at")),
    ("coverage", {}, "--disease"), ("snapshots", {}, "--rollback"),
    *(("audit", {}, option) for option in ("--user", "--action", "--decision", "--grant", "--snapshot", "--since",
                                           "--until", "--contains", "--limit")),
    *(("export", {"--disease": "ALL", "--endpoint": "os", "--out": "export"}, option) for option in (
        "--kind", "--formats", "--columns", "--verify")),
    ("survival", {}, ""),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("hostile_commands") / "store"
    make_store(folder, 200)
    return folder


@pytest.fixture(autouse=True)
def _own_installation(store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARMONY_STORE", str(store))
    monkeypatch.setenv("HARMONY_ACCESS", str(store.parent / "access.sqlite"))
    monkeypatch.setenv("HARMONY_DAILY_QUESTIONS", "1000000")
    monkeypatch.chdir(tmp_path)


def run(arguments: list[str]) -> int:
    try:
        return main(arguments)
    except SystemExit as stopped:  # argparse, which has told what is wrong
        return int(stopped.code or 0)


@pytest.mark.parametrize(("command", "options", "option"), OPTIONS,
                         ids=lambda part: part if isinstance(part, str) else "")
def test_no_text_in_an_option_breaks_a_command(
        command: str, options: dict[str, str], option: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in some_of(TEXTS, 100):
        given = {**options, option: text} if option else options
        arguments = [command, *(part for name, value in given.items() for part in (f"{name}={value}",))]
        code = run(arguments if option else [command, f"--{text}", text])
        captured = capsys.readouterr()
        assert code in (0, 2), (arguments, code)
        said = captured.out + captured.err
        assert "Traceback" not in said
        assert not {sign for sign in said if sign != "\n" and unicodedata.category(sign)[0] == "C"}, (arguments, said)


@pytest.mark.parametrize("text", ["\ud800", "a\udcff"])
def test_bytes_that_are_no_text_are_refused_in_words(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["accounts", "disable", text], ["survival", "--disease", "ALL", "--endpoint", "os", "--by", text],
                      ["ingest", text]):
        assert run(arguments) == 2
        assert "not UTF-8" in capsys.readouterr().err


def test_what_is_no_option_is_repeated_without_signs_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["survival", "--=\x0b\x1b[31m"]) == 2
    assert "ambiguous option: --=\\x0b\\x1b[31m" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--disease", "--where", "--landmark", "--interval"])
def test_two_dashes_are_no_value(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["survival", "--disease=ALL", "--endpoint=os", f"{option}=--"]) == 2
    assert f"{option} has no value" in capsys.readouterr().err


def test_after_all_of_it_the_data_are_as_they_were(store: Path, tmp_path: Path) -> None:
    make_store(tmp_path / "again", 200)
    assert data_digest(Store(store).current()) == data_digest(Store(tmp_path / "again").current())
