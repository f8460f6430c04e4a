"""Sets of patients as bitmaps, one bit a patient, to find those that are nearly the same.

A bitmap is as good as the patients themselves: it stays on the server, and no more may be told of two of them than
that they differ by few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import Filter, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.store.columns import as_integers
from harmony_dash.store.conditions import Statement
from harmony_dash.store.event_tables import figure_conditions
from harmony_dash.store.reader import Snapshot

Bitmaps: TypeAlias = NDArray[np.uint64]
_Write: TypeAlias = Callable[[Statement], str]

_WORD: Final = 64
# Enough columns that the patients are read seldom, and few enough that their values fit into memory.
_MOST_COLUMNS: Final = 100
_MOST_VALUES: Final = 50_000_000
# Every so many words are compared first: sets that differ by many nearly always differ by enough in a few of them.
_SAMPLED: Final = 16
# Sets are read this part of the allowed memory at a time, so that their conditions fit into as much again.
_BLOCKS: Final = 16


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


@dataclass(frozen=True)
class _Condition:
    """One thing that a patient meets or does not.

    Attributes
    ----------
    sql, values : as if it stood alone; conditions that agree in both are the same.
    bind : writes it beside others, whose values stand in the parameters already, and adds its own.
    """

    sql: str
    values: tuple[Any, ...]
    bind: Callable[[dict[str, Any]], str] = field(compare=False)


def fetch_bitmaps(snapshot: Snapshot, sets: Sequence[PatientSet]) -> Bitmaps:
    """One row a set, one bit a patient of the snapshot; the same bit stands for the same patient in every row.

    Questions share most of their conditions, so the engine tells each condition apart once, and the sets are put
    together from those.

    Returns
    -------
    Bitmaps, shape (sets, words of 64 patients).
    """
    conditions = [_conditions_of(snapshot, one) for one in sets]
    places = {one: place for place, one in enumerate(dict.fromkeys(one for parts in conditions for one in parts))}
    met = _fetch_conditions(snapshot, list(places))
    bitmaps = np.zeros((len(sets), met.shape[1]), dtype=np.uint64)
    for number, parts in enumerate(conditions):
        np.bitwise_and.reduce(met[[places[one] for one in parts]], axis=0, out=bitmaps[number])
    return bitmaps


class KeptSets:
    """Sets of patients, each once, in no more memory than is allowed.

    Attributes
    ----------
    places : set to the row of its bitmap; equal sets share one. Sets below their minimum have none.
    left_out : the sets for which no memory was left.
    """

    def __init__(self, snapshot: Snapshot, sets: Sequence[PatientSet], minimum: Callable[[PatientSet], int], *,
                 memory: int) -> None:
        words = max(1, -(-snapshot.patients // _WORD))
        # the operating system gives the memory only as rows are written
        self._rows = np.empty((max(1, memory // (8 * words)), words), dtype=np.uint64)
        self._known: dict[bytes, int] = {}
        self.places: dict[PatientSet, int] = {}
        self.left_out: set[PatientSet] = set()
        step = max(1, len(self._rows) // _BLOCKS)
        for start in range(0, len(sets), step):
            block = sets[start : start + step]
            bitmaps = fetch_bitmaps(snapshot, block)
            for one, bitmap, size in zip(block, bitmaps, count_patients(bitmaps).tolist(), strict=True):
                if size >= minimum(one):
                    place = self._keep(bitmap)
                    if place is None:
                        self.left_out.add(one)
                    else:
                        self.places[one] = place

    @property
    def bitmaps(self) -> Bitmaps:
        """Shape (rows, words); a view."""
        return self._rows[: len(self._known)]

    def pool(self, places: Sequence[int]) -> int | None:
        """The row of those who are in any of these rows; None if no memory is left."""
        together = np.zeros_like(self._rows[0])
        for place in places:
            together |= self._rows[place]
        return self._keep(together)

    def _keep(self, bitmap: Bitmaps) -> int | None:
        digest = blake2b(bitmap.tobytes(), digest_size=16).digest()
        if digest not in self._known:
            place = len(self._known)
            if place == len(self._rows):
                return None
            self._rows[place] = bitmap
            self._known[digest] = place
        return self._known[digest]


def count_patients(bitmaps: Bitmaps) -> NDArray[np.int64]:
    """How many patients each set has."""
    counts: NDArray[np.int64] = np.bitwise_count(bitmaps).sum(axis=1, dtype=np.int64)
    return counts


def find_close_pairs(bitmaps: Bitmaps, limits: NDArray[np.int64], *, rows: Sequence[int] | None = None,
                     memory: int = 2**25) -> list[tuple[int, int]]:
    """The pairs of sets that differ by at least one patient and by fewer than a limit.

    Two sets differ by at least as many patients as their sizes do, so most pairs need no look at their bits.

    Parameters
    ----------
    bitmaps : shape (rows, words).
    limits : shape (sets,); of the two limits of a pair the larger one counts.
    rows : the row of each set; None if every row is one.
    memory : about how many bytes of them are compared with one at a time.

    Returns
    -------
    Numbers of sets, the smaller one first, sorted.
    """
    if len(limits) < 2:
        return []
    places = np.arange(len(limits)) if rows is None else np.array(rows, dtype=np.int64)
    block = max(1, memory // (8 * max(1, bitmaps.shape[1])))
    sizes = np.concatenate([count_patients(bitmaps[places[some]]) for some in _blocks_of(0, len(places), block)])
    order = np.argsort(sizes, kind="stable")
    sizes, limits, places = sizes[order], limits[order], places[order]
    sample = bitmaps[:, ::_SAMPLED][places]
    most = int(limits.max())
    ends = np.searchsorted(sizes, sizes + most, side="left")
    pairs = []
    for place, end in enumerate(ends.tolist()):
        one = bitmaps[places[place]]
        for others in _blocks_of(place + 1, end, block):
            others = others[count_patients(sample[others] ^ sample[place]) < most]
            apart = count_patients(bitmaps[places[others]] ^ one)
            near = (apart > 0) & (apart < np.maximum(limits[place], limits[others]))
            pairs += [(int(order[place]), int(order[other])) for other in others[near]]
    return sorted((min(pair), max(pair)) for pair in pairs)


def _blocks_of(start: int, end: int, size: int) -> Iterator[NDArray[np.int64]]:
    return (np.arange(first, min(first + size, end)) for first in range(start, end, size))


def _conditions_of(snapshot: Snapshot, one: PatientSet) -> list[_Condition]:
    """What a patient of the set must meet, each condition by itself."""
    parts: list[_Write] = [Statement.disease, *(_write_filter(item) for item in one.question.where)]
    if one.figure:
        # they bind no values, so that they can be told apart by their words
        texts = figure_conditions(Statement(one.question, snapshot.dictionary), late_entry=snapshot.late_entry)
        parts += [_write_text(text) for text in texts]
    if one.group and one.question.by:
        parts.append(_write_filter(OneOf(one.question.by, (one.group,))))
    return [_condition(snapshot, one.question, part) for part in parts]


def _write_filter(item: Filter) -> _Write:
    return lambda statement: statement.condition(item)


def _write_text(text: str) -> _Write:
    return lambda _: text


def _condition(snapshot: Snapshot, question: Question, write: _Write) -> _Condition:
    alone = Statement(question, snapshot.dictionary)
    sql = write(alone)
    return _Condition(sql, tuple(alone.parameters.values()),
                      lambda parameters: write(Statement(question, snapshot.dictionary, parameters)))


def _fetch_conditions(snapshot: Snapshot, conditions: Sequence[_Condition]) -> Bitmaps:
    """Which patients meet each condition, in the order of their rows in the snapshot."""
    bitmaps = np.zeros((len(conditions), -(-snapshot.patients // _WORD)), dtype=np.uint64)
    step = max(1, min(_MOST_COLUMNS, _MOST_VALUES // max(snapshot.patients, 1)))
    for start in range(0, len(conditions), step):
        batch = conditions[start : start + step]
        parameters: dict[str, Any] = {}
        columns = ", ".join(f"coalesce({one.bind(parameters)}, false) AS met_{number}"
                            for number, one in enumerate(batch))
        found = snapshot.fetch_columns(f"SELECT rowid AS place, {columns} FROM patient", parameters)
        # The engine need not give rows in their order.
        back = np.argsort(as_integers(found["place"]), kind="stable")
        for number in range(len(batch)):
            packed = np.packbits(np.ma.getdata(found[f"met_{number}"])[back])
            bitmaps[start + number].view(np.uint8)[: len(packed)] = packed
    return bitmaps
