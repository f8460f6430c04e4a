"""Case mix is of stated values, and where it is told it is wrong by at most 0.1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure.case_mix import compare_case_mix
from harmony_dash.disclosure.coverage_results import NOT_STATED, CountCell, CountTable, CoverageResult
from harmony_dash.disclosure.released import Level, Scope, make_released
from harmony_dash.stats.standardised_difference import NOTABLE, difference_of_proportions
from tests.unit.charts.factories import make_coverage

VALUES = ("F", "M", NOT_STATED)
Counts = dict[str, dict[str, int]]  # country to value to patients
PROTECTED, EXACT = Scope(Level.PROTECTED), Scope(Level.EXACT)


def result_of(counts: Counts, show: object = None) -> CoverageResult:
    """A coverage of one variable; `show` turns a number of patients into what is shown."""
    shown = show if callable(show) else lambda n: n
    cells = tuple(CountCell({"country": country, "sex": value}, n) for country, values in counts.items()
                  for value, text in values.items() for n in [shown(text)] if n is not None or value != NOT_STATED)
    totals = [(value, shown(sum(values[value] for values in counts.values()))) for value in VALUES]
    return replace(
        make_coverage(empty=True), n=shown(sum(sum(values.values()) for values in counts.values())),
        by_country=tuple(CountCell({"country": country}, shown(sum(values.values())))
                         for country, values in counts.items()),
        tables=(CountTable(("sex",), tuple(CountCell({"sex": value}, n) for value, n in totals
                                           if n is not None or value != NOT_STATED)),
                CountTable(("country", "sex"), cells)))


def exact_difference(counts: Counts, country: str, value: str) -> float:
    def share(countries: list[str]) -> float:
        stated = sum(counts[one][name] for one in countries for name in ("F", "M"))
        return sum(counts[one][value] for one in countries) / stated

    others = [one for one in counts if one != country]
    return float(difference_of_proportions(share([country]), share(others)))


numbers = st.one_of(st.integers(1, 40), st.integers(100, 6000))
gaps = st.one_of(st.just(0), st.integers(1, 30), st.integers(100, 3000))


@given(st.lists(st.tuples(numbers, numbers, gaps), min_size=2, max_size=4), st.integers(0, 2**32 - 1),
       st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_error_is_at_most_what_is_called_notable(sizes: list[tuple[int, int, int]], seed: int,
                                                     partners: bool) -> None:
    counts = {f"C{place}": dict(zip(VALUES, row, strict=True)) for place, row in enumerate(sizes)}
    rng, most = np.random.default_rng(seed), PROTECTED.rules.most_error

    def show(n: int) -> int | None:
        # As far off as a count can be, hidden if small, and some hidden beside them.
        hidden = n < PROTECTED.rules.minimum_cell or (partners and rng.random() < 0.2)
        return None if hidden else n + int(rng.integers(-most, most + 1))

    for one in compare_case_mix(make_released(result_of(counts, show), PROTECTED)):
        if one.difference is not None:
            exact = exact_difference(counts, one.country, one.value)
            assert abs(one.difference - exact) <= NOTABLE, (counts, one, exact)


def test_gaps_are_no_kind_of_patient() -> None:
    counts = {"IT": {"F": 3000, "M": 3000, NOT_STATED: 0}, "SE": {"F": 1500, "M": 1500, NOT_STATED: 3000}}
    for scope in (EXACT, PROTECTED):
        found = {(one.country, one.value): one.difference
                 for one in compare_case_mix(make_released(result_of(counts), scope))}
        assert found == {(country, value): 0.0 for country in counts for value in ("F", "M")}


def test_gaps_that_are_hidden_leave_no_difference() -> None:
    counts = {"IT": {"F": 3000, "M": 3000, NOT_STATED: 0}, "SE": {"F": 1500, "M": 1500, NOT_STATED: 3000}}
    hidden = result_of(counts, lambda n: None if n in (0, 3000) else n)
    assert {one.difference for one in compare_case_mix(make_released(hidden, PROTECTED))} == {None}


@pytest.mark.parametrize(("size", "told"), [(30, False), (20_000, True)])
def test_a_country_is_compared_if_rounding_leaves_it_sure(size: int, told: bool) -> None:
    counts = {"IT": {"F": size, "M": size, NOT_STATED: 0}, "SE": {"F": 3 * size, "M": size, NOT_STATED: 0}}
    found = compare_case_mix(make_released(result_of(counts), PROTECTED))
    assert [one.difference is not None for one in found] == [told] * 4
