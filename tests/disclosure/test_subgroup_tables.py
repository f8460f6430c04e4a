"""Tables of subgroups, Table 1 and maps of outcomes as they leave: nothing small, exact, or told by subtraction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harmony_dash.charts.forest import build_forest_figure, build_treatment_forest_figure
from harmony_dash.charts.heat_map import build_outcome_map_figure, list_outcome_rows
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, check_subgroups
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.audit import bounds_in_one_total, values_left
from harmony_dash.disclosure.gate import _strip
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import RULES
from harmony_dash.disclosure.protect_subgroups import _hide_in_cohort, protect_subgroups
from harmony_dash.disclosure.results import HazardRatio, IntervalType
from harmony_dash.disclosure.subgroup_results import Interval, RowKind, SubgroupsResult
from harmony_dash.errors import QuestionError
from harmony_dash.services.outcome_map import compute_outcome_map, prepare_outcome_map
from harmony_dash.services.subgroups import compute_subgroups
from harmony_dash.services.table_one import choose_variables, compute_table_one
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

MARKER = np.array(["neg", "pos", "failed", "not_done", None], dtype=object)
FILTERS = ("immunophenotype=B", "sex=F", "country=DE,FR", "age_group=1-9", "hsct_cr1=?", "cyto_group!=?")
VARIABLES = ("sex", "cyto_group", "country", "age_group", "etv6_runx1", "mrd_group", "trial")
_COUNTS = frozenset({"n", "events", "at_risk", "total", "removed"})
# Tests have no counts; curves and risk tables are looked at where the survival page is.
_NO_COUNTS = frozenset({"LevelsTest", "EqualityTest", "RiskTable", "Curve"})


@pytest.fixture(scope="module", params=[180, 700, 2600])
def snapshot(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Snapshot:
    rng = np.random.default_rng(request.param)
    frame = make_patients(request.param, request.param)
    frame["etv6_runx1"] = rng.choice(MARKER, request.param, p=[0.5, 0.3, 0.05, 0.1, 0.05])
    frame["intensity_assigned"] = rng.choice(["reduced", "standard", "intensified"], request.param, p=[0.45, 0.5, 0.05])
    return make_store(tmp_path_factory.mktemp("tables"), frame=frame)


def random_questions(seed: int) -> Iterator[SubgroupsQuestion]:
    chosen = random.Random(seed)
    for number in range(4):
        where = tuple(parse_filter(text) for text in chosen.sample(FILTERS, chosen.randint(0, 2)))
        cohort = Question("ALL", chosen.choice(("os", "efs", "relapse", "relapse_1km", "trm")), where)
        treated = {"treatment": "intensity_assigned", "arms": ("standard", "reduced", "intensified")}
        yield SubgroupsQuestion(cohort, tuple(chosen.sample(VARIABLES, 4)), **(treated if number % 2 else {}))


def compute(snapshot: Snapshot, question: SubgroupsQuestion, level: Level) -> SubgroupsResult | None:
    try:
        asked = check_subgroups(question, snapshot.dictionary)
        return compute_subgroups(snapshot, asked, question, interval=IntervalType.LOG_LOG, scope=Scope(level))
    except QuestionError:  # filters that have nothing in common, or a treatment that does not vary
        return None


# By the number of patients, which tells the three stores apart.
_computed: dict[tuple[int, SubgroupsQuestion, Level], SubgroupsResult | None] = {}


def compute_once(snapshot: Snapshot, question: SubgroupsQuestion, level: Level) -> SubgroupsResult | None:
    """The table before release, computed once for all tests that look at it; nobody changes it."""
    asked = (snapshot.patients, question, level)
    if asked not in _computed:
        _computed[asked] = compute(snapshot, question, level)
    return _computed[asked]


def counts_of(value: Any, where: str = "result") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from [(f"{where}[{name}]", one)] if isinstance(one, int) else counts_of(one, f"{where}[{name}]")
    elif isinstance(value, tuple | list):
        for one in value:
            yield from counts_of(one, where)
    elif is_dataclass(value) and type(value).__name__ not in _NO_COUNTS:
        for one in fields(value):
            inner, path = getattr(value, one.name), f"{where}.{type(value).__name__}.{one.name}"
            if one.name in _COUNTS:
                yield path, inner
            else:
                yield from counts_of(inner, path)


@pytest.mark.parametrize("level", [Level.PROTECTED, Level.PUBLIC])
@pytest.mark.parametrize("seed", range(3))
def test_every_number_of_a_table_is_protected(snapshot: Snapshot, seed: int, level: Level) -> None:
    rules, seen = RULES[level], 0
    for question in random_questions(seed):
        unreleased = compute_once(snapshot, question, level)
        if unreleased is None:
            continue
        released = release(unreleased, Scope(level))
        result = released.value
        for where, n in counts_of(result):
            if "SurvivalResult.n" in where and not result.cohort.groups:
                continue
            assert n is None or (type(n) is int and n % 5 == 0 and n >= rules.minimum_cell), where
            seen += 1
        for variable in result.variables:
            for row in variable.rows:
                assert row.group is None
                assert row.at is None or row.at.days in GRID
                check_ratio(row.hazard_ratio, counts=(row.n, row.events))
                for found in row.by_treatment:
                    check_effect(found.hazard_ratio, counts=(found.reference.n, found.compared.events))
                    assert (found.reference.n is None) == (found.compared.n is None)
            shown = {row.level for row in variable.rows if row.n is not None and row.events is not None}
            assert variable.test is None or variable.reference in shown
        check_figures(released)
    assert seen


def check_ratio(ratio: HazardRatio | None, counts: tuple[int | None, int | None]) -> None:
    if ratio is not None:
        check_effect(Interval(ratio.ratio, ratio.lower, ratio.upper), counts)
        assert ratio.p == float(f"{ratio.p:.2g}") and ratio.p >= 0.001


def check_effect(ratio: Interval | None, counts: tuple[int | None, int | None]) -> None:
    if ratio is not None:
        assert None not in counts
        assert all(not np.isfinite(value) or value == round(value, 2) for value in (ratio.estimate, ratio.lower,
                                                                                    ratio.upper))


def check_figures(released: Released[SubgroupsResult]) -> None:
    for figure in (build_forest_figure(released), build_treatment_forest_figure(released)):
        for trace in figure.data:
            assert trace.type == "scatter"


@pytest.mark.parametrize("seed", range(3))
def test_what_is_hidden_of_a_variable_keeps_five_possible_values(snapshot: Snapshot, seed: int) -> None:
    """An onlooker takes the rows shown from the cohort; all counts are off by at most four."""
    for question in random_questions(seed):
        unreleased = compute_once(snapshot, question, Level.PROTECTED)
        if unreleased is None or not unreleased.cohort.groups:
            continue
        table = release(unreleased, Scope(Level.PROTECTED)).value
        for exact, variable in zip(unreleased.variables, table.variables, strict=True):
            if any(row.own_question for row in variable.rows):
                continue
            for name, total in (("n", table.cohort.n), ("events", table.cohort.events)):
                exact_total = sum(getattr(row, name) or 0 for row in exact.rows)
                if total is None or abs(exact_total - total) > 4:
                    continue  # the rows are not all of the cohort
                shown = [getattr(row, name) for row in variable.rows]
                hidden = [place for place, n in enumerate(shown) if n is None]
                if not hidden:
                    continue
                known = sum(n for n in shown if n is not None)
                parts = len(shown) - len(hidden)
                highest = total + 4 - (known - 4 * parts)
                lowest = total - 4 - (known + 4 * parts)
                # Any one of the hidden can be up to the rest, or as little as what the others leave.
                least = max(0, lowest - 9 * (len(hidden) - 1)) if len(hidden) == 1 else 0
                assert values_left(least, min(9, highest)) >= 5


@pytest.mark.parametrize("seed", range(2))
def test_a_question_has_one_answer(snapshot: Snapshot, seed: int) -> None:
    for question in random_questions(seed):
        first = compute_once(snapshot, question, Level.PROTECTED)
        again = compute(snapshot, replace(question, variables=question.variables[::-1],
                                          cohort=replace(question.cohort, where=question.cohort.where[::-1])),
                        Level.PROTECTED)
        assert (first is None) == (again is None)
        if first is not None and again is not None:
            assert release(first, Scope(Level.PROTECTED)).value.variables == release(
                again, Scope(Level.PROTECTED)).value.variables


def test_a_level_with_nine_events_has_neither_a_count_nor_a_ratio(tmp_path: Path) -> None:
    frame = make_patients(600, 8)
    frame["cyto_group"] = np.array(["good", "intermediate", "high"])[frame.index % 3]
    events = frame.index[(frame.cyto_group == "intermediate") & (frame.efs_cause > 0)]
    for kept in (9, 20):
        changed = frame.copy()
        changed.loc[events[kept:], "efs_cause"] = 0
        table = compute(make_store(tmp_path / str(kept), frame=changed),
                        SubgroupsQuestion(Question("ALL", "efs"), ("cyto_group",)), Level.PROTECTED)
        assert table is not None
        rows = {row.level: row for row in release(table, Scope(Level.PROTECTED)).value.variables[0].rows}
        assert (rows["intermediate"].hazard_ratio is not None) is (kept == 20)
        assert (rows["intermediate"].events is not None) is (kept == 20)


def test_at_the_level_exact_only_keys_are_taken_off(snapshot: Snapshot) -> None:
    table = compute(snapshot, SubgroupsQuestion(Question("ALL", "os"), ("sex", "etv6_runx1")), Level.EXACT)
    assert table is not None
    released = release(table, Scope(Level.EXACT)).value
    assert [row.n for row in released.variables[0].rows] == [row.n for row in table.variables[0].rows]
    assert not any(isinstance(n, KeyedCount) for _, n in counts_of(_strip(released)))


def test_counts_without_keys_are_not_released(snapshot: Snapshot) -> None:
    table = compute(snapshot, SubgroupsQuestion(Question("ALL", "os"), ("sex",)), Level.PROTECTED)
    assert table is not None
    if not table.cohort.groups:
        return
    bare = replace(table.variables[0], rows=tuple(replace(row, n=int(row.n or 0)) for row in table.variables[0].rows))
    with pytest.raises(TypeError, match="without a key"):
        protect_subgroups(replace(table, variables=(bare,)), Scope(Level.PROTECTED))


# -- Table 1 and maps ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [None, "sex", "cyto_group", "immunophenotype"])
@pytest.mark.parametrize("where", [(), ("immunophenotype=B",), ("country=DE,FR", "sex=F")])
def test_every_number_of_table_one_is_protected(snapshot: Snapshot, by: str | None, where: tuple[str, ...]) -> None:
    question = Question("ALL", "os", tuple(parse_filter(text) for text in where), by)
    variables = choose_variables(question, ("etv6_runx1", "country", "age_dx_years", "hsct_cr1"), snapshot.dictionary)
    scope = Scope(Level.PROTECTED)
    result = release(compute_table_one(snapshot, question, variables, scope), scope).value
    assert result.groups
    assert where or any(n for _, n in counts_of(result))  # few patients under two filters may leave no number at all
    for where_, n in counts_of(result):
        assert n is None or (type(n) is int and n % 5 == 0 and n >= 10), where_
    for group in result.groups:
        for found in group.quartiles.values():
            for value in (found.median, found.lower, found.upper, found.mean, found.deviation):
                assert value is None or value == float(f"{value:.2g}")
            least = group.n if found.n is None else found.n  # where none or few have no value it is the group's alone
            assert found.median is None or (least or 0) >= 25  # thirty, rounded
            assert found.lower is None or (least or 0) >= 35


@pytest.mark.parametrize(("unknown", "is_told"), [(0, False), (1, False), (9, False), (10, True), (60, True)])
def test_a_few_patients_without_a_number_look_like_none(tmp_path: Path, unknown: int, is_told: bool) -> None:
    frame = make_patients(400, 5)
    frame["wbc_dx"] = np.tile([5.0, 20.0, 70.0, 150.0], 100)
    frame.loc[frame.index[frame.sex == "F"][:unknown], "wbc_dx"] = np.nan
    # As many men as not: else a filter on sex would say nothing among those without a number.
    frame.loc[frame.index[frame.sex == "M"][:60], "wbc_dx"] = np.nan
    snapshot, scope = make_store(tmp_path, frame=frame), Scope(Level.PROTECTED)
    question = Question("ALL", "os", by="sex")
    table = compute_table_one(snapshot, question, [snapshot.dictionary["wbc_dx"]], scope)
    women, men = release(table, scope).value.groups
    assert (women.quartiles["wbc_dx"].n is not None) is is_told
    assert (men.quartiles["wbc_dx"].n is not None) is is_told
    assert women.quartiles["wbc_dx"].median is not None
    assert women.quartiles["wbc_dx"].missing is None


def test_quartiles_do_not_hang_on_whether_a_few_have_no_number(tmp_path: Path) -> None:
    told = set()
    for unknown in (0, 5, 9):
        frame = make_patients(45, 5)
        frame["wbc_dx"] = 20.0
        frame.loc[frame.index[:unknown], "wbc_dx"] = np.nan
        snapshot, scope = make_store(tmp_path / str(unknown), frame=frame), Scope(Level.PROTECTED)
        table = compute_table_one(snapshot, Question("ALL", "os"), [snapshot.dictionary["wbc_dx"]], scope)
        told.add(release(table, scope).value.groups[0].quartiles["wbc_dx"])
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_level_without_an_answer_is_guarded_against_subtraction(seed: int) -> None:
    rng, scope = np.random.default_rng(seed), Scope(Level.PROTECTED)
    counts = [*rng.integers(10, 60, rng.integers(1, 5)).tolist(), None]
    rest = int(rng.integers(0, 10))

    def rounded(count: int) -> int:
        return 5 * ((count + int(rng.integers(0, 5))) // 5)

    whole = sum(count or 0 for count in counts) + rest
    shown = [None if count is None else rounded(count) for count in counts]
    total = rounded(whole)
    alike = list(range(len(counts) - 1))
    safe, partners = _hide_in_cohort(shown, counts, alike, whole, total, scope)
    known = [n for n in safe if n is not None]
    assert all(safe[place] is None and place in alike for place in partners)
    assert not known or values_left(*bounds_in_one_total(total, known, 1, len(partners), scope.rules)) >= 5


def test_a_level_without_an_answer_that_is_large_hides_nothing() -> None:
    scope = Scope(Level.PROTECTED)
    assert _hide_in_cohort([20, None], [20, None], [0], 60, 60, scope) == ([20, None], set())
    # at least 31 take away at most 24: a rest below ten would be known to be 7, 8 or 9
    hidden, partners = _hide_in_cohort([20, None], [24, None], [0], 33, 35, scope)
    assert (hidden, partners) == ([None, None], {0})


@pytest.mark.parametrize("where", [(), ("immunophenotype=B",)])
def test_every_number_of_a_map_is_protected_and_no_line_hides_a_single_cell(snapshot: Snapshot,
                                                                            where: tuple[str, ...]) -> None:
    question = Question("ALL", "efs", tuple(parse_filter(text) for text in where), "cyto_group")
    asked, columns, _ = prepare_outcome_map(question, "mrd_group", snapshot)
    scope = Scope(Level.PROTECTED)
    released = release(compute_outcome_map(snapshot, asked, columns, at_days=1826, interval=IntervalType.LOG_LOG,
                                           scope=scope), scope)
    cells = released.value.cells
    assert released.value.question.landmark_days == 42
    for where_, n in counts_of(released.value):
        assert n is None or (type(n) is int and n % 5 == 0 and n >= 10), where_
    for way in ("row", "column"):
        for value in {getattr(cell, way) for cell in cells}:
            assert sum(cell.n is None for cell in cells if getattr(cell, way) == value) != 1
    assert all(cell.at is None or cell.n is not None for cell in cells)
    build_outcome_map_figure(released)
    assert len(list_outcome_rows(released)[1]) == len(cells)


def test_rows_of_patients_who_were_not_tested_are_never_compared(snapshot: Snapshot) -> None:
    for level in (Level.EXACT, Level.PROTECTED):
        table = compute(snapshot, SubgroupsQuestion(Question("ALL", "os"), ("etv6_runx1",)), level)
        assert table is not None
        for variable in release(table, Scope(level)).value.variables:
            assert all(row.hazard_ratio is None and not row.is_reference for row in variable.rows
                       if row.kind is not RowKind.LEVEL)
