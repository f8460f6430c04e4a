"""The difference between two arms among the patients of one level of a marker, by the g-formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import difference_limits
from harmony_dash.stats.arm_patients import ArmPatients, check_followed_to
from harmony_dash.stats.bayesian_bootstrap import Draw, difference_errors, draw_replicates
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.patient_cox import centred_hazard, climb, fit_prepared_cox
from harmony_dash.stats.standardised_survival import EXACT_STEP, REPLICATE_STEP, OutcomeRows, mean_survival


@dataclass(frozen=True)
class EffectByLevel:
    """Differences of survival by a day, second arm minus reference, one for each level.

    Attributes
    ----------
    difference, std_error, lower, upper : shape (levels,).
    """

    difference: Floats
    std_error: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class LevelEstimate:
    """The differences by level as a function of the patients' weights.

    Attributes
    ----------
    rows, start, day : the prepared patients; coefficients of the scaled columns from which the model is climbed; the
        day of the difference, shape (1,).
    levels : for each level an array of shape (n,), sorted like the rows, 1 for its patients.
    small_step : the step of the likelihood at which the climb ends.
    """

    rows: OutcomeRows
    levels: tuple[Floats, ...]
    start: Floats
    day: Ints
    small_step: float = REPLICATE_STEP

    def __call__(self, weight: Floats) -> Floats:
        """Shape (levels,), of weights of shape (n,) in the order given."""
        cox = self.rows.cox
        in_order = weight[cox.order.order]
        fit = climb(cox, in_order, self.start, small_step=self.small_step)
        baseline = centred_hazard(cox, fit)
        curves = [mean_survival(self.rows, fit.scaled, baseline, self.rows.weight * in_order * one, self.day,
                                int(self.day[0]))[:, 0] for one in self.levels]
        return np.array([curve[1] - curve[0] for curve in curves])


def standardise_by_level(patients: ArmPatients, levels: Sequence[Floats], day: int, *, rng: np.random.Generator,
                         replicates: int = 200, level: float = 0.95, ties: str = "efron",
                         draw: Draw = draw_replicates) -> EffectByLevel:
    """Estimate what the arm would change among the patients of each level, from one model of all patients.

    Assumes
        As `standardise_survival`; that the effect differs between levels as the products in the model say.

    Formula
        As `standardise_survival`, the mean taken over the patients of a level: v_i is 0 for all others.

    Parameters
    ----------
    patients : the rows, with the products of arm and marker among their columns.
    levels : for each level an array of shape (n,), 1 for its patients and 0 for others.
    day : the day of the difference.
    others : as in `standardise_survival`.

    Returns
    -------
    EffectByLevel

    Raises
    ------
    StatisticsError as `standardise_survival`, and for a level without patients; Cancelled.

    References
    ----------
    Robins, Math Model 7 (1986) 1393-1512, see `standardise_survival`.
    """
    if not levels or any(not np.asarray(one).any() for one in levels):
        raise StatisticsError("an effect by level needs levels with patients")
    check_followed_to(patients, day)
    rows = OutcomeRows.prepare(patients, None, ties)
    main = fit_prepared_cox(rows.cox).coefficients * rows.cox.unit
    order = rows.cox.order.order
    inside = [np.asarray(one, dtype=np.float64)[order] for one in levels]
    estimate = LevelEstimate(rows, tuple(inside), main, np.array([day]))
    value = replace(estimate, small_step=EXACT_STEP)(np.ones(len(patients.day)))
    drawn = draw(estimate, patients.stratum, replicates, rng)
    std_error = difference_errors(value, drawn)
    lower, upper = difference_limits(value, std_error / (1 - value**2), level)
    return EffectByLevel(value, std_error, lower, upper)
