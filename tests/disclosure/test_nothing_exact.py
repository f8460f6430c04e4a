"""Random answers, everything in them looked at: no small count, no exact count, no day of a patient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.grid import GRID
from harmony_dash.disclosure.policy import DAYS_PER_MONTH, RULES
from harmony_dash.disclosure.results import Curve, GroupResult, SurvivalResult
from harmony_dash.errors import StatisticsError
from harmony_dash.stats.landmark import from_landmark
from tests.disclosure.answers import answer, make_table

_GRID = set(GRID.tolist())


def random_results(seed: int, level: Level) -> Iterator[SurvivalResult]:
    rng = np.random.default_rng(seed)
    for endpoint in ("os", "relapse", "efs_tf0", "relapse_1km"):
        for entry in (0.0, 0.4):
            sizes = {name: int(rng.integers(1, 300)) for name in "abcd"}
            table = make_table(sizes, rng, endpoint=endpoint, entry_share=entry, yearly_hazard=rng.uniform(0.05, 0.6))
            horizon = int(rng.choice([0, 700, 1826])) or None
            try:
                whole = answer(table, endpoint=endpoint, horizon=horizon, days=(0, 100, 365, 1826, 9000))
            except StatisticsError:  # late entry can leave a small group unobserved, which services handle
                continue
            yield release(whole, Scope(level)).value


def counts_of(group: GroupResult) -> list[int | None]:
    table = group.risk_table
    return [group.n, group.events, *table.at_risk, *table.events, *table.censored, *(at.at_risk for at in group.at),
            *(at.at_risk for cause in group.cumulative_incidence for at in cause.at)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("level", [Level.PROTECTED, Level.PUBLIC])
def test_every_number_of_an_answer_is_protected(seed: int, level: Level) -> None:
    rules = RULES[level]
    seen = 0
    for result in random_results(seed, level):
        totals = [result.events, *(step.n for step in result.attrition), *(e.n for e in result.exclusions)]
        for n in [*totals, *(n for group in result.groups for n in counts_of(group))]:
            assert n is None or (n % 5 == 0 and n >= rules.minimum_cell and type(n) is int)
        for group in result.groups:
            seen += 1
            curves = [group.curve, *(cause.curve for cause in group.cumulative_incidence)]
            for curve in curves:
                check_curve(curve)
            total = group.curve.estimate + sum(cause.curve.estimate for cause in group.cumulative_incidence)
            assert np.all(total <= 1 + 1e-9)
            assert set(group.risk_table.days) | {at.days for at in group.at} <= _GRID
            for days in (group.median_days, group.median_lower_days, group.median_upper_days,
                         group.follow_up_median_days):
                assert days is None or (days / DAYS_PER_MONTH) == pytest.approx(round(days / DAYS_PER_MONTH), abs=1e-4)
            for column in (group.risk_table.events, group.risk_table.censored):
                shown = [n for n in column if n is not None]
                assert shown == sorted(shown)
            assert group.restricted_mean is None or group.restricted_mean.tau_days in _GRID
            assert (group.on_grid, group.follow_up_support, len(group.censorings.days)) == (None, None, 0)
    assert seen > 5


def check_curve(curve: Curve) -> None:
    assert set(curve.days.astype(int).tolist()) <= _GRID
    rising = curve.estimate[0] == 0
    steps = np.diff(curve.estimate) * (1 if rising else -1)
    assert np.all(steps >= -1e-12)
    assert np.isfinite(curve.estimate).all()
    # A gap in the band would tell that nobody has had the event yet.
    assert np.all((curve.lower <= curve.estimate) & (curve.estimate <= curve.upper))
    assert np.all((curve.lower >= 0) & (curve.upper <= 1))
    known = curve.at_risk[np.isfinite(curve.at_risk)]
    assert np.all(known % 5 == 0)


def test_a_landmark_restarts_the_grid() -> None:
    table = make_table({"a": 300, "b": 200}, np.random.default_rng(3))
    assert from_landmark(table, 42).table.day.min() > 0
    value = release(answer(table, landmark=42), Scope(Level.PROTECTED)).value
    assert all(set(group.curve.days.astype(int).tolist()) <= _GRID for group in value.groups)
