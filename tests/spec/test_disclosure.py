"""What may leave: tables before and after."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from harmony_dash.cohort import Question
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.margins import suppress_margins
from harmony_dash.disclosure.results import (
    AttritionStep,
    Censorings,
    CohortChoices,
    Curve,
    EqualityTest,
    EstimateAt,
    Exclusion,
    GroupResult,
    IntervalType,
    RiskTable,
    SurvivalResult,
    WithheldGroup,
)
from harmony_dash.disclosure.suppression import suppress_steps

PROTECTED, EXACT = Scope(Level.PROTECTED), Scope(Level.EXACT)


def group(name: str = "a", n: int = 100, events: int = 40,
          at_risk: tuple[int, ...] = (100, 60, 12, 9, 1)) -> GroupResult:
    days = np.arange(len(at_risk)) * 365.0
    estimate = np.linspace(1, 0.5, len(at_risk))
    curve = Curve(days, estimate, estimate - 0.1, estimate + 0.1, np.array(at_risk, dtype=float))
    left = [at_risk[0] - y for y in at_risk]
    return GroupResult(
        label={"sex": name}, name=name, n=n, events=events, curve=curve,
        censorings=Censorings(np.array([100.0]), np.array([0.9])),
        at=tuple(EstimateAt(int(day), 0.9, 0.8, 0.95, y) for day, y in zip(days, at_risk, strict=True)),
        risk_table=RiskTable(tuple(int(day) for day in days), at_risk, tuple(x // 2 for x in left),
                             tuple(x - x // 2 for x in left)),
        median_days=900, median_lower_days=500, median_upper_days=1200, follow_up_median_days=800,
        restricted_mean=None, cumulative_incidence=())


def result(*groups: GroupResult, exclusions: tuple[Exclusion, ...] = (), removed: int = 0) -> SurvivalResult:
    n = sum(g.n for g in groups)
    cohort = n + sum(exclusion.n or 0 for exclusion in exclusions)
    return SurvivalResult(
        question=Question("ALL", "efs", by="sex"), title="Survival of {n} patients", snapshot="s", synthetic=True, n=n,
        groups=groups, withheld=(), pairwise=(), gray=(),
        log_rank=EqualityTest("log-rank test", 4.0, 1, 0.04, sum(g.events or 0 for g in groups)),
        restricted_mean_differences=(),
        attrition=(AttritionStep("ALL", cohort + removed, None), AttritionStep("filter", cohort, removed)),
        exclusions=exclusions, interval=IntervalType.LOG_LOG, notes=(), methods="", summary="")


def test_groups_under_ten_patients_are_withheld_and_named() -> None:
    value = release(result(group("a"), group("b", n=9), group("c", n=8)), PROTECTED).value
    assert [g.name for g in value.groups] == ["a"]
    assert [(g.name, g.reason, g.n) for g in value.withheld] == [
        ("b", "fewer than 10 patients", None), ("c", "fewer than 10 patients", None)]


def test_a_single_small_group_takes_the_next_smallest_with_it() -> None:
    value = release(result(group("a"), group("b", n=9), group("c", n=30)), PROTECTED).value
    assert [g.name for g in value.groups] == ["a"]
    assert [g.name for g in value.withheld] == ["b", "c"]
    assert "give away" in value.withheld[1].reason


def test_a_single_small_group_hides_behind_an_exclusion() -> None:
    value = release(result(group("a"), group("b", n=9), exclusions=(Exclusion("x", 40),)), PROTECTED).value
    assert [g.name for g in value.groups] == ["a"]
    assert value.exclusions[0].n is None


def test_a_test_that_a_withheld_group_took_part_in_is_withheld_too() -> None:
    assert release(result(group("a"), group("b", n=9)), PROTECTED).value.log_rank is None
    assert release(result(group("a"), group("b")), PROTECTED).value.log_rank is not None


def test_no_p_value_on_fewer_than_twenty_events() -> None:
    assert release(result(group("a", events=10), group("b", events=9)), PROTECTED).value.log_rank is None


def test_a_curve_ends_where_fewer_than_ten_are_at_risk() -> None:
    value = release(result(group()), PROTECTED).value.groups[0]
    assert value.curve.days.tolist() == [0, 365, 730]
    assert [at.estimate for at in value.at] == [0.9, 0.9, 0.9, None, None]
    assert value.median_days is None
    assert len(value.censorings.days) == 0


def test_the_risk_table_hides_what_could_be_computed() -> None:
    before = RiskTable((0, 1, 2, 3), (100, 80, 40, 8), (0, 15, 30, 50), (0, 5, 30, 42))
    after = release(result(replace(group(), risk_table=before)), PROTECTED).value.groups[0].risk_table
    assert after.at_risk == (100, 80, 40, None)
    # On day 1 the five censored are hidden, and with them the events, since both and the at-risk number add up.
    assert after.events == (None, None, 30, None)
    assert after.censored == (None, None, 30, None)


@pytest.mark.parametrize(("n", "events", "shown"), [(100, 40, 40), (100, 9, None), (100, 0, None), (45, 40, None)])
def test_events_are_shown_if_they_and_their_complement_are_ten_or_more(n: int, events: int, shown: int | None) -> None:
    assert release(result(group(n=n, events=events)), PROTECTED).value.groups[0].events == shown


def test_a_single_hidden_exclusion_takes_a_second_one_with_it() -> None:
    value = release(result(group(), exclusions=(Exclusion("x", 4), Exclusion("y", 30), Exclusion("z", 50))), PROTECTED)
    assert [(e.reason, e.n) for e in value.value.exclusions] == [("x", None), ("y", None), ("z", 50)]


def test_a_single_hidden_exclusion_without_company_hides_the_size_of_the_cohort() -> None:
    value = release(result(group(), exclusions=(Exclusion("x", 4),), removed=50), PROTECTED).value
    assert value.exclusions[0].n is None
    assert value.attrition[-1].n is None
    assert value.attrition[-1].removed is None


def test_a_group_withheld_by_the_service_counts_among_the_hidden() -> None:
    whole = replace(result(group("a")), withheld=(WithheldGroup({}, "b", "fewer than 10 patients", 6),))
    value = release(whole, PROTECTED).value
    assert value.groups == ()
    assert [g.n for g in value.withheld] == [None, None]


def test_words_are_written_from_what_may_be_shown() -> None:
    whole = result(group("a"), group("b", n=9), exclusions=(Exclusion("x", 4), Exclusion("y", 77)))
    value = release(whole, PROTECTED)
    text = value.value.title + value.value.methods + value.value.summary
    assert "Survival of 100 patients" in text
    for number in ("109", "190", " 9;", " 4;"):
        assert number not in text


def test_a_hidden_cohort_is_not_called_empty() -> None:
    methods = release(result(group("a", n=6)), PROTECTED).value.methods
    assert "no group shown" in methods
    assert "n = 0" not in methods
    assert "0 events" not in methods


def test_an_exact_result_leaves_as_it_is() -> None:
    value = release(result(group("a"), group("b", n=9), exclusions=(Exclusion("x", 4),)), EXACT).value
    assert [g.n for g in value.groups] == [100, 9]
    assert value.exclusions[0].n == 4
    assert value.groups[0].curve.days.tolist() == [0, 365, 730, 1095, 1460]


def test_small_choices_and_zeros_are_hidden() -> None:
    choices = CohortChoices(100, {"sex": {"F": 95, "M": 5, "U": 0}}, {"sex": 9})
    value = release(choices, PROTECTED).value
    assert value.counts["sex"] == {"F": 100, "M": None, "U": None}  # rounded, so that 100 - 95 does not tell M
    assert value.missing["sex"] is None


def test_only_the_gate_makes_released_results() -> None:
    with pytest.raises(TypeError):
        Released(result(group()), PROTECTED, object())
    with pytest.raises(TypeError):
        release("text", PROTECTED)


@pytest.mark.parametrize(("before", "after"), [
    ([500, 300, 120], [500, 300, 120]), ([500, 495, 120], [500, None, 120]), ([500, 500, 500], [500, 500, 500]),
    ([500, 497, 494, 300], [500, None, None, 300]), ([500, 9], [500, None]), ([8, 4], [None, None]),
])
def test_a_step_that_removes_a_few_patients_is_hidden(before: list[int], after: list[int | None]) -> None:
    assert suppress_steps(before, 10) == after


_counts = st.integers(0, 40)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(2, 4), st.integers(2, 4), st.data())
def test_no_hidden_cell_of_a_table_can_be_computed_from_what_is_shown(
        rows: int, columns: int, data: st.DataObject) -> None:
    keys = list(product((f"r{i}" for i in range(rows)), (f"c{i}" for i in range(columns))))
    atoms = {key: n for key in keys if (n := data.draw(_counts)) > 0}
    shown = suppress_margins(atoms, [(), (0,), (1,), (0, 1)], 10)
    assert all(n is None or n >= 10 for n in shown.values())
    for view, key in (cell for cell, n in shown.items() if n is None):
        members = [n for atom, n in atoms.items() if tuple(atom[part] for part in view) == key]
        if sum(members) < 10:
            lowest, highest = bounds_of((view, key), shown, list(atoms))
            assert lowest <= len(members)
            assert highest >= 9


def bounds_of(cell: Any, shown: dict[Any, int | None], atoms: list[tuple[str, str]]) -> tuple[float, float]:
    """The smallest and the largest value that the shown counts allow; by another solver."""
    known = [(view, key) for (view, key), n in shown.items() if n is not None]

    def row(view: tuple[int, ...], key: tuple[str, ...]) -> list[float]:
        return [float(tuple(atom[part] for part in view) == key) for atom in atoms]

    equations = np.array([row(*one) for one in known] or [[0.0] * len(atoms)])
    totals = [float(shown[one] or 0) for one in known] or [0.0]
    ends = [linprog(sign * np.array(row(*cell)), A_eq=equations, b_eq=totals, bounds=(1, None), method="highs-ipm").fun
            for sign in (1, -1)]
    return round(float(ends[0]), 3), np.inf if ends[1] is None else round(-float(ends[1]), 3)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=4), st.lists(st.integers(0, 60), max_size=4),
       st.integers(0, 60))
def test_no_part_of_a_released_flow_is_the_difference_of_the_rest(
        sizes: list[int], excluded: list[int], removed: int) -> None:
    whole = result(*(group(str(place), n=n) for place, n in enumerate(sizes)),
                   exclusions=tuple(Exclusion(str(place), n) for place, n in enumerate(excluded)), removed=removed)
    value = release(whole, PROTECTED).value
    cohort = value.attrition[-1].n
    hidden = sum(e.n is None for e in value.exclusions) + len(value.withheld)
    if cohort is not None and hidden:
        assert hidden > 1
        assert cohort - value.n - sum(e.n or 0 for e in value.exclusions) >= 10
    first = value.attrition[0].n
    if cohort is not None and first is not None:
        assert first == cohort or first - cohort >= 10
