from __future__ import annotations

import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable


def test_repeated_keys_are_joined_and_sorted() -> None:
    table = EventTable.from_counts(["a"], ["s"], ["e"], [0, 0, 0], [0, 0, 0], [5, 1, 5], [1, 0, 2], [[0], [1], [3]])
    assert table.day.tolist() == [1, 5]
    assert table.censored.tolist() == [0, 3]
    assert table.events.tolist() == [[1], [3]]


def test_patients_and_events_are_counted_by_group_even_an_empty_one() -> None:
    table = EventTable.from_patients([1, 2, 3], [1, 0, 2], group=["a", "c", "c"], groups=["a", "b", "c"],
                                     causes=("x", "y"))
    assert table.patients.tolist() == [1, 0, 2]
    assert table.event_counts.tolist() == [[1, 0], [0, 0], [0, 1]]


def test_pooling_groups_and_strata_keeps_every_patient() -> None:
    table = EventTable.from_patients([1, 2, 2], [1, 0, 1], group=["a", "b", "b"], stratum=["x", "y", "x"])
    pooled = table.pool_groups().pool_strata()
    assert pooled.day.tolist() == [1, 2]
    assert pooled.patients.tolist() == [3]


def test_an_entry_is_a_row_of_its_own_day() -> None:
    table = EventTable.from_patients([5], [1], entry=[2])
    assert table.has_late_entry
    assert (table.day.tolist(), table.entries.tolist()) == ([2, 5], [1, 0])


@pytest.mark.parametrize(("changes", "reason"), [
    ({"day": [-1]}, "negative count or day"), ({"censored": [-1]}, "negative count or day"),
    ({"group": [1]}, "does not have"), ({"stratum": [2]}, "does not have"), ({"groups": ["a", "a"]}, "twice"),
    ({"strata": ["s", "s"]}, "twice"), ({"causes": ["e", "e"], "events": [[0, 0]]}, "twice")])
def test_counts_that_contradict_the_table_are_refused(changes: dict[str, object], reason: str) -> None:
    given: dict[str, object] = {"groups": ["a"], "strata": ["s"], "causes": ["e"], "group": [0], "stratum": [0],
                                "day": [1], "censored": [1], "events": [[0]]}
    with pytest.raises(StatisticsError, match=reason):
        EventTable.from_counts(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", [[5], [6]])
def test_entry_on_or_after_the_last_day_is_refused(entry: list[int]) -> None:
    with pytest.raises(StatisticsError, match="enters on or after"):
        EventTable.from_patients([5], [1], entry=entry)


def test_an_unknown_cause_number_is_refused() -> None:
    with pytest.raises(StatisticsError, match="a cause is not one of"):
        EventTable.from_patients([5], [2])


def test_tables_with_other_labels_cannot_be_added() -> None:
    with pytest.raises(StatisticsError, match="different labels"):
        _ = EventTable.from_patients([1], [1]) + EventTable.from_patients([1], [1], group=["b"])
