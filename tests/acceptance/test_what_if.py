"""The question the platform exists for, through the front door: on synthetic patients whose truth is known, on the
samples as they are, and on a real registry in which transplant at any time looks like protection."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.cli import main
from tests.acceptance.test_real_files import HERE, SHARED

Ask = Callable[..., dict[str, Any]]
SAMPLES = Path(__file__).parents[2] / "data_samples"
LOW_MRD = ["--where", "immunophenotype=B", "--where", "mrd_eoi_band=undetectable,insensitive,pnq,<0.01%"]


def ingest(folders: list[Path], store: Path, *options: str) -> Path:
    assert main(["ingest", *map(str, folders), "--store", str(store), *options]) == 0
    return store


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty thousand patients: five thousand are too few to see a difference of two points."""
    root = tmp_path_factory.mktemp("many")
    assert main(["synthesise", "--patients", "30000", "--seed", "7", "--out", str(root / "sources")]) == 0
    return ingest(sorted(path for path in (root / "sources").iterdir() if path.is_dir()), root / "store")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def what_if(store: Path, disease: str, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["what-if", "--store", str(store), "--disease", disease, "--json", "--replicates", "40",
                     *options]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return what_if


def contrast(answer: dict[str, Any], method: str, outcome: str = "rfs") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["contrasts"] if one["method"] == method
                                 and one["outcome"] == outcome and "mean" not in one["measure"])
    return found


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "protected"])
def test_less_treatment_harms_overall_and_not_in_etv6_runx1_as_generated(many: Path, ask: Ask, exact: bool) -> None:
    answer = ask(many, "ALL", "--endpoint", "rfs", *LOW_MRD, "--time", "1461", "--modifiers", "etv6_runx1",
                 *(["--exact"] if exact else []))

    assert answer["status"] != "refused"
    assert contrast(answer, "A")["upper"] < 0
    assert contrast(answer, "B")["estimate"] < 0 and contrast(answer, "C")["estimate"] < 0
    assert contrast(answer, "A", "relapse")["lower"] > 0
    # The confounded sources: whoever was given less had the better prognosis.
    assert contrast(answer, "plain")["estimate"] > 0
    assert "the opposite sign" in answer["summary"]
    assert "which decided who was treated how" in answer["summary"]
    levels = {one["level"]: one["difference"] for one in answer["effect_modification"]}
    assert levels["neg"]["upper"] < 0.005
    assert levels["pos"]["lower"] < 0 < levels["pos"]["upper"]
    assert levels["pos"]["estimate"] > levels["neg"]["estimate"] + 0.01


def test_where_lots_were_drawn_they_are_the_answer(many: Path, ask: Ask) -> None:
    answer = ask(many, "ALL", "--endpoint", "rfs", *LOW_MRD, "--time", "1461", "--exact")

    assert answer["primary"] == "randomised"
    assert contrast(answer, "randomised")["estimate"] < 0
    assert {cell["name"] for cell in answer["allocation"] if cell["mark"] == "randomised"} == {"AIEOP-BFM ALL 2000"}
    assert "AIEOP-BFM ALL 2000" in {anchor["trial"] for anchor in answer["anchors"]}


def test_the_samples_are_answered_or_refused_with_reasons_and_never_in_silence(tmp_path: Path, ask: Ask) -> None:
    store = ingest(sorted(path for path in SAMPLES.iterdir() if path.is_dir()), tmp_path / "store")

    refused = ask(store, "ALL", "--endpoint", "efs")
    assert refused["status"] == "refused"
    assert all(reason["needed"] for reason in refused["reasons"])
    assert not refused["estimates"] and not refused["contrasts"]
    answered = ask(store, "ALL", "--endpoint", "rfs", *LOW_MRD, "--time", "1461", "--exact")
    assert answered["status"] in ("answered", "amber")
    # Five thousand patients do not settle it: what is adjusted for takes the apparent benefit away.
    plain, adjusted = contrast(answered, "plain"), contrast(answered, "A")
    assert plain["lower"] > 0
    assert adjusted["lower"] < 0 < adjusted["upper"]
    assert "The interval holds no difference" in answered["summary"]


@pytest.mark.skipif(not (SHARED / "real").is_dir(), reason="the real registry files are not here")
def test_transplant_at_any_time_cannot_be_compared_with_never(tmp_path: Path, ask: Ask) -> None:
    folder = tmp_path / "amlsg"
    shutil.copytree(HERE / "sources" / "amlsg", folder)
    shutil.copyfile(SHARED / "real" / "amlsg_raw.csv", folder / "amlsg_raw.csv")
    dictionary = [part for path in sorted((HERE / "dictionary").glob("*.yaml"))
                  for part in ("--dictionary", str(path))]
    store = ingest([folder], tmp_path / "store", *dictionary)
    asked = ["--endpoint", "os", "--treatment", "hsct_any", "--compare", "yes,no", "--adjust",
             "age_dx_years,wbc_dx,eln_2010,npm1", "--exact"]

    ever = ask(store, "AML", *asked)
    assert ever["status"] == "refused"
    assert [reason["code"] for reason in ever["reasons"]] == ["NO_TIME_ZERO"]
    assert not ever["estimates"] and not ever["contrasts"] and not ever["allocation"]
    landmarked = ask(store, "AML", *asked, "--landmark", "183", "--time", "1096")
    assert landmarked["question"]["cohort"]["landmark_days"] == 183
    assert "day 183 after diagnosis" in landmarked["estimand"]["Time zero"]
    if landmarked["status"] != "refused":
        # Ever against never is a hazard ratio of 0.70, mostly survival until the transplant.
        assert contrast(landmarked, "A", "os")["estimate"] < 0.1
