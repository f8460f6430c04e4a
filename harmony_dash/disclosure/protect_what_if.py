"""A comparison of treatments as it may leave.

Counts are rounded by their keys and audited like the other tables. Curves and differences stand on steps of the smaller
arm, whose phase hangs on the patients of both, on the quarterly grid and as long as enough are at risk in both arms.
What a diagnostic says of single patients (a weight, a bin, a covariate of a few) has two digits or is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.curves import Steps, area_under, protect_curve
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import Rules, too_few
from harmony_dash.disclosure.precision import step_height
from harmony_dash.disclosure.protect_survival import margin_and_p
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import Curve, Floats, IntervalType
from harmony_dash.disclosure.rounding import (
    release_count,
    release_part,
    round_count,
    round_significant,
    round_to_month,
    round_up_significant,
)
from harmony_dash.disclosure.subgroup_results import Interval
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    AllocationCell,
    Balance,
    ComparedArm,
    ComparedPatients,
    Contrast,
    Diagnostics,
    LevelArm,
    LevelEffect,
    Measure,
    PropensityBin,
    Sensitivity,
    StrategyCurve,
    WhatIfReason,
    WhatIfResult,
)

_DECIMALS = 2
_COUNTED = ("CELL_SMALL", "NO_CONTRAST", "BETWEEN_PROTOCOL")


def protect_what_if(result: WhatIfResult, scope: Scope) -> WhatIfResult:
    """The result with counts rounded and small ones hidden, and what rests on them taken away.

    Raises
    ------
    TypeError for counts without keys.
    """
    drawn = {(one.population, one.outcome): _Drawn.of(one, scope) for one in result.patients}
    open_ = {key: one for key, one in drawn.items() if one.days}
    main = open_.get((OBSERVED, result.question.cohort.endpoint))
    curves = tuple(_protect_curve(one, open_[one.population, one.outcome], scope) for one in result.curves
                   if (one.population, one.outcome) in open_)
    contrasts = [_protect_contrast(one, open_[one.population, one.outcome], curves, scope) for one in result.contrasts
                 if (one.population, one.outcome) in open_]
    allocation = _protect_allocation(result.allocation, scope)
    return replace(
        result, allocation=allocation, reasons=tuple(_protect_reason(one, scope) for one in result.reasons),
        patients=tuple(_protect_patients(one, drawn[one.population, one.outcome], scope) for one in result.patients),
        curves=curves, contrasts=tuple(one for one in contrasts if one is not None),
        primary=result.primary if any(one is not None and one.method is result.primary for one in contrasts) else None,
        effects=_protect_effects(result.effects, main, scope),
        diagnostics=_protect_diagnostics(result.diagnostics, main, scope))


class _Drawn:
    """What may be drawn of one outcome: the days, and the patients that decide its steps."""

    def __init__(self, days: tuple[int, ...], both: KeyedCount, smaller: int, horizon: int, events: int) -> None:
        self.days, self.both, self.smaller, self.horizon, self.events = days, both, smaller, horizon, events

    @classmethod
    def of(cls, patients: ComparedPatients, scope: Scope) -> _Drawn:
        """Days with enough at risk in both arms, as far as none is left out; none for an arm without a curve."""
        n = [_keyed(arm.n) for arm in patients.arms]
        events = [_keyed(arm.events) for arm in patients.arms]
        rules = scope.rules
        days: list[int] = []
        carried = all(rules.carries_curve(int(size), int(some)) and size - some >= rules.minimum_cell
                      for size, some in zip(n, events, strict=True))
        if carried and not patients.reason:
            for place, day in enumerate(_grid(patients.arms[0])):
                if any((_at_risk(arm, place) or 0) < rules.minimum_at_risk for arm in patients.arms):
                    break
                days.append(day)
        least = min((round_count(size, scope) for size in n), default=0)
        by_horizon = min(int(arm.events_by_horizon or 0) for arm in patients.arms)
        return cls(tuple(days), union(n), max(least, 1), patients.horizon_days, by_horizon)

    def steps(self, statistic: str, scope: Scope) -> Steps:
        """The heights of one curve or difference."""
        return Steps.of(self.both, self.smaller, f"what-if {statistic}", scope)


def _grid(arm: ComparedArm) -> tuple[int, ...]:
    return () if arm.on_grid is None else arm.on_grid.days


def _at_risk(arm: ComparedArm, place: int) -> int | None:
    return None if arm.on_grid is None else arm.on_grid.at_risk[place]


def _protect_allocation(cells: Sequence[AllocationCell], scope: Scope) -> tuple[AllocationCell, ...]:
    """Counts of every trial and arm, audited with the totals of arms, of trials and of those that are compared."""
    n = _audit(cells, [_keyed(cell.n) for cell in cells], scope)
    events = _audit(cells, [_keyed(cell.events) for cell in cells], scope)
    shown = []
    for place, cell in enumerate(cells):
        part = None if n[place] is None else release_part(_keyed(cell.events), cell.n or 0, scope)
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


def _protect_patients(patients: ComparedPatients, drawn: _Drawn, scope: Scope) -> ComparedPatients:
    arms = [_protect_arm(arm, scope) for arm in patients.arms]
    reason = patients.reason or ("" if drawn.days else f"{too_few(scope.rules)} in an arm")
    return replace(patients, arms=(arms[0], arms[1]), reason=reason)


def _protect_arm(arm: ComparedArm, scope: Scope) -> ComparedArm:
    n = release_count(_keyed(arm.n), scope)
    at_risk = release_count(_keyed(arm.at_risk), scope)

    def part(count: int | None) -> int | None:
        return None if n is None else release_part(_keyed(count), arm.n or 0, scope)

    return replace(arm, n=n, at_risk=None if n is None else at_risk, events=part(arm.events),
                   events_by_horizon=part(arm.events_by_horizon), on_grid=None)


def _protect_curve(one: StrategyCurve, drawn: _Drawn, scope: Scope) -> StrategyCurve:
    steps = drawn.steps(f"{one.outcome} {one.method} {one.arm}", scope)
    return replace(one, curve=protect_curve(_read(one.curve, drawn.days), drawn.days, steps, drawn.smaller,
                                            interval=IntervalType.LOG_LOG, on_first_day=False))


def _read(curve: Curve, days: Sequence[int]) -> Curve:
    """The curve on some of its days."""
    rows = np.isin(curve.days, days)
    return Curve(curve.days[rows], curve.estimate[rows], curve.lower[rows], curve.upper[rows], curve.at_risk[rows])


def _protect_contrast(one: Contrast, drawn: _Drawn, curves: Sequence[StrategyCurve], scope: Scope) -> Contrast | None:
    """The contrast in steps; None where the horizon lies beyond what may be drawn."""
    if one.days not in drawn.days:
        return None
    if one.measure is Measure.RESTRICTED_MEAN:
        return _protect_mean(one, drawn, curves, scope)
    steps = drawn.steps(f"{one.outcome} {one.method} difference", scope)
    return replace(one, estimate=on_steps(one.estimate, steps.middle),
                   lower=None if one.lower is None else on_steps(one.lower, steps.below),
                   upper=None if one.upper is None else on_steps(one.upper, steps.above))


def on_steps(value: float, place: Callable[[Floats], Floats]) -> float:
    """A difference on the steps of a share; twice as wide, because it goes from -1 to 1."""
    return round(2 * float(place(np.array([(value + 1) / 2]))[0]) - 1, 12)


def _protect_mean(one: Contrast, drawn: _Drawn, curves: Sequence[StrategyCurve], scope: Scope) -> Contrast | None:
    """The area between the released curves, with the error of the exact difference and of both roundings."""
    areas = [area_under(curve.curve, one.days) for curve in curves
             if (curve.method, curve.outcome) == (one.method, one.outcome) and one.days in curve.curve.days]
    if len(areas) < 2 or one.lower is None or one.upper is None or drawn.events < scope.rules.minimum_events:
        return None
    exact = (one.upper - one.lower) / (2 * 1.959964)
    rounding = math.sqrt(2) * one.days * step_height(drawn.smaller, scope.rules) / math.sqrt(12)
    difference = float(round(areas[1] - areas[0]))
    margin, _ = margin_and_p(difference, math.hypot(exact, rounding), scope.rules)
    return replace(one, estimate=difference, lower=difference - margin, upper=difference + margin)


def _protect_reason(one: WhatIfReason, scope: Scope) -> WhatIfReason:
    """The reason without what it says of a few: no count, no day of a patient."""
    if one.value is None or one.threshold is None:
        return one
    if one.code in _COUNTED:
        return replace(one, value=None)
    if one.code == "FOLLOWUP":
        return replace(one, threshold=round_to_month(one.threshold))
    return replace(one, value=round_significant(one.value, scope.rules))


def _protect_effects(effects: Sequence[LevelEffect], main: _Drawn | None, scope: Scope) -> tuple[LevelEffect, ...]:
    """Both arms of a level or none, and no level that would give away another one of its biomarker."""
    shown = [_protect_level(one, main, scope) for one in effects]
    for variable in dict.fromkeys(one.variable for one in effects):
        places = [place for place, one in enumerate(effects) if one.variable == variable]
        # One small level is the rest of the arm without those that are shown: a second one goes with it.
        bare = [place for place in places if shown[place].reference.n is None]
        open_ = [place for place in places if shown[place].reference.n is not None]
        if len(bare) == 1 and open_:
            smallest = min(open_, key=lambda place: (shown[place].reference.n or 0) + (shown[place].compared.n or 0))
            shown[smallest] = _without_numbers(shown[smallest])
    return tuple(shown)


def _protect_level(one: LevelEffect, main: _Drawn | None, scope: Scope) -> LevelEffect:
    arms = [_protect_level_arm(arm, scope) for arm in (one.reference, one.compared)]
    if any(None in (arm.n, arm.events) for arm in arms):
        return _without_numbers(one)
    difference = one.difference
    if difference is not None:
        n = [_keyed(arm.n) for arm in (one.reference, one.compared)]
        enough = all(scope.rules.carries_curve(int(arm.n or 0), int(arm.events or 0))
                     for arm in (one.reference, one.compared))
        if main is None or main.horizon not in main.days or not enough:
            difference = None
        else:
            steps = Steps.of(union(n), min(round_count(size, scope) for size in n),
                             f"what-if {one.variable} {one.level} difference", scope)
            difference = Interval(on_steps(difference.estimate, steps.middle), on_steps(difference.lower, steps.below),
                                  on_steps(difference.upper, steps.above))
    # One reason for all, so that it does not tell which it was.
    reason = "" if difference is not None else f"{too_few(scope.rules)} in an arm"
    return replace(one, reference=arms[0], compared=arms[1], difference=difference, reason=reason)


def _protect_level_arm(arm: LevelArm, scope: Scope) -> LevelArm:
    n = release_count(_keyed(arm.n), scope)
    return replace(arm, n=n, events=None if n is None else release_part(_keyed(arm.events), arm.n or 0, scope))


def _without_numbers(one: LevelEffect) -> LevelEffect:
    return replace(one, reference=replace(one.reference, n=None, events=None),
                   compared=replace(one.compared, n=None, events=None), difference=None,
                   reason="too few patients or events in an arm, here or in another level")


def _protect_diagnostics(found: Diagnostics, main: _Drawn | None, scope: Scope) -> Diagnostics:
    """Diagnostics with two digits, where both arms are large enough to be drawn at all."""
    if main is None:
        return Diagnostics(weights=found.weights)
    rules = scope.rules

    def two(value: float) -> float:
        return round_significant(value, rules)

    return replace(
        found, arms=tuple(replace(arm, effective_size=two(arm.effective_size), largest_share=round_up_significant(
            arm.largest_share, rules)) for arm in found.arms),
        common_support=None if found.common_support is None else round(found.common_support, _DECIMALS),
        propensity=tuple(_protect_bin(one, main, scope) for one in found.propensity),
        balance=tuple(Balance(one.name, round(one.before, _DECIMALS), round(one.after, _DECIMALS))
                      for one in found.balance),
        sensitivity=tuple(_protect_sensitivity(one, main, scope) for one in found.sensitivity),
        missing=tuple(replace(one, share=_coarse(one.share, rules)) for one in found.missing))


def _coarse(share: float, rules: Rules) -> float:
    """A share to five points: of a hundred patients that is what counts are rounded to."""
    return round(rules.rounding_base * round(100 * share / rules.rounding_base) / 100, _DECIMALS)


def _protect_bin(one: PropensityBin, main: _Drawn, scope: Scope) -> PropensityBin:
    """Shares of each arm in steps of about five patients; none for a bin with few."""
    shares: list[float | None] = []
    for place, (share, count) in enumerate(zip(one.shares, one.counts, strict=True)):
        steps = main.steps(f"propensity {place} {one.lower:g}", scope)
        shares.append(None if share is None or count < scope.rules.minimum_cell
                      else float(steps.middle(np.array([share]))[0]))
    return replace(one, shares=(shares[0], shares[1]), counts=(0, 0))


def _protect_sensitivity(one: Sensitivity, main: _Drawn, scope: Scope) -> Sensitivity:
    steps = main.steps(f"without {one.left_out} difference", scope)
    estimate = on_steps(one.estimate, steps.middle)
    return replace(one, estimate=estimate, change=round(one.change, _DECIMALS))


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count
