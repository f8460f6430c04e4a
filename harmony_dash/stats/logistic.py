"""Weighted logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.special import expit

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.estimability import LEAST_GAIN, NEGLIGIBLE
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.newton import MOST_STEPS, SMALL_STEP

# Log odds of one in three million. With separated data Newton's steps go on to about 30 before they change nothing.
SUSPICIOUS: Final = 15.0


@dataclass(frozen=True)
class LogisticModel:
    """A fitted logistic regression.

    Attributes
    ----------
    names : names of the parameters, the intercept first.
    coefficients, std_error : shape (parameters,); log odds ratios per unit of the column.
    covariance : shape (parameters, parameters); inverse of the information.
    probability : shape (n,); fitted probability of the outcome.
    log_likelihood : at the coefficients.
    iterations : Newton steps taken.
    """

    names: tuple[str, ...]
    coefficients: Floats
    std_error: Floats
    covariance: Floats
    probability: Floats
    log_likelihood: float
    iterations: int


def fit_logistic(outcome: ArrayLike, design: ArrayLike, names: Sequence[str], *,
                 weight: ArrayLike | None = None) -> LogisticModel:
    """Fit a logistic regression with an intercept.

    Assumes
        The log odds are linear in the columns; patients are independent.

    Formula
        The maximum of sum w (y z - log(1 + exp z)), z = b_0 + x'b, by Newton's method with halved steps.

    Parameters
    ----------
    outcome : shape (n,); 0 or 1.
    design : shape (n, parameters - 1), without intercept.
    names : shape (parameters - 1,).
    weight : shape (n,); positive case weights, 1 when left out.

    Returns
    -------
    LogisticModel

    Raises
    ------
    StatisticsError if all outcomes are the same, a column is constant or follows from others, the outcome is separated
    by a combination of columns (an infinite estimate; they are named), or for rows that do not fit together.

    References
    ----------
    McCullagh, Nelder, Generalized Linear Models (2nd ed. 1989), section 4.4; Albert, Anderson, Biometrika 71 (1984)
    1-10, separation.
    """
    y, columns = np.asarray(outcome, dtype=np.float64), np.asarray(design, dtype=np.float64)
    given = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    if columns.shape != (len(y), len(names)) or given.shape != y.shape:
        raise StatisticsError("a design has one row for each patient and one column for each name")
    if not (np.isfinite(columns).all() and np.isfinite(given).all() and (given > 0).all()):
        raise StatisticsError("a logistic regression takes known values and positive weights")
    if not np.isin(y, (0, 1)).all():
        raise StatisticsError("an outcome is 0 or 1")
    if not 0 < y.sum() < len(y):
        raise StatisticsError("a logistic regression needs patients with the outcome and patients without")
    centre, unit = columns.mean(axis=0), np.ptp(columns, axis=0)
    full = np.column_stack([np.ones(len(y)), (columns - centre) / np.where(unit > 0, unit, 1.0)])
    _check_columns(full, names)
    beta, iterations = _climb(full, y, given, names)
    linear = full @ beta
    probability = expit(linear)
    information = full.T @ ((given * probability * (1 - probability))[:, None] * full)
    # From centred and scaled columns back to the columns as given.
    back = np.diag(np.concatenate([[1.0], 1 / unit]))
    back[0, 1:] = -centre / unit
    covariance = back @ np.linalg.inv(information) @ back.T
    return LogisticModel(("intercept", *names), back @ beta, np.sqrt(np.diag(covariance)), covariance, probability,
                         _log_likelihood(linear, y, given), iterations)


def _climb(full: Floats, y: Floats, weight: Floats, names: Sequence[str]) -> tuple[Floats, int]:
    beta = np.zeros(full.shape[1])
    beta[0] = np.log((weight @ y) / (weight @ (1 - y)))
    linear = full @ beta
    value, checked = _log_likelihood(linear, y, weight), False
    for iteration in range(1, MOST_STEPS + 1):
        if not checked and float(np.abs(linear).max()) > SUSPICIOUS:
            _check_separation(full, y, names)
            checked = True
        probability = expit(linear)
        score = full.T @ (weight * (y - probability))
        information = full.T @ ((weight * probability * (1 - probability))[:, None] * full)
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            break
        for _ in range(MOST_STEPS):
            next_linear = full @ (beta + step)
            next_value = _log_likelihood(next_linear, y, weight)
            if next_value >= value - 1e-12 * abs(value):
                break
            step = step / 2
        else:
            break
        beta, linear, value = beta + step, next_linear, next_value
        if float(score @ step) < SMALL_STEP:
            return beta, iteration
    _check_separation(full, y, names)
    raise StatisticsError("the maximum of the likelihood was not found", remedy="choose fewer variables")


def _log_likelihood(linear: Floats, y: Floats, weight: Floats) -> float:
    return float(weight @ (y * linear - np.logaddexp(0, linear)))


def _check_columns(full: Floats, names: Sequence[str]) -> None:
    """Refuse the first column that is constant or follows from those before it."""
    triangle = np.abs(np.diag(np.linalg.qr(full, mode="r")))
    lost = np.flatnonzero(triangle <= NEGLIGIBLE * np.sqrt(len(full)))
    if len(lost):
        column = int(lost[0])
        if np.ptp(full[:, column]) <= NEGLIGIBLE:
            raise StatisticsError(f"{names[column - 1]!r} has the same value for everybody",
                                  remedy="leave it out of the model")
        raise StatisticsError(f"{names[column - 1]!r} follows from the other columns",
                              remedy="leave it out of the model")


def _check_separation(full: Floats, y: Floats, names: Sequence[str]) -> None:
    """Refuse outcomes that some combination of columns tells apart, by a linear programme over the distinct rows."""
    signed = np.unique(np.where(y[:, None] > 0, full, -full), axis=0)
    solution = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1), method="highs")
    if solution.status != 0 or solution.fun is None or solution.x is None:
        raise StatisticsError("it cannot be decided whether the model has a finite estimate",
                              remedy="use fewer columns")
    if -solution.fun > LEAST_GAIN:
        moving = np.flatnonzero(np.abs(np.asarray(solution.x)[1:]) > LEAST_GAIN).tolist()
        raise StatisticsError(f"the estimate of {', '.join(repr(names[j]) for j in moving)} is infinite: it tells the "
                              "outcomes apart (separation)", remedy="join levels, or leave it out of the model")
