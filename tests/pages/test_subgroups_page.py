"""The page of subgroups on a real store: its views, what they refuse, and what a link brings back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.charts.forest_lines import list_level_lines
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import FIVE_YEARS
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import QuestionError
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.settings import Settings
from harmony_dash.ui.components.subgroup_levels import find_variable, view_of_curves
from harmony_dash.ui.components.subgroup_view import (
    Shown,
    SubgroupSettings,
    build_question,
    fit_settings,
    read_settings,
    write_settings,
)
from harmony_dash.ui.components.survival_view import SurvivalView
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store
from tests.pages.tables import tables_of
from tests.unit.charts.test_forest_figure import table

ROOT = Path(__file__).parents[2]
CLARA, SANNE = Actor("clara", Role.CLINICIAN, "s1", "Clara Clinic"), Actor("sanne", Role.STEERING, "s2", "Sanne Steer")
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex")
VARIABLES = "sex,age_group,cyto_group"
DICTIONARY = load_dictionary()


@dataclass
class House:
    """A deployment, and who is looking."""

    deployment: Deployment
    actor: Actor = CLARA

    def open(self, question: Question = QUESTION, **parameters: str) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "subgroups.py"), default_timeout=60)
        page.query_params["q"] = question.canonical_json
        for key, value in {"variables": VARIABLES, **parameters}.items():
            page.query_params[key] = value
        return page.run()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Patients whose treatment was reduced or standard within each trial."""
    folder: Path = tmp_path_factory.mktemp("subgroups_page") / "store"
    patients = make_patients(2400)
    patients["intensity_assigned"] = np.random.default_rng(2).choice(["reduced", "standard"], len(patients))
    make_store(folder, frame=patients)
    return folder


@pytest.fixture
def house(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    deployment = open_deployment(Settings(store, tmp_path / "access.sqlite", None, access_key=ACCESS_KEY),
                                 now=lambda: NOW)
    for actor in (CLARA, SANNE):
        create_account(deployment.access, username=actor.username, name=actor.name, role=actor.role, by=OPERATOR,
                       password="violet kettle under seven stairs", now=NOW, rounds=4)
    opened = House(deployment)
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: opened.actor)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", deployment)
    yield opened
    deployment.access.close()


def words_of(page: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "subheader", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind)).replace("\\", "")


def counter_of(page: AppTest) -> tuple[int, int]:
    """Comparisons in the table, and before it."""
    found = re.search(r"\*\*(\d+)\*\* comparisons were made in this table \([^)]*\), \*\*(\d+)\*\* before it",
                      words_of(page))
    assert found is not None
    return int(found[1]), int(found[2])


def figures_of(page: AppTest) -> list[str]:
    return [str(json.loads(element.proto.spec)) for element in page.get("plotly_chart")]


def test_who_may_not_see_outcomes_is_refused_and_recorded(house: House) -> None:
    house.actor = SANNE
    page = house.open()
    assert not page.exception
    assert "not open to your role" in words_of(page)
    assert not page.get("plotly_chart")
    assert list_events(house.deployment.access)[0].event.decision is Decision.REFUSED


def test_the_first_view_is_an_answer(house: House) -> None:
    page = AppTest.from_file(str(ROOT / "pages" / "subgroups.py"), default_timeout=60).run()
    assert not page.exception
    said = words_of(page)
    assert "Event-free survival of " in said
    assert "by subgroup" in said
    assert "in this table" in said
    assert len(figures_of(page)) == 2  # one for a wide page, one for a narrow one
    assert "What this page cannot tell you" in [element.label for element in page.expander]


def test_levels_have_their_rows_their_tests_and_a_counter(house: House) -> None:
    page = house.open()
    assert not page.exception
    figure = figures_of(page)[0]
    for words in ("Sex", "Age group", "Cytogenetic risk group", "Female", "1 (reference)", "not recorded"):
        assert words in figure
    made, before = counter_of(page)
    assert (made, before) == (8, 0)
    assert "5 of levels and 3 of variables" in words_of(page)
    assert "snapshot" in words_of(page)


def test_comparisons_of_tables_opened_before_are_told_and_not_counted_twice(house: House) -> None:
    page = house.open()
    first, _ = counter_of(page)
    page.selectbox(key="survival.endpoint").set_value("os").run()
    assert not page.exception
    second, before = counter_of(page)
    assert before == first
    page.selectbox(key="survival.endpoint").set_value("rfs").run()
    assert counter_of(page)[1] == first + second
    page.selectbox(key="survival.endpoint").set_value("efs").run()
    assert counter_of(page) == (first, 0)


def test_a_treatment_has_its_effect_by_level_and_the_choice_of_plot(house: House) -> None:
    page = house.open(treatment="intensity_assigned")
    assert not page.exception
    plots = page.button_group(key="subgroups.effect")
    assert plots.value == 1
    figure = figures_of(page)[0]
    for words in ("favours standard", "reduced", "Shrunken", "interaction p"):
        assert words in figure
    assert "from day 90 after diagnosis" in words_of(page)
    assert "ICEMAN" in words_of(page)
    plots.set_value(0).run()
    assert not page.exception
    assert "1 (reference)" in figures_of(page)[0]


def test_choosing_a_treatment_keeps_everything_else(house: House) -> None:
    page = house.open(at="1096")
    page.selectbox(key="subgroups.treatment").set_value("intensity_assigned").run()
    assert not page.exception
    assert page.query_params["treatment"] == "intensity_assigned"
    assert page.query_params["at"] == "1096"
    assert page.selectbox(key="subgroups.at").value == 1096
    assert page.multiselect(key="subgroups.variables").value == VARIABLES.split(",")


def test_a_treatment_known_only_later_is_refused_calmly_with_the_way_out(house: House) -> None:
    page = house.open(treatment="hsct_cr1")
    assert not page.exception
    assert "becomes known only during follow-up" in words_of(page)
    assert not figures_of(page)
    page.selectbox(key="survival.landmark").set_value(183).run()
    assert not page.exception
    assert "becomes known only during follow-up" not in words_of(page)


def test_a_cohort_of_too_few_is_a_designed_page(house: House) -> None:
    rare = ("country=FR", "cyto_group=high", "age_group=18-39")
    few = replace(QUESTION, where=(*QUESTION.where, *map(parse_filter, rare)))
    page = house.open(few)
    assert not page.exception
    assert not figures_of(page)
    said = words_of(page)
    assert "Too few patients to compare subgroups" in said
    assert "What you can do" in said


def test_two_variables_at_once(house: House) -> None:
    page = house.open(view="map", rows="cyto_group", columns="mrd_group")
    assert not page.exception
    (figure,) = figures_of(page)
    assert "good risk" in figure
    assert "by two variables: Cytogenetic risk group and MRD group" in words_of(page)
    assert "not compared by any test" in words_of(page)


def test_table_one_has_shares_and_standardised_differences_and_no_p(house: House) -> None:
    page = house.open(view="characteristics", by="sex", variables="age_group,cyto_group")
    assert not page.exception
    (table,) = tables_of(page)
    columns = [column.replace("\\", "") for column in table.columns]
    assert columns[0] == "Characteristic"
    assert columns[1].startswith("Female (n ")
    assert columns[-1] == "Std. diff."
    assert not {"p", "q"} & set(columns)
    cells = table.astype(str).to_numpy().ravel().tolist()
    assert any("%" in cell for cell in cells)
    assert "no p-values" in words_of(page)


def test_a_link_restores_the_view_and_the_address_keeps_it(house: House) -> None:
    page = house.open(view="map", rows="cyto_group", columns="sex", at="1096")
    assert page.button_group(key="subgroups.shown").value == Shown.MAP
    assert page.selectbox(key="subgroups.rows").value == "cyto_group"
    assert page.selectbox(key="subgroups.at").value == 1096
    assert {key: page.query_params[key] for key in ("view", "rows", "columns", "at")} == {
        "view": "map", "rows": "cyto_group", "columns": "sex", "at": "1096"}
    page.button_group(key="subgroups.shown").set_value(Shown.LEVELS).run()
    assert not page.exception
    assert "view" not in page.query_params
    assert page.query_params["rows"] == "cyto_group"


def test_a_link_with_settings_and_no_cohort_is_followed(house: House) -> None:
    page = house.open(treatment="intensity_assigned")
    assert page.selectbox(key="subgroups.treatment").value == "intensity_assigned"
    assert "q" in page.query_params and page.query_params["treatment"] == "intensity_assigned"


@pytest.mark.parametrize("parameters", [
    {"view": "nowhere"}, {"at": "never"}, {"at": "0"}, {"variables": "sex,<b>"}, {"treatment": "sex"},
    {"variables": ",".join(["sex"] * 41)}], ids=str)
def test_a_link_that_cannot_be_read_says_so_and_shows_the_first_settings(house: House, parameters: dict[str, str],
                                                                         ) -> None:
    page = house.open(**parameters)
    assert not page.exception
    assert "The link could not be read" in words_of(page)
    assert figures_of(page)


def test_the_plot_has_its_lines_and_tests_as_tables(house: House) -> None:
    page = house.open(treatment="intensity_assigned")
    assert not page.exception
    lines, tests = tables_of(page)[-2:]
    assert lines.columns[0] == "Variable and level"
    assert "Age group" in list(lines.iloc[:, 0])
    said = list(tests["What may be said"].astype(str))
    assert set(said) & {"prognostic", "exploratory"}
    assert "predictive" not in said
    assert any("trials" in cell for cell in tests["Trials"].astype(str))


def test_curves_of_a_line_are_of_the_same_patients_clock_and_strata() -> None:
    released = table(2)
    lines = list_level_lines(released)
    assert find_variable({"selection": {"points": [{"y": 0}]}}, lines) == "v0"
    assert find_variable({"selection": {"points": [{"y": 5.78}]}}, lines) == "v1"
    for event in ({}, {"selection": {"points": []}}, {"selection": {"points": [{"y": 99}]}},
                  {"selection": {"points": [{"y": "<b>"}]}}, {"selection": {"points": [{"y": float("nan")}]}}):
        assert find_variable(event, lines) == ""
    asked = replace(released.value.question, cohort=replace(QUESTION, by=None, landmark_days=42))
    view = view_of_curves(SurvivalView(QUESTION), replace(released.value, question=asked), "cyto_group")
    assert view.question == replace(QUESTION, by="cyto_group", strata="trial", landmark_days=42)


# -- the settings --------------------------------------------------------------------------------------------------

SETTINGS = SubgroupSettings(Shown.MAP, ("sex", "cyto_group"), None, "intensity_assigned", ("standard", "reduced"), 731,
                            2, "cyto_group", "mrd_group", "sex")


@pytest.mark.parametrize("settings", [SubgroupSettings(), SETTINGS], ids=["first", "all"])
def test_settings_survive_the_link(settings: SubgroupSettings) -> None:
    assert read_settings(write_settings(settings), "ALL", DICTIONARY) == settings


def test_first_settings_add_nothing_to_the_address() -> None:
    assert write_settings(SubgroupSettings()) == {}


def test_what_treats_or_stratifies_is_not_looked_at_as_well() -> None:
    settings = SubgroupSettings(variables=("sex", "trial", "intensity_assigned"), treatment="intensity_assigned")
    question = build_question(QUESTION, settings, DICTIONARY)
    assert question.variables == ("sex",)
    assert (question.cohort.by, question.strata, question.at_days) == (None, "trial", FIVE_YEARS)


def test_one_arm_alone_is_not_sent() -> None:
    settings = SubgroupSettings(treatment="intensity_assigned", arms=("standard",))
    assert build_question(QUESTION, settings, DICTIONARY).arms == ()


def test_variables_are_those_of_the_immunophenotype_until_chosen() -> None:
    everybody, of_b = (build_question(replace(QUESTION, where=where), SubgroupSettings(), DICTIONARY).variables
                       for where in ((), QUESTION.where))
    assert set(everybody) - {"immunophenotype"} < set(of_b)
    assert "immunophenotype" not in of_b


def test_settings_lose_what_another_disease_does_not_have() -> None:
    fitted = fit_settings(SETTINGS, "MM", DICTIONARY)
    known = {variable.name for variable in DICTIONARY.askable("MM")}
    assert {*fitted.variables, fitted.rows, fitted.columns, fitted.by} - {""} <= known


def test_a_treatment_that_is_a_code_is_refused() -> None:
    with pytest.raises(QuestionError, match="trial_arm"):
        read_settings({"treatment": "trial_arm"}, "ALL", DICTIONARY)
