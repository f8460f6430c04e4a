"""A doubly robust comparison of survival: augmented inverse weighting of pseudo-values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import ArmComparison, compare_estimates
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.propensity import Propensity
from harmony_dash.stats.pseudo_values import estimate_pseudo_values


@dataclass(frozen=True)
class AugmentedSurvival:
    """Survival of the whole population in each arm, right if either the outcome or the propensity model is.

    Attributes
    ----------
    arms : labels of the arms, the reference first.
    survival : estimates and difference at the chosen days; an estimate may lie a little outside 0 to 1.
    drawn : shape (2, m); the estimates made to fall and cut to 0 and 1, for a figure only.
    adjusted_for : names of the columns of both models.
    patients, events : counts.
    """

    arms: tuple[str, str]
    survival: ArmComparison
    drawn: Floats
    adjusted_for: tuple[str, ...]
    patients: int
    events: int

    @property
    def methods(self) -> str:
        """The method in words."""
        return (f"augmented inverse-probability weighting of pseudo-values by stratum, logistic propensity and linear "
                f"outcome models on {', '.join(self.adjusted_for)}; {100 * self.survival.level:g} % intervals from the "
                "influence function")


def estimate_augmented_survival(patients: ArmPatients, propensity: Propensity, days: ArrayLike, *,
                                cause: int | None = None, level: float = 0.95) -> AugmentedSurvival:
    """Estimate survival had the whole population been in the reference arm, and had it been in the other.

    Assumes
        Given covariates and stratum, who is in which arm does not depend on how they would do; every patient could have
        been in either; within a stratum censoring depends on neither arm nor covariates. Either the propensity or the
        outcome model may be wrong, not both.

    Formula
        With pseudo-values theta_i(t), p_a(x) the probability of arm a and m_a the least-squares fit of theta on
        covariates and strata in arm a: phi_ia = m_a(x_i) + 1{A_i = a}/p_a(x_i) (theta_i - m_a(x_i)); the estimate is
        sum v_i phi_ia / V, its standard error sqrt(sum v_i^2 (phi_ia - estimate)^2)/V with V = sum v_i, and of the
        difference the same of phi_i1 - phi_i0.

    Parameters
    ----------
    patients : the rows.
    propensity : of the second arm, for the same rows.
    days : shape (m,); whole days, increasing.
    cause : position of the cause that counts as event, the others being censored; None for any.
    level : confidence level.

    Returns
    -------
    AugmentedSurvival

    Raises
    ------
    StatisticsError if a day lies beyond the follow-up of a stratum, or an arm has no more patients than columns.

    References
    ----------
    Robins, Rotnitzky, Zhao, J Am Stat Assoc 89 (1994) 846-866; Wang, Stat Med 37 (2018) 1762-1776, on pseudo-values;
    Denz, Klaassen-Mielke, Timmesfeld, Stat Med 42 (2023) 1461-1479, comparison of methods.
    """
    event = patients.cause > 0 if cause is None else patients.cause == cause + 1
    pseudo = estimate_pseudo_values(patients.day, event, days, stratum=patients.stratum)
    design, names = patients.adjusting_design()
    full = np.column_stack([np.ones(len(design)), design])
    share = patients.weight / patients.weight.sum()
    influence = np.empty((2, *pseudo.values.shape))
    for arm in (0, 1):
        here = patients.arm == arm
        if int(here.sum()) <= full.shape[1]:
            raise StatisticsError(f"the arm {patients.arms[arm]!r} has too few patients for {full.shape[1]} columns",
                                  remedy="adjust for fewer variables")
        fitted, _, _, _ = np.linalg.lstsq(full[here], pseudo.values[here], rcond=None)
        predicted = full @ fitted
        probability = propensity.probability if arm else 1 - propensity.probability
        factor = np.where(here, 1 / probability, 0.0)[:, None]
        influence[arm] = predicted + factor * (pseudo.values - predicted)
    estimate = share @ influence
    std_error = np.sqrt((share**2) @ (influence - estimate[:, None]) ** 2)
    contrast = influence[1] - influence[0]
    of_difference = np.sqrt((share**2) @ (contrast - (estimate[1] - estimate[0])) ** 2)
    survival = compare_estimates(pseudo.days, estimate, std_error, of_difference, level)
    drawn = np.array([np.clip(isotonic_regression(curve, increasing=False).x, 0, 1) for curve in estimate])
    return AugmentedSurvival(patients.arms, survival, drawn, names, len(patients.day), int(event.sum()))
