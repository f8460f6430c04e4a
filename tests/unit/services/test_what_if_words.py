"""The estimand of a comparison in words: strategies that are levels, and a treatment that is given or not."""

from __future__ import annotations

import pytest

from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.precision import name_years
from harmony_dash.services.what_if_words import describe_estimand, write_title

DICTIONARY = load_dictionary()
LEVELS = WhatIfQuestion(Question("ALL", "efs"), "intensity_assigned", "standard", "reduced", "trial", (), (), 1096)
TRANSPLANT = WhatIfQuestion(Question("ALL", "efs"), "hsct_cr1", "no", "yes", "trial", (), (), 913)


def test_levels_of_a_treatment_go_by_their_names() -> None:
    assert write_title(LEVELS, DICTIONARY) == (
        "What if: reduced instead of standard (treatment intensity assigned), event-free survival of patients with ALL")
    words = dict(describe_estimand(LEVELS, DICTIONARY, by_chance=False))
    assert words["Strategies"].startswith("treatment intensity assigned: reduced against standard, as labelled")
    assert words["Horizon"] == "3 years after time zero"


def test_a_treatment_that_is_given_or_not_is_with_or_without_it() -> None:
    assert write_title(TRANSPLANT, DICTIONARY) == (
        "What if: with instead of without transplant in first remission, event-free survival of patients with ALL")
    words = dict(describe_estimand(TRANSPLANT, DICTIONARY, by_chance=False))
    assert words["Strategies"].startswith("with against without transplant in first remission, as labelled")
    assert "with minus without" in words["Contrast"]
    assert words["Horizon"] == "2.5 years after time zero"


@pytest.mark.parametrize(("days", "words"), [(365, "1 year"), (1096, "3 years"), (1826, "5 years"), (913, "2.5 years"),
                                             (1552, "4.25 years"), (2920, "8 years"), (3650, "10 years")])
def test_a_time_in_years_has_a_decimal_only_where_it_says_something(days: int, words: str) -> None:
    assert name_years(days) == words
