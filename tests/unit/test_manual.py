"""The manual is complete: every command, setting and variable stands in it. To write the table of settings anew:

    python -m tests.unit.test_manual
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from harmony_dash.cli import build_parser, main
from harmony_dash.cli.reference import settings_table
from harmony_dash.dictionary import load_dictionary
from harmony_dash.settings import KEY_FILES, Settings, describe_settings, read_settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COMMANDS = (DOCS / "command-line.md").read_text(encoding="utf-8")
OPERATIONS = DOCS / "operations.md"
BEGIN = "<!-- settings: begin, made by `python -m tests.unit.test_manual` -->\n"
END = "<!-- settings: end -->"
# Said once, at the top of the page.
EVERYWHERE = {"--help", "--json", "--store"}


def subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Name to parser of the commands, or parts, below one."""
    return {name: part for action in parser._actions if isinstance(action, argparse._SubParsersAction)
            for name, part in action.choices.items()}


def walk(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...],
                                                                                        argparse.ArgumentParser]]:
    """Every command and part with its parser."""
    for name, part in subparsers(parser).items():
        yield (*path, name), part
        yield from walk(part, (*path, name))


PARTS = dict(walk(build_parser()))


def section_of(command: str) -> str:
    found = re.search(rf"^## `{re.escape(command)}`\n(.*?)(?=^## |\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def examples(command: str) -> list[list[str]]:
    """The arguments of each example in a command's section: in a block of code, or in a table of its parts."""
    section = section_of(command)
    lines = re.findall(r"^    python -m harmony_dash (.+)$", section, re.MULTILINE)
    lines += re.findall(rf"^\| `({re.escape(command)} .+?)` \|", section, re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize("path", PARTS, ids=" ".join)
def test_every_command_has_an_example_that_can_be_typed(path: tuple[str, ...]) -> None:
    own = [arguments for arguments in examples(path[0]) if tuple(arguments[:len(path)]) == path]
    assert own, f"docs/command-line.md has no example of `{' '.join(path)}`"
    for arguments in own:
        assert build_parser().parse_args(arguments).command == path[0]


@pytest.mark.parametrize("path", [path for path in PARTS if len(path) == 1], ids=" ".join)
def test_every_command_says_what_it_prints(path: tuple[str, ...]) -> None:
    blocks = re.findall(r"(?:^    .*\n)+", section_of(path[0]), re.MULTILINE)
    assert any("python -m harmony_dash" not in block for block in blocks)


@pytest.mark.parametrize("path", PARTS, ids=" ".join)
def test_every_option_is_named(path: tuple[str, ...]) -> None:
    options = {text for action in PARTS[path]._actions for text in action.option_strings if text.startswith("--")}
    section = section_of(path[0])
    missing = sorted(option for option in options - EVERYWHERE if not re.search(rf"{option}\b(?!-)", section))
    assert missing == []


def test_no_command_is_described_that_is_not_there() -> None:
    assert set(re.findall(r"^## `(.+)`$", COMMANDS, re.MULTILINE)) == set(subparsers(build_parser()))


def test_the_table_of_settings_is_that_of_the_code() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) + len(BEGIN):text.index(END)] == write_table()


def write_table() -> str:
    return "\n".join(settings_table()) + "\n"


def test_every_variable_of_the_environment_that_is_named_is_a_setting() -> None:
    known = {one.name for one in describe_settings().values() if one.name}
    named: dict[str, str] = {}
    places = [*(ROOT / "harmony_dash").rglob("*.py"), ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.glob("*.md")]
    for path in places:
        named |= dict.fromkeys(re.findall(r"\bHARMONY_[A-Z_]+", path.read_text(encoding="utf-8")), path.name)
    assert {name: place for name, place in named.items() if name not in known} == {}
    assert known <= named.keys() and known >= KEY_FILES.keys()


def test_the_defaults_are_those_that_are_told(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    for name, one in describe_settings().items():
        value = getattr(settings, name)
        if isinstance(value, Path) and " " not in one.default:
            assert value == tmp_path / one.default, name
        elif isinstance(value, str | int | float):
            assert one.default == str(value), name
        assert one.meaning.endswith((".", "nothing."))
    assert sorted(file.name for file in (tmp_path / "var").iterdir()) == sorted(KEY_FILES.values())
    assert {name for name, one in describe_settings().items() if one.secret} == {
        name for name, value in vars(Settings(tmp_path, tmp_path, None)).items() if isinstance(value, bytes)}


def test_the_settings_are_printed_without_a_secret(monkeypatch: pytest.MonkeyPatch,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    for one in describe_settings().values():
        if one.secret:
            monkeypatch.setenv(one.name, "5f3a9d1c77e24b06-top-s3cret")
    monkeypatch.setenv("HARMONY_DAILY_QUESTIONS", "40")
    assert main(["settings", "--json"]) == 0
    printed = capsys.readouterr().out
    assert "5f3a9d1c77e24b06" not in printed
    by_name = {one["name"]: one for one in json.loads(printed)["settings"]}
    assert by_name["HARMONY_DAILY_QUESTIONS"]["value"] == "40"
    assert (by_name["HARMONY_ACCESS_KEY"]["is_set"], by_name["HARMONY_ACCESS_KEY"]["value"]) == (True, None)
    assert main(["settings"]) == 0
    assert capsys.readouterr().out == write_table()


def test_printing_them_makes_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    monkeypatch.setenv("HARMONY_STORE", str(tmp_path / "store"))
    assert main(["settings", "--json"]) == 0
    assert main(["dictionary", "--json"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_the_dictionary_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("HARMONY_DICTIONARY", raising=False)
    assert main(["dictionary"]) == 0
    assert (DOCS / "dictionary.md").read_text(encoding="utf-8") == capsys.readouterr().out, (
        "run `python -m harmony_dash dictionary > docs/dictionary.md`")


def test_every_variable_is_in_the_manual_once() -> None:
    text, dictionary = (DOCS / "dictionary.md").read_text(encoding="utf-8"), load_dictionary()
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE))
    assert text.count("\n| `") == len(rows)
    assert rows.keys() == dictionary.variables.keys()
    assert [name for name, row in rows.items() if dictionary[name].label not in row] == []


def test_the_variables_of_a_deployment_are_documented_as_well(tmp_path: Path,
                                                              capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("dictionary: own\nvariables:\n  ward:\n    label: Ward | wing\n    section: Origin\n"
                    "    type: code\n", encoding="utf-8")
    assert main(["dictionary", "--dictionary", str(file)]) == 0
    assert "| `ward` | code, open list |  | at diagnosis | Ward \\| wing. |" in capsys.readouterr().out


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", text):
        linked = (page.parent / target) if target else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings], anchor


if __name__ == "__main__":
    page = OPERATIONS.read_text(encoding="utf-8")
    OPERATIONS.write_text(page[:page.index(BEGIN) + len(BEGIN)] + write_table() + page[page.index(END):],
                          encoding="utf-8")
