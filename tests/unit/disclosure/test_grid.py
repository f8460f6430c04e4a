"""The quarterly grid."""

from __future__ import annotations

import pytest

from harmony_dash.disclosure.grid import first_grid_day, grid_days, snap_all, snap_to_grid, tick_days


def test_the_grid_is_quarters_of_a_year_from_day_zero() -> None:
    assert grid_days(750) == (0, 91, 183, 274, 365, 457, 548, 639, 731)
    assert {365, 731, 1096, 1461, 1826, 3653} <= set(grid_days(4000))


@pytest.mark.parametrize(("asked", "read"), [(365, 365), (1826, 1826), (400, 365), (456, 457), (91, 91), (0, 0),
                                             (50, 0), (1095, 1096), (730, 731), (3650, 3653), (453, 365)])
def test_a_reading_is_taken_on_the_grid_day_before_or_just_after(asked: int, read: int) -> None:
    assert snap_to_grid(asked) == read


def test_readings_on_one_grid_day_become_one() -> None:
    assert snap_all([400, 365, 1826]) == (365, 1826)


def test_the_first_grid_day_is_not_before() -> None:
    assert [first_grid_day(day) for day in (0, 1, 91, 92)] == [0, 91, 91, 183]


@pytest.mark.parametrize(("end", "ticks"), [
    (0, (0,)), (274, (0, 91, 183, 274)), (1826, (0, 365, 731, 1096, 1461, 1826)),
    (4474, (0, 731, 1461, 2192, 2922, 3653, 4383)), (900, (0, 91, 183, 274, 365, 457, 548, 639, 731, 822))])
def test_ticks_are_on_the_grid_and_few(end: int, ticks: tuple[int, ...]) -> None:
    assert tick_days(end) == ticks
