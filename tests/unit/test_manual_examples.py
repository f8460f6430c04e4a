"""What the manuals tell people to type does what they say, and the lists in them are those of the code."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import pytest

from harmony_dash.cli import main
from harmony_dash.dictionary import load_dictionary
from harmony_dash.ingest.manifest.load import read_manifest
from harmony_dash.ingest.manifest.model import TRANSFORMS

ROOT = Path(__file__).parents[2]
DOCS, PACKAGE = ROOT / "docs", ROOT / "harmony_dash"
SOURCE_FOLDERS = (DOCS / "source-folders.md").read_text(encoding="utf-8")


def block_after(mark: str) -> str:
    """The text of the block of code that follows a mark, fenced or indented."""
    found = re.search(rf"^<!-- smallest: {re.escape(mark)} -->\n(?:```\w+\n(.*?)^```$|((?:    [^\n]*\n)+))",
                      SOURCE_FOLDERS, re.MULTILINE | re.DOTALL)
    assert found, mark
    return found[1] or found[2]


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of somebody who typed the two files into a folder."""
    folder = tmp_path / "smallest"
    folder.mkdir()
    for name in ("patients.csv", "source.yaml"):
        (folder / name).write_text(block_after(name), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    monkeypatch.setenv("HARMONY_STORE", str(tmp_path / "store"))
    return tmp_path


def test_the_smallest_source_folder_is_taken_in_as_the_manual_says(beside: Path,
                                                                   capsys: pytest.CaptureFixture[str]) -> None:
    commands = [shlex.split(line)[3:] for line in block_after("commands").splitlines()]
    rehearsal, ingest = commands
    assert (rehearsal[:2], ingest[0]) == (["ingest", "--check-only"], "ingest")

    assert main([*rehearsal, "--json"]) == 0
    assert not (beside / "store").exists()
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert (source["accepted"], source["refused"]) == (4, 1)
    (reason,) = source["reasons"]
    assert (reason["reason"], reason["row_numbers"]) == ("VALUE_UNKNOWN", [6])
    failed = {check["id"] for check in source["checks"] if check["verdict"] == "fail"}
    assert failed == {"size", "refused", "value_list.sex"}

    assert main([*ingest, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (source,) = report["sources"]
    assert (report["patients"], source["read"], source["accepted"], source["quarantined"]) == (4, 5, 4, 1)


def test_its_patients_are_followed_as_the_manual_says(beside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", "smallest", "--store", "store", "--json"]) == 0
    capsys.readouterr()
    ask = ["survival", "--store", "store", "--disease", "ALL", "--exact", "--json", "--times", "639,640,1119,1120"]
    found = {}
    for endpoint in ("os", "efs", "rfs"):
        assert main([*ask, "--endpoint", endpoint]) == 0
        groups = json.loads(capsys.readouterr().out)["groups"]
        found[endpoint] = [at["survival"] for group in groups for at in group["at"]]
    # The relapse of day 640, and the death that has no day of its own and so happened on the last contact.
    assert found["efs"] == [0.75, 0.5, 0.5, 0.5]
    assert found["os"] == [0.75, 0.75, 0.75, 0.5]
    assert found["rfs"] == []


def test_the_smallest_source_folder_is_a_manifest_without_a_word_too_many(beside: Path) -> None:
    manifest = read_manifest(beside / "smallest", load_dictionary())
    header = block_after("patients.csv").splitlines()[0].split(",")
    assert {"patient", *(one.column for one in manifest.fields.values() if one.column)} == set(header)


def test_every_transform_is_explained() -> None:
    assert [name for name in TRANSFORMS if f"`{name}`" not in SOURCE_FOLDERS and f"transform: {name}"
            not in SOURCE_FOLDERS] == []


def test_every_manual_stands_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and f"({page.name})" not in index] == []


def test_every_table_of_an_export_is_named() -> None:
    manual = "".join((DOCS / name).read_text(encoding="utf-8") for name in ("export.md", "data-quality.md"))
    names = {node.args[0].value for path in (PACKAGE / "export").glob("*.py")
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Table"
             and isinstance(node.args[0], ast.Constant)}
    assert {"groups", "curves", "levels", "cells", "completeness"} <= names
    assert sorted(name for name in names if f"`{name}`" not in manual) == []


def test_every_part_of_the_document_about_a_comparison_of_treatments_is_named() -> None:
    manual = (DOCS / "what-if.md").read_text(encoding="utf-8")
    source = (PACKAGE / "services" / "what_if_json.py").read_text(encoding="utf-8")
    document = next(node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)
                    and node.name == "what_if_as_json")
    returned = next(node.value for node in document.body if isinstance(node, ast.Return))
    assert isinstance(returned, ast.Dict) and len(returned.keys) > 20
    keys = [key.value for key in returned.keys if isinstance(key, ast.Constant)]
    assert [key for key in keys if f"`{key}`" not in manual] == []
