"""The export page on a real store: what it will hold, who may have it, what is built, and the receipts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.accounts import create_account
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import Decision, list_events
from harmony_dash.access.grant import GrantProposal
from harmony_dash.access.receipts import list_receipts
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level
from harmony_dash.export.files import Format
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.exports import make_export
from harmony_dash.services.grants import approve_grant, propose_grant
from harmony_dash.settings import Settings
from harmony_dash.ui.components import export_link
from harmony_dash.ui.components.export_kinds import Exported
from harmony_dash.ui.components.survival_view import SurvivalView
from tests.factories import ACCESS_KEY, NOW, make_store
from tests.pages.tables import tables_of

ROOT = Path(__file__).parents[2]
SANNE, STEFAN = Actor("sanne", Role.STEERING, "s1", "Sanne Steer"), Actor("stefan", Role.STEERING, "s2", "Stefan Steer")
ANNA, CLARA = Actor("anna", Role.ANALYST, "s3", "Anna Lyst"), Actor("clara", Role.CLINICIAN, "s4", "Clara Clinic")
DORA = Actor("dora", Role.DATA_MANAGER, "s5", "Dora Data")
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"),), by="sex")


@dataclass
class House:
    """A deployment, and who is looking."""

    deployment: Deployment
    actor: Actor = SANNE

    def open(self, question: Question | None = QUESTION) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "export.py"), default_timeout=60)
        if question is not None:
            page.query_params["q"] = question.canonical_json
        return page.run()

    def open_table(self, settings: dict[str, str], question: Question = QUESTION) -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "export.py"), default_timeout=60)
        for name, value in {"q": question.canonical_json, "export": "tables", **settings}.items():
            page.query_params[name] = value
        return page.run()

    def grant(self) -> str:
        today = NOW.date()
        identifier = propose_grant(self.deployment, DORA, GrantProposal(
            "Study", "To see.", ("ALL",), ("NL", "DE"), ("sex", "immunophenotype"), Level.EXACT, (ANNA.username,),
            today, today + timedelta(days=30))).id
        for actor in (SANNE, STEFAN):
            approve_grant(self.deployment, actor, identifier)
        self.actor = replace(ANNA, grants=(identifier,))
        return identifier


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("export_page") / "store"
    make_store(folder, 900)
    return folder


@pytest.fixture
def house(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    deployment = open_deployment(Settings(store, tmp_path / "access.sqlite", None, access_key=ACCESS_KEY),
                                 now=lambda: NOW)
    for actor in (SANNE, STEFAN, ANNA, CLARA, DORA):
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


def downloads_of(page: AppTest) -> list[str]:
    return [element.proto.label for element in page.get("download_button")]


@pytest.mark.parametrize("actor", [CLARA, DORA], ids=lambda actor: actor.role)
def test_whoever_may_not_export_is_refused_and_recorded(house: House, actor: Actor) -> None:
    house.actor = actor
    page = house.open()
    assert not page.exception
    assert "not open to your role" in words_of(page)
    assert not tables_of(page)
    assert list_events(house.deployment.access)[0].event.decision is Decision.REFUSED


def test_the_question_of_the_link_is_shown_with_what_its_files_will_hold(house: House) -> None:
    page = house.open()
    assert not page.exception
    assert "Event-free survival of " in words_of(page)
    assert "immunophenotype: B-cell precursor, by sex" in words_of(page)
    table = next(table for table in tables_of(page) if "Patients" in table.columns)
    assert list(table.iloc[:, 0]) == ["Female", "Male"]
    assert all(int(n) % 5 == 0 for n in table["Patients"])
    assert downloads_of(page) == []
    assert not list_receipts(house.deployment.access)


def test_without_a_link_the_page_starts_like_the_survival_page(house: House) -> None:
    page = house.open(None)
    assert not page.exception
    assert "age group: 1–9 years or 10–17 years" in words_of(page)


def test_a_click_builds_the_files_and_leaves_a_receipt(house: House) -> None:
    page = house.open()
    page.button(key="export.build").click().run()
    assert not page.exception
    (saved,) = list_receipts(house.deployment.access)
    assert json.loads(saved.receipt.question) == QUESTION.to_json()
    assert saved.receipt.username == "sanne"
    assert f"Ready: receipt {saved.receipt.number}" in words_of(page)
    assert downloads_of(page) == ["Everything (ZIP)", "Report", "Excel workbook"]
    receipts = tables_of(page)[-1]
    assert saved.receipt.number in str(receipts.iloc[0, 0]).replace("\\", "")
    assert list(receipts["Who"]) == ["sanne"]


def test_the_chosen_formats_are_the_ones_that_are_built(house: House) -> None:
    page = house.open()
    page.button_group(key="export.formats").set_value([Format.PNG]).run()
    page.button(key="export.build").click().run()
    assert not page.exception
    assert downloads_of(page) == ["Everything (ZIP)", "Figure, PNG"]
    page.button_group(key="export.formats").set_value([]).run()
    assert page.button(key="export.build").disabled
    assert "at least one" in words_of(page)


def test_files_of_another_question_never_stand_beside_this_one(house: House) -> None:
    page = house.open()
    page.button(key="export.build").click().run()
    assert downloads_of(page)
    page.selectbox(key="survival.endpoint").set_value("os").run()
    assert not page.exception
    assert downloads_of(page) == []


def test_filters_can_be_set_here_too(house: House) -> None:
    page = house.open()
    page.multiselect(key="export.where.country").set_value(["DE"]).run()
    assert not page.exception
    assert "country: Germany" in words_of(page)
    page.multiselect(key="export.search").set_value(["hsct_cr1"]).run()
    assert page.multiselect(key="export.where.hsct_cr1").value == []


def test_an_export_under_an_exact_grant_is_protected(house: House) -> None:
    identifier = house.grant()
    page = house.open()
    page.button_group(key="rights.control").set_value(identifier).run()
    assert "Files hold protected numbers, also under a grant" in words_of(page)
    assert not page.exception
    page.button(key="export.build").click().run()
    (saved,) = list_receipts(house.deployment.access)
    assert (saved.receipt.grant, saved.receipt.level) == (identifier, "protected")


def test_a_question_outside_the_grant_is_told_calmly(house: House) -> None:
    identifier = house.grant()
    page = house.open(replace(QUESTION, by="age_group"))
    page.button_group(key="rights.control").set_value(identifier).run()
    assert not page.exception
    assert "does not cover the variable 'age_group'" in words_of(page)
    assert not [button for button in page.button if button.key == "export.build"]


def test_too_few_patients_are_a_designed_answer(house: House) -> None:
    page = house.open(replace(QUESTION, where=(parse_filter("sex=?"),)))
    assert not page.exception
    assert "Too few patients to export anything" in words_of(page)


def test_everybody_sees_their_own_receipts_and_the_committee_all(house: House) -> None:
    for actor in (ANNA, STEFAN):
        make_export(house.deployment, actor, QUESTION, formats=[Format.CSV])
    assert sorted(tables_of(house.open())[-1]["Who"]) == ["anna", "stefan"]
    house.actor = ANNA
    mine = tables_of(house.open())[-1]
    assert "Who" not in mine.columns
    assert len(mine) == 1


def test_many_receipts_come_in_parts(house: House) -> None:
    for _ in range(12):
        make_export(house.deployment, SANNE, QUESTION, formats=[Format.CSV])
    page = house.open()
    assert len(tables_of(page)[-1]) == 10
    page.button(key="export.receipts.more").click().run()
    assert len(tables_of(page)[-1]) == 12


def test_only_those_who_may_export_find_the_way_here(monkeypatch: pytest.MonkeyPatch) -> None:
    links: list[dict[str, object]] = []
    monkeypatch.setattr("streamlit.page_link", lambda page, **options: links.append({"page": page, **options}))
    for actor in (CLARA, SANNE, ANNA):
        export_link.show_export_link(actor, SurvivalView(QUESTION))
    assert [Path(str(link["page"])).name for link in links] == ["export.py", "export.py"]
    assert links[0]["query_params"] == {"q": QUESTION.canonical_json}


# ------------------------------------------------------------------------------------------- tables of subgroups


@pytest.mark.parametrize(("settings", "told", "key"), [
    ({"variables": "sex,cyto_group"}, "by subgroup", "treatment"),
    ({"view": "map", "rows": "cyto_group", "columns": "sex"}, "by two variables", "outcome_map"),
    ({"view": "characteristics", "variables": "cyto_group", "by": "sex"}, "Characteristics of patients",
     "table_one")])
def test_a_table_of_the_link_is_shown_and_built(house: House, settings: dict[str, str], told: str, key: str) -> None:
    page = house.open_table(settings)
    assert not page.exception
    assert told in words_of(page)
    assert tables_of(page)
    assert page.query_params["export"] == "tables"
    page.button(key="export.build").click().run()
    assert not page.exception
    assert "Everything (ZIP)" in downloads_of(page)
    (saved,) = list_receipts(house.deployment.access)
    assert told in saved.receipt.title
    assert key in json.loads(saved.receipt.question)


def test_a_table_with_nothing_to_show_says_so_and_builds_nothing(house: House) -> None:
    page = house.open_table({"variables": "sex"}, replace(QUESTION, by=None, where=(parse_filter("wbc_band=<10"),)))
    page.button(key="export.build").click().run()
    assert not page.exception
    assert "nothing to export" in words_of(page)
    assert not list_receipts(house.deployment.access)


def test_the_choice_leads_from_curves_to_tables_and_back(house: House) -> None:
    page = house.open()
    for kind, told in (("tables", "by subgroup"), ("curves", "by sex")):
        page.session_state["export.kind_chosen"] = Exported(kind)
        page.run()
        assert not page.exception
        assert told in words_of(page)
