"""Pseudo-values: what each patient adds to a Kaplan-Meier estimate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.arm_comparison import read_days
from harmony_dash.stats.event_table import Floats, Ints


@dataclass(frozen=True)
class PseudoValues:
    """Pseudo-values of survival; their mean over a stratum is nearly its Kaplan-Meier estimate.

    Attributes
    ----------
    days : shape (m,).
    values : shape (n, m); some below 0 or above 1. They stay on the server like any patient's value.
    """

    days: Ints
    values: Floats


def estimate_pseudo_values(day: ArrayLike, event: ArrayLike, days: ArrayLike, *,
                           stratum: ArrayLike | None = None) -> PseudoValues:
    """Compute the pseudo-values of survival at chosen days, within strata.

    Assumes
        Within a stratum censoring depends on nothing that is compared.

    Formula
        theta_i(t) = n S(t) - (n - 1) S_-i(t), S the Kaplan-Meier estimate of the patient's stratum and S_-i the same
        without the patient. Leaving out a patient who leaves on day T makes every factor before T 1 - d/(Y - 1), the
        one of T 1 - (d - e)/(Y - 1) with e the patient's own event, and no factor after T anything else; so all n
        estimates come from two running products.

    Parameters
    ----------
    day : shape (n,); whole days.
    event : shape (n,); 1 for the event, 0 for censored.
    days : shape (m,); whole days, increasing.
    stratum : shape (n,); one stratum when left out.

    Returns
    -------
    PseudoValues

    Raises
    ------
    StatisticsError if a day lies beyond the follow-up of a stratum whose curve has not reached 0.

    References
    ----------
    Andersen, Klein, Rosthoj, Biometrika 90 (2003) 15-27, equation 2; Andersen, Pohar Perme, Stat Methods Med Res 19
    (2010) 71-99.
    """
    last, died = np.asarray(day, dtype=np.int64), np.asarray(event, dtype=np.int64)
    of = np.zeros(len(last), dtype=np.int64) if stratum is None else np.asarray(stratum)
    chosen = read_days(days)
    values = np.empty((len(last), len(chosen)))
    for one in np.unique(of):
        rows = of == one
        values[rows] = _leave_one_out(last[rows], died[rows], chosen)
    return PseudoValues(chosen, values)


def _leave_one_out(last: Ints, died: Ints, chosen: Ints) -> Floats:
    days, row = np.unique(last, return_inverse=True)
    left = np.bincount(row)
    events = np.bincount(row[died == 1], minlength=len(days))
    patients = len(last)
    at_risk = patients - np.cumsum(left) + left
    survival = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])
    at = np.searchsorted(days, chosen, side="right")
    if survival[-1] > 0 and chosen[-1] > days[-1]:
        raise StatisticsError(f"the follow-up of a stratum ends on day {days[-1]}, before day {chosen[-1]}",
                              remedy="choose an earlier day, or leave the stratum out")
    others = np.maximum(at_risk - 1, 1)
    # Where Y - 1 patients are left and all d of them have the event, only somebody who leaves that day is left out.
    without = np.concatenate([[1.0], np.cumprod(np.maximum(1 - events / others, 0))])
    own = np.where(at_risk[row] > 1, 1 - (events[row] - died) / others[row], 1.0)
    so_far = without[row] * own
    later = survival[at][None, :] / np.where(survival[row + 1] > 0, survival[row + 1], 1.0)[:, None]
    after = np.where((survival[row + 1] > 0)[:, None], later, 1.0)
    left_out = np.where(row[:, None] < at, so_far[:, None] * after, without[at])
    return np.asarray(patients * survival[at] - (patients - 1) * left_out)
