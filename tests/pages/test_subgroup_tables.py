"""The twins of the page of subgroups: the lines of the plot, its tests, and Table 1."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from harmony_dash.charts.forest_lines import list_level_lines
from harmony_dash.cohort import Question
from harmony_dash.disclosure.description_results import Quartiles, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.release_info import CohortChoices
from harmony_dash.ui.components.subgroup_tables import (
    build_forest_table,
    build_table_one,
    build_tests_table,
    find_headings,
)
from tests.unit.charts.test_forest_figure import table

MARKER = TableOneVariable("etv6_runx1", "ETV6::RUNX1", {"negative": "negative", "positive": "positive",
                                                       "not_done": "not tested"}, difference=0.1234)
AGE = TableOneVariable("age_dx_years", "Age at diagnosis", {}, "years", math.inf)


def group(name: str, negative: int | None, positive: int | None, *, not_counted: frozenset[str] = frozenset(),
          ) -> TableOneGroup:
    counts = {"negative": negative, "positive": positive, "not_done": 50}
    choices = CohortChoices(500, {MARKER.variable: counts}, {MARKER.variable: 0},
                            not_counted={MARKER.variable: not_counted})
    return TableOneGroup(name, name, 500, choices, {AGE.variable: Quartiles(480, 5.2, 3.0, 9.5)})


def rows_of(*groups: TableOneGroup, variables: tuple[TableOneVariable, ...] = (MARKER, AGE)) -> list[list[str]]:
    result = TableOne(Question("ALL", "os"), "", "s", True, groups, variables, ())
    return [[str(cell).strip().replace("\N{NO-BREAK SPACE}", " ") for cell in row]
            for row in build_table_one(result).to_numpy().tolist()]


def test_the_twin_has_every_line_with_headings_apart_from_levels() -> None:
    lines = build_forest_table(list_level_lines(table(2)))
    assert len(lines) == 10
    assert find_headings(lines) == [0, 5]
    assert list(lines["Why not compared"][:5]) == ["", "", "", "", "too few"]
    assert lines.iloc[4, 4] == ""


def test_tests_say_how_far_they_go() -> None:
    tests = build_tests_table(table(1).value)
    assert tests.to_numpy().tolist() == [
        ["Marker 0", "levels differ", "0.004", "0.020", "prognostic", ""],
        ["Marker 0", "effect of reduced against standard differs", "0.045", "0.30", "exploratory",
         "3 trials, most agree; credibility to be assessed (ICEMAN)"]]
    without = replace(table(1).value, question=replace(table(1).value.question, treatment=None), variables=())
    assert list(build_tests_table(without).columns) == ["Variable", "p", "q", "What may be said"]


def test_shares_are_of_tested_patients() -> None:
    assert rows_of(group("a", 300, 100), group("b", 100, 300)) == [
        ["ETV6::RUNX1", "", "", "0.12"], ["negative", "300 (75 %)", "100 (25 %)", ""],
        ["positive", "100 (25 %)", "300 (75 %)", ""], ["not tested", "50", "50", ""],
        ["Age at diagnosis, years, median (quartiles)", "5.2 (3–9.5)", "5.2 (3–9.5)", "∞"],
        ["patients with a value", "480", "480", ""]]


@pytest.mark.parametrize(("positive", "not_counted", "told"), [
    (None, frozenset[str](), "hidden"), (None, frozenset({"positive"}), "–")])
def test_a_hidden_number_takes_all_shares_with_it(positive: int | None, not_counted: frozenset[str], told: str) -> None:
    rows = rows_of(group("a", 300, positive, not_counted=not_counted), variables=(MARKER,))
    assert rows == [["ETV6::RUNX1", ""], ["negative", "300"], ["positive", told], ["not tested", "50"]]


def test_a_group_that_may_not_be_described_has_no_numbers() -> None:
    hidden = TableOneGroup("b", "b", None, None, {}, "too few")
    rows = rows_of(group("a", 300, 100), hidden, variables=(replace(MARKER, difference=None),))
    assert [row[2] for row in rows[1:]] == ["–"] * (len(rows) - 1)
    assert rows[0][-1] == "–"


def test_patients_with_a_number_are_hidden_where_few_may_have_none_and_left_out_where_none_is_told() -> None:
    told = group("a", 300, 100)
    few = replace(told, quartiles={AGE.variable: replace(told.quartiles[AGE.variable], n=None)})
    assert rows_of(told, few, variables=(AGE,))[1] == ["patients with a value", "480", "hidden", ""]
    assert len(rows_of(few, few, variables=(AGE,))) == 1
