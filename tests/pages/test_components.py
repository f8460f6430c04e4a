"""The pure parts of the components: escaping, filters, choices, flow."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.charts.palette import DARK_BACKGROUND, LIGHT_BACKGROUND, contrast
from harmony_dash.cohort.filters import AnyOf, Between, Missing, Not, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.released import Level, Scope
from harmony_dash.disclosure.results import AttritionStep, HazardRatio, Unapplied, UnappliedKind, WithheldGroup
from harmony_dash.disclosure.wording import differing_groups
from harmony_dash.ui.components.answer_notes import (
    build_notes_line,
    describe_compared,
    explain_dagger,
    explain_no_test,
    explain_ratios,
)
from harmony_dash.ui.components.chips import explain_protection, name_level
from harmony_dash.ui.components.cohort_filters import (
    NOT_RECORDED,
    chosen_range,
    chosen_values,
    with_range,
    with_values,
    without_filter,
)
from harmony_dash.ui.components.cohort_flow import build_flow_table, build_flow_words, remaining_share
from harmony_dash.ui.components.cohort_panel import (
    build_choices,
    choose_panel_variables,
    explain_counts,
    read_choice,
)
from harmony_dash.ui.components.problem import name_variables
from harmony_dash.ui.components.survival_view import SurvivalView, move_to_disease, read_link, write_link
from harmony_dash.ui.components.tables import build_estimates, build_key_numbers, describe_test
from harmony_dash.ui.components.text import capital, escape_markdown, join_words, sentence
from harmony_dash.ui.components.withheld import describe_missing_causes, describe_withheld
from harmony_dash.ui.theme import SELECTED
from tests.fuzz.hostile import is_escaped
from tests.pages.fakes import DICTIONARY
from tests.unit.charts.factories import make_result, release_for_test

QUESTION = Question("ALL", "efs", by="cyto_group")


@pytest.mark.parametrize("text", ["ETV6::RUNX1", ":red[x]", "<b>", "a_b*c", "`x`", "[x](http://y)", "$x$",
                                  "www.evil.example", "WWW.evil.example", "https://evil.example", "a@evil.example"])
def test_markup_in_a_label_is_escaped(text: str) -> None:
    escaped = escape_markdown(text)
    assert escaped.replace("\\", "").replace("\u2060", "") == text
    assert all(escaped[i - 1] == "\\" for i, letter in enumerate(escaped) if letter in "<[*`$")


@pytest.mark.parametrize("text", ["www.evil.example", "see Www.evil.example/x", "https://evil.example",
                                  "ftp://evil.example", "mailto:someone@evil.example", "a.b@evil.example"])
def test_an_address_in_a_label_does_not_become_a_link(text: str) -> None:
    shown = escape_markdown(text).replace("\\", "")
    assert not re.search(r"(?i)www\.|://|@\w", shown)


def test_what_no_browser_can_be_sent_is_replaced() -> None:
    assert escape_markdown("a\x00b\ud800") == "a\ufffdb\ufffd"


def test_an_emoji_shortcode_is_broken_up() -> None:
    assert ":\u2060smile" in escape_markdown(":smile:").replace("\\", "")


@pytest.mark.parametrize(("text", "raised"), [("good risk", "Good risk"), ("iAMP21", "iAMP21"), ("", ""),
                                              ("p53 mutated", "p53 mutated")])
def test_names_keep_their_spelling(text: str, raised: str) -> None:
    assert capital(text) == raised


@pytest.mark.parametrize(("words", "joined"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"),
                                              (("a", "b", "c"), "a, b and c")])
def test_names_are_joined_as_in_a_sentence(words: tuple[str, ...], joined: str) -> None:
    assert join_words(words) == joined


def test_a_sentence_ends_once() -> None:
    assert sentence("too few patients") == "Too few patients."
    assert sentence("Done.") == "Done."


def test_values_and_not_recorded_make_one_filter_and_come_back() -> None:
    question = with_values(QUESTION, "mrd_group", ("mrd_cr", NOT_RECORDED))
    assert question.where == (AnyOf((Missing("mrd_group"), OneOf("mrd_group", ("mrd_cr",)))),)
    assert set(chosen_values(question, "mrd_group")) == {"mrd_cr", NOT_RECORDED}
    assert with_values(question, "mrd_group", ()).where == ()


def test_a_filter_that_the_panel_cannot_make_is_left_alone() -> None:
    negated = Not(OneOf("sex", ("M",)))
    question = Question("ALL", "efs", where=(negated,))
    assert chosen_values(question, "sex") == ()
    assert negated in with_values(question, "sex", ("F",)).where
    assert without_filter(question, negated).where == ()


def test_a_range_is_set_swapped_and_removed() -> None:
    question = with_range(QUESTION, "age_dx_years", 18, 1, upper_included=False)
    assert question.where == (Between("age_dx_years", 1, 18, upper_included=False),)
    assert chosen_range(question, "age_dx_years") == (1, 18)
    assert with_range(question, "age_dx_years", None, None, upper_included=False).where == ()


def test_everyday_variables_come_first_and_used_ones_are_drawn() -> None:
    question = with_values(QUESTION, "cna_ikzf1", ("del",))
    variables = choose_panel_variables(DICTIONARY, question, ("etp",))
    assert "sex" in variables.counted
    assert [v.name for v in variables.added] == ["etp", "cna_ikzf1"]
    assert "cr_days" not in [v.name for v in variables.others]


def test_a_choice_sent_with_an_old_count_is_still_understood() -> None:
    labels = build_choices(DICTIONARY["sex"], (), {"F": 120, "M": 80}, None, (), 10)
    assert labels == {"F": "Female · 120", "M": "Male · 80"}
    assert read_choice("Female · 999", labels) == "F"
    assert read_choice("F", labels) == "F"
    assert read_choice("Robert'); drop table", labels) is None
    assert read_choice(None, labels) is None


def test_a_chosen_value_without_patients_stays_in_the_list() -> None:
    assert build_choices(DICTIONARY["sex"], (), {}, None, ("F",), 10) == {"F": "Female · <10"}


def test_a_link_is_read_back_and_defaults_are_left_out() -> None:
    view = SurvivalView(QUESTION)
    assert set(write_link(view)) == {"q"}
    assert read_link(write_link(view), DICTIONARY) == view
    other = SurvivalView(QUESTION, all_causes=True)
    assert read_link(write_link(other), DICTIONARY) == other


def test_moving_to_a_disease_keeps_what_exists_there() -> None:
    view = SurvivalView(with_values(QUESTION, "sex", ("F",)))
    assert move_to_disease(view, "ALL", DICTIONARY) == view


def test_the_flow_ends_with_the_patients_in_the_figure() -> None:
    steps = (AttritionStep("ALL", 5012, None), AttritionStep("sex", 3310, 1702))
    assert build_flow_words(steps, 2145) == "5,012 → 3,310 → 2,145 patients"
    assert build_flow_words(steps, 3310) == "5,012 → 3,310 patients"
    assert build_flow_words((AttritionStep("ALL", None, None),), 0) == "hidden, no patients shown"
    assert remaining_share(steps, 2506) == 0.5
    assert remaining_share((), 0) is None


def test_a_choice_whose_count_is_withheld_stands_without_one() -> None:
    labels = build_choices(DICTIONARY["sex"], (), {"F": None, "M": None}, None, (), 10, frozenset({"F", ""}))
    assert labels == {"F": "Female", "M": "Male · <10", NOT_RECORDED: "Not recorded"}
    assert read_choice("Female", labels) == "F"


def test_a_choice_that_was_not_counted_has_a_dash_and_no_false_few() -> None:
    labels = build_choices(DICTIONARY["sex"], (), {"F": None, "M": None}, None, (), 10,
                           not_counted=frozenset({"F", ""}))
    assert labels == {"F": "Female · –", "M": "Male · <10", NOT_RECORDED: "Not recorded · –"}
    assert read_choice("Female · –", labels) == "F"
    words = explain_counts(Scope(Level.PROTECTED)).replace("\\", "")
    assert "– was not counted" in words
    assert "<10 is a number too small" in words
    assert explain_counts(Scope(Level.EXACT)) == "Numbers beside the choices are patients."


@pytest.mark.parametrize(("differences", "line"), [
    ([("sex: Female", "not applied", ())], "1 filter was not applied"),
    ([("sex: Female", "not applied", ()), ("x", "not applied", ("a",))], "2 filters were not applied"),
    ([("x", "not applied", ("a",)), ("x", "not applied", ("b",))], "1 filter was not applied in some groups"),
    ([("subtype: iAMP21", "left out", ())], "values with few patients were left out or taken in"),
    ([], "3 notes on this answer")])
def test_one_line_tells_what_the_notes_are_about(differences: list[tuple[str, UnappliedKind, tuple[str, ...]]],
                                                 line: str) -> None:
    told = tuple(Unapplied(words, {}, kind, groups) for words, kind, groups in differences)
    assert build_notes_line(replace(make_result(notes=["a", "b", "c"]), not_applied=told)) == line


def test_a_group_in_which_everything_was_applied_differs_from_the_rest() -> None:
    result = replace(make_result(), not_applied=(Unapplied("sex: Female", {}, "not applied"),),
                     differing=("high risk",))
    assert differing_groups(result) == ("high risk",)
    assert explain_dagger(result).endswith("Answered as asked: high risk.")
    everybody = replace(result, differing=())
    assert differing_groups(everybody) == ()
    assert explain_dagger(everybody) == ""
    assert describe_compared(everybody) == ""


def test_no_test_has_its_true_reason() -> None:
    apart = replace(make_result(), not_applied=(Unapplied("sex: Female", {}, "not applied", ("high risk",)),))
    assert "different questions" in explain_no_test(apart)
    assert "too few events" in explain_no_test(make_result())
    assert "Gray" not in explain_no_test(make_result())
    competing = replace(make_result(), question=replace(make_result().question, endpoint="relapse"))
    assert "after the start of the clock, which Gray's test does not allow for" in explain_no_test(competing)


def test_the_flow_names_withheld_groups_once_a_reason() -> None:
    result = make_result(withheld=[WithheldGroup({}, name, "too few") for name in ("a", "b", "c")])
    steps = list(build_flow_table(result)["Step"])
    assert steps[-2:] == ["Withheld: a, b and c (too few)", "In the figure"]
    assert build_flow_words((), 0) == "No patients shown"


def test_restricted_means_stand_in_one_column_though_a_group_has_none() -> None:
    result = make_result()
    bare = replace(result.groups[0], restricted_mean=None)
    table = build_key_numbers(release_for_test(replace(result, groups=(bare, *result.groups[1:]))),
                              SurvivalView(QUESTION).time_unit)
    assert [column for column in table.columns if column.startswith("RMST")] == ["RMST to 5 years"]
    assert table["RMST to 5 years"].iloc[0] == "–"


def test_a_protected_statistic_is_printed_with_its_two_digits() -> None:
    result = make_result()
    assert result.log_rank is not None
    result = replace(result, log_rank=replace(result.log_rank, statistic=61.0))
    assert "χ² 61.0 on" in describe_test(release_for_test(result))[0]
    assert "χ² 61 on" in describe_test(release_for_test(result, Level.PROTECTED))[0]


def test_programs_names_of_variables_are_shown_as_labels() -> None:
    text = "'age_dx_years' has no bands; use age_group, not no_such_thing"
    assert name_variables(text, DICTIONARY) == "'Age at diagnosis' has no bands; use Age group, not no_such_thing"
    assert name_variables(text, None) == text


def test_what_is_to_be_typed_keeps_its_form_and_nothing_else_is_markup() -> None:
    def draw() -> None:
        from harmony_dash.errors import StoreError
        from harmony_dash.ui.components.problem import show_problem

        show_problem(StoreError("the *store* is empty", remedy="Run `ingest DIR_A` first."))

    page = AppTest.from_function(draw).run()
    assert [one.value for one in page.markdown][-1] == "The \\*store\\* is empty."
    assert page.caption[0].value == "Run `ingest DIR_A` first."


@pytest.mark.parametrize("sent", [
    "`\n\n[Your session has ended](https://evil.example)\n\n`", "`[a](https://evil.example)`",
    "`\r\r![x](https://evil.example/x.png)\r\r`", "`x` `\n\n<https://evil.example>\n\n` `x`",
    "``\n\n[a](//evil.example)``", "`a`b`\n\n# [a](//evil.example)\n===\n`", "`www.evil.example`", "`:red[x]`"])
def test_no_part_of_an_error_brings_what_was_sent_to_life(sent: str) -> None:
    def draw(sent: str) -> None:
        from harmony_dash.errors import QuestionError
        from harmony_dash.ui.components.problem import show_problem

        show_problem(QuestionError(f"there is no disease {sent}", remedy=f"Write `ALL` in place of {sent}"))

    page = AppTest.from_function(draw, kwargs={"sent": sent}).run()
    problem, remedy = page.markdown[-1].value, page.caption[0].value
    assert is_escaped(problem)
    assert remedy.startswith("Write `ALL` in place of ")
    assert is_escaped(re.sub(r"(?<!\\)`[\w. ]+`", "", remedy)), remedy
    assert not {"\n", "\r"} & {*problem, *remedy}


@pytest.mark.parametrize(("theme", "background"), [("light", LIGHT_BACKGROUND), ("dark", DARK_BACKGROUND)])
def test_the_chosen_segment_can_be_read(theme: str, background: str) -> None:
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())
    accent = config["theme"][theme]["primaryColor"]
    assert contrast(SELECTED[theme], mix(accent, background, 0.1)) >= 4.5
    assert contrast(SELECTED[theme], mix(SELECTED[theme], background, 0.12)) >= 4.5


def mix(colour: str, background: str, share: float) -> str:
    pairs = ((int(colour[i:i + 2], 16), int(background[i:i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(share * over + (1 - share) * under):02x}" for over, under in pairs)


def test_withheld_groups_are_listed_once_a_reason_and_not_without_end() -> None:
    reason = "fewer than 30 patients or 10 events"
    result = make_result(withheld=[WithheldGroup({}, f"group {i}", reason) for i in range(9)])
    assert describe_withheld(result) == [
        ("group 0, group 1, group 2, group 3, group 4, group 5 and 3 more", reason)]


def test_causes_that_are_not_drawn_are_named_with_their_groups() -> None:
    result = make_result(endpoint="relapse", count=2)
    bare = replace(result.groups[0], cumulative_incidence=result.groups[0].cumulative_incidence[:2])
    released = release_for_test(replace(result, groups=(bare, result.groups[1])), Level.PROTECTED)
    assert describe_missing_causes(released) == "second malignancy in good risk (fewer than 10 events)"
    assert describe_missing_causes(release_for_test(result)) == ""


@pytest.mark.parametrize(("level", "label", "words"), [
    (Level.PROTECTED, "Protected", "Counts under 10 are hidden"),
    (Level.PUBLIC, "Protected for the public", "Counts under 20 are hidden")])
def test_the_chip_explains_protection_with_the_numbers_of_its_level(level: Level, label: str, words: str) -> None:
    scope = Scope(level)
    assert name_level(scope) == label
    points = " ".join(explain_protection(scope))
    assert words in points
    assert "rounded to 5" in points
    assert "need not add up" in points
    assert "every quarter" in points
    assert f"fewer than 30 patients or {scope.rules.minimum_events} events are not drawn" in points
    assert "urve" not in " ".join(explain_protection(scope, curves=False))


def test_no_p_value_on_few_events() -> None:
    result = make_result()
    assert result.log_rank is not None
    few = replace(result, log_rank=replace(result.log_rank, events=19))
    assert len(describe_test(release_for_test(result))) == 1
    assert describe_test(release_for_test(few)) == []


def test_key_numbers_of_competing_causes_have_no_median() -> None:
    released = release_for_test(make_result(endpoint="relapse"))
    columns = list(build_key_numbers(released, SurvivalView(QUESTION).time_unit).columns)
    assert columns == ["Group", "Patients", "Events", "1 year, %", "3 years, %", "5 years, %", "Follow-up, years"]
    assert set(build_estimates(released)["Cause"]) == {"Relapse", "Death in remission", "Second malignancy"}


@pytest.mark.parametrize(("endpoint", "name"), [("efs", "HR (95 % CI)"), ("relapse", "Cause-specific HR (95 % CI)")])
def test_key_numbers_have_the_hazard_ratio_against_the_reference_that_is_marked(endpoint: str, name: str) -> None:
    result = make_result(endpoint=endpoint)
    first, second, *others = result.groups
    compared = replace(result, reference=first.name, groups=(
        first, replace(second, hazard_ratio=HazardRatio(1.416, 1.05, 120.0, 0.02)), *others))
    unit = SurvivalView(QUESTION).time_unit
    table = build_key_numbers(release_for_test(compared), unit)
    assert list(table[name][:2]) == ["1 (reference)", "1.42 (1.05–>100)"]
    assert set(table[name][2:]) <= {"–"}
    assert f"against {first.name}" in explain_ratios(compared)
    assert name not in build_key_numbers(release_for_test(result), unit).columns
    assert explain_ratios(result) == ""
