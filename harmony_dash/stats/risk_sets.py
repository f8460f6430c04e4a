"""Who is at risk on which day, counted from an event table."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Ints

# Stratum and day are sorted as one 64-bit number.
LARGEST_KEY: Final = 2**62
LARGEST_LOOKUP: Final = 2**20


@dataclass(frozen=True)
class RiskSets:
    """The days of one group, pooled over strata, in increasing order, each day once.

    Attributes
    ----------
    group : label of the group, "all" for every group together.
    days : shape (rows,); days on which anybody leaves or enters.
    at_risk : shape (rows,); patients under observation with T >= day, before anybody leaves that day.
    events : shape (rows, causes).
    censored : shape (rows,).
    entered : shape (rows,); patients who come under observation after that day (all 0 without late entry).
    """

    group: str
    days: Ints
    at_risk: Ints
    events: Ints
    censored: Ints
    entered: Ints

    @property
    def patients(self) -> int:
        """Patients of the group."""
        return int(self.events.sum() + self.censored.sum())

    @property
    def left(self) -> Ints:
        """Shape (rows,); patients whose follow-up ends that day, with or without an event."""
        return add_causes(self.events) + self.censored


@dataclass(frozen=True)
class RiskGrid:
    """All groups side by side, for tests that compare them inside strata.

    Attributes
    ----------
    stratum, day : shape (rows,); sorted by this key, each key once.
    at_risk : shape (rows, groups); Y_g(t) inside the stratum.
    events : shape (rows, groups, causes).
    """

    stratum: Ints
    day: Ints
    at_risk: Ints
    events: Ints

    def stratum_slices(self) -> list[slice]:
        """Return the rows of each stratum that has any."""
        if not len(self.stratum):
            return []
        edges = [0, *(np.flatnonzero(np.diff(self.stratum)) + 1).tolist(), len(self.stratum)]
        return [slice(first, last) for first, last in pairwise(edges)]


@dataclass(frozen=True)
class RiskCounts:
    """The numbers under a curve at chosen days.

    Attributes
    ----------
    days, at_risk, censored : shape (m,); at risk means T >= day, `censored` counts up to and including the day.
    events : shape (m, causes); up to and including the day.
    """

    days: Ints
    at_risk: Ints
    events: Ints
    censored: Ints


def count_risk_sets(table: EventTable, group: str | int | None = None) -> RiskSets:
    """Count who is at risk on each day of one group, over all strata.

    Assumes
        Everybody is under observation from day 0 unless the table counts an entry for them; patients with and without
        an entry may be mixed.

    Formula
        Y(t) = N - E + sum_{s<t} entries(s) - sum_{s<t} x(s), with N patients, E counted entries and x = all who leave.
        Without late entry this is #(T >= t), with it #(entry < t <= T).

    Parameters
    ----------
    table : event table; days are whole.
    group : label or position of a group, None for all groups together.

    Returns
    -------
    RiskSets, of length 0 for a group without patients.

    Raises
    ------
    StatisticsError if the group does not exist, or if more patients leave than are under observation.

    References
    ----------
    Andersen, Borgan, Gill, Keiding, Statistical Models Based on Counting Processes (1993), section III.4.
    """
    if group is None:
        label, rows = "all", slice(0, len(table.day))
    else:
        position = group_position(table, group)
        label = table.groups[position]
        first, last = np.searchsorted(table.group, [position, position + 1])
        rows = slice(int(first), int(last))
    values = np.column_stack([table.censored[rows], table.events[rows], table.entries[rows]])
    day = table.day[rows]
    if group is None or len(table.strata) > 1:  # one group of one stratum stands in order, each day once
        order = np.argsort(day, kind="stable")
        day = day[order]
        starts = _first_of_runs(day)
        if len(day):
            values = np.add.reduceat(values[order], starts, axis=0)
        day = day[starts]
    censored, events, entered = values[:, 0], values[:, 1:-1], values[:, -1]
    left = add_causes(events) + censored
    at_start = int(left.sum() - entered.sum())
    at_risk = at_start + _before(entered) - _before(left)
    _check_counts(at_start, at_risk, left)
    return RiskSets(label, day, at_risk, events, censored, entered)


def count_risk_grid(table: EventTable) -> RiskGrid:
    """Count who is at risk in every group on each day of each stratum.

    Assumes, formula and reference as in `count_risk_sets`, applied inside each stratum.

    Parameters
    ----------
    table : event table with any number of groups and strata.

    Returns
    -------
    RiskGrid over all groups of the table, empty ones included.

    Raises
    ------
    StatisticsError if more patients leave than are under observation.
    """
    groups, causes = len(table.groups), len(table.causes)
    span = int(table.day.max(initial=0)) + 1
    if span * len(table.strata) >= LARGEST_KEY:
        raise StatisticsError("the days of the event table are too large")
    keys, row = number_keys(table.stratum * span + table.day, span * len(table.strata))
    events = np.zeros((len(keys), groups, causes), dtype=np.int64)
    left, entered = np.zeros((2, len(keys), groups), dtype=np.int64)
    # Every (stratum, day, group) is one row of the table.
    events[row, table.group] = table.events
    left[row, table.group] = add_causes(table.events) + table.censored
    entered[row, table.group] = table.entries
    return count_at_risk(keys // span, keys % span, events, left, entered)


def count_at_risk(stratum: Ints, day: Ints, events: Ints, left: Ints, entered: Ints) -> RiskGrid:
    """Count who is at risk from who leaves and enters; the last step of `count_risk_grid`.

    Parameters
    ----------
    stratum, day : shape (rows,); sorted by this key, each key once.
    events : shape (rows, groups, causes).
    left, entered : shape (rows, groups); all who leave on the day, with or without an event, and who enter after it.

    Returns
    -------
    RiskGrid

    Raises
    ------
    StatisticsError if more patients leave than are under observation.
    """
    at_risk = np.zeros_like(left)
    grid = RiskGrid(stratum, day, at_risk, events)
    late = bool(entered.any())
    for part in grid.stratum_slices():
        at_start = left[part].sum(axis=0) - entered[part].sum(axis=0)
        at_risk[part] = at_start - _before(left[part])
        if late:
            at_risk[part] += _before(entered[part])
            _check_counts(int(at_start.min()), at_risk[part], left[part])
    return grid


def read_risk_counts(sets: RiskSets, days: ArrayLike) -> RiskCounts:
    """Read the numbers at risk, with an event and censored at chosen days.

    Parameters
    ----------
    sets : the group's risk sets.
    days : shape (m,); whole days, in any order, not necessarily days of the table.

    Returns
    -------
    RiskCounts; everything is 0 past the last day of follow-up except the running totals.

    Raises
    ------
    StatisticsError if a day is negative or not whole.
    """
    at = whole_days(days)
    position = np.searchsorted(sets.days, at, side="right")
    events = np.vstack([np.zeros((1, sets.events.shape[1]), dtype=np.int64), np.cumsum(sets.events, axis=0)])
    censored = np.concatenate([[0], np.cumsum(sets.censored)])
    return RiskCounts(at, at_risk_on(sets.days, sets.at_risk, sets.left, sets.entered, at), events[position],
                      censored[position])


def at_risk_on(days: Ints, at_risk: Ints, left: Ints, entered: Ints, at: Ints) -> Ints:
    """Return Y(t) at the days `at`, shape (m,), from counts on the days of a table, shape (rows,)."""
    if not len(days):
        return np.zeros(len(at), dtype=np.int64)
    after = np.concatenate([at_risk[:1], at_risk - left + entered])
    return after[np.searchsorted(days, at, side="left")]


def last_supported_day(sets: RiskSets, least_at_risk: int) -> int | None:
    """Return the last day with at least `least_at_risk` patients at risk, None if there is none."""
    supported = np.flatnonzero(sets.at_risk >= least_at_risk)
    return int(sets.days[supported[-1]]) if len(supported) else None


def first_supported_day(sets: RiskSets, least_at_risk: int) -> int | None:
    """Return the first day a curve may start on: 0 without late entry, else the first with `least_at_risk` at risk."""
    if not sets.entered.any():
        return 0
    supported = np.flatnonzero(sets.at_risk >= least_at_risk)
    if not len(supported):
        return None
    # Patients who enter on day s are at risk from s + 1 on, which need not be a day of the table.
    reached = int(supported[0])
    return int(sets.days[reached - 1]) + 1 if reached else 0


def whole_days(days: ArrayLike) -> Ints:
    """Return days as an array of integers, or refuse them."""
    given = np.atleast_1d(np.asarray(days))
    whole: NDArray[np.int64] = np.zeros(given.shape, dtype=np.int64)
    if given.size:
        if not np.all(np.isfinite(given)) or np.any(given < 0) or np.any(given != np.floor(given)):
            raise StatisticsError("days must be whole and not negative")
        whole = given.astype(np.int64)
    return whole


class Labelled(Protocol):
    """What has named groups and causes: an event table, or levels side by side."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""

    @property
    def causes(self) -> tuple[str, ...]:
        """Names of the causes."""


def group_position(table: Labelled, group: str | int) -> int:
    """Return the position of a group given by label or position, or refuse it."""
    if isinstance(group, str):
        if group not in table.groups:
            raise StatisticsError(f"there is no group {group!r}")
        return table.groups.index(group)
    if not 0 <= group < len(table.groups):
        raise StatisticsError(f"there is no group number {group}")
    return int(group)


def cause_position(table: Labelled, cause: str | int) -> int:
    """Return the position of a cause given by name or position, or refuse it."""
    if isinstance(cause, str):
        if cause not in table.causes:
            raise StatisticsError(f"there is no event cause {cause!r}")
        return table.causes.index(cause)
    if not 0 <= cause < len(table.causes):
        raise StatisticsError(f"there is no event cause number {cause}")
    return int(cause)


def _before(counts: Ints) -> Ints:
    total: Ints = np.cumsum(counts, axis=0)
    return total - counts


def add_causes(events: Ints) -> Ints:
    """Return the sum over the last axis, which is too short for NumPy's own sum to be quick."""
    total = np.zeros(events.shape[:-1], dtype=np.int64)
    for cause in range(events.shape[-1]):
        total += events[..., cause]
    return total


def number_keys(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """The keys that occur, in order, and for each key given its place among them; keys are below `size`."""
    if size > LARGEST_LOOKUP + 4 * len(keys):
        found, place = np.unique(keys, return_inverse=True)
        return found, place
    # Strata times days are not many, and a table of all of them is quicker than sorting.
    occurs = np.zeros(size, dtype=bool)
    occurs[keys] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[keys]


def _first_of_runs(key: Ints) -> Ints:
    if not len(key):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))


def _check_counts(at_start: int, at_risk: Ints, left: Ints) -> None:
    if at_start < 0 or bool((at_risk < left).any()):
        raise StatisticsError("more patients leave on a day than are under observation",
                              remedy="check that everybody enters once and before the last day of follow-up")
