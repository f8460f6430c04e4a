"""What a command and the server import before they are asked for anything that needs it: it decides how long people
wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harmony_dash.cli import build_parser
from harmony_dash.cli.catalogue import COMMANDS
from tests.factories import make_store

ROOT = Path(__file__).parents[2]
# Each takes a good part of a second to import, or seconds.
_HEAVY = {"duckdb", "numpy", "pandas", "scipy", "lifelines", "pyarrow", "plotly", "matplotlib", "openpyxl"}


def imported_by(code: str) -> set[str]:
    """The heavy packages in a fresh process after `code`, whose own output is dropped."""
    listing = f"import sys; sys.stderr.write(' '.join({_HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", f"{code}\n{listing}"], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    return set(done.stderr.rpartition("\n")[2].split())


def command(*arguments: str) -> str:
    return (f"from harmony_dash.cli import main\ntry:\n    main({list(arguments)!r})\nexcept SystemExit:\n    pass")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["no-such-command"], ["snapshots", "--help"]],
                         ids=" ".join)
def test_help_and_mistyped_commands_import_nothing_heavy(arguments: list[str]) -> None:
    assert imported_by(command(*arguments)) == set()


@pytest.mark.parametrize("name", ["snapshots", "accounts"])
def test_what_opens_no_snapshot_imports_no_more_than_the_database(name: str, tmp_path: Path) -> None:
    make_store(tmp_path / "store", 200).close()
    (tmp_path / "store" / "access.sqlite").touch()
    assert imported_by(command(name, "--store", str(tmp_path / "store"))) <= {"duckdb"}


def test_the_server_starts_without_what_only_pages_need() -> None:
    # Streamlit itself looks for plotly
    assert imported_by("import harmony_dash.ui.web, harmony_dash.ui.sign_in") <= {"duckdb", "plotly"}


def test_every_listed_command_is_added_under_its_name_with_its_words() -> None:
    (commands,) = [action for action in build_parser()._actions if action.dest == "command"]
    assert list(commands.choices or ()) == list(COMMANDS)
    for name, parser in dict(commands.choices or ()).items():
        assert callable(parser.get_default("run")), name
        assert str(parser.description).startswith(COMMANDS[name].words.split(";")[0].rstrip("."))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_parser_of_one_command_takes_what_that_of_all_takes(name: str) -> None:
    def options(only: str | None) -> list[tuple[str, ...]]:
        (commands,) = [action for action in build_parser(only)._actions if action.dest == "command"]
        parser = dict(commands.choices or {})[name]
        return [tuple(action.option_strings) or (action.dest,) for action in parser._actions]

    assert options(name) == options(None)
