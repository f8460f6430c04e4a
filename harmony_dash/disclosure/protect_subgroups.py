"""A table of subgroups as it may leave: each level as if asked for alone, no comparison that tells of a hidden one.

The levels of a variable and those without a value are the cohort, so a small level could be sought by subtraction:
`audit` sees to it. Estimates come from the curves of the survival page, protected by the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.curves import Steps
from harmony_dash.disclosure.headline import headline_estimates
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.protect_survival import GIVES_AWAY, protect_survival
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import EstimateAt, Floats, GroupResult, IntervalType, SurvivalResult
from harmony_dash.disclosure.rounding import (
    release_count,
    release_part,
    round_count,
    round_hazard_ratio,
    round_p,
    round_ratio,
    round_significant,
)
from harmony_dash.disclosure.subgroup_results import (
    ArmCount,
    InteractionResult,
    Interval,
    LevelsTest,
    RowKind,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
    TreatmentInLevel,
)

_TOTAL = -1  # stands among the places of rows for everybody
TOO_FEW = "too few"


def protect_subgroups(result: SubgroupsResult, scope: Scope) -> SubgroupsResult:
    """The table with counts rounded and small ones hidden, and what rests on them taken away.

    Raises
    ------
    TypeError for counts without keys.
    """
    cohort = protect_survival(result.cohort, scope)
    return replace(result, cohort=cohort,
                   variables=tuple(_protect_variable(variable, result.cohort, scope) for variable in result.variables))


def _protect_variable(variable: SubgroupVariable, cohort: SurvivalResult, scope: Scope) -> SubgroupVariable:
    counts, partners = _protect_counts(variable.rows, cohort, scope)
    shown = protect_estimates({place: row.group for place, row in enumerate(variable.rows) if row.group is not None},
                              cohort.question, cohort.interval, scope)
    rows = [_protect_row(row, counts[place], shown.get(place), partners, place)
            for place, row in enumerate(variable.rows)]
    # A comparison that a hidden level took part in would say something about it.
    took_part = [row for row in rows if row.is_reference or row.hazard_ratio is not None]
    compared = bool(took_part) and not any(None in (row.n, row.events) for row in took_part)
    rows = [_round_ratio(row, scope.rules, keep=compared) for row in rows]
    hidden = partners or not compared
    over_time = variable.over_time
    if hidden or over_time is None or over_time.events < scope.rules.minimum_events_for_test:
        over_time = None
    rows = _protect_treatment(rows, cohort, scope, hidden=bool(partners))
    return replace(
        variable, rows=tuple(rows), reference=variable.reference if compared else "",
        test=None if hidden or variable.test is None else _round_test(variable.test, scope.rules),
        interactions=tuple(_protect_interaction(one, rows, place, scope)
                           for place, one in enumerate(variable.interactions)),
        reason=variable.reason if compared or variable.reason else TOO_FEW,
        over_time=None if over_time is None else replace(
            over_time, statistic=round_significant(over_time.statistic, scope.rules),
            p=round_p(over_time.p, scope.rules), events=scope.rules.minimum_events_for_test))


def _protect_counts(rows: Sequence[SubgroupRow], cohort: SurvivalResult, scope: Scope,
                    ) -> tuple[list[tuple[int | None, int | None]], frozenset[int]]:
    """Patients and events of every row as they may be shown, and the rows hidden for the sake of others."""
    n = [None if row.n is None else release_count(_keyed(row.n), scope) for row in rows]
    events = [None if shown is None else release_part(_keyed(row.events), row.n or 0, scope)
              for row, shown in zip(rows, n, strict=True)]
    if not cohort.groups:
        return list(zip(n, events, strict=True)), frozenset()
    everybody = union(_keyed(group.n) for group in cohort.groups)
    hurt = union(_keyed(group.events or 0) for group in cohort.groups)
    # What others than these are is known as a sum alone: they get no answer, or one to another question.
    alike = [place for place, row in enumerate(rows) if row.n is not None and not row.own_question]
    n, partners = _hide_in_cohort(n, [row.n for row in rows], alike, everybody, round_count(everybody, scope), scope)
    events = [None if of is None else count for of, count in zip(n, events, strict=True)]
    events, more = _hide_in_cohort(events, [row.events for row in rows], alike, hurt,
                                   release_part(hurt, int(everybody), scope), scope)
    return list(zip(n, events, strict=True)), frozenset(partners | more)


def _hide_in_cohort(shown: Sequence[int | None], counts: Sequence[int | None], alike: Sequence[int], whole: int,
                    total: int | None, scope: Scope) -> tuple[list[int | None], set[int]]:
    """As `_hide`, of rows that are parts of a cohort; whoever is in none of them is a part more, which nobody shows.

    Parameters
    ----------
    shown, counts : of every row, rounded and as they are.
    alike : the places of rows that answer the cohort's own question.
    whole, total : the cohort's own count, as it is and rounded.
    """
    parts = [shown[place] for place in alike]
    exact = [counts[place] or 0 for place in alike]
    rest = whole - sum(exact)
    if rest < 0:  # the rows of such a variable all answer another question
        return list(shown), set()
    if rest or len(alike) < len(shown):
        parts.append(None)
        exact.append(rest)
    small = [place for place, count in enumerate(exact) if count < scope.rules.minimum_cell]
    safe, hidden = _hide(parts, total, small, scope)
    found = dict(zip(alike, safe, strict=False))
    return [found.get(place, one) for place, one in enumerate(shown)], {alike[place] for place in hidden}


def _hide(counts: Sequence[int | None], total: int | None, small: Sequence[int], scope: Scope,
          ) -> tuple[list[int | None], set[int]]:
    """The counts with more of them hidden, until the small ones keep enough possible values."""
    places = range(len(counts))
    members: dict[int, Sequence[int]] = {place: [place] for place in places}
    members[_TOTAL] = list(places)
    shown: dict[int, int | None] = {**dict(enumerate(counts)), _TOTAL: total}

    def next_partner(candidates: list[int]) -> int | None:
        rest = [place for place in candidates if place != _TOTAL]
        return min(rest, key=lambda place: (shown[place] or 0, place)) if rest else None

    if total is None:
        return list(counts), set()
    safe = hide_partners(members, shown, list(small), scope.rules, atoms=len(counts),
                         next_partner=next_partner)
    return [safe[place] for place in places], {place for place in places
                                               if safe[place] is None and counts[place] is not None}


def protect_estimates(groups: Mapping[int, GroupResult], question: Question, interval: IntervalType, scope: Scope,
                      ) -> dict[int, EstimateAt]:
    """The estimate of each group, from the curve the survival page shows of it; groups without one are left out."""
    endpoint = endpoint_named(question.endpoint)
    found = {}
    for place, group in groups.items():
        alone = SurvivalResult(
            question=question, title="", snapshot="", synthetic=False, n=0, groups=(group,), withheld=(), log_rank=None,
            pairwise=(), gray=(), restricted_mean_differences=(), attrition=(), exclusions=(), interval=interval,
            notes=(), methods="", summary="")
        for shown in protect_survival(alone, scope).groups:
            estimates = headline_estimates(shown, endpoint)
            if estimates:
                found[place] = estimates[0]
    return found


def _protect_row(row: SubgroupRow, counts: tuple[int | None, int | None], at: EstimateAt | None,
                 partners: frozenset[int], place: int) -> SubgroupRow:
    n, events = counts
    hidden = n is None or events is None
    reason = row.reason
    if hidden and not reason:
        reason = GIVES_AWAY if place in partners else TOO_FEW
    return replace(row, n=n, events=events, at=None if hidden else at, group=None, reason=reason)


def _round_ratio(row: SubgroupRow, rules: Rules, *, keep: bool) -> SubgroupRow:
    if not keep:
        lost = row.hazard_ratio is not None or row.is_reference
        return replace(row, hazard_ratio=None, is_reference=False, reason=row.reason or (TOO_FEW if lost else ""))
    if row.hazard_ratio is None:
        return row
    return replace(row, hazard_ratio=round_hazard_ratio(row.hazard_ratio, rules))


def _round_test(test: LevelsTest, rules: Rules) -> LevelsTest:
    return LevelsTest(round_significant(test.statistic, rules), test.df, round_p(test.p, rules))


def _protect_treatment(rows: Sequence[SubgroupRow], cohort: SurvivalResult, scope: Scope, *, hidden: bool,
                       ) -> list[SubgroupRow]:
    """Counts by arm and level: both arms of a level or none, and none that would give away those of another."""
    found = [list(row.by_treatment) for row in rows]
    for place in range(max((len(one) for one in found), default=0)):
        levels = [number for number, one in enumerate(found) if len(one) > place]
        told = {number: _protect_arms(found[number][place], cohort, scope) for number in levels}
        bare = {number for number in levels if hidden or rows[number].n is None or None in _numbers(told[number])}
        bare |= _partners([found[number][place] for number in levels], levels, scope)
        complete = not bare
        for number in levels:
            found[number][place] = _without_numbers(told[number]) if number in bare else replace(
                told[number], shrunken=told[number].shrunken if complete else None)
    return [replace(row, by_treatment=tuple(one)) for row, one in zip(rows, found, strict=True)]


def _partners(found: Sequence[TreatmentInLevel], levels: Sequence[int], scope: Scope) -> set[int]:
    """The levels to hide so that nobody who knows the totals of an arm can tell what is hidden of another level."""
    partners: set[int] = set()
    for arms in zip(*((one.reference, one.compared) for one in found), strict=True):
        for counts in ([_keyed(arm.n) for arm in arms], [_keyed(arm.events) for arm in arms]):
            small = [place for place, count in enumerate(counts) if count < scope.rules.minimum_cell]
            _, hidden = _hide([release_count(count, scope) for count in counts], release_count(union(counts), scope),
                              small, scope)
            partners |= {levels[place] for place in hidden}
    return partners


def _numbers(found: TreatmentInLevel) -> tuple[int | None, ...]:
    return found.reference.n, found.reference.events, found.compared.n, found.compared.events


def _without_numbers(found: TreatmentInLevel) -> TreatmentInLevel:
    arms = [replace(arm, n=None, events=None) for arm in (found.reference, found.compared)]
    return TreatmentInLevel(arms[0], arms[1], None, None, None, found.reason or TOO_FEW)


def _protect_arms(found: TreatmentInLevel, cohort: SurvivalResult, scope: Scope) -> TreatmentInLevel:
    arms = [_protect_arm(arm, scope) for arm in (found.reference, found.compared)]
    difference = _protect_difference(found, cohort, scope)
    return TreatmentInLevel(arms[0], arms[1], _round_interval(found.hazard_ratio), _round_interval(found.shrunken),
                            difference, found.reason, None if difference is None else found.difference_trials)


def _round_interval(ratio: Interval | None) -> Interval | None:
    """A ratio of hazards with its limits, in as many decimals as every other."""
    if ratio is None:
        return None
    return Interval(*(round_ratio(value) for value in (ratio.estimate, ratio.lower, ratio.upper)))


def _protect_arm(arm: ArmCount, scope: Scope) -> ArmCount:
    n = release_count(_keyed(arm.n), scope)
    return replace(arm, n=n, events=None if n is None else release_part(_keyed(arm.events), arm.n or 0, scope),
                   group=None)


def _protect_difference(found: TreatmentInLevel, cohort: SurvivalResult, scope: Scope) -> Interval | None:
    """The difference in steps of the smaller arm's curve, whose phase hangs on the patients of both."""
    groups = [arm.group for arm in (found.reference, found.compared)]
    if found.difference is None or any(group is None for group in groups):
        return None
    if len(protect_estimates({place: group for place, group in enumerate(groups) if group is not None},
                             cohort.question, cohort.interval, scope)) < len(groups):
        return None
    counts = [_keyed(arm.n) for arm in (found.reference, found.compared)]
    steps = Steps.of(union(counts), min(round_count(count, scope) for count in counts),
                     f"difference {cohort.question.endpoint} {found.reference.arm}\x00{found.compared.arm}", scope)

    def on_steps(value: float, place: Callable[[Floats], Floats]) -> float:
        return round(2 * float(place(np.array([(value + 1) / 2]))[0]) - 1, 12)

    difference = found.difference
    return Interval(on_steps(difference.estimate, steps.middle), on_steps(difference.lower, steps.below),
                    on_steps(difference.upper, steps.above))


def _protect_interaction(one: InteractionResult, rows: Sequence[SubgroupRow], place: int, scope: Scope,
                         ) -> InteractionResult:
    """The test, if every level it compares is shown in both arms."""
    levels = [row.by_treatment[place] for row in rows if row.kind is RowKind.LEVEL and len(row.by_treatment) > place]
    shown = [found for found in levels if None not in _numbers(found)]
    if one.test is None or len(shown) < one.levels:
        reason = one.reason or "too few patients or events in a level"
        return replace(one, test=None, trials_agree=None, assess_credibility=False, reason=reason)
    return replace(one, test=_round_test(one.test, scope.rules))


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count
