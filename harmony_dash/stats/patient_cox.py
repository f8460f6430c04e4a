"""Cox regression on patients one by one: continuous covariates, weights, strata; quick enough for a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.newton import SMALL_STEP, find_maximum
from harmony_dash.stats.partial_likelihood import TIES
from harmony_dash.stats.patient_risk import (
    PatientOrder,
    RiskSums,
    lived_through,
    score_and_information,
    sort_patients,
    sum_over_risk_sets,
)

# Of a column's variance among those at risk, what the columns before it leave over by rounding alone.
NEGLIGIBLE: Final = 1e-9
# A log hazard ratio over the range of a column. Estimates beyond are on their way to infinity: Newton's steps stop at
# about 25, when a further step no longer changes the likelihood.
LARGEST_EFFECT: Final = 15.0


@dataclass(frozen=True)
class BaselineHazard:
    """The cumulative baseline hazard of every stratum: steps on the days with an event.

    Attributes
    ----------
    days, hazard : one array a stratum; the value from that day on, 0 before the first.
    """

    days: tuple[Ints, ...]
    hazard: tuple[Floats, ...]

    def at(self, days: Ints) -> Floats:
        """Shape (strata, m); the cumulative hazard on chosen days."""
        return np.array([np.concatenate([[0.0], hazard])[np.searchsorted(steps, days, side="right")]
                         for steps, hazard in zip(self.days, self.hazard, strict=True)])


@dataclass(frozen=True)
class PatientCoxModel:
    """A proportional hazards model fitted to patients one by one.

    Attributes
    ----------
    names : names of the parameters.
    coefficients, std_error : shape (parameters,); log hazard ratios per unit of the column.
    covariance : shape (parameters, parameters); inverse of the information. With weights that are not counts it is
        not the variance of the coefficients.
    log_likelihood : at the coefficients.
    baseline : for a patient whose columns are all 0; by the same rule for ties as the coefficients.
    patients, events : counts, whatever the weights.
    ties : "efron" or "breslow".
    iterations : Newton steps taken.
    """

    names: tuple[str, ...]
    coefficients: Floats
    std_error: Floats
    covariance: Floats
    log_likelihood: float
    baseline: BaselineHazard
    patients: int
    events: int
    ties: str
    iterations: int

    @property
    def methods(self) -> str:
        """The method in words."""
        strata = sum(len(days) > 0 for days in self.baseline.days)
        stratified = f", {strata} strata" if strata > 1 else ""
        return f"Cox proportional hazards model{stratified}, {self.ties.capitalize()} ties and baseline hazard"


@dataclass(frozen=True)
class CoxRows:
    """Patients prepared for repeated fits with different weights.

    Attributes
    ----------
    names, ties : as in `PatientCoxModel`.
    order : the sorted patients.
    design : shape (n, parameters); sorted, each column centred and divided by `unit`.
    centre, unit : shape (parameters,); mean and range of the columns as given.
    """

    names: tuple[str, ...]
    ties: str
    order: PatientOrder
    design: Floats
    centre: Floats
    unit: Floats

    @classmethod
    def prepare(cls, day: ArrayLike, event: ArrayLike, design: ArrayLike, names: Sequence[str], *,
                stratum: ArrayLike | None = None, strata: int = 1, ties: str = "efron") -> CoxRows:
        """Sort patients and scale their columns, or refuse them.

        Parameters
        ----------
        day, event, design, names, stratum, ties : as in `fit_patient_cox`.
        strata : number of strata, those without patients included.
        """
        days, died = np.asarray(day, dtype=np.int64), np.asarray(event)
        columns = np.asarray(design, dtype=np.float64)
        if ties not in TIES:
            raise StatisticsError(f"ties are treated by one of {', '.join(TIES)}, not {ties!r}")
        if not len(days):
            raise StatisticsError("a Cox model needs patients")
        if columns.ndim != 2 or columns.shape != (len(days), len(names)) or not names or len(died) != len(days):
            raise StatisticsError("a design has one row for each patient and one column for each name")
        if not np.isfinite(columns).all():
            raise StatisticsError("a design holds a missing or infinite value")
        if not np.isin(died, (0, 1)).all():
            raise StatisticsError("an event is 0 or 1")
        if not died.any():
            raise StatisticsError("a Cox model needs at least one event")
        of = np.zeros(len(days), dtype=np.int64) if stratum is None else np.asarray(stratum, dtype=np.int64)
        order = sort_patients(days, died.astype(np.int64), of, strata, ties=ties)
        centre, unit = columns.mean(axis=0), np.ptp(columns, axis=0)
        unit = np.where(unit > 0, unit, 1.0)
        return cls(tuple(names), ties, order, (columns[order.order] - centre) / unit, centre, unit)


@dataclass(frozen=True)
class CoxFit:
    """Where Newton's method ended: coefficients of the scaled columns, sums over risk sets, steps taken."""

    scaled: Floats
    sums: RiskSums
    iterations: int


def fit_patient_cox(day: ArrayLike, event: ArrayLike, design: ArrayLike, names: Sequence[str], *,
                    stratum: ArrayLike | None = None, strata: int | None = None, weight: ArrayLike | None = None,
                    ties: str = "efron", events_per_parameter: float = EVENTS_PER_PARAMETER) -> PatientCoxModel:
    """Fit a Cox model to patients given one by one.

    Assumes
        Hazards within a stratum are proportional; each stratum has its own baseline. Censoring is independent of the
        event given covariates and stratum. Several events on a day are ties. Everybody is under observation from day 0.

    Formula
        The maximum of the weighted partial likelihood (see `sum_over_risk_sets`) by Newton's method with halved steps;
        baseline cumulative hazard by the same rule for ties.

    Parameters
    ----------
    day : shape (n,); whole days.
    event : shape (n,); 1 for the event, 0 for censored.
    design : shape (n, parameters), without intercept.
    names : shape (parameters,).
    stratum : shape (n,) of positions 0, 1, ...; one stratum when left out.
    strata : number of strata, by default as many as occur.
    weight : shape (n,); positive case weights, 1 when left out.
    ties : "efron" or "breslow".
    events_per_parameter : fewest events for each parameter; 0 asks for none.

    Returns
    -------
    PatientCoxModel

    Raises
    ------
    StatisticsError without events, with too few, for a column that is constant or follows from others among those at
    risk, if an estimate is infinite (monotone likelihood), or for rows that do not fit together.

    References
    ----------
    Cox, J R Stat Soc B 34 (1972) 187-220; Efron, J Am Stat Assoc 72 (1977) 557-565; Therneau, Grambsch, Modeling
    Survival Data (2000), chapter 3 and section 10.2.
    """
    of = np.zeros(len(np.asarray(day)), dtype=np.int64) if stratum is None else np.asarray(stratum, dtype=np.int64)
    count = (int(of.max()) + 1 if len(of) else 1) if strata is None else strata
    rows = CoxRows.prepare(day, event, design, names, stratum=of, strata=count, ties=ties)
    return fit_prepared_cox(rows, weight=weight, events_per_parameter=events_per_parameter)


def fit_prepared_cox(rows: CoxRows, *, weight: ArrayLike | None = None,
                     events_per_parameter: float = EVENTS_PER_PARAMETER) -> PatientCoxModel:
    """Fit the model of `fit_patient_cox` to prepared rows."""
    n, parameters = rows.design.shape
    given = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if len(given) != n or not (np.isfinite(given).all() and (given > 0).all()):
        raise StatisticsError("a Cox model takes one positive weight for each patient")
    if rows.order.events < events_per_parameter * parameters:
        raise StatisticsError(f"{rows.order.events} events are too few for {parameters} "
                              f"parameter{'s' if parameters > 1 else ''}: {events_per_parameter:g} are asked for each",
                              remedy="choose fewer variables")
    sorted_weight = given[rows.order.order]
    _check_columns(rows, sorted_weight)
    fit = climb(rows, sorted_weight, np.zeros(parameters))
    far = np.flatnonzero(np.abs(fit.scaled) > LARGEST_EFFECT)
    if len(far):
        raise StatisticsError(f"the estimate of {', '.join(repr(rows.names[j]) for j in far)} is infinite: all events "
                              "fall on one side (monotone likelihood)",
                              remedy="join levels that have too few events, or leave it out of the model")
    _, information = score_and_information(rows.order, fit.sums, rows.design, sorted_weight)
    covariance = np.linalg.inv(information) / np.outer(rows.unit, rows.unit)
    covariance = (covariance + covariance.T) / 2
    return PatientCoxModel(rows.names, fit.scaled / rows.unit, np.sqrt(np.diag(covariance)), covariance,
                           fit.sums.log_likelihood, baseline_hazard(rows, fit), n, rows.order.events, rows.ties,
                           fit.iterations)


def climb(rows: CoxRows, sorted_weight: Floats, start: Floats, *, small_step: float = SMALL_STEP) -> CoxFit:
    """Return the maximum of the likelihood by Newton's method.

    Parameters
    ----------
    rows : the prepared patients.
    sorted_weight : shape (n,); in their sorted order.
    start : shape (parameters,); coefficients of the scaled columns. A start near the maximum saves steps.
    small_step : squared length, in standard errors, of a step after which no other is taken.
    """
    def evaluate(linear: Floats) -> RiskSums:
        return sum_over_risk_sets(rows.order, linear, sorted_weight)

    return CoxFit(*find_maximum(
        start, evaluate(rows.design @ start), design=rows.design, evaluate=evaluate, small_step=small_step,
        project=lambda sums: score_and_information(rows.order, sums, rows.design, sorted_weight)))


def baseline_hazard(rows: CoxRows, fit: CoxFit) -> BaselineHazard:
    """Return the baseline hazards of a fit, for columns as they were given."""
    # Sums were made with columns centred and risks divided by their largest.
    shift = float((rows.centre / rows.unit) @ fit.scaled) + fit.sums.centre
    return _by_stratum(rows.order, lived_through(rows.order, fit.sums.increment) * np.exp(-shift))


def centred_hazard(rows: CoxRows, fit: CoxFit) -> BaselineHazard:
    """Return the baseline hazards for a patient with the mean of every column."""
    return _by_stratum(rows.order, lived_through(rows.order, fit.sums.increment) * np.exp(-fit.sums.centre))


def _by_stratum(order: PatientOrder, hazard: Floats) -> BaselineHazard:
    days, values = [np.zeros(0, dtype=np.int64)] * order.strata, [np.zeros(0)] * order.strata
    for span in order.spans:
        stratum = int(order.stratum[span.start])
        days[stratum], values[stratum] = order.day[span][::-1], hazard[span][::-1]
    return BaselineHazard(tuple(days), tuple(values))


def _check_columns(rows: CoxRows, sorted_weight: Floats) -> None:
    """Refuse a column that is constant, or follows from those before it, wherever patients are compared."""
    sums = sum_over_risk_sets(rows.order, np.zeros(len(rows.design)), sorted_weight)
    _, information = score_and_information(rows.order, sums, rows.design, sorted_weight)
    weighed = float(sorted_weight[rows.order.dead].sum())
    for column, name in enumerate(rows.names):
        own = information[column, column]
        if own <= NEGLIGIBLE * weighed:
            raise StatisticsError(f"{name!r} never differs between patients of one stratum at risk on a day with an "
                                  "event", remedy="leave it out of the model, or stratify by less")
        before = slice(0, column)
        explained, _, _, _ = np.linalg.lstsq(information[before, before], information[before, column], rcond=None)
        if own - information[before, column] @ explained <= NEGLIGIBLE * own:
            linked = [other for other, share in zip(rows.names, explained, strict=False) if abs(share) > NEGLIGIBLE]
            raise StatisticsError(f"{', '.join(map(repr, [*linked, name]))} say the same: wherever patients are "
                                  f"compared, each follows from the others", remedy=f"leave {name!r} out of the model")
