from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios
from harmony_dash.stats.level_grid import LevelGrid, grid_from_counts, join_levels
from harmony_dash.stats.risk_sets import count_risk_grid

LEVELS, STRATA, CAUSES = ("a", "b", "c"), ("x", "y"), ("relapse", "death")


def random_table(seed: int, *, late: bool = False, patients: int = 300) -> EventTable:
    rng = np.random.default_rng(seed)
    day = rng.integers(1, 90, patients)
    entry = np.where(rng.random(patients) < 0.3, rng.integers(0, 90, patients) % day, 0) if late else None
    return EventTable.from_patients(day, rng.integers(0, 3, patients), causes=CAUSES, groups=LEVELS, strata=STRATA,
                                    group=[LEVELS[g] for g in rng.integers(0, 3, patients)],
                                    stratum=[STRATA[s] for s in rng.integers(0, 2, patients)], entry=entry)


def as_grid(table: EventTable) -> LevelGrid:
    """The same counts side by side, with a day on which nothing happens."""
    days = int(table.day.max()) + 2
    shape = (len(table.strata), days, len(table.groups))
    counts = np.zeros((2 + len(table.causes), *shape), dtype=np.int64)
    for kind, column in enumerate((table.censored, table.entries, *table.events.T)):
        counts[kind, table.stratum, table.day, table.group] = column
    flat = counts.reshape(len(counts), -1, len(table.groups))
    stratum, day = (part.ravel() for part in np.indices(shape[:2]))
    return grid_from_counts(table.groups, table.strata, table.causes, stratum, day, flat[0], flat[2:], flat[1])


def same(one: EventTable, other: EventTable) -> None:
    assert (one.groups, one.strata, one.causes) == (other.groups, other.strata, other.causes)
    for name in ("group", "stratum", "day", "censored", "events", "entries"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_grid_holds_what_its_event_table_holds(seed: int, late: bool) -> None:
    table = random_table(seed, late=late)
    grid = as_grid(table)
    same(grid.to_table(), table)
    same(grid.pool_strata(), table.pool_strata())
    same(grid.select_groups(["c", "a"]).to_table(), table.select_groups(["c", "a"]))
    np.testing.assert_array_equal(grid.patients, table.patients)
    np.testing.assert_array_equal(grid.event_counts, table.event_counts)


@pytest.mark.parametrize("late", [False, True])
def test_who_is_at_risk_is_the_same(late: bool) -> None:
    table = random_table(9, late=late)
    ours, theirs = as_grid(table).count_at_risk(), count_risk_grid(table)
    span = int(theirs.day.max()) + 2
    rows = theirs.stratum * span + theirs.day
    np.testing.assert_array_equal(ours.at_risk[rows], theirs.at_risk)
    np.testing.assert_array_equal(ours.events[rows], theirs.events)


@pytest.mark.parametrize("cause", [None, "death"])
@pytest.mark.parametrize("late", [False, True])
def test_hazard_ratios_are_the_same_to_the_last_bit(late: bool, cause: str | None) -> None:
    table = random_table(11, late=late)
    assert [entry.ratio for entry in estimate_hazard_ratios(as_grid(table), "b", cause=cause).levels] == [
        entry.ratio for entry in estimate_hazard_ratios(table, "b", cause=cause).levels]


def test_a_grid_of_nobody_is_empty() -> None:
    nothing = np.zeros((0, 2), dtype=np.int64)
    days = np.zeros(0, dtype=np.int64)
    grid = grid_from_counts(("a", "b"), ("x",), ("event",), days, days, nothing, nothing[None], nothing)
    assert len(grid.to_table().day) == len(grid.pool_strata().day) == 0
    assert grid.patients.tolist() == [0, 0]


def test_counts_that_do_not_fit_are_refused() -> None:
    days, counts = np.array([1, 2]), np.ones((2, 2), dtype=np.int64)
    grid_from_counts(("a", "b"), ("x",), ("event",), days * 0, days, counts, counts[None], counts)
    with pytest.raises(StatisticsError, match="twice"):
        grid_from_counts(("a", "a"), ("x",), ("event",), days * 0, days, counts, counts[None], counts)
    with pytest.raises(StatisticsError, match="do not fit"):
        grid_from_counts(("a", "b"), ("x",), ("event",), days * 0, days, counts, counts, counts)
    with pytest.raises(StatisticsError, match="ascend"):
        grid_from_counts(("a", "b"), ("x",), ("event",), days * 0, days[::-1], counts, counts[None], counts)


def test_joined_grids_hold_every_level_as_it_was() -> None:
    first, second = (as_grid(random_table(seed, late=True, patients=n)) for seed, n in ((3, 300), (4, 40)))
    apart = replace(second, groups=("d", "e", "f"))
    joined = join_levels([first, apart])
    assert joined.groups == ("a", "b", "c", "d", "e", "f")
    for grid in (first, apart):
        same(joined.select_groups(grid.groups).to_table(), grid.to_table())
    assert join_levels([first]) is first


def test_grids_that_do_not_fit_are_not_joined() -> None:
    grid = as_grid(random_table(3))
    for wrong in ([], [grid, grid], [grid, replace(grid, groups=("d", "e", "f"), strata=("y", "x"))]):
        with pytest.raises(StatisticsError):
            join_levels(wrong)
