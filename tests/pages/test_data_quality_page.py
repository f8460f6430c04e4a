"""The data quality page on a real deployment: who sees what, filters, the trend, sign-off, the report, problems."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import harmony_dash.ui.guard
import harmony_dash.ui.startup
from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import list_events
from harmony_dash.disclosure.quality_results import QualityResult
from harmony_dash.quality.model import Category, Verdict
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.grants import withdraw_country
from harmony_dash.services.ingest import ingest_sources
from harmony_dash.services.quality import SIGN_OFF, ask_quality
from harmony_dash.settings import Settings
from harmony_dash.ui.components.quality_checks import build_history, select_checks
from harmony_dash.ui.components.quality_details import build_matrix, build_trend_table
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_store
from tests.pages.tables import tables_of

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data_samples"
SANNE = Actor("sanne", Role.STEERING, "s1", "Sanne Steer")
DORA = Actor("dora", Role.DATA_MANAGER, "s3", "Dora Data")
ANNA = Actor("anna", Role.ANALYST, "s4", "Anna Lyst")
CLARA = Actor("clara", Role.CLINICIAN, "s5", "Clara Clinic")


class Clock:
    moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class House:
    """A deployment and who is looking."""

    deployment: Deployment
    actor: Actor = DORA

    def open(self, source: str = "") -> AppTest:
        page = AppTest.from_file(str(ROOT / "pages" / "data_quality.py"), default_timeout=60)
        if source:
            page.query_params["source"] = source
        return page.run()

    def ask(self, source: str) -> QualityResult:
        return ask_quality(self.deployment, SANNE, source).value


def open_at(folder: Path, clock: Clock) -> Deployment:
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32,
                        disclosure_key=DISCLOSURE_KEY, access_key=ACCESS_KEY)
    return open_deployment(settings, now=clock)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two snapshots of two sources, to be copied."""
    folder = tmp_path_factory.mktemp("published")
    clock = Clock()
    deployment = open_at(folder, clock)
    for days in (0, 30):
        clock.moment = NOW + timedelta(days=days)
        ingest_sources(deployment, OPERATOR, [SAMPLES / "de_aieop_bfm", SAMPLES / "nordic_nopho"])
    deployment.access.close()
    return folder


@pytest.fixture
def house(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    folder = Path(shutil.copytree(published, tmp_path / "house"))
    clock = Clock()
    clock.moment = NOW + timedelta(days=31)
    opened = House(open_at(folder, clock))
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: opened.actor)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", opened.deployment)
    yield opened
    opened.deployment.access.close()


def words_of(page: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "subheader", "success", "error", "warning")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind)).replace("\\", "")


def words_of_tables(page: AppTest) -> str:
    return "\n".join(table.to_csv(index=False) for table in tables_of(page))


@pytest.mark.parametrize("actor", [SANNE, DORA, ANNA], ids=lambda actor: actor.role)
def test_it_shows_sources_tiles_checks_trend_reasons_and_risk_groups(house: House, actor: Actor) -> None:
    house.actor = actor
    page = house.open("nordic_nopho")
    assert not page.exception
    assert [one.value for one in page.subheader] == [
        "Checks", "Over the snapshots", "Rows by reason", "Reported and derived risk groups", "Sign-off",
        "Report for the provider"]
    assert len(page.metric) == 9 and len(page.get("plotly_chart")) == 1
    tables = words_of_tables(page)
    assert "de_aieop_bfm" in tables and "Refused" in tables and "hidden" in tables
    assert "Day of first event contradicts another day" in tables
    assert bool(page.text_area) is (actor is DORA)


def test_a_clinician_is_refused(house: House) -> None:
    house.actor = CLARA
    page = house.open()
    assert "not open to your role" in words_of(page) and not tables_of(page)


def test_filters_choose_checks_and_an_empty_choice_says_so(house: House) -> None:
    page = house.open("nordic_nopho")
    page.selectbox(key="quality.type").select("completeness").run()
    assert "No check of this source fits" in words_of(page)
    page.session_state["quality.verdict"] = [Verdict.PASS]
    page.run()
    assert not page.exception
    assert "is missing" in words_of_tables(page)
    page.text_input(key="quality.text").set_value("wbc").run()
    assert "White cell count at diagnosis is missing" in words_of_tables(page)


def test_a_check_is_explained_with_its_history(house: House) -> None:
    page = house.open("nordic_nopho")
    page.selectbox(key="quality.one").select("range.wbc_dx").run()
    assert not page.exception
    assert "outside the range that the dictionary permits" in words_of(page)
    assert words_of_tables(page).count("20261121T120000Z") == 1


def test_a_check_of_outcomes_is_explained_without_a_number(house: House) -> None:
    page = house.open("nordic_nopho")
    assert "does not look at outcomes" in words_of(page)
    page.session_state["quality.verdict"] = [Verdict.PASS]
    page.text_input(key="quality.text").set_value("drift.death.is_yes").run()
    page.selectbox(key="quality.one").select("drift.death.is_yes").run()
    assert not page.exception
    assert "Its numbers are not shown" in words_of(page)
    assert words_of_tables(page).count("not shown,not shown,–") == 2


def test_the_trend_has_a_table(house: House) -> None:
    page = house.open("nordic_nopho")
    page.session_state["quality.trend.table"] = True
    page.run()
    assert not page.exception
    assert "2026-12-21" in words_of_tables(page) and "failed" in words_of_tables(page)


def test_a_data_manager_signs_off_and_everybody_reads_it(house: House) -> None:
    page = house.open("nordic_nopho")
    page.text_area(key="quality.words").input("Refused **rows** agreed with the provider.")
    next(button for button in page.button if button.label == "Sign off this source").click()
    page.run()
    assert not page.exception
    recorded = list_events(house.deployment.access, action=SIGN_OFF)
    assert [row.event.username for row in recorded] == ["dora"]
    house.actor = SANNE
    page = house.open("nordic_nopho")
    assert "Refused **rows** agreed" in words_of(page)
    assert any("\\*\\*rows" in one.value for one in page.markdown)
    assert "2026-12-22" in words_of_tables(page)


def test_a_sign_off_without_words_is_refused_in_words(house: House) -> None:
    page = house.open("nordic_nopho")
    next(button for button in page.button if button.label == "Sign off this source").click()
    page.run()
    assert "A sign-off says something" in words_of(page)


def test_the_report_is_made_when_it_is_asked_for(house: House) -> None:
    page = house.open("nordic_nopho")
    assert not page.get("download_button")
    page.button(key="quality.prepare").click().run()
    assert not page.exception
    labels = [button.proto.label for button in page.get("download_button")]
    assert [label.rpartition(".")[2] for label in labels[:2]] == ["html", "csv"]
    assert all("nordic_nopho" in label for label in labels[:2])
    assert labels[2:] == ["Reasons, risk groups and trend (ZIP)"]


def test_a_withdrawn_source_is_named_and_not_shown(house: House) -> None:
    withdraw_country(house.deployment, OPERATOR, "IS", "letter")
    page = house.open()
    assert not page.exception
    assert "A country in nordic_nopho was withdrawn" in words_of(page)
    assert "nordic_nopho" not in words_of_tables(page)


def test_a_missing_store_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = open_at(tmp_path, Clock())
    monkeypatch.setattr(harmony_dash.ui.guard, "current_actor", lambda: DORA)
    monkeypatch.setattr(harmony_dash.ui.startup, "_deployment", deployment)
    page = House(deployment).open()
    assert not page.exception
    assert "no snapshot yet" in words_of(page)
    make_store(tmp_path / "store", 200)
    page = House(deployment).open()
    assert not page.exception
    assert "This is the first snapshot with this source" in words_of(page)
    deployment.access.close()


# -- parts -------------------------------------------------------------------------------------------------------------


def test_select_checks_puts_failed_ones_first_and_reads_ids_and_words(house: House) -> None:
    results = house.ask("nordic_nopho").sources[0].results
    everything = select_checks(results, [], [], "", "")
    order = [Verdict.FAIL, Verdict.WARN, Verdict.PASS, Verdict.NOT_APPLICABLE]
    places = [order.index(one.verdict) for one in everything]
    assert len(everything) == len(results) and places == sorted(places)
    assert {one.check.category for one in select_checks(results, [], [Category.COMPLETENESS], "", "")} == {
        Category.COMPLETENESS}
    assert {one.check.variable for one in select_checks(results, [], [], "range", "hb")} == {"hb"}
    assert select_checks(results, [], [], "", "no such words") == []


def test_the_matrix_leaves_out_rows_of_nobody_and_the_history_has_a_row_a_snapshot(house: House) -> None:
    released = ask_quality(house.deployment, SANNE, "de_aieop_bfm")
    source = released.value.sources[0]
    table = build_matrix(source.matrices[0], house.deployment.store.current().dictionary)
    assert "very high risk" not in set(table["Reported"]) and "standard risk" in set(table["Reported"])
    assert len(build_history(released, source.results[0])) == 2
    assert len(build_trend_table(released)) == 2
