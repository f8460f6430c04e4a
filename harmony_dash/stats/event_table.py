"""The event table: per group, stratum and whole day, how many had each event, were censored, or entered late.

It is sufficient for every non-parametric statistic of this package, it adds up over disjoint sets of patients, and its
size is bounded by groups × strata × days, not by patients. It is row data in another form: at daily resolution most
cells hold one patient, so it never leaves the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harmony_dash.errors import StatisticsError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]

# Group, stratum and day are sorted as one 64-bit number where they fit.
_LARGEST_PACKED: Final = 2**62


@dataclass(frozen=True)
class EventKeys:
    """For each count of an event table, the XOR of the record keys of exactly the patients it counts.

    Attributes
    ----------
    censored, entries : shape (rows,); 0 where nobody is counted.
    events : shape (rows, causes).
    """

    censored: Keys
    events: Keys
    entries: Keys

    def __getitem__(self, rows: Any) -> EventKeys:
        """The keys of some of the rows."""
        return EventKeys(self.censored[rows], self.events[rows], self.entries[rows])

    def __add__(self, other: EventKeys) -> EventKeys:
        """The rows of both, one after the other."""
        return EventKeys(*(np.concatenate([getattr(self, name), getattr(other, name)])
                           for name in ("censored", "events", "entries")))


@dataclass(frozen=True)
class EventTable:
    """Counts per (group, stratum, day), sorted by that key, each key once.

    Attributes
    ----------
    groups, strata : labels; a row's `group` and `stratum` are indices into them. An empty group has no rows.
    causes : names of the event causes; cause 0 of `events` is the event of interest.
    group, stratum, day : shape (rows,); days are whole and counted from time zero, never negative.
    censored : shape (rows,); patients whose follow-up ends that day without an event.
    events : shape (rows, causes); patients with each cause that day. Events come before censorings on a day.
    entries : shape (rows,); patients who come under observation after that day (0 everywhere without late entry).
    keys : which patients each count is made of, for disclosure control; None where that is not known. A table counted
        by hand or made from another one by a method that does not follow the patients has none.
    """

    groups: tuple[str, ...]
    strata: tuple[str, ...]
    causes: tuple[str, ...]
    group: Ints
    stratum: Ints
    day: Ints
    censored: Ints
    events: Ints
    entries: Ints
    keys: EventKeys | None = None

    @classmethod
    def from_counts(cls, groups: Sequence[str], strata: Sequence[str], causes: Sequence[str], group: ArrayLike,
                    stratum: ArrayLike, day: ArrayLike, censored: ArrayLike, events: ArrayLike,
                    entries: ArrayLike | None = None, *, keys: EventKeys | None = None) -> EventTable:
        """Sort, join rows of the same group, stratum and day, and check.

        Raises
        ------
        StatisticsError on negative counts or days, on an index outside its labels, or on a label given twice.
        """
        for kind, labels in (("group", groups), ("stratum", strata), ("cause", causes)):
            if len(set(labels)) < len(labels):
                raise StatisticsError(f"an event table names a {kind} twice")
        key = [np.asarray(part, dtype=np.int64) for part in (group, stratum, day)]
        rows = len(key[0])
        left = np.asarray(censored, dtype=np.int64)
        events_ = np.asarray(events, dtype=np.int64).reshape(rows, len(causes))
        entries_ = np.zeros(rows, dtype=np.int64) if entries is None else np.asarray(entries, dtype=np.int64)
        values = np.column_stack([left, events_, entries_]) if rows else np.zeros((0, len(causes) + 2), dtype=np.int64)
        if rows and (values.min() < 0 or key[2].min() < 0):
            raise StatisticsError("an event table holds a negative count or day")
        if rows and (min(key[0].min(), key[1].min()) < 0 or key[0].max() >= len(groups)
                     or key[1].max() >= len(strata)):
            raise StatisticsError("an event table names a group or stratum it does not have")
        order = _sort(key, len(strata))
        sorted_key = [part[order] for part in key]
        values = values[order]
        keys = None if keys is None else keys[order]
        if rows:
            new = np.ones(rows, dtype=bool)
            new[1:] = np.any([part[1:] != part[:-1] for part in sorted_key], axis=0)
            starts = np.flatnonzero(new)
            values = np.add.reduceat(values, starts, axis=0)
            sorted_key = [part[starts] for part in sorted_key]
            # Rows that are joined count disjoint sets of patients.
            if keys is not None and len(starts) < rows:
                keys = EventKeys(*(np.bitwise_xor.reduceat(part, starts, axis=0)
                                   for part in (keys.censored, keys.events, keys.entries)))
        return cls(tuple(groups), tuple(strata), tuple(causes), sorted_key[0], sorted_key[1], sorted_key[2],
                   values[:, 0], values[:, 1:-1], values[:, -1], keys)

    @classmethod
    def from_patients(cls, day: ArrayLike, cause: ArrayLike, *, group: ArrayLike | None = None,
                      stratum: ArrayLike | None = None, entry: ArrayLike | None = None,
                      groups: Sequence[str] | None = None, strata: Sequence[str] | None = None,
                      causes: Sequence[str] = ("event",), record_keys: ArrayLike | None = None) -> EventTable:
        """Count patients given one by one; for tests and for the few methods that need rows.

        Parameters
        ----------
        day, cause : shape (n,); whole days, and 0 for censored or 1, 2, … for a cause.
        group, stratum : shape (n,) of labels; one group and one stratum when left out.
        entry : shape (n,) of entry days; nobody enters late when left out. Entry must be before exit.
        groups, strata, causes : label order; sorted labels by default.
        record_keys : shape (n,) of unsigned 64-bit integers; the table has no keys when left out.
        """
        days, cause_ = np.asarray(day, dtype=np.int64), np.asarray(cause, dtype=np.int64)
        n = len(days)
        if n and (cause_.min() < 0 or cause_.max() > len(causes)):
            raise StatisticsError(f"a cause is not one of 0 to {len(causes)}")
        group_ = np.zeros(n, dtype=object) if group is None else np.asarray(group, dtype=object)
        stratum_ = np.zeros(n, dtype=object) if stratum is None else np.asarray(stratum, dtype=object)
        group_labels = [str(g) for g in groups] if groups is not None else sorted({str(g) for g in group_})
        stratum_labels = [str(s) for s in strata] if strata is not None else sorted({str(s) for s in stratum_})
        g = np.array([group_labels.index(str(x)) for x in group_], dtype=np.int64)
        s = np.array([stratum_labels.index(str(x)) for x in stratum_], dtype=np.int64)
        events = (cause_[:, None] == np.arange(1, len(causes) + 1)).astype(np.int64)
        records = None if record_keys is None else np.asarray(record_keys, dtype=np.uint64)
        nobody = np.zeros(n, dtype=np.uint64)
        keys = None if records is None else EventKeys(
            np.where(cause_ == 0, records, nobody), records[:, None] * events.astype(np.uint64), nobody)
        table = cls.from_counts(group_labels, stratum_labels, causes, g, s, days, cause_ == 0, events, keys=keys)
        if entry is None:
            return table
        entry_ = np.asarray(entry, dtype=np.int64)
        if n and bool((entry_ >= days).any()):
            raise StatisticsError("a patient enters on or after the last day of follow-up")
        late_keys = None if records is None else EventKeys(
            nobody, np.zeros(events.shape, dtype=np.uint64), records)
        late = cls.from_counts(group_labels, stratum_labels, causes, g, s, entry_, np.zeros(n), np.zeros_like(events),
                               np.ones(n), keys=late_keys)
        return table + late

    def __add__(self, other: EventTable) -> EventTable:
        """The table of the union of two disjoint sets of patients with the same labels."""
        if (self.groups, self.strata, self.causes) != (other.groups, other.strata, other.causes):
            raise StatisticsError("two event tables with different labels cannot be added")
        return EventTable.from_counts(
            self.groups, self.strata, self.causes,
            *(np.concatenate([getattr(self, name), getattr(other, name)])
              for name in ("group", "stratum", "day", "censored", "events", "entries")),
            keys=None if self.keys is None or other.keys is None else self.keys + other.keys)

    @property
    def has_late_entry(self) -> bool:
        """Whether anybody comes under observation after day 0 of the table."""
        return bool(self.entries.any())

    @property
    def patients(self) -> Ints:
        """Shape (groups,): patients in each group."""
        return np.asarray(_sum_by_group(self, self.censored) + self.event_counts.sum(axis=1))

    @property
    def event_counts(self) -> Ints:
        """Shape (groups, causes): events of each cause in each group."""
        counts = np.zeros((len(self.groups), len(self.causes)), dtype=np.int64)
        for cause in range(len(self.causes)):
            counts[:, cause] = _sum_by_group(self, self.events[:, cause])
        return counts

    def select_groups(self, labels: Sequence[str]) -> EventTable:
        """The table of some of the groups, in the order given."""
        if tuple(labels) == self.groups:
            return self
        index = {label: position for position, label in enumerate(labels)}
        position = np.array([index.get(label, -1) for label in self.groups] or [-1], dtype=np.int64)
        keep = position[self.group] >= 0 if len(self.group) else np.zeros(0, dtype=bool)
        keys = None if self.keys is None else self.keys[keep]
        chosen = position[position >= 0]
        if len(chosen) == len(index) and bool((np.diff(chosen) > 0).all()):  # the order stands, so nothing is sorted
            return EventTable(tuple(labels), self.strata, self.causes, position[self.group[keep]], self.stratum[keep],
                              self.day[keep], self.censored[keep], self.events[keep], self.entries[keep], keys)
        return EventTable.from_counts(tuple(labels), self.strata, self.causes, position[self.group[keep]],
                                      self.stratum[keep], self.day[keep], self.censored[keep], self.events[keep],
                                      self.entries[keep], keys=keys)

    def pool_strata(self) -> EventTable:
        """The same patients as one stratum."""
        return EventTable.from_counts(self.groups, ("all",), self.causes, self.group, np.zeros_like(self.stratum),
                                      self.day, self.censored, self.events, self.entries, keys=self.keys)

    def pool_groups(self, label: str = "all") -> EventTable:
        """The same patients as one group."""
        return EventTable.from_counts((label,), self.strata, self.causes, np.zeros_like(self.group), self.stratum,
                                      self.day, self.censored, self.events, self.entries, keys=self.keys)


def _sort(key: Sequence[Ints], strata: int) -> NDArray[np.intp]:
    """The order of rows by group, stratum and day; rows of one key may stand in any order."""
    if not len(key[0]):
        return np.zeros(0, dtype=np.intp)
    span = int(key[2].max()) + 1
    if (int(key[0].max()) + 1) * strata * span >= _LARGEST_PACKED:
        return np.lexsort((key[2], key[1], key[0]))
    return np.argsort((key[0] * strata + key[1]) * span + key[2])  # one number sorts faster than three


def _sum_by_group(table: EventTable, counts: Ints) -> Ints:
    # Weights are summed as floats, which is exact below 2^53 patients.
    return np.bincount(table.group, weights=counts, minlength=len(table.groups)).astype(np.int64)
