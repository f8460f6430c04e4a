"""The what-if page as a clinician meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.access.actor import Role
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.disclosure.what_if_words import LATE_RELAPSES
from harmony_dash.errors import AccessRefused, ComputationFailed, ComputationLost, HarmonyError, QuestionError
from harmony_dash.services.what_if_estimates import in_other_process
from harmony_dash.stats.refusal import CODES
from harmony_dash.ui.components.what_if_support import describe_weights
from harmony_dash.ui.components.what_if_verdict import describe_reasons
from harmony_dash.ui.components.what_if_view import WhatIfSettings, read_settings, write_settings
from tests.pages.fakes import DICTIONARY, FakeHouse
from tests.pages.tables import tables_of
from tests.unit.charts.what_if_factories import (
    make_amber,
    make_between_protocols,
    make_randomised,
    make_reason,
    make_refused,
    make_what_if,
)

OpenPage = Callable[..., AppTest]
CHILDREN = OneOf("age_group", ("1-9", "10-17"))
FIRST = WhatIfQuestion(Question("ALL", "efs", (CHILDREN,)), modifiers=("cyto_group",), horizon_days=1096)


def words_of(page: AppTest) -> str:
    """Everything the page says in Markdown, notices and captions."""
    return "\n".join(str(element.value) for kind in ("markdown", "caption", "info", "warning", "success", "subheader")
                     for element in page.get(kind)).replace("\\", "")


def figures_of(page: AppTest) -> int:
    return len(page.get("plotly_chart"))


def test_the_first_view_asks_for_reduced_instead_of_standard_treatment(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    assert not page.exception
    assert house.what_if_asked == [FIRST]
    assert house.what_if_options["bootstrap"] is in_other_process
    words = words_of(page)
    assert "Research use, cohort exploration; not for decisions about an individual." in words
    assert words.index("What is asked") < words.index("May it be asked") < words.index("What the data say")
    assert figures_of(page) == 3  # curves, methods, biomarkers


def test_the_page_refuses_a_role_that_may_not_see_outcomes(house: FakeHouse, open_page: OpenPage) -> None:
    house.role = Role.STEERING
    page = open_page("what_if")
    assert not page.exception
    assert not house.what_if_asked
    assert "not open to your role" in words_of(page)


def test_an_answer_says_the_difference_the_trade_off_and_what_a_plain_comparison_would_have_said(
        open_page: OpenPage) -> None:
    words = words_of(open_page("what_if"))
    assert "−3.9 points (95 % interval −7.3 to −0.6)".replace(" %", "\N{NO-BREAK SPACE}%") in words
    assert words.index("1 extra relapse for every 20") < words.index("1 fewer death in remission for every 100")
    assert "Relapse at 5 years\n\n## +5.0" in words and "Death in remission at 5 years\n\n## −1.0" in words
    assert "A plain comparison would have said +4.1 points, the opposite sign" in words
    assert "Mean time without an event up to 5 years: −1.2 (−2.1 to −0.3) months." in words
    assert "AIEOP-BFM ALL 2000" in words and "Schrappe" in words


@pytest.mark.parametrize(("days", "warned"), [(1096, True), (1826, False)])
def test_an_answer_before_five_years_says_that_late_relapses_are_not_seen(house: FakeHouse, open_page: OpenPage,
                                                                          days: int, warned: bool) -> None:
    result = make_what_if()
    house.what_if = replace(result, question=replace(result.question, horizon_days=days))
    assert (LATE_RELAPSES in words_of(open_page("what_if"))) is warned


def test_nothing_is_ever_recommended(house: FakeHouse, open_page: OpenPage) -> None:
    for result in (make_what_if(), make_amber(), make_refused(), make_between_protocols(), make_randomised()):
        house.what_if = result
        page = open_page("what_if")
        assert not page.exception
        words = words_of(page).lower()
        assert not any(word in words for word in ("recommend", "optimal", "significant", "prove"))


def test_the_allocation_matrix_marks_what_each_trial_tells(open_page: OpenPage) -> None:
    table = tables_of(open_page("what_if"))[0]
    rows = {row[0]: row[1:] for row in table.itertuples(index=False)}
    assert list(rows) == ["COIN", "BOTH", "OLD"]
    assert rows["COIN"] == ("300 / 40", "400 / hidden", "◆ randomised")
    assert rows["OLD"] == ("300 / 40", "0", "○ only one used")


def test_a_count_that_may_not_be_shown_is_not_called_small(house: FakeHouse, open_page: OpenPage) -> None:
    result = make_what_if()
    house.what_if = replace(result, allocation=tuple(replace(cell, n=None) for cell in result.allocation))
    table = tables_of(open_page("what_if"))[0]
    assert set(table["Standard"]) == {"hidden"}


def test_amber_says_why_in_one_line_a_rule(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = make_amber()
    page = open_page("what_if")
    (banner,) = [element.value.replace("\\", "") for element in page.warning]
    assert "Read with caution" in banner
    assert "Weighted, the arms still differ: age 0.12, sex 0.15 (limit 0.1). `BALANCE`" in banner
    assert figures_of(page) == 3


@pytest.mark.parametrize("code", CODES)
def test_a_refusal_shows_counts_reason_and_need_and_no_curve(house: FakeHouse, open_page: OpenPage, code: str) -> None:
    house.what_if = make_refused(code)
    page = open_page("what_if")
    assert not page.exception
    words = words_of(page)
    assert "No answer is given" in words and f"`{code}`" in words
    assert f"Data for {code}." in words
    assert "Standard: 1,200 patients, 150 events" in words
    assert figures_of(page) == 0
    assert "What the data say" not in words and "points" not in words


def test_a_comparison_between_protocols_has_grey_curves_and_no_difference(house: FakeHouse, open_page: OpenPage,
                                                                          ) -> None:
    house.what_if = make_between_protocols()
    page = open_page("what_if")
    words = words_of(page)
    assert "A comparison between protocols, not between treatments" in words
    assert figures_of(page) == 1
    assert "for every" not in words and "points" not in words and "p =" not in words


def test_a_randomised_answer_comes_first_and_the_adjusted_one_beneath_it(house: FakeHouse, open_page: OpenPage,
                                                                         ) -> None:
    house.what_if = make_randomised()
    page = open_page("what_if")
    words = words_of(page)
    assert "as randomised" in words and "Consistency: the adjusted comparison" in words
    assert figures_of(page) == 4


def test_a_refused_adjusted_comparison_beside_a_randomised_one_says_so(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = replace(make_randomised(), reasons=(make_reason("POSITIVITY"),))
    assert "The adjusted comparison of all patients is refused" in words_of(open_page("what_if"))


def test_the_support_is_drawn_when_it_is_opened(open_page: OpenPage) -> None:
    page = open_page("what_if")
    page.session_state["what_if.support.kept"] = page.session_state["what_if.table.kept"] = True
    page.run()
    assert not page.exception
    assert figures_of(page) == 5
    words = words_of(page)
    assert "E-value 2.37 (limit 1.20)" in words and "97 % of the patients" in words
    tables = tables_of(page)
    arms = next(table for table in tables if "Effective size" in table.columns)
    assert list(arms["Effective size"]) == ["900", "500"] and list(arms["At risk at horizon"]) == ["640", "410"]
    assert any("If this had not been recorded" in table.columns for table in tables)
    assert any("Not always known" in table.columns for table in tables)
    assert any("Method" in table.columns for table in tables)


def test_a_long_computation_shows_how_far_it_is_and_can_be_stopped(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if_waits = True
    page = open_page("what_if")
    assert not page.exception
    assert "Computing" in words_of(page)
    page.button(key="what_if.cancel").click().run()
    assert house.what_if_stopped.wait(5)
    assert "Stopped" in words_of(page) and figures_of(page) == 0
    page.run()
    assert len(house.what_if_asked) == 1  # it does not start again by itself
    house.what_if_waits = False
    page.button(key="what_if.again").click().run()
    assert figures_of(page) == 3
    assert len(house.what_if_asked) == 2


@pytest.mark.parametrize("fault", [ComputationLost("the machine ended a computation"), ComputationFailed("in a place")])
def test_a_computation_that_failed_is_told_once_and_begins_again_only_when_asked(
        fault: HarmonyError, house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = fault
    page = open_page("what_if")
    assert len(page.exception) == 1
    page.run()
    assert not page.exception
    assert "Stopped" in words_of(page) and figures_of(page) == 0
    assert len(house.what_if_asked) == 1
    house.what_if = None
    page.button(key="what_if.again").click().run()
    assert figures_of(page) == 3


def test_whoever_waits_for_others_is_told_for_how_many(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if_waits, house.what_if_ahead = True, 2
    page = open_page("what_if")
    words = words_of(page)
    assert "Waiting" in words and "Computing" not in words
    assert any("Waiting for 2 others" in str(bar.text) for bar in page.get("progress"))
    page.button(key="what_if.cancel").click().run()
    assert house.what_if_stopped.wait(5)


def test_an_answer_that_was_waited_for_is_asked_for_anew_with_the_rights_of_now(house: FakeHouse, open_page: OpenPage,
                                                                               ) -> None:
    house.what_if_waits = True
    page = open_page("what_if")
    assert "Computing" in words_of(page)
    house.what_if_waits = False
    house.what_if_left = AccessRefused("the grant has ended")
    page.run()
    assert not page.exception
    assert "the grant has ended" in words_of(page).lower() and figures_of(page) == 0
    assert len(house.what_if_asked) == 2


def test_an_answer_that_was_kept_no_longer_is_computed_once_more(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if_waits = True
    page = open_page("what_if")
    house.what_if_waits, house.what_if_is_kept = False, False
    page.run()
    assert not page.exception
    assert len(house.what_if_asked) == 3 and figures_of(page) == 3


def test_another_question_ends_the_one_that_is_computed(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if_waits = True
    page = open_page("what_if")
    page.selectbox(key="what_if.horizon").set_value(731).run()
    assert house.what_if_stopped.wait(5)
    page.button(key="what_if.cancel").click().run()
    assert [question.horizon_days for question in house.what_if_asked] == [1096, 731]


def test_an_error_is_explained_and_the_controls_stay(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = QuestionError("a grant does not cover mrd_group", remedy="Ask under another grant.")
    page = open_page("what_if")
    assert not page.exception
    assert "MRD group" in words_of(page)
    assert page.selectbox(key="what_if.compared").value == "reduced"


def test_a_bug_in_the_computation_is_not_swallowed(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = ZeroDivisionError("a bug")
    page = open_page("what_if")
    assert page.exception
    assert figures_of(page) == 0


def test_the_controls_change_the_question(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    page.selectbox(key="what_if.endpoint").set_value("os").run()
    page.selectbox(key="what_if.compared").set_value("intensified").run()
    page.selectbox(key="what_if.strata").set_value("country").run()
    page.multiselect(key="what_if.adjust").set_value(["mrd_group", "sex"]).run()
    page.multiselect(key="what_if.modifiers").set_value(["subtype"]).run()
    page.selectbox(key="survival.landmark").set_value(183).run()
    asked = house.what_if_asked[-1]
    assert not page.exception
    assert (asked.cohort.endpoint, asked.cohort.landmark_days) == ("os", 183)
    assert (asked.reference, asked.compared, asked.strata) == ("standard", "intensified", "country")
    assert (asked.adjust, asked.modifiers) == (("mrd_group", "sex"), ("subtype",))


def test_choosing_the_other_arm_swaps_the_two(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    page.selectbox(key="what_if.compared").set_value("standard").run()
    assert house.what_if_asked[-1].arms == ("reduced", "standard")


def test_another_strategy_comes_with_its_own_arms(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    page.selectbox(key="what_if.strategy").set_value("hsct_cr1").run()
    asked = house.what_if_asked[-1]
    assert (asked.strategy, asked.reference, asked.compared) == ("hsct_cr1", "no", "yes")


def test_the_usual_adjustment_stays_open_so_that_it_follows_the_cohort(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("what_if")
    usual = page.multiselect(key="what_if.adjust").value
    page.multiselect(key="what_if.adjust").set_value(usual[:1]).run()
    assert house.what_if_asked[-1].adjust == tuple(usual[:1])
    page.button(key="what_if.usual").click().run()
    assert house.what_if_asked[-1].adjust == ()


def test_an_endpoint_of_the_survival_page_that_cannot_be_compared_gives_way(house: FakeHouse, open_page: OpenPage,
                                                                            ) -> None:
    page = open_page("what_if", q=Question("ALL", "relapse", by="sex", strata="trial").canonical_json)
    assert not page.exception
    assert house.what_if_asked == [replace(FIRST, cohort=Question("ALL", "efs"))]


def test_the_address_holds_the_settings_and_brings_them_back(house: FakeHouse, open_page: OpenPage) -> None:
    settings = WhatIfSettings("intensity_assigned", "standard", "intensified", "country", ("mrd_group",), (), 731)
    link = write_settings(settings)
    page = open_page("what_if", q=Question("ALL", "os").canonical_json, **link)
    assert not page.exception
    (asked,) = house.what_if_asked
    assert asked == WhatIfQuestion(Question("ALL", "os"), "intensity_assigned", "standard", "intensified", "country",
                                   ("mrd_group",), (), 731)
    page.selectbox(key="what_if.horizon").set_value(2557).run()
    held = page.query_params["ask"]
    assert json.loads(held if isinstance(held, str) else held[0])["horizon_days"] == 2557


@pytest.mark.parametrize("settings", [
    WhatIfSettings(), WhatIfSettings(modifiers=()), WhatIfSettings(modifiers=("subtype",), horizon_days=365),
    WhatIfSettings("hsct_cr1", "no", "yes", "country", ("sex", "mrd_group"))])
def test_settings_survive_the_link(settings: WhatIfSettings) -> None:
    assert read_settings(write_settings(settings), Question("ALL", "efs"), DICTIONARY) == settings


@pytest.mark.parametrize("link", ["{", "[]", "1", '{"horizon_days":"x"}', '{"strategy":"sex"}', '{"adjust":["nope"]}',
                                  '{"cohort":{}}', '{"adjust":["rand_arm"]}', '{"modifiers":["age_dx_years"]}',
                                  '{"strata":"sex"}', '{"reference":"Stop treatment now"}', '{"compared":"not_done"}',
                                  '{"strategy":"hsct_cr1"}', "[" * 3000, '{"adjust":' + '["sex"],' * 2000])
def test_a_broken_link_is_explained_and_the_page_still_answers(house: FakeHouse, open_page: OpenPage, link: str,
                                                               ) -> None:
    page = open_page("what_if", q=FIRST.cohort.canonical_json, ask=link)
    assert not page.exception
    assert "The link could not be read" in words_of(page)
    assert house.what_if_asked == [FIRST]


def test_what_was_not_applied_stands_behind_the_chip(house: FakeHouse, open_page: OpenPage) -> None:
    house.what_if = make_what_if(not_applied=(Unapplied("age group: 1–9 years", {}, "not applied"),))
    assert "Not applied: age group: 1–9 years" in words_of(open_page("what_if"))


def test_reasons_without_a_measure_are_said_plainly() -> None:
    reasons = (make_reason("CELL_SMALL", message="too few"), make_reason("MODEL_DEPENDENT", "amber", value=1.8,
                                                                          threshold=1.0, message="they disagree"))
    assert describe_reasons(reasons) == [("CELL_SMALL", "too few"), (
        "MODEL_DEPENDENT", "they disagree: 1.8 standard errors apart (limit 1)")]


def test_the_balance_is_that_of_inverse_weights_whatever_method_c_uses() -> None:
    result = make_what_if()
    by_overlap = replace(result, diagnostics=replace(result.diagnostics, weights="overlap"))
    assert all("inverse probability weights" in describe_weights(one) for one in (result, by_overlap))
    assert "Method C weighs by overlap" in describe_weights(by_overlap)
    assert "Method C" not in describe_weights(result)
    assert "Method C" not in describe_weights(replace(by_overlap, primary=None))
