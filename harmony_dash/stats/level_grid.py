"""Levels of a variable side by side: an event table in which every level has a place on every day of every stratum.

It holds what an event table holds, is as big as levels × strata × days, and is not sorted before levels are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.risk_sets import RiskGrid, add_causes, count_at_risk, number_keys


@dataclass(frozen=True)
class LevelGrid:
    """Counts per stratum, day and level.

    Attributes
    ----------
    groups, strata, causes : labels, as in `EventTable`.
    stratum, day : shape (rows,); sorted by this key, each key once.
    censored, entries : shape (rows, groups).
    events : shape (causes, rows, groups); cause 0 is the event of interest.
    """

    groups: tuple[str, ...]
    strata: tuple[str, ...]
    causes: tuple[str, ...]
    stratum: Ints
    day: Ints
    censored: Ints
    events: Ints
    entries: Ints

    @cached_property
    def patients(self) -> Ints:
        """Shape (groups,): patients in each level."""
        return np.asarray(self.censored.sum(axis=0) + self.event_counts.sum(axis=1))

    @cached_property
    def event_counts(self) -> Ints:
        """Shape (groups, causes): events of each cause in each level."""
        return np.asarray(self.events.sum(axis=1).T)

    def select_groups(self, labels: Sequence[str]) -> LevelGrid:
        """The grid of some of the levels, in the order given."""
        if tuple(labels) == self.groups:
            return self
        places = [self.groups.index(label) for label in labels]
        return LevelGrid(tuple(labels), self.strata, self.causes, self.stratum, self.day, self.censored[:, places],
                         self.events[:, :, places], self.entries[:, places])

    def count_at_risk(self) -> RiskGrid:
        """Who is at risk in every level on each day of each stratum; see `count_risk_grid`.

        Raises
        ------
        StatisticsError if more patients leave than are under observation.
        """
        events = np.moveaxis(self.events, 0, -1)
        return count_at_risk(self.stratum, self.day, events, add_causes(events) + self.censored, self.entries)

    def to_table(self) -> EventTable:
        """The event table, without keys."""
        return self._table(self.strata, self.stratum, self.day, [self.censored, self.entries, *self.events])

    def pool_strata(self) -> EventTable:
        """The event table of the same patients as one stratum, without keys."""
        days, place = number_keys(self.day, int(self.day.max(initial=0)) + 1)
        rows = np.arange(len(self.day))
        to_days = csr_array((np.ones(len(rows), dtype=np.int64), (place, rows)), shape=(len(days), len(rows)))
        return self._table(("all",), np.zeros(len(days), dtype=np.int64), days,
                           [to_days @ part for part in (self.censored, self.entries, *self.events)])

    def _table(self, strata: tuple[str, ...], stratum: Ints, day: Ints, counts: Sequence[Ints]) -> EventTable:
        """The rows with patients, level by level, so that they stand in order."""
        filled = np.any([part > 0 for part in counts], axis=0)
        group, row = np.nonzero(filled.T)
        censored, entries, *events = (part[row, group] for part in counts)
        return EventTable(self.groups, strata, self.causes, group, stratum[row], day[row], censored,
                          np.column_stack(events), entries)


def join_levels(grids: Sequence[LevelGrid]) -> LevelGrid:
    """The levels of several grids of the same strata and causes side by side.

    Raises
    ------
    StatisticsError if there is no grid, strata or causes differ, or a level is in two of them.
    """
    if not grids:
        raise StatisticsError("there is no grid to join")
    first = grids[0]
    if len(grids) == 1:
        return first
    if any((grid.strata, grid.causes) != (first.strata, first.causes) for grid in grids):
        raise StatisticsError("grids of different strata or causes cannot be joined")
    span = 1 + max(int(grid.day.max(initial=0)) for grid in grids)
    places, found = number_keys(np.concatenate([grid.stratum * span + grid.day for grid in grids]),
                                len(first.strata) * span)
    starts = np.cumsum([0, *(len(grid.day) for grid in grids)])
    groups = [label for grid in grids for label in grid.groups]
    columns = np.cumsum([0, *(len(grid.groups) for grid in grids)])
    censored, entries = (np.zeros((len(places), len(groups)), dtype=np.int64) for _ in range(2))
    events = np.zeros((len(first.causes), len(places), len(groups)), dtype=np.int64)
    for grid, start, column in zip(grids, starts.tolist(), columns.tolist(), strict=False):
        rows = found[start:start + len(grid.day)]
        here = slice(column, column + len(grid.groups))
        censored[rows, here], entries[rows, here] = grid.censored, grid.entries
        events[:, rows, here] = grid.events
    return grid_from_counts(groups, first.strata, first.causes, places // span, places % span, censored, events,
                            entries)


def grid_from_counts(groups: Sequence[str], strata: Sequence[str], causes: Sequence[str], stratum: Ints, day: Ints,
                     censored: Ints, events: Ints, entries: Ints) -> LevelGrid:
    """A grid of counts, checked.

    Raises
    ------
    StatisticsError for labels given twice, shapes that do not fit, or keys that do not ascend.
    """
    if len(set(groups)) < len(groups) or len(set(strata)) < len(strata):
        raise StatisticsError("a grid of levels names a level or a stratum twice")
    shape = (len(day), len(groups))
    if censored.shape != shape or entries.shape != shape or events.shape != (len(causes), *shape):
        raise StatisticsError("the counts of a grid do not fit its levels and days")
    if len(day) and bool((np.diff(stratum * (int(day.max()) + 1) + day) <= 0).any()):
        raise StatisticsError("the days of a grid do not ascend within their strata")
    return LevelGrid(tuple(groups), tuple(strata), tuple(causes), stratum, day, censored, events, entries)
