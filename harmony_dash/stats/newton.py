"""The maximum of a partial likelihood, by Newton's method with halved steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeVar

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats

# Squared length of the last step in standard errors. Newton's method squares the error, so the estimate is then within
# rounding of the maximum.
SMALL_STEP: Final = 1e-12
MOST_STEPS: Final = 40
# exp() of a difference beyond this is not told from 0 beside 1; no hazard ratio is that large.
WIDEST: Final = 300.0


class Likelihood(Protocol):
    """What is known of the likelihood at some coefficients."""

    @property
    def log_likelihood(self) -> float:
        """Its logarithm."""


Terms = TypeVar("Terms", bound=Likelihood)


def find_maximum(beta: Floats, terms: Terms, *, design: Floats, evaluate: Callable[[Floats], Terms],
                 project: Callable[[Terms], tuple[Floats, Floats]], small_step: float = SMALL_STEP,
                 ) -> tuple[Floats, Terms, int]:
    """Climb from some coefficients to the maximum.

    Parameters
    ----------
    beta : shape (parameters,); where to start. A start near the maximum saves steps.
    terms : the likelihood there.
    design : shape (…, parameters); columns with a range of about 1.
    evaluate : the likelihood at `design @ beta`.
    project : score, shape (parameters,), and information, shape (parameters, parameters), of a likelihood.
    small_step : squared length, in standard errors, of a step after which no other is taken.

    Returns
    -------
    The coefficients at the maximum, the likelihood there and the number of steps taken.

    Raises
    ------
    StatisticsError if the maximum is not found.
    """
    for iteration in range(1, MOST_STEPS + 1):
        score, information = project(terms)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            break
        gain = float(score @ step)
        tolerance = 1e-12 * abs(terms.log_likelihood)
        for _ in range(MOST_STEPS):
            linear = design @ (beta + step)
            if float(np.ptp(linear)) < WIDEST:
                next_terms = evaluate(linear)
                if next_terms.log_likelihood >= terms.log_likelihood - tolerance:
                    break
            step = step / 2
        else:
            break
        beta, terms = beta + step, next_terms
        if gain < small_step:
            return beta, terms, iteration
    raise StatisticsError("the maximum of the partial likelihood was not found",
                          remedy="choose fewer variables or join levels")
