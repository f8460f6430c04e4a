"""With late entry: who is drawn, from which day on, and who is compared, on the survival page and in tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion
from harmony_dash.disclosure import Level, Scope, too_few
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupRow, SubgroupVariable
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.late_entry import find_together, why_withheld
from harmony_dash.services.subgroups import ask_subgroups
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from harmony_dash.stats.event_table import EventTable
from tests.factories import ACCESS_KEY, DISCLOSURE_KEY, NOW, make_patients, make_store

CLINICIAN = Actor("clara", Role.CLINICIAN, "s1")
EXACT, PROTECTED = Scope(Level.EXACT), Scope(Level.PROTECTED)
LEVELS = (Level.EXACT, Level.PROTECTED)
TOGETHER = "not under observation at the same time as the others"


def watch(frame: pd.DataFrame, rows: pd.Index, entry: object, last: object, cause: object) -> None:
    """Have patients enter and leave on these days."""
    frame.loc[rows, "entry_days"], frame.loc[rows, "os_days"], frame.loc[rows, "os_cause"] = entry, last, cause


def relay(frame: pd.DataFrame, rows: pd.Index) -> None:
    """One enters every five days and is watched for 44: never ten at once."""
    entry = np.arange(len(rows)) * 5 + 100
    watch(frame, rows, entry, entry + 44, entry % 2)


def open_house(folder: Path, frame: pd.DataFrame) -> Deployment:
    make_store(folder / "store", frame=frame)
    settings = Settings(folder / "store", folder / "access.sqlite", None, patient_key=b"k" * 32, access_key=ACCESS_KEY,
                        disclosure_key=DISCLOSURE_KEY, daily_questions=1000)
    return open_deployment(settings, now=lambda: NOW)


def ask(house: Deployment, level: Level, **options: object) -> SurvivalResult:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    return ask_survival(house, actor, Question("ALL", "os", **options), level=level).value  # type: ignore[arg-type]


def ask_table(house: Deployment, level: Level, name: str) -> tuple[SubgroupVariable, dict[str, SubgroupRow]]:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    question = SubgroupsQuestion(Question("ALL", "os"), (name,), strata=None)
    variable = ask_subgroups(house, actor, question, level=level).value.variables[0]
    return variable, {row.level: row for row in variable.rows}


def starts(result: SurvivalResult) -> dict[str, float]:
    return {group.name: float(group.curve.days[0]) for group in result.groups}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    frame = make_patients(1500, seed=11)
    relay(frame, frame.index[frame["trial"] == "Trial C"])
    return open_house(tmp_path_factory.mktemp("trials"), frame)


@pytest.fixture(scope="module")
def sexes(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Women until day 700, men from day 800 on."""
    frame = make_patients(900, seed=11)
    women, men = (frame.index[frame["sex"] == sex] for sex in ("F", "M"))
    watch(frame, women, 0, 1 + np.arange(len(women)) % 700, np.arange(len(women)) % 3 == 0)
    watch(frame, men, 800, 900 + np.arange(len(men)), np.arange(len(men)) % 3 == 0)
    frame["intensity_assigned"] = np.where(np.arange(len(frame)) // 2 % 2 == 0, "standard", "reduced")
    return open_house(tmp_path_factory.mktemp("sexes"), frame)


@pytest.fixture(scope="module")
def men_later(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Women until day 700, men from day 650 on: never nobody, and never most of both."""
    frame = make_patients(1500, seed=11)
    women, men = (frame.index[frame["sex"] == sex] for sex in ("F", "M"))
    watch(frame, women, 0, 1 + np.arange(len(women)) % 700, np.arange(len(women)) % 3 == 0)
    watch(frame, men, 650, 660 + np.arange(len(men)), np.arange(len(men)) % 3 == 0)
    frame["intensity_assigned"] = np.where(np.arange(len(frame)) // 2 % 2 == 0, "standard", "reduced")
    return open_house(tmp_path_factory.mktemp("later"), frame)


@pytest.fixture(scope="module")
def men_in_relay(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    frame = make_patients(900, seed=11)
    relay(frame, frame.index[frame["sex"] == "M"])
    return open_house(tmp_path_factory.mktemp("relay"), frame)


@pytest.mark.parametrize("level", LEVELS)
def test_a_group_without_a_curve_is_in_no_comparison_and_takes_none_from_the_others(trials: Deployment, level: Level,
                                                                                    ) -> None:
    shown = ask(trials, level, by="trial")
    assert list(starts(shown)) == ["Trial A", "Trial B"]
    assert [group.name for group in shown.withheld] == ["Trial C"]
    assert shown.log_rank is not None and shown.log_rank.df == 1
    assert shown.compared == ("Trial A", "Trial B")
    assert [group.name for group in shown.groups if group.hazard_ratio is not None] == ["Trial B"]
    assert shown.reference == "Trial A"


@pytest.mark.parametrize("level", LEVELS)
def test_one_curve_alone_has_no_test_beneath_it(sexes: Deployment, men_in_relay: Deployment, level: Level) -> None:
    for house in (sexes, men_in_relay):
        shown = ask(house, level, by="sex")
        assert starts(shown) == {"Female": 0}
        assert (shown.log_rank, shown.over_time, shown.reference, shown.pairwise) == (None, None, "", ())
        assert shown.groups[0].hazard_ratio is None


@pytest.mark.parametrize("level", LEVELS)
def test_tables_of_subgroups_compare_the_same_levels(trials: Deployment, men_in_relay: Deployment, level: Level,
                                                     ) -> None:
    variable, rows = ask_table(trials, level, "trial")
    assert rows["Trial C"].at is None and rows["Trial C"].hazard_ratio is None
    assert "under observation together" in rows["Trial C"].reason
    assert rows["Trial B"].hazard_ratio == ask(trials, level, by="trial").groups[1].hazard_ratio
    assert rows["Trial B"].hazard_ratio is not None
    assert variable.reference == "Trial A"
    variable, rows = ask_table(men_in_relay, level, "sex")
    assert (variable.reference, variable.test, rows["M"].at, rows["M"].hazard_ratio) == ("", None, None, None)
    assert rows["F"].at is not None and rows["F"].hazard_ratio is None


def ask_treatment(house: Deployment, level: Level, name: str) -> tuple[SubgroupVariable, dict[str, SubgroupRow]]:
    actor = OPERATOR if level is Level.EXACT else CLINICIAN
    question = SubgroupsQuestion(Question("ALL", "os"), (name,), strata="trial", treatment="intensity_assigned",
                                 arms=("standard", "reduced"))
    variable = ask_subgroups(house, actor, question, level=level).value.variables[0]
    return variable, {row.level: row for row in variable.rows}


@pytest.mark.parametrize("level", LEVELS)
def test_a_treatment_is_compared_within_a_level_that_is_not_watched_with_its_siblings(men_later: Deployment,
                                                                                      level: Level) -> None:
    variable, rows = ask_treatment(men_later, level, "sex")
    for sex in ("F", "M"):
        (found,) = rows[sex].by_treatment
        assert found.hazard_ratio is not None and found.shrunken is None
        assert rows[sex].hazard_ratio is None
    # what a treatment does before day 700 in women and after day 650 in men is not set side by side
    (interaction,) = variable.interactions
    assert interaction.test is None and interaction.reason
    assert interaction.trials


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_watched_at_another_time_does_not_take_the_interaction_of_the_others_away(tmp_path: Path, level: Level,
                                                                                          ) -> None:
    frame = make_patients(1500, seed=11)
    place = np.arange(len(frame))
    frame["age_group"] = np.array(["1-9", "10-17", "18-39"])[place % 3]
    frame["intensity_assigned"] = np.where(place // 3 % 2 == 0, "standard", "reduced")
    for age, first, last in (("1-9", 0, 500), ("10-17", 0, 500), ("18-39", 450, 1350)):
        patients = frame.index[frame["age_group"] == age]
        numbers = np.arange(len(patients))
        watch(frame, patients, first, first + 1 + numbers % (last - first), numbers % (5 if age == "10-17" else 3) == 0)
    variable, rows = ask_treatment(open_house(tmp_path, frame), level, "age_group")
    (interaction,) = variable.interactions
    assert interaction.test is not None and interaction.levels == 2 and interaction.test.df == 1
    assert [rows[age].by_treatment[0].hazard_ratio is not None for age in ("1-9", "10-17", "18-39")] == [True] * 3


@pytest.mark.parametrize("level", LEVELS)
def test_arms_that_are_hardly_watched_together_are_not_compared(tmp_path: Path, level: Level) -> None:
    """Nine of the one arm are left when the other one enters."""
    frame = make_patients(900, seed=11)
    frame["trial"] = "Trial A"
    frame["intensity_assigned"] = np.where(np.arange(len(frame)) % 2 == 0, "standard", "reduced")
    standard, reduced = (frame.index[frame["intensity_assigned"] == arm] for arm in ("standard", "reduced"))
    numbers = np.arange(len(standard))
    watch(frame, standard, 0, np.where(numbers < 9, 900, 1 + numbers % 290), numbers % 2 == 0)
    watch(frame, reduced, 300, 310 + np.arange(len(reduced)), np.arange(len(reduced)) % 3 == 0)
    variable, rows = ask_treatment(open_house(tmp_path, frame), level, "sex")
    for sex in ("F", "M"):
        (found,) = rows[sex].by_treatment
        assert found.hazard_ratio is None and found.reason
    assert variable.interactions[0].test is None


def test_the_reason_is_true_and_protected_it_is_one_for_small_groups_too(sexes: Deployment, men_in_relay: Deployment,
                                                                         ) -> None:
    assert [group.reason.split(":")[0] for group in ask(sexes, Level.EXACT, by="sex").withheld] == [TOGETHER]
    protected = f"{too_few(Rules())}, or not under observation together, among themselves or with the others"
    assert {group.reason for group in ask(sexes, Level.PROTECTED, by="sex").withheld} == {protected}
    assert ask_table(men_in_relay, Level.PROTECTED, "sex")[1]["M"].reason == protected
    assert why_withheld(too_few(Rules()), Rules(), late_entry=True) == protected
    assert why_withheld(too_few(Rules()), Rules(), late_entry=False) == too_few(Rules())
    assert why_withheld("another", Rules(), late_entry=True) == "another"


def test_each_group_alone_is_still_answered(sexes: Deployment) -> None:
    alone = ask(sexes, Level.EXACT, where=(parse_filter("sex=M"),))
    assert starts(alone) == {"all patients": 801}


def test_curves_do_not_start_after_the_horizon(sexes: Deployment) -> None:
    for level in LEVELS:
        shown = ask(sexes, level, where=(parse_filter("sex=M"),), horizon_days=365)
        assert not shown.groups
        assert [("by day 365" in group.reason) for group in shown.withheld] == [level is Level.EXACT]


def make_table(groups: dict[str, list[tuple[int, int, int]]]) -> EventTable:
    """Groups of (patients, entry, last day)."""
    rows = [(name, entry, last) for name, parts in groups.items() for n, entry, last in parts for _ in range(n)]
    first, late = ([row for row in rows if (row[1] > 0) is is_late] for is_late in (False, True))
    table = EventTable.from_patients([row[2] for row in first], [n % 2 for n in range(len(first))],
                                     group=[row[0] for row in first], groups=tuple(groups), strata=("0",))
    return table + EventTable.from_patients([row[2] for row in late], [n % 2 for n in range(len(late))],
                                            group=[row[0] for row in late], groups=tuple(groups), strata=("0",),
                                            entry=[row[1] for row in late])


def test_curves_start_when_all_have_ten_at_once_not_when_each_has_had_ten() -> None:
    leaving = make_table({"A": [(57, 0, 300), (3, 0, 2000)], "B": [(40, 365, 2000)]})
    found = find_together(leaving, EXACT)
    assert (found.groups, found.start) == (("A",), 0)
    assert found.apart["B"].startswith(TOGETHER)
    again = make_table({"A": [(30, 0, 300), (3, 0, 2000), (37, 500, 2000)], "B": [(40, 365, 2000)]})
    found = find_together(again, EXACT)
    assert (found.groups, found.start, dict(found.apart)) == (("A", "B"), 501, {})
    assert find_together(again, PROTECTED).start == 548


def test_a_curve_does_not_start_when_most_of_its_patients_have_left() -> None:
    again = make_table({"A": [(57, 0, 300), (3, 0, 2000), (7, 500, 2000)], "B": [(40, 365, 2000)]})
    for scope in (EXACT, PROTECTED):
        assert (find_together(again, scope).groups, find_together(again, scope).start) == (("A",), 0)
    few_after_a_gap = make_table({"A": [(200, 0, 1500), (12, 2000, 3000)]})
    found = find_together(few_after_a_gap, EXACT)
    assert found.groups == () and found.apart["A"] == (
        "nobody is under observation after day 1500 although others enter later, and more than half have left by then")


def test_those_who_leave_before_a_group_can_be_drawn_do_not_count_against_it() -> None:
    late = {"A": [(55, 10, 60), (45, 10, 2000)]}
    assert find_together(make_table(late), EXACT).start == 11
    assert (find_together(make_table(late), PROTECTED).groups, find_together(make_table(late), PROTECTED).start) == (
        ("A",), 91)
    assert find_together(make_table(late | {"B": [(40, 0, 2000)]}), PROTECTED).groups == ("A", "B")


def test_a_small_late_group_does_not_take_the_curves_of_large_ones_away() -> None:
    trials = {"A": [(1000, 0, 1200), (1000, 0, 4000)], "B": [(1000, 0, 1200), (1000, 0, 4000)]}
    for late in (45, 9, 500):
        for scope in (EXACT, PROTECTED):
            found = find_together(make_table(trials | {"C": [(late, 2000, 4000)]}), scope)
            assert (found.groups, found.start) == (("A", "B"), 0)
    for lasting in (9, 10, 11):
        table = make_table({"A": [(2000, 0, 1500), (lasting, 0, 2500)], "B": [(12, 2000, 2500)],
                            "C": [(12, 2000, 2500)]})
        assert find_together(table, EXACT).groups == ("A",)


def test_one_left_of_a_small_group_has_no_curve_and_no_say() -> None:
    table = make_table({"A": [(7, 0, 300), (1, 0, 900)], "B": [(40, 395, 900)]})
    assert (find_together(table, EXACT).groups, find_together(table, EXACT).start) == (("B",), 396)


def test_as_many_groups_as_possible_are_shown() -> None:
    early = make_table({"A": [(40, 0, 300)], "B": [(40, 365, 2000)], "C": [(40, 400, 2000)]})
    found = find_together(early, EXACT)
    assert (found.groups, found.start, list(found.apart)) == (("B", "C"), 401, ["A"])


def test_the_groups_of_most_patients_are_shown() -> None:
    lasting = make_table({"A": [(2000, 0, 1500), (9, 0, 2500)], "B": [(12, 2000, 2500)], "C": [(12, 2000, 2500)]})
    assert (find_together(lasting, EXACT).groups, find_together(lasting, EXACT).start) == (("A",), 0)


def test_a_group_whose_observation_breaks_off_starts_after_that_or_is_not_shown() -> None:
    broken = make_table({"A": [(20, 0, 100), (30, 200, 2000)], "B": [(40, 300, 2000)]})
    found = find_together(broken, EXACT)
    assert (found.groups, found.start) == (("A", "B"), 301)
    found = find_together(broken, PROTECTED)
    assert (found.groups, found.start) == (("B",), 365)
    assert "nobody is under observation after day 100" in found.apart["A"]
    never = make_table({"A": [(40, 0, 100), (5, 200, 2000)], "B": [(60, 0, 2000)]})
    assert list(find_together(never, EXACT).apart) == ["A"]


def test_exact_a_small_group_is_shown_beside_one_into_which_somebody_enters_late() -> None:
    small = make_table({"A": [(8, 0, 900)], "B": [(499, 0, 900), (1, 30, 900)]})
    assert (find_together(small, EXACT).groups, find_together(small, EXACT).start) == (("A", "B"), 0)
    assert find_together(small, PROTECTED).groups == ("B",)
    entering = make_table({"A": [(8, 0, 900), (1, 30, 900)], "B": [(500, 0, 900)]})
    assert find_together(entering, EXACT).groups == ("B",)


def test_a_day_that_the_grid_steps_over_is_none_for_protected_curves() -> None:
    brief = make_table({"A": [(40, 0, 2000)], "B": [(40, 100, 150), (5, 100, 2000)]})
    assert find_together(brief, EXACT).groups == ("A", "B")
    assert find_together(brief, PROTECTED).groups == ("A",)


def test_without_late_entry_nothing_is_left_out() -> None:
    small = make_table({"A": [(3, 0, 100)], "B": [(40, 0, 2000)]})
    found = find_together(small, EXACT)
    assert (found.groups, found.start, dict(found.apart)) == (("A", "B"), None, {})
