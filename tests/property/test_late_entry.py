"""Whoever enters when: every group that is drawn has enough patients at risk on the day its curve starts."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.grid import GRID
from harmony_dash.errors import StatisticsError
from harmony_dash.services.late_entry import find_together
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import LEAST_AT_RISK, estimate_survival
from harmony_dash.stats.risk_sets import count_risk_sets, read_risk_counts

GROUPS = ("a", "b", "c")
# So many patients of a group who enter on a day and leave some days later.
wave = st.tuples(st.sampled_from(GROUPS), st.integers(1, 25), st.integers(0, 900), st.integers(1, 900))


def at_risk(table: EventTable, group: str, day: int) -> int:
    return int(read_risk_counts(count_risk_sets(table, group), [day]).at_risk[0])


def is_enough(table: EventTable, group: str, day: int, level: Level) -> bool:
    sets = count_risk_sets(table, group)
    is_small = level is Level.EXACT and sets.patients < LEAST_AT_RISK and not sets.entered.any()
    return at_risk(table, group, day) >= (1 if is_small else LEAST_AT_RISK)


def is_watched_on(table: EventTable, group: str, day: int) -> bool:
    """Whether a curve can start on a day: nobody's leaving ends the group before others enter it."""
    try:
        estimate_survival(table, group, from_day=day)
    except StatisticsError:
        return False
    return True


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(waves=st.lists(wave, min_size=1, max_size=9), level=st.sampled_from([Level.EXACT, Level.PROTECTED]))
def test_every_group_drawn_has_ten_at_risk_on_the_common_start(waves: list[tuple[str, int, int, int]], level: Level,
                                                               ) -> None:
    rows = [(group, entry, entry + stay, number % 2) for group, n, entry, stay in waves for number in range(n)]
    group, entry, day, cause = zip(*rows, strict=True)
    table = EventTable.from_patients(day, cause, group=group, groups=GROUPS, entry=entry)
    found = find_together(table, Scope(level))
    if not table.has_late_entry:
        assert (found.groups, found.start) == (GROUPS, None)
        return
    assert {*found.groups, *found.apart} == set(GROUPS)
    assert not set(found.groups) & set(found.apart)
    assert (found.start is None) == (not found.groups)
    days = GRID[:12].tolist() if level is Level.PROTECTED else range(1802)
    for name in found.groups:
        assert found.start in days
        assert is_enough(table, name, found.start, level)
        # no refusal: the group stays under observation from there on
        assert estimate_survival(table, name, from_day=found.start).from_day == found.start
    earlier = [one for one in days if found.start is not None and one < found.start]
    assert not any(all(is_enough(table, name, one, level) and is_watched_on(table, name, one) for name in found.groups)
                   for one in earlier)
