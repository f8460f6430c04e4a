"""Sets of patients as bitmaps, one bit a patient, to find those that are nearly the same.

A bitmap is as good as the patients themselves: it stays on the server, and no more may be told of two of them than
that they differ by few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.question import Question
from harmony_dash.store.conditions import Statement
from harmony_dash.store.event_tables import figure_conditions
from harmony_dash.store.reader import Snapshot, as_integers

Bitmaps: TypeAlias = NDArray[np.uint64]

_WORD: Final = 64
# Enough columns that the patients are read seldom, and few enough that their values fit into memory.
_MOST_COLUMNS: Final = 100
_MOST_VALUES: Final = 50_000_000
# Every so many words are compared first: sets that differ by many nearly always differ by enough in a few of them.
_SAMPLED: Final = 16


@dataclass(frozen=True)
class PatientSet:
    """The patients a question is about.

    Attributes
    ----------
    question : as it is applied.
    figure : whether only those with a place in the figure are meant, or the whole cohort.
    group : the value of the question's grouping that they have; empty for all.
    """

    question: Question
    figure: bool = False
    group: str = ""


def fetch_bitmaps(snapshot: Snapshot, sets: Sequence[PatientSet]) -> Bitmaps:
    """One row a set, one bit a patient of the snapshot; the same bit stands for the same patient in every row.

    Returns
    -------
    Bitmaps, shape (sets, words of 64 patients).
    """
    columns = list(dict.fromkeys((one.question, one.figure, bool(one.group)) for one in sets))
    places: dict[tuple[Question, bool, bool], list[int]] = {column: [] for column in columns}
    for number, one in enumerate(sets):
        places[one.question, one.figure, bool(one.group)].append(number)
    bitmaps = np.zeros((len(sets), -(-snapshot.patients // _WORD)), dtype=np.uint64)
    step = max(1, min(_MOST_COLUMNS, _MOST_VALUES // max(snapshot.patients, 1)))
    for start in range(0, len(columns), step):
        batch = columns[start : start + step]
        for column, codes in zip(batch, _fetch_codes(snapshot, batch), strict=True):
            names = snapshot.values_of(snapshot.dictionary[column[0].by]) if column[2] and column[0].by else ()
            for number in places[column]:
                code = names.index(sets[number].group) if sets[number].group else 0
                packed = np.packbits(codes == code)
                bitmaps[number].view(np.uint8)[: len(packed)] = packed
    return bitmaps


def count_patients(bitmaps: Bitmaps) -> NDArray[np.int64]:
    """How many patients each set has."""
    counts: NDArray[np.int64] = np.bitwise_count(bitmaps).sum(axis=1, dtype=np.int64)
    return counts


def find_close_pairs(bitmaps: Bitmaps, limits: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The pairs of sets that differ by at least one patient and by fewer than a limit.

    Two sets differ by at least as many patients as their sizes do, so most pairs need no look at their bits.

    Parameters
    ----------
    bitmaps : shape (sets, words).
    limits : shape (sets,); of the two limits of a pair the larger one counts.

    Returns
    -------
    Numbers of rows, the smaller one first, sorted.
    """
    if len(bitmaps) < 2:
        return []
    sizes = count_patients(bitmaps)
    order = np.argsort(sizes, kind="stable")
    sizes, limits, bitmaps = sizes[order], limits[order], bitmaps[order]
    sample = np.ascontiguousarray(bitmaps[:, ::_SAMPLED])
    most = int(limits.max())
    ends = np.searchsorted(sizes, sizes + most, side="left")
    pairs = []
    for place, end in enumerate(ends):
        others = np.arange(place + 1, end)
        others = others[_distances(sample[place], sample[place + 1 : end]) < most]
        apart = _distances(bitmaps[place], bitmaps[others])
        near = (apart > 0) & (apart < np.maximum(limits[place], limits[others]))
        pairs += [(int(order[place]), int(order[other])) for other in others[near]]
    return sorted((min(pair), max(pair)) for pair in pairs)


def _distances(one: Bitmaps, others: Bitmaps) -> NDArray[np.int64]:
    """By how many patients each of the other sets differs from the one."""
    return count_patients(others ^ one)


def _fetch_codes(snapshot: Snapshot, columns: Sequence[tuple[Question, bool, bool]]) -> list[NDArray[Any]]:
    """For each column, the number of every patient's group, 0 where groups do not count, -1 for nobody of the set."""
    parameters: dict[str, Any] = {}
    terms = []
    for number, (question, figure, grouped) in enumerate(columns):
        statement = Statement(question, snapshot.dictionary, parameters)
        conditions = [statement.cohort()]
        if figure:
            conditions += figure_conditions(statement, late_entry=snapshot.late_entry)
        group = f"coalesce(enum_code({statement.column(question.by)})::SMALLINT, -1)" if grouped and question.by else "0"
        terms.append(f"CASE WHEN {' AND '.join(conditions)} THEN {group} ELSE -1 END::SMALLINT AS set_{number}")
    found = snapshot.fetch_columns(f"SELECT rowid AS place, {', '.join(terms)} FROM patient", parameters)
    # The engine need not give rows in their order.
    back = np.argsort(as_integers(found["place"]), kind="stable")
    return [np.ma.getdata(found[f"set_{number}"])[back] for number in range(len(columns))]
