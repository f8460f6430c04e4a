"""A number of patients that remembers which patients it counts, without telling who they are.

Rounding hangs on the key: the same set of patients is rounded the same way however a question reaches it, so asking
again in other words averages nothing out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from harmony_dash.stats.keyed_counts import KeyedCounts

_KEYS = 1 << 64
_NO_SET = "a keyed count needs a number that is not negative and a key of 64 bits"


class KeyedCount(int):
    """A number of patients and the key of exactly these patients.

    It counts, compares, hashes and prints as the number alone. Whatever is computed from it is a plain number: a
    difference or a rounded count belongs to no known set of patients, and without a key it cannot be released by
    mistake. For the one sum that does have a key, see `union`.

    Parameters
    ----------
    n : number of patients.
    key : XOR of their record keys, an unsigned integer of 64 bits; 0 for nobody.
    """

    _key: int

    def __new__(cls, n: int, key: int) -> Self:
        """Refuse what no set of patients has."""
        count = super().__new__(cls, n)
        key_ = int(key)
        if count < 0 or not 0 <= key_ < _KEYS:
            raise ValueError(_NO_SET)
        object.__setattr__(count, "_key", key_)
        return count

    @property
    def key(self) -> int:
        """The XOR of the record keys of the patients counted; never shown, drawn or logged."""
        return self._key

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a keyed count does not change")

    def __reduce__(self) -> tuple[type[Self], tuple[int, int]]:
        return type(self), (int(self), self._key)


NOBODY = KeyedCount(0, 0)


def union(counts: Iterable[KeyedCount]) -> KeyedCount:
    """Patients of disjoint sets together; of sets that overlap both number and key would be wrong."""
    n, key = 0, 0
    for count in counts:
        n += int(count)
        key ^= count.key
    return KeyedCount(n, key)


def keyed(counts: KeyedCounts) -> tuple[KeyedCount, ...]:
    """The counts of a statistic one by one, in the order of its array.

    Raises
    ------
    ValueError for a negative count, or keys that are not of 64 bits.
    """
    if counts.keys.dtype != np.uint64 or (counts.n < 0).any():
        raise ValueError(_NO_SET)
    found = []
    # What `KeyedCount` refuses is refused above for all at once: a curve has hundreds of them, a table thousands.
    make, put = int.__new__, object.__setattr__
    for n, key in zip(counts.n.ravel().tolist(), counts.keys.ravel().tolist(), strict=True):
        count = make(KeyedCount, n)
        put(count, "_key", key)
        found.append(count)
    return tuple(found)
