"""Stratified comparisons that would rest on a few patients beside another level."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.access.actor import OPERATOR
from harmony_dash.cohort import Question
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupsResult, TreatmentInLevel
from harmony_dash.services import estimates
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.level_comparison import compare_levels, compare_over_time
from harmony_dash.services.subgroup_treatment import _trials_that_tell
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.services.within_strata import drop_small_cells, link_levels
from harmony_dash.settings import Settings
from harmony_dash.stats.event_table import EventTable
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

EXACT, PROTECTED = Scope(Level.EXACT), Scope(Level.PROTECTED)
OS, RELAPSE = endpoint_named("os"), endpoint_named("relapse")
Cells = dict[tuple[str, str], int]


def draw(cells: Cells, *, dead: float = 0.5, causes: tuple[str, ...] = OS.causes, seed: int = 1) -> EventTable:
    """So many patients of each level in each stratum."""
    rng = np.random.default_rng(seed)
    level, stratum = ([cell[part] for cell, n in cells.items() for _ in range(n)] for part in (0, 1))
    happened = rng.random(len(level)) < dead
    cause = np.where(happened, rng.integers(1, len(causes) + 1, len(level)), 0)
    return EventTable.from_patients(rng.integers(1, 900, len(level)), cause, causes=causes, group=level,
                                    groups=tuple(dict.fromkeys(level)), stratum=stratum)


def beside(n: int, *, dead: float = 0.5) -> EventTable:
    """A level of trial B with n of its patients in trial A, beside the other level."""
    table = draw({("good", "A"): 100, ("high", "B"): 100})
    if n == 0:
        return table
    extra = draw({("high", "A"): n}, dead=dead, seed=2)
    return table + EventTable.from_counts(table.groups, table.strata, table.causes, extra.group + 1, extra.stratum,
                                          extra.day, extra.censored, extra.events)


def run_on(table: EventTable, endpoint: str = "os", scope: Scope = PROTECTED) -> estimates.Tests:
    names = {group: group for group in table.groups}
    question = Question("ALL", endpoint, by="cyto_group", strata="trial")
    return estimates.run_tests(table, table.groups, question, names, scope)


# -- levels of a variable --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dead", [0.0, 1.0])
@pytest.mark.parametrize("n", [0, 1, 9])
def test_few_beside_the_reference_are_as_good_as_none_whether_they_died_or_not(n: int, dead: float) -> None:
    table = beside(n, dead=dead)
    assert replace(compare_levels(table, OS, PROTECTED), table=None) == replace(
        compare_levels(beside(0), OS, PROTECTED), table=None)
    assert run_on(table).log_rank is None


def test_exact_answers_use_them() -> None:
    assert compare_levels(beside(5, dead=1.0), OS, EXACT).hazard_ratios
    assert run_on(beside(5, dead=1.0), scope=EXACT).log_rank is not None


def test_enough_patients_but_too_few_events_beside_one_another_give_no_ratio_and_no_test() -> None:
    cells = {("good", "A"): 100, ("high", "B"): 100}
    few, enough = beside(12, dead=0.3), draw({**cells, ("high", "A"): 40})
    assert link_levels(drop_small_cells(few, PROTECTED), PROTECTED) == (("good",), ("high",))
    assert not compare_levels(few, OS, PROTECTED).hazard_ratios
    assert run_on(few).log_rank is None
    assert compare_levels(enough, OS, PROTECTED).hazard_ratios
    found = run_on(enough).log_rank
    assert found is not None
    # Events of the stratum in which nobody else stands tell nothing.
    assert found.events < enough.event_counts.sum()


def test_a_level_without_enough_beside_it_leaves_the_others_as_if_it_were_not_there() -> None:
    cells = {("a", "A"): 80, ("b", "A"): 80, ("c", "B"): 80}
    table, without = draw({**cells, ("c", "A"): 6}), draw(cells)
    kept, alone = (compare_levels(one.select_groups(("a", "b")), OS, PROTECTED) for one in (table, without))
    found = compare_levels(table, OS, PROTECTED)
    assert set(found.hazard_ratios) == {"b"}
    assert found.hazard_ratios == kept.hazard_ratios
    assert set(alone.hazard_ratios) == {"b"}
    tests = run_on(table)
    assert tests.log_rank is not None and tests.log_rank.label == "log-rank test, stratified by trial, without c"
    assert tests.log_rank.df == 1
    assert [pair[:2] for pair in tests.pairwise] == [("a", "b")]


def test_a_pair_that_shares_too_few_has_no_p_of_its_own() -> None:
    table = draw({("a", "A"): 80, ("b", "A"): 80, ("b", "B"): 80, ("c", "B"): 80, ("c", "A"): 4})
    assert set(compare_levels(table, OS, PROTECTED).hazard_ratios) == {"b", "c"}
    p = {pair[:2]: pair[2] for pair in run_on(table).pairwise}
    assert np.isnan(p["a", "c"]) and np.isfinite(p["a", "b"]) and np.isfinite(p["b", "c"])


def test_grays_test_rests_on_no_few_patients_either() -> None:
    cells = {("good", "A"): 200, ("high", "B"): 200}
    few = draw({**cells, ("high", "A"): 3}, causes=RELAPSE.causes)
    assert run_on(few, "relapse").gray == ()
    assert run_on(few, "relapse", EXACT).gray
    assert run_on(draw({**cells, ("high", "A"): 90}, causes=RELAPSE.causes), "relapse").gray


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 50))
def test_what_is_compared_never_depends_on_a_cell_below_ten(n: int, other: int, seed: int) -> None:
    cells = {("a", "A"): 60, ("b", "A"): 60, ("c", "B"): 60, ("a", "C"): 30, ("c", "C"): 30}
    table = draw({**cells, ("c", "A"): n, ("b", "C"): other}, seed=seed)
    small = {("c", "A"), ("b", "C")}
    rows = [(table.groups[g], table.strata[s]) not in small
            for g, s in zip(table.group.tolist(), table.stratum.tolist(), strict=True)]
    without = EventTable(table.groups, table.strata, table.causes, *(getattr(table, name)[rows] for name in (
        "group", "stratum", "day", "censored", "events", "entries")))
    found, expected = (compare_levels(one, OS, PROTECTED) for one in (table, without))
    if set(dict(zip(table.groups, table.patients.tolist(), strict=True))) == set(without.groups):
        assert found.hazard_ratios == expected.hazard_ratios
        assert compare_over_time(found, OS) == compare_over_time(expected, OS)
    left, right = (drop_small_cells(one, PROTECTED) for one in (table, without))
    assert left.day.tolist() == right.day.tolist() and left.group.tolist() == right.group.tolist()


def test_without_strata_nothing_is_cut() -> None:
    table = beside(5).pool_strata()
    assert drop_small_cells(table, PROTECTED) is table
    assert drop_small_cells(beside(5), EXACT).patients.tolist() == beside(5).patients.tolist()
    assert link_levels(table, PROTECTED) == (table.groups,)


# -- asked of a store ------------------------------------------------------------------------------------------------


def open_house(folder: Path, frame: pd.DataFrame) -> Deployment:
    make_store(folder / "store", frame=frame)
    return open_deployment(Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32,
                                    access_key=ACCESS_KEY, disclosure_key=DISCLOSURE_KEY, daily_questions=1000),
                           now=lambda: NOW)


def one_in_trial_a(*, dead: bool, there: bool, treatment: bool = False) -> pd.DataFrame:
    """A level, or an arm of one, all of trial B but for one patient."""
    frame, place = make_patients(320, seed=3), np.arange(320)
    other = (place >= 100) & (place < 200)
    frame["os_cause"], frame["os_days"] = place % 2, 100 + place * 37 % 3000
    frame["trial"] = np.where(place < 100, "Trial A", np.where(other, "Trial B", "Trial C"))
    frame["cyto_group"] = np.where(place >= 200, "intermediate", "good") if treatment else np.where(
        other, "high", np.where(place < 100, "good", "intermediate"))
    frame["intensity_assigned"] = np.where(other | ((place >= 200) & (place // 2 % 2 == 0)), "reduced", "standard")
    if there:
        frame.loc[199, "trial"] = "Trial A"
    frame.loc[199, ["os_days", "os_cause"]] = [900, int(dead)]
    return frame.astype({"os_days": "Int32", "os_cause": "Int32"})


def page(house: Deployment) -> SurvivalResult:
    return ask_survival(house, OPERATOR, Question("ALL", "os", by="cyto_group", strata="trial")).value


def table_of(house: Deployment, *, treatment: str | None = None, level: Level = Level.PROTECTED) -> SubgroupsResult:
    arms = ("standard", "reduced") if treatment else ()
    question = SubgroupsQuestion(Question("ALL", "os"), ("cyto_group",), "trial", treatment, arms)
    return ask_subgroups(house, OPERATOR, question, level=level).value


@pytest.mark.parametrize("dead", [True, False])
def test_one_patient_in_another_trial_is_in_no_number_of_a_page(tmp_path: Path, dead: bool) -> None:
    house = open_house(tmp_path, one_in_trial_a(dead=dead, there=True))
    shown = page(house)
    assert (shown.reference, shown.log_rank, shown.over_time) == ("", None, None)
    (variable,) = table_of(house).variables
    assert (variable.test, variable.over_time) == (None, None)
    assert not any(row.hazard_ratio for row in variable.rows)


def in_level(house: Deployment, level: str, scope: Level = Level.PROTECTED) -> TreatmentInLevel:
    (variable,) = table_of(house, treatment="intensity_assigned", level=scope).variables
    return next(row.by_treatment[0] for row in variable.rows if row.level == level)


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("dead", [True, False])
def test_one_patient_of_an_arm_in_another_trial_is_no_effect_of_a_treatment(tmp_path: Path, dead: bool,
                                                                           there: bool) -> None:
    house = open_house(tmp_path, one_in_trial_a(dead=dead, there=there, treatment=True))
    found, other = in_level(house, "good"), in_level(house, "intermediate")
    assert (found.hazard_ratio, found.difference, found.reason) == (None, None, "too few")
    assert other.hazard_ratio is not None
    assert other.difference_trials == 1 and other.difference_share is None
    assert (in_level(house, "good", Level.EXACT).hazard_ratio is not None) is False


@pytest.mark.parametrize("dead", [0.0, 1.0])
@pytest.mark.parametrize("n", [0, 1, 9])
def test_few_of_an_arm_in_a_trial_inform_no_interaction(n: int, dead: float) -> None:
    """Level x has both arms in trials A and B, level y in B alone but for a few patients of one arm."""
    both = {(f"{level}\x1f{arm}", trial): 60 for level, trial in (("x", "A"), ("x", "B"), ("y", "B"))
            for arm in ("old", "new")}
    table = draw({**both, ("y\x1fold", "A"): 60})
    few = draw({("y\x1fnew", "A"): n}, dead=dead, seed=2) if n else None
    whole = table if few is None else table + EventTable.from_counts(
        table.groups, table.strata, table.causes, few.group + table.groups.index("y\x1fnew"), few.stratum, few.day,
        few.censored, few.events)
    told, levels = _trials_that_tell(whole, ["x", "y"], ("old", "new"), PROTECTED)
    assert levels == ["x", "y"]
    assert {told.strata[k] for k in told.stratum.tolist()} == {"B"}
    assert int(told.patients.sum()) == 240
    assert _trials_that_tell(whole.select_groups(whole.groups[:2]), ["x"], ("old", "new"), PROTECTED)[1] == []


def test_a_difference_that_would_speak_for_a_minority_is_not_given(tmp_path: Path) -> None:
    """Two trials used both arms, but only the one with fewer patients followed them for five years."""
    rng, place = np.random.default_rng(8), np.arange(900)
    frame = make_patients(900, seed=3)
    frame["trial"] = np.where(place < 300, "Trial A", "Trial B")
    frame["intensity_assigned"] = np.where(place % 2, "reduced", "standard")
    frame["cyto_group"] = np.where(place % 5 < 4, "good", "high")
    frame["os_days"] = np.where(place < 300, rng.integers(100, 4000, 900), rng.integers(100, 1500, 900))
    frame["os_cause"] = rng.integers(0, 2, 900)
    frame = frame.astype({"os_days": "Int32", "os_cause": "Int32"})
    for level in (Level.EXACT, Level.PROTECTED):
        found = in_level(open_house(tmp_path / f"few {level}", frame), "good", level)
        assert found.hazard_ratio is not None
        assert (found.difference, found.difference_trials) == (None, None)
        longer = frame.assign(os_days=frame.os_days.where(place < 300, frame.os_days * 2))
        found = in_level(open_house(tmp_path / f"many {level}", longer), "good", level)
        assert found.difference is not None
        assert (found.difference_trials, found.difference_share) == (2, 1.0 if level is Level.EXACT else None)


@pytest.mark.parametrize("crossing", [True, False])
def test_the_table_says_like_the_page_that_hazards_are_not_proportional(tmp_path: Path, crossing: bool) -> None:
    rng = np.random.default_rng(9)
    frame = make_patients(1200, seed=9)
    early = rng.random(len(frame)) < np.where((frame.sex == "M") & crossing, 0.8, 0.3)
    days = np.where(early, rng.integers(1, 900, len(frame)), rng.integers(900, 2400, len(frame)))
    frame = frame.assign(os_days=days, os_cause=(rng.random(len(frame)) < 0.6) * 1)
    house = open_house(tmp_path, frame.astype({"os_days": "Int32", "os_cause": "Int32"}))
    question = SubgroupsQuestion(Question("ALL", "os"), ("sex",), None)
    for level in (Level.EXACT, Level.PROTECTED):
        table = ask_subgroups(house, OPERATOR, question, level=level).value
        shown = ask_survival(house, OPERATOR, Question("ALL", "os", by="sex"), level=level).value
        assert table.variables[0].over_time == shown.over_time is not None
        assert ("Hazards are not proportional between the levels of" in table.summary) is crossing
