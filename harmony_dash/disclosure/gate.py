"""`release(result, scope)`: the one gate through which a result leaves.

This is the first version of the scheme: groups and cells under ten are withheld together with what would give them
away, and curves end where fewer than ten patients are at risk. It does not yet round counts, nor curves, whose steps
tell how many events there were; nor does it compare a question with earlier ones, so someone who asks many overlapping
questions can still learn about small differences between them.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import singledispatch
from typing import Any, TypeVar

import numpy as np

from harmony_dash.disclosure.margins import suppress_margins
from harmony_dash.disclosure.released import Level, Released, Rules, Scope, make_released
from harmony_dash.disclosure.results import (
    AttritionStep,
    CauseIncidence,
    Censorings,
    CohortChoices,
    Completeness,
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
from harmony_dash.disclosure.suppression import round_half_up, suppress_cell, suppress_part, suppress_steps
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
    title = result.title.replace(f"{COUNT_IN_TITLE} ", f"{result.n:,} " if result.groups else "")
    return replace(result, title=title, methods=write_methods(result, scope), summary=write_summary(result))


@_protect.register
def _(result: SurvivalResult, rules: Rules) -> SurvivalResult:
    withheld, groups = _withhold_groups(result, rules)
    # A test that a withheld group took part in would say something about it, and one on few events says nothing.
    complete = len(groups) == len(result.groups)

    def stands(test: EqualityTest | None) -> bool:
        return test is not None and complete and test.events >= rules.minimum_events_for_test

    attrition, exclusions = _protect_flow(result, sum(group.n or 0 for group in withheld), len(withheld), rules)
    enough = complete and sum(group.events or 0 for group in groups) >= rules.minimum_events_for_test
    return replace(
        result, groups=tuple(_protect_group(group, rules) for group in groups),
        withheld=tuple(replace(group, n=None) for group in withheld), n=sum(group.n for group in groups),
        log_rank=result.log_rank if stands(result.log_rank) else None,
        pairwise=result.pairwise if stands(result.log_rank) else (),
        gray=tuple(test for test in result.gray if stands(test)),
        restricted_mean_differences=result.restricted_mean_differences if enough else (),
        attrition=attrition, exclusions=exclusions)


def _withhold_groups(result: SurvivalResult, rules: Rules) -> tuple[list[WithheldGroup], list[GroupResult]]:
    """Small groups, and the smallest of the others where the rest of the cohort would tell the small ones' size."""
    withheld = list(result.withheld)
    groups = []
    for group in result.groups:
        if group.n < rules.minimum_group:
            withheld.append(WithheldGroup(group.label, group.name, too_few(rules), group.n))
        else:
            groups.append(group)
    excluded = sum(1 for exclusion in result.exclusions if exclusion.n)
    if withheld and groups and not excluded:
        hidden = sum(group.n or 0 for group in withheld)
        if len(withheld) == 1 or hidden < rules.minimum_cell:
            smallest = min(groups, key=lambda group: group.n)
            groups.remove(smallest)
            withheld.append(WithheldGroup(smallest.label, smallest.name, "it would give away the size of another group",
                                          smallest.n))
    return withheld, groups


@_protect.register
def _(result: CohortChoices, rules: Rules) -> CohortChoices:
    def safe(n: int | None) -> int | None:
        shown = suppress_cell(n, rules.minimum_cell)
        # Values and missing ones add up to the cohort; rounded, they do not tell a hidden one.
        return None if shown is None else round_half_up(shown, rules.rounding_of_choices)

    return CohortChoices(safe(result.total), {name: {value: safe(n) for value, n in counts.items()}
                                              for name, counts in result.counts.items()},
                         {name: safe(n) for name, n in result.missing.items()})


@_protect.register
def _(result: ReleaseInfo, rules: Rules) -> ReleaseInfo:
    return replace(result, diseases={code: replace(info, n=suppress_cell(info.n, rules.minimum_cell))
                                     for code, info in result.diseases.items()})


@_protect.register
def _(result: CoverageResult, rules: Rules) -> CoverageResult:
    keys = ("source", "country", "trial")
    atoms = {tuple(cell.labels[key] for key in keys): cell.n or 0 for cell in result.by_source_country_and_trial}
    shown = suppress_margins(atoms, [(), (0,), (1,), (2,), (1, 2)], rules.minimum_cell)
    large = {source.source for source in result.sources if (source.accepted or 0) >= rules.minimum_group}
    return replace(
        result, n=shown.get(((), ())), by_source_country_and_trial=(),
        by_country=tuple(replace(c, n=shown[(1,), (c.labels["country"],)]) for c in result.by_country),
        by_trial=tuple(replace(c, n=shown[(2,), (c.labels["trial"],)]) for c in result.by_trial),
        by_country_and_trial=tuple(replace(c, n=shown[(1, 2), (c.labels["country"], c.labels["trial"])])
                                   for c in result.by_country_and_trial),
        sources=tuple(replace(
            source, accepted=shown[(0,), (source.source,)],
            quarantined=suppress_cell(source.quarantined, rules.minimum_cell),
            follow_up_median_days=source.follow_up_median_days if source.source in large else None)
            for source in result.sources),
        completeness=tuple(_protect_share(c, result, rules) for c in result.completeness),
        follow_up_median_days=result.follow_up_median_days if (result.n or 0) >= rules.minimum_group else None)


def _protect_share(cell: Completeness, result: CoverageResult, rules: Rules) -> Completeness:
    """Whole per cents, and neither patients with nor patients without a value in numbers below the minimum."""
    n = next((source.accepted or 0 for source in result.sources if source.source == cell.source), 0)
    if cell.share is None or n < rules.minimum_group:
        return replace(cell, share=None)
    recorded = round(cell.share * n)
    if n - recorded < rules.minimum_cell:
        nearly = recorded >= rules.minimum_cell
        least = math.floor(100 * (n - rules.minimum_cell + 1) / n) / 100
        return replace(cell, share=least if nearly else None, nearly_all=nearly)
    if recorded < rules.minimum_cell:
        return replace(cell, share=None)
    return replace(cell, share=round(cell.share, 2))


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
    """The curve up to and including a day, without the numbers at risk, which would tell every single departure."""
    keep = curve.days <= end
    unknown = np.full(int(keep.sum()), np.nan)
    return Curve(curve.days[keep], curve.estimate[keep], curve.lower[keep], curve.upper[keep], unknown)


def _protect_estimate(at: EstimateAt, end: float, rules: Rules) -> EstimateAt:
    supported = at.days <= end and at.at_risk is not None and at.at_risk >= rules.minimum_at_risk
    return at if supported else EstimateAt(at.days, None, None, None, suppress_cell(at.at_risk, rules.minimum_cell))


def _protect_risk_table(table: RiskTable, rules: Rules) -> RiskTable:
    """Small cells, and from the first small number at risk on the whole table: events and censorings would tell it.

    Steps between cells are not hidden: as long as curves are not rounded, they tell the number of events anyway.
    """
    supported = [n is not None and n >= rules.minimum_at_risk for n in table.at_risk]
    end = supported.index(False) if False in supported else len(supported)
    # Patients at risk, events and censorings add up, so one of the last two hidden alone could be computed.
    both = [place < end and min(events or 0, censored or 0) >= rules.minimum_cell
            for place, (events, censored) in enumerate(zip(table.events, table.censored, strict=True))]

    def cells(counts: tuple[int | None, ...], shown: list[bool]) -> tuple[int | None, ...]:
        return tuple(n if keep else None for n, keep in zip(counts, shown, strict=True))

    at_risk = [place < end for place in range(len(table.days))]
    return RiskTable(table.days, cells(table.at_risk, at_risk), cells(table.events, both), cells(table.censored, both))


def _protect_flow(result: SurvivalResult, withheld_patients: int, withheld: int, rules: Rules,
                  ) -> tuple[tuple[AttritionStep, ...], tuple[Exclusion, ...]]:
    """Hide small steps and exclusions, and what would give them away.

    The cohort is the sum of the groups shown, the groups withheld and the exclusions. What is hidden of it is known in
    sum, so it is nothing, or at least two parts that make up at least the minimum.
    """
    minimum = rules.minimum_cell
    steps = suppress_steps([step.n or 0 for step in result.attrition], minimum)
    counts = {place: exclusion.n for place, exclusion in enumerate(result.exclusions) if exclusion.n}
    shown: dict[int, int | None] = {place: suppress_cell(n, minimum) for place, n in counts.items()}
    while True:
        hidden = [counts[place] for place, n in shown.items() if n is None]
        parts, patients = len(hidden) + withheld, sum(hidden) + withheld_patients
        rest = [place for place, n in shown.items() if n is not None]
        if parts == 0 or (parts > 1 and patients >= minimum):
            break
        if not rest:
            # Nothing else to hide behind: the size of the cohort itself is the unknown then.
            steps = [*steps[:-1], None]
            break
        shown[min(rest, key=lambda place: counts[place])] = None
    attrition = []
    for place, (step, n) in enumerate(zip(result.attrition, steps, strict=True)):
        before = steps[place - 1] if place else None
        attrition.append(AttritionStep(step.label, n, before - n if before is not None and n is not None else None))
    exclusions = tuple(Exclusion(exclusion.reason, shown[place]) for place, exclusion in enumerate(result.exclusions)
                       if place in shown)
    return tuple(attrition), exclusions
