from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import (
    SubgroupsQuestion,
    check_subgroups,
    default_variables,
    subgroups_question_from_json,
)
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()
COHORT = Question("ALL", "efs")
B_CELL = Question("ALL", "efs", (parse_filter("immunophenotype=B"),))
T_CELL = Question("ALL", "efs", (parse_filter("immunophenotype=T"),))


def test_questions_that_say_the_same_are_the_same() -> None:
    one = check_subgroups(SubgroupsQuestion(COHORT, ("sex", "cyto_group", "sex")), DICTIONARY)
    other = check_subgroups(SubgroupsQuestion(COHORT, ("cyto_group", "sex")), DICTIONARY)
    assert one == other
    assert (one.fingerprint, one.variables) == (other.fingerprint, ("sex", "cyto_group"))
    assert one.fingerprint != check_subgroups(SubgroupsQuestion(COHORT, ("sex",)), DICTIONARY).fingerprint


def test_a_question_goes_to_json_and_back() -> None:
    question = SubgroupsQuestion(B_CELL, ("sex",), "country", "intensity_assigned", ("standard", "reduced"), 1096)
    assert subgroups_question_from_json(question.to_json()) == question


@pytest.mark.parametrize("value", [None, {}, {"cohort": 1}, {"cohort": COHORT.to_json(), "more": 1},
                                   {"cohort": COHORT.to_json(), "variables": [1]},
                                   {"cohort": COHORT.to_json(), "variables": ["sex"] * 41},
                                   {"cohort": COHORT.to_json(), "at_days": "5"},
                                   {"cohort": COHORT.to_json(), "strata": 5}])
def test_a_link_that_holds_anything_else_is_refused(value: object) -> None:
    with pytest.raises(QuestionError):
        subgroups_question_from_json(value)


def test_the_dictionary_offers_what_belongs_to_the_cohort() -> None:
    everybody, b_cell, t_cell = (set(default_variables(cohort, DICTIONARY)) for cohort in (COHORT, B_CELL, T_CELL))
    assert {"age_group", "sex", "immunophenotype"} <= everybody
    assert "etv6_runx1" in b_cell - everybody - t_cell
    assert "mut_notch1" in t_cell - everybody - b_cell
    assert "immunophenotype" not in b_cell | t_cell  # only one value of it is left
    assert all(DICTIONARY[name].is_categorical for name in everybody | b_cell | t_cell)
    assert check_subgroups(SubgroupsQuestion(B_CELL), DICTIONARY).variables == default_variables(B_CELL, DICTIONARY)


def test_one_landmark_for_the_whole_table_the_latest_needed() -> None:
    assert check_subgroups(SubgroupsQuestion(COHORT, ("sex",)), DICTIONARY).cohort.landmark_days == 0
    late = check_subgroups(SubgroupsQuestion(COHORT, ("sex", "mrd_group", "prednisone_response_d8")), DICTIONARY)
    assert late.cohort.landmark_days == 42
    treated = SubgroupsQuestion(COHORT, ("sex",), treatment="intensity_assigned")
    assert check_subgroups(treated, DICTIONARY).cohort.landmark_days == 90
    assert check_subgroups(replace(treated, cohort=replace(COHORT, landmark_days=365)),
                           DICTIONARY).cohort.landmark_days == 365


@pytest.mark.parametrize(("question", "words"), [
    (SubgroupsQuestion(COHORT, ("hsct_cr1",)), "becomes known only during follow-up"),
    (SubgroupsQuestion(replace(COHORT, endpoint="efs_tf0"), ("mrd_group",)), "day 0"),
    (SubgroupsQuestion(COHORT, ("wbc_dx",)), "is a number"),
    (SubgroupsQuestion(COHORT, ("sexx",)), "there is no variable"),
    (SubgroupsQuestion(COHORT, ("death",)), "part of the outcome"),
    (SubgroupsQuestion(replace(COHORT, by="sex"), ("sex",)), "has no groups"),
    (SubgroupsQuestion(COHORT, ("sex",), at_days=0), "day of the estimates"),
    (SubgroupsQuestion(COHORT, ("sex",), strata="age_dx_years"), "is a number"),
    (SubgroupsQuestion(COHORT, ("sex",), treatment="sex"), "both the treatment and one of the variables"),
    (SubgroupsQuestion(COHORT, ("sex",), None, "intensity_assigned"), "within trials"),
    (SubgroupsQuestion(COHORT, ("sex",), treatment="wbc_dx"), "has no arms"),
    (SubgroupsQuestion(COHORT, ("sex",), arms=("a", "b")), "without a treatment"),
    (SubgroupsQuestion(COHORT, ("sex",), treatment="intensity_assigned", arms=("standard", "more")), "is not a value"),
    (SubgroupsQuestion(COHORT, ("sex",), treatment="intensity_assigned", arms=("standard",)), "two to 4"),
    (SubgroupsQuestion(COHORT, tuple(v.name for v in DICTIONARY.askable("ALL") if v.is_categorical)[:41]), "too many"),
])
def test_what_cannot_be_asked_is_refused_in_plain_words(question: SubgroupsQuestion, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        check_subgroups(question, DICTIONARY)


def test_the_questions_it_is_made_of_are_those_of_the_survival_page() -> None:
    question = SubgroupsQuestion(B_CELL, ("sex",), treatment="rand_arm")
    assert question.by("sex") == replace(B_CELL, by="sex")
    assert question.by_within("sex", "reduced").where == (parse_filter("immunophenotype=B"),
                                                         parse_filter("rand_arm=reduced"))
    with pytest.raises(ValueError, match="no treatment"):
        replace(question, treatment=None).by_within("sex", "reduced")
