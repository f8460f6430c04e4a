"""Feasibility as it leaves: nothing small, nothing that tells a small number, whatever the population."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.feasibility_results import (
    CountryCount,
    FeasibilityResult,
    JointLoss,
    Loss,
    SourceFlow,
    Stage,
)
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.protect_feasibility import protect_sources
from harmony_dash.disclosure.results import AttritionStep
from tests.disclosure.answers import random_count

SCOPE = Scope(Level.PROTECTED)
NAMES = ("a", "b")
SUBSETS = [names for size in (1, 2) for names in combinations(NAMES, size)]
SIZES = st.one_of(st.integers(0, 12), st.integers(0, 200))


def make_result(countries: list[int], lost: list[int], rest: list[int], seed: int) -> FeasibilityResult:
    """One population: patients counted by country, those who lack a, b or both, and those who leave otherwise.

    `rest` are those whom a filter, the two needs in other patients, and the end of follow-up remove.
    """
    rng = np.random.default_rng(seed)
    counted = [random_count(n, rng) for n in countries]
    lacks = {names: random_count(n, rng) for names, n in zip(SUBSETS, lost, strict=True)}
    others = [random_count(n, rng) for n in rest]
    n = union(counted)
    left = {1: others[0], 2: union([others[1], lacks["a",], lacks["a", "b"]]), 3: union([others[2], lacks["b",]])}
    sizes = [union([n, others[3], *(left[later] for later in range(place + 1, 4))]) for place in range(4)]
    return FeasibilityResult(
        question=Question("ALL", "os"), known=NAMES, title="", snapshot="s", synthetic=True, n=n,
        by_country=tuple(CountryCount(f"C{place}", one) for place, one in enumerate(counted)),
        steps=tuple(AttritionStep(f"step {place}", size, left.get(place)) for place, size in enumerate(sizes)),
        not_followed=AttritionStep("followed", n, others[3]),
        losses=tuple(Loss(name, name, union([lacks[names] for names in SUBSETS if name in names]), lacks[name,])
                     for name in NAMES),
        joint=(JointLoss(NAMES, NAMES, lacks[NAMES]),), sources=(), follow_up_median_days=None, not_applied=(),
        notes=(), methods="", step_of=(("a", 2), ("b", 3)))


def shown_sums(result: FeasibilityResult, places: int) -> list[tuple[list[int], int | None]]:
    """Every count of the result as the numbered disjoint sets it is the sum of; first countries, then SUBSETS, then
    the four others."""
    country = list(range(places))
    lost = {names: places + place for place, names in enumerate(SUBSETS)}
    rest = [places + len(SUBSETS) + place for place in range(4)]
    removed = {1: [rest[0]], 2: [rest[1], lost["a",], lost["a", "b"]], 3: [rest[2], lost["b",]]}
    sums: list[tuple[list[int], int | None]] = [([place], one_n) for place, one_n in zip(country, (
        next(one.n for one in result.by_country if one.country == f"C{place}") for place in country), strict=True)]
    for place, step in enumerate(result.steps):
        later = [atom for after in range(place + 1, 4) for atom in removed[after]]
        sums.append(([*country, rest[3], *later], step.n))
        if place:
            sums.append((removed[place], step.removed))
    sums += [(country, result.n), ([rest[3]], result.not_followed.removed)]
    for loss in result.losses:
        sums.append(([atom for names, atom in lost.items() if loss.variable in names], loss.lacking))
        sums.append(([lost[loss.variable,]], loss.only))
    sums += [([lost[one.variables]], one.n) for one in result.joint]
    return sums


@settings(max_examples=60, deadline=None)
@given(st.lists(SIZES, min_size=2, max_size=4), st.lists(SIZES, min_size=3, max_size=3),
       st.lists(SIZES, min_size=4, max_size=4), st.integers(0, 2**32 - 1))
def test_no_small_set_can_be_told_to_fewer_than_five_values(countries: list[int], lost: list[int], rest: list[int],
                                                            seed: int) -> None:
    exact = make_result(countries, lost, rest, seed)
    shown = release(exact, SCOPE).value
    sums = shown_sums(shown, len(countries))
    assert all(n is None or (n >= 10 and n % 5 == 0) for _, n in sums)
    true = [*countries, *lost, *rest]
    rows, ends = [], []
    for atoms, n in sums:
        if n is not None:
            row = np.zeros(len(true))
            row[atoms] = 1
            rows += [row, -row]
            ends += [n + 4.0, -float(max(10, n - 4))]
    told_small = [place for place in (*range(len(countries) + 2), len(true) - 1) if true[place] < 10]
    for place in told_small:
        bounds = [(0, 9 if other in told_small else None) for other in range(len(true))]
        target = np.zeros(len(true))
        target[place] = 1
        found = [linprog(sign * target, A_ub=np.array(rows) if rows else None, b_ub=ends or None, bounds=bounds)
                 for sign in (1, -1)]
        low, high = (sign * one.fun for sign, one in zip((1, -1), found, strict=True))
        assert math.floor(high + 1e-6) - math.ceil(low - 1e-6) + 1 >= 5


def test_a_step_that_removes_few_looks_like_one_that_removes_nobody() -> None:
    for few in (0, 1, 9):
        shown = release(make_result([100, 80], [60, 50, 40], [few, 30, 30, 30], 3), SCOPE).value
        assert (shown.steps[1].n, shown.steps[1].removed) == (None, None)


def test_the_last_step_does_not_tell_whether_anybody_is_not_followed() -> None:
    """Of the same patients it would have the same number as those counted: whoever is not followed would be nobody."""
    for few in (0, 1, 9):
        shown = release(make_result([100, 80], [60, 50, 40], [30, 30, 30, few], 3), SCOPE).value
        assert shown.n is not None
        assert [step.n is None for step in shown.steps] == [False, False, False, True]
        assert (shown.steps[3].removed, shown.not_followed.removed) == (None, None)


def test_without_conditions_the_size_of_the_disease_does_not_stand_beside_the_number_counted() -> None:
    exact = make_result([300, 80], [60, 50, 40], [30, 30, 30, 0], 3)
    alone = replace(exact, steps=(AttritionStep("all", exact.n, None),), losses=(), joint=(), step_of=(), known=())
    shown = release(alone, SCOPE).value
    assert (shown.n is None, shown.steps[0].n) == (False, None)


@pytest.mark.parametrize("both", [0, 1, 5])
def test_numbers_of_a_loss_do_not_tell_by_being_equal_that_nobody_lacks_another_one_too(both: int) -> None:
    pairs = [(loss.lacking, loss.only) for seed in range(60)
             for loss in release(make_result([300, 80], [63, 52, both], [30, 30, 30, 30], seed), SCOPE).value.losses]
    told = [lacking == only for lacking, only in pairs if None not in (lacking, only)]
    assert {True, False} <= set(told)


def test_a_question_without_an_answer_tells_no_number_of_patients() -> None:
    exact = replace(make_result([20, 15], [60, 50, 40], [30, 30, 30, 30], 4), reason="too few", by_country=(
        CountryCount("C0", None, answered=False),))
    shown = release(exact, SCOPE).value
    assert (shown.n, shown.not_followed.n, shown.by_country[0].n) == (None, None, None)


def test_a_count_without_a_key_cannot_leave() -> None:
    with pytest.raises(TypeError):
        release(replace(make_result([100, 80], [60, 50, 40], [30, 30, 30, 30], 5), n=180), SCOPE)


def make_source(name: str, refused: int, lost: int, filtered: int, counted: int, seed: int) -> SourceFlow:
    rng = np.random.default_rng(seed)
    parts = [random_count(n, rng) for n in (refused, lost, filtered, counted)]
    stages = [Stage(union(parts[place:])) for place in range(4)]
    return SourceFlow(name, name, *stages)


@pytest.mark.parametrize("refused", [0, 3, 9])
def test_rows_refused_by_a_source_are_not_told_if_they_are_few(refused: int) -> None:
    exact = replace(make_result([300, 80], [60, 50, 40], [30, 30, 30, 30], 6),
                    sources=(make_source("x", refused, 40, 60, 200, 1), make_source("y", 50, 0, 170, 180, 2)))
    one, other = release(exact, SCOPE).value.sources
    assert one.registered == Stage(None, nearly_all=True)
    assert one.accepted.n is not None
    assert one.counted is not None and one.counted.n is not None
    assert other.with_endpoint == Stage(None, nearly_all=True)


def test_a_source_with_few_counted_is_not_told_from_one_with_nobody() -> None:
    def shown(counted: int) -> SourceFlow:
        sources = (make_source("x", 20, 40, 200, counted, 1), make_source("y", 50, 20, 30, 180, 2))
        return protect_sources(sources, SCOPE, disease=None, counted=None)[0]

    assert [shown(n).counted for n in (0, 4, 9)] == [Stage(None)] * 3


def test_exact_levels_take_off_the_keys_and_nothing_else() -> None:
    exact = make_result([100, 3], [60, 50, 4], [30, 30, 30, 2], 7)
    value = release(exact, Scope(Level.EXACT)).value
    assert (value.n, value.joint[0].n, value.not_followed.removed) == (103, 4, 2)
    assert not isinstance(value.n, KeyedCount)
