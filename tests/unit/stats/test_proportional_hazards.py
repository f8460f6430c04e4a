from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import fit_cox
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.proportional_hazards import compare_effects_over_time


def random_table(seed: int, *, shape: float = 1.0, patients: int = 1200) -> EventTable:
    """Two groups, the second with a Weibull shape of its own: at 1 the hazards are proportional."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, patients)
    time = 300 * rng.exponential(1, patients) ** (1 / np.where(group == 1, shape, 1.0))
    day = np.minimum(time, 600).astype(int)
    return EventTable.from_patients(day, (day < 600).astype(int), group=group)


def test_crossing_hazards_are_found_and_proportional_ones_are_not() -> None:
    for shape, found in ((1.0, False), (0.5, True)):
        table = random_table(1, shape=shape)
        model = fit_cox(table, [[0], [1]], ["x"])
        for transform in ("km", "identity"):
            assert (compare_effects_over_time(table, model, transform=transform).overall.p < 0.001) is found


def test_one_column_is_tested_once_by_itself_and_overall() -> None:
    table = random_table(2)
    test = compare_effects_over_time(table, fit_cox(table, [[0], [1]], ["x"]))
    assert (test.terms, test.overall.df) == (("x",), 1)
    assert test.tests[0].statistic == pytest.approx(test.overall.statistic)
    assert test.methods == "Grambsch-Therneau test of proportional hazards (Kaplan-Meier scale)"


def test_the_columns_of_a_term_are_tested_together() -> None:
    rng = np.random.default_rng(3)
    table = EventTable.from_patients(rng.integers(1, 90, 500), rng.integers(0, 2, 500), group=rng.integers(0, 4, 500))
    model = fit_cox(table, np.eye(4)[:, 1:], "bcd")
    test = compare_effects_over_time(table, model, terms=["v", "v", "w"])
    assert test.terms == ("v", "w")
    assert [one.df for one in (*test.tests, test.overall)] == [2, 1, 3]


def test_the_scale_of_time_does_not_matter() -> None:
    table = random_table(4)
    later = EventTable.from_counts(table.groups, table.strata, table.causes, table.group, table.stratum,
                                   table.day * 1000, table.censored, table.events)
    for transform in ("km", "identity"):
        one, other = (compare_effects_over_time(t, fit_cox(t, [[0], [1]], ["x"]), transform=transform).overall
                      for t in (table, later))
        assert one.statistic == pytest.approx(other.statistic)


def test_what_cannot_be_tested_is_refused() -> None:
    table = random_table(5)
    model = fit_cox(table, [[0], [1]], ["x"])
    with pytest.raises(StatisticsError, match="one of km, identity"):
        compare_effects_over_time(table, model, transform="rank")
    with pytest.raises(StatisticsError, match="another event table"):
        compare_effects_over_time(random_table(6), model)
    with pytest.raises(StatisticsError, match="belongs to a term"):
        compare_effects_over_time(table, model, terms=["v", "w"])
    one_day = EventTable.from_patients([3, 3, 9, 9, 9], [1, 1, 0, 0, 0], group=list("abaab"))
    with pytest.raises(StatisticsError, match="more than one day"):
        compare_effects_over_time(one_day, fit_cox(one_day, [[0], [1]], ["x"], events_per_parameter=0))
