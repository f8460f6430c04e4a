"""The Grambsch-Therneau test of proportional hazards, exact from an event table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import chdtrc

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import ChiSquareTest, CoxModel
from harmony_dash.stats.event_table import EventTable, Floats
from harmony_dash.stats.partial_likelihood import PatternDays, count_pattern_days, evaluate_likelihood
from harmony_dash.stats.risk_sets import add_causes, cause_position, count_risk_sets

TRANSFORMS: Final = ("km", "identity")


@dataclass(frozen=True)
class ProportionalHazardsTest:
    """A test of hazard ratios that do not change with time.

    Attributes
    ----------
    transform : the time scale on which a change is looked for.
    terms : names of the terms.
    tests : shape (terms,); one test for each, with as many degrees of freedom as it has columns.
    overall : the test of all terms together.
    """

    transform: str
    terms: tuple[str, ...]
    tests: tuple[ChiSquareTest, ...]
    overall: ChiSquareTest

    @property
    def methods(self) -> str:
        """The method in words."""
        scale = "Kaplan-Meier" if self.transform == "km" else "untransformed time"
        return f"Grambsch-Therneau test of proportional hazards ({scale} scale)"


def compare_effects_over_time(table: EventTable, model: CoxModel, *, transform: str = "km",
                              terms: Sequence[str] | None = None) -> ProportionalHazardsTest:
    """Test whether the hazard ratios of a fitted Cox model change with time.

    Assumes
        As the model. The test looks for a change in one direction of g(t): it can miss ratios that go up and down.

    Formula
        The score test of adding x g(t) to the model at its estimate, g centred at its mean over events. With U(t) and
        I(t) score and information of a day (Efron's with ties): u = sum g U(t) and the matrix of blocks sum I(t),
        sum g I(t), sum g^2 I(t); the statistic is the last block of its inverse applied to u. g(t) is the day, or
        1 - S(t-) of the Kaplan-Meier estimate over all patients, strata pooled.

    Parameters
    ----------
    table : the event table the model was fitted to.
    model : the fitted model.
    transform : "km" or "identity".
    terms : shape (parameters,); the term each column belongs to, so that the levels of a variable are tested together.
        Each column is its own term when left out.

    Returns
    -------
    ProportionalHazardsTest; equal to R's `cox.zph` of survival 3.

    Raises
    ------
    StatisticsError for an unknown transform, a table the model was not fitted to, or when events are on one day only or
    too few to tell a change.

    References
    ----------
    Grambsch, Therneau, Biometrika 81 (1994) 515-526, as the exact score test of survival 3.0 and later; Therneau,
    Grambsch, Modeling Survival Data (2000), section 6.2.
    """
    if transform not in TRANSFORMS:
        raise StatisticsError(f"a time scale is one of {', '.join(TRANSFORMS)}, not {transform!r}")
    days = count_pattern_days(table, model.cause)
    if (days.patients.sum(), days.events, days.patterns) != (model.patients, model.events, model.design.shape[1]):
        raise StatisticsError("the model was fitted to another event table")
    of = tuple(model.names) if terms is None else tuple(terms)
    if len(of) != len(model.names):
        raise StatisticsError("every column of the model belongs to a term")
    unit = np.ptp(model.design, axis=(0, 1))
    design, linear = model.design / unit, model.design @ model.coefficients
    scale = _time_scale(table, days, transform)
    if np.ptp(scale) == 0:
        raise StatisticsError("a change over time needs events on more than one day")
    blocks = [evaluate_likelihood(days, linear, ties=model.ties, day_weight=scale**power) for power in (0, 1, 2)]
    score = np.einsum("bgp,bg->p", design, blocks[1].residual)
    plain, once, twice = (np.einsum("bgp,bgq->pq", design, block.information @ design) for block in blocks)
    return score_tests(transform, of, score, plain, once, twice)


def score_tests(transform: str, of: Sequence[str], score: Floats, plain: Floats, once: Floats,
                twice: Floats) -> ProportionalHazardsTest:
    """Test each term, and all together, from the score of x g(t) and the sums of I, g I and g^2 I over days.

    Parameters
    ----------
    transform : name of the time scale g.
    of : shape (parameters,); the term of each column.
    score : shape (parameters,).
    plain, once, twice : shape (parameters, parameters).
    """
    # What is left of g(t) x once the model itself has taken its share: the variance of the score.
    variance = twice - once @ np.linalg.solve(plain, once)
    names = tuple(dict.fromkeys(of))
    columns = [[j for j, term in enumerate(of) if term == name] for name in names]
    return ProportionalHazardsTest(transform, names,
                                   tuple(_score_test(score, twice, once, plain, part) for part in columns),
                                   _quadratic(score, variance))


def _score_test(score: Floats, twice: Floats, once: Floats, plain: Floats, columns: list[int]) -> ChiSquareTest:
    cross = once[:, columns]
    variance = twice[np.ix_(columns, columns)] - cross.T @ np.linalg.solve(plain, cross)
    return _quadratic(score[columns], variance)


def _quadratic(score: Floats, variance: Floats) -> ChiSquareTest:
    if np.linalg.matrix_rank(variance, hermitian=True) < len(score):
        raise StatisticsError("there are too few events to tell whether a hazard ratio changes with time")
    statistic = max(float(score @ np.linalg.solve(variance, score)), 0.0)
    return ChiSquareTest(statistic, len(score), float(chdtrc(len(score), statistic)))


def _time_scale(table: EventTable, days: PatternDays, transform: str) -> Floats:
    """Return g on the days that tell patterns apart, centred at the mean over every event, range about 1."""
    sets = count_risk_sets(table)
    events = add_causes(sets.events) if days.cause is None else sets.events[:, cause_position(table, days.cause)]
    if transform == "identity":
        scale = sets.days / max(float(sets.days[-1]), 1.0)
    else:
        survival = np.cumprod(1 - events / np.maximum(sets.at_risk, 1), dtype=np.float64)
        scale = 1 - np.concatenate([[1.0], survival[:-1]])
    centred = scale - (events @ scale) / events.sum()
    kept: Floats = centred[np.searchsorted(sets.days, days.day)]
    return kept
