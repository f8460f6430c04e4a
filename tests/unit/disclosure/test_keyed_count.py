"""A keyed count is a number with a key; whatever is computed from it is a number without."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed, union
from harmony_dash.stats.keyed_counts import KeyedCounts

FIVE = KeyedCount(5, 2**64 - 1)


@dataclass(frozen=True)
class Holder:
    n: int


def test_it_counts_compares_and_hashes_as_its_number() -> None:
    assert FIVE == 5 and FIVE < 6 and hash(FIVE) == hash(5) and {5: "x"}[FIVE] == "x"
    assert KeyedCount(5, 1) == FIVE


@pytest.mark.parametrize("text", [repr(FIVE), str(FIVE), f"{FIVE}", f"{FIVE:,}", json.dumps(FIVE), f"{Holder(FIVE)}"])
def test_no_text_of_it_holds_the_key(text: str) -> None:
    assert str(FIVE.key) not in text
    assert "5" in text


@pytest.mark.parametrize("derived", [
    FIVE + 0, 0 + FIVE, FIVE - NOBODY, FIVE * 1, FIVE // 1, -FIVE, +FIVE, abs(FIVE), int(FIVE), round(FIVE), FIVE.real,
    sum([FIVE]), FIVE ^ 0, FIVE | 0, FIVE.numerator])
def test_what_is_computed_from_it_is_a_plain_number(derived: int) -> None:
    assert type(derived) is int


@pytest.mark.parametrize("same", [
    pickle.loads(pickle.dumps(FIVE)), copy.copy(FIVE), copy.deepcopy(FIVE), replace(Holder(0), n=FIVE).n,
    asdict(Holder(FIVE))["n"], max(FIVE, NOBODY)])
def test_a_copy_keeps_the_key(same: object) -> None:
    assert isinstance(same, KeyedCount)
    assert (same, same.key) == (5, FIVE.key)


def test_an_array_of_it_holds_numbers() -> None:
    assert np.array([FIVE, NOBODY]).tolist() == [5, 0]


def test_it_does_not_change() -> None:
    with pytest.raises(AttributeError):
        FIVE._key = 1
    with pytest.raises(AttributeError):
        FIVE.key = 1  # type: ignore[misc]


@pytest.mark.parametrize(("n", "key"), [(-1, 0), (1, -1), (1, 2**64)])
def test_what_no_set_of_patients_has_is_refused(n: int, key: int) -> None:
    with pytest.raises(ValueError, match="keyed count"):
        KeyedCount(n, key)


def test_a_key_may_come_from_an_array() -> None:
    assert KeyedCount(1, np.uint64(2**64 - 1)).key == 2**64 - 1  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 2**64 - 1)), max_size=6))
def test_disjoint_sets_pool_in_any_order(parts: list[tuple[int, int]]) -> None:
    counts = [KeyedCount(*part) for part in parts]
    pooled, reverse = union(counts), union(reversed(counts))
    assert (pooled, pooled.key) == (reverse, reverse.key)
    assert pooled == sum(counts)
    assert union([pooled, *counts]).key == 0


def test_the_counts_of_an_array_come_one_by_one() -> None:
    counts = keyed(KeyedCounts(np.array([1, 0]), np.array([2**63, 0], dtype=np.uint64)))
    assert [(n, n.key) for n in counts] == [(1, 2**63), (0, 0)]
    assert keyed(KeyedCounts(np.array(3), np.array(7, dtype=np.uint64)))[0].key == 7


@pytest.mark.parametrize(("n", "keys"), [
    (np.array([3, -1]), np.array([1, 2], dtype=np.uint64)),
    (np.array([3, 1]), np.array([1, -2])),
    (np.array([3, 1]), np.array([1, 2**64], dtype=object)),
])
def test_an_array_of_what_no_set_of_patients_has_is_refused(n: NDArray[Any], keys: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="keyed count"):
        keyed(KeyedCounts(n, keys))
