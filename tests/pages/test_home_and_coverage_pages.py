"""Home and coverage: they render, have an empty state, refuse, and show problems calmly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.access.actor import Actor, Role
from harmony_dash.errors import StoreError
from harmony_dash.ui.components.welcome import QUESTIONS, choose_pages
from harmony_dash.ui.registry import PAGES
from tests.pages.fakes import FakeHouse
from tests.pages.tables import tables_of
from tests.pages.test_survival_page import words_of
from tests.unit.charts.factories import make_coverage

OpenPage = Callable[..., AppTest]


def test_coverage_answers_how_many_where_and_how_long_at_once(open_page: OpenPage) -> None:
    page = open_page("coverage")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["4,700", "6", "5", "6", "5.7 years"]
    assert [chart.proto.id.split("-coverage.")[1] for chart in page.get("plotly_chart")] == [
        "map", "country", "trial", "accrual", "cross.trial", "completeness.recorded", "follow_up", "case_mix"]
    for name in ("country", "trial", "accrual", "cross.trial", "completeness.recorded", "follow_up", "case_mix"):
        page.session_state[f"coverage.{name}.table"] = True
    page.run()
    assert not page.exception
    assert len(tables_of(page)) == 7


def test_coverage_has_countries_by_kind_and_what_else_is_known_of_a_variable(open_page: OpenPage) -> None:
    page = open_page("coverage", columns="Age group", part="Unknown", variables="true")
    assert not page.exception
    charts = [chart.proto.id for chart in page.get("plotly_chart")]
    assert any(chart.endswith("cross.age_group") for chart in charts)
    assert "nobody can tell" in words_of(page)


def test_what_changed_is_read_when_it_is_opened(open_page: OpenPage) -> None:
    page = open_page("coverage")
    page.session_state["coverage.changes"] = True
    page.run()
    assert not page.exception
    assert "The variables are the same." in words_of(page)
    assert len(tables_of(page)) == 2


def test_coverage_of_an_empty_release_says_so(house: FakeHouse, open_page: OpenPage) -> None:
    house.coverage = make_coverage(empty=True)
    page = open_page("coverage")
    assert not page.exception
    assert "No patients with this disease" in words_of(page)


@pytest.mark.parametrize("name", ["coverage"])
def test_a_store_that_is_missing_is_explained(house: FakeHouse, open_page: OpenPage, name: str) -> None:
    house.coverage = StoreError("no snapshot has been published yet", remedy="Run the ingest command.")
    page = open_page(name)
    assert not page.exception
    assert "No snapshot has been published yet." in words_of(page)


def test_home_tells_what_is_here_and_what_it_is_not(house: FakeHouse, open_page: OpenPage,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamlit.page_link", lambda *_, **__: None)
    page = open_page("home")
    assert not page.exception
    assert "5,012" in [metric.value for metric in page.metric]
    assert "synthetic" in page.info[0].value
    assert "How to read the numbers" in words_of(page)


def test_home_offers_each_role_its_own_pages() -> None:
    def titles(role: Role) -> list[str]:
        return [page.title for page in choose_pages(Actor("x", role, "s"), PAGES)]
    assert titles(Role.CLINICIAN) == ["Coverage", "Survival", "Subgroups", "What if", "Account"]
    assert titles(Role.STEERING) == ["Coverage", "Data quality", "Export", "Access", "Account"]
    assert titles(Role.ANALYST) == ["Coverage", "Survival", "Subgroups", "What if", "Data quality", "Export",
                                     "Account"]


@pytest.mark.parametrize(("view", "role", "offered"), [
    ("data", Role.CLINICIAN, False), ("data", Role.DATA_MANAGER, False), ("data", Role.STEERING, True),
    ("data", Role.ANALYST, True), ("question", Role.DATA_MANAGER, False), ("question", Role.STEERING, True)])
def test_tables_are_exported_by_those_who_may(house: FakeHouse, open_page: OpenPage, view: str, role: Role,
                                              offered: bool) -> None:
    house.role = role
    page = open_page("coverage", view=view)
    assert not page.exception
    assert ("Export these tables" in [button.label for button in page.button]) is offered


def test_home_says_of_every_page_what_it_answers() -> None:
    assert {page.url_path for page in PAGES if not page.is_start} == set(QUESTIONS)
