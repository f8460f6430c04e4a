"""The second view of Coverage: it counts, takes changes, keeps its address, refuses calmly and hides outcomes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.access.actor import Role
from harmony_dash.cohort.filters import OneOf
from harmony_dash.errors import QuestionError
from tests.pages.fakes import FakeHouse
from tests.pages.tables import tables_of
from tests.pages.test_survival_page import words_of
from tests.unit.charts.feasibility import make_feasibility

OpenPage = Callable[..., AppTest]


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Links between pages, which need the navigation of the whole application."""
    found: list[dict[str, object]] = []
    monkeypatch.setattr("streamlit.page_link", lambda *_, **given: found.append(given))
    return found


def address_of(page: AppTest) -> str:
    """The question as the address holds it."""
    value = page.query_params["need"]
    return value if isinstance(value, str) else value[0]


def test_the_first_view_is_an_answer_with_a_way_to_the_curves(open_page: OpenPage, house: FakeHouse,
                                                              links: list[dict[str, object]]) -> None:
    page = open_page("coverage", view="question")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["2,560", "2", "about 160", "91–93 %"]
    assert len(page.get("plotly_chart")) == 4
    (link,) = links
    query = link["query_params"]
    assert isinstance(query, dict)
    assert json.loads(query["q"])["endpoint"] == "os"
    assert house.needs[-1].known == ("cyto_group", "mrd_group")
    for name in ("flow", "loss", "country", "source"):
        page.session_state[f"feasibility.{name}.table"] = True
    page.run()
    assert not page.exception
    assert len(tables_of(page)) == 4


def test_an_assumption_changes_what_to_expect_and_asks_nothing_new(open_page: OpenPage, house: FakeHouse,
                                                                   links: list[dict[str, object]]) -> None:
    page = open_page("coverage", view="question")
    asked = len(set(house.needs))
    page.slider[0].set_value(50).run()
    assert page.metric[2].value == "about 1,050"
    assert len(set(house.needs)) == asked


def test_controls_change_the_question_and_the_address(open_page: OpenPage, house: FakeHouse,
                                                      links: list[dict[str, object]]) -> None:
    page = open_page("coverage", view="question")
    page.selectbox(key="feasibility.endpoint").set_value("efs").run()
    page.multiselect(key="feasibility.where.country").set_value(["NL"]).run()
    page.multiselect(key="feasibility.known").set_value(["cyto_group"]).run()
    need = house.needs[-1]
    assert (need.endpoint, need.known) == ("efs", ("cyto_group",))
    assert OneOf("country", ("NL",)) in need.where
    again = open_page("coverage", view="question", need=address_of(page))
    assert not again.exception
    assert house.needs[-1] == need


def test_who_may_not_see_outcomes_has_one_endpoint_and_no_way_to_the_curves(
        open_page: OpenPage, house: FakeHouse, links: list[dict[str, object]]) -> None:
    house.role = Role.STEERING
    page = open_page("coverage", view="question", need=json.dumps({"disease": "ALL", "endpoint": "efs"}))
    assert not page.exception
    assert page.selectbox(key="feasibility.endpoint").options == ["Overall survival"]
    assert house.needs[-1].endpoint == "os"
    assert links == []


def test_a_question_without_an_answer_says_why(open_page: OpenPage, house: FakeHouse,
                                               links: list[dict[str, object]]) -> None:
    house.feasible = make_feasibility(n=None, reason="fewer than 100 patients, and so on", losses=(), joint=(),
                                      sources=())
    page = open_page("coverage", view="question")
    assert not page.exception
    assert "This question gets no answer" in words_of(page)
    assert not page.metric
    assert links == []


@pytest.mark.parametrize("need", ["{", "[]", '{"disease":"ALL","endpoint":"os","known":[1]}', '{"known":"sex"}',
                                  '{"disease":"ALL","endpoint":"os","known":["nothing"]}'])
def test_a_link_that_cannot_be_read_gives_the_first_question(open_page: OpenPage, house: FakeHouse, need: str,
                                                             links: list[dict[str, object]]) -> None:
    page = open_page("coverage", view="question", need=need)
    assert not page.exception
    assert "could not be read" in page.warning[0].value
    assert house.needs[-1].known == ("cyto_group", "mrd_group")


def test_a_refusal_is_a_calm_box_beside_the_controls(open_page: OpenPage, house: FakeHouse) -> None:
    house.feasible = QuestionError("the question has 5 conditions, at most 4 are answered", remedy="Remove one.")
    page = open_page("coverage", view="question")
    assert not page.exception
    assert "The question has 5 conditions" in words_of(page)
    assert page.multiselect(key="feasibility.known")


def test_a_horizon_beyond_follow_up_has_a_dash_and_its_reason(open_page: OpenPage, house: FakeHouse,
                                                              links: list[dict[str, object]]) -> None:
    house.feasible = make_feasibility(too_short="No expectation is given: patients diagnosed up to the end of 2024 …")
    page = open_page("coverage", view="question")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["2,560", "2", "–", "–"]
    assert "No expectation is given" in words_of(page)
    assert "If follow-up ended" not in words_of(page)
