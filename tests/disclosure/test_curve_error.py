"""How far protected curves are from those of lifelines, over random cohorts."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.stats.event_table import EventTable
from tests.disclosure.answers import answer, make_days, make_keys

COHORTS = 80


@pytest.mark.parametrize("n", [30, 50, 100, 200, 500, 1000])
def test_a_protected_curve_is_within_half_a_step_and_far_inside_its_interval(n: int) -> None:
    rng = np.random.default_rng(n)
    shares = []
    for _ in range(COHORTS):
        days, cause = make_days(n, rng, yearly_hazard=0.25)
        table = EventTable.from_patients(days, cause, group=np.full(n, "all"), causes=("death",),
                                         record_keys=make_keys(n, rng))
        value = release(answer(table), Scope(Level.PROTECTED)).value
        assert len(value.groups) == 1
        group = value.groups[0]
        fitted = KaplanMeierFitter().fit(days, cause > 0)
        # lifelines takes whom nothing happened to on a day as at risk on it, as we do.
        exact = fitted.survival_function_at_times(group.curve.days).to_numpy()
        band = fitted.confidence_interval_survival_function_
        exact[0] = 1.0
        error = np.abs(group.curve.estimate - exact)
        assert error.max() <= max(0.001, 5 / group.n) / 2 + 1e-9
        assert np.all(np.diff(group.curve.estimate) <= 0)
        assert np.all((group.curve.lower <= group.curve.estimate) & (group.curve.estimate <= group.curve.upper))
        rows = np.searchsorted(band.index.to_numpy(), group.curve.days[1:], side="right") - 1
        half = (band.iloc[rows, 1].to_numpy() - band.iloc[rows, 0].to_numpy()) / 2
        shares += (error[1:] / half)[half > 0].tolist()
    if n >= 100:
        assert np.median(shares) <= 0.15
