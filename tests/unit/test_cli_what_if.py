from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.cli import main
from tests.factories import make_store
from tests.what_if_cohort import draw_cohort

Ask = Callable[..., str]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("cli") / "store"
    make_store(folder, frame=draw_cohort(2500))
    return folder


@pytest.fixture
def ask(store: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(*options: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["what-if", "--store", str(store), "--disease", "ALL", "--replicates", "20", *options]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return run


def test_the_document_has_the_shape_others_rely_on(ask: Ask) -> None:
    answer: dict[str, Any] = json.loads(ask("--endpoint", "efs", "--time", "1461", "--exact", "--json"))
    assert {"snapshot", "question", "status", "reasons", "allocation", "estimates", "contrasts", "diagnostics",
            "methods"} <= answer.keys()
    assert answer["status"] in ("answered", "amber")
    assert {one["method"] for one in answer["estimates"]} == {"A", "B", "C", "plain"}
    assert {"code", "message", "value", "threshold"} <= {key for reason in answer["reasons"] for key in reason} or (
        not answer["reasons"])
    assert {one["mark"] for one in answer["allocation"]} == {"both used"}
    curve = answer["estimates"][0]
    assert len(curve["days"]) == len(curve["survival"]) == len(curve["lower"])
    assert (curve["days"][0], curve["survival"][0]) == (0, 1.0)


def test_the_words_give_the_estimand_before_any_number(ask: Ask) -> None:
    lines = ask("--endpoint", "efs", "--time", "1461", "--modifiers", "etv6_runx1").splitlines()
    assert lines[0].startswith("What if: reduced instead of standard")
    assert lines[1].startswith("  Population:")
    assert next(n for n, line in enumerate(lines) if line.startswith("Status:")) > 6
    assert any("ETV6::RUNX1: negative:" in line for line in lines)
    assert any(line.startswith("Published: AIEOP-BFM ALL 2000") for line in lines)
    assert "not for decisions about an individual" in "\n".join(lines)


def test_a_refusal_by_the_data_is_an_answer_with_reasons(ask: Ask) -> None:
    answer = json.loads(ask("--treatment", "hsct_cr1", "--compare", "yes,no", "--json"))
    assert answer["status"] == "refused"
    assert [reason["code"] for reason in answer["reasons"]] == ["NO_TIME_ZERO"]
    assert answer["reasons"][0]["needed"]
    assert answer["estimates"] == [] == answer["contrasts"]


@pytest.mark.parametrize("options", [("--compare", "reduced"), ("--compare", "reduced,odd"), ("--replicates", "3"),
                                     ("--adjust", "nothing"), ("--endpoint", "relapse")])
def test_what_cannot_be_asked_ends_with_one_message(ask: Ask, options: tuple[str, ...]) -> None:
    assert ask(*options, code=2).startswith("harmony_dash: ")
