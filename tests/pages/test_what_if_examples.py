"""The questions that the what-if page offers to start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.cohort.filters import OneOf
from harmony_dash.dictionary.examples import ExampleQuestion, load_examples
from harmony_dash.ui.components import what_if_examples
from tests.pages.fakes import FakeHouse

OpenPage = Callable[..., AppTest]
KEY = "what_if.example"
LESS, MORE, TRANSPLANT = load_examples()


def offered(page: AppTest) -> list[str]:
    return [label for group in page.get("button_group") if group.key == KEY for label in group.options]


def choose(page: AppTest, label: str | None) -> None:
    page.pills(key=KEY).set_value(label).run()


def test_the_first_view_offers_questions_to_start_from(open_page: OpenPage) -> None:
    page = open_page("what_if")
    assert offered(page) == [LESS.label, MORE.label, TRANSPLANT.label]
    assert page.pills(key=KEY).value is None


def test_a_chosen_example_is_asked_and_says_what_to_look_for(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    choose(page, LESS.label)
    asked = house.what_if_asked[-1]
    assert not page.exception
    assert asked.cohort.endpoint == "rfs" and asked.horizon_days == 1461
    assert OneOf("immunophenotype", ("B",)) in asked.cohort.where
    assert (asked.reference, asked.compared, asked.modifiers) == ("standard", "reduced", ("etv6_runx1",))
    assert any("plain comparison" in caption.value for caption in page.caption)
    choose(page, TRANSPLANT.label)
    asked = house.what_if_asked[-1]
    assert (asked.strategy, asked.reference, asked.compared) == ("hsct_cr1", "no", "yes")
    assert asked.cohort.landmark_days == 0
    assert not any("plain comparison" in caption.value for caption in page.caption)


def test_an_example_draws_the_panel_anew(open_page: OpenPage) -> None:
    """What the browser still holds of the old controls must not take a filter of the example away."""
    page = open_page("what_if")
    before = {control.key for control in page.multiselect}
    choose(page, LESS.label)
    search = next(control for control in page.multiselect if control.label == "Find a variable")
    assert search.value == ["mrd_eoi_band"]
    assert not before & {control.key for control in page.multiselect if str(control.key).startswith("survival.")}


def test_choosing_the_same_example_again_changes_nothing(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    choose(page, MORE.label)
    before = house.what_if_asked[-1]
    choose(page, None)
    assert house.what_if_asked[-1] == before
    assert page.pills(key=KEY).value == MORE.label


def test_the_examples_step_aside_once_another_question_is_asked(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    page.selectbox(key="what_if.endpoint").set_value("os").run()
    assert not page.exception
    assert offered(page) == []


@pytest.mark.parametrize("changes", [{"disease": "AML"}, {"where": {"age_group": ("50",)}}, {"where": {"nope": ("a",)}},
                                     {"strategy": "nope"}, {"compared": "nope"}, {"endpoint": "nope"}])
def test_what_the_release_does_not_hold_is_not_offered(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch,
                                                       changes: dict[str, object]) -> None:
    other: ExampleQuestion = replace(LESS, label="Other", **changes)
    monkeypatch.setattr(what_if_examples, "load_examples", lambda: (other, MORE))
    page = open_page("what_if")
    assert not page.exception
    assert offered(page) == [MORE.label]
