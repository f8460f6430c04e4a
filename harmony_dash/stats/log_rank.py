"""The log-rank test and its Fleming-Harrington relatives, stratified, for any number of groups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.linked_groups import compare_linked
from harmony_dash.stats.multiplicity import adjust_for_multiplicity
from harmony_dash.stats.risk_sets import RiskGrid, add_causes, cause_position, count_risk_grid


@dataclass(frozen=True)
class LogRankTest:
    """A test of equal hazards of the groups.

    Attributes
    ----------
    groups, left_out : labels of the groups compared, and of those without patients.
    strata : number of strata with patients.
    rho, gamma : weight S(t-)^rho (1 - S(t-))^gamma.
    cause : the event cause counted, None for all causes together.
    observed, expected : shape (groups,); weighted numbers of events.
    variance : shape (groups, groups); of observed minus expected.
    statistic, df, p : chi-square; df is the rank of the variance.
    """

    groups: tuple[str, ...]
    left_out: tuple[str, ...]
    strata: int
    rho: float
    gamma: float
    cause: str | None
    observed: Floats
    expected: Floats
    variance: Floats
    statistic: float
    df: int
    p: float

    @property
    def methods(self) -> str:
        """The method in words."""
        plain = self.rho == 0 and self.gamma == 0
        name = "log-rank test" if plain else f"Fleming-Harrington test (rho {self.rho:g}, gamma {self.gamma:g})"
        return f"{name}, {self.strata} strata" if self.strata > 1 else name


@dataclass(frozen=True)
class PairwiseTests:
    """Log-rank tests of every pair of groups.

    Attributes
    ----------
    pairs : labels, in table order.
    statistic, p, adjusted : shape (pairs,); NaN for a pair that cannot be compared, which is not counted in the
        adjustment.
    method : "holm" or "bh".
    """

    pairs: tuple[tuple[str, str], ...]
    statistic: Floats
    p: Floats
    adjusted: Floats
    method: str


def compare_survival(table: EventTable, *, rho: float = 0.0, gamma: float = 0.0,
                     cause: str | int | None = None) -> LogRankTest:
    """Compare the groups of a table inside its strata.

    Assumes
        Censoring and late entry are independent of the event within group and stratum. Several events on a day are
        ties. Crossing hazards can hide from it.

    Formula
        Per stratum, with d events among Y at risk, p_g = Y_g/Y and w = S(t-)^rho (1 - S(t-))^gamma of the pooled
        stratum: O_g = sum w d_g, E_g = sum w d p_g, V = sum w^2 d (Y - d)/(Y - 1) (diag(p) - p p'). Summed over
        strata, (O - E)' V^-1 (O - E) without one group.

    Parameters
    ----------
    table : event table; its strata stratify the test, so pool them first for an unstratified one.
    rho, gamma : exponents of the weight, not negative; 0 and 0 is the log-rank test, 1 and 0 weighs early events.
    cause : name or position of the cause that counts as event, the others being censored; None for any cause.

    Returns
    -------
    LogRankTest; groups without patients are left out and named.

    Raises
    ------
    StatisticsError with fewer than two groups that have patients, without events, for negative exponents, or when no
    two groups are at risk together on a day that could tell them apart.

    References
    ----------
    Fleming, Harrington, Counting Processes and Survival Analysis (1991), section 7.2; Mantel, Cancer
    Chemother Rep 50 (1966) 163-170.
    """
    grid, events, position = _prepare(table, cause)
    with_patients = np.flatnonzero(table.patients > 0)
    tested = _test_columns(grid, events, with_patients, rho, gamma)
    observed, expected, variance, statistic, df, p = tested
    return LogRankTest(tuple(table.groups[g] for g in with_patients),
                       tuple(table.groups[g] for g in np.flatnonzero(table.patients == 0)),
                       len(grid.stratum_slices()), rho, gamma, None if position is None else table.causes[position],
                       observed, expected, variance, statistic, df, p)


def compare_pairs(table: EventTable, *, method: str = "holm", rho: float = 0.0, gamma: float = 0.0,
                  cause: str | int | None = None, pairs: Collection[tuple[str, str]] | None = None) -> PairwiseTests:
    """Compare every two groups of a table inside its strata.

    Assumes and formula as `compare_survival`, on the patients of the two groups alone.

    Parameters
    ----------
    table, rho, gamma, cause : as in `compare_survival`.
    method : "holm" (family-wise error) or "bh" (false discovery rate).
    pairs : those to compare, as labels in table order; the others are NaN. All by default.

    Returns
    -------
    PairwiseTests over the groups that have patients.

    Raises
    ------
    StatisticsError as `compare_survival`, except that a single pair that cannot be compared is NaN.

    References
    ----------
    Holm, Scand J Stat 6 (1979) 65-70; Benjamini, Hochberg, J R Stat Soc B 57 (1995) 289-300, procedure (1).
    """
    grid, events, _ = _prepare(table, cause)
    with_patients = np.flatnonzero(table.patients > 0)
    if len(with_patients) <= 1:
        raise StatisticsError("a comparison needs two groups with patients")
    places = [(g, h) for i, g in enumerate(with_patients) for h in with_patients[i + 1:]]
    labels = tuple((table.groups[g], table.groups[h]) for g, h in places)
    tests = np.full((len(places), 2), np.nan)
    for row, pair in enumerate(places):
        if pairs is not None and labels[row] not in pairs:
            continue
        try:
            _, _, _, statistic, _, p = _test_columns(grid, events, np.array(pair), rho, gamma)
        except StatisticsError:
            continue
        tests[row] = statistic, p
    return PairwiseTests(labels, tests[:, 0], tests[:, 1], adjust_for_multiplicity(tests[:, 1], method), method)


def _prepare(table: EventTable, cause: str | int | None) -> tuple[RiskGrid, Ints, int | None]:
    """Return the grid, its events of the cause (rows, groups), and the position of the cause."""
    grid = count_risk_grid(table)
    if cause is None:
        return grid, add_causes(grid.events), None
    position = cause_position(table, cause)
    return grid, grid.events[:, :, position], position


def _test_columns(grid: RiskGrid, events: Ints, groups: Ints, rho: float,
                  gamma: float) -> tuple[Floats, Floats, Floats, float, int, float]:
    if rho < 0 or gamma < 0:
        raise StatisticsError("the exponents of a weighted log-rank test are not negative")
    if len(groups) <= 1:
        raise StatisticsError("a comparison needs two groups with patients")
    died, at_risk = events[:, groups], grid.at_risk[:, groups]
    deaths = add_causes(died)
    if not deaths.any():
        raise StatisticsError("a comparison needs at least one event")
    weight = _weights(grid, deaths, add_causes(at_risk), rho, gamma)
    rows = deaths > 0
    died, at_risk, weight = died[rows], at_risk[rows], weight[rows]
    d, total = deaths[rows], add_causes(at_risk)
    share = at_risk / total[:, None]
    observed, expected = weight @ died, (weight * d) @ share
    spread = weight**2 * d * (total - d) / np.maximum(total - 1, 1)
    product = share.T @ (spread[:, None] * share)
    variance = np.diag(spread @ share) - product
    statistic, df, p = compare_linked(observed - expected, variance, product > 0)
    return observed, expected, variance, statistic, df, p


def _weights(grid: RiskGrid, deaths: Ints, total: Ints, rho: float, gamma: float) -> Floats:
    """Return S(t-)^rho (1 - S(t-))^gamma of the pooled stratum, shape (rows,)."""
    weight = np.ones(len(deaths))
    if rho == 0 and gamma == 0:
        return weight
    stay = 1 - deaths / np.maximum(total, 1)
    for part in grid.stratum_slices():
        before = np.concatenate([[1.0], np.cumprod(stay[part])[:-1]])
        weight[part] = before**rho * (1 - before) ** gamma
    return weight
