"""Whether the hazard ratio of the arms changes with time, in the outcome model of standardised survival."""

from __future__ import annotations

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.patient_cox import CoxRows, climb
from harmony_dash.stats.patient_risk import score_and_information
from harmony_dash.stats.proportional_hazards import ProportionalHazardsTest, score_tests


def compare_arm_effect_over_time(patients: ArmPatients, *, cause: int | None = None,
                                 ties: str = "efron") -> ProportionalHazardsTest:
    """Test whether hazard ratios of arms and covariates change with time.

    Assumes
        As the outcome model. The test looks for a change with the share of patients who have had the event: it can miss
        ratios that go up and down.

    Formula
        As `compare_effects_over_time`, on patients one by one; g(t) = 1 - S(t-) of all patients, strata pooled.

    Parameters
    ----------
    patients : the rows.
    cause : position of the cause that counts as event, the others being censored; None for any.
    ties : "efron" or "breslow".

    Returns
    -------
    ProportionalHazardsTest; the first term is the arm with its products, the others are the covariates. Equal to R's
    `cox.zph` of survival 3.

    Raises
    ------
    StatisticsError as `fit_patient_cox`, or with events on one day only.

    References
    ----------
    Grambsch, Therneau, Biometrika 81 (1994) 515-526; Therneau, Grambsch, Modeling Survival Data (2000), section 6.2.
    """
    event = (patients.cause > 0 if cause is None else patients.cause == cause + 1).astype(np.int64)
    rows = CoxRows.prepare(patients.day, event, patients.outcome_design(), patients.outcome_names,
                           stratum=patients.stratum, strata=len(patients.strata), ties=ties)
    one_each = np.ones(len(patients.day))
    fit = climb(rows, one_each, np.zeros(len(rows.names)))
    days, row = np.unique(patients.day, return_inverse=True)
    died, left = np.bincount(row, weights=event), np.bincount(row)
    survival = np.concatenate([[1.0], np.cumprod(1 - died / (np.cumsum(left[::-1])[::-1]))])[:-1]
    scale = (1 - survival) - (died @ (1 - survival)) / died.sum()
    factor = scale[np.searchsorted(days, rows.order.day)]
    if np.ptp(factor) == 0:
        raise StatisticsError("a change over time needs events on more than one day")
    parts = [score_and_information(rows.order, fit.sums, rows.design, one_each, day_factor=factor**power)
             for power in (0, 1, 2)]
    products = len(rows.names) - 1 - len(patients.names)
    terms = (patients.arms[1], *patients.names, *[patients.arms[1]] * products)
    return score_tests("km", terms, parts[1][0], parts[0][1], parts[1][1], parts[2][1])
