"""The key of every number of an event table is the XOR over the patients it counts, by a plain reading of the rows."""

from __future__ import annotations

from functools import reduce
from operator import xor

import numpy as np
import pytest

from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients, read_keyed_counts
from harmony_dash.stats.landmark import from_landmark
from harmony_dash.stats.risk_sets import count_risk_sets, read_risk_counts

RNG = np.random.default_rng(11)
N = 400
DAY = RNG.integers(1, 60, N)
CAUSE = RNG.integers(0, 4, N)
GROUP = RNG.choice(["a", "c"], N)
STRATUM = RNG.choice(["x", "y", "z"], N)
ENTRY = np.where(RNG.random(N) < 0.4, (RNG.random(N) * DAY).astype(int), 0)
RECORDS = RNG.integers(0, 2**64, N, dtype=np.uint64)
GROUPS, CAUSES = ("a", "b", "c"), ("one", "two", "three")
DAYS = [0, 1, 7, 30, 59, 60, 1000, 7]


def make_table(rows: np.ndarray | slice = slice(None), *, entry: bool = False) -> EventTable:
    return EventTable.from_patients(
        DAY[rows], CAUSE[rows], group=GROUP[rows], stratum=STRATUM[rows], groups=GROUPS, strata=("x", "y", "z"),
        causes=CAUSES, entry=ENTRY[rows] if entry else None, record_keys=RECORDS[rows])


def key_of(rows: np.ndarray) -> int:
    return reduce(xor, RECORDS[rows].tolist(), 0)


def test_groups_and_their_events_have_the_keys_of_their_patients() -> None:
    patients, events = count_keyed_patients(make_table()), count_keyed_events(make_table())
    for place, group in enumerate(GROUPS):
        assert patients.keys[place] == key_of(group == GROUP)
        assert patients.n[place] == (group == GROUP).sum()
        for number in range(3):
            assert events[place].keys[number] == key_of((group == GROUP) & (number + 1 == CAUSE))
        assert events.union().keys[place] == key_of((group == GROUP) & (CAUSE > 0))


@pytest.mark.parametrize("entry", [False, True])
@pytest.mark.parametrize("group", ["a", "b", "c", None])
def test_the_numbers_under_a_curve_have_the_keys_of_their_patients(group: str | None, entry: bool) -> None:
    table = make_table(entry=entry)
    inside = np.ones(N, dtype=bool) if group is None else group == GROUP
    counts, plain = read_keyed_counts(table, group, DAYS), read_risk_counts(count_risk_sets(table, group), DAYS)
    assert np.array_equal(counts.at_risk.n, plain.at_risk)
    assert np.array_equal(counts.events.n, plain.events)
    assert np.array_equal(counts.censored.n, plain.censored)
    for place, day in enumerate(DAYS):
        came = day > ENTRY if entry else np.ones(N, dtype=bool)
        assert counts.at_risk.keys[place] == key_of(inside & came & (day <= DAY)), day
        assert counts.at_risk.n[place] == (inside & came & (day <= DAY)).sum(), day
        assert counts.censored.keys[place] == key_of(inside & (day >= DAY) & (CAUSE == 0))
        assert counts.events.union().keys[place] == key_of(inside & (day >= DAY) & (CAUSE > 0))
        for number in range(3):
            assert counts.events.keys[place, number] == key_of(inside & (day >= DAY) & (number + 1 == CAUSE))


@pytest.mark.parametrize("entry", [False, True])
def test_tables_of_disjoint_patients_add_up_with_their_keys(entry: bool) -> None:
    half = RNG.random(N) < 0.5
    total, whole = make_table(half, entry=entry) + make_table(~half, entry=entry), make_table(entry=entry)
    assert total.keys is not None and whole.keys is not None
    for name in ("censored", "events", "entries"):
        assert np.array_equal(getattr(total.keys, name), getattr(whole.keys, name))


def test_pooling_and_choosing_groups_keep_the_keys() -> None:
    table = make_table(entry=True)
    assert count_keyed_patients(table.pool_groups().pool_strata()).keys.tolist() == [key_of(np.ones(N, dtype=bool))]
    for labels in (["c"], ["a", "c"], ["c", "a"]):
        chosen = count_keyed_patients(table.select_groups(labels))
        assert chosen.keys.tolist() == [key_of(group == GROUP) for group in labels]


def test_a_table_without_keys_says_so_instead_of_giving_zero() -> None:
    without = EventTable.from_patients(DAY, CAUSE, causes=CAUSES)
    for derived in (without, without.pool_strata(), without + without, from_landmark(make_table(), 5).table,
                    make_table().pool_groups() + without.pool_groups().__class__.from_counts(
                        ("all",), ("x", "y", "z"), CAUSES, [], [], [], [], np.zeros((0, 3)))):
        with pytest.raises(ValueError, match="no record keys"):
            count_keyed_patients(derived)
    with pytest.raises(ValueError, match="no record keys"):
        read_keyed_counts(without, None, [1])


def test_an_empty_table_has_the_key_of_nobody() -> None:
    empty = make_table(np.zeros(N, dtype=bool))
    assert count_keyed_patients(empty).keys.tolist() == [0, 0, 0]
    assert read_keyed_counts(empty, "a", [0, 5]).at_risk.keys.tolist() == [0, 0]


def test_days_too_far_apart_to_pack_are_sorted_all_the_same() -> None:
    day = np.array([2**61, 5, 5])
    table = EventTable.from_counts(["a", "b"], ["s"], ["e"], [1, 1, 0], [0, 0, 0], day, [1, 1, 1], [[0]] * 3)
    assert table.day.tolist() == [5, 5, 2**61]
    assert table.group.tolist() == [0, 1, 1]
