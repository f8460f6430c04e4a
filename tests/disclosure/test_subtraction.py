"""No hidden count can be computed from what is shown, by another solver and over random tables.

Whoever sees a rounded count x' knows x' − 4 ≤ x ≤ x' + 4, of "<10" that it is 9 at most, and of a count hidden for the
sake of another that it is 10 at least. With all of that at once a hidden small count must keep five possible values, or
all those it has before anybody subtracts.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from harmony_dash.cohort import Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.audit import values_left
from harmony_dash.disclosure.coverage_results import Status
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.protect_completeness import RECORDED, protect_split
from harmony_dash.disclosure.protect_counts import protect_choices
from harmony_dash.disclosure.protect_coverage import FEW, KEYS, VIEWS, join_periods, protect_sums
from harmony_dash.disclosure.protect_flow import ANY_OTHER_REASON, as_one_figure, protect_flow
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.disclosure.results import AttritionStep, Exclusion, IntervalType, SurvivalResult
from harmony_dash.disclosure.rounding import round_count

SCOPE = Scope(Level.PROTECTED)
_few = st.integers(0, 20)
_keys = st.integers(1, 2**64 - 1)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.integers(2, 3), st.integers(1, 3), st.integers(1, 2), st.integers(2, 3), st.data())
def test_no_hidden_cell_of_a_table_can_be_computed_from_its_margins(
        countries: int, trials: int, periods: int, kinds: int, data: st.DataObject) -> None:
    """Of sources, countries, trials and periods, and beside them of countries by a kind of patient.

    The other solver is told of no tie: it gets every patient of country and kind as an atom of its own.
    """
    places = list(product(("s", "t"), (f"c{i}" for i in range(countries)), (f"t{i}" for i in range(trials)),
                          (f"p{i}" for i in range(periods))))
    fine = {(*place, f"k{kind}"): KeyedCount(n, data.draw(_keys) if n else 0)
            for place in places for kind in range(kinds) for n in [data.draw(_few)]}
    atoms = {place: union([fine[*place, f"k{kind}"] for kind in range(kinds)]) for place in places}
    beside = {(country, kind): union([n for labels, n in fine.items() if (labels[1], labels[4]) == (country, kind)])
              for country, kind in dict.fromkeys((labels[1], labels[4]) for labels in fine)}
    few = {name for name in (f"p{i}" for i in range(periods))
           if sum(n for labels, n in atoms.items() if labels[3] == name) < 10}
    joined = protect_sums(join_periods(atoms, few), SCOPE, beside={"kind": beside}, joined=len(few))
    # Of a period with few patients nothing is shown, and it is guarded with the others like it.
    shown = {cell: n for cell, n in joined.items() if FEW not in cell[1]} | {
        (view, tuple(values[name] for name in view)): None
        for view in VIEWS if "dx_period" in view
        for values in [dict(zip(KEYS, labels, strict=True)) for labels in atoms]
        if values["dx_period"] in few}
    names = (*KEYS, "kind")
    members = {cell: [place for place, labels in enumerate(fine)
                      if tuple(labels[names.index(name)] for name in cell[0]) == cell[1]] for cell in shown}
    sizes = [int(n) for n in fine.values()]
    small = {cell for cell, parts in members.items() if sum(sizes[place] for place in parts) < 10}
    assert {("country", "kind"), ("kind",), ("source", "dx_period"), ()} <= {cell[0] for cell in shown}
    assert all(shown[cell] is None for cell in small)
    assert all(n is None or n % 5 == 0 for n in shown.values())
    partners = dict.fromkeys(set(shown) - small, 10)
    for cell in small:
        assert possible(cell, members, shown, small, partners, len(fine)) >= 5


@settings(max_examples=400, derandomize=True, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 14), st.integers(0, 60)), min_size=5, max_size=5),
       st.lists(_keys, min_size=5, max_size=5), st.sampled_from([2, 3, 5]))
@example([9, 9, 30, 0, 0], [1, 2, 3, 4, 5], 5)
@example([40, 12, 3, 20, 0], [1, 2, 3, 4, 5], 5)
def test_no_hidden_part_of_a_variable_can_be_computed_even_from_exact_numbers(
        drawn: list[int], keys: list[int], parts: int) -> None:
    """Whoever knew all that is shown without its rounding, and the size of the source, could not tell a small part."""
    order = {2: (Status.VALUE, Status.UNKNOWN), 3: (Status.VALUE, Status.NEGATIVE, Status.UNKNOWN)}.get(
        parts, tuple(Status))
    counts = {part: KeyedCount(n, key if n else 0) for part, n, key in zip(order, drawn, keys, strict=False)}
    recorded, shown = protect_split(counts, SCOPE)
    hidden = [part for part in order if shown[part] is None]
    assert all(shown[part] is None for part in order if counts[part] < 10)
    with_value = sum(counts[part] for part in order if part in RECORDED)
    assert recorded is None or (with_value >= 10 and sum(counts.values()) - with_value >= 10)
    if len(hidden) == len(order) and recorded is None:
        return  # nothing is told
    groups = [[part for part in hidden if (part in RECORDED) == inside] for inside in (True, False)] if (
        recorded is not None) else [hidden]
    for group in groups:
        small = [part for part in group if counts[part] < 10]
        rest = sum(counts[part] for part in group) - 10 * (len(group) - len(small))
        assert not small or rest >= 4  # so that each of them can be 0, 1, 2, 3 or 4 at least


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(30, 90), _keys), min_size=1, max_size=4),
       st.lists(st.one_of(st.integers(0, 4), st.integers(0, 29)), max_size=3),
       st.lists(st.tuples(st.one_of(st.integers(1, 9), st.integers(1, 60)), _keys), max_size=4),
       st.tuples(st.integers(0, 60), _keys), st.booleans())
# 160 patients, 145 of them in the figure: without more hidden, nine excluded ones could only be 7, 8 or 9.
@example([(31, 825034682629), (65, 308312689936), (45, 533473118080)], [],
         [(7, 1078331954973), (9, 1057353266367)], (38, 796914967575), True)
def test_no_small_part_of_a_flow_can_be_computed_from_the_rest(
        drawn: list[tuple[int, int]], withheld: list[int], excluded: list[tuple[int, int]], removed: tuple[int, int],
        ungrouped: bool) -> None:
    """A figure of groups: the total may be that of the figure without groups.

    Parameters
    ----------
    ungrouped : whether the first reason for exclusion is that the group is not recorded.
    """
    groups = [KeyedCount(*one) for one in drawn]
    hidden = [KeyedCount(n, n * 77 + 1 if n else 0) for n in withheld]
    reasons = [Exclusion(str(place), KeyedCount(*one)) for place, one in enumerate(excluded)]
    taken = KeyedCount(*removed) if removed[0] else KeyedCount(0, 0)
    parts = [*groups, *hidden, *(KeyedCount(*one) for one in excluded)]
    cohort = union(parts)
    without_groups = parts[:len(parts) - len(reasons) + ungrouped]
    result = replace(
        make_result((AttritionStep("all", union([cohort, taken]), None), AttritionStep("f", cohort, taken)),
                    tuple(reasons)), n=union(without_groups))
    flow = protect_flow(result, groups, withheld, SCOPE)
    assert flow.exclusions[-1] == Exclusion(ANY_OTHER_REASON, None)
    # Atoms: removed, groups, withheld, excluded.
    kept = [place for place in range(len(groups)) if place not in flow.given_up]
    told = {exclusion.reason: exclusion.n for exclusion in flow.exclusions}
    first = 1 + len(groups)
    members: dict[Hashable, Collection[int]] = {
        "disease": range(1 + len(parts)), "cohort": range(1, 1 + len(parts)), "removed": [0],
        "figure": [1 + place for place in kept]}
    shown: dict[Hashable, int | None] = {
        "disease": flow.attrition[0].n, "cohort": flow.attrition[1].n, "removed": flow.attrition[1].removed,
        "figure": None}
    guarded: list[Hashable] = ["removed"] if taken < 10 else []
    for place in range(len(withheld)):
        members["withheld", place], shown["withheld", place] = [first + place], None
        guarded += [("withheld", place)] if withheld[place] < 10 else []
    for place, reason in enumerate(reasons):
        members["excluded", place] = [first + len(withheld) + place]
        shown["excluded", place] = told.get(reason.reason)
        guarded += [("excluded", place)] if (reason.n or 0) < 10 else []
    for place in flow.given_up:
        members["group", place], shown["group", place] = [1 + place], None
    for place in kept:
        members["group", place], shown["group", place] = [1 + place], round_count(groups[place], SCOPE)
    if kept:
        patients = union([groups[place] for place in kept])
        total = as_one_figure(result, patients, SCOPE.rules)
        shown["figure"] = round_count(total, SCOPE)
        if result.n - patients < 10:
            assert total == result.n
            members["figure"] = range(1, 1 + len(without_groups))
    # A reason that is named without a number applies to ten or more.
    partners: dict[Hashable, int] = {("excluded", place): 10 for place in range(len(reasons))
                                     if ("excluded", place) not in guarded}
    # A group that is given up was large enough to be drawn.
    partners |= {("group", place): 30 for place in flow.given_up}
    limited = {cell for cell in guarded if not (isinstance(cell, tuple) and cell[0] == "withheld")}
    for cell in guarded:
        assert shown[cell] is None
        if kept:
            assert possible(cell, members, shown, limited, partners, 1 + len(parts)) >= 5


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.one_of(st.integers(0, 12), st.integers(0, 200)), _keys), min_size=2, max_size=6))
def test_no_hidden_choice_can_be_computed_from_the_others(sizes: list[tuple[int, int]]) -> None:
    counts = {str(place): KeyedCount(n, key if n else 0) for place, (n, key) in enumerate(sizes)}
    value = protect_choices(CohortChoices(union(counts.values()), {"v": counts}, {}), SCOPE)
    names = list(counts)
    small = {name for name in names if counts[name] < 10}
    members: dict[Hashable, Collection[int]] = {"total": range(len(names)),
                                                **{name: [place] for place, name in enumerate(names)}}
    shown: dict[Hashable, int | None] = {"total": value.total, **value.counts["v"]}
    for name in names:
        hidden = shown[name] is None
        assert hidden == (name in small or name in value.withheld.get("v", ()))
        if name in small and value.total is not None and len(small) < len(names):
            assert possible(name, members, shown, small, dict.fromkeys(names, 10), len(names)) >= 5


def possible(cell: Hashable, members: Mapping[Any, Collection[int]], shown: Mapping[Any, int | None],
             small: Collection[Hashable], partners: Mapping[Any, int], atoms: int) -> int:
    """How many values the shown counts leave for a cell; by interior points, which the audit does not use."""
    def row(places: Collection[int]) -> Any:
        line = np.zeros(atoms)
        line[list(places)] = 1
        return line

    matrix, bounds = [], []
    for other, places in members.items():
        n = shown[other]
        if n is not None:
            matrix += [row(places), -row(places)]
            bounds += [n + 4, -max(10, n - 4)]
        elif other in small:
            matrix.append(row(places))
            bounds.append(9)
        elif other in partners:
            matrix.append(-row(places))
            bounds.append(-partners[other])
    ends = []
    for sign in (1, -1):
        solved = linprog(sign * row(members[cell]), A_ub=np.array(matrix), b_ub=np.array(bounds), bounds=(0, None),
                         method="highs-ipm")
        ends.append(-np.inf if solved.fun is None else float(solved.fun))
    return values_left(ends[0], -ends[1])


def make_result(attrition: tuple[AttritionStep, ...], exclusions: tuple[Exclusion, ...]) -> SurvivalResult:
    return SurvivalResult(
        question=Question("ALL", "os"), title="", snapshot="s", synthetic=True, n=0, groups=(), withheld=(),
        log_rank=None, pairwise=(), gray=(), restricted_mean_differences=(), attrition=attrition, exclusions=exclusions,
        interval=IntervalType.LOG_LOG, notes=(), methods="", summary="")
