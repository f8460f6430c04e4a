from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.description_results import TableOne, TableOneVariable
from harmony_dash.errors import AccessRefused, QuestionError
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.outcome_map import ask_outcome_map
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.table_one import ask_table_one
from harmony_dash.settings import Settings
from harmony_dash.stats.standardised_difference import difference_of_means, difference_of_shares
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

CLINICIAN, STEERING = Actor("clara", Role.CLINICIAN, "s1"), Actor("stefan", Role.STEERING, "s2")
FRAME = make_patients(1500, seed=6)
FRAME["etv6_runx1"] = np.array(["neg", "pos", "failed", "not_done"], dtype=object)[FRAME.index % 4]
BY_SEX = Question("ALL", "os", by="sex")
FILTERED = Question("ALL", "os", (parse_filter("country=DE,NL"),), by="sex")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder: Path = tmp_path_factory.mktemp("descriptions")
    make_store(folder / "store", frame=FRAME)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=1000)
    return open_deployment(settings, now=lambda: NOW)


def exact(deployment: Deployment, question: Question, *names: str) -> TableOne:
    return ask_table_one(deployment, OPERATOR, question, names, level=Level.EXACT).value


def block(table: TableOne, name: str) -> TableOneVariable:
    return next(variable for variable in table.variables if variable.variable == name)


def test_exact_counts_are_those_of_the_patients(deployment: Deployment) -> None:
    table = exact(deployment, FILTERED, "cyto_group", "age_dx_years")
    assert {group.value for group in table.groups} == {"F", "M"}
    for group in table.groups:
        chosen = FRAME[(FRAME.sex == group.value) & FRAME.country.isin(["DE", "NL"])]
        assert group.n == len(chosen)
        assert group.choices is not None
        assert {value: n for value, n in group.choices.counts["cyto_group"].items() if n} == (
            chosen.cyto_group.value_counts().to_dict())
        assert group.choices.missing["cyto_group"] == int(chosen.cyto_group.isna().sum())
        assert group.quartiles["age_dx_years"].median == pytest.approx(float(np.median(chosen.age_dx_years)))


def test_standardised_differences_are_made_from_the_numbers_shown(deployment: Deployment) -> None:
    for step, table in ((0.01, exact(deployment, BY_SEX, "cyto_group", "age_dx_years")),
                        (0.05, ask_table_one(deployment, CLINICIAN, BY_SEX, ("cyto_group", "age_dx_years")).value)):
        one, other = table.groups
        assert one.choices is not None and other.choices is not None
        counts = [[group.counts["cyto_group"][value] or 0 for value in block(table, "cyto_group").values]
                  for group in (one.choices, other.choices)]
        assert block(table, "cyto_group").difference == round(step * round(difference_of_shares(*counts) / step), 2)
        ages = [group.quartiles["age_dx_years"] for group in (one, other)]
        values = [value for age in ages for value in (age.mean, age.deviation) if value is not None]
        assert block(table, "age_dx_years").difference == round(step * round(difference_of_means(*values) / step), 2)
        assert "p-value" in table.methods
        assert ("± 0.05" in table.methods) is (step == 0.05)


def test_a_standardised_difference_that_rounding_could_make_is_not_told(deployment: Deployment) -> None:
    few = replace(BY_SEX, where=(parse_filter("country=DE"),))
    table = ask_table_one(deployment, CLINICIAN, few, ("immunophenotype",)).value
    shown = [group.choices.counts["immunophenotype"] for group in table.groups if group.choices is not None]
    assert len(shown) == 2
    assert not any(counts[value] is None for counts in shown for value in ("B", "T"))
    assert block(table, "immunophenotype").difference is None
    assert block(exact(deployment, few, "immunophenotype"), "immunophenotype").difference is not None


def test_a_variable_of_which_the_filters_leave_no_value_has_no_difference(deployment: Deployment) -> None:
    for level in (Level.EXACT, Level.PROTECTED):
        question = replace(BY_SEX, where=(parse_filter("etv6_runx1=failed,not_done"),))
        table = ask_table_one(deployment, OPERATOR, question, ("etv6_runx1", "cyto_group"), level=level).value
        assert block(table, "etv6_runx1").difference is None


def test_protected_counts_are_those_of_the_cohort_panel(deployment: Deployment) -> None:
    table = ask_table_one(deployment, CLINICIAN, BY_SEX, ("cyto_group", "country")).value
    assert {group.value for group in table.groups} == {"F", "M"}
    for group in table.groups:
        question = Question("ALL", "os", (parse_filter(f"sex={group.value}"),))
        panel = count_choices(deployment, CLINICIAN, question, ("cyto_group", "country")).value
        assert group.choices is not None
        assert group.choices.counts == panel.counts
        assert group.choices.missing == panel.missing
        assert group.n == panel.total


def test_a_filter_leaves_its_values_alone_in_the_table(deployment: Deployment) -> None:
    table = exact(deployment, FILTERED, "country")
    assert list(block(table, "country").values) == ["DE", "NL"]
    assert table.groups[0].choices is not None
    assert list(table.groups[0].choices.counts["country"]) == ["DE", "NL"]


def test_without_a_grouping_everybody_is_one_column(deployment: Deployment) -> None:
    table = exact(deployment, replace(BY_SEX, by=None))
    assert [(group.name, group.n) for group in table.groups] == [("all patients", len(FRAME))]
    names = [variable.variable for variable in table.variables]
    assert {"age_dx_years", "wbc_dx", "sex", "age_group"} <= set(names)
    assert all(variable.difference is None for variable in table.variables)


def test_what_describes_nobody_is_refused(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="part of the outcome"):
        exact(deployment, BY_SEX, "death")
    with pytest.raises(QuestionError, match="at most 8 make columns"):
        exact(deployment, replace(BY_SEX, by="dx_period"))
    for actor, level in ((STEERING, Level.PROTECTED), (CLINICIAN, Level.EXACT)):
        with pytest.raises(AccessRefused):
            ask_table_one(deployment, actor, BY_SEX, level=level)
        with pytest.raises(AccessRefused):
            ask_outcome_map(deployment, actor, replace(BY_SEX, endpoint="efs"), columns="mrd_group", level=level)


@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_a_cell_of_a_map_is_a_group_of_the_survival_page(deployment: Deployment, level: Level) -> None:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    question = Question("ALL", "efs", by="cyto_group")
    cells = ask_outcome_map(deployment, actor, question, columns="mrd_group", level=level).value.cells
    compared = 0
    for column in ("mrd_cr", "mrd_failure"):
        alone = replace(question, where=(parse_filter(f"mrd_group={column}"),))
        groups = {group.label["cyto_group"]: group
                  for group in ask_survival(deployment, actor, alone, level=level, days=(1826,)).value.groups}
        for cell in cells:
            if cell.column == column and cell.at is not None and cell.row in groups:
                group = groups[cell.row]
                assert (cell.n, cell.events) == (group.n, group.events)
                assert (cell.at.estimate, cell.at.lower) == (group.at[0].estimate, group.at[0].lower)
                compared += 1
    assert compared >= 2


def test_a_map_starts_its_clock_when_both_variables_are_known(deployment: Deployment) -> None:
    found = ask_outcome_map(deployment, OPERATOR, Question("ALL", "efs", by="cyto_group"), columns="mrd_group",
                            level=Level.EXACT).value
    assert found.question.landmark_days == 42
    assert "day 42" in found.notes[0]
    followed = FRAME[(FRAME.efs_days > 42) & (FRAME.cyto_group == "good") & (FRAME.mrd_group == "mrd_cr")]
    assert next(cell.n for cell in found.cells if (cell.row, cell.column) == ("good", "mrd_cr")) == len(followed)


def test_a_map_needs_two_variables_with_few_values(deployment: Deployment) -> None:
    with pytest.raises(QuestionError, match="two different variables"):
        ask_outcome_map(deployment, CLINICIAN, Question("ALL", "efs"))
    with pytest.raises(QuestionError, match="at most 12 make columns"):
        ask_outcome_map(deployment, CLINICIAN, Question("ALL", "efs", by="sex"), columns="country")
