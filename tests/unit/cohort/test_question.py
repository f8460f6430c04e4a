from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.cohort import AnyOf, Between, Missing, Not, OneOf, Question, check_question, with_landmark
from harmony_dash.cohort.describe import describe_question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()

PARSED = {
    "sex=F,M": OneOf("sex", ("F", "M")),
    " sex = M , F ": OneOf("sex", ("F", "M")),
    "sex!=F": Not(OneOf("sex", ("F",))),
    "subtype=ETV6::RUNX1": OneOf("subtype", ("ETV6::RUNX1",)),
    "age_dx_years=1..10": Between("age_dx_years", 1, 10),
    "age_dx_years=1..<10": Between("age_dx_years", 1, 10, upper_included=False),
    "wbc_dx=..50": Between("wbc_dx", None, 50),
    "wbc_dx=50..": Between("wbc_dx", 50, None),
    "mrd_eoi_value=1e-4..1e-3": Between("mrd_eoi_value", 1e-4, 1e-3),
    "mrd_group=?": Missing("mrd_group"),
    "mrd_group!=?": Not(Missing("mrd_group")),
}


@pytest.mark.parametrize("text", PARSED)
def test_a_typed_filter_means_what_it_says(text: str) -> None:
    assert parse_filter(text) == PARSED[text]


@pytest.mark.parametrize("text", ["", "sex", "=F", "sex=", "9x=1", "age_dx_years=10..1", "sex=,", "age_dx_years=.."])
def test_a_filter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(QuestionError):
        parse_filter(text)


REFUSED = {
    "no such disease": (Question("XYZ", "efs"), "disease"),
    "no such endpoint": (Question("ALL", "pfs"), "endpoint"),
    "no such variable": (Question("ALL", "efs", by="cytogroup"), "cyto_group"),
    "a number as a group": (Question("ALL", "efs", by="age_dx_years"), "age_group"),
    "an outcome as a group": (Question("ALL", "efs", by="death"), "outcome"),
    "an identifier": (Question("ALL", "efs", by="patient_id"), "no variable"),
    "a value that does not exist": (Question("ALL", "efs", (OneOf("sex", ("X",)),)), "'X'"),
    "a range on a category": (Question("ALL", "efs", (Between("sex", 1, 2),)), "not a number"),
    "a list on a number": (Question("ALL", "efs", (OneOf("age_dx_years", ("1",)),)), "range"),
    "a nested unknown": (Question("ALL", "efs", (AnyOf((OneOf("sex", ("F",)), Not(Missing("nothing")))),)), "nothing"),
    "strata without groups": (Question("ALL", "efs", strata="sex"), "without groups"),
    "groups that are strata": (Question("ALL", "efs", by="sex", strata="sex"), "same variable"),
    "a negative landmark": (Question("ALL", "efs", landmark_days=-1), "landmark"),
    "a horizon of nothing": (Question("ALL", "efs", horizon_days=0), "horizon"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_question_that_cannot_be_asked_says_why(case: str) -> None:
    question, word = REFUSED[case]
    with pytest.raises(QuestionError) as refused:
        check_question(question, DICTIONARY)
    assert word in refused.value.message


LANDMARKS = [
    ("efs", "sex", 0, 0), ("efs", "mrd_group", 0, 42), ("efs", "mrd_group", 100, 100),
    ("efs", "intensity_assigned", 0, 90), ("efs", "prednisone_response_d8", 0, 8),
    # On the clock that starts at remission, what is known at the end of induction is known at once.
    ("relapse", "mrd_group", 0, 0), ("relapse", "intensity_assigned", 0, 70),
    ("relapse", "cr_status", 0, 0), ("efs", "hsct_cr1", 180, 180),
]


@pytest.mark.parametrize(("endpoint", "by", "chosen", "needed"), LANDMARKS)
def test_grouping_by_what_is_known_later_moves_the_landmark(endpoint: str, by: str, chosen: int, needed: int) -> None:
    question = Question("ALL", endpoint, by=by, landmark_days=chosen)
    assert with_landmark(question, DICTIONARY).landmark_days == needed


def test_filtering_by_what_is_known_later_moves_the_landmark_too() -> None:
    question = Question("ALL", "efs", (OneOf("mrd_group", ("mrd_cr",)),))
    assert with_landmark(question, DICTIONARY).landmark_days == 42


def test_a_transplant_cannot_group_patients_without_a_landmark() -> None:
    with pytest.raises(QuestionError, match="landmark"):
        with_landmark(Question("ALL", "os", by="hsct_cr1"), DICTIONARY)


@pytest.mark.parametrize(("strata", "landmark"), [("mrd_group", 42), ("intensity_assigned", 90), ("hsct_cr1", 1)])
def test_strata_move_no_landmark_and_must_be_known_by_it(strata: str, landmark: int) -> None:
    question = Question("ALL", "efs", by="sex", strata=strata)
    for day in (0, landmark - 1):
        with pytest.raises(QuestionError, match=r"stratify|clock") as refused:
            with_landmark(replace(question, landmark_days=day), DICTIONARY)
        assert refused.value.where == "strata"
        assert "landmark" in refused.value.remedy
    settled = replace(question, landmark_days=landmark)
    assert with_landmark(settled, DICTIONARY) == settled


def test_a_landmark_that_the_groups_need_is_enough_for_strata() -> None:
    question = Question("ALL", "efs", by="mrd_group", strata="cr_status", landmark_days=50)
    assert with_landmark(question, DICTIONARY) == question
    assert with_landmark(Question("ALL", "relapse", by="sex", strata="mrd_group"), DICTIONARY).landmark_days == 0


def test_the_title_says_who_what_and_by_what() -> None:
    question = Question("ALL", "efs", (parse_filter("age_dx_years=1..<10"),), by="cyto_group")
    assert describe_question(question, DICTIONARY, "2,145") == (
        "Event-free survival of 2,145 patients with ALL, age at diagnosis 1 to under 10 years, "
        "by cytogenetic risk group")
