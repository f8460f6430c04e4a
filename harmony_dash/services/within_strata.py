"""What of a stratified comparison may leave protected: nothing that rests on a few patients beside another level.

Thresholds on a whole level do not see how many of its patients stand beside another level inside a stratum. If one
does, a hazard ratio or a test is that one patient, and whether there is one at all tells whether he died. So a level
takes no part in a stratum where it has fewer than k patients, nobody being a small number too, and two levels are
compared only where both have enough events in the strata that they share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from harmony_dash.disclosure import Scope
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.level_grid import LevelGrid

Counted = TypeVar("Counted", EventTable, LevelGrid, EventTable | LevelGrid)


def drop_small_cells(table: Counted, scope: Scope) -> Counted:
    """The table without levels of fewer than k patients in a stratum, there, and without strata of fewer than two.

    The same table where results do not leave protected, or without strata.
    """
    if not _has_to_be_cut(table, scope):
        return table
    kept = _count_cells(table)[0] >= scope.rules.minimum_cell
    kept &= (kept.sum(axis=1) > 1)[:, None]
    if isinstance(table, EventTable):
        rows = kept[table.stratum, table.group]
        return EventTable(table.groups, table.strata, table.causes, table.group[rows], table.stratum[rows],
                          table.day[rows], table.censored[rows], table.events[rows], table.entries[rows],
                          None if table.keys is None else table.keys[rows])
    here = kept[table.stratum]
    return replace(table, censored=table.censored * here, events=table.events * here, entries=table.entries * here)


def link_levels(table: EventTable | LevelGrid, scope: Scope) -> tuple[tuple[str, ...], ...]:
    """The levels that may be compared with one another, straight or through others; the largest set first.

    Two levels are linked if each has enough events of interest in the strata in which both have patients. All are where
    results do not leave protected, or without strata, because thresholds on whole levels say as much.

    Parameters
    ----------
    table : as `drop_small_cells` leaves it.
    """
    if not _has_to_be_cut(table, scope):
        return (table.groups,)
    patients, events = _count_cells(table)
    here = (patients > 0).astype(np.int64)
    beside = events.T @ here  # of the level of the row, in the strata of the level of the column
    linked: NDArray[np.bool_] = np.minimum(beside, beside.T) >= scope.rules.minimum_events
    _, of = connected_components(linked, directed=False)
    sets: dict[int, list[str]] = {}
    for label, number in zip(table.groups, of.tolist(), strict=True):
        sets.setdefault(number, []).append(label)
    return tuple(sorted(map(tuple, sets.values()), key=len, reverse=True))


def _has_to_be_cut(table: EventTable | LevelGrid, scope: Scope) -> bool:
    return scope.is_protected and len(table.strata) > 1


def _count_cells(table: EventTable | LevelGrid) -> tuple[Ints, Ints]:
    """Shape (strata, groups): patients, and those with the event of interest."""
    patients, events = np.zeros((2, len(table.strata), len(table.groups)), dtype=np.int64)
    if isinstance(table, EventTable):
        cell = (table.stratum, table.group)
        np.add.at(patients, cell, table.censored + table.events.sum(axis=1))
        np.add.at(events, cell, table.events[:, 0])
    else:
        np.add.at(patients, table.stratum, table.censored + table.events.sum(axis=0))
        np.add.at(events, table.stratum, table.events[0])
    return patients, events
