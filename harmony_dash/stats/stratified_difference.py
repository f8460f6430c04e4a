"""The difference of two arms in the share with or without an event by a day, compared within strata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.intervals import normal_quantile
from harmony_dash.stats.kaplan_meier import LEAST_AT_RISK, estimate_survival, read_survival

_ARMS: Final = 2


@dataclass(frozen=True)
class StratifiedDifference:
    """A weighted mean of the differences within strata.

    Attributes
    ----------
    estimate, std_error, lower, upper : second arm minus first, as a share.
    strata : how many strata it is made of.
    share : how many of the smaller arm's patients are in them, of all in the table.
    level : confidence level.
    """

    estimate: float
    std_error: float
    lower: float
    upper: float
    strata: int
    share: float
    level: float


def estimate_stratified_difference(table: EventTable, day: int, *, cause: str | None = None,
                                   level: float = 0.95, least_at_risk: int = LEAST_AT_RISK) -> StratifiedDifference:
    """Estimate how much the share by a day differs between two arms, from comparisons within strata alone.

    Assumes
        Censoring is independent of the events within arm and stratum. Which arm a patient is in does not depend on
        prognosis within a stratum (randomisation within a trial makes it so).

    Formula
        With D_k the difference of the two shares in stratum k and v_k the sum of their variances, Cochran's weights
        w_k = n_k1 n_k2/(n_k1 + n_k2) give sum w D/sum w and variance sum w^2 v/(sum w)^2. It speaks for the strata it
        is made of, which may hold few of the patients.

    Parameters
    ----------
    table : event table with two groups, the arms, and any strata.
    day : the day, from time zero.
    cause : None for the share free of every event (Kaplan-Meier); else a cause, for its cumulative incidence.
    level : confidence level of the normal interval.
    least_at_risk : a stratum counts if each arm has so many patients at risk on the day.

    Returns
    -------
    StratifiedDifference

    Raises
    ------
    StatisticsError if no stratum has both arms followed up to the day, for another number of arms than two, or with
    late entry.

    References
    ----------
    Cochran, Biometrics 10 (1954) 417-451, section 5, for the weights; Greenwood's and the jackknife variance: see
    `estimate_survival`, `estimate_cumulative_incidence`.
    """
    z = normal_quantile(level)
    if len(table.groups) != _ARMS:
        raise StatisticsError("a difference has two arms")
    if table.has_late_entry:
        raise StatisticsError("with late entry arms are not followed from the same day on")
    weights, differences, variances, used = [], [], [], np.zeros(_ARMS, dtype=np.int64)
    for stratum in range(len(table.strata)):
        arms = [_read(_select(table, stratum, arm), day, cause, least_at_risk) for arm in range(_ARMS)]
        if arms[0] is None or arms[1] is None:
            continue
        (n, share, variance), (other_n, other_share, other_variance) = arms[0], arms[1]
        weights.append(n * other_n / (n + other_n))
        differences.append(other_share - share)
        variances.append(variance + other_variance)
        used += n, other_n
    if not weights:
        raise StatisticsError(f"no stratum has {least_at_risk} patients at risk in both arms on day {day}")
    w = np.array(weights) / sum(weights)
    estimate, std_error = float(w @ differences), float(np.sqrt(w**2 @ variances))
    smaller = int(table.patients.argmin())
    return StratifiedDifference(estimate, std_error, estimate - z * std_error, estimate + z * std_error, len(w),
                                float(used[smaller] / table.patients[smaller]), level)


def _select(table: EventTable, stratum: int, group: int) -> EventTable:
    """One arm in one stratum."""
    rows = (table.stratum == stratum) & (table.group == group)
    nought = np.zeros(int(rows.sum()), dtype=np.int64)
    return EventTable(("arm",), ("all",), table.causes, nought, nought, table.day[rows], table.censored[rows],
                      table.events[rows], table.entries[rows])


def _read(table: EventTable, day: int, cause: str | None, least_at_risk: int) -> tuple[int, float, float] | None:
    """Patients, share and its variance; None where too few are followed that long."""
    patients = int(table.patients[0])
    if patients < least_at_risk:
        return None
    if cause is None:
        survival = read_survival(estimate_survival(table, 0), [day])
        at_risk, share, error = survival.at_risk[0], survival.survival[0], survival.std_error[0]
    else:
        place = table.causes.index(cause)
        incidence = read_incidence(estimate_cumulative_incidence(table, 0), [day])
        at_risk, share, error = incidence.at_risk[0], incidence.incidence[0, place], incidence.std_error[0, place]
    if at_risk < least_at_risk or not np.isfinite(share) or not np.isfinite(error):
        return None
    return patients, float(share), float(error) ** 2
