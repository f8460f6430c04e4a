from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.errors import Cancelled, StatisticsError
from harmony_dash.stats.bayesian_bootstrap import difference_errors, draw_replicates, transformed_errors
from harmony_dash.stats.event_table import Floats

STRATUM = np.array([4] * 30 + [9] * 70)


def draw(seed: int = 1, replicates: int = 50, workers: int = 1) -> Floats:
    return draw_replicates(lambda weight: weight, STRATUM, replicates, np.random.default_rng(seed), workers=workers)


def test_weights_are_positive_and_add_up_within_each_stratum() -> None:
    drawn = draw()
    assert (drawn > 0).all()
    np.testing.assert_allclose(drawn[:, :30].sum(axis=1), 30)
    np.testing.assert_allclose(drawn[:, 30:].sum(axis=1), 70)


def test_the_answer_depends_on_the_generator_only() -> None:
    np.testing.assert_array_equal(draw(workers=1), draw(workers=3))
    assert not np.array_equal(draw(seed=1), draw(seed=2))


def test_the_spread_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(2).normal(size=100)
    drawn = draw_replicates(lambda weight: np.array([weight @ values / 100]), np.zeros(100), 4000,
                            np.random.default_rng(3))
    assert drawn.std() == pytest.approx(values.std() / 10, rel=0.05)


def test_progress_is_told_after_each_replicate() -> None:
    told: list[tuple[int, int]] = []
    draw_replicates(lambda weight: weight, STRATUM, 5, np.random.default_rng(1),
                    progress=lambda done, of: told.append((done, of)), workers=2)
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@pytest.mark.parametrize("workers", [1, 2])
def test_work_stops_when_nobody_waits_for_it(workers: int) -> None:
    asked: list[int] = []
    made: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 3

    def estimate(weight: Floats) -> Floats:
        made.append(1)
        return weight

    with pytest.raises(Cancelled):
        draw_replicates(estimate, STRATUM, 100, np.random.default_rng(1), cancel=cancel, workers=workers)
    assert len(made) == 3


def test_an_error_in_a_replicate_ends_the_work() -> None:
    def refuse(weight: Floats) -> Floats:
        raise StatisticsError("no")

    with pytest.raises(StatisticsError, match="no"):
        draw_replicates(refuse, STRATUM, 100, np.random.default_rng(1))


def test_one_replicate_has_no_spread() -> None:
    with pytest.raises(StatisticsError, match="two replicates"):
        draw(replicates=1)


def test_errors_are_taken_on_the_transformed_scale() -> None:
    rng = np.random.default_rng(4)
    sample = 0.8 + 0.001 * rng.normal(size=(5000, 1))
    # So near the estimate the transforms are straight lines.
    assert transformed_errors(np.array([0.8]), sample)[0] == pytest.approx(sample.std(), rel=1e-2)
    assert difference_errors(np.array([0.8]), sample)[0] == pytest.approx(sample.std(), rel=1e-2)


def test_a_probability_of_one_has_no_error() -> None:
    assert np.isnan(transformed_errors(np.array([1.0]), np.ones((9, 1)))).all()
