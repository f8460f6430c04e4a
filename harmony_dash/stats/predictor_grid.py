"""The distribution of linear predictors as weights of a few nodes, so that a mean over patients costs nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.stats.event_table import Floats, Ints

# Chebyshev's interpolation of exp(-H exp(x)) over a width of x gains a digit for about each unit of width times four
# nodes; this many leave an error below 1e-9 (see the test).
FEWEST_NODES: Final = 32
NODES_PER_WIDTH: Final = 4.0
# Patients taken at a time: a block and its polynomials stay in the processor's cache.
BLOCK: Final = 4096


@dataclass(frozen=True)
class ChebyshevNodes:
    """Nodes between the smallest and largest value of a linear predictor.

    Attributes
    ----------
    middle, half_width : of the range.
    values : shape (nodes,); the nodes, as linear predictors.
    """

    middle: float
    half_width: float
    values: Floats

    @classmethod
    def spanning(cls, *linear: Floats) -> ChebyshevNodes:
        """Place nodes over the values of some linear predictors, each of shape (n,)."""
        low, high = min(float(one.min()) for one in linear), max(float(one.max()) for one in linear)
        count = int(FEWEST_NODES + NODES_PER_WIDTH * (high - low))
        middle, half_width = (low + high) / 2, max((high - low) / 2, 1e-9)
        return cls(middle, half_width, middle + half_width * np.cos((np.arange(count) + 0.5) * np.pi / count))

    def polynomials(self, linear: Floats) -> Floats:
        """Shape (nodes, n); Chebyshev polynomials of values inside the range."""
        return _polynomials((linear - self.middle) / self.half_width, len(self.values))

    def moments(self, linear: Floats, weight: Floats) -> Floats:
        """Shape (nodes,); weighted sums of these polynomials.

        From a few of them: T_(b+a) + T_(b-a) = 2 T_a T_b, so that all degrees follow from products of low degrees a
        with multiples b of their number.
        """
        count = len(self.values)
        few = int(np.ceil(np.sqrt(count)))
        low = _polynomials((linear - self.middle) / self.half_width, few + 1)
        multiples = _polynomials(low[few], -(-count // few))
        products = (low[:few] * weight) @ multiples.T
        found = np.empty(few * len(multiples))
        found[:few] = products[:, 0]
        for place in range(1, len(multiples)):
            first = place * few
            found[first] = products[0, place]
            found[first + 1:first + few] = 2 * products[1:, place] - found[first - few + 1:first][::-1]
        return found[:count]

    def interpolation(self) -> Floats:
        """Shape (nodes, nodes); coefficient of each polynomial from the values at each node."""
        count = len(self.values)
        angle = np.outer(np.arange(count), np.arange(count) + 0.5) * np.pi / count
        matrix = np.cos(angle) * 2 / count
        matrix[0] /= 2
        return np.asarray(matrix)


def spread_weights(nodes: ChebyshevNodes, linear: Floats, weight: Floats, starts: Ints) -> Floats:
    """Replace patients by nodes in means of smooth functions of their linear predictor.

    Formula
        sum_i v_i f(x_i) = sum_m W_m f(node_m) for every polynomial f of fewer degrees than nodes, with
        W_m = sum_j P_jm sum_i v_i T_j(x_i), T_j Chebyshev's polynomials and P the interpolation matrix. Survival
        exp(-H exp(x)) and its integrals are smooth enough to be such polynomials but for rounding.

    Parameters
    ----------
    nodes : spanning every value of `linear`.
    linear, weight : shape (n,); sorted by stratum.
    starts : shape (strata,); position of the first patient of each stratum, each with at least one.

    Returns
    -------
    shape (strata, nodes); weights, some of them negative.

    References
    ----------
    Trefethen, Approximation Theory and Approximation Practice (2013), chapters 3-4 and 8, the error of interpolation.
    """
    moments = np.zeros((len(starts), len(nodes.values)))
    for stratum, rows in _blocks(starts, len(linear)):
        moments[stratum] += nodes.moments(linear[rows], weight[rows])
    return np.asarray(moments @ nodes.interpolation())


def spread_joint_weights(nodes: tuple[ChebyshevNodes, ChebyshevNodes], linear: tuple[Floats, Floats], weight: Floats,
                         starts: Ints) -> Floats:
    """The same for functions of two linear predictors; shape (strata, nodes of the first, nodes of the second)."""
    moments = np.zeros((len(starts), len(nodes[0].values), len(nodes[1].values)))
    for stratum, rows in _blocks(starts, len(weight)):
        first, second = (one.polynomials(values[rows]) for one, values in zip(nodes, linear, strict=True))
        moments[stratum] += (first * weight[rows]) @ second.T
    return np.asarray(nodes[0].interpolation().T @ moments @ nodes[1].interpolation())


def _polynomials(u: Floats, count: int) -> Floats:
    """Shape (count, n); Chebyshev polynomials of the lowest degrees, of values from -1 to 1."""
    found = np.empty((count, len(u)))
    found[0], found[1] = 1.0, u
    twice = 2 * u
    for degree in range(2, count):
        np.multiply(twice, found[degree - 1], out=found[degree])
        found[degree] -= found[degree - 2]
    return found


def _blocks(starts: Ints, patients: int) -> list[tuple[int, slice]]:
    ends = [*starts[1:].tolist(), patients]
    return [(stratum, slice(first, min(first + BLOCK, end)))
            for stratum, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True))
            for first in range(start, end, BLOCK)]
