"""A comparison of treatments as it may leave.

Counts are rounded by their keys and audited like the other tables. Curves stand on the steps of their arm, differences
on those of the smaller one, on the quarterly grid and as long as enough are at risk in both arms. Of why a comparison
is refused the rule is told and what it asks for, never what was found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.curves import area_under, protect_curve
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import too_few
from harmony_dash.disclosure.protect_survival import margin_and_p
from harmony_dash.disclosure.protect_what_if_diagnostics import names_of_balance, protect_diagnostics
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import Curve, IntervalType
from harmony_dash.disclosure.rounding import release_count, release_part
from harmony_dash.disclosure.subgroup_results import Interval
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    AllocationCell,
    ComparedArm,
    ComparedPatients,
    Contrast,
    LevelArm,
    LevelEffect,
    Measure,
    Method,
    StrategyCurve,
    WhatIfReason,
    WhatIfResult,
)
from harmony_dash.disclosure.what_if_steps import Drawn, difference_steps, keyed_patients, on_steps

_OF_A_FEW = "something that few patients of an arm have, or all but a few"


def protect_what_if(result: WhatIfResult, scope: Scope) -> WhatIfResult:
    """The result with counts rounded and small ones hidden, and what rests on them taken away.

    Raises
    ------
    TypeError for counts without keys.
    """
    drawn = {one.key: Drawn.of(one, scope) for one in result.patients}
    open_ = {key: one for key, one in drawn.items() if one.days}
    endpoint = result.question.cohort.endpoint
    main = open_.get((OBSERVED, "", endpoint))
    curves = tuple(_protect_curve(one, open_[one.key], scope) for one in result.curves
                   if one.key in open_)
    contrasts = tuple(filter(None, (_protect_contrast(one, open_[one.key], curves, scope)
                                    for one in result.contrasts if one.key in open_)))
    answer = next((one for one in contrasts if (one.method, one.measure) == (Method.STANDARDISED, Measure.SURVIVAL)),
                  None)
    named = names_of_balance(result.diagnostics.balance, main, scope.rules)
    return replace(
        result, allocation=_protect_allocation(result.allocation, scope),
        reasons=tuple(dict.fromkeys(_protect_reason(one, named) for one in result.reasons)),
        patients=tuple(_protect_patients(one, drawn[one.key], scope) for one in result.patients),
        curves=curves, contrasts=contrasts,
        primary=result.primary if any(one.method is result.primary for one in contrasts) else None,
        effects=_protect_effects(result.effects, endpoint, main, scope),
        diagnostics=protect_diagnostics(result.diagnostics, main, answer, scope))


def _protect_allocation(cells: Sequence[AllocationCell], scope: Scope) -> tuple[AllocationCell, ...]:
    """Counts of every trial and arm, audited with the totals of arms, of trials and of those that are compared."""
    n = _audit(cells, [keyed_patients(cell.n) for cell in cells], scope)
    events = _audit(cells, [keyed_patients(cell.events) for cell in cells], scope)
    shown = []
    for place, cell in enumerate(cells):
        part = None if n[place] is None else release_part(keyed_patients(cell.events), cell.n or 0, scope)
        shown.append(replace(cell, n=n[place], events=part if events[place] is not None else None))
    # Whether anybody at all is in a trial with hidden numbers alone is told of no few.
    told = {cell.stratum for cell in shown if cell.n is not None}
    return tuple(cell for cell in shown if cell.stratum in told)


def _audit(cells: Sequence[AllocationCell], counts: Sequence[KeyedCount], scope: Scope) -> list[int | None]:
    members: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(cells):
        for view in (("cell", str(place)), ("arm", cell.arm), ("stratum", cell.stratum), ("all",)):
            members.setdefault(view, []).append(place)
        if cell.used:
            members.setdefault(("used", cell.arm), []).append(place)
    shown = {view: release_count(union(counts[place] for place in places), scope) for view, places in members.items()}

    def next_partner(candidates: list[tuple[str, ...]]) -> tuple[str, ...] | None:
        finest = [view for view in candidates if view[0] == "cell"]
        return min(finest, key=lambda view: (shown[view] or 0, view), default=None)

    # Told or not, the totals can be asked for elsewhere; hidden partners are cells alone.
    small = [view for view, n in shown.items() if n is None]
    safe = hide_partners(members, shown, small, scope.rules, atoms=len(cells), next_partner=next_partner)
    return [safe["cell", str(place)] for place in range(len(cells))]


def _protect_patients(patients: ComparedPatients, drawn: Drawn, scope: Scope) -> ComparedPatients:
    arms = [_protect_arm(arm, scope) for arm in patients.arms]
    reason = patients.reason or ("" if drawn.days else f"{too_few(scope.rules)} in an arm")
    return replace(patients, arms=(arms[0], arms[1]), reason=reason)


def _protect_arm(arm: ComparedArm, scope: Scope) -> ComparedArm:
    n = release_count(keyed_patients(arm.n), scope)
    at_risk = release_count(keyed_patients(arm.at_risk), scope)

    def part(count: int | None) -> int | None:
        return None if n is None else release_part(keyed_patients(count), arm.n or 0, scope)

    return replace(arm, n=n, at_risk=None if n is None else at_risk, events=part(arm.events),
                   events_by_horizon=part(arm.events_by_horizon), on_grid=None)


def _protect_curve(one: StrategyCurve, drawn: Drawn, scope: Scope) -> StrategyCurve:
    exact = _read(one.curve, drawn.days)
    return replace(one, curve=protect_curve(exact, drawn.days, drawn.curve_steps(one.arm, scope), drawn.arms[one.arm],
                                            interval=IntervalType.LOG_LOG, on_first_day=False))


def _read(curve: Curve, days: Sequence[int]) -> Curve:
    """The curve on some of its days."""
    rows = np.isin(curve.days, days)
    return Curve(curve.days[rows], curve.estimate[rows], curve.lower[rows], curve.upper[rows], curve.at_risk[rows])


def _protect_contrast(one: Contrast, drawn: Drawn, curves: Sequence[StrategyCurve], scope: Scope) -> Contrast | None:
    """The contrast in steps; None where the horizon lies beyond what may be drawn."""
    if one.days not in drawn.days:
        return None
    if one.measure is Measure.RESTRICTED_MEAN:
        return _protect_mean(one, drawn, curves, scope)
    steps = drawn.difference_steps(scope)
    return replace(one, estimate=on_steps(one.estimate, steps.middle),
                   lower=None if one.lower is None else on_steps(one.lower, steps.below),
                   upper=None if one.upper is None else on_steps(one.upper, steps.above))


def _protect_mean(one: Contrast, drawn: Drawn, curves: Sequence[StrategyCurve], scope: Scope) -> Contrast | None:
    """The area between the released curves, with the error of the exact difference and of both roundings."""
    areas = [area_under(curve.curve, one.days) for curve in curves
             if (curve.method, curve.outcome) == (one.method, one.outcome) and one.days in curve.curve.days]
    heights = [drawn.height_of(arm, scope) for arm in drawn.arms]
    if len(areas) < 2 or one.lower is None or one.upper is None or drawn.events < scope.rules.minimum_events:
        return None
    exact = (one.upper - one.lower) / (2 * 1.959964)
    rounding = one.days * math.hypot(*heights) / math.sqrt(12)
    difference = float(round(areas[1] - areas[0]))
    margin, _ = margin_and_p(difference, math.hypot(exact, rounding), scope.rules)
    return replace(one, estimate=difference, lower=difference - margin, upper=difference + margin)


def _protect_reason(one: WhatIfReason, named: frozenset[str]) -> WhatIfReason:
    """The reason without what was found: no count, no share, no day of a patient, no covariate of a few.

    Parameters
    ----------
    named : the covariates that may be named.
    """
    where = one.where if one.code != "BALANCE" or one.where in named else _OF_A_FEW
    return replace(one, where=where, value=None, threshold=None if one.code == "FOLLOWUP" else one.threshold)


def _protect_effects(effects: Sequence[LevelEffect], endpoint: str, main: Drawn | None, scope: Scope,
                     ) -> tuple[LevelEffect, ...]:
    """Both arms of a level or none, and no level that would give away another one of its biomarker."""
    shown = [_protect_level(one, endpoint, main, scope) for one in effects]
    for variable in dict.fromkeys(one.variable for one in effects):
        places = [place for place, one in enumerate(effects) if one.variable == variable]
        # One small level is the rest of the arm without those that are shown: a second one goes with it.
        bare = [place for place in places if shown[place].reference.n is None]
        open_ = [place for place in places if shown[place].reference.n is not None]
        if len(bare) == 1 and open_:
            smallest = min(open_, key=lambda place: (shown[place].reference.n or 0) + (shown[place].compared.n or 0))
            shown[smallest] = _without_numbers(shown[smallest])
    return tuple(shown)


def _protect_level(one: LevelEffect, endpoint: str, main: Drawn | None, scope: Scope) -> LevelEffect:
    arms = [_protect_level_arm(arm, scope) for arm in (one.reference, one.compared)]
    if any(None in (arm.n, arm.events) for arm in arms):
        return _without_numbers(one)
    difference = one.difference
    if difference is not None:
        enough = all(scope.rules.carries_curve(int(arm.n or 0), int(arm.events or 0))
                     for arm in (one.reference, one.compared))
        if main is None or main.horizon_days not in main.days or not enough:
            difference = None
        else:
            steps = difference_steps(endpoint, (keyed_patients(one.reference.n), keyed_patients(one.compared.n)), scope)
            difference = Interval(on_steps(difference.estimate, steps.middle), on_steps(difference.lower, steps.below),
                                  on_steps(difference.upper, steps.above))
    # One reason for all, so that it does not tell which it was.
    reason = "" if difference is not None else f"{too_few(scope.rules)} in an arm"
    return replace(one, reference=arms[0], compared=arms[1], difference=difference, reason=reason)


def _protect_level_arm(arm: LevelArm, scope: Scope) -> LevelArm:
    n = release_count(keyed_patients(arm.n), scope)
    return replace(arm, n=n, events=None if n is None else release_part(keyed_patients(arm.events), arm.n or 0, scope))


def _without_numbers(one: LevelEffect) -> LevelEffect:
    return replace(one, reference=replace(one.reference, n=None, events=None),
                   compared=replace(one.compared, n=None, events=None), difference=None,
                   reason="too few patients or events in an arm, here or in another level")
