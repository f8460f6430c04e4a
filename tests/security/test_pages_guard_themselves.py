"""Every page asks before it does anything else, and asks for what the registry says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harmony_dash.ui.registry import PAGES
from tests.security.server import PROJECT_ROOT, is_guard

FILES = sorted((PROJECT_ROOT / "pages").glob("*.py"))
WITH_FRAGMENTS = sorted([*FILES, *(PROJECT_ROOT / "harmony_dash" / "ui").rglob("*.py")])
# Fragments that everybody may see, because they show nothing of the data; a new one needs a reason here.
OPEN_FRAGMENTS = {"_show_progress"}  # how far the first start has come, before anybody can sign in


def without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return body[1:] if is_docstring else body


def is_fragment(node: ast.FunctionDef) -> bool:
    return (any("fragment" in ast.unparse(decorator) for decorator in node.decorator_list)
            and node.name not in OPEN_FRAGMENTS)


def test_the_registry_and_the_folder_name_the_same_pages() -> None:
    assert {page.file for page in PAGES} == set(FILES)
    assert len({page.url_path for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_first_statement_of_a_page_is_its_guard(file: Path) -> None:
    statements = [node for node in without_docstring(ast.parse(file.read_text(encoding="utf-8")).body)
                  if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert statements and is_guard(statements[0])
    entry = next(page for page in PAGES if page.file == file)
    assert f"Permission.{entry.permission.name}" in ast.unparse(statements[0])


@pytest.mark.parametrize("file", WITH_FRAGMENTS, ids=lambda file: file.stem)
def test_the_first_statement_of_a_fragment_is_its_guard(file: Path) -> None:
    assert all(is_guard(without_docstring(node.body)[0]) for node in fragments_of(file))


def fragments_of(file: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and is_fragment(node)]


def test_the_pages_that_redraw_a_part_have_fragments() -> None:
    redrawn = {file.stem for file in FILES if fragments_of(file)}
    assert redrawn >= {"survival", "subgroups", "what_if", "export"}


@pytest.mark.parametrize("file", WITH_FRAGMENTS, ids=lambda file: file.stem)
def test_scripts_run_in_the_browser_from_one_module_only(file: Path) -> None:
    if file.name != "browser_scripts.py":
        assert "unsafe_allow_javascript" not in file.read_text(encoding="utf-8")
