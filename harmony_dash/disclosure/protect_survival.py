"""A survival result as it may leave: which groups, and of each group what."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.curves import (
    LEVEL_OF_INTERVALS,
    Steps,
    area_under,
    find_support,
    fit_together,
    protect_curve,
    read_protected,
    with_numbers_at_risk,
)
from harmony_dash.disclosure.grid import GRID, snap_all, tick_days
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.medians import read_median
from harmony_dash.disclosure.policy import Rules, too_few
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.protect_flow import as_one_figure, protect_flow
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import (
    CauseIncidence,
    Censorings,
    Curve,
    EqualityTest,
    FollowUpSupport,
    GroupResult,
    RestrictedMean,
    RestrictedMeanDifference,
    RiskTable,
    SurvivalResult,
    WithheldGroup,
)
from harmony_dash.disclosure.rounding import (
    release_count,
    release_part,
    round_count,
    round_hazard_ratio,
    round_p,
    round_significant,
    round_to_month,
    round_up_significant,
)
from harmony_dash.disclosure.wording import LEVEL_OF_TESTS
from harmony_dash.stats.intervals import normal_quantile

# A second malignancy and every other first event are together the events of event-free survival.
_SAME_EVENTS = MappingProxyType({"other_event,smn": "event"})
_NO_CENSORINGS = Censorings(np.zeros(0), np.zeros(0))
_Z = normal_quantile(LEVEL_OF_INTERVALS)
GIVES_AWAY = "it would give away the size of another group"


def protect_survival(result: SurvivalResult, scope: Scope) -> SurvivalResult:
    """The result with the groups that carry a curve, everything of them rounded.

    Raises
    ------
    TypeError for counts without keys or a group without its numbers on the grid.
    """
    rules = scope.rules
    carried = [group for group in result.groups if _carries(group, rules)]
    withheld = [*result.withheld, *(WithheldGroup(group.label, group.name, too_few(rules), group.n)
                                    for group in result.groups if not _carries(group, rules))]
    drawn = [_keyed(group.n if group.n_of_cohort is None else group.n_of_cohort) for group in carried]
    flow = protect_flow(result, drawn, [group.n or 0 for group in withheld], scope)
    kept = [group for place, group in enumerate(carried) if place not in flow.given_up]
    withheld += [WithheldGroup(carried[place].label, carried[place].name, GIVES_AWAY) for place in flow.given_up]
    # A test that a withheld group took part in would say something about it.
    complete = bool(result.compared) and set(result.compared) <= {group.name for group in kept}
    ticks = _choose_ticks(kept, rules)
    groups = tuple(_protect_group(group, result, ticks, scope) for group in kept)
    took_part = [group for group in groups if group.hazard_ratio is not None or group.name == result.reference]
    has_ratios = complete and not any(group.events is None for group in took_part)
    groups = tuple(replace(group, hazard_ratio=round_hazard_ratio(group.hazard_ratio, rules)
                           if has_ratios and group.hazard_ratio is not None else None) for group in groups)
    over_time = result.over_time if has_ratios else None
    tested = complete and result.log_rank is not None and result.log_rank.events >= rules.minimum_events_for_test
    patients = union([_keyed(group.n) for group in kept])
    return replace(
        result, groups=groups, n=round_count(as_one_figure(result, patients, rules), scope),
        events=_sum_of_events(groups),
        withheld=tuple(replace(group, n=None) for group in withheld),
        log_rank=_round_test(result.log_rank, rules) if tested and result.log_rank is not None else None,
        pairwise=tuple((a, b, round_p(raw, rules), round_p(holm, rules)) for a, b, raw, holm in result.pairwise)
        if tested else (),
        gray=tuple(_round_test(test, rules) for test in result.gray
                   if complete and test.events >= rules.minimum_events_for_test),
        restricted_mean_differences=_differences(result, groups, rules) if complete else (),
        attrition=flow.attrition, exclusions=flow.exclusions, compared=result.compared if complete else (),
        reference=result.reference if has_ratios else "",
        over_time=None if over_time is None or over_time.events < rules.minimum_events_for_test
        else _round_test(over_time, rules))


def _sum_of_events(groups: Sequence[GroupResult]) -> int | None:
    """The sum of what is shown, which tells nothing more; None beside a hidden part."""
    shown = [group.events for group in groups]
    return sum(n for n in shown if n is not None) if groups and None not in shown else None


def _carries(group: GroupResult, rules: Rules) -> bool:
    """Whether anything of the group is drawn. With competing causes the events are those of the cause of interest."""
    return rules.carries_curve(group.n, group.events or 0) and bool(_support_of(group, rules))


def _choose_ticks(groups: Sequence[GroupResult], rules: Rules) -> tuple[int, ...]:
    """The days of the risk table: regular ones up to the end of the longest curve.

    A day on which a group has lost all but a few to one column is left out: that number would have to be hidden, and
    "<10" would not be true of it.
    """
    def nearly_all(group: GroupResult, day: int) -> bool:
        grid = _grid_of(group)
        if day not in grid.days:
            return False
        place = grid.days.index(day)
        supported = (grid.at_risk[place] or 0) >= rules.minimum_cell
        return supported and any(group.n - (column[place] or 0) < rules.minimum_cell
                                 for column in (grid.events, grid.censored))

    end = max((_support_of(group, rules)[-1] for group in groups), default=0)
    return tuple(day for day in tick_days(end) if not any(nearly_all(group, day) for group in groups))


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count


def _support_of(group: GroupResult, rules: Rules) -> tuple[int, ...]:
    table = _grid_of(group)
    return find_support(group.curve, table.days, table.at_risk, rules)


def _grid_of(group: GroupResult) -> RiskTable:
    if group.on_grid is None:
        raise TypeError("a group without its numbers on the grid cannot be released")
    return group.on_grid


def _round_test(test: EqualityTest, rules: Rules) -> EqualityTest:
    return replace(test, statistic=round_significant(test.statistic, rules), p=round_p(test.p, rules),
                   events=rules.minimum_events_for_test)


def _protect_group(group: GroupResult, result: SurvivalResult, ticks: Sequence[int], scope: Scope) -> GroupResult:
    rules, endpoint = scope.rules, endpoint_named(result.question.endpoint)
    patients, n = _keyed(group.n), round_count(group.n, scope)
    support = _support_of(group, rules)
    grid = _grid_of(group)
    table = _protect_risk_table(grid, ticks, scope)

    def curve_of(exact: Curve, statistic: str) -> Curve:
        return protect_curve(exact, support, Steps.of(patients, n, statistic, scope), int(patients),
                             interval=result.interval, on_first_day=endpoint.counts_on_day_zero)

    causes = [part for part in group.cumulative_incidence if (part.events or 0) >= rules.minimum_events]
    # Beside competing causes the event-free part gives way by more than half a step: median and mean would be biased.
    alone = curve_of(group.curve, curve_statistic(endpoint, ""))
    survival, incidences = fit_together(
        alone, [curve_of(part.curve, curve_statistic(endpoint, part.cause)) for part in causes])
    survival = with_numbers_at_risk(survival, table.days, table.at_risk)
    days = snap_all(at.days for at in group.at)
    at_risk = {day: table.at_risk[table.days.index(day)] if day in table.days
               else _read(grid, grid.at_risk, day, scope) for day in days}
    median = read_median(alone, step_height(n, rules))
    return replace(
        group, n=n, events=None if group.events is None else release_part(group.events, patients, scope),
        curve=survival, censorings=_NO_CENSORINGS,
        at=tuple(read_protected(survival, day, at_risk[day]) for day in days), risk_table=table,
        median_days=median.days, median_lower_days=median.lower, median_upper_days=median.upper,
        follow_up_median_days=protect_follow_up(group.follow_up_median_days, group.follow_up_support, patients, rules),
        restricted_mean=_restricted_mean(group, alone, scope),
        cumulative_incidence=tuple(
            CauseIncidence(part.cause, part.label, with_numbers_at_risk(curve, table.days, table.at_risk),
                           tuple(read_protected(curve, day, at_risk[day]) for day in days))
            for part, curve in zip(causes, incidences, strict=True)),
        on_grid=None, follow_up_support=None)


def curve_statistic(endpoint: Endpoint, cause: str) -> str:
    """The name under which a curve is rounded: curves that are the same by definition share it.

    Curves that happen to be the same, because nobody had one of the causes, do not: that they are would be told.

    Parameters
    ----------
    cause : of an incidence; empty for the part without any event.
    """
    causes = ",".join(sorted(endpoint.causes))
    return f"curve {endpoint.time_zero} {_SAME_EVENTS.get(causes, causes)} {cause or 'none'}"


def _protect_risk_table(grid: RiskTable, ticks: Sequence[int], scope: Scope) -> RiskTable:
    """Rounded numbers on the ticks.

    Where enough are at risk, a hidden count of events or censorings is below the threshold; where too few are, events
    and censorings are hidden with them, because they would give the number at risk away.

    Rounded each by itself, a running total could fall. Where the counts cannot fall (or, without late entry, rise), the
    rounded ones do not either; that brings none of them further from its count than rounding does.
    """
    at_risk = [_read(grid, grid.at_risk, day, scope) for day in ticks]
    if all(later <= before for before, later in pairwise(n or 0 for n in grid.at_risk)):
        at_risk = _in_order(at_risk, min)
    events, censored = (_in_order([None if here is None else _read(grid, column, day, scope)
                                   for day, here in zip(ticks, at_risk, strict=True)], max)
                        for column in (grid.events, grid.censored))
    return RiskTable(tuple(ticks), tuple(at_risk), tuple(events), tuple(censored))


def _in_order(counts: Sequence[int | None], choose: Callable[[int, int], int]) -> list[int | None]:
    """The running minimum or maximum of the counts that are shown."""
    found: list[int | None] = []
    last: int | None = None
    for n in counts:
        last = last if n is None else n if last is None else choose(last, n)
        found.append(None if n is None else last)
    return found


def _read(grid: RiskTable, column: Sequence[int | None], day: int, scope: Scope) -> int | None:
    """The released count of a column on a day; beyond the last day there is nobody."""
    return release_count(column[grid.days.index(day)], scope) if day in grid.days else None


def protect_follow_up(days: float | None, support: FollowUpSupport | None, patients: int, rules: Rules) -> float | None:
    """A median follow-up to the nearest month, where enough patients stand behind it."""
    if days is None or support is None or patients < rules.minimum_patients:
        return None
    enough = support.censored >= rules.minimum_events and support.at_risk >= rules.minimum_at_risk
    return round_to_month(days) if enough else None


def _restricted_mean(group: GroupResult, survival: Curve, scope: Scope) -> RestrictedMean | None:
    """The area under the rounded curve, up to the last day of the grid before the horizon.

    Its standard error is that of the exact curve at the horizon, where it is largest, and the error of the rounded
    heights with it: each is off by a uniform share of a step, d/√12, and at worst all of them alike. On few events its
    digits would tell their number.
    """
    mean, grid, rules = group.restricted_mean, _grid_of(group), scope.rules
    if mean is None or not len(survival.days) or survival.days[0] > 0:
        return None
    tau = int(GRID[np.searchsorted(GRID, mean.tau_days, side="right") - 1])
    if tau == 0 or tau > survival.days[-1] or (grid.events[grid.days.index(tau)] or 0) < rules.minimum_events:
        return None
    rounding = tau * step_height(round_count(_keyed(group.n), scope), rules) / math.sqrt(12)
    return RestrictedMean(tau, float(round(area_under(survival, tau))),
                          round_up_significant(math.hypot(mean.se, rounding), rules))


def _differences(result: SurvivalResult, groups: tuple[GroupResult, ...], rules: Rules,
                 ) -> tuple[RestrictedMeanDifference, ...]:
    """Differences of the released means, with the standard errors released with them."""
    means = {group.name: group.restricted_mean for group in groups}
    found = []
    for exact in result.restricted_mean_differences:
        one, other = means.get(exact.group), means.get(exact.reference)
        if one is None or other is None or one.tau_days != other.tau_days:
            continue
        days, se = one.days - other.days, math.hypot(one.se, other.se)
        margin, p = margin_and_p(days, se, rules)
        found.append(RestrictedMeanDifference(exact.group, exact.reference, one.tau_days, days, days - margin,
                                              days + margin, p))
    return tuple(found)


def margin_and_p(difference: float, se: float, rules: Rules) -> tuple[float, float]:
    """Half the 95 % interval of a difference and its p, both rounded away from significance.

    p is that of the rounded margin m, 2 Φ(−z |difference| / m), so that p is 0.05 or more where the interval holds 0
    and nowhere else. Where only the rounding of p would bring it to 0.05, the margin is rounded up to the difference.
    """
    def p_of(margin: float) -> float:
        p = math.erfc(_Z * abs(difference) / margin / math.sqrt(2))
        return round_p(round_up_significant(p, rules), rules)

    margin = round_up_significant(_Z * se, rules)
    if margin < abs(difference) and p_of(margin) >= LEVEL_OF_TESTS:
        margin = round_up_significant(abs(difference), rules)
    return margin, p_of(margin)

