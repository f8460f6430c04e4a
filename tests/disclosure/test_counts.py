"""Rounded counts over many sets of patients: unbiased, and off by as much as they say."""

from __future__ import annotations

import numpy as np

from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.rounding import round_count
from tests.disclosure.answers import make_keys

SETS = 10_000


def test_ten_thousand_random_sets_are_rounded_without_bias() -> None:
    rng = np.random.default_rng(20261121)
    keys, scope = make_keys(5_000, rng), Scope(Level.PROTECTED)
    errors = []
    for size in rng.integers(10, 3000, SETS):
        members = keys[rng.integers(0, len(keys) - size):][:size]
        errors.append(round_count(KeyedCount(int(size), int(np.bitwise_xor.reduce(members))), scope) - int(size))
    assert abs(np.mean(errors)) < 0.05
    assert 1.9 <= np.std(errors) <= 2.1
    assert np.abs(errors).max() == 4
