"""Cox's partial likelihood of covariate patterns, counted from an event table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.special import gammaln

from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.risk_sets import RiskGrid, cause_position, count_risk_grid

TIES: Final = ("efron", "breslow")
# Below this many days with more than l events, the l-th events are no longer taken one l at a time.
FEW_DAYS: Final = 64


@dataclass(frozen=True)
class DayBlock:
    """Days that share one meaning of the patterns: all of them, or those of one stratum.

    Attributes
    ----------
    stratum, rows : stratum (0 for all of them) and where its days stand in `PatternDays`.
    at_risk, died : shape (patterns, days).
    deaths : shape (days,).
    observed : shape (patterns,); events.
    tied : shape (ties,); days with more than one event, most events first.
    tied_at_risk, tied_died : shape (patterns, ties).
    days_with_more : how many days have more than 1, more than 2, ... events, while those are many.
    late_day, late_share : shape (events,); the events not counted there: position in `tied`, and l/m.
    """

    stratum: int
    rows: slice
    at_risk: Floats
    died: Floats
    deaths: Floats
    observed: Floats
    tied: Ints
    tied_at_risk: Floats
    tied_died: Floats
    days_with_more: list[int]
    late_day: Ints
    late_share: Floats


@dataclass(frozen=True)
class PatternDays:
    """The days of each stratum on which an event tells patterns apart: two patterns are at risk and one has an event.

    Attributes
    ----------
    strata : number of strata of the table, empty ones included.
    cause : name of the cause that counts as event, None for any.
    patients : shape (patterns,); in the whole table.
    events : in the whole table, also on days that tell nothing.
    stratum, day : shape (days,); sorted by this key.
    at_risk, died : shape (patterns, days); whole numbers, held as floats because they are only ever multiplied.
    deaths : shape (days,); events of all patterns together.
    alone_efron, alone_breslow : log-likelihood of the days left out, which no coefficient changes.
    """

    strata: int
    cause: str | None
    patients: Ints
    events: int
    stratum: Ints
    day: Ints
    at_risk: Floats
    died: Floats
    deaths: Ints
    alone_efron: float
    alone_breslow: float

    @property
    def patterns(self) -> int:
        """Number of patterns, empty ones included."""
        return len(self.patients)

    @cached_property
    def together(self) -> list[DayBlock]:
        """All days as one block, for a design that is the same in every stratum."""
        return [self._block(0, slice(0, len(self.day)))]

    @cached_property
    def apart(self) -> list[DayBlock]:
        """The days of each stratum that has any."""
        edges = [0, *(np.flatnonzero(np.diff(self.stratum)) + 1).tolist(), len(self.day)]
        return [self._block(int(self.stratum[first]), slice(first, last)) for first, last in pairwise(edges)
                if last > first]

    def blocks(self, count: int) -> list[DayBlock]:
        """Return the blocks of a design with one or `count` meanings of the patterns."""
        return self.together if count == 1 else self.apart

    def _block(self, stratum: int, rows: slice) -> DayBlock:
        at_risk, died, deaths = self.at_risk[:, rows], self.died[:, rows], self.deaths[rows]
        tied = np.flatnonzero(deaths > 1)
        tied = tied[np.argsort(-deaths[tied], kind="stable")]
        count = deaths[tied]
        most = int(count[FEW_DAYS - 1]) if len(count) >= FEW_DAYS else 1
        more = np.searchsorted(-count, -np.arange(1, most), side="left").tolist()
        late = np.maximum(count - most, 0)
        day = np.repeat(np.arange(len(tied)), late)
        event = most + np.arange(len(day)) - np.repeat(np.cumsum(late) - late, late)
        return DayBlock(stratum, rows, at_risk, died, deaths.astype(np.float64), died.sum(axis=1), tied,
                        at_risk[:, tied], died[:, tied], more, day, event / count[day])


@dataclass(frozen=True)
class LikelihoodTerms:
    """The log partial likelihood and its derivatives with respect to the patterns' linear predictors.

    Attributes
    ----------
    log_likelihood : its value.
    residual : shape (blocks, patterns); observed minus expected events, the gradient.
    information : shape (blocks, patterns, patterns); minus the second derivative. A Laplacian matrix: it is symmetric,
        its rows sum to 0, and it is singular only for the patterns that are never at risk together.
    """

    log_likelihood: float
    residual: Floats
    information: Floats


def count_pattern_days(table: EventTable, cause: str | int | None = None) -> PatternDays:
    """Count, per stratum and day, who is at risk and who has an event in every pattern.

    Assumes, formula and reference as in `count_risk_grid`.

    Parameters
    ----------
    table : event table whose groups are the patterns.
    cause : name or position of the cause that counts as event, the others being censored; None for any cause.

    Returns
    -------
    PatternDays

    Raises
    ------
    StatisticsError for an unknown cause, or if more patients leave than are under observation.
    """
    position = None if cause is None else cause_position(table, cause)
    name = None if position is None else table.causes[position]
    return select_pattern_days(count_risk_grid(table), np.arange(len(table.groups)), position, strata=len(table.strata),
                               cause=name, patients=table.patients)


def select_pattern_days(grid: RiskGrid, patterns: Ints, position: int | None, *, strata: int, cause: str | None,
                        patients: Ints) -> PatternDays:
    """Return the days that tell some of the patterns of a grid apart.

    Parameters
    ----------
    grid : all patterns side by side.
    patterns : shape (k,); the columns to take.
    position : position of the cause in `grid.events`, None for any.
    strata, cause, patients : as in `PatternDays`, patients of these patterns.
    """
    causes = range(grid.events.shape[2]) if position is None else [position]
    died = np.zeros((len(patterns), len(grid.day)), dtype=np.int64)
    for each in causes:
        died += grid.events[:, :, each].T[patterns]
    deaths = died.sum(axis=0)
    at_risk = grid.at_risk.T[patterns]
    watched = (at_risk > 0).sum(axis=0)
    kept, alone = np.flatnonzero((deaths > 0) & (watched > 1)), (deaths > 0) & (watched == 1)
    # With one pattern at risk, k of n patients having the event gives log(n) + ... + log(n - k + 1) by Efron's rule.
    n, k = at_risk[:, alone].sum(axis=0), deaths[alone]
    efron, breslow = -float(np.sum(gammaln(n + 1.0) - gammaln(n - k + 1.0))), -float(np.sum(k * np.log(n)))
    return PatternDays(strata, cause, patients, int(deaths.sum()), grid.stratum[kept], grid.day[kept],
                       at_risk[:, kept].astype(np.float64), died[:, kept].astype(np.float64), deaths[kept], efron,
                       breslow)


def evaluate_likelihood(days: PatternDays, linear: Floats, *, ties: str = "efron",
                        day_weight: Floats | None = None) -> LikelihoodTerms:
    """Evaluate the partial likelihood at the patterns' linear predictors.

    Assumes
        Hazards within a stratum are proportional between patterns. Several events on a day are ties.

    Formula
        With Y_g at risk and d_g events of pattern g on a day, m = sum d_g, r_g = exp(linear_g), Efron's rule takes the
        l-th of the m tied events (l = 0, ..., m-1) out of n_gl = r_g (Y_g - l/m d_g), n_l = sum_g n_gl:
        log L = sum_days sum_g d_g linear_g - sum_l log n_l;
        gradient d_g - sum_l n_gl/n_l; information off the diagonal -sum_l n_gl n_hl / n_l^2.
        Only n_l is made event by event: the rest follows from five sums a day, so that the cost is days × patterns and
        events, not events × patterns.
        Breslow's rule puts l = 0 throughout.

    Parameters
    ----------
    days : the days that tell patterns apart.
    linear : shape (1, patterns), or (strata, patterns) when a pattern means something else in each stratum.
    ties : "efron" or "breslow".
    day_weight : shape (days,); factor of each day in gradient and information, 1 everywhere when left out.

    Returns
    -------
    LikelihoodTerms with as many blocks as `linear` has rows.

    References
    ----------
    Efron, J Am Stat Assoc 72 (1977) 557-565, the approximation for ties; Breslow, Biometrics 30 (1974) 89-99;
    Therneau, Grambsch, Modeling Survival Data (2000), section 3.3.
    """
    blocks, patterns = linear.shape
    residual, information = np.zeros((blocks, patterns)), np.zeros((blocks, patterns, patterns))
    total = days.alone_efron if ties == "efron" else days.alone_breslow
    for block in days.blocks(blocks):
        highest = linear[block.stratum].max()
        risk = np.exp(linear[block.stratum] - highest)
        sums = _sum_over_events(block, risk, ties)
        total += float(block.observed @ (linear[block.stratum] - highest)) - sums.log_denominators
        observed = block.observed
        if day_weight is not None:
            weight = day_weight[block.rows]
            sums, observed = sums.weighted(weight, block.tied), block.died @ weight
        expected = risk * (block.at_risk @ sums.once - block.tied_died @ sums.once_part)
        residual[block.stratum] = observed - expected
        together = (block.at_risk * sums.twice) @ block.at_risk.T
        cross = (block.tied_at_risk * sums.twice_part) @ block.tied_died.T
        together += (block.tied_died * sums.twice_square) @ block.tied_died.T - cross - cross.T
        together *= risk[:, None] * risk
        np.fill_diagonal(together, 0)
        # Rows of the information sum to 0, so the diagonal is made from the rest and nothing cancels.
        information[block.stratum] = np.diag(together.sum(axis=1)) - together
    return LikelihoodTerms(total, residual, information)


@dataclass(frozen=True)
class _EventSums:
    """Per day, sums over its events l, with f = l/m; `once` and `twice` over all days, the others over the tied ones.

    `once` sums 1/n_l, `once_part` f/n_l, `twice` 1/n_l^2, `twice_part` f/n_l^2, `twice_square` f^2/n_l^2.
    """

    log_denominators: float
    once: Floats
    once_part: Floats
    twice: Floats
    twice_part: Floats
    twice_square: Floats

    def weighted(self, weight: Floats, tied: Ints) -> _EventSums:
        """The sums times a factor for each day, shape (days,)."""
        of_tied = weight[tied]
        return _EventSums(self.log_denominators, self.once * weight, self.once_part * of_tied, self.twice * weight,
                          self.twice_part * of_tied, self.twice_square * of_tied)


def _sum_over_events(block: DayBlock, risk: Floats, ties: str) -> _EventSums:
    denominator = risk @ block.at_risk
    inverse = 1 / denominator
    nothing = np.zeros(len(block.tied))
    if ties == "breslow":
        return _EventSums(float(block.deaths @ np.log(denominator)), block.deaths * inverse, nothing,
                          block.deaths * inverse**2, nothing, nothing)
    # The first event of every day is taken out of everybody at risk.
    logs, once, twice = float(np.log(denominator).sum()), inverse, inverse**2
    if not len(block.tied):
        return _EventSums(logs, once, nothing, twice, nothing, nothing)
    start, dead, share = denominator[block.tied], risk @ block.tied_died, 1 / block.deaths[block.tied]
    more = np.zeros((5, len(block.tied)))
    for event, days in enumerate(block.days_with_more, start=1):
        logs += _take(more[:, :days], start[:days], dead[:days], event * share[:days])
    if len(block.late_day):
        late = np.zeros((5, len(block.late_day)))
        logs += _take(late, start[block.late_day], dead[block.late_day], block.late_share)
        first = np.flatnonzero(np.diff(block.late_day, prepend=-1))
        more[:, block.late_day[first]] += np.add.reduceat(late, first, axis=1)
    once[block.tied] += more[0]
    twice[block.tied] += more[2]
    return _EventSums(logs, once, more[1], twice, more[3], more[4])


def _take(sums: Floats, start: Floats, dead: Floats, share: Floats) -> float:
    """Add the terms of one event on each day to the five sums and return the sum of the logarithms."""
    left = start - share * dead
    inverse = 1 / left
    part = share * inverse
    sums[0] += inverse
    sums[1] += part
    sums[2] += inverse * inverse
    sums[3] += part * inverse
    sums[4] += part * part
    return float(np.log(left).sum())
