"""The keys of the patients behind the numbers of an event table: of a group, of those at risk, of those who left.

Every patient has a record key of 64 bits, and the key of a set of patients is the XOR of theirs. As counts of disjoint
sets add up, so do their keys under XOR; and as a set taken from another leaves the difference of the counts, it leaves
the XOR of the keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.stats.event_table import EventKeys, EventTable, Ints, Keys
from harmony_dash.stats.risk_sets import count_risk_sets, group_position, read_risk_counts


@dataclass(frozen=True)
class KeyedCounts:
    """Numbers of patients, and for each the XOR of the record keys of exactly these patients.

    Attributes
    ----------
    n, keys : arrays of the same shape.
    """

    n: Ints
    keys: Keys

    def __getitem__(self, item: Any) -> KeyedCounts:
        """Some of the counts, indexed as an array is."""
        return KeyedCounts(np.asarray(self.n[item]), np.asarray(self.keys[item]))

    def union(self) -> KeyedCounts:
        """Counts and keys pooled over the last axis, whose sets of patients must be disjoint (causes are)."""
        return KeyedCounts(np.asarray(self.n.sum(axis=-1)), np.bitwise_xor.reduce(self.keys, axis=-1))


@dataclass(frozen=True)
class KeyedRiskCounts:
    """The numbers under a curve at chosen days, with their keys.

    Attributes
    ----------
    days : shape (m,).
    at_risk, censored : shape (m,); at risk means T >= day and under observation, `censored` counts up to and including
        the day.
    events : shape (m, causes); up to and including the day. `events.union()` is events of every cause.
    """

    days: Ints
    at_risk: KeyedCounts
    events: KeyedCounts
    censored: KeyedCounts


def count_keyed_patients(table: EventTable) -> KeyedCounts:
    """Patients of each group, shape (groups,); see `EventTable.patients`.

    Raises
    ------
    ValueError for a table without keys.
    """
    keys = _keys_of(table)
    return KeyedCounts(table.patients, _by_group(table, keys.censored ^ np.bitwise_xor.reduce(keys.events, axis=1)))


def count_keyed_events(table: EventTable) -> KeyedCounts:
    """Patients of each group with each cause, shape (groups, causes); see `EventTable.event_counts`.

    Raises
    ------
    ValueError for a table without keys.
    """
    keys = _keys_of(table)
    return KeyedCounts(table.event_counts, _by_group(table, keys.events))


def read_keyed_counts(table: EventTable, group: str | int | None, days: ArrayLike) -> KeyedRiskCounts:
    """Read the numbers at risk, with an event and censored at chosen days, with their keys.

    Assumes
        As `count_risk_sets`: everybody is under observation from day 0 unless the table counts an entry for them, and
        from the day after it then.

    Formula
        K(t) = K_all ^ K_entries ^ XOR_{s<t} entries(s) ^ XOR_{s<t} left(s): the keys of those under observation from
        the start, of those who came by t and of those who left before t.

    Parameters
    ----------
    table : event table with keys.
    group : label or position of a group, None for all groups together.
    days : shape (m,); whole days, in any order, not necessarily days of the table.

    Returns
    -------
    KeyedRiskCounts, with the numbers of `read_risk_counts`.

    Raises
    ------
    ValueError for a table without keys; StatisticsError as `count_risk_sets` and `read_risk_counts`.
    """
    keys = _keys_of(table)
    counts = read_risk_counts(count_risk_sets(table, group), days)
    rows = slice(0, len(table.day))
    if group is not None:
        position = group_position(table, group)
        rows = slice(*(int(edge) for edge in np.searchsorted(table.group, [position, position + 1])))
    order = np.argsort(table.day[rows], kind="stable")
    day = table.day[rows][order]
    events, censored = _so_far(keys.events[rows][order]), _so_far(keys.censored[rows][order])
    entered = _so_far(keys.entries[rows][order])
    left = censored ^ np.bitwise_xor.reduce(events, axis=1)
    before, until = np.searchsorted(day, counts.days, side="left"), np.searchsorted(day, counts.days, side="right")
    at_risk = left[-1] ^ entered[-1] ^ entered[before] ^ left[before]
    return KeyedRiskCounts(counts.days, KeyedCounts(counts.at_risk, at_risk), KeyedCounts(counts.events, events[until]),
                           KeyedCounts(counts.censored, censored[until]))


def _keys_of(table: EventTable) -> EventKeys:
    if table.keys is None:
        raise ValueError("this event table carries no record keys")
    return table.keys


def _by_group(table: EventTable, keys: Keys) -> Keys:
    """The XOR over the rows of each group; rows stand group by group."""
    total = _so_far(keys)
    edges = np.searchsorted(table.group, np.arange(len(table.groups) + 1))
    return np.asarray(total[edges[1:]] ^ total[edges[:-1]])


def _so_far(keys: Keys) -> Keys:
    """The XOR of the first 0, 1, 2, … rows."""
    return np.concatenate([np.zeros((1, *keys.shape[1:]), dtype=np.uint64), np.bitwise_xor.accumulate(keys, axis=0)])
