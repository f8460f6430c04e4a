"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "harmony_dash"
SOURCES = sorted(PACKAGE.rglob("*.py")) + sorted((ROOT / "pages").glob("*.py")) + [ROOT / "app.py"]


def run(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_finds_nothing() -> None:
    assert run("ruff", "check", ".") == ""


def test_mypy_finds_nothing() -> None:
    assert run("mypy") == ""


def test_imports_point_down() -> None:
    done = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_disclosure_package_makes_released_results() -> None:
    """The gate, and the comparison of two results that have passed it."""
    users = {path.relative_to(ROOT).as_posix() for path in SOURCES if "make_released" in path.read_text()}
    assert users == {f"harmony_dash/disclosure/{name}.py" for name in ("gate", "released", "coverage_changes")}


def test_no_module_stands_beside_the_main_script_under_the_name_pages() -> None:
    assert not (PACKAGE / "ui" / "pages").exists()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_file_is_read_by_executing_it(path: Path) -> None:
    text = path.read_text()
    # two processes of this program, over a pair of sockets that nobody else has; no file
    own = {"import pickle"} if path == PACKAGE / "services" / "aside.py" else set[str]()
    for word in {"import pickle", "yaml.load(", "eval(", "exec(", ".query("} - own:
        assert word not in text, word


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sql_is_written_in_the_store_and_the_access_package_alone(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "store") or path.is_relative_to(PACKAGE / "access"):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP)\s", node.value), node.lineno
