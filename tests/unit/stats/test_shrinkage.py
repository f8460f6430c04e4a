from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.hazard_ratios import estimate_hazard_ratios
from harmony_dash.stats.shrinkage import shrink_effects


def test_equal_standard_errors_by_hand() -> None:
    # With equal v, REML is the variance of the effects less v.
    y, v = np.array([0.0, 1.0, 2.0, 3.0, 4.0]), 0.5
    shrunken = shrink_effects(y, np.full(5, v**0.5))
    assert shrunken.tau_squared == pytest.approx(y.var(ddof=1) - v)
    b = 2 / 4 * v / 2.5
    np.testing.assert_allclose(shrunken.weight, b)
    np.testing.assert_allclose(shrunken.estimate, b * 2 + (1 - b) * y)
    np.testing.assert_allclose(shrunken.std_error**2, v * (1 - b) + b**2 * 2.5 / 5 + 2 * b**2 * (y - 2) ** 2 / 2)
    assert (shrunken.mean, shrunken.mean_std_error) == (pytest.approx(2), pytest.approx((2.5 / 5) ** 0.5))


def test_effects_no_further_apart_than_chance_keep_a_part_of_their_own() -> None:
    shrunken = shrink_effects([0.1, 0.12, 0.09, 0.11], [0.3, 0.2, 0.4, 0.25])
    assert shrunken.tau_squared == 0
    # Morris' correction does not take a spread of 0 for certain: the mean gets (k - 3)/(k - 1), not everything.
    np.testing.assert_allclose(shrunken.weight, 1 / 3)


def test_effects_far_apart_stay_where_they_are() -> None:
    y = np.array([-10.0, 10, 30, -30, 5])
    shrunken = shrink_effects(y, np.full(5, 0.1))
    np.testing.assert_allclose(shrunken.estimate, y, atol=1e-3)
    np.testing.assert_allclose(shrunken.std_error, 0.1, rtol=1e-3)


def test_the_largest_variance_is_found_among_several_peaks() -> None:
    # Two precise groups of effects and one vague effect: the restricted likelihood is highest away from 0.
    y, error = np.array([0.0, 0.01, 1.0, 1.01, 5.0]), np.array([0.01, 0.01, 0.01, 0.01, 2.0])
    found = shrink_effects(y, error).tau_squared
    grid = np.geomspace(1e-6, 100, 20_000)
    w = 1 / (error[:, None] ** 2 + grid)
    mean = (w * y[:, None]).sum(axis=0) / w.sum(axis=0)
    likelihood = (np.log(w).sum(axis=0) - np.log(w.sum(axis=0)) - (w * (y[:, None] - mean) ** 2).sum(axis=0)) / 2
    assert found == pytest.approx(grid[likelihood.argmax()], rel=1e-3)


def simulate(truth_sd: float, repetitions: int, seed: int) -> Floats:
    """Return (truth, raw effect, its error, shrunken, its error) of 10 subtypes of 60 to 800 patients.

    The effects are log hazard ratios of a randomised treatment, each from its own event table; shape (repetitions, 5,
    10).
    """
    rng = np.random.default_rng(seed)
    sizes = np.geomspace(60, 800, 10).astype(int)
    rows = []
    for _ in range(repetitions):
        truth, raw, error = rng.normal(0, truth_sd, 10), np.zeros(10), np.zeros(10)
        for k, n in enumerate(sizes):
            arm = np.arange(n) % 2
            time = rng.exponential(4000 / np.exp(truth[k] * arm))
            end = rng.uniform(900, 3000, n)
            table = EventTable.from_patients(np.minimum(time, end).astype(int), (time < end).astype(int),
                                             group=arm, groups=["0", "1"])
            entry = estimate_hazard_ratios(table, events_per_parameter=0).levels[1]
            raw[k], error[k] = entry.log_ratio, entry.std_error
        shrunken = shrink_effects(raw, error)
        rows.append([truth, raw, error, shrunken.estimate, shrunken.std_error])
    return np.array(rows)


@pytest.mark.parametrize(("truth_sd", "fall"), [(0.0, 0.6), (0.35, 0.85)])
def test_shrinkage_comes_nearer_to_the_truth_and_its_intervals_still_cover(truth_sd: float, fall: float) -> None:
    truth, raw, error, shrunken, shrunken_error = simulate(truth_sd, 50, seed=1).transpose(1, 0, 2)

    def distance(estimate: Floats) -> float:
        return float(np.sqrt(np.mean((estimate - truth) ** 2)))

    def coverage(estimate: Floats, spread: Floats) -> float:
        return float(np.mean(np.abs(estimate - truth) < 1.96 * spread))

    assert distance(shrunken) < fall * distance(raw)
    assert coverage(raw, error) > 0.92
    assert coverage(shrunken, shrunken_error) > 0.92
    assert shrunken_error.mean() < error.mean()
    # The subtype that looks worst is mostly the one chance was unkind to.
    worst = np.arange(len(raw)), raw.argmax(axis=1)
    assert 0 < np.mean((shrunken - truth)[worst]) < 0.5 * np.mean((raw - truth)[worst])


def test_the_methods_line_says_how() -> None:
    assert shrink_effects([0.1, 0.2, 0.3, 0.4], [0.1] * 4, level=0.9).methods == (
        "empirical-Bayes shrinkage over 4 mutually exclusive subgroups, Morris' correction, REML between-subgroup "
        "variance, 90 % interval")


@pytest.mark.parametrize(("effects", "errors", "message"), [
    ([0.1, 0.2, 0.3], [0.1] * 3, "at least 4 subgroups"),
    ([0.1, 0.2, 0.3, float("nan")], [0.1] * 4, "for every subgroup"),
    ([0.1, 0.2, 0.3, 0.4], [0.1] * 3, "for every subgroup"),
    ([0.1, 0.2, 0.3, 0.4], [0.1, 0.1, 0.1, 0.0], "a standard error is positive"),
])
def test_effects_that_cannot_be_shrunken_are_refused(effects: list[float], errors: list[float], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        shrink_effects(effects, errors)
