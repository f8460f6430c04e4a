"""The probability of being in the second arm, and the weights made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients, one_armed_strata
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.logistic import LogisticModel, fit_logistic

WEIGHTS: Final = ("inverse", "overlap")


@dataclass(frozen=True)
class Propensity:
    """Each patient's probability of being in the second arm.

    Attributes
    ----------
    model : the logistic regression on covariates and strata.
    probability : shape (n,).
    """

    model: LogisticModel
    probability: Floats

    @property
    def methods(self) -> str:
        """The method in words."""
        return f"propensity score by logistic regression on {', '.join(self.model.names[1:])}"


def fit_propensity(patients: ArmPatients) -> Propensity:
    """Estimate who was likely to be in which arm, from covariates and stratum.

    Assumes
        The log odds of the second arm are linear in the covariates, with one intercept a stratum.

    Formula
        See `fit_logistic`.

    Parameters
    ----------
    patients : the rows.

    Returns
    -------
    Propensity

    Raises
    ------
    StatisticsError if a stratum used one arm only (nobody there could have been in the other), and as `fit_logistic`.

    References
    ----------
    Rosenbaum, Rubin, Biometrika 70 (1983) 41-55.
    """
    alone = one_armed_strata(patients)
    if alone:
        raise StatisticsError(f"{', '.join(alone)} used one arm only, so that nothing there compares the arms",
                              remedy="compare within those that used both")
    design, names = patients.adjusting_design()
    model = fit_logistic(patients.arm, design, names)
    return Propensity(model, model.probability)


def weigh_arms(patients: ArmPatients, probability: Floats, kind: str = "inverse") -> Floats:
    """Weigh the patients of each arm so that both arms look like the same population.

    Assumes
        The probabilities are right, and no patient's is 0 or 1.

    Formula
        With p the probability of the second arm and v the patient's weight: inverse, v q/p in the second arm and
        v (1 - q)/(1 - p) in the reference, q the share of the second arm (stabilised, never truncated: cutting large
        weights moves the answer towards the unadjusted one); overlap, v (1 - p) and v p, which answers for the patients
        who could well have been in either arm.

    Parameters
    ----------
    patients : the rows.
    probability : shape (n,).
    kind : "inverse" or "overlap".

    Returns
    -------
    shape (n,).

    Raises
    ------
    StatisticsError for another kind.

    References
    ----------
    Robins, Hernan, Brumback, Epidemiology 11 (2000) 550-560; Li, Morgan, Zaslavsky, J Am Stat Assoc 113 (2018) 390-400.
    """
    if kind not in WEIGHTS:
        raise StatisticsError(f"weights are one of {', '.join(WEIGHTS)}, not {kind!r}")
    second = patients.arm == 1
    if kind == "overlap":
        return np.asarray(patients.weight * np.where(second, 1 - probability, probability))
    share = float(patients.weight @ second / patients.weight.sum())
    return np.asarray(patients.weight * np.where(second, share / probability, (1 - share) / (1 - probability)))
