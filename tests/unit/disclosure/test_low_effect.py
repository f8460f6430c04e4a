"""What the low-effect rule does, as a table: the patients by what they have, before and after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.effects import NONE_OF_THEM, Effects, count_fail_only
from harmony_dash.disclosure.group_effects import NearlyAll, answer_group, apply_rule_by_choice, apply_rule_by_group
from harmony_dash.disclosure.low_effect import Answerable, NotApplied, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.results import UnappliedKind
from harmony_dash.disclosure.selections import close_filters, list_choices
from harmony_dash.disclosure.small_values import is_plain

DICTIONARY = load_dictionary()
COUNTRIES = ("AT", "BE", "CH", "CZ", "DE", "DK", "EE", "FI", "FR")
CODES = ("AT", "BE", "CH", "CZ", "DK", "EE", "FI")  # countries of a few patients each


def make_effects(where: tuple[Filter, ...], *patients: tuple[str, float, str, int], outside: int = 0) -> Effects:
    """Effects of a question in a cohort of (country, age, sex, number) patients; `outside` of each row have no place
    in the figure."""
    question = Question("ALL", "efs", where)
    selections, offered = close_filters(
        where, DICTIONARY, lambda variable: COUNTRIES if variable.name == "country" else tuple(variable.values))

    def codes(name: str) -> np.ndarray:
        choices = offered[name]
        place = {"country": 0, "age_dx_years": 1, "sex": 2}[name]
        plain = {next(iter(s.chosen[0][1])) for s in selections if is_plain(s) and s.variables == (name,)}
        several = any(name in s.variables and not is_plain(s) for s in selections)
        found = [int(np.searchsorted(choices.edges, row[place], side="right")) if choices.numeric  # type: ignore[arg-type]
                 else choices.missing if row[place] == "?" else choices.values.index(str(row[place]))
                 for row in patients]
        return np.array([code if several or code in plain else NONE_OF_THEM for code in found] * 2, dtype=np.int64)

    n = np.array([row[3] - outside for row in patients] + [outside] * len(patients), dtype=np.int64)
    keys = np.arange(1, len(n) + 1, dtype=np.uint64)
    return Effects(question, (), offered, selections, {name: codes(name) for name in offered},
                   np.arange(len(n)) < len(patients), n, keys)


FEMALE, CHILDREN = parse_filter("sex=F"), parse_filter("age_dx_years=1..<18")
GERMAN = OneOf("country", ("DE",))


def decide(where: tuple[Filter, ...], *patients: tuple[str, float, str, int], outside: int = 0,
           ) -> Answerable | TooFewPatients:
    return apply_low_effect_rule(make_effects(where, *patients, outside=outside), 10)


def dropped(item: Filter) -> NotApplied:
    return NotApplied(item, "not applied", 1)


def countries(kind: UnappliedKind, pieces: int, *names: str) -> NotApplied:
    values = tuple(OneOf("country", (one,)) for one in names)
    return NotApplied(OneOf("country", names), kind, pieces, "country", values)


# -- conditions ----------------------------------------------------------------------------------------------------


def test_conditions_that_matter_are_applied_as_asked() -> None:
    effects = make_effects((FEMALE, GERMAN), ("DE", 5, "F", 50), ("DE", 5, "M", 10), ("FR", 5, "F", 10))
    decision = apply_low_effect_rule(effects, 10)
    assert isinstance(decision, Answerable)
    assert (decision.question, decision.n, decision.not_applied) == (effects.question, 50, ())
    assert decision.n.key == 1 ^ 4


@pytest.mark.parametrize("few", [0, 1, 9])
def test_a_condition_few_patients_fail_alone_is_dropped_and_told(few: int) -> None:
    decision = decide((FEMALE, GERMAN), ("DE", 5, "F", 100), ("DE", 5, "M", 10), ("FR", 5, "F", few))
    assert isinstance(decision, Answerable)
    assert decision.question.where == (FEMALE,)
    assert decision.n == 100 + few
    assert decision.not_applied == (dropped(GERMAN),)


def test_dropping_one_condition_can_make_another_matter_or_not() -> None:
    # Nobody fails either alone; without the broader one, thirty fail the other.
    decision = decide((FEMALE, GERMAN), ("DE", 5, "F", 100), ("FR", 5, "M", 30))
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (dropped(FEMALE),)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100)


@pytest.mark.parametrize(("men", "french"), [(0, 0), (0, 1), (1, 0), (2, 5), (9, 1)])
def test_of_two_low_effects_the_broader_is_dropped_whatever_their_size(men: int, french: int) -> None:
    # One sex of two and "not recorded" is a larger share than one country of many.
    decision = decide((FEMALE, GERMAN), ("DE", 5, "F", 100), ("DE", 5, "M", men), ("FR", 5, "F", french),
                      ("FR", 5, "M", 10))
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (dropped(FEMALE),)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100 + men)


def test_the_effect_counts_in_the_figure() -> None:
    rows = ("DE", 5.0, "F", 200), ("FR", 5.0, "F", 12), ("DE", 5.0, "M", 50)
    decision = decide((FEMALE, GERMAN), *rows)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == ()
    # Twelve in the cohort, but only four of them in the figure.
    decision = decide((FEMALE, GERMAN), *rows, outside=8)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (dropped(GERMAN),)


def test_any_subset_of_the_conditions_can_be_weighed_without_another_scan() -> None:
    effects = make_effects((FEMALE, GERMAN, CHILDREN), ("DE", 5, "F", 50), ("FR", 5, "F", 20), ("FR", 30, "F", 7))
    children, german, female = effects.selections
    assert count_fail_only(effects, [german, female]) == [27, 0]
    assert count_fail_only(effects, [children, german, female]) == [0, 20, 0]


# -- small values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("few", [0, 1, 9])
def test_a_value_few_patients_have_is_left_out_of_a_list(few: int) -> None:
    decision = decide((OneOf("country", ("AT", "DE")),), ("AT", 5, "F", few), ("DE", 5, "F", 100), ("FR", 5, "F", 50))
    assert isinstance(decision, Answerable)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100)
    assert decision.not_applied == (countries("left out", 1, "AT"),)


def test_a_band_few_patients_are_in_is_left_out_of_a_range() -> None:
    decision = decide((Between("age_dx_years", 1, 40, False),), ("DE", 5, "F", 100), ("DE", 12, "F", 3),
                      ("DE", 20, "F", 60), ("DE", 70, "F", 50))
    assert isinstance(decision, Answerable)
    assert decision.n == 160
    band = Between("age_dx_years", 10, 18, False)
    assert decision.not_applied == (NotApplied(band, "left out", 1, "age_dx_years", (band,)),)


def rows_of(sizes: dict[str, int]) -> list[tuple[str, float, str, int]]:
    return [(country, 5.0, "F", n) for country, n in sizes.items()]


MANY_SMALL = {"DE": 800, "FR": 100, **dict.fromkeys(CODES, 9)}


def test_half_of_the_small_values_are_left_out_together_and_each_counts() -> None:
    # Seven small countries and "not recorded" make eight; four of them are not more than half.
    asked = OneOf("country", ("DE", "AT", "BE", "CH", "CZ"))
    decision = decide((asked,), *rows_of(MANY_SMALL))
    assert isinstance(decision, Answerable)
    assert (decision.question.where, decision.n) == ((GERMAN,), 800)
    assert decision.not_applied == (countries("left out", 4, "AT", "BE", "CH", "CZ"),)


def test_with_most_of_the_small_values_all_of_them_are_taken_in() -> None:
    asked = OneOf("country", ("DE", "AT", "BE", "CH", "CZ", "DK", "EE"))
    decision = decide((asked,), *rows_of(MANY_SMALL))
    assert isinstance(decision, Answerable)
    assert decision.n == 863
    (one,) = decision.not_applied
    assert (one.kind, one.pieces, one.values) == ("taken in", 2, (OneOf("country", ("FI",)), Missing("country")))


def test_all_small_values_but_not_the_unknown_are_a_negation_and_stay() -> None:
    rows = [*rows_of(MANY_SMALL), ("?", 5.0, "F", 12)]
    decision = decide((Not(OneOf("country", ("FR",))),), *rows)
    assert isinstance(decision, Answerable)
    assert (decision.n, decision.not_applied) == (863, ())


def test_small_values_that_are_few_together_are_one_piece() -> None:
    decision = decide((Not(OneOf("country", ("FR",))),), *rows_of({"DE": 100, "FR": 50, "AT": 3, "BE": 4}))
    assert isinstance(decision, Answerable)
    assert decision.n == 100
    (one,) = decision.not_applied
    assert (one.kind, one.pieces) == ("left out", 1)
    assert len(one.values) == len(CODES)


def test_a_list_that_taking_in_completes_is_told_as_that_and_not_as_a_condition() -> None:
    everything = tuple(name for name in COUNTRIES if name not in ("AT", "BE"))
    decision = decide((AnyOf((OneOf("country", everything), Missing("country"))),), *rows_of({**MANY_SMALL, "DE": 900}))
    assert isinstance(decision, Answerable)
    assert (decision.question.where, decision.n) == ((), 1063)
    assert [(one.kind, one.pieces) for one in decision.not_applied] == [("taken in", 2)]


@pytest.mark.parametrize("sizes", [{"AT": 8, "BE": 7}, dict.fromkeys(CODES, 9)], ids=["few", "many"])
def test_a_list_of_small_values_only_is_not_answered(sizes: dict[str, int]) -> None:
    decision = decide((OneOf("country", ("AT", "BE")),), *rows_of({"FR": 500, **sizes}))
    assert isinstance(decision, TooFewPatients)
    assert decision.only_small
    assert decision.not_applied == (countries("left out", 2, "AT", "BE"),)
    assert decision.question.where == ()


def test_a_small_value_of_an_either_or_condition_is_left_out_too() -> None:
    rows = ("AT", 5, "M", 4), ("DE", 5, "F", 100), ("FR", 5, "M", 50)
    answers = [decide((where,), *rows) for where in (AnyOf((OneOf("country", ("AT",)), FEMALE)), FEMALE)]
    assert [answer.question.where for answer in answers] == [(FEMALE,), (FEMALE,)]
    assert answers[0].not_applied == (countries("left out", 1, "AT"),)


def test_a_block_taken_in_is_given_up_when_it_becomes_small() -> None:
    # Two small bands have twelve patients together, until the small country goes that six of them come from.
    rows = [("DE", 5.0, "F", 500), ("DE", 20.0, "F", 6), ("AT", 12.0, "F", 6), ("DE", 70.0, "F", 20),
            ("FR", 5.0, "F", 50)]
    under_sixty, two = Between("age_dx_years", None, 60, False), OneOf("country", ("AT", "DE"))
    alone = decide((under_sixty,), *rows)
    assert isinstance(alone, Answerable)
    assert (alone.n, [one.kind for one in alone.not_applied]) == (562, ["taken in"])
    decision = decide((under_sixty, two), *rows)
    assert isinstance(decision, Answerable)
    assert decision.n == 500
    assert [(one.variable, one.kind, one.pieces) for one in decision.not_applied] == [
        ("country", "left out", 1), ("age_dx_years", "left out", 1)]


# -- the floor -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "answered"), [(99, False), (100, True)])
def test_an_answer_in_another_piece_is_for_ten_times_the_threshold(n: int, answered: bool) -> None:
    decision = decide((GERMAN,), ("DE", 5, "F", n - 3), ("FR", 5, "F", 3))
    assert isinstance(decision, Answerable) == answered
    if not answered:
        assert isinstance(decision, TooFewPatients)
        assert (decision.minimum, decision.not_applied, decision.n) == (100, (dropped(GERMAN),), 99)


@pytest.mark.parametrize(("n", "answered"), [(199, False), (200, True)])
def test_each_piece_asks_for_as_many_again(n: int, answered: bool) -> None:
    where = (FEMALE, OneOf("country", ("AT", "DE")))
    decision = decide(where, ("DE", 5, "F", n - 3), ("DE", 5, "M", 3), ("AT", 5, "F", 2), ("FR", 5, "F", 50))
    assert isinstance(decision, Answerable) == answered


def test_the_floor_counts_in_the_figure() -> None:
    assert isinstance(decide((GERMAN,), ("DE", 5, "F", 120), ("FR", 5, "F", 3)), Answerable)
    assert isinstance(decide((GERMAN,), ("DE", 5, "F", 120), ("FR", 5, "F", 3), outside=25), TooFewPatients)


def test_a_small_cohort_with_nothing_dropped_is_left_to_the_threshold() -> None:
    decision = decide((GERMAN,), ("DE", 5, "F", 4), ("FR", 5, "F", 300))
    assert isinstance(decision, Answerable)
    assert decision.n == 4


def test_nobody_at_all_is_not_answered_and_no_filter_is_the_reason() -> None:
    decision = decide((GERMAN, FEMALE))
    assert isinstance(decision, TooFewPatients)
    assert decision.not_applied == ()


# -- groups and choices --------------------------------------------------------------------------------------------


def make_grouped(groups: dict[str, int], unknown: int = 0) -> Effects:
    """Patients by sex, all of one country; `unknown` have a place in the figure but no sex."""
    effects = make_effects((), ("DE", 5, "F", groups["F"]), ("DE", 5, "M", groups["M"]), ("DE", 5, "F", unknown))
    places = np.array([0, 1, -1] * 2, dtype=np.int64)
    return replace(effects, in_figure=effects.in_figure & (places >= 0), groups=places,
                   without_groups=effects.in_figure)


@pytest.mark.parametrize(("men", "unknown", "shown"), [(0, 0, False), (9, 0, False), (10, 0, True), (4, 5, False),
                                                       (4, 6, True), (0, 10, True)])
def test_a_group_that_all_but_a_few_are_in_is_not_answered(men: int, unknown: int, shown: bool) -> None:
    effects = make_grouped({"F": 200, "M": men}, unknown)
    answers = apply_rule_by_group(effects, 2, "sex", 10)
    assert isinstance(answers[0], Answerable) == shown
    assert isinstance(answers[0], NearlyAll) != shown
    assert answers == [answer_group(effects, place, "sex", 10) for place in (0, 1)]


def test_who_is_not_in_a_group_counts_under_the_conditions_of_that_group_alone() -> None:
    # All French patients but two are women; men are Germans.
    effects = make_effects((OneOf("country", ("FR",)),), ("FR", 5, "F", 200), ("FR", 5, "M", 2), ("DE", 5, "M", 100),
                           ("DE", 5, "F", 100))
    grouped = replace(effects, groups=np.array([0, 1, 1, 0] * 2), without_groups=effects.in_figure)
    assert isinstance(apply_rule_by_group(grouped, 2, "sex", 10)[0], NearlyAll)


def test_a_group_with_something_left_out_needs_a_hundred_patients() -> None:
    for size, answered in ((99, False), (100, True)):
        effects = make_effects((OneOf("country", ("FR",)),), ("FR", 5, "F", size - 4), ("DE", 5, "F", 4),
                               ("FR", 5, "M", 300), ("DE", 5, "M", 50))
        grouped = replace(effects, groups=np.array([0, 0, 1, 1] * 2), without_groups=effects.in_figure)
        assert isinstance(apply_rule_by_group(grouped, 2, "sex", 10)[0], Answerable) == answered


def test_effects_without_groups_tell_of_none() -> None:
    effects = make_effects((GERMAN,), ("DE", 5, "F", 100))
    with pytest.raises(ValueError, match="apart"):
        apply_rule_by_group(effects, 2, "sex", 10)


@pytest.mark.parametrize(("men", "counted"), [(9, {"F": 209, "M": 9}), (10, {"F": 200, "M": 10}),
                                              (0, {"F": 200, "M": 0})])
def test_a_choice_that_all_but_a_few_have_is_counted_as_the_question_without_it(
        men: int, counted: dict[str, int]) -> None:
    effects = make_effects((), ("DE", 5, "F", 200), ("DE", 5, "M", men))
    grouped = replace(effects, groups=np.array([0, 1] * 2), without_groups=effects.in_figure)
    choices = list_choices(DICTIONARY["sex"], ("F", "M"))
    answers = apply_rule_by_choice(grouped, choices, 10)
    assert dict(zip(choices.values, [answer.n for answer in answers], strict=False)) == counted
    assert isinstance(answers[1], Answerable) == (men >= 10)
