"""How far protected curves are from those of lifelines, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from numpy.typing import NDArray

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import RestrictedMean
from harmony_dash.stats.event_table import EventTable
from tests.disclosure.answers import answer, make_days, make_keys

COHORTS = 80
REPEATS = 400
YEARLY_HAZARD = 0.25
Days = Floats = NDArray[np.float64]


@pytest.mark.parametrize("n", [30, 50, 100, 200, 500, 1000])
def test_a_protected_curve_is_within_half_a_step_and_far_inside_its_interval(n: int) -> None:
    rng = np.random.default_rng(n)
    shares = []
    for _ in range(COHORTS):
        days, cause = make_days(n, rng, yearly_hazard=YEARLY_HAZARD)
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
        exact_lower, exact_upper = band.iloc[rows, 0].to_numpy(), band.iloc[rows, 1].to_numpy()
        assert np.all((group.curve.lower[1:] <= exact_lower + 1e-9) | np.isnan(exact_lower))
        assert np.all((group.curve.upper[1:] >= exact_upper - 1e-9) | np.isnan(exact_upper))
        half = (exact_upper - exact_lower) / 2
        shares += (error[1:] / half)[half > 0].tolist()
    if n >= 100:
        assert np.median(shares) <= 0.15


def true_survival(days: Days) -> Floats:
    """Of the patients that `make_days` makes: nobody has had the event by the end of that day."""
    return np.exp(-((YEARLY_HAZARD * (days + 1) / 365.25) ** 0.7))


@pytest.mark.parametrize("n", [30, 50, 100])
def test_released_limits_hold_the_truth_as_often_as_exact_ones(n: int) -> None:
    rng = np.random.default_rng(n)
    held, held_exactly, means, means_exactly = [], [], [], []
    for _ in range(REPEATS):
        days, cause = make_days(n, rng, yearly_hazard=YEARLY_HAZARD)
        table = EventTable.from_patients(days, cause, group=np.full(n, "all"), causes=("death",),
                                         record_keys=make_keys(n, rng))
        exact = answer(table, horizon=731)
        value = release(exact, Scope(Level.PROTECTED)).value
        if not value.groups:  # fewer than ten events
            continue
        shown, whole = value.groups[0], exact.groups[0]
        rows = np.searchsorted(whole.curve.days, shown.curve.days[1:], side="right") - 1
        truth = true_survival(shown.curve.days[1:])
        lower, upper = whole.curve.lower[rows], whole.curve.upper[rows]
        known = np.isfinite(lower)
        held += ((shown.curve.lower[1:] <= truth) & (truth <= shown.curve.upper[1:]))[known].tolist()
        held_exactly += ((lower <= truth) & (truth <= upper))[known].tolist()
        if shown.restricted_mean is not None and whole.restricted_mean is not None:
            assert shown.restricted_mean.se >= whole.restricted_mean.se
            means.append(holds_the_mean(shown.restricted_mean))
            means_exactly.append(holds_the_mean(whole.restricted_mean))
    assert np.mean(held) >= max(0.94, float(np.mean(held_exactly)))
    assert np.mean(means) >= max(0.94, float(np.mean(means_exactly)))


def holds_the_mean(mean: RestrictedMean) -> bool:
    truth = true_survival(np.arange(mean.tau_days, dtype=float)).sum()
    return bool(abs(mean.days - truth) <= 1.96 * mean.se)
