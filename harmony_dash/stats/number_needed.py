"""How many patients for one outcome more or fewer: the number needed to treat, and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError


@dataclass(frozen=True)
class NumberNeeded:
    """Patients in the second arm instead of the reference for one patient to be better, or worse, off.

    Attributes
    ----------
    number : patients; infinite for a difference of 0.
    benefit : whether one patient is better off (NNTB), or worse (NNTH).
    best : end of the interval on the side of benefit: patients, and whether for benefit.
    worst : the other end.
    through_infinity : whether the interval goes from benefit through infinity to harm, because the difference may be 0.
    """

    number: float
    benefit: bool
    best: tuple[float, bool]
    worst: tuple[float, bool]
    through_infinity: bool


def number_needed(difference: float, lower: float, upper: float, *, more_is_better: bool = True) -> NumberNeeded:
    """Turn a difference of probabilities into a number of patients.

    Assumes
        The difference is of the second arm minus the reference, at one day.

    Formula
        1 / |difference|. An interval that holds 0 is two: from 1/upper through infinity to 1/|lower|, "NNTB a to
        infinity to NNTH b".

    Parameters
    ----------
    difference, lower, upper : between -1 and 1.
    more_is_better : true for survival, false for the incidence of an event.

    Returns
    -------
    NumberNeeded

    Raises
    ------
    StatisticsError without an interval, or for limits that do not hold the difference.

    References
    ----------
    Altman, BMJ 317 (1998) 1309-1312; Altman, Andersen, BMJ 319 (1999) 1492-1495.
    """
    if not (np.isfinite([difference, lower, upper]).all() and -1 <= lower <= difference <= upper <= 1):
        raise StatisticsError("a number needed takes a difference of probabilities between its limits")
    good, best, worst = (difference, upper, lower) if more_is_better else (-difference, -lower, -upper)
    return NumberNeeded(_patients(good), good >= 0, (_patients(best), best >= 0), (_patients(worst), worst >= 0),
                        worst < 0 < best)


def _patients(difference: float) -> float:
    return 1 / abs(difference) if difference else float("inf")
