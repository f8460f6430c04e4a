"""Cox regression on categorical covariates, exact from an event table of covariate patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.estimability import check_estimable
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.newton import find_maximum
from harmony_dash.stats.partial_likelihood import (
    TIES,
    LikelihoodTerms,
    PatternDays,
    count_pattern_days,
    evaluate_likelihood,
)

# Below about five events a parameter estimates are biased and intervals too short (Vittinghoff, McCulloch, Am J
# Epidemiol 165 (2007) 710-718).
EVENTS_PER_PARAMETER: Final = 5.0


@dataclass(frozen=True)
class ChiSquareTest:
    """A chi-square statistic, its degrees of freedom and its p-value."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class CoxModel:
    """A fitted proportional hazards model.

    Attributes
    ----------
    names : names of the parameters.
    coefficients, std_error, p : shape (parameters,); log hazard ratios per unit of the column, and Wald p-values.
    covariance : shape (parameters, parameters); inverse of the information.
    level : confidence level of `lower` and `upper`.
    ratio, lower, upper : shape (parameters,); hazard ratios and their Wald limits.
    log_likelihood_null, log_likelihood : at 0 and at the coefficients.
    likelihood_ratio_test, wald_test, score_test : tests of all coefficients being 0.
    patients, events : in the table.
    informative_events : events on days with two patterns at risk in their stratum, the only ones that count.
    strata : number of strata with such a day.
    cause : the cause counted as event, None for any.
    ties : "efron" or "breslow".
    iterations : Newton steps taken.
    design : shape (1 or strata, patterns, parameters); as given.
    """

    names: tuple[str, ...]
    coefficients: Floats
    std_error: Floats
    p: Floats
    covariance: Floats
    level: float
    ratio: Floats
    lower: Floats
    upper: Floats
    log_likelihood_null: float
    log_likelihood: float
    likelihood_ratio_test: ChiSquareTest
    wald_test: ChiSquareTest
    score_test: ChiSquareTest
    patients: int
    events: int
    informative_events: int
    strata: int
    cause: str | None
    ties: str
    iterations: int
    design: Floats

    @property
    def methods(self) -> str:
        """The method in words."""
        stratified = f", {self.strata} strata" if self.strata > 1 else ""
        return (f"Cox proportional hazards model{stratified}, {self.ties.capitalize()} ties, {100 * self.level:g} % "
                "Wald confidence interval")


def fit_cox(table: EventTable | PatternDays, design: ArrayLike, names: Sequence[str], *,
            cause: str | int | None = None, ties: str = "efron", level: float = 0.95,
            events_per_parameter: float = EVENTS_PER_PARAMETER, known_estimable: bool = False) -> CoxModel:
    """Fit a Cox model to an event table whose groups are covariate patterns.

    Assumes
        Hazards within a stratum are proportional between patterns; each stratum has its own baseline. Censoring and
        late entry are independent of the event given pattern and stratum. Several events on a day are ties.

    Formula
        The maximum of log L = sum d_g x_g'b - sum_l log sum_g (Y_g - l/m d_g) exp(x_g'b) over b, with one term l for
        each of the m events of a day in a stratum (see `evaluate_likelihood`), by Newton's method with halved steps.
        Tests of b = 0: 2 (log L(b) - log L(0)); b'Ib; U(0)'I(0)^-1 U(0).

    Parameters
    ----------
    table : event table whose groups are patterns and whose strata have separate baselines; or its days, counted
        before, to fit several models to one table (then `cause` has been chosen).
    design : shape (patterns, parameters), the columns of each pattern without intercept; or (strata, patterns,
        parameters) when a column depends on the stratum, as a treatment × trial interaction does.
    names : shape (parameters,); what the messages call the columns.
    cause : name or position of the cause that counts as event, the others being censored; None for any cause.
    ties : "efron" or "breslow".
    level : confidence level.
    events_per_parameter : fewest informative events for each parameter; 0 asks for none.
    known_estimable : the caller knows that `check_estimable` would pass; saves its work.

    Returns
    -------
    CoxModel

    Raises
    ------
    StatisticsError without events, if a column is constant or collinear wherever patients are compared, if an estimate
    is infinite (monotone likelihood), with too few events, for a design that does not fit the table, or if the maximum
    is not found.

    References
    ----------
    Cox, J R Stat Soc B 34 (1972) 187-220; Efron, J Am Stat Assoc 72 (1977) 557-565; Therneau, Grambsch, Modeling
    Survival Data (2000), sections 3.1-3.4.
    """
    days = table if isinstance(table, PatternDays) else count_pattern_days(table, cause)
    if not days.patients.any():
        raise StatisticsError("a Cox model needs patients")
    z = normal_quantile(level)
    if ties not in TIES:
        raise StatisticsError(f"ties are treated by one of {', '.join(TIES)}, not {ties!r}")
    given = _read_design(days, design, names)
    if days.events == 0:
        raise StatisticsError("a Cox model needs at least one event")
    # A column's unit is the user's: steps, ranks and rounding are judged on columns with a range of 1.
    unit = np.ptp(given, axis=(0, 1))
    scaled = given / np.where(unit > 0, unit, 1.0)
    if not known_estimable:
        check_estimable(days, scaled, names)
    parameters = len(names)
    informative = _count_informative(days, parameters, events_per_parameter)
    null = evaluate_likelihood(days, _linear(scaled, np.zeros(parameters)), ties=ties)
    score, information = _project(scaled, null)
    score_test = _chi_square(float(score @ np.linalg.solve(information, score)), parameters)
    beta, fitted, iterations = find_maximum(
        np.zeros(parameters), null, design=scaled, project=lambda terms: _project(scaled, terms),
        evaluate=lambda linear: evaluate_likelihood(days, linear, ties=ties))
    _, information = _project(scaled, fitted)
    covariance = np.linalg.inv(information) / np.outer(unit, unit)
    wald = float(beta @ information @ beta)
    coefficients = beta / unit
    std_error = np.sqrt(np.diag(covariance))
    with np.errstate(over="ignore"):  # a limit beyond the largest number is infinite
        ratio, lower, upper = (np.exp(coefficients + shift * std_error) for shift in (0.0, -z, z))
    strata = int(np.count_nonzero(np.diff(days.stratum, prepend=-1)))
    gain = 2 * (fitted.log_likelihood - null.log_likelihood)
    return CoxModel(tuple(names), coefficients, std_error, 2 * ndtr(-np.abs(coefficients) / std_error),
                    (covariance + covariance.T) / 2, level, ratio, lower, upper, null.log_likelihood,
                    fitted.log_likelihood, _chi_square(gain, parameters), _chi_square(wald, parameters), score_test,
                    int(days.patients.sum()), days.events, informative, strata, days.cause, ties,
                    iterations, given)


def _count_informative(days: PatternDays, parameters: int, events_per_parameter: float) -> int:
    """The events a model rests on, unless they are too few for it."""
    informative = int(days.deaths.sum())
    if informative < events_per_parameter * parameters:
        raise StatisticsError(
            f"{informative} events are too few for {parameters} parameter{'s' if parameters > 1 else ''}: "
            f"{events_per_parameter:g} are asked for each", remedy="choose fewer variables or join levels")
    return informative


def compare_nested(larger: CoxModel, smaller: CoxModel) -> ChiSquareTest:
    """Compare two Cox models of the same patients, one holding the other, by their likelihoods.

    Assumes
        The smaller model's columns are combinations of the larger one's.

    Formula
        2 (log L larger - log L smaller), chi-square with the difference in parameters.

    Parameters
    ----------
    larger, smaller : models fitted to the same table with the same ties.

    Returns
    -------
    ChiSquareTest

    Raises
    ------
    StatisticsError if the models cannot be nested or were not fitted to the same patients.

    References
    ----------
    Therneau, Grambsch, Modeling Survival Data (2000), section 3.4.
    """
    df = len(larger.names) - len(smaller.names)
    same = ("patients", "events", "informative_events", "strata", "cause", "ties")
    null = larger.log_likelihood_null - smaller.log_likelihood_null
    if any(getattr(larger, name) != getattr(smaller, name) for name in same) or abs(null) > 1e-6:
        raise StatisticsError("two models are compared on the same patients only")
    statistic = 2 * (larger.log_likelihood - smaller.log_likelihood)
    if df < 1 or statistic < -1e-6:
        raise StatisticsError("the first model does not hold the second")
    return _chi_square(statistic, df)


def _read_design(days: PatternDays, design: ArrayLike, names: Sequence[str]) -> Floats:
    given = np.asarray(design, dtype=np.float64)
    if given.ndim == 2:
        given = given[None]
    if given.ndim != 3 or given.shape[0] not in (1, days.strata) or given.shape[1] != days.patterns:
        raise StatisticsError("a design has one row for each group of its event table")
    if given.shape[2] != len(names) or not names or len(set(names)) < len(names):
        raise StatisticsError("a design has one column for each name, and each name once")
    if not np.isfinite(given).all():
        raise StatisticsError("a design holds a missing or infinite value")
    return given


def _linear(design: Floats, beta: Floats) -> Floats:
    linear: Floats = design @ beta
    return linear


def _project(design: Floats, terms: LikelihoodTerms) -> tuple[Floats, Floats]:
    """Return score and information of the parameters."""
    score = np.einsum("bgp,bg->p", design, terms.residual)
    information = np.einsum("bgp,bgq->pq", design, terms.information @ design)
    return score, information


def _chi_square(statistic: float, df: int) -> ChiSquareTest:
    return ChiSquareTest(max(statistic, 0.0), df, float(chdtrc(df, max(statistic, 0.0))))
