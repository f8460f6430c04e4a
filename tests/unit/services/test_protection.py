"""What is answered in place of a question, which groups may be compared, and the reasons where there is no answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.cohort import AnyOf, Not, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Released, Scope
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.low_effect import Answerable, NotApplied, TooFewPatients
from harmony_dash.disclosure.policy import RULES, too_few
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.results import SurvivalResult, Unapplied
from harmony_dash.services.choices import MOST_ADDED, choose_counted, count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.protection import NEARLY_ALL, AnswerPlan, Part, _explain, _tell_of_groups
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.survival_json import survival_as_json
from harmony_dash.settings import Settings
from tests.factories import ACCESS_KEY, NOW, make_patients, make_store

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
TOO_FEW = too_few(RULES[Level.PROTECTED])
FEMALE = parse_filter("sex=F")


def make_frame() -> pd.DataFrame:
    """Three trials of 400. Trial C has four women and three patients without a sex, Trial B no recorded MRD group, and
    two hundred patients of Trial A are Dutch or of eight countries with six patients each."""
    frame = make_patients(1200, seed=8)
    place = np.arange(len(frame))
    frame["trial"] = np.array(["Trial A", "Trial B", "Trial C"])[place // 400]
    frame["sex"] = np.where(place % 2, "F", "M")
    frame.loc[frame.trial == "Trial C", "sex"] = "M"
    frame.loc[place[800:804], "sex"] = "F"
    frame.loc[place[804:807], "sex"] = None
    frame.loc[frame.trial == "Trial B", "mrd_group"] = None
    small = np.array(["AT", "BE", "CH", "CZ", "DK", "EE", "ES", "FI"])
    frame["country"] = "DE"
    frame.loc[place[:152], "country"] = "NL"
    frame.loc[place[152:200], "country"] = small[place[:48] % 8]
    return frame


FRAME = make_frame()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = Path(tmp_path_factory.mktemp("protection"))
    make_store(folder / "store", frame=FRAME)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY, daily_questions=10_000)
    return open_deployment(settings, now=lambda: NOW)


def ask(deployment: Deployment, *where: str, **changes: object) -> SurvivalResult:
    return released(deployment, *where, **changes).value


def released(deployment: Deployment, *where: str, **changes: object) -> Released[SurvivalResult]:
    question = replace(Question("ALL", "efs", tuple(map(parse_filter, where))), **changes)  # type: ignore[arg-type]
    return ask_survival(deployment, CLINICIAN, question)


def reasons(result: SurvivalResult) -> dict[str, str]:
    return {group.name: group.reason for group in result.withheld}


# -- groups that answer another question -----------------------------------------------------------------------------


def test_groups_that_answer_another_question_are_drawn_marked_and_not_compared(deployment: Deployment) -> None:
    # In Trial C the filter would take seven patients away; elsewhere two hundred.
    answer = released(deployment, "sex=M", by="trial")
    result = answer.value
    assert [group.name for group in result.groups] == ["Trial A", "Trial B", "Trial C"]
    assert result.compared == ("Trial A", "Trial B")
    assert [(one.kind, one.groups) for one in result.not_applied] == [("not applied", ("Trial C",))]
    assert result.log_rank is not None
    assert result.log_rank.df == 1
    assert result.pairwise == ()
    assert {name for one in result.restricted_mean_differences for name in (one.group, one.reference)} == {
        "Trial A", "Trial B"}
    assert all(group.restricted_mean is not None for group in result.groups)
    assert "tests compare Trial A, Trial B" in result.methods
    assert "not applied: sex: Male (in Trial C)" in result.methods
    assert "Trial A and Trial B d" in result.summary
    assert ("Within Trial C, the filter 'sex: Male' changes fewer than 10 of the patients in this figure and was not "
            "applied there.") in result.notes
    assert "Trial C answers a slightly different question." in result.summary
    assert "the flow is that of the cohort" in result.methods
    assert result.title.endswith(", answered in some groups for slightly different patients (see notes)")
    value = json.loads(json.dumps(survival_as_json(answer)))
    assert value["compared"] == ["Trial A", "Trial B"]
    assert value["not_applied"][0]["groups"] == ["Trial C"]
    assert value["not_applied"][0]["filter"] == {"one_of": "sex", "values": ["M"]}


def test_tests_of_the_other_groups_are_those_without_that_group(deployment: Deployment) -> None:
    with_it, without = (ask(deployment, "sex=M", *more, by="trial") for more in ((), ("trial=Trial A,Trial B",)))
    assert with_it.log_rank == without.log_rank
    assert with_it.restricted_mean_differences == without.restricted_mean_differences
    assert with_it.log_rank is not None


def test_groups_alike_are_all_compared_and_nothing_is_told(deployment: Deployment) -> None:
    result = ask(deployment, by="trial")
    assert result.compared == ("Trial A", "Trial B", "Trial C")
    assert result.not_applied == ()
    assert "tests compare" not in result.methods
    assert "not applied" not in result.methods
    assert "the flow is that of the cohort" not in result.methods
    assert "slightly different" not in result.title + result.summary


def test_with_fewer_than_two_groups_of_one_question_there_is_no_test(deployment: Deployment) -> None:
    result = ask(deployment, "sex=M", "trial=Trial A,Trial C", by="trial")
    assert [group.name for group in result.groups] == ["Trial A", "Trial C"]
    assert (result.compared, result.log_rank, result.restricted_mean_differences) == ((), None, ())
    assert "log-rank" not in result.methods
    assert "The groups" not in result.summary
    assert "No test: the groups answer different questions." in result.summary


def test_groups_that_answer_another_question_than_the_cohort_and_the_same_are_compared() -> None:
    question = Question("ALL", "efs", (FEMALE,))
    plan = AnswerPlan(question, question, (Part(replace(question, where=()), ("a", "b")), Part(question, ("c",))))
    assert plan.choose_alike(["a", "b", "c"]) == ("a", "b")
    assert plan.choose_alike(["a", "c"]) == ()
    assert plan.choose_alike(["a"]) == ("a",)
    assert plan.choose_alike([]) == ()
    parts = Part(replace(question, where=()), ("a", "b", "c")), Part(question, ("d", "e"))
    own = AnswerPlan(question, question, parts)
    assert own.choose_alike(["a", "b", "c", "d", "e"]) == ("d", "e")


def test_exact_answers_compare_all_groups(deployment: Deployment) -> None:
    question = Question("ALL", "efs", (parse_filter("sex=M"),), by="trial")
    result = ask_survival(deployment, OPERATOR, question, level=Level.EXACT).value
    assert result.compared == ("Trial A", "Trial B", "Trial C")
    assert result.log_rank is not None
    assert result.log_rank.df == 2


def test_a_filter_on_the_grouping_that_is_not_applied_leaves_groups_comparable(deployment: Deployment) -> None:
    # "Not recorded" is nobody, so that all trials are everybody.
    result = ask(deployment, "trial=Trial A,Trial B,Trial C", by="trial")
    assert result.compared == ("Trial A", "Trial B", "Trial C")
    assert [(one.kind, one.groups) for one in result.not_applied] == [("not applied", ())]


def test_a_group_in_which_a_filter_is_applied_although_the_cohort_lost_it_is_told() -> None:
    told = NotApplied(FEMALE, "not applied", 1)
    question = Question("ALL", "efs")
    whole = Answerable(question, (), KeyedCount(500, 1), (told,))
    answers = {"Trial A": Answerable(question, (), KeyedCount(200, 2), (told,)),
               "Trial B": Answerable(question, (), KeyedCount(200, 3))}
    here, notes = _tell_of_groups(answers, whole, "trial", load_dictionary(), 10)
    assert here == []
    assert notes == ["Within Trial B, the filter 'sex: Female' was applied."]


def in_groups(*of_group: NotApplied, whole: NotApplied) -> list[str]:
    question = Question("ALL", "efs")
    answers = {"Trial A": Answerable(question, (), KeyedCount(200, 2), of_group)}
    return _tell_of_groups(answers, Answerable(question, (), KeyedCount(500, 1), (whole,)), "trial", load_dictionary(),
                           10)[1]


def left_out(*codes: str) -> NotApplied:
    return NotApplied(OneOf("country", codes), "left out", 1, "country", tuple(OneOf("country", (c,)) for c in codes))


@pytest.mark.parametrize(("of_group", "claimed"), [
    ((), True), ((NotApplied(FEMALE, "not applied", 1),), True), ((left_out("AT"),), False),
    ((replace(left_out("CH"), kind="taken in"),), False),
    ((NotApplied(OneOf("country", ("DE", "AT")), "not applied", 1),), False),
    ((NotApplied(AnyOf((FEMALE, OneOf("country", ("DE",)))), "not applied", 1),), False)])
def test_all_of_them_and_no_others_is_said_only_where_nothing_was_done_to_the_variable(
        of_group: tuple[NotApplied, ...], claimed: bool) -> None:
    notes = in_groups(*of_group, whole=left_out("AT", "BE"))
    assert any("all of them and no others" in note for note in notes) == claimed
    assert ("Of 'Country', only what is said of Trial A by name is true there." in notes) != claimed


def test_where_something_else_was_done_to_a_variable_all_of_it_is_said() -> None:
    more = replace(left_out("CH"), kind="taken in")
    question = Question("ALL", "efs")
    whole = Answerable(question, (), KeyedCount(500, 1), (left_out("AT"), more))
    told, notes = _tell_of_groups({"Trial A": Answerable(question, (), KeyedCount(200, 2), (more,))}, whole, "trial",
                                  load_dictionary(), 10)
    assert told == []
    assert [note.split("'")[1] for note in notes] == ["Country", "Country"]
    assert notes[0].startswith("Within Trial A, the values asked for of 'Country' are shown there together with Swit")


# -- the floor of groups ---------------------------------------------------------------------------------------------


def test_a_group_is_not_filled_up_with_patients_who_do_not_meet_the_filter(deployment: Deployment) -> None:
    # All Dutch patients are of Trial A, so that the filter changes nothing there. Of women they are fewer than 100.
    result = ask(deployment, "trial=Trial A", by="country")
    assert [group.name for group in result.groups] == ["Germany", "Netherlands"]
    assert [(one.words, one.groups) for one in result.not_applied] == [
        ("trial or registry: Trial A", ("Netherlands",))]
    result = ask(deployment, "trial=Trial A", "sex=F", by="country")
    assert [group.name for group in result.groups] == ["Germany"]
    assert reasons(result)["Austria"] == TOO_FEW
    assert reasons(result)["Netherlands"] == (
        "fewer than 100 patients, and the filter 'trial or registry: Trial A' changes fewer than 10 of the patients in "
        "this figure: ask without that filter")


def test_of_values_that_are_all_small_that_is_the_reason(deployment: Deployment) -> None:
    result = ask(deployment, "country=AT,BE,CH", "trial=Trial A")
    assert result.groups == ()
    assert reasons(result)["all patients"].startswith("each value chosen of 'Country' has fewer than 10 of")


def test_where_too_few_remain_anyway_no_filter_is_the_reason() -> None:
    told = (NotApplied(FEMALE, "not applied", 1),)
    few, enough = (TooFewPatients(100, told, Question("ALL", "efs"), KeyedCount(n, 1)) for n in (29, 30))
    assert _explain(few, load_dictionary(), Scope(Level.PROTECTED)) == TOO_FEW
    assert _explain(enough, load_dictionary(), Scope(Level.PROTECTED)).endswith("ask without that filter")


def test_the_cohort_as_a_whole_is_not_told_a_remedy_that_cannot_help(deployment: Deployment) -> None:
    # All Dutch patients are of Trial A. Without that filter they are as few.
    few, enough = (ask(deployment, "country=NL", "trial=Trial A", "sex=F", *more)
                   for more in (("age_group=10-17",), ()))
    assert [one.words for one in few.not_applied] == ["trial or registry: Trial A"]
    assert reasons(few) == {"all patients": TOO_FEW}
    assert reasons(enough)["all patients"].endswith("ask without that filter")
    # Nothing is shown, so that nothing but the question stands in the title.
    assert "slightly different" not in few.title + enough.title


# -- nearly all ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "where", "nearly_all"), [
    ("sex", ("trial=Trial C",), True), ("sex", ("trial=Trial C", "sex=M"), True), ("trial", ("trial=Trial B",), False),
    ("trial", ("country=NL",), True), ("country", ("trial=Trial B",), True), ("sex", ("trial=Trial B",), False)])
def test_a_group_with_all_but_a_few_patients_of_its_conditions_is_withheld(
        deployment: Deployment, by: str, where: tuple[str, ...], nearly_all: bool) -> None:
    result = ask(deployment, *where, by=by)
    assert (NEARLY_ALL in reasons(result).values()) == nearly_all
    assert bool(result.groups) != nearly_all


# -- nothing recorded ------------------------------------------------------------------------------------------------


def test_a_grouping_nobody_has_is_the_reason_and_the_cohort_is_told(deployment: Deployment) -> None:
    result = ask(deployment, "trial=Trial B", by="mrd_group")
    assert set(reasons(result).values()) == {"'MRD group at end of induction' is recorded for fewer than 10 of the "
                                             "patients followed for event-free survival"}
    assert [step.n is not None for step in result.attrition] == [True, True]
    assert any("not known" in one.reason and one.n for one in result.exclusions)
    assert result.methods.count("is recorded for fewer than 10") == 1


def test_the_same_with_a_filter_that_the_empty_figure_leaves_no_effect(deployment: Deployment) -> None:
    result = ask(deployment, "trial=Trial B", "sex=F", by="mrd_group")
    assert result.groups == ()
    assert all("is recorded for fewer than 10" in reason for reason in reasons(result).values())
    # What stands in the flow is a question that anybody could ask.
    assert [step.label for step in result.attrition[1:]] == ["trial or registry: Trial B"]
    assert [one.words for one in result.not_applied] == ["sex: Female"]


def test_an_endpoint_nobody_has_is_the_reason(tmp_path: Path) -> None:
    frame = FRAME.copy()
    frame.loc[frame.index[5:], ["relapse_days", "relapse_cause"]] = None
    frame["relapse_excluded"] = np.where(frame.relapse_days.isna(), "no_remission", None)
    make_store(tmp_path / "store", frame=frame)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, patient_key=b"k" * 32,
                        access_key=ACCESS_KEY)
    result = ask(open_deployment(settings, now=lambda: NOW), endpoint="relapse")
    assert reasons(result) == {"all patients": "fewer than 10 patients of this cohort are followed for cumulative "
                                               "incidence of relapse"}
    assert result.attrition[0].n is not None


def test_a_cohort_without_an_answer_shows_how_it_came_about(deployment: Deployment) -> None:
    result = ask(deployment, "country=AT,BE", "trial=Trial A")
    assert result.groups == ()
    assert result.attrition[0].n in (1195, 1200, 1205)
    assert all("country" not in step.label for step in result.attrition)


# -- small values ----------------------------------------------------------------------------------------------------


def test_values_left_out_are_told_in_words_and_for_programs(deployment: Deployment) -> None:
    result = ask(deployment, "country=AT,BE,DE,NL")
    assert result.not_applied == (Unapplied("country: Austria or Belgium", {
        "one_of": "country", "values": ["AT", "BE"]}, "left out"),)
    assert ("Of 'Country', Austria and Belgium each have fewer than 10 of the patients in this figure and are left "
            "out.") in result.notes
    assert result.title.endswith(", country: Austria or Belgium or Germany or Netherlands, answered for slightly "
                                 "different patients (see notes)")
    assert result.title.startswith(f"Event-free survival of {result.n:,} patients with")
    assert "left out: country: Austria or Belgium" in result.methods


def test_a_negation_keeps_the_small_values_that_are_not_few_together(deployment: Deployment) -> None:
    question = Question("ALL", "efs", (Not(OneOf("country", ("DE",))),))
    result = ask_survival(deployment, CLINICIAN, question).value
    assert [(one.words, one.kind) for one in result.not_applied] == [("country not recorded", "taken in")]
    assert result.attrition[-1].n in (195, 200, 205)
    assert ("The values asked for of 'Country' are shown together with not recorded, which has fewer than 10 of the "
            "patients in this figure." in result.notes)


# -- the panel -------------------------------------------------------------------------------------------------------


def choices_of(deployment: Deployment, *where: str, by: str = "sex") -> CohortChoices:
    return count_choices(deployment, CLINICIAN, Question("ALL", "efs", tuple(map(parse_filter, where))), [by]).value


def test_a_hidden_count_and_one_that_was_not_made_are_told_apart(deployment: Deployment) -> None:
    small = choices_of(deployment, "trial=Trial C")
    assert (small.counts["sex"]["F"], "F" in small.not_counted["sex"]) == (None, False)
    # All Dutch patients are of Trial A: that filter changes nothing, and they are too few to be answered without it.
    dutch = choices_of(deployment, "country=NL", "sex=F", by="trial")
    assert dutch.counts["trial"]["Trial A"] is None
    assert "Trial A" in dutch.not_counted["trial"]


def test_a_choice_has_the_number_that_the_question_with_it_has(deployment: Deployment) -> None:
    for value in ("M", "F"):
        beside = choices_of(deployment, "trial=Trial A").counts["sex"][value]
        assert beside == choices_of(deployment, "trial=Trial A", f"sex={value}").total
    nearly_all = choices_of(deployment, "trial=Trial B", by="country")
    assert nearly_all.counts["country"]["DE"] == nearly_all.total


def test_of_a_question_that_is_not_closed_nothing_is_counted(deployment: Deployment) -> None:
    value = choices_of(deployment, "age_dx_years=2..5")
    assert value.total is None
    assert value.not_counted["sex"] == {*value.counts["sex"], ""}
    assert set(value.counts["sex"].values()) == {None}


FOUR = ("trial=Trial A,Trial B", "immunophenotype=B,T", "age_group=1-9,10-17,18-39", "sex=F,M")


def panel_of(deployment: Deployment, where: tuple[str, ...], variables: list[str]) -> CohortChoices:
    question = Question("ALL", "efs", tuple(map(parse_filter, where)))
    return count_choices(deployment, CLINICIAN, question, variables).value


def was_counted(choices: CohortChoices, variable: str) -> bool:
    return not {*choices.counts[variable], ""} <= choices.not_counted[variable]


def test_with_as_many_conditions_as_are_answered_only_filtered_variables_are_counted(deployment: Deployment) -> None:
    fewer = panel_of(deployment, FOUR[1:], ["sex", "country"])
    assert was_counted(fewer, "sex")
    assert was_counted(fewer, "country")
    four = panel_of(deployment, FOUR, ["country", "sex", "mrd_group"])
    assert was_counted(four, "sex")
    assert four.total is not None
    for variable in ("country", "mrd_group"):
        assert set(four.counts[variable].values()) == {None}
        assert four.missing[variable] is None
        assert not was_counted(four, variable)


def test_the_parts_of_an_either_or_are_conditions_of_the_panel_too(deployment: Deployment) -> None:
    either = AnyOf((FEMALE, parse_filter("immunophenotype=T")))
    for more, counted in ((FOUR[:1], True), ((FOUR[0], FOUR[2]), False)):
        question = Question("ALL", "efs", (either, *map(parse_filter, more)))
        choices = count_choices(deployment, CLINICIAN, question, ["country", "sex"]).value
        assert was_counted(choices, "country") is counted
        assert was_counted(choices, "sex")


def test_beyond_the_everyday_and_ten_others_no_variable_is_counted(deployment: Deployment) -> None:
    askable = [v for v in load_dictionary().askable("ALL") if v.is_categorical and v.name != "disease"]
    everyday = [v.name for v in askable if v.everyday]
    others = [v.name for v in askable if not v.everyday]
    assert len(others) > MOST_ADDED
    last = others[-1]
    choices = panel_of(deployment, (), [*others, *everyday])
    asked = {name for name in others if not was_counted(choices, name)}
    assert {*others[MOST_ADDED:]} <= asked
    assert was_counted(choices, "sex")
    assert set(choices.counts) == {*others, *everyday}
    # who filters on a variable sees its counts
    value = next(iter(choices.counts[last]))
    filtered = Question("ALL", "efs", (OneOf(last, (value,)),))
    assert [v.name for v in choose_counted(filtered, askable, Scope(Level.PROTECTED))] == [
        v.name for v in askable if v.everyday or v.name in (*others[:MOST_ADDED], last)]


def test_a_filter_for_the_patients_a_marker_is_meant_for_makes_no_other_question() -> None:
    lineage, female = OneOf("immunophenotype", ("B",)), FEMALE
    question = Question("ALL", "efs", (lineage, female), by="etv6_runx1")
    plan = AnswerPlan(question, question, (Part(question, ("neg", "failed")),
                                           Part(replace(question, where=(female,)), ("pos",)),
                                           Part(replace(question, where=(lineage,)), ("not_done",))))
    drawn = ["neg", "pos", "failed", "not_done"]
    assert plan.choose_alike(drawn, {"immunophenotype": ["B"]}) == ("neg", "pos", "failed")
    assert plan.choose_alike(drawn, {"immunophenotype": ["T"]}) == ("neg", "failed")
    assert plan.choose_alike(drawn) == ("neg", "failed")
