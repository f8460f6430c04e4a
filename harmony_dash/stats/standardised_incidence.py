"""Cumulative incidence of two competing causes had everybody been in one arm: the cause-specific g-formula."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import ArmComparison, compare_estimates, read_days
from harmony_dash.stats.arm_patients import ArmPatients, check_followed_to
from harmony_dash.stats.bayesian_bootstrap import Draw, difference_errors, draw_replicates, transformed_errors
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.patient_cox import BaselineHazard, PatientCoxModel, centred_hazard, climb, fit_prepared_cox
from harmony_dash.stats.predictor_grid import ChebyshevNodes, spread_joint_weights
from harmony_dash.stats.standardised_survival import EXACT_STEP, REPLICATE_STEP, OutcomeRows


@dataclass(frozen=True)
class StandardisedIncidence:
    """Cumulative incidence of both causes in each arm, and the differences.

    Attributes
    ----------
    arms : labels of the arms, the reference first.
    causes : names of the two causes.
    incidence : for each cause its curves and their difference.
    models : for each cause its model.
    patients : in both models.
    events : for each cause.
    replicates : of the bootstrap.
    """

    arms: tuple[str, str]
    causes: tuple[str, str]
    incidence: tuple[ArmComparison, ArmComparison]
    models: tuple[PatientCoxModel, PatientCoxModel]
    patients: int
    events: tuple[int, int]
    replicates: int

    @property
    def methods(self) -> str:
        """The method in words."""
        first, second = self.models
        columns = ", ".join(first.names)
        if second.names != first.names:
            columns += f" ({self.causes[0]}) and {', '.join(second.names)} ({self.causes[1]})"
        return (f"standardised cumulative incidence (cause-specific g-formula, exponential form), for each cause a "
                f"{first.methods}, columns {columns}; {100 * self.incidence[0].level:g} % normal "
                f"intervals on the log-log (curves) and atanh (differences) scale from {self.replicates} replicates "
                f"of the Bayesian bootstrap within strata")


@dataclass(frozen=True)
class IncidenceEstimate:
    """The standardised cumulative incidences as a function of the patients' weights.

    Attributes
    ----------
    rows, starts, days : for each cause the prepared patients and the coefficients of the scaled columns from which its
        model is climbed; and as in `mean_incidence`.
    small_step : the step of the likelihood at which a climb ends.
    """

    rows: tuple[OutcomeRows, OutcomeRows]
    starts: tuple[Floats, Floats]
    days: Ints
    small_step: float = REPLICATE_STEP

    def __call__(self, weight: Floats) -> Floats:
        """Shape (2 causes, 2 arms, m), of weights of shape (n,) in the order given."""
        # Both causes sort by stratum and last day, and so alike.
        in_order = weight[self.rows[0].cox.order.order]
        fits = [climb(one.cox, in_order, start, small_step=self.small_step)
                for one, start in zip(self.rows, self.starts, strict=True)]
        hazards = [centred_hazard(one.cox, fit) for one, fit in zip(self.rows, fits, strict=True)]
        return mean_incidence(self.rows, (fits[0].scaled, fits[1].scaled), (hazards[0], hazards[1]),
                              self.rows[0].weight * in_order, self.days)


def standardise_incidence(patients: ArmPatients, days: ArrayLike, *, rng: np.random.Generator, replicates: int = 200,
                          level: float = 0.95, ties: str = "efron", second_patients: ArmPatients | None = None,
                          draw: Draw = draw_replicates) -> StandardisedIncidence:
    """Estimate the cumulative incidence of two causes had the whole population been in one arm, and in the other.

    Assumes
        As `standardise_survival`, with proportional hazards for each cause. Nothing about independence of the causes.

    Formula
        F_c,a(t) = sum_i v_i sum_(s<=t) exp(-L_i(s-)) dL_ic(s), L_ic(t) = H_c,k(i)(t) exp(x_i(a)'b_c) for the
        cause-specific Cox models c = 1, 2, L_i = L_i1 + L_i2. Survival enters as exp(-L), not as a product over days:
        with ties, incidences and event-free survival add up to 1 only nearly.

    Parameters
    ----------
    patients : the rows; exactly two causes.
    days : shape (m,); whole days, increasing.
    second_patients : the same patients with other covariates, for the model of the second cause, which may have fewer
        events.
    others : as in `standardise_survival`.

    Returns
    -------
    StandardisedIncidence

    Raises
    ------
    StatisticsError unless there are two causes, for a day beyond the follow-up of a stratum, and for either cause as
    `fit_patient_cox`; Cancelled.

    References
    ----------
    Benichou, Gail, Biometrics 46 (1990) 813-826, equation 2.2; Ozenne, Scheike, Staerk, Gerds, Biom J 62 (2020)
    751-763, section 3.
    """
    chosen = read_days(days)
    check_followed_to(patients, int(chosen[-1]))
    if len(patients.causes) != 2:
        raise StatisticsError("cumulative incidences are standardised for two causes, the one of interest and its "
                              "competitor", remedy="join the other causes")
    rows = (OutcomeRows.prepare(patients, 0, ties), OutcomeRows.prepare(second_patients or patients, 1, ties))
    first, second = (fit_prepared_cox(one.cox) for one in rows)
    mains = first.coefficients * rows[0].cox.unit, second.coefficients * rows[1].cox.unit
    estimate = IncidenceEstimate(rows, mains, chosen)
    value = replace(estimate, small_step=EXACT_STEP)(np.ones(len(patients.day)))
    drawn = draw(estimate, patients.stratum, replicates, rng)

    def compare(cause: int) -> ArmComparison:
        curves, sample = value[cause], drawn[:, cause]
        errors = difference_errors(curves[1] - curves[0], sample[:, 1] - sample[:, 0])
        return compare_estimates(chosen, curves, transformed_errors(curves, sample), errors, level)

    return StandardisedIncidence(patients.arms, (patients.causes[0], patients.causes[1]), (compare(0), compare(1)),
                                 (first, second), first.patients, (first.events, second.events), replicates)


def mean_incidence(rows: tuple[OutcomeRows, OutcomeRows], scaled: tuple[Floats, Floats],
                   baselines: tuple[BaselineHazard, BaselineHazard], weight: Floats, days: Ints) -> Floats:
    """Return the mean cumulative incidences, exactly but for rounding.

    Parameters
    ----------
    rows, scaled, baselines : for each cause, as in `mean_survival`.
    weight : shape (n,); sorted like the rows.
    days : shape (m,).

    Returns
    -------
    shape (2 causes, 2 arms, m).
    """
    linear = [one.in_arm @ beta for one, beta in zip(rows, scaled, strict=True)]
    nodes = (ChebyshevNodes.spanning(*linear[0]), ChebyshevNodes.spanning(*linear[1]))
    ratios = [np.exp(one.values) for one in nodes]
    share = weight / weight.sum()
    found = np.zeros((2, 2, len(days)))
    of_arm = [spread_joint_weights(nodes, (linear[0][arm], linear[1][arm]), share, rows[0].starts) for arm in (0, 1)]
    for position, stratum in enumerate(rows[0].stratum.tolist()):
        for cause, other in ((0, 1), (1, 0)):
            steps, hazard = baselines[cause].days[stratum], baselines[cause].hazard[stratum]
            if not len(steps):
                continue
            # Just before each event day of the cause: its own earlier steps, and the other's on earlier days.
            before = np.concatenate([[0.0], hazard[:-1]])
            beside = baselines[other].at(steps - 1)[stratum]
            own = np.exp(-np.outer(before, ratios[cause])) * (ratios[cause] * np.diff(hazard, prepend=0.0)[:, None])
            others = np.exp(-np.outer(beside, ratios[other]))
            row = np.searchsorted(steps, days, side="right")
            for arm in (0, 1):
                weights = of_arm[arm][position] if cause == 0 else of_arm[arm][position].T
                rise = np.einsum("jm,jm->j", own, others @ weights.T)
                found[cause, arm] += np.concatenate([[0.0], np.cumsum(rise)])[row]
    return np.clip(found, 0, 1)
