"""One hazard ratio wherever it is shown: on the Survival page, in the table of subgroups, and in an export."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.policy import RULES
from harmony_dash.disclosure.results import HazardRatio, SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.export.files import Format
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.exports import make_export
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

VARIABLES = ("sex", "age_group", "cyto_group", "country", "etv6_runx1")
MARKER = np.array(["neg", "pos", "failed", "not_done", None], dtype=object)
B_CELL = (parse_filter("immunophenotype=B"),)
COHORTS = [Question("ALL", "efs"), Question("ALL", "os", B_CELL), Question("ALL", "relapse"),
           Question("ALL", "trm", B_CELL), Question("ALL", "relapse_1km", landmark_days=90)]


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Good cytogenetics fail late and rarely, high-risk ones early; a sixtieth of the patients is of a small level."""
    folder = Path(tmp_path_factory.mktemp("ratios"))
    rng = np.random.default_rng(4)
    frame = make_patients(2400, seed=4)
    frame["etv6_runx1"] = rng.choice(MARKER, len(frame), p=[0.5, 0.3, 0.05, 0.1, 0.05])
    frame.loc[frame.index[:40], "age_group"] = "40-59"
    frame.loc[frame.index[100:200], "trial"] = None
    make_store(folder / "store", frame=frame)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=1000)
    return open_deployment(settings, now=lambda: NOW)


def in_table(result: SubgroupsResult, name: str) -> tuple[str, dict[str, HazardRatio]]:
    """The reference and the ratios of one variable in the table of subgroups, by level."""
    variable = next(one for one in result.variables if one.variable == name)
    return variable.reference, {row.level: row.hazard_ratio for row in variable.rows if row.hazard_ratio is not None}


def on_page(result: SurvivalResult, name: str) -> tuple[str, dict[str, HazardRatio]]:
    """The same on the Survival page."""
    reference = next((group.label[name] for group in result.groups if group.name == result.reference), "")
    return reference, {group.label[name]: group.hazard_ratio for group in result.groups
                       if group.hazard_ratio is not None}


@pytest.mark.parametrize("strata", [None, "trial"])
@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
@pytest.mark.parametrize("cohort", COHORTS, ids=lambda cohort: cohort.endpoint)
def test_the_survival_page_and_the_table_give_the_same_ratio(deployment: Deployment, cohort: Question, level: Level,
                                                             strata: str | None) -> None:
    table = ask_subgroups(deployment, OPERATOR, SubgroupsQuestion(cohort, VARIABLES, strata), level=level).value
    found = 0
    for name in VARIABLES:
        page = ask_survival(deployment, OPERATOR, replace(cohort, by=name, strata=strata), level=level).value
        assert on_page(page, name) == in_table(table, name)
        found += len(in_table(table, name)[1])
    assert found >= 6


@pytest.mark.parametrize("strata", [None, "trial"])
@pytest.mark.parametrize("endpoint", ["efs", "relapse"])
def test_an_export_holds_the_ratio_of_the_page(deployment: Deployment, endpoint: str, strata: str | None) -> None:
    question = Question("ALL", endpoint, by="cyto_group", strata=strata)
    page = ask_survival(deployment, OPERATOR, question)
    exported = make_export(deployment, OPERATOR, question, formats={Format.CSV, Format.HTML})
    files = {file.name: file.content.decode() for file in exported.bundle.files if file.name.endswith(("csv", "html"))}
    told = {group["name"]: group for group in survival_as_json(page)["groups"]}
    compared = 0
    for row in csv.DictReader(io.StringIO(files["groups.csv"], newline="")):
        group = told[row["group"]]
        assert row["reference"] == page.value.reference
        if group["hr_p"] is not None:
            compared += 1
            assert [float(row[name]) for name in ("hr", "hr_lower", "hr_upper", "hr_p")] == [
                group["hr"], group["hr_lower"], group["hr_upper"], group["hr_p"]]
            assert f"{group['hr']:.2f} ({group['hr_lower']:.2f}–{group['hr_upper']:.2f})" in files["report.html"]
    assert compared == 2
    assert ("ause-specific HR" in files["report.html"]) is (endpoint == "relapse")


def test_released_ratios_have_two_decimals_and_the_reference_none(deployment: Deployment) -> None:
    page = ask_survival(deployment, OPERATOR, Question("ALL", "efs", by="cyto_group")).value
    assert [group.name for group in page.groups if group.hazard_ratio is None] == [page.reference]
    rules = RULES[Level.PROTECTED]
    for group in page.groups:
        if group.hazard_ratio is not None:
            values = group.hazard_ratio.ratio, group.hazard_ratio.lower, group.hazard_ratio.upper
            assert values == tuple(round(value, 2) for value in values)
            assert group.hazard_ratio.p >= rules.smallest_p
    assert f"hazard ratios against {page.reference}" in page.methods


def test_groups_that_answer_different_questions_have_no_ratio(deployment: Deployment) -> None:
    """Forty patients of an age group of their own: the sex filter is dropped where it says nothing."""
    page = ask_survival(deployment, OPERATOR, Question("ALL", "efs", by="age_group")).value
    named = {group.name for group in page.groups if group.hazard_ratio is not None} | {page.reference}
    assert named <= {*page.compared, ""}


def test_without_groups_there_is_nothing_to_compare(deployment: Deployment) -> None:
    page = ask_survival(deployment, OPERATOR, Question("ALL", "efs")).value
    assert (page.reference, page.over_time) == ("", None)
    assert "hazard ratio" not in page.methods
    assert json.dumps(survival_as_json(ask_survival(deployment, OPERATOR, Question("ALL", "efs"))))


@pytest.mark.parametrize(("crossing", "told"), [(True, True), (False, False)])
def test_hazards_that_cross_are_told_of_in_words(tmp_path: Path, crossing: bool, told: bool) -> None:
    """Boys fail early and girls late, or both alike."""
    rng = np.random.default_rng(9)
    frame = make_patients(1200, seed=9)
    early = rng.random(len(frame)) < np.where((frame.sex == "M") & crossing, 0.8, 0.3)
    days = np.where(early, rng.integers(1, 900, len(frame)), rng.integers(900, 2400, len(frame)))
    frame = frame.assign(efs_days=days, efs_cause=(rng.random(len(frame)) < 0.6) * 1)
    make_store(tmp_path / "store", frame=frame.astype({"efs_days": "Int32", "efs_cause": "Int32"}))
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY)
    page = ask_survival(open_deployment(settings, now=lambda: NOW), OPERATOR, Question("ALL", "efs", by="sex")).value
    assert page.over_time is not None
    assert (page.over_time.p < 0.01) is told
    assert ("Hazards are not proportional" in page.summary) is told
    assert "Grambsch–Therneau" in page.methods
