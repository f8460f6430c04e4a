"""What the low-effect rule does, as a table: the patients by what they have, before and after."""

from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.cohort import Between, Filter, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.low_effect import (
    NONE_OF_THEM,
    Answerable,
    Effects,
    NotApplied,
    TooFewPatients,
    apply_low_effect_rule,
    weigh,
)
from harmony_dash.disclosure.selections import close_filters

DICTIONARY = load_dictionary()
COUNTRIES = ("AT", "DE", "FR")
CHANGES, ADDS = "changes fewer than 10 patients", "adds fewer than 10 patients"


def make_effects(where: tuple[Filter, ...], *patients: tuple[str, float, str, int], outside: int = 0) -> Effects:
    """Effects of a question in a cohort of (country, age, sex, number) patients; `outside` of each row have no place
    in the figure."""
    question = Question("ALL", "efs", where)
    selections, offered = close_filters(
        where, DICTIONARY, lambda variable: COUNTRIES if variable.name == "country" else tuple(variable.values))

    def codes(name: str) -> np.ndarray:
        choices = offered[name]
        place = {"country": 0, "age_dx_years": 1, "sex": 2}[name]
        named = {choice for s in selections for variable, chosen in s.chosen if variable == name for choice in chosen}
        found = [int(np.searchsorted(choices.edges, row[place], side="right")) if choices.numeric  # type: ignore[arg-type]
                 else choices.values.index(str(row[place])) for row in patients]
        return np.array([code if code in named else NONE_OF_THEM for code in found] * 2, dtype=np.int64)

    n = np.array([row[3] - outside for row in patients] + [outside] * len(patients), dtype=np.int64)
    keys = np.arange(1, len(n) + 1, dtype=np.uint64)
    return Effects(question, (), offered, selections, {name: codes(name) for name in offered},
                   np.arange(len(n)) < len(patients), n, keys)


FEMALE, CHILDREN = parse_filter("sex=F"), parse_filter("age_dx_years=1..<18")
GERMAN = OneOf("country", ("DE",))


def test_conditions_that_matter_are_applied_as_asked() -> None:
    effects = make_effects((FEMALE, GERMAN), ("DE", 5, "F", 50), ("DE", 5, "M", 10), ("FR", 5, "F", 10))
    decision = apply_low_effect_rule(effects, 10)
    assert isinstance(decision, Answerable)
    assert (decision.question, decision.n, decision.not_applied) == (effects.question, 50, ())
    assert decision.n.key == 1 ^ 4


@pytest.mark.parametrize("few", [0, 1, 9])
def test_a_condition_few_patients_fail_alone_is_dropped_and_told(few: int) -> None:
    effects = make_effects((FEMALE, GERMAN), ("DE", 5, "F", 100), ("DE", 5, "M", 10), ("FR", 5, "F", few))
    decision = apply_low_effect_rule(effects, 10)
    assert isinstance(decision, Answerable)
    assert decision.question.where == (FEMALE,)
    assert decision.n == 100 + few
    assert decision.not_applied == (NotApplied(GERMAN, CHANGES),)


def test_dropping_one_condition_can_make_another_matter_or_not() -> None:
    # Nobody fails either alone; without the broader one, thirty fail the other.
    effects = make_effects((FEMALE, GERMAN), ("DE", 5, "F", 100), ("FR", 5, "M", 30))
    decision = apply_low_effect_rule(effects, 10)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (NotApplied(FEMALE, CHANGES),)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100)


@pytest.mark.parametrize(("men", "french"), [(0, 0), (0, 1), (1, 0), (2, 5), (9, 1)])
def test_of_two_low_effects_the_broader_is_dropped_whatever_their_size(men: int, french: int) -> None:
    # One sex of two and "not recorded" is a larger share than one country of three and "not recorded".
    effects = make_effects((FEMALE, GERMAN), ("DE", 5, "F", 100), ("DE", 5, "M", men), ("FR", 5, "F", french),
                           ("FR", 5, "M", 10))
    decision = apply_low_effect_rule(effects, 10)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (NotApplied(FEMALE, CHANGES),)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100 + men)


def test_the_effect_counts_where_it_is_smaller_in_the_cohort_or_in_the_figure() -> None:
    rows = ("DE", 5.0, "F", 200), ("FR", 5.0, "F", 12), ("DE", 5.0, "M", 50)
    decision = apply_low_effect_rule(make_effects((FEMALE, GERMAN), *rows), 10)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == ()
    # Twelve in the cohort, but only four of them in the figure.
    decision = apply_low_effect_rule(make_effects((FEMALE, GERMAN), *rows, outside=8), 10)
    assert isinstance(decision, Answerable)
    assert decision.not_applied == (NotApplied(GERMAN, CHANGES),)


def test_a_value_few_patients_have_is_left_out_of_a_list() -> None:
    where = (OneOf("country", ("AT", "DE")),)
    rows = ("AT", 5.0, "F", 9), ("DE", 5.0, "F", 100), ("FR", 5.0, "F", 50)
    decision = apply_low_effect_rule(make_effects(where, *rows), 10)
    assert isinstance(decision, Answerable)
    assert (decision.question.where, decision.n) == ((GERMAN,), 100)
    assert decision.not_applied == (NotApplied(OneOf("country", ("AT",)), ADDS),)


def test_a_band_few_patients_are_in_is_left_out_of_a_range() -> None:
    where = (Between("age_dx_years", 1, 40, False),)
    rows = ("DE", 5, "F", 100), ("DE", 12, "F", 3), ("DE", 20, "F", 60), ("DE", 70, "F", 50)
    decision = apply_low_effect_rule(make_effects(where, *rows), 10)
    assert isinstance(decision, Answerable)
    assert decision.n == 160
    assert decision.not_applied == (NotApplied(Between("age_dx_years", 10, 18, False), ADDS),)


def test_the_same_list_with_and_without_a_rare_value_gets_one_answer() -> None:
    rows = ("AT", 5, "F", 4), ("DE", 5, "F", 100), ("FR", 5, "F", 50)
    answers = [apply_low_effect_rule(make_effects((OneOf("country", values),), *rows), 10)
               for values in (("DE",), ("AT", "DE"))]
    assert all(isinstance(answer, Answerable) for answer in answers)
    one, other = answers
    assert isinstance(one, Answerable) and isinstance(other, Answerable)
    assert (one.n, one.n.key, one.question) == (other.n, other.n.key, other.question)


def test_a_list_of_rare_values_only_is_not_answered() -> None:
    where = (OneOf("country", ("AT", "DE")),)
    rows = ("AT", 5, "F", 8), ("DE", 5, "F", 7), ("FR", 5, "F", 500)
    assert apply_low_effect_rule(make_effects(where, *rows), 10) == TooFewPatients(100)


@pytest.mark.parametrize(("n", "answered"), [(99, False), (100, True)])
def test_a_widened_cohort_is_answered_from_ten_times_the_threshold(n: int, answered: bool) -> None:
    effects = make_effects((GERMAN,), ("DE", 5, "F", n - 3), ("FR", 5, "F", 3))
    assert isinstance(apply_low_effect_rule(effects, 10), Answerable) == answered


def test_a_small_cohort_with_nothing_dropped_is_left_to_the_threshold() -> None:
    decision = apply_low_effect_rule(make_effects((GERMAN,), ("DE", 5, "F", 4), ("FR", 5, "F", 300)), 10)
    assert isinstance(decision, Answerable)
    assert decision.n == 4


def test_nobody_at_all_is_not_answered() -> None:
    assert isinstance(apply_low_effect_rule(make_effects((GERMAN, FEMALE)), 10), TooFewPatients)


def test_any_subset_of_the_conditions_can_be_weighed_without_another_scan() -> None:
    effects = make_effects((FEMALE, GERMAN, CHILDREN), ("DE", 5, "F", 50), ("FR", 5, "F", 20), ("FR", 30, "F", 7))
    children, german, female = effects.selections
    assert weigh(effects, [female], figure=False).cohort == 77
    both = weigh(effects, [german, female], figure=False)
    assert (both.cohort, both.fail_only) == (50, (27, 0))
    assert weigh(effects, [children, german, female], figure=False).fail_only == (0, 20, 0)
