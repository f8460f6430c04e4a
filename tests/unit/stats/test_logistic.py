from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.logistic import fit_logistic


def test_one_binary_column_gives_the_log_odds_ratio_and_woolfs_standard_error() -> None:
    # 12 of 20 exposed and 5 of 25 others.
    outcome = [1] * 12 + [0] * 8 + [1] * 5 + [0] * 20
    model = fit_logistic(outcome, [[1.0]] * 20 + [[0.0]] * 25, ["exposed"])
    assert model.names == ("intercept", "exposed")
    np.testing.assert_allclose(model.coefficients, [np.log(5 / 20), np.log(12 / 8 / (5 / 20))])
    assert model.std_error[1] == pytest.approx(np.sqrt(1 / 12 + 1 / 8 + 1 / 5 + 1 / 20))
    np.testing.assert_allclose(model.probability, [0.6] * 20 + [0.2] * 25)


def test_weights_that_are_counts_stand_for_so_many_patients() -> None:
    rng = np.random.default_rng(1)
    x, weight = rng.normal(size=(60, 2)), rng.integers(1, 4, 60)
    outcome = rng.integers(0, 2, 60)
    one = fit_logistic(outcome, x, ["a", "b"], weight=weight)
    many = fit_logistic(np.repeat(outcome, weight), np.repeat(x, weight, axis=0), ["a", "b"])
    np.testing.assert_allclose(one.coefficients, many.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, many.covariance, rtol=1e-9)
    assert one.log_likelihood == pytest.approx(many.log_likelihood)


def test_the_unit_of_a_column_changes_nothing_else() -> None:
    rng = np.random.default_rng(2)
    x, outcome = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    one, other = fit_logistic(outcome, x, ["a", "b"]), fit_logistic(outcome, 5 + x * [1000, 0.001], ["a", "b"])
    np.testing.assert_allclose(other.coefficients[1:] * [1000, 0.001], one.coefficients[1:], rtol=1e-8)
    np.testing.assert_allclose(other.probability, one.probability, rtol=1e-9)


def test_large_effects_that_do_not_separate_are_estimated() -> None:
    # One patient on the wrong side at either end keeps the estimate finite.
    x = np.concatenate([np.full(400, -1.0), np.full(400, 1.0)])
    outcome = np.where(x > 0, 1, 0)
    outcome[0], outcome[-1] = 1, 0
    model = fit_logistic(outcome, x[:, None], ["x"])
    assert model.coefficients[1] == pytest.approx(np.log(399), rel=1e-8)


@pytest.mark.parametrize("outcome", [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]])
def test_separated_outcomes_are_refused_and_the_column_is_named(outcome: list[int]) -> None:
    # The second is quasi-separated: both outcomes occur at x = 2 only.
    with pytest.raises(StatisticsError, match=r"'x'.*separation"):
        fit_logistic(outcome, [[0.0, 1], [1, 0], [2, 1], [2 if outcome[3] == 0 else 3, 0], [4, 1], [5, 0]], ["x", "z"])
    with pytest.raises(StatisticsError, match=r"'x'.*separation"):
        fit_logistic([0, 0, 0, 1, 1, 1], [[0.0], [1], [2], [2], [4], [5]], ["x"])


@pytest.mark.parametrize(("outcome", "design", "names", "problem"), [
    ([1, 1, 1], [[0.0], [1], [2]], ["x"], "with the outcome and patients without"),
    ([0, 1, 2], [[0.0], [1], [2]], ["x"], "0 or 1"),
    ([0, 1, 0, 1], [[1.0, 5], [2, 5], [3, 5], [1, 5]], ["x", "z"], "'z' has the same value"),
    ([0, 1, 0, 1], [[1.0, 2], [2, 4], [3, 6], [1, 2]], ["x", "z"], "'z' follows from"),
    ([0, 1], [[0.0], [1], [2]], ["x"], "one row for each patient"),
    ([0, 1, 0], [[0.0], [np.nan], [2]], ["x"], "known values"),
])
def test_rows_without_an_estimate_are_refused(outcome: list[int], design: list[list[float]], names: list[str],
                                              problem: str) -> None:
    with pytest.raises(StatisticsError, match=problem):
        fit_logistic(outcome, design, names)


def test_weights_must_be_positive() -> None:
    with pytest.raises(StatisticsError, match="positive weights"):
        fit_logistic([0, 1, 0], [[0.0], [1], [2]], ["x"], weight=[1, 0, 1])
