"""Planning figures against the closed form, against simulated cohorts, and at their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.planning import expect_at_horizon


def test_with_complete_follow_up_it_is_the_binomial() -> None:
    found = expect_at_horizon(400, 0.85, 1826)
    assert found.events == pytest.approx(60)
    assert found.followed == 1
    error = math.sqrt(0.85 * 0.15 / 400)
    power = math.exp(normal_quantile(0.95) * error / (0.85 * -math.log(0.85)))
    assert (found.lower, found.upper) == pytest.approx((0.85**power, 0.85 ** (1 / power)))


@pytest.mark.parametrize(("survival", "median"), [(0.9, 2000.0), (0.6, 1500.0), (0.4, 4000.0)])
def test_simulated_cohorts_have_the_expected_events_and_interval_on_average(survival: float, median: float) -> None:
    rng, n, horizon, cohorts = np.random.default_rng(20261122), 600, 1826, 60
    events, limits = [], []
    for _ in range(cohorts):
        event = rng.exponential(-horizon / math.log(survival), n)
        end = rng.exponential(median / math.log(2), n)
        days, cause = np.minimum(event, end).astype(np.int64), (event < end).astype(np.int64)
        table = EventTable.from_patients(days, cause, group=np.full(n, "all"), groups=("all",), causes=("event",))
        at = read_survival(estimate_survival(table, "all"), [horizon])
        events.append(int(((days <= horizon) & (cause == 1)).sum()))
        limits.append((at.lower[0], at.upper[0]))
    found = expect_at_horizon(n, survival, horizon, median)
    # Five standard errors of the mean of so many cohorts.
    assert np.mean(events) == pytest.approx(found.events, abs=5 * np.std(events) / math.sqrt(cohorts))
    width = np.diff(np.array(limits), axis=1).mean()
    assert width == pytest.approx(found.upper - found.lower, rel=0.05)


@given(st.integers(10, 100_000), st.floats(0.01, 0.99), st.integers(90, 5000), st.floats(200, 5000))
def test_more_patients_and_longer_follow_up_never_widen_the_interval(n: int, survival: float, horizon: int,
                                                                     median: float) -> None:
    one = expect_at_horizon(n, survival, horizon, median)
    assert 0 <= one.lower <= survival <= one.upper <= 1
    assert 0 <= one.events <= n * (1 - survival) + 1e-6 * n
    for better in (expect_at_horizon(2 * n, survival, horizon, median),
                   expect_at_horizon(n, survival, horizon, 2 * median), expect_at_horizon(n, survival, horizon)):
        assert better.upper - better.lower <= one.upper - one.lower + 1e-9
        assert better.events >= one.events - 1e-9


@pytest.mark.parametrize(("n", "survival", "horizon", "median"), [
    (0, 0.5, 100, None), (10, 0.0, 100, None), (10, 1.0, 100, None), (10, 0.5, 0, None), (10, 0.5, 100, 0.0)])
def test_what_cannot_be_planned_is_refused(n: int, survival: float, horizon: int, median: float | None) -> None:
    with pytest.raises(StatisticsError):
        expect_at_horizon(n, survival, horizon, median)
