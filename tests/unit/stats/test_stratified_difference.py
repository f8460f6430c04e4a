from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.stratified_difference import estimate_stratified_difference


def draw(seed: int, *, patients: int = 600, effect: float = 0.5, between: float = 0.0) -> EventTable:
    """Two trials; `between` is how much worse the second one is, which also gives the second arm more often."""
    rng = np.random.default_rng(seed)
    trial = rng.integers(0, 2, patients)
    arm = (rng.random(patients) < np.where(trial == 1, 0.8, 0.2)).astype(int)
    hazard = 0.002 * np.exp(-effect * arm + between * trial)
    event, end = rng.exponential(1 / hazard), rng.uniform(400, 900, patients)
    cause = np.where(event < end, rng.integers(1, 3, patients), 0)
    return EventTable.from_patients(np.minimum(event, end).astype(int), cause, causes=("relapse", "death"),
                                    group=np.array(["old", "new"])[arm], groups=("old", "new"),
                                    stratum=np.array(["one", "two"])[trial])


def test_one_stratum_is_the_difference_of_two_curves() -> None:
    table = draw(1).pool_strata()
    found = estimate_stratified_difference(table, 365)
    old, new = (read_survival(estimate_survival(table, arm), [365]) for arm in ("old", "new"))
    assert found.estimate == pytest.approx(float(new.survival[0] - old.survival[0]))
    assert found.std_error == pytest.approx(float(np.hypot(new.std_error[0], old.std_error[0])))
    assert found.upper - found.estimate == pytest.approx(1.959964 * found.std_error, rel=1e-6)


def test_with_a_cause_it_is_the_difference_of_cumulative_incidences() -> None:
    table = draw(2).pool_strata()
    found = estimate_stratified_difference(table, 365, cause="death")
    old, new = (read_incidence(estimate_cumulative_incidence(table, arm), [365]) for arm in ("old", "new"))
    assert found.estimate == pytest.approx(float(new.incidence[0, 1] - old.incidence[0, 1]))


def test_strata_are_weighted_by_how_much_they_can_tell() -> None:
    table = draw(3)
    found = estimate_stratified_difference(table, 365)
    alone, weights = [], []
    for stratum in range(2):
        rows = table.stratum == stratum
        one = EventTable.from_counts(table.groups, ("only",), table.causes, table.group[rows], np.zeros(rows.sum()),
                                     table.day[rows], table.censored[rows], table.events[rows])
        alone.append(estimate_stratified_difference(one, 365).estimate)
        n = one.patients
        weights.append(n[0] * n[1] / n.sum())
    assert found.estimate == pytest.approx(np.average(alone, weights=weights))
    assert found.strata == 2


def test_what_differs_between_trials_is_not_taken_for_the_arms() -> None:
    within, pooled = [], []
    for seed in range(20):
        table = draw(seed, patients=2000, effect=0.0, between=1.0)
        within.append(estimate_stratified_difference(table, 365).estimate)
        pooled.append(estimate_stratified_difference(table.pool_strata(), 365).estimate)
    assert abs(np.mean(within)) < 0.01
    assert np.mean(pooled) < -0.15


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    truth = np.exp(-0.002 * np.exp(-0.5) * 366) - np.exp(-0.002 * 366)
    found = [estimate_stratified_difference(draw(seed, patients=500), 365) for seed in range(200)]
    assert 0.90 < np.mean([one.lower <= truth <= one.upper for one in found]) < 0.99


def test_strata_without_both_arms_followed_that_long_say_nothing() -> None:
    table = draw(4)
    few = (table.stratum == 0) & (table.group == 1)
    cut = EventTable.from_counts(table.groups, table.strata, table.causes, table.group[~few], table.stratum[~few],
                                 table.day[~few], table.censored[~few], table.events[~few])
    assert estimate_stratified_difference(cut, 365).strata == 1
    with pytest.raises(StatisticsError, match="no stratum has 10 patients at risk in both arms on day 5000"):
        estimate_stratified_difference(table, 5000)


def test_the_share_of_the_smaller_arm_that_it_rests_on_is_told() -> None:
    table = draw(4)
    short = np.where(table.stratum == 0, np.minimum(table.day, 300), table.day)
    cut = EventTable.from_counts(table.groups, table.strata, table.causes, table.group, table.stratum, short,
                                 table.censored, table.events)
    found, smaller = estimate_stratified_difference(cut, 365), int(cut.patients.argmin())
    used = (cut.censored + cut.events.sum(axis=1))[(cut.stratum == 1) & (cut.group == smaller)].sum()
    assert found.share == pytest.approx(used / cut.patients[smaller])
    assert (found.strata, estimate_stratified_difference(table, 365).share) == (1, 1)
    assert found.share < 1


def test_other_numbers_of_arms_and_late_entry_are_refused() -> None:
    table = draw(5)
    with pytest.raises(StatisticsError, match="two arms"):
        estimate_stratified_difference(table.pool_groups(), 365)
    late = EventTable.from_patients([10, 20], [1, 0], group=["a", "b"], entry=[1, 2])
    with pytest.raises(StatisticsError, match="late entry"):
        estimate_stratified_difference(late, 5)
