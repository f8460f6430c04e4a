from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harmony_dash.cli import main
from tests.factories import make_patients, make_store

Ask = Callable[..., str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("cli") / "store"
    rng = np.random.default_rng(2)
    frame = make_patients(900, seed=2)
    frame["intensity_assigned"] = rng.choice(["reduced", "standard"], 900)
    make_store(folder, frame=frame)
    return folder


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(command: str, *options: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([command, "--store", str(store), "--disease", "ALL", *options]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def test_the_json_document_has_the_fields_others_rely_on(ask: Ask) -> None:
    answer: dict[str, Any] = json.loads(ask("subgroups", "--endpoint", "efs", "--variables", "sex,cyto_group",
                                            "--treatment", "intensity_assigned", "--exact", "--json"))
    assert {"snapshot", "question", "rows", "interactions", "comparisons", "methods"} <= answer.keys()
    row = next(row for row in answer["rows"] if row["level"] == "M")
    assert {"variable", "level", "reference", "n", "events", "at", "hr", "hr_lower", "hr_upper", "p", "q",
            "by_treatment"} <= row.keys()
    assert row["at"].keys() >= {"days", "survival", "lower", "upper"}
    assert (row["variable"], row["at"]["days"]) == ("sex", 1826)
    assert [one["variable"] for one in answer["interactions"]] == ["sex", "cyto_group"]
    assert answer["interactions"][0].keys() >= {"variable", "statistic", "df", "p", "q"}
    reference = next(row for row in answer["rows"] if row["level"] == "F")
    assert (reference["reference"], reference["hr"], reference["p"]) == (True, 1.0, None)
    assert answer["comparisons"] == sum(one["p"] is not None for kind in ("rows", "variables", "interactions")
                                        for one in answer[kind])
    effects = [found for row in answer["rows"] for found in row["by_treatment"]]
    assert effects and not any("p" in found for found in effects)


def test_words_show_levels_under_their_variable(ask: Ask) -> None:
    text = ask("subgroups", "--endpoint", "relapse", "--variables", "sex", "--strata", "none", "--at", "1096")
    lines = text.splitlines()
    assert "Sex  (p " in text
    assert any(line.startswith("  Female") and "1 (reference)" in line for line in lines)
    assert any(line.startswith("  not recorded") and "hidden" in line for line in lines)
    assert "cumulative incidence of relapse" in lines[-1]


def test_protected_is_the_default_and_rounds(ask: Ask) -> None:
    answer = json.loads(ask("subgroups", "--endpoint", "efs", "--variables", "country", "--json"))
    assert answer["level"] == "protected"
    assert all(row["n"] is None or row["n"] % 5 == 0 for row in answer["rows"])
    assert all(row["hr"] is None or row["hr"] == round(row["hr"], 2) for row in answer["rows"])


@pytest.mark.parametrize("options", [["--variables", "sexx"], ["--variables", "wbc_dx"], ["--strata", "nothing"],
                                     ["--treatment", "intensity_assigned", "--strata", "none"],
                                     ["--variables", "hsct_cr1"]])
def test_what_cannot_be_asked_is_one_clear_message(ask: Ask, options: list[str]) -> None:
    said = ask("subgroups", "--endpoint", "efs", *options, code=2)
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("harmony_dash: ")


def test_table_one_and_the_map_of_outcomes_are_commands(ask: Ask) -> None:
    table = json.loads(ask("table-one", "--by", "sex", "--variables", "country,age_dx_years", "--exact", "--json"))
    assert [group["value"] for group in table["groups"]] == ["F", "M"]
    assert sum(group["n"] for group in table["groups"]) == 900
    assert {variable["variable"] for variable in table["variables"]} == {"country", "age_dx_years"}
    words = ask("table-one", "--by", "sex", "--variables", "country,age_dx_years")
    assert "standardised difference" in words
    found = json.loads(ask("outcome-map", "--endpoint", "efs", "--rows", "cyto_group", "--columns", "mrd_group",
                           "--exact", "--json"))
    assert {(cell["row"], cell["column"]) for cell in found["cells"]} >= {("good", "mrd_cr"), ("high", "mrd_failure")}
    assert "day 42" in found["notes"][0]
    assert "MRD response" in ask("outcome-map", "--endpoint", "efs", "--rows", "cyto_group", "--columns", "mrd_group")
