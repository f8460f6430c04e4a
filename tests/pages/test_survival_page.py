"""The survival page as a clinician meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.access.actor import Role
from harmony_dash.cohort.filters import AnyOf, Between, Missing, Not, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.policy import RULES, Level, too_few
from harmony_dash.disclosure.results import IntervalType, Unapplied, WithheldGroup
from harmony_dash.errors import QuestionError, StoreError
from tests.pages import fakes
from tests.pages.fakes import FakeHouse
from tests.pages.tables import tables_of
from tests.unit.charts.factories import make_group, make_result

OpenPage = Callable[..., AppTest]
# Children and adults are never pooled unasked, so the first view follows children.
CHILDREN = OneOf("age_group", ("1-9", "10-17"))
FIRST = Question("ALL", "efs", (CHILDREN,), by="cyto_group")


def open_without_filters(open_page: OpenPage) -> AppTest:
    """The first view with everybody in it."""
    return open_page("survival").button(key="survival.clear").click().run()


def words_of(page: AppTest) -> str:
    """Everything the page says in Markdown, notices and captions."""
    return "\n".join(str(element.value) for kind in ("markdown", "caption", "info", "subheader")
                     for element in page.get(kind)).replace("\\", "")


ONE_TRIAL = '{"one_of":"trial","values":["Trial A"]}'


def write_link(*filters: str) -> str:
    """A link as somebody else may write it: the filters stand in it as they are."""
    return f'{{"disease":"ALL","endpoint":"os","where":[{",".join(filters)}]}}'


def figures_of(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def test_the_first_view_is_already_an_answer(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    assert not page.exception
    assert house.asked == [FIRST]
    assert page.multiselect(key="survival.where.age_group").value == ["1-9", "10-17"]
    assert "### Event-free survival of 3,300 patients" in words_of(page)
    assert len(figures_of(page)) == 1
    assert len(tables_of(page)) == 2  # the flow and the key numbers


def test_the_page_refuses_a_role_that_may_not_see_outcomes(house: FakeHouse, open_page: OpenPage) -> None:
    house.role = Role.STEERING
    page = open_page("survival")
    assert not page.exception
    assert not house.asked
    assert not page.get("plotly_chart")
    assert "not open to your role" in words_of(page)


def test_key_numbers_tests_summary_and_methods_are_all_there(open_page: OpenPage) -> None:
    page = open_page("survival")
    words = words_of(page)
    assert "Log-rank test: χ² 61.2 on 2 degrees of freedom, p <0.0001" in words
    assert "groups were not randomised" in words
    assert "Kaplan–Meier; 95 % log-log intervals" in words
    headers = list(tables_of(page)[1].columns)
    assert [header.replace("\\", "") for header in headers][:4] == ["Group", "Patients", "Events", "1 year, %"]


def test_the_figure_and_the_pairs_have_their_tables_when_opened(open_page: OpenPage) -> None:
    page = open_page("survival")
    page.session_state["survival.table"] = page.session_state["survival.pairs"] = True
    page.run()
    assert not page.exception
    assert len(tables_of(page)) == 6  # also pairs, mean differences, estimates, numbers at risk


def test_the_flow_tells_how_the_cohort_came_about(open_page: OpenPage) -> None:
    page = open_page("survival")
    table = tables_of(page)[0]
    assert "5,012" in table["Left"].iloc[0]
    assert table["Removed"].iloc[1] == "1,702"
    assert any("Not counted" in step for step in table["Step"])


def test_a_filter_changes_the_question_and_nothing_else(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_without_filters(open_page)
    page.selectbox(key="survival.endpoint").set_value("os").run()
    page.multiselect(key="survival.where.sex").set_value(["F"]).run()
    page.multiselect(key="survival.where.age_group").set_value(["1-9", "10-17"]).run()
    assert not page.exception
    assert house.asked[-1] == Question("ALL", "os", by="cyto_group",
                                       where=(OneOf("sex", ("F",)), OneOf("age_group", ("1-9", "10-17"))))


def test_every_filter_is_a_chip_that_removes_it(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_without_filters(open_page)
    page.multiselect(key="survival.where.sex").set_value(["F"]).run()
    chips = [button for button in page.button if str(button.key).startswith("survival.chip")]
    assert [chip.label for chip in chips] == ["Sex\\: Female"]
    chips[0].click().run()
    assert house.asked[-1].where == ()
    assert page.multiselect(key="survival.where.sex").value == []


def test_all_filters_go_at_once(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    page.multiselect(key="survival.where.sex").set_value(["F"]).run()
    page.multiselect(key="survival.where.country").set_value(["DE"]).run()
    page.button(key="survival.clear").click().run()
    assert house.asked[-1].where == ()


def test_not_recorded_can_be_asked_for_alone_and_with_values(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_without_filters(open_page)
    control = page.multiselect(key="survival.where.mrd_group")
    not_recorded = next(option for option in control.options if option.startswith("Not recorded"))
    control.set_value(["mrd_cr", control.options.index(not_recorded) and "\x00not recorded"]).run()
    assert house.asked[-1].where == (AnyOf((Missing("mrd_group"), OneOf("mrd_group", ("mrd_cr",)))),)


def test_choices_show_their_counts_and_small_ones_come_last(open_page: OpenPage) -> None:
    options = open_page("survival").multiselect(key="survival.where.sex").options
    assert options == ["Female · 1,000", "Male · <10", "Not recorded · 40"]


def test_a_number_is_filtered_by_its_bands(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_without_filters(open_page)
    page.multiselect(key="survival.search").set_value(["age_dx_years"]).run()
    page.selectbox(key="survival.where.age_dx_years.lower").set_value(1.0).run()
    page.selectbox(key="survival.where.age_dx_years.upper").set_value(10.0).run()
    assert house.asked[-1].where == (Between("age_dx_years", 1.0, 10.0, upper_included=False),)


def test_a_variable_taken_out_of_the_search_takes_its_filter_along(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_without_filters(open_page)
    page.multiselect(key="survival.search").set_value(["cna_ikzf1"]).run()
    page.multiselect(key="survival.where.cna_ikzf1").set_value(["del"]).run()
    assert house.asked[-1].where == (OneOf("cna_ikzf1", ("del",)),)
    page.multiselect(key="survival.search").set_value([]).run()
    assert house.asked[-1].where == ()


def test_the_address_holds_the_view_and_brings_it_back(house: FakeHouse, open_page: OpenPage) -> None:
    question = Question("ALL", "os", where=(Not(OneOf("sex", ("M",))),), by="nci_risk", landmark_days=90)
    page = open_page("survival", q=question.canonical_json, unit="months", interval="log")
    assert house.asked == [question]
    assert house.options[-1]["interval"] is IntervalType.LOG
    assert page.selectbox(key="survival.unit").value == "months"
    page.selectbox(key="survival.endpoint").set_value("efs").run()
    held = page.query_params["q"]
    link = json.loads(held if isinstance(held, str) else held[0])
    assert (link["endpoint"], link["by"], link["landmark_days"]) == ("efs", "nci_risk", 90)


@pytest.mark.parametrize("link", ["{", "[]", '{"disease":"ALL"}', '{"disease":"ALL","endpoint":"<script>"}',
                                  '{"disease":"XX","endpoint":"efs"}', "[" * 3000,
                                  '{"disease":"\\ud800","endpoint":"os"}',
                                  '{"disease":"ALL","endpoint":"os","by":"\\u0000"}',
                                  write_link(ONE_TRIAL.replace("Trial A", "x")),
                                  write_link(ONE_TRIAL.replace("Trial A", "\\ud800")),
                                  write_link(ONE_TRIAL.replace("Trial A", "\\u0000")),
                                  write_link('{"between":"age_dx_years","lower":1,"upper":1' + 400 * "0"
                                             + ',"upper_included":true}'),
                                  write_link(*(f'{{"between":"wbc_dx","lower":{n},"upper":null,"upper_included":true}}'
                                               for n in range(21)))])
def test_a_broken_link_is_explained_and_the_page_still_answers(house: FakeHouse, open_page: OpenPage, link: str,
                                                               ) -> None:
    page = open_page("survival", q=link)
    assert not page.exception
    assert "The link could not be read" in words_of(page)
    assert house.asked == [FIRST]
    assert page.selectbox(key="survival.endpoint").value == "efs"
    page.run()
    assert "could not be read" not in words_of(page)
    assert house.asked == [FIRST, FIRST]


def test_a_link_to_a_trial_of_this_snapshot_is_followed(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival", q=write_link(ONE_TRIAL))
    assert "could not be read" not in words_of(page)
    assert house.asked == [Question("ALL", "os", where=(OneOf("trial", ("Trial A",)),))]


def refuse_overall_survival(question: Question) -> Exception | None:
    return QuestionError("this cannot be counted") if question.endpoint == "os" else None


def test_a_view_that_cannot_be_counted_gives_way_to_the_first_one(house: FakeHouse, open_page: OpenPage) -> None:
    house.refuses = refuse_overall_survival
    page = open_page("survival", q=write_link(ONE_TRIAL))
    assert not page.exception
    assert house.asked[-1] == FIRST
    assert "These settings cannot be used" in words_of(page)
    assert "This cannot be counted." in words_of(page)
    assert page.multiselect(key="survival.where.sex").value == []
    page.selectbox(key="survival.by").set_value("sex").run()
    assert "cannot be used" not in words_of(page)
    assert house.asked[-1] == Question("ALL", "efs", (CHILDREN,), by="sex")


def test_a_first_view_that_cannot_be_counted_says_so_once(house: FakeHouse, open_page: OpenPage) -> None:
    house.refuses = lambda question: StoreError("the snapshot is damaged")
    page = open_page("survival")
    assert not page.exception
    assert house.asked == [FIRST]
    assert "The snapshot is damaged." in words_of(page)


def test_a_view_whose_trial_left_the_data_gives_way(house: FakeHouse, open_page: OpenPage,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page("survival", q=write_link(ONE_TRIAL))
    monkeypatch.setattr(fakes, "CODES", {"trial": ("Trial C",), "disease": ("ALL",)})
    page.run()
    assert not page.exception
    assert house.asked[-1] == FIRST
    assert "These settings cannot be used" in words_of(page)


def test_a_view_that_breaks_the_page_is_gone_in_the_next_run(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = RuntimeError("a bug")
    page = open_page("survival", q=write_link(ONE_TRIAL))
    assert page.exception
    house.answer = None
    page.run()
    assert not page.exception
    assert house.asked[-1] == FIRST


def test_coming_back_finds_the_page_as_it_was(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    page.selectbox(key="survival.by").set_value("nci_risk").run()
    page.query_params.clear()
    page.run()
    assert house.asked[-1].by == "nci_risk"
    assert page.selectbox(key="survival.by").value == "nci_risk"


def test_a_problem_is_a_calm_message_without_a_traceback(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = QuestionError("'Transplant' becomes known only during follow-up", remedy="Choose a landmark day")
    page = open_page("survival")
    assert not page.exception
    assert not page.error
    words = words_of(page)
    assert "becomes known only during follow-up" in words
    assert "Choose a landmark day." in words
    assert "### Event-free survival of patients with ALL" in words
    assert page.selectbox(key="survival.endpoint").value == "efs"


def test_a_cohort_too_small_to_show_gets_reasons_instead_of_a_figure(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result([], withheld=[WithheldGroup({"cyto_group": "high"}, "high risk",
                                                           "fewer than 10 patients")])
    page = open_page("survival")
    assert not page.exception
    assert not page.get("plotly_chart")
    words = words_of(page)
    assert "Too few patients to show a curve" in words
    assert f"You asked for: {house.answer.title}." in words
    assert "High risk: fewer than 10 patients." in words
    assert "What you can do" in words
    assert "Choose a grouping with fewer groups, or none." in words
    assert "Remove the filter" not in words  # there is none
    tables = tables_of(page)
    assert len(tables) == 2  # the flow, as a popover and here
    assert "5,012" in tables[1]["Left"].iloc[0]


def test_too_few_in_groups_can_be_shown_together_by_one_click(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result([], withheld=[WithheldGroup({"cyto_group": "high"}, "high risk",
                                                           "fewer than 10 patients")], question=FIRST)
    page = open_page("survival")
    page.button(key="empty.together").click().run()
    assert not page.exception
    assert house.asked[-1] == replace(FIRST, by=None)
    assert page.selectbox(key="survival.by").value == "none"


def test_a_withheld_group_is_named_with_its_reason(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result(count=2, withheld=[WithheldGroup({}, "high risk", "fewer than 10 patients")])
    assert "Not shown: high risk (fewer than 10 patients)." in words_of(open_page("survival"))


def test_a_small_group_is_told_with_what_would_help(house: FakeHouse, open_page: OpenPage) -> None:
    small = too_few(RULES[Level.PROTECTED])
    house.answer = make_result(count=2, withheld=[WithheldGroup({}, "high risk", small)])
    assert f"Not shown: high risk ({small}). Remove a filter, or choose" in words_of(open_page("survival"))


def test_one_group_needs_no_test(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result([make_group("all patients", "", by=None)], by=None)
    page = open_page("survival")
    assert not page.exception
    assert "degrees of freedom" not in words_of(page)
    assert len(figures_of(page)) == 1


def test_a_landmark_that_was_set_is_said_before_the_figure(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result(notes=["The clock starts on day 42 after diagnosis."])
    page = open_page("survival")
    assert "The clock starts on day 42" in words_of(page)
    assert "notes on this answer" not in " ".join(expander.label for expander in page.expander)


AGES = Unapplied("age group: 1–9 years", {}, "not applied", ("high risk",))
MARKED = "risk\N{NO-BREAK SPACE}†"
DIFFERENT = {"not_applied": (AGES,), "compared": ("good risk", "intermediate risk")}


def test_what_was_not_applied_is_one_line_with_its_words_behind_it(house: FakeHouse, open_page: OpenPage) -> None:
    notes = ["Within high risk, the filter 'age group: 1–9 years' changes fewer than 10 patients and was not applied "
             "there."]
    house.answer = replace(make_result(notes=notes), **DIFFERENT)
    page = open_page("survival")
    assert not page.exception
    assert "1 filter was not applied in some groups – details" in [expander.label for expander in page.expander]
    words = words_of(page)
    assert notes[0] in words.replace("\N{NO-BREAK SPACE}", " ")
    assert "- Not applied: age group: 1–9 years (in high risk)." in words
    assert "Nothing: the answer is to the question" not in words


def test_a_group_with_another_question_has_a_dagger_everywhere_and_no_part_in_the_test(
        house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = replace(make_result(), **DIFFERENT)
    page = open_page("survival")
    groups = [cell.replace("\\", "") for cell in tables_of(page)[1].iloc[:, 0]]
    assert groups == ["Good risk", "Intermediate risk", f"High {MARKED}"]
    words = words_of(page)
    assert "† These patients answer a slightly different question. Not applied: age group: 1–9 years (in high" in words
    assert "p <0.0001 (compares good risk and intermediate risk)" in words
    labels = [note["text"] for note in figures_of(page)[0]["layout"]["annotations"]]  # type: ignore[index]
    assert sum(f"high {MARKED}" in label for label in labels) == 2  # beside the curve and over its numbers


def test_an_answer_to_the_question_as_asked_has_no_dagger(open_page: OpenPage) -> None:
    words = words_of(open_page("survival"))
    assert "†" not in words
    assert "compares" not in words
    assert "Nothing: the answer is to the question as it was asked." in words


def test_the_error_of_protection_stands_under_the_figure(house: FakeHouse, open_page: OpenPage) -> None:
    house.answer = make_result([make_group("all patients", "", by=None, n=100, quarterly=True)], by=None)
    page = open_page("survival")
    assert "Protected: estimates may be off by up to ±2.5 points. They are given in whole per cents." in words_of(page)
    row = tables_of(page)[1].iloc[0]
    assert row["5 years, %"].replace("\\", "") == "82 (78–86)"


def test_the_landmark_control_names_the_day_that_the_grouping_needs(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    control = page.selectbox(key="survival.landmark")
    assert control.options[control.index or 0] == "None: from diagnosis"
    page.selectbox(key="survival.by").set_value("mrd_group").run()
    control = page.selectbox(key="survival.landmark")
    assert control.options[control.index or 0] == "Automatic: day 42"
    assert house.asked[-1].landmark_days == 0


def test_causes_can_be_put_side_by_side(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    page.selectbox(key="survival.endpoint").set_value("relapse").run()
    assert len(figures_of(page)) == 1
    page.button_group(key="survival.causes").set_value(True).run()
    assert not page.exception
    assert "xaxis3" in figures_of(page)[0]["layout"]  # type: ignore[operator]
    assert "Gray's test" in words_of(page)


def test_values_that_look_like_markup_stay_text(open_page: OpenPage) -> None:
    options = open_page("survival").multiselect(key="survival.where.trial").options
    assert options[1] == "Trial :red[B] · <10"


def test_a_grouping_used_as_stratum_frees_it(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    page.selectbox(key="survival.strata").set_value("trial").run()
    assert house.asked[-1].strata == "trial"
    page.selectbox(key="survival.by").set_value("trial").run()
    assert house.asked[-1].strata is None


def test_without_groups_there_are_no_strata_to_choose(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival")
    page.selectbox(key="survival.strata").set_value("trial").run()
    page.selectbox(key="survival.by").set_value("none").run()
    assert house.asked[-1].strata is None
    assert page.selectbox(key="survival.strata").disabled
    assert page.selectbox(key="survival.strata").options == ["Not stratified"]


def test_a_link_with_strata_and_no_groups_is_followed_without_them(house: FakeHouse, open_page: OpenPage) -> None:
    page = open_page("survival", q='{"disease":"ALL","endpoint":"os","strata":"trial"}')
    assert not page.exception
    assert house.asked == [Question("ALL", "os")]
    assert "The strata of the link were left out" in words_of(page)
    page.run()
    assert "left out" not in words_of(page)
