"""`quality` and `ingest --check-only` as people type them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harmony_dash.cli import main

SAMPLES = Path(__file__).parents[2] / "data_samples"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cli") / "store"
    assert main(["ingest", str(SAMPLES / "cz_cpho"), str(SAMPLES / "de_coall"), "--store", str(folder), "--json"]) == 0
    return str(folder)


def test_quality_prints_one_json_document_of_protected_numbers(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--store", store, "--source", "cz_cpho", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (source,) = answer["sources"]
    assert answer["level"] == "protected" and len(source["checks"]) > 500
    counts = [n for check in source["checks"] for n in (check["failing"], check["asked"]) if n is not None]
    assert counts and all(n % 5 == 0 and n >= 10 for n in counts)
    assert all(reason["row_numbers"] == [] for reason in source["reasons"])
    assert set(source["risk_groups"]) == {"nci_risk", "mrd_group", "cyto_group"}


def test_quality_in_words_names_sources_and_what_to_look_at(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--store", store]) == 0
    out = capsys.readouterr().out
    assert "cz_cpho" in out and "de_coall" in out and "conformance" in out
    assert "range.mrd_eoi_value" in out and "<10 of" in out


def test_exact_numbers_need_to_be_asked_for(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--store", store, "--source", "cz_cpho", "--exact", "--json"]) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert (source["accepted"], source["refused"]) == (200, 3)
    assert any(reason["row_numbers"] for reason in source["reasons"])


def test_a_report_is_two_files_about_one_source(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--store", store, "--report", str(tmp_path)]) == 2
    assert "--source" in capsys.readouterr().err
    assert main(["quality", "--store", store, "--source", "cz_cpho", "--report", str(tmp_path / "new")]) == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["quality.csv", "quality.html"]


@pytest.mark.parametrize(("arguments", "words"), [
    (["--source", "gone"], "no source 'gone'"), (["--snapshot", "gone"], "not a snapshot id")])
def test_what_is_not_there_is_one_clear_line(store: str, arguments: list[str], words: str,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--store", store, *arguments]) == 2
    assert words in capsys.readouterr().err


def test_check_only_reports_exactly_and_leaves_nothing_behind(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(SAMPLES / "cz_cpho", tmp_path / "cz"))
    monkeypatch.chdir(tmp_path)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    assert main(["ingest", "--check-only", str(folder), "--store", str(tmp_path / "store"), "--json"]) == 0
    out = capsys.readouterr()
    (source,) = json.loads(out.out)["sources"]
    assert (source["accepted"], source["refused"]) == (200, 3)
    assert {row for reason in source["reasons"] for row in reason["row_numbers"]} >= {15, 48, 148}
    assert all(check["verdict"] != "fail" for check in source["checks"])
    assert "Nothing was published. An ingest would take these sources in." in out.err
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_check_only_writes_the_report_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report"
    assert main(["ingest", "--check-only", str(SAMPLES / "cz_cpho"), "--report", str(report)]) == 0
    assert "15, 48" in (report / "quality.html").read_text(encoding="utf-8")
    assert "temporal_order.first_event_days" in capsys.readouterr().out
    assert main(["ingest", "--check-only", str(SAMPLES / "cz_cpho"), "--report", str(report / "quality.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_check_only_says_how_many_checks_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(SAMPLES / "eortc_cldlg", tmp_path / "eortc"))
    lines = (folder / "followup.csv").read_bytes().splitlines(keepends=True)
    (folder / "followup.csv").write_bytes(b"".join([*lines, *lines[1:4]]))
    assert main(["ingest", "--check-only", str(folder), "--json"]) == 0
    out = capsys.readouterr()
    (source,) = json.loads(out.out)["sources"]
    assert sum(check["verdict"] == "fail" for check in source["checks"]) == 1
    assert "An ingest would take these sources in, although 1 quality check failed." in out.err


def test_check_only_ends_with_2_where_ingest_would_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(shutil.copytree(SAMPLES / "cz_cpho", tmp_path / "cz"))
    manifest = folder / "source.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace("synthetic: true", "synthetic: false"), encoding="utf-8")
    lines = (folder / "pacienti.csv").read_bytes().split(b"\r\n")
    (folder / "pacienti.csv").write_bytes(b"\r\n".join([*lines[:9], b""]))
    assert main(["ingest", "--check-only", str(folder)]) == 2
    out = capsys.readouterr()
    assert "recognised too easily" in out.err and "conformance" in out.out
    manifest.write_text(text.replace("Hemoglobin (g/l)", "Hemoglobin"), encoding="utf-8")
    assert main(["ingest", "--check-only", str(folder)]) == 2
    assert "the column 'Hemoglobin' is not in pacienti.csv" in capsys.readouterr().err


def test_a_report_of_an_ingest_is_asked_for_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ingest", str(SAMPLES / "cz_cpho"), "--store", str(tmp_path / "store"), "--report", "r"]) == 2
    assert "quality --report" in capsys.readouterr().err
