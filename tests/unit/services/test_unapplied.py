"""In what an answer differs from its question, in words."""

from __future__ import annotations

import pytest

from harmony_dash.cohort import Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.keyed_count import NOBODY
from harmony_dash.disclosure.low_effect import NotApplied, TooFewPatients
from harmony_dash.disclosure.results import Unapplied, UnappliedKind
from harmony_dash.services.unapplied import (
    describe_unapplied,
    explain_applied,
    explain_otherwise,
    explain_too_few,
    explain_unapplied,
)

DICTIONARY = load_dictionary()
FEMALE = NotApplied(parse_filter("sex=F"), "not applied", 1)
FROM_B = NotApplied(parse_filter("immunophenotype=B"), "not applied", 1)


def values(kind: UnappliedKind, *codes: str, pieces: int = 1) -> NotApplied:
    parts = tuple(OneOf("country", (one,)) for one in codes)
    return NotApplied(OneOf("country", codes), kind, pieces, "country", parts)


@pytest.mark.parametrize(("one", "groups", "words"), [
    (FEMALE, (), "The filter 'sex: Female' changes fewer than 10 of the patients in this figure and was not applied."),
    (FEMALE, ("A", "B"), "Within A, B, the filter 'sex: Female' changes fewer than 10 of the patients in this figure "
                         "and was not applied there."),
    (values("left out", "AT"), (), "Of 'Country', Austria has fewer than 10 of the patients in this figure and is left "
                                   "out."),
    (values("left out", "AT", "BE", "CH"), (),
     "Of 'Country', Austria, Belgium and Switzerland each have fewer than 10 of the patients in this figure and are "
     "left out."),
    (values("left out", "AT", "BE", "CH", "CZ", "DK"), ("A",),
     "Within A, of 'Country', 5 values each have fewer than 10 of the patients in this figure and are left out there."),
    (values("taken in", "AT"), (),
     "The values asked for of 'Country' are shown together with Austria, which has fewer than 10 of the "
     "patients in this figure."),
    (values("taken in", "AT", "BE"), (),
     "The values asked for of 'Country' are shown together with Austria and Belgium, which each have fewer than 10 "
     "of the patients in this figure."),
], ids=range(7))
def test_each_difference_is_one_sentence(one: NotApplied, groups: tuple[str, ...], words: str) -> None:
    assert explain_unapplied(one, DICTIONARY, 10, groups) == words


def test_where_it_is_not_so_is_told_too() -> None:
    assert explain_applied(FEMALE, DICTIONARY, ["A", "B"]) == "Within A, B, the filter 'sex: Female' was applied."
    assert explain_applied(values("left out", "AT"), DICTIONARY, ["A"]) == (
        "Within A, the values asked for of 'Country' are shown, all of them and no others.")


@pytest.mark.parametrize(("item", "words"), [
    (Between("age_dx_years", None, 1, False), "under 1 years"), (Between("age_dx_years", 60, None), "60 or more years"),
    (Between("age_dx_years", 10, 18, False), "10 to under 18 years"), (Missing("age_dx_years"), "not recorded"),
    (Not(Missing("age_dx_years")), "recorded")])
def test_a_value_is_named_without_its_variable(item: Filter, words: str) -> None:
    one = NotApplied(item, "left out", 1, "age_dx_years", (item,))
    assert explain_unapplied(one, DICTIONARY, 10) == (
        f"Of 'Age at diagnosis', {words} has fewer than 10 of the patients in this figure and is left out.")


def test_a_filter_for_several_choices_is_no_value() -> None:
    one = NotApplied(OneOf("country", ("AT", "BE")), "left out", 1, "country", (OneOf("country", ("AT", "BE")),))
    with pytest.raises(ValueError, match="single choice"):
        explain_unapplied(one, DICTIONARY, 10)


def too_few(*not_applied: NotApplied, minimum: int = 100, only_small: bool = False) -> str:
    answer = TooFewPatients(minimum, not_applied, Question("ALL", "os"), NOBODY, only_small)
    return explain_too_few(answer, DICTIONARY, 10)


@pytest.mark.parametrize(("not_applied", "words"), [
    ((FEMALE,), "the filter 'sex: Female' changes fewer than 10 of the patients in this figure: ask without that "
                "filter"),
    ((FEMALE, FROM_B), "the filters 'sex: Female' and 'immunophenotype: B-cell precursor' each change fewer than "
                       "10 of the patients in this figure: ask without those filters"),
    ((values("left out", "AT"),), "of 'Country', Austria has fewer than 10 of the patients in this figure: leave "
                                   "Austria out"),
    ((values("taken in", "AT", "BE"),),
     "of 'Country', Austria and Belgium each have fewer than 10 of the patients in this figure: choose Austria and "
     "Belgium as well"),
    ((FEMALE, values("left out", "AT", "BE", "CH", "CZ", "DK")),
     "the filter 'sex: Female' changes fewer than 10 of the patients in this figure, and of 'Country', 5 values each "
     "have fewer than 10 of the patients in this figure: ask without that filter, and leave them out"),
], ids=range(5))
def test_a_reason_names_what_is_small_and_what_to_ask_instead(not_applied: tuple[NotApplied, ...], words: str) -> None:
    assert too_few(*not_applied, minimum=200) == f"fewer than 200 patients, and {words}"


def test_of_values_that_are_all_small_no_part_can_be_left_out() -> None:
    assert too_few(values("left out", "AT", "BE", pieces=2), only_small=True) == (
        "each value chosen of 'Country' has fewer than 10 of the patients in this figure: choose larger ones, or ask "
        "without that filter")


def test_where_something_else_is_so_only_that_is_claimed() -> None:
    assert explain_otherwise(values("left out", "AT"), DICTIONARY, ["A", "B"]) == (
        "Of 'Country', only what is said of A, B by name is true there.")


def test_many_values_are_counted_in_a_note_and_named_with_the_result() -> None:
    told = describe_unapplied(values("left out", "AT", "BE", "CH", "CZ", "DK"), DICTIONARY)
    assert told.words == "country: Austria or Belgium or Switzerland or Czechia or Denmark"
    assert told.filter["values"] == ["AT", "BE", "CH", "CZ", "DK"]


def test_programs_get_the_filter_as_json() -> None:
    assert describe_unapplied(FEMALE, DICTIONARY, ("A",)) == Unapplied(
        "sex: Female", {"one_of": "sex", "values": ["F"]}, "not applied", ("A",))
