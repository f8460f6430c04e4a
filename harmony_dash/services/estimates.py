"""From an event table to the numbers of a survival result. Every number comes from `stats`; this only arranges them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import keyed
from harmony_dash.disclosure.results import (
    CauseIncidence,
    Censorings,
    Curve,
    EqualityTest,
    EstimateAt,
    Floats,
    FollowUpSupport,
    GroupResult,
    IntervalType,
    RestrictedMean,
    RestrictedMeanDifference,
    RiskTable,
)
from harmony_dash.errors import StatisticsError
from harmony_dash.services.within_strata import drop_small_cells, link_levels
from harmony_dash.stats.cumulative_incidence import IncidenceCurves, estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.follow_up import estimate_follow_up
from harmony_dash.stats.gray import compare_incidence
from harmony_dash.stats.kaplan_meier import (
    SurvivalCurve,
    estimate_survival,
    find_quantile,
    read_survival,
)
from harmony_dash.stats.keyed_counts import count_keyed_events, count_keyed_patients, read_keyed_counts
from harmony_dash.stats.log_rank import compare_pairs, compare_survival
from harmony_dash.stats.restricted_mean import RestrictedMeans, estimate_restricted_means
from harmony_dash.stats.risk_sets import count_risk_sets, read_risk_counts

DAYS_PER_YEAR = 365.25
MOST_TICKS = 12
HEADLINE_DAYS = 1826


@dataclass(frozen=True)
class Tests:
    """The comparisons between the groups; a comparison that the data cannot carry is absent."""

    log_rank: EqualityTest | None
    pairwise: tuple[tuple[str, str, float, float], ...]
    gray: tuple[EqualityTest, ...]
    means: RestrictedMeans | None
    differences: tuple[RestrictedMeanDifference, ...]

    def restricted_mean(self, group: str) -> RestrictedMean | None:
        """The restricted mean of one group, None where it was left out."""
        if self.means is None or group not in self.means.groups:
            return None
        place = self.means.groups.index(group)
        return RestrictedMean(self.means.tau_days, float(self.means.days[place]), float(self.means.std_error[place]))


def run_tests(table: EventTable, compared: Sequence[str], question: Question, names: Mapping[str, str],
              scope: Scope) -> Tests:
    """Compare groups of a table: log-rank or, with competing causes, Gray's test; restricted means in any case.

    Parameters
    ----------
    table : groups that may be drawn; each of them gets a restricted mean.
    compared : those that may be compared.
    question : says whether causes compete and where restricted means end.
    names : words for the groups.
    scope : how the result will leave; protected, groups with too few patients beside others inside strata take no part
        in a test, and its label names them.
    """
    endpoint, means = endpoint_named(question.endpoint), _restricted_means(table, question)
    log_rank: EqualityTest | None = None
    pairwise: tuple[tuple[str, str, float, float], ...] = ()
    gray: tuple[EqualityTest, ...] = ()
    if len(compared) < 2:
        return Tests(log_rank, pairwise, gray, means, ())
    alike, of_alike = table, means
    if len(compared) < len(table.groups):
        alike = table.select_groups(compared)
        of_alike = _restricted_means(alike, question)
    inside = drop_small_cells(alike, scope)
    linked = {group for one in link_levels(inside, scope) if len(one) > 1 for group in one}
    inside = drop_small_cells(inside.select_groups([group for group in inside.groups if group in linked]), scope)
    stratified = f", stratified by {question.strata}" if question.strata else ""
    if alone := [names[group] for group in alike.groups if group not in linked]:
        stratified += f", without {', '.join(alone)}"
    if endpoint.competing:
        gray = tuple(test for cause, label in zip(endpoint.causes, endpoint.cause_labels, strict=True)
                     if (test := _gray(inside, cause, f"Gray's test, {label}{stratified}")) is not None)
    else:
        log_rank = _log_rank(inside, f"log-rank test{stratified}")
        pairwise = _pairwise(inside, names, scope) if len(compared) > 2 else ()
    differences = () if of_alike is None else tuple(
        RestrictedMeanDifference(names[d.group], names[d.reference], of_alike.tau_days, d.days, d.lower, d.upper, d.p)
        for d in of_alike.differences)
    return Tests(log_rank, pairwise, gray, means, differences)


def _log_rank(table: EventTable, label: str) -> EqualityTest | None:
    try:
        test = compare_survival(table)
    except StatisticsError:
        return None
    return EqualityTest(label, test.statistic, test.df, test.p, int(table.event_counts.sum()))


def _pairwise(table: EventTable, names: Mapping[str, str], scope: Scope) -> tuple[tuple[str, str, float, float], ...]:
    pairs = [pair for pair in combinations(table.groups, 2)
             if len(link_levels(drop_small_cells(table.select_groups(pair), scope), scope)) == 1]
    try:
        tests = compare_pairs(table, method="holm", pairs=pairs)
    except StatisticsError:
        return ()
    return tuple((names[a], names[b], float(p), float(holm))
                 for (a, b), p, holm in zip(tests.pairs, tests.p, tests.adjusted, strict=True))


def _gray(table: EventTable, cause: str, label: str) -> EqualityTest | None:
    try:
        test = compare_incidence(table, cause=cause)
    except StatisticsError:
        return None
    events = int(table.event_counts[:, table.causes.index(cause)].sum())
    return EqualityTest(label, test.statistic, test.df, test.p, events, cause)


def _restricted_means(table: EventTable, question: Question) -> RestrictedMeans | None:
    """To the horizon or five years if the data reach them, else to the last full quarter with ten at risk in each."""
    try:
        return estimate_restricted_means(table, tau_days=question.horizon_days or HEADLINE_DAYS)
    except StatisticsError:
        pass
    try:
        # The last day with ten at risk is one patient's last day.
        tau = grid_days(estimate_restricted_means(table).tau_days)[-1]
        return estimate_restricted_means(table, tau_days=tau)
    except StatisticsError:
        return None


def estimate_group(table: EventTable, group: str, *, label: Mapping[str, str], name: str, question: Question,
                   interval: IntervalType, days: Sequence[int], ticks: Sequence[int],
                   restricted_mean: RestrictedMean | None, from_day: int | None,
                   followed: EventTable, grid: Sequence[int] = ()) -> GroupResult:
    """Everything shown of one group.

    Parameters
    ----------
    from_day : the day on which the curves of all groups start, with late entry; None without.
    followed : the table that follow-up is read from.
    grid : days on which a protected result needs its numbers at risk.

    Raises
    ------
    StatisticsError if late entry leaves the group unobserved for a while.
    """
    endpoint = endpoint_named(question.endpoint)
    horizon = math.inf if question.horizon_days is None else question.horizon_days
    survival = estimate_survival(table, group, interval=interval.value, from_day=from_day)
    median = find_quantile(survival)
    patients, events = _count_patients(table, group)
    incidence: tuple[CauseIncidence, ...] = ()
    if endpoint.competing:
        curves = estimate_cumulative_incidence(table, group, interval=interval.value, from_day=from_day)
        incidence = tuple(
            replace(_incidence(curves, place, cause, words, days, horizon), events=events[place])
            for place, (cause, words) in enumerate(zip(endpoint.causes, endpoint.cause_labels, strict=True)))
    at = read_survival(survival, np.asarray(days, dtype=np.int64))
    follow_up, support = _follow_up(followed, group)
    return GroupResult(
        label=label, name=name, n=patients, events=events[0], curve=_curve(survival, horizon),
        censorings=_censorings(survival, horizon),
        at=tuple(EstimateAt(*values) for values in zip(
            at.days.tolist(), _plain(at.survival), _plain(at.lower), _plain(at.upper), at.at_risk.tolist(),
            strict=True)),
        risk_table=_risk_table(table, group, ticks), median_days=_by_horizon(median.days, horizon),
        median_lower_days=_by_horizon(median.lower, horizon), median_upper_days=_by_horizon(median.upper, horizon),
        follow_up_median_days=follow_up, restricted_mean=restricted_mean, cumulative_incidence=incidence,
        on_grid=_count_on_grid(table, group, grid) if grid else None, follow_up_support=support)


def _count_patients(table: EventTable, group: str) -> tuple[int, tuple[int, ...]]:
    """Patients of a group, and those with each cause; with their keys where the table has them."""
    place = table.groups.index(group)
    if table.keys is None:
        return int(table.patients[place]), tuple(table.event_counts[place].tolist())
    return keyed(count_keyed_patients(table)[place])[0], keyed(count_keyed_events(table)[place])


def _count_on_grid(table: EventTable, group: str, grid: Sequence[int]) -> RiskTable:
    counts = read_keyed_counts(table, group, np.asarray(grid, dtype=np.int64))
    return RiskTable(tuple(grid), keyed(counts.at_risk), keyed(counts.events.union()), keyed(counts.censored))


def _curve(survival: SurvivalCurve, horizon: float) -> Curve:
    return _build_curve(survival.days, survival.survival, survival.lower, survival.upper, survival.at_risk,
                        survival.from_day, 1.0, horizon)


def _build_curve(days: Ints, estimate: Floats, lower: Floats, upper: Floats, at_risk: Ints, from_day: int,
                 start: float, horizon: float) -> Curve:
    """A curve from its first day to the horizon, which gets a point of its own if follow-up goes beyond it."""
    rows = np.flatnonzero(days >= from_day)
    first = int(at_risk[rows[0]]) if len(rows) else 0
    parts = [np.concatenate([[float(from_day)], days[rows]]), np.concatenate([[start], estimate[rows]]),
             np.concatenate([[math.nan], lower[rows]]), np.concatenate([[math.nan], upper[rows]]),
             np.concatenate([[float(first)], at_risk[rows]])]
    end = int(np.searchsorted(parts[0], horizon, side="right"))
    if end == len(parts[0]):
        return Curve(*parts)
    shown = [part[:end] for part in parts]
    if shown[0][-1] < horizon:
        # Whoever leaves next after the horizon is still at risk on it.
        last = [horizon, shown[1][-1], shown[2][-1], shown[3][-1], parts[4][end]]
        shown = [np.append(part, value) for part, value in zip(shown, last, strict=True)]
    return Curve(*shown)


def _follow_up(table: EventTable, group: str) -> tuple[float | None, FollowUpSupport | None]:
    try:
        return median_follow_up(table, group)
    except StatisticsError:
        return None, None  # late entry leaves too few under observation together


def median_follow_up(table: EventTable, group: str | None) -> tuple[float | None, FollowUpSupport | None]:
    """Median follow-up by the reverse Kaplan-Meier method, and what it rests on; both None if it is not reached.

    Raises
    ------
    StatisticsError if the group has no patients, or late entry leaves too few under observation together.
    """
    found = estimate_follow_up(table, group)
    days = _or_none(found.median.days)
    if days is None:
        return None, None
    # The curve's events are the censorings.
    row = int(np.searchsorted(found.curve.days, days))
    return days, FollowUpSupport(int(found.curve.events.sum()), int(found.curve.at_risk[row]))


def _censorings(survival: SurvivalCurve, horizon: float) -> Censorings:
    keep = (survival.censored > 0) & np.isfinite(survival.survival) & (survival.days <= horizon)
    return Censorings(survival.days[keep].astype(float), survival.survival[keep])


def _incidence(curves: IncidenceCurves, place: int, cause: str, words: str, days: Sequence[int], horizon: float,
               ) -> CauseIncidence:
    curve = _build_curve(curves.days, curves.incidence[:, place], curves.lower[:, place], curves.upper[:, place],
                         curves.at_risk, curves.from_day, 0.0, horizon)
    at = read_incidence(curves, np.asarray(days, dtype=np.int64))
    readings = zip(at.days.tolist(), _plain(at.incidence[:, place]), _plain(at.lower[:, place]),
                   _plain(at.upper[:, place]), at.at_risk.tolist(), strict=True)
    return CauseIncidence(cause, words, curve, tuple(EstimateAt(*values) for values in readings))


def _risk_table(table: EventTable, group: str, ticks: Sequence[int]) -> RiskTable:
    counts = read_risk_counts(count_risk_sets(table, group), np.asarray(ticks, dtype=np.int64))
    return RiskTable(tuple(ticks), tuple(counts.at_risk.tolist()), tuple(counts.events.sum(axis=1).tolist()),
                     tuple(counts.censored.tolist()))


def risk_table_days(table: EventTable, question: Question) -> tuple[int, ...]:
    """Day 0 and equal steps of whole years, or of months where follow-up is short, up to the end of the figure."""
    end = int(table.day.max()) if len(table.day) else 0
    if question.horizon_days is not None:
        end = min(end, question.horizon_days)
    for years in (1 / 12, 0.25, 0.5, 1, 2, 5, 10, 20):
        steps = int((end + 0.5) / (years * DAYS_PER_YEAR))  # day 1,826 is five years
        if steps < MOST_TICKS * (1 if years >= 1 else 0.8):
            return tuple(math.floor(step * years * DAYS_PER_YEAR + 0.5) for step in range(steps + 1))
    return (0,)


def _plain(values: Floats) -> list[float | None]:
    return [_or_none(value) for value in values.tolist()]


def _by_horizon(day: float, horizon: float) -> float | None:
    """A day that the curve as it is shown can be read at; None for a later one and for NaN."""
    return day if day <= horizon else None


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
