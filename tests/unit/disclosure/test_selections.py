"""Filters that mean the same become one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.model import Variable, VariableType
from harmony_dash.disclosure.selections import Choices, Selection, close_filters, find_bands, open_selection, splits_of
from harmony_dash.errors import QuestionError

DICTIONARY = load_dictionary()


def values_of(variable: Variable) -> tuple[str, ...]:
    return tuple(variable.values) or ("Trial A", "Trial B", "Trial C")


def close(*filters: Filter) -> tuple[Filter, ...]:
    selections, offered = close_filters(filters, DICTIONARY, values_of)
    return tuple(open_selection(selection, offered) for selection in selections)


def p(text: str) -> Filter:
    return parse_filter(text)


SAME: list[tuple[tuple[Filter, ...], tuple[Filter, ...]]] = [
    ((p("sex!=F"),), (p("sex=M"),)),
    ((p("trial!=Trial A,Trial B"),), (p("trial=Trial C"),)),
    ((p("sex=F,M"),), (p("sex!=?"),)),  # recorded, not everybody
    ((p("age_dx_years=1.."), p("age_dx_years=..<18")), (p("age_dx_years=1..<18"),)),
    ((AnyOf((p("age_dx_years=1..<10"), p("age_dx_years=10..<18"))),), (p("age_dx_years=1..<18"),)),
    ((p("age_dx_years!=1..<18"),), (AnyOf((p("age_dx_years=..<1"), p("age_dx_years=18.."))),)),
    ((p("age_dx_years=0..<10"),), (p("age_dx_years=..<10"),)),  # nobody is younger than the range allows
    ((Not(AnyOf((p("sex=F"), p("trial=Trial A")))),), (p("sex=M"), p("trial=Trial B,Trial C"))),
    ((Not(AnyOf((p("sex!=F"), Not(p("trial=Trial A"))))),), (p("sex=F"), p("trial=Trial A"))),
    ((AnyOf((p("sex=F"), p("sex=?"))), p("sex=F,M")), (p("sex=F"),)),
    ((AnyOf((p("sex=F"), p("sex=M"), p("sex=?"))),), ()),  # everybody
    ((AnyOf((p("sex=F"), p("trial=?"), p("trial!=?"))),), ()),
    ((AnyOf((p("sex=F"), Not(p("trial=Trial A,Trial B,Trial C")))),), (p("sex=F"),)),
    ((AnyOf((p("trial=Trial A"), p("sex=F"))), AnyOf((p("sex=F"), p("trial=Trial A")))),
     (AnyOf((p("sex=F"), p("trial=Trial A"))),)),
]


@pytest.mark.parametrize(("asked", "plain"), SAME)
def test_filters_of_one_meaning_have_one_form(asked: tuple[Filter, ...], plain: tuple[Filter, ...]) -> None:
    assert close(*asked) == close(*plain)
    assert close(*close(*asked)) == close(*asked)


@pytest.mark.parametrize("plain", [
    p("sex=M"), p("sex=?"), p("sex!=?"), p("age_dx_years=1..<18"), p("age_dx_years=60.."), p("wbc_dx=..<50"),
    p("trial=Trial A,Trial B"), p("hb=?"), p("hb!=?"), AnyOf((p("sex=?"), p("sex=F")))])
def test_a_plain_filter_stays_as_it_is(plain: Filter) -> None:
    assert close(plain) == (plain,)


@pytest.mark.parametrize(("filters", "reason"), [
    ((p("sex=F"), p("sex=M")), "no patient can meet"), ((Not(p("sex=F,M")),), "no patient can meet"),
    ((p("age_dx_years=2..<10"),), "age_dx_years"), ((p("age_dx_years=1..10"),), "upper end excluded"),
    ((p("hb=5..10"),), "no bands"), ((OneOf("trial", ("Trial X",)),), "not a value of trial"),
    ((AnyOf((p("sex=F"), Not(AnyOf((p("trial=Trial A"), p("trial=?")))))),), "nested too deeply")])
def test_what_is_not_closed_is_refused(filters: tuple[Filter, ...], reason: str) -> None:
    with pytest.raises(QuestionError, match=reason):
        close(*filters)


def test_the_last_of_a_whole_number_is_under_the_next() -> None:
    visits = replace(DICTIONARY["age_dx_years"], type=VariableType.INTEGER)
    assert find_bands(Between("x", 1, 9, True), visits) == find_bands(Between("x", 1, 10, False), visits) == (1, 2)
    with pytest.raises(QuestionError):
        find_bands(Between("x", 1, 10, True), visits)


def test_a_missing_value_is_a_choice_of_its_own() -> None:
    selections, offered = close_filters([Missing("sex")], DICTIONARY, values_of)
    assert selections[0].chosen == (("sex", frozenset({offered["sex"].missing})),)


COLOURS = Choices("colour", ("red", "green", "blue"), (), False)


@pytest.mark.parametrize(("chosen", "split"), [
    ({0}, {0}), ({1, 2}, {0}), ({0, 1}, {2}), ({2}, {2}),
    # not knowing is on neither side
    ({1, 3}, {1}), ({0, 2, 3}, {1}),
    ({3}, {3}), ({0, 1, 2}, {3})])
def test_a_choice_and_its_opposite_split_alike(chosen: set[int], split: set[int]) -> None:
    assert COLOURS.split(frozenset(chosen)) == split
    opposite = COLOURS.recorded - chosen
    assert not opposite or COLOURS.split(opposite) == split


def test_of_two_equal_sides_the_first_is_the_split() -> None:
    sexes = Choices("sex", ("F", "M"), (), False)
    assert sexes.split(frozenset({0})) == sexes.split(frozenset({1})) == {0}


def test_the_splits_of_an_either_or_are_those_of_its_variables() -> None:
    shape = Choices("shape", ("round", "square"), (), False)
    offered = {"colour": COLOURS, "shape": shape}
    either = Selection((("colour", frozenset({1, 2})), ("shape", frozenset({1}))))
    assert splits_of([either], offered) == {Selection((("colour", frozenset({0})),)),
                                            Selection((("shape", frozenset({0})),))}
