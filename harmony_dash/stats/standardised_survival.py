"""Survival had everybody been in one arm: the g-formula over a stratified Cox model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import ArmComparison, compare_estimates, read_days
from harmony_dash.stats.arm_patients import ArmPatients, check_followed_to
from harmony_dash.stats.bayesian_bootstrap import Draw, difference_errors, draw_replicates, transformed_errors
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.patient_cox import (
    BaselineHazard,
    CoxRows,
    PatientCoxModel,
    centred_hazard,
    climb,
    fit_prepared_cox,
)
from harmony_dash.stats.predictor_grid import ChebyshevNodes, spread_weights

# A step of a thousandth of a standard error no longer shows beside the spread of the replicates.
REPLICATE_STEP: Final = 1e-6
# Of the estimate itself.
EXACT_STEP: Final = 1e-12


@dataclass(frozen=True)
class StandardisedSurvival:
    """Survival of the whole population in each arm, and the difference.

    Attributes
    ----------
    arms : labels of the arms, the reference first.
    survival : curves and difference at the chosen days.
    tau_days : horizon of the restricted means.
    restricted_mean_days, restricted_mean_error : shape (2,); mean event-free time to the horizon and standard error.
    mean_difference_days, mean_difference_error, mean_difference_lower, mean_difference_upper, mean_difference_p :
        second arm minus reference; normal interval and two-sided p.
    model : the outcome model.
    patients, events : in the model.
    replicates : of the bootstrap.
    """

    arms: tuple[str, str]
    survival: ArmComparison
    tau_days: int
    restricted_mean_days: Floats
    restricted_mean_error: Floats
    mean_difference_days: float
    mean_difference_error: float
    mean_difference_lower: float
    mean_difference_upper: float
    mean_difference_p: float
    model: PatientCoxModel
    patients: int
    events: int
    replicates: int

    @property
    def methods(self) -> str:
        """The method in words."""
        return (f"standardised survival (g-formula), {self.model.methods}, columns {', '.join(self.model.names)}; "
                f"{100 * self.survival.level:g} % normal intervals on the log-log (curves) and atanh (differences) "
                f"scale from {self.replicates} replicates of the Bayesian bootstrap within strata")


@dataclass(frozen=True)
class OutcomeRows:
    """Patients sorted once for the model and for the mean over them.

    Attributes
    ----------
    cox : the rows of the outcome model.
    in_arm : shape (2, n, parameters); the model's columns had everybody been in each arm, sorted and scaled like the
        model's.
    stratum : shape (strata with patients,); their positions.
    starts : shape (strata with patients,); first sorted patient of each.
    weight : shape (n,); sorted weights of the target population.
    """

    cox: CoxRows
    in_arm: Floats
    stratum: Ints
    starts: Ints
    weight: Floats

    @classmethod
    def prepare(cls, patients: ArmPatients, cause: int | None, ties: str) -> OutcomeRows:
        """Sort the patients; `cause` is the position of the cause that counts as event, None for any."""
        event = patients.cause > 0 if cause is None else patients.cause == cause + 1
        cox = CoxRows.prepare(patients.day, event.astype(np.int64), patients.outcome_design(), patients.outcome_names,
                              stratum=patients.stratum, strata=len(patients.strata), ties=ties)
        order = cox.order.order
        in_arm = np.array([(patients.outcome_design(arm)[order] - cox.centre) / cox.unit for arm in (0, 1)])
        stratum, starts = np.unique(patients.stratum[order], return_index=True)
        return cls(cox, in_arm, stratum, starts, patients.weight[order])


@dataclass(frozen=True)
class SurvivalEstimate:
    """The standardised curves and restricted means as a function of the patients' weights.

    Attributes
    ----------
    rows : the prepared patients.
    start : shape (parameters,); coefficients of the scaled columns from which the model is climbed.
    days, tau_days : as in `mean_survival`.
    small_step : the step of the likelihood at which the climb ends.
    """

    rows: OutcomeRows
    start: Floats
    days: Ints
    tau_days: int
    small_step: float = REPLICATE_STEP

    def __call__(self, weight: Floats) -> Floats:
        """Shape (2, m + 1) as `mean_survival` has it, of weights of shape (n,) in the order given."""
        cox = self.rows.cox
        in_order = weight[cox.order.order]
        fit = climb(cox, in_order, self.start, small_step=self.small_step)
        return mean_survival(self.rows, fit.scaled, centred_hazard(cox, fit), self.rows.weight * in_order, self.days,
                             self.tau_days)


def standardise_survival(patients: ArmPatients, days: ArrayLike, *, tau_days: int, rng: np.random.Generator,
                         cause: int | None = None, replicates: int = 200, level: float = 0.95, ties: str = "efron",
                         draw: Draw = draw_replicates) -> StandardisedSurvival:
    """Estimate survival had the whole population been in the reference arm, and had it been in the other.

    Assumes
        Given covariates and stratum, who is in which arm does not depend on how they would do (no unmeasured
        confounding), every patient could have been in either, hazards are proportional as the model says, and censoring
        does not depend on the event.

    Formula
        S_a(t) = sum_i v_i exp(-H_k(i)(t) exp(x_i(a)'b)), the coefficients b and the baseline hazards H_k of a Cox
        model with arm, covariates and arm × modifiers, stratified; v_i the patients' weights, summing to 1. Restricted
        means are the areas under S_a. Standard errors: the whole computation under the weights of a Bayesian bootstrap
        within strata, the spread taken of log(-log S), of atanh of differences, and of restricted means themselves.

    Parameters
    ----------
    patients : the rows.
    days : shape (m,); whole days, increasing.
    tau_days : horizon of the restricted means.
    rng : source of the bootstrap weights.
    cause : position of the cause that counts as event, the others being censored; None for any.
    replicates : of the bootstrap.
    level : confidence level.
    ties : "efron" or "breslow", for coefficients and baseline hazards alike.
    draw : draws the replicates; what it is given to compute can be pickled.

    Returns
    -------
    StandardisedSurvival

    Raises
    ------
    StatisticsError as `fit_patient_cox`, or if a day or the horizon lies beyond the follow-up of a stratum; Cancelled.

    References
    ----------
    Robins, Math Model 7 (1986) 1393-1512; Chen, Tsiatis, Biometrics 57 (2001) 1030-1038, for the Cox model; Rubin, Ann
    Stat 9 (1981) 130-134.
    """
    chosen = read_days(days)
    if tau_days < 1 or tau_days != int(tau_days):
        raise StatisticsError("the horizon of a restricted mean is a whole day after day 0")
    check_followed_to(patients, max(int(chosen[-1]), tau_days))
    z = normal_quantile(level)
    rows = OutcomeRows.prepare(patients, cause, ties)
    model = fit_prepared_cox(rows.cox)
    main = model.coefficients * rows.cox.unit
    estimate = SurvivalEstimate(rows, main, chosen, int(tau_days))
    value = replace(estimate, small_step=EXACT_STEP)(np.ones(len(patients.day)))
    drawn = draw(estimate, patients.stratum, replicates, rng)
    curves, means = value[:, :-1], value[:, -1]
    std_error = transformed_errors(curves, drawn[:, :, :-1])
    of_difference = difference_errors(curves[1] - curves[0], drawn[:, 1, :-1] - drawn[:, 0, :-1])
    mean_error = np.std(drawn[:, :, -1], axis=0, ddof=1)
    difference = float(means[1] - means[0])
    error = float(np.std(drawn[:, 1, -1] - drawn[:, 0, -1], ddof=1))
    known = error > 0
    return StandardisedSurvival(
        patients.arms, compare_estimates(chosen, curves, std_error, of_difference, level), int(tau_days), means,
        mean_error, difference, error, difference - z * error if known else np.nan,
        difference + z * error if known else np.nan, float(2 * ndtr(-abs(difference) / error)) if known else np.nan,
        model, model.patients, model.events, replicates)


def mean_survival(rows: OutcomeRows, scaled: Floats, baseline: BaselineHazard, weight: Floats, days: Ints,
                  tau_days: int) -> Floats:
    """Return the mean survival curve in each arm and the area under it, exactly but for rounding.

    Parameters
    ----------
    rows : the prepared patients.
    scaled : shape (parameters,); coefficients of the scaled columns.
    baseline : hazards of a patient with the mean of every column.
    weight : shape (n,); sorted like the rows.
    days : shape (m,).
    tau_days : the horizon.

    Returns
    -------
    shape (2, m + 1); survival at the days, and last the restricted mean in days.
    """
    linear = rows.in_arm @ scaled
    nodes = ChebyshevNodes.spanning(linear[0], linear[1])
    hazard_ratio = np.exp(nodes.values)
    at_days = baseline.at(days)
    found = np.zeros((2, len(days) + 1))
    of_arm = [spread_weights(nodes, linear[arm], weight / weight.sum(), rows.starts) for arm in (0, 1)]
    for position, stratum in enumerate(rows.stratum.tolist()):
        steps = baseline.days[stratum]
        before = int(np.searchsorted(steps, tau_days, side="left"))
        survival = np.exp(-np.outer(at_days[stratum], hazard_ratio))
        lengths = np.diff(np.concatenate([[0], steps[:before], [tau_days]]))
        heights = np.exp(-np.outer(np.concatenate([[0.0], baseline.hazard[stratum][:before]]), hazard_ratio))
        both = np.vstack([survival, lengths @ heights])
        for arm in (0, 1):
            found[arm] += both @ of_arm[arm][position]
    # Interpolation errs by 1e-10 at most; a curve stays a probability all the same.
    found[:, :-1] = np.clip(found[:, :-1], 0, 1)
    return found
