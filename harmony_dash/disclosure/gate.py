"""`release(result, scope)`: the one gate through which a result leaves.

This is the first version of the scheme: groups and cells under ten are withheld, and curves end where fewer than ten
patients are at risk. It does not yet round counts or curves, nor compare a question with earlier ones, so someone who
asks many overlapping questions can still learn about small differences between them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import Any, TypeVar

import numpy as np

from harmony_dash.disclosure.released import Level, Released, Rules, Scope, make_released
from harmony_dash.disclosure.results import (
    AttritionStep,
    CauseIncidence,
    Censorings,
    CohortChoices,
    CoverageResult,
    Curve,
    EqualityTest,
    EstimateAt,
    Exclusion,
    GroupResult,
    ReleaseInfo,
    RiskTable,
    SurvivalResult,
    WithheldGroup,
)
from harmony_dash.disclosure.suppression import (
    suppress_cell,
    suppress_list,
    suppress_part,
    suppress_steps,
    suppress_table,
)
from harmony_dash.disclosure.wording import write_methods, write_summary

T = TypeVar("T")

# Where a title says how many patients; filled in once the number may be shown.
COUNT_IN_TITLE = "{n}"

_NO_CENSORINGS = Censorings(np.zeros(0), np.zeros(0))


def release(result: T, scope: Scope) -> Released[T]:
    """Make a result fit to leave.

    Parameters
    ----------
    result : what a service computed.
    scope : for whom; at level exact the result leaves as it is, at level protected it is suppressed first.

    Raises
    ------
    TypeError for a result that has no protected form.
    """
    safe = result if scope.level is Level.EXACT else _protect(result, scope.rules)
    return make_released(_put_into_words(safe, scope), scope)


def too_few(rules: Rules) -> str:
    """Why a group is withheld, in words."""
    return f"fewer than {rules.minimum_group} patients"


@singledispatch
def _protect(result: Any, rules: Rules) -> Any:
    raise TypeError(f"{type(result).__name__} has no protected form")


def _put_into_words(result: T, scope: Scope) -> T:
    """Texts are written here, after suppression, so that they cannot say what the figures may not."""
    if not isinstance(result, SurvivalResult):
        return result
    title = result.title.replace(COUNT_IN_TITLE, f"{result.n:,}")
    return replace(result, title=title, methods=write_methods(result, scope), summary=write_summary(result))


@_protect.register
def _(result: SurvivalResult, rules: Rules) -> SurvivalResult:
    small = [group for group in result.groups if group.n < rules.minimum_group]
    groups = tuple(_protect_group(group, rules) for group in result.groups if group.n >= rules.minimum_group)
    withheld = result.withheld + tuple(WithheldGroup(g.label, g.name, too_few(rules)) for g in small)
    # A test that a withheld group took part in would say something about it, and one on few events says nothing.
    def stands(test: EqualityTest | None) -> bool:
        return test is not None and not small and test.events >= rules.minimum_events_for_test

    enough = not small and sum(group.events or 0 for group in groups) >= rules.minimum_events_for_test
    attrition, exclusions = _protect_flow(result, len(withheld), rules)
    return replace(
        result, groups=groups, withheld=withheld, n=sum(group.n for group in groups),
        log_rank=result.log_rank if stands(result.log_rank) else None,
        pairwise=result.pairwise if stands(result.log_rank) else (),
        gray=tuple(test for test in result.gray if stands(test)),
        restricted_mean_differences=result.restricted_mean_differences if enough else (),
        attrition=attrition, exclusions=exclusions)


@_protect.register
def _(result: CohortChoices, rules: Rules) -> CohortChoices:
    return CohortChoices(
        suppress_cell(result.total, rules.minimum_cell),
        {name: {value: suppress_cell(n, rules.minimum_cell) for value, n in counts.items()}
         for name, counts in result.counts.items()},
        {name: suppress_cell(n, rules.minimum_cell) for name, n in result.missing.items()})


@_protect.register
def _(result: ReleaseInfo, rules: Rules) -> ReleaseInfo:
    return replace(result, diseases={code: replace(info, n=suppress_cell(info.n, rules.minimum_cell))
                                     for code, info in result.diseases.items()})


@_protect.register
def _(result: CoverageResult, rules: Rules) -> CoverageResult:
    minimum = rules.minimum_cell
    country = suppress_list({c.labels["country"]: c.n or 0 for c in result.by_country}, minimum, total_shown=True)
    trial = suppress_list({c.labels["trial"]: c.n or 0 for c in result.by_trial}, minimum, total_shown=True)
    cross = suppress_table({(c.labels["country"], c.labels["trial"]): c.n or 0 for c in result.by_country_and_trial},
                           minimum)
    large = {source.source for source in result.sources if (source.accepted or 0) >= rules.minimum_group}
    return replace(
        result, n=suppress_cell(result.n, minimum),
        by_country=tuple(replace(c, n=country[c.labels["country"]]) for c in result.by_country),
        by_trial=tuple(replace(c, n=trial[c.labels["trial"]]) for c in result.by_trial),
        by_country_and_trial=tuple(replace(c, n=cross[c.labels["country"], c.labels["trial"]])
                                   for c in result.by_country_and_trial),
        sources=tuple(replace(
            source, accepted=suppress_cell(source.accepted, minimum),
            quarantined=suppress_cell(source.quarantined, minimum),
            follow_up_median_days=source.follow_up_median_days if source.source in large else None)
            for source in result.sources),
        completeness=tuple(replace(c, share=_protect_share(c.share, result, c.source, rules))
                           for c in result.completeness),
        follow_up_median_days=result.follow_up_median_days if (result.n or 0) >= rules.minimum_group else None)


def _protect_share(share: float | None, result: CoverageResult, source: str, rules: Rules) -> float | None:
    """Whole per cents, and neither patients with nor patients without a value in numbers below the minimum."""
    n = next((s.accepted or 0 for s in result.sources if s.source == source), 0)
    if share is None or n < rules.minimum_group:
        return None
    recorded = round(share * n)
    if 0 < recorded < rules.minimum_cell:
        return None
    if 0 < n - recorded < rules.minimum_cell:
        return None
    return round(share, 2)


def _protect_group(group: GroupResult, rules: Rules) -> GroupResult:
    end = last_supported_day(group.curve, rules.minimum_at_risk)
    shown_median = group.median_days is not None and group.median_days <= end
    incidence = tuple(CauseIncidence(c.cause, c.label, cut_curve(c.curve, end),
                                     tuple(_protect_estimate(at, end, rules) for at in c.at))
                      for c in group.cumulative_incidence)
    mean = group.restricted_mean
    return replace(
        group, events=suppress_part(group.events, group.n, rules.minimum_cell), curve=cut_curve(group.curve, end),
        censorings=_NO_CENSORINGS, at=tuple(_protect_estimate(at, end, rules) for at in group.at),
        risk_table=_protect_risk_table(group.risk_table, rules),
        median_days=group.median_days if shown_median else None,
        median_lower_days=_until(group.median_lower_days, end) if shown_median else None,
        median_upper_days=_until(group.median_upper_days, end) if shown_median else None,
        restricted_mean=mean if mean is not None and mean.tau_days <= end else None,
        cumulative_incidence=incidence)


def _until(day: float | None, end: float) -> float | None:
    return day if day is not None and day <= end else None


def last_supported_day(curve: Curve, minimum: int) -> float:
    """The last day of a curve with at least `minimum` patients at risk, -1 if there is none."""
    supported = curve.days[curve.at_risk >= minimum]
    return float(supported[-1]) if len(supported) else -1.0


def cut_curve(curve: Curve, end: float) -> Curve:
    """The curve up to and including a day."""
    keep = curve.days <= end
    return Curve(curve.days[keep], curve.estimate[keep], curve.lower[keep], curve.upper[keep], curve.at_risk[keep])


def _protect_estimate(at: EstimateAt, end: float, rules: Rules) -> EstimateAt:
    supported = at.days <= end and at.at_risk is not None and at.at_risk >= rules.minimum_at_risk
    return at if supported else EstimateAt(at.days, None, None, None, suppress_cell(at.at_risk, rules.minimum_cell))


def _protect_risk_table(table: RiskTable, rules: Rules) -> RiskTable:
    """Small cells, and from the first small number at risk on the whole table: events and censorings would tell it."""
    supported = [n is not None and n >= rules.minimum_at_risk for n in table.at_risk]
    end = supported.index(False) if False in supported else len(supported)
    # Patients at risk, events and censorings add up, so one of the last two hidden alone could be computed.
    both = [place < end and min(events or 0, censored or 0) >= rules.minimum_cell
            for place, (events, censored) in enumerate(zip(table.events, table.censored, strict=True))]

    def cells(counts: tuple[int | None, ...], shown: list[bool]) -> tuple[int | None, ...]:
        return tuple(n if keep else None for n, keep in zip(counts, shown, strict=True))

    at_risk = [place < end for place in range(len(table.days))]
    return RiskTable(table.days, cells(table.at_risk, at_risk), cells(table.events, both), cells(table.censored, both))


def _protect_flow(result: SurvivalResult, withheld: int, rules: Rules,
                  ) -> tuple[tuple[AttritionStep, ...], tuple[Exclusion, ...]]:
    """Hide small steps and exclusions, and what would give them away.

    The cohort is the sum of the groups shown, the groups withheld and the exclusions: a single hidden part is the
    difference of the rest, so a second one is hidden with it, or failing that the size of the cohort itself.
    """
    minimum = rules.minimum_cell
    steps = suppress_steps([step.n or 0 for step in result.attrition], minimum)
    counts = {place: exclusion.n or 0 for place, exclusion in enumerate(result.exclusions)}
    shown = {place: (n if n >= minimum else None) for place, n in counts.items() if n > 0}
    hidden = sum(n is None for n in shown.values()) + withheld
    if hidden == 1:
        rest = [place for place, n in shown.items() if n is not None]
        if rest:
            shown[min(rest, key=lambda place: counts[place])] = None
        else:
            steps = [*steps[:-1], None]
    attrition = []
    for place, (step, n) in enumerate(zip(result.attrition, steps, strict=True)):
        before = steps[place - 1] if place else None
        attrition.append(AttritionStep(step.label, n, before - n if before is not None and n is not None else None))
    exclusions = tuple(Exclusion(exclusion.reason, shown[place]) for place, exclusion in enumerate(result.exclusions)
                       if place in shown)
    return tuple(attrition), exclusions
