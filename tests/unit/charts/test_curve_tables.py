from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.charts.curve_tables import build_key_numbers, build_risk_table, format_mean_difference
from harmony_dash.charts.numbers import TimeUnit
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.results import RestrictedMeanDifference
from harmony_dash.export.survival_displays import survival_displays
from harmony_dash.ui.components import tables
from tests.unit.charts.factories import make_result, release_for_test

YEARS = TimeUnit.YEARS


@pytest.mark.parametrize("endpoint", ["efs", "relapse"])
@pytest.mark.parametrize("level", [Level.EXACT, Level.PROTECTED])
def test_the_screen_and_the_report_have_the_same_cells(endpoint: str, level: Level) -> None:
    released = release_for_test(make_result(endpoint=endpoint, quarterly=level is Level.PROTECTED), level)
    displays = {display.title: display for display in survival_displays(released, YEARS)}
    for shown, title in ((tables.build_key_numbers(released, YEARS), "Key numbers"),
                         (tables.build_risk_table(released, YEARS), "Numbers at risk, by years")):
        assert tuple(shown.columns) == displays[title].header
        assert [[cell.lower() for cell in row] for row in shown.to_numpy().tolist()] == [
            [cell.lower() for cell in row] for row in displays[title].rows]


def test_times_stand_in_order_though_the_first_group_lacks_one() -> None:
    result = make_result()
    short = replace(result.groups[0], at=result.groups[0].at[1:])
    table = build_key_numbers(release_for_test(replace(result, groups=(short, *result.groups[1:]))), YEARS)
    assert table.header[3:6] == ("1 year, %", "3 years, %", "5 years, %")
    assert [row[3] == "–" for row in table.rows] == [True, *[False] * (len(result.groups) - 1)]
    assert {len(row) for row in table.rows} == {len(table.header)}


def test_numbers_at_risk_stand_under_their_time_though_groups_end_on_different_days() -> None:
    result = make_result(count=2)
    first, second = result.groups
    risk = first.risk_table
    short = replace(risk, days=risk.days[:-1], at_risk=risk.at_risk[:-1], events=risk.events[:-1],
                    censored=risk.censored[:-1])
    released = release_for_test(replace(result, groups=(replace(first, risk_table=short), second)))
    table = build_risk_table(released, YEARS)
    assert [row[-1] == "–" for row in table.rows] == [True] * 3 + [False] * 3
    assert [row[1] for row in table.rows[:3]] == ["at risk", "events", "censored"]


def test_a_difference_of_means_has_a_true_minus_and_two_decimals_in_years() -> None:
    one = RestrictedMeanDifference("a", "b", 1826, -100.0, -200.0, 50.0, 0.3)
    assert format_mean_difference(one, YEARS) == "−0.27 (−0.55 to 0.14)"
