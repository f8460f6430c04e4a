from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.what_if_question import (
    WhatIfQuestion,
    check_what_if,
    default_adjustment,
    essential_confounders,
    late_variables,
    what_if_from_json,
)
from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()
COHORT = Question("ALL", "efs")
NAMES = st.text("abcdef_", max_size=8)


@given(strategy=NAMES, reference=NAMES, compared=NAMES, strata=NAMES, adjust=st.lists(NAMES, max_size=5),
       modifiers=st.lists(NAMES, max_size=4), horizon=st.integers(-5, 50_000), landmark=st.integers(0, 400))
def test_json_and_back_is_the_same_question(strategy: str, reference: str, compared: str, strata: str,
                                            adjust: list[str], modifiers: list[str], horizon: int,
                                            landmark: int) -> None:
    question = WhatIfQuestion(replace(COHORT, landmark_days=landmark), strategy, reference, compared, strata,
                              tuple(adjust), tuple(modifiers), horizon)
    again = what_if_from_json(json.loads(question.canonical_json))
    assert again == question
    assert again.fingerprint == question.fingerprint


@pytest.mark.parametrize("change", [{"more": 1}, {"strategy": 3}, {"adjust": "age"}, {"adjust": ["a"] * 40},
                                    {"horizon_days": "1826"}, {"horizon_days": True}, {"modifiers": [1]}])
def test_json_with_anything_unexpected_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        what_if_from_json({**WhatIfQuestion(COHORT).to_json(), **change})


def test_the_dictionary_says_what_is_adjusted_for_and_what_cannot_be_done_without() -> None:
    assert default_adjustment(COHORT, DICTIONARY) == ("age_dx_years", "wbc_dx", "mrd_eoi_band", "cyto_group")
    assert essential_confounders(COHORT, DICTIONARY) == ("mrd_eoi_band", "cyto_group")
    t_cell = replace(COHORT, where=(parse_filter("immunophenotype=T"),))
    assert essential_confounders(t_cell, DICTIONARY) == ("mrd_eoi_band",)
    good = replace(COHORT, where=(parse_filter("cyto_group=good"),))
    assert "cyto_group" not in default_adjustment(good, DICTIONARY)


@pytest.mark.parametrize(("endpoint", "landmark", "of_causes"), [("efs", 90, 70), ("rfs", 70, 70), ("os", 90, 70)])
def test_the_clock_starts_when_strategy_and_all_that_is_adjusted_for_are_known(endpoint: str, landmark: int,
                                                                               of_causes: int) -> None:
    asked = check_what_if(WhatIfQuestion(replace(COHORT, endpoint=endpoint)), DICTIONARY)
    assert asked.cohort.landmark_days == landmark
    assert asked.by_cause.landmark_days == of_causes
    assert asked.by_strategy.by == "intensity_assigned"
    assert asked.cohort.by is None


def test_a_landmark_chosen_later_stays_on_both_clocks() -> None:
    asked = check_what_if(WhatIfQuestion(replace(COHORT, landmark_days=183)), DICTIONARY)
    assert (asked.cohort.landmark_days, asked.by_cause.landmark_days) == (183, 183)


@pytest.mark.parametrize("question", [
    WhatIfQuestion(COHORT, "hsct_cr1", "no", "yes"), WhatIfQuestion(COHORT, "intensity_received"),
    WhatIfQuestion(COHORT, adjust=("hsct_cr1",)), WhatIfQuestion(COHORT, modifiers=("randomised",)),
    WhatIfQuestion(replace(COHORT, where=(parse_filter("hsct_cr1=no"),)))])
def test_what_has_no_fixed_day_is_late_until_a_landmark_is_chosen(question: WhatIfQuestion) -> None:
    asked = check_what_if(question, DICTIONARY)
    assert late_variables(asked, DICTIONARY)
    assert asked.cohort.landmark_days == 0
    later = check_what_if(replace(question, cohort=replace(question.cohort, landmark_days=365)), DICTIONARY)
    assert not late_variables(later, DICTIONARY)
    assert later.cohort.landmark_days == 365


def test_checking_twice_changes_nothing() -> None:
    once = check_what_if(WhatIfQuestion(COHORT, modifiers=("etv6_runx1",)), DICTIONARY)
    assert check_what_if(once, DICTIONARY) == once
    assert "etv6_runx1" in once.adjust
