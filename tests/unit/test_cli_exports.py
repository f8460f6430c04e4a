"""`export` as the one who runs the server types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harmony_dash.cli import main
from tests.factories import make_store

QUESTION = ["--disease", "ALL", "--endpoint", "efs"]


@pytest.fixture
def store(tmp_path: Path) -> str:
    make_store(tmp_path / "store", 400)
    return str(tmp_path / "store")


def test_an_export_is_written_listed_and_known_again(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                     ) -> None:
    out = tmp_path / "new" / "out"
    assert main(["export", "--store", store, *QUESTION, "--where", "immunophenotype=B", "--by", "sex", "--out",
                 str(out), "--formats", "csv,svg", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {file["name"] for file in said["files"]} == {path.name for path in out.iterdir()}
    assert {"curves.csv", "figure.svg", "provenance.json", "recompute.R"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / "provenance.json").read_text())["receipt"] == said["receipt"]
    assert main(["export", "--store", store, "--receipts", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["receipts"]
    assert listed == {name: value for name, value in said.items() if name != "folder"}
    assert main(["export", "--store", store, "--verify", str(out / "curves.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["match"], found["file"], found["receipt_intact"]) == ("same", "curves.csv", True)


def test_without_json_the_files_are_listed_with_their_checksums(store: str, tmp_path: Path,
                                                                capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--store", store, *QUESTION, "--out", str(tmp_path / "out"), "--formats", "csv"]) == 0
    out = capsys.readouterr()
    assert "curves.csv" in out.out
    assert "Receipt E-" in out.err
    assert main(["export", "--store", store, "--receipts"]) == 0
    assert "Event-free survival of" in capsys.readouterr().out


def test_a_file_that_was_changed_ends_with_code_2(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                  ) -> None:
    out = tmp_path / "out"
    main(["export", "--store", store, *QUESTION, "--out", str(out), "--formats", "svg"])
    file = out / "figure.svg"
    file.write_text(file.read_text().replace("#0072b2", "#d55e00"))
    capsys.readouterr()
    assert main(["export", "--store", store, "--verify", str(file)]) == 2
    assert "was changed: it names receipt E-" in capsys.readouterr().err
    assert main(["export", "--store", store, "--verify", str(Path(store) / "CURRENT")]) == 2
    assert "No receipt knows this file" in capsys.readouterr().err


BAD = {
    "no question": ([], "--disease: is missing"),
    "no folder": (QUESTION, "--out: is missing"),
    "an unknown format": ([*QUESTION, "--out", "{out}", "--formats", "docx"], "'docx' is not a format"),
    "a misspelt variable": ([*QUESTION, "--out", "{out}", "--by", "sx"], "Did you mean sex"),
    "times that are none": ([*QUESTION, "--out", "{out}", "--times", "soon"], "not a list of days"),
    "nothing to show": ([*QUESTION, "--out", "{out}", "--where", "sex=?"], "nothing to export"),
    "too many conditions": ([*QUESTION, "--out", "{out}", *(part for text in (
        "sex=F", "country=DE", "age_group=1-9", "immunophenotype=B", "trial=Trial A")
        for part in ("--where", text))], "at most 4"),
    "a file for a folder": ([*QUESTION, "--out", "{file}"], "--out: files cannot be written there"),
    "a folder below a file": ([*QUESTION, "--out", "{file}/out"], "--out: files cannot be written there"),
    "a file that is not there": (["--verify", "{out}/gone"], "--verify: the file cannot be read"),
    "a folder to verify": (["--verify", "{folder}"], "--verify: the file cannot be read"),
    "a list of no length": (["--receipts", "--limit", "0"], "limit: a list has 1 to")}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_clear_line_and_writes_nothing(store: str, tmp_path: Path, case: str,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = BAD[case]
    (tmp_path / "file").touch()
    filled = [text.format(out=tmp_path / "out", file=tmp_path / "file", folder=tmp_path) for text in arguments]
    assert main(["export", "--store", store, *filled]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.startswith("harmony_dash: ")
    assert words in out.err
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())




def test_an_earlier_export_is_never_overwritten(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                ) -> None:
    out = tmp_path / "out"
    arguments = ["export", "--store", store, *QUESTION, "--out", str(out), "--formats", "csv"]
    assert main(arguments) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(arguments) == 2
    assert "holds an export already" in capsys.readouterr().err
    (out / "provenance.json").unlink()  # only the tables of the earlier one are left
    assert main(arguments) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert all((out / name).read_bytes() == content for name, content in before.items() if name.endswith(".csv"))
