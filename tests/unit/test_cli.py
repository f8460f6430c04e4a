"""The command line as the one who runs the server types it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from harmony_dash.cli import main
from tests.factories import DISCLOSURE_KEY, make_store


@pytest.fixture
def store(tmp_path: Path) -> str:
    make_store(tmp_path / "store", 400)
    return str(tmp_path / "store")


def test_survival_prints_one_json_document_on_stdout(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survival", "--store", store, "--disease", "ALL", "--endpoint", "efs", "--by", "sex", "--json"]) == 0
    out = capsys.readouterr()
    answer = json.loads(out.out)
    assert {group["label"]["sex"] for group in answer["groups"]} == {"F", "M"}
    assert answer["exact"] is False
    assert "pooled" in out.err


@pytest.mark.parametrize("endpoint", ["relapse", "relapse_1km"])
def test_the_numbers_under_a_title_of_failures_are_failures(store: str, endpoint: str,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survival", "--store", store, "--disease", "ALL", "--endpoint", endpoint, "--times", "365,1826"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    printed = [int(share) for share in re.findall(r"day +\d+  (\d+) %", out)]
    # Fewer than half relapse; event-free or not relapsed are more than half.
    assert len(printed) == 2
    assert printed == sorted(printed)
    assert printed[-1] < 50
    summary = [line for line in out.splitlines() if not line.startswith(" ")]
    assert any(f"{printed[-1]} %" in line for line in summary)


def test_exact_results_need_to_be_asked_for(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["survival", "--store", store, "--disease", "ALL", "--endpoint", "os", "--json"]
    assert main([*arguments, "--exact"]) == 0
    assert json.loads(capsys.readouterr().out)["exact"] is True


def test_the_options_of_the_question_reach_it(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survival", "--store", store, "--disease", "ALL", "--endpoint", "rfs", "--where", "sex=F", "--where",
                 "age_dx_years=1..<10", "--strata", "trial", "--by", "country", "--landmark", "42", "--horizon", "1004",
                 "--times", "100,200", "--interval", "log", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    question = answer["question"]
    assert (question["landmark_days"], question["horizon_days"], question["strata"]) == (42, 1004, "trial")
    assert len(question["where"]) == 2
    assert [at["days"] for at in answer["groups"][0]["at"]] == [91, 183]
    assert answer["interval"] == "log"


BAD = {
    "a misspelt variable": ["--by", "cytogroup"],
    "a filter that is none": ["--where", "sex"],
    "times that are none": ["--times", "a,b"],
    "a landmark in the past": ["--landmark", "-5"],
    "an unknown value": ["--where", "sex=X"],
    "strata without groups": ["--strata", "trial"],
    "strata that are known later": ["--by", "sex", "--strata", "mrd_group"],
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_one_clear_line_and_exit_code_2(store: str, case: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survival", "--store", store, "--disease", "ALL", "--endpoint", "efs", *BAD[case]]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.startswith("harmony_dash: ")
    assert "Traceback" not in out.err


def test_a_store_that_is_not_there_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--store", str(tmp_path / "nothing")]
    assert main(["survival", *arguments, "--disease", "ALL", "--endpoint", "efs"]) == 2
    assert "ingest" in capsys.readouterr().err
    assert main(["coverage", *arguments]) == 2
    assert main(["snapshots", *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"current": "", "snapshots": []}


def test_coverage_prints_counts_by_country(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", "--store", store, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {row["country"] for row in answer["by_country"]} == {"DE", "FR", "NL"}


def test_feasibility_prints_the_number_that_survival_has(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feasibility", "--store", store, "--endpoint", "efs", "--where", "sex=F", "--known", "cyto_group",
                 "--assumed", "80", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert main(["survival", "--store", store, "--disease", "ALL", "--endpoint", "efs", "--where", "sex=F", "--where",
                 "cyto_group!=?", "--horizon", "1826", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert answer["n"] == drawn["n"]
    assert answer["fingerprint"] == drawn["fingerprint"]
    assert answer["expected"]["assumed_survival"] == pytest.approx(0.8)
    assert {row["country"] for row in answer["by_country"]} == {"DE", "FR", "NL"}


def test_feasibility_in_words_names_its_assumption(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["feasibility", "--store", store, "--known", "cyto_group"]) == 0
    out = capsys.readouterr()
    assert "published at 5 years for DCOG ALL10" in out.err
    assert "Set what you expect of infants, children and adults together." in out.err
    assert "If follow-up ended at a constant rate with the median of all patients" in out.err
    assert re.search(r"about \d+ events by day 1826", out.out)
    assert main(["feasibility", "--store", store, "--assumed", "120"]) == 2
    assert main(["feasibility", "--store", store, "--known", "nothing"]) == 2


def test_snapshots_lists_and_rolls_back(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshots", "--store", store, "--json"]) == 0
    current = json.loads(capsys.readouterr().out)["current"]
    assert main(["snapshots", "--store", store, "--rollback", current]) == 0
    assert main(["snapshots", "--store", store, "--rollback", "20200101T000000Z-00000000"]) == 2
    assert main(["snapshots", "--store", store, "--rollback", "../../etc/passwd"]) == 2


def test_ingest_of_a_folder_without_a_manifest_publishes_nothing(
        store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARMONY_DISCLOSURE_KEY", DISCLOSURE_KEY.decode())
    (tmp_path / "empty").mkdir()
    assert main(["ingest", str(tmp_path / "empty"), "--store", store]) == 2
    assert "source.yaml" in capsys.readouterr().err
    assert main(["ingest", str(tmp_path / "missing"), "--store", store]) == 2
    assert main(["snapshots", "--store", store, "--json"]) == 0
    capsys.readouterr()


@pytest.fixture
def named_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The access database that the environment names; it is made on first use."""
    monkeypatch.setenv("HARMONY_ACCESS", str(tmp_path / "access.sqlite"))
    return tmp_path / "access.sqlite"


@pytest.mark.usefixtures("named_access")
def test_an_account_is_added_changed_and_listed(
        store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("marmalade tugboat zephyr quilt\n"))
    options = ["--store", store]
    assert main(["accounts", *options, "add", "clara", "--name", "Clara C.", "--role", "clinician"]) == 0
    assert main(["accounts", *options, "role", "clara", "analyst"]) == 0
    assert main(["accounts", *options, "disable", "clara"]) == 0
    capsys.readouterr()
    assert main(["accounts", *options, "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["accounts"]
    assert listed.items() >= {"username": "clara", "name": "Clara C.", "role": "analyst", "disabled": True}.items()


@pytest.mark.usefixtures("named_access")
def test_a_short_password_is_refused(
        store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert main(["accounts", "--store", store, "add", "clara", "--name", "C", "--role", "clinician"]) == 2
    assert "15" in capsys.readouterr().err


def test_synthesise_refuses_impossible_sizes_and_full_folders(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synthesise", "--patients", "0", "--seed", "1", "--out", str(tmp_path / "a")]) == 2
    assert main(["synthesise", "--patients", "10", "--seed", "-1", "--out", str(tmp_path / "a")]) == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert main(["synthesise", "--patients", "10", "--seed", "1", "--out", str(tmp_path / "full")]) == 2
    assert "Traceback" not in capsys.readouterr().err
