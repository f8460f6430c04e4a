from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.stats.predictor_grid import BLOCK, ChebyshevNodes, spread_joint_weights, spread_weights


@pytest.mark.parametrize("width", [0.0, 0.5, 4.0, 8.0, 14.0, 24.0])
@pytest.mark.parametrize("hazard", [0.01, 1.0, 50.0])
def test_mean_survival_over_nodes_is_that_over_patients(width: float, hazard: float) -> None:
    rng = np.random.default_rng(1)
    linear, weight = rng.uniform(-width / 2, width / 2, 900), rng.exponential(size=900)
    starts = np.array([0, 200, 201])
    nodes = ChebyshevNodes.spanning(linear)
    # The largest of the patients' hazards.
    cumulative = hazard / np.exp(width / 2)
    found = spread_weights(nodes, linear, weight, starts) @ np.exp(-cumulative * np.exp(nodes.values))
    direct = np.add.reduceat(weight * np.exp(-cumulative * np.exp(linear)), starts)
    np.testing.assert_allclose(found, direct, rtol=0, atol=1e-9 * weight.sum())


def test_weights_of_nodes_add_up_to_those_of_patients_in_blocks_too() -> None:
    rng = np.random.default_rng(2)
    linear, weight = rng.normal(size=2 * BLOCK + 7), rng.exponential(size=2 * BLOCK + 7)
    starts = np.array([0, 5, BLOCK + 5])
    weights = spread_weights(ChebyshevNodes.spanning(linear), linear, weight, starts)
    np.testing.assert_allclose(weights.sum(axis=1), np.add.reduceat(weight, starts), rtol=1e-10)


@pytest.mark.parametrize("width", [0.0, 1.0, 4.0, 7.5, 30.0])
def test_moments_are_the_weighted_sums_of_all_polynomials(width: float) -> None:
    rng = np.random.default_rng(4)
    linear, weight = rng.uniform(-width / 2, width / 2, 700), rng.exponential(size=700)
    nodes = ChebyshevNodes.spanning(linear)
    np.testing.assert_allclose(nodes.moments(linear, weight), nodes.polynomials(linear) @ weight, rtol=0,
                               atol=1e-12 * weight.sum())


def test_joint_weights_give_means_of_functions_of_both() -> None:
    rng = np.random.default_rng(3)
    first, second, weight = rng.normal(size=500), 2 * rng.normal(size=500), rng.exponential(size=500)
    nodes = ChebyshevNodes.spanning(first), ChebyshevNodes.spanning(second)
    joint = spread_joint_weights(nodes, (first, second), weight, np.array([0, 100]))
    values = np.exp(-0.2 * np.exp(nodes[0].values[:, None]) - 0.1 * np.exp(nodes[1].values))
    direct = np.add.reduceat(weight * np.exp(-0.2 * np.exp(first) - 0.1 * np.exp(second)), [0, 100])
    np.testing.assert_allclose(np.einsum("kab,ab->k", joint, values), direct, rtol=1e-9)
