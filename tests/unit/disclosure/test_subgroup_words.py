"""What is said of a table of subgroups: true of what was drawn by lot, and of what nobody assigned."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.subgroup_results import Finding, SubgroupsResult, SubgroupVariable
from harmony_dash.disclosure.subgroup_words import count_tests, describe_tests
from harmony_dash.disclosure.wording import CAVEAT, RANDOMISED, put_into_words
from tests.unit.charts.test_forest_figure import table


def said_of(*variables: SubgroupVariable, treatment: str | None = None) -> SubgroupsResult:
    result = table(1).value
    result = replace(result, question=replace(result.question, treatment=treatment), variables=variables)
    completed: SubgroupsResult = put_into_words(result, Scope(Level.PROTECTED))
    return completed


MARKER = replace(table(1).value.variables[0], interactions=())
TRIAL = replace(MARKER, variable="trial", label="Trial", is_circumstance=True)
ARM = replace(MARKER, variable="rand_arm", label="Randomised arm", is_circumstance=True)
TREATED = table(1).value.variables[0]


def test_only_patients_and_their_disease_are_called_prognostic() -> None:
    marker, trial = said_of(MARKER, TRIAL).variables
    assert (marker.finding, trial.finding) == (Finding.PROGNOSTIC, Finding.EXPLORATORY)


def test_where_patients_were_treated_still_counts_as_a_difference_that_was_found() -> None:
    said = said_of(TRIAL).summary
    assert "outcomes differ between the levels of Trial (q < 0.05)" in said
    assert "Trial tells where, when or how patients were treated, so such a difference is no prognosis." in said
    assert "no prognosis" not in said_of(MARKER).summary


@pytest.mark.parametrize(("treatment", "variables", "sentences"), [
    (None, (MARKER,), (CAVEAT,)),
    ("intensity_received", (TREATED,), (CAVEAT,)),
    ("rand_arm", (TREATED,), (RANDOMISED,)),
    (None, (ARM,), (RANDOMISED,)),
    (None, (MARKER, ARM), (CAVEAT, f"This does not go for Randomised arm. {RANDOMISED}")),
])
def test_a_summary_says_whether_groups_were_drawn_by_lot(treatment: str | None, variables: tuple[SubgroupVariable, ...],
                                                         sentences: tuple[str, ...]) -> None:
    said = said_of(*variables, treatment=treatment).summary
    assert said.endswith(" ".join(sentences))
    assert (CAVEAT in said) is (CAVEAT in sentences)
    assert "not as anybody assigned" not in said


@pytest.mark.parametrize(("treatment", "words"), [
    ("rand_arm", "Whether the treatment works differently between levels was tested once"),
    ("intensity_assigned", "Whether the difference between patients assigned different treatments varies"),
    ("hsct_cr1", "Whether the difference between patients given different treatments varies"),
])
def test_only_of_a_treatment_drawn_by_lot_it_is_asked_whether_it_works(treatment: str, words: str) -> None:
    said = said_of(TREATED, treatment=treatment).summary
    assert words in said
    assert ("works" in said) is (treatment == "rand_arm")
    untested = replace(TREATED, interactions=())
    assert "between levels could not be tested" in said_of(untested, treatment=treatment).summary


def test_tests_are_counted_by_the_kind_over_which_they_are_adjusted() -> None:
    result = said_of(TREATED, replace(TREATED, test=None), treatment="rand_arm")
    assert count_tests(result.variables) == (2, 1, 2)
    assert result.comparisons == 5
    assert describe_tests(result) == "2 of levels, 1 of variables and 2 of interactions"
    assert describe_tests(said_of(MARKER)) == "1 of levels and 1 of variables"
    assert "2 of levels, 1 of variables and 2 of interactions, each kind by itself" in result.methods
