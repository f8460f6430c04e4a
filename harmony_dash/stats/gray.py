"""Gray's test of equal cumulative incidence, stratified, for any number of groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.intervals import EDGE
from harmony_dash.stats.linked_groups import compare_linked
from harmony_dash.stats.risk_sets import add_causes, cause_position, count_risk_grid


@dataclass(frozen=True)
class GrayTest:
    """A test of equal cumulative incidence of one cause in the groups.

    Attributes
    ----------
    cause : name of the cause.
    groups, left_out : labels of the groups compared, and of those without patients.
    strata : number of strata with patients.
    score : shape (groups,); events of the cause minus their expectation; sums to 0.
    variance : shape (groups, groups); of the score.
    statistic, df, p : chi-square.
    """

    cause: str
    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    strata: int
    score: Floats
    variance: Floats
    statistic: float
    df: int
    p: float

    @property
    def methods(self) -> str:
        """The method in words."""
        return f"Gray's test, {self.strata} strata" if self.strata > 1 else "Gray's test"


@dataclass(frozen=True)
class _Stratum:
    """One stratum on its days with an event; arrays of shape (rows, groups) unless said otherwise."""

    at_risk: Ints
    events: Ints  # of the cause
    others: Ints
    before: Floats  # S_g(t-)
    after: Floats  # S_g(t)
    incidence: Floats  # F_g(t-)


def compare_incidence(table: EventTable, cause: str | int = 0) -> GrayTest:
    """Compare the cumulative incidence of one cause between the groups of a table, inside its strata.

    Assumes
        Censoring is independent of the events within group and stratum. Everybody is under observation from day 0.

    Formula
        With h_g = Y_g/S_g(t-), R_g = h_g (1 - F_g(t-)), sums over groups written with a dot, and
        dF0 = d_1./h.: z_g = sum (d_1g - d_1. R_g/R.).
        Under the null, a change of the incidence in group r moves the score of g by
        a_gr = e_gr + (1 - (1 - F0)/S_r) (c_gr(end) - c_gr(t)) for the cause and by
        b_gr = -(1 - F0)/S_r (c_gr(end) - c_gr(t)) for the others, with e_gr = h_g (1{g=r} - h_r/h.) and
        c_gr(t) = sum_{s<=t} e_gr dF0/(1 - F0(s-)), whence
        V_gg' = sum_r [sum a_gr a_g'r dF0/h_r + sum b_gr b_g'r dF2_r/h_r]. The increments of a day with ties shrink
        as those of sampling without replacement: by (n - d)/(n - 1), with n = h. S_r(t-) and d = d_1. for the cause,
        n = Y_r and d = d_2r for the others. Scores and variances are summed over strata.

    Parameters
    ----------
    table : event table; its strata stratify the test, so pool them first for an unstratified one.
    cause : name or position of the cause; all others compete with it.

    Returns
    -------
    GrayTest; groups without patients are left out and named.

    Raises
    ------
    StatisticsError with late entry, for which the weights R_g are not defined, with fewer than two groups that have
    patients, without events of the cause, or when no two groups are at risk together on a day with one.

    References
    ----------
    Gray, Ann Stat 16 (1988) 1141-1154: the test for K samples and its variance.
    """
    position = cause_position(table, cause)
    if table.has_late_entry:
        raise StatisticsError("Gray's test is not defined for patients who enter late")
    patients = table.patients
    groups = np.flatnonzero(patients > 0)
    if len(groups) <= 1:
        raise StatisticsError("a comparison needs two groups with patients")
    if not table.events[:, position].any():
        raise StatisticsError(f"there is no event of the cause {table.causes[position]!r} to compare")
    grid = count_risk_grid(table)
    at_risk, events = grid.at_risk[:, groups], grid.events[:, groups]
    own = events[:, :, position]
    others = add_causes(events) - own
    score, variance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    linked = np.zeros((len(groups), len(groups)), dtype=bool)
    for part in grid.stratum_slices():
        stratum = _curves(at_risk[part], own[part], others[part])
        part_score, part_variance = _score(stratum)
        score += part_score
        variance += part_variance
        together = (stratum.at_risk[add_causes(stratum.events) > 0] > 0).astype(np.int64)
        linked |= (together.T @ together) > 0
    statistic, df, p = compare_linked(score, variance, linked)
    return GrayTest(table.causes[position], tuple(table.groups[g] for g in groups),
                    tuple(table.groups[g] for g in np.flatnonzero(patients == 0)), len(grid.stratum_slices()), score,
                    variance, statistic, df, p)


def _curves(at_risk: Ints, events: Ints, others: Ints) -> _Stratum:
    """Return the curves of each group on the days with any event."""
    rows = add_causes(events + others) > 0
    at_risk, events, others = at_risk[rows], events[rows], others[rows]
    divisor = np.maximum(at_risk, 1)
    after = np.cumprod(1 - (events + others) / divisor, axis=0, dtype=np.float64)
    before = np.vstack([np.ones((1, after.shape[1])), after])[:-1]
    steps = before * events / divisor
    return _Stratum(at_risk, events, others, before, after, np.cumsum(steps, axis=0) - steps)


def _score(stratum: _Stratum) -> tuple[Floats, Floats]:
    """Return the scores of the groups in one stratum, shape (groups,), and their variance."""
    n, died = stratum.at_risk, stratum.events.sum(axis=1)
    watched = n > 0  # S_g(t-) is positive wherever anybody of the group is at risk
    h = np.divide(n, stratum.before, out=np.zeros(n.shape), where=watched)
    total = h.sum(axis=1)
    null_step = died / total
    null_after = np.cumsum(null_step)  # F0(t)
    r = h * (1 - stratum.incidence)
    # R. is positive: F_g(t-) < 1 wherever anybody of the group is at risk.
    score = (stratum.events - died[:, None] * r / r.sum(axis=1, keepdims=True)).sum(axis=0)

    groups = n.shape[1]
    direct = h[:, :, None] * (np.eye(groups) - (h / total[:, None])[:, None, :])
    null_hazard = _null_hazard(null_step, null_after - null_step, watched)
    steps = direct * null_hazard[:, None, None]  # rows, g, r
    later = steps.sum(axis=0) - np.cumsum(steps, axis=0)
    ratio = np.divide(1 - null_after[:, None], stratum.after, out=np.zeros(n.shape), where=stratum.after > 0)
    moved = direct + np.where(stratum.after > 0, 1 - ratio, 1.0)[:, None, :] * later
    moved_others = -ratio[:, None, :] * later

    own_variance = _tied(died[:, None], total[:, None] * stratum.before) * np.divide(
        null_step[:, None], h, out=np.zeros(n.shape), where=watched)
    others_variance = _tied(stratum.others, n) * np.divide(
        stratum.others * stratum.before**2, n**2, out=np.zeros(n.shape), where=watched)
    variance = np.zeros((groups, groups))
    for change, spread in ((moved, own_variance), (moved_others, others_variance)):
        flat = change.transpose(1, 0, 2).reshape(groups, -1)
        variance += (flat * spread.reshape(-1)) @ flat.T
    return score, variance


def _null_hazard(step: Floats, before: Floats, watched: NDArray[np.bool_]) -> Floats:
    """Return dF0/(1 - F0(t-)), shape (rows,); 0 where one group is left, which can tell nothing."""
    compared = (watched.sum(axis=1) > 1) & (step > 0)
    if bool((np.abs(1 - before[compared]) < EDGE).any()):
        raise StatisticsError("Gray's test is not defined here: under equal incidence everybody had the event while "
                              "several groups are still at risk")
    hazard: Floats = np.divide(step, 1 - before, out=np.zeros(len(step)), where=compared)
    return hazard


def _tied(count: Ints, among: Floats | Ints) -> Floats:
    """Return (n - d)/(n - 1) where more than one of n patients had an event at once, else 1."""
    shrink = np.ones(np.broadcast_shapes(count.shape, among.shape))
    tied = np.broadcast_to(count > 1, shrink.shape) & (among > 1)
    np.divide(among - count, among - 1, out=shrink, where=tied)
    return shrink
