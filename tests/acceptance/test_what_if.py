"""The question the platform exists for, through the front door: on synthetic patients whose truth is known, on the
samples as they are, and on a real registry in which transplant at any time looks like protection."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cli import main
from harmony_dash.cli.command import deployment_of
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.dictionary.examples import ExampleQuestion, load_examples
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.points import format_points
from harmony_dash.disclosure.what_if_results import Method, Status, WhatIfResult
from harmony_dash.disclosure.what_if_words import find_contrast, tell_plain
from harmony_dash.services.what_if import ask_what_if
from tests.acceptance.test_real_files import HERE, SHARED
from tests.what_if_cohort import CLINICIAN

Ask = Callable[..., dict[str, Any]]
SAMPLES = Path(__file__).parents[2] / "data_samples"
LOW_MRD = ("undetectable", "insensitive", "pnq", "<0.01%")
OF_LOW_MRD = ["--where", "immunophenotype=B", "--where", f"mrd_eoi_band={','.join(LOW_MRD)}"]


def ingest(folders: list[Path], store: Path, *options: str) -> Path:
    assert main(["ingest", *map(str, folders), "--store", str(store), *options]) == 0
    return store


@pytest.fixture(scope="module", autouse=True)
def _one_disclosure_key() -> Iterator[None]:
    """Protected limits hang on it: another one each time would shift them by some tenths of a point."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARMONY_DISCLOSURE_KEY", hashlib.sha256(b"these tests").hexdigest())
        yield


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty thousand patients: five thousand are too few to see a difference of two points."""
    root = tmp_path_factory.mktemp("many")
    assert main(["synthesise", "--patients", "30000", "--seed", "7", "--out", str(root / "sources")]) == 0
    return ingest(sorted(path for path in (root / "sources").iterdir() if path.is_dir()), root / "store")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five thousand patients that are delivered."""
    return ingest(sorted(path for path in SAMPLES.iterdir() if path.is_dir()),
                  tmp_path_factory.mktemp("samples") / "store")


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def what_if(store: Path, disease: str, *options: str) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["what-if", "--store", str(store), "--disease", disease, "--json", "--replicates", "40",
                     *options]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return what_if


def answer_on_page(store: Path, question: WhatIfQuestion, level: Level) -> WhatIfResult:
    """What the page shows to a clinician, or to an operator who may see exact numbers."""
    deployment = deployment_of(argparse.Namespace(store=store, makes_access=True))
    return ask_what_if(deployment, OPERATOR if level is Level.EXACT else CLINICIAN, question, level=level,
                       replicates=40).value


def question_of(example: ExampleQuestion) -> WhatIfQuestion:
    where = tuple(OneOf(name, values) for name, values in example.where.items())
    return WhatIfQuestion(Question(example.disease, example.endpoint, where), example.strategy, example.reference,
                          example.compared, modifiers=example.modifiers, horizon_days=example.horizon_days)


def contrast(answer: dict[str, Any], method: str, outcome: str = "rfs") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer["contrasts"] if one["method"] == method
                                 and one["outcome"] == outcome and "mean" not in one["measure"])
    return found


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_less_treatment_harms_overall_and_not_in_etv6_runx1_as_generated(many: Path, level: Level) -> None:
    question = WhatIfQuestion(
        Question("ALL", "rfs", (OneOf("immunophenotype", ("B",)), OneOf("mrd_eoi_band", LOW_MRD))), horizon_days=1096,
        modifiers=("etv6_runx1",))
    answer = answer_on_page(many, question, level)
    harm, plain = find_contrast(answer, Method.STANDARDISED), find_contrast(answer, Method.PLAIN)
    relapse = find_contrast(answer, Method.STANDARDISED, "relapse")

    assert answer.status is not Status.REFUSED
    assert harm and harm.upper is not None and harm.upper < 0
    assert relapse and relapse.lower is not None and relapse.lower > 0
    for method in (Method.AUGMENTED, Method.WEIGHTED):
        other = find_contrast(answer, method)
        assert other and other.estimate < 0
    levels = {one.level: one.difference for one in answer.effects}
    negative, positive = levels["neg"], levels["pos"]
    assert negative and positive
    assert negative.upper < 0.005
    assert positive.lower < 0 < positive.upper
    assert positive.estimate > negative.estimate + 0.01
    # Whoever was given less had the better prognosis: a plain comparison says benefit, and the page says why.
    assert plain and plain.lower is not None and plain.lower > 0
    main = find_contrast(answer, answer.primary)
    assert main
    (sentence,) = tell_plain(answer, main)
    assert f"{format_points(plain.estimate)} points, the opposite sign" in sentence
    assert "the arms were not alike" in sentence and "MRD band" in sentence
    assert sentence in answer.summary


def test_where_lots_were_drawn_they_are_the_answer(many: Path, ask: Ask) -> None:
    answer = ask(many, "ALL", "--endpoint", "rfs", *OF_LOW_MRD, "--time", "1461", "--exact")

    assert answer["primary"] == "randomised"
    assert contrast(answer, "randomised")["estimate"] < 0
    assert {cell["name"] for cell in answer["allocation"] if "randomised" in cell["mark"]} == {"AIEOP-BFM ALL 2000"}
    assert "AIEOP-BFM ALL 2000" in {anchor["trial"] for anchor in answer["anchors"]}


def test_the_samples_are_answered_or_refused_with_reasons_and_never_in_silence(samples: Path, ask: Ask) -> None:
    refused = ask(samples, "ALL", "--endpoint", "efs")
    assert refused["status"] == "refused"
    assert all(reason["needed"] for reason in refused["reasons"])
    assert not refused["estimates"] and not refused["contrasts"]
    answered = ask(samples, "ALL", "--endpoint", "rfs", *OF_LOW_MRD, "--time", "1461", "--exact")
    assert answered["status"] in ("answered", "amber")
    # Five thousand patients do not settle it: what is adjusted for takes the apparent benefit away.
    plain, adjusted = contrast(answered, "plain"), contrast(answered, "A")
    assert plain["lower"] > 0
    assert adjusted["lower"] < 0 < adjusted["upper"]
    assert "The interval holds no difference" in answered["summary"]


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_the_examples_of_the_page_show_an_answer_and_a_refusal_on_the_samples(samples: Path, level: Level) -> None:
    less, more, transplant = (answer_on_page(samples, question_of(one), level) for one in load_examples())

    assert less.status is Status.AMBER and less.primary is Method.STANDARDISED
    plain, adjusted = find_contrast(less, Method.PLAIN), find_contrast(less, Method.STANDARDISED)
    assert plain and plain.lower is not None and plain.lower > 0
    assert adjusted and adjusted.lower is not None and adjusted.upper is not None
    assert adjusted.lower < 0 < adjusted.upper
    assert "A plain comparison would have said +" in less.summary and "MRD band" in less.summary
    assert more.status is not Status.REFUSED and more.primary is Method.RANDOMISED
    assert transplant.status is Status.REFUSED and not transplant.curves and not transplant.contrasts
    assert [(one.code, bool(one.needed)) for one in transplant.reasons] == [("NO_TIME_ZERO", True)]


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
