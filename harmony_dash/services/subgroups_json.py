"""A released table of subgroups as the JSON document of the command line."""

from __future__ import annotations

from typing import Any

from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.results import HazardRatio
from harmony_dash.disclosure.subgroup_results import (
    InteractionResult,
    Interval,
    SubgroupRow,
    SubgroupsResult,
    SubgroupVariable,
    TreatmentInLevel,
)


def subgroups_as_json(released: Released[SubgroupsResult]) -> dict[str, Any]:
    """Plain values; a count that may not be shown and a quantity that does not exist are both null."""
    result = released.value
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(), "fingerprint": result.question.fingerprint,
        "exact": released.scope.level is Level.EXACT, "level": released.scope.level.value, "title": result.title,
        "n": result.cohort.n, "events": result.cohort.events, "interval": result.interval.value,
        "rows": [_row(variable, row) for variable in result.variables for row in variable.rows],
        "variables": [_variable(variable) for variable in result.variables],
        "interactions": [{"variable": variable.variable, **_interaction(one)} for variable in result.variables
                         for one in variable.interactions],
        "comparisons": result.comparisons, "comparisons_before": result.comparisons_before,
        "attrition": [{"label": step.label, "n": step.n} for step in result.cohort.attrition],
        "exclusions": [{"reason": exclusion.reason, "n": exclusion.n} for exclusion in result.cohort.exclusions],
        "not_applied": [{"words": one.words, "filter": dict(one.filter), "kind": one.kind, "groups": list(one.groups)}
                        for one in result.not_applied],
        "notes": list(result.notes), "summary": result.summary, "methods": result.methods,
    }


def _variable(variable: SubgroupVariable) -> dict[str, Any]:
    test, over_time = variable.test, variable.over_time
    return {"variable": variable.variable, "label": variable.label, "reference": variable.reference or None,
            "finding": variable.finding.value, "reason": variable.reason,
            **_test_values(None if test is None else (test.statistic, test.df, test.p, test.q)),
            "proportional_hazards": None if over_time is None else {
                "statistic": over_time.statistic, "df": over_time.df, "p": over_time.p}}


def _test_values(test: tuple[float, int, float, float | None] | None) -> dict[str, Any]:
    return dict(zip(("statistic", "df", "p", "q"), test or (None,) * 4, strict=True))


def _interaction(one: InteractionResult) -> dict[str, Any]:
    test = one.test
    return {"reference": one.reference, "compared": one.compared,
            **_test_values(None if test is None else (test.statistic, test.df, test.p, test.q)),
            "trials": one.trials, "trials_agree": one.trials_agree, "assess_credibility": one.assess_credibility,
            "finding": one.finding.value, "reason": one.reason}


def _row(variable: SubgroupVariable, row: SubgroupRow) -> dict[str, Any]:
    at = row.at
    return {
        "variable": variable.variable, "level": row.level or None, "name": row.name, "kind": row.kind.value,
        "reference": row.is_reference, "n": row.n, "events": row.events,
        "at": None if at is None else {"days": at.days, "survival": at.estimate, "lower": at.lower, "upper": at.upper,
                                       "at_risk": at.at_risk},
        **_ratio(row.hazard_ratio, reference=row.is_reference), "q": row.q, "reason": row.reason,
        "own_question": row.own_question,
        "by_treatment": [_treatment(found) for found in row.by_treatment],
    }


def _ratio(ratio: HazardRatio | None, *, reference: bool = False) -> dict[str, Any]:
    if ratio is None:
        return {"hr": 1.0 if reference else None, "hr_lower": None, "hr_upper": None, "p": None}
    return {"hr": ratio.ratio, "hr_lower": ratio.lower, "hr_upper": ratio.upper, "p": ratio.p}


def _treatment(found: TreatmentInLevel) -> dict[str, Any]:
    return {
        "arms": [{"arm": arm.arm, "n": arm.n, "events": arm.events} for arm in (found.reference, found.compared)],
        **_effect(found.hazard_ratio), "shrunken": _interval(found.shrunken),
        "difference": _interval(found.difference),
        "difference_trials": found.difference_trials, "difference_share": found.difference_share,
        "reason": found.reason}


def _effect(ratio: Interval | None) -> dict[str, float | None]:
    """Without a p-value: whether the effect differs between levels is what the interaction tests."""
    values = (None,) * 3 if ratio is None else (ratio.estimate, ratio.lower, ratio.upper)
    return dict(zip(("hr", "hr_lower", "hr_upper"), values, strict=True))


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {"estimate": interval.estimate, "lower": interval.lower,
                                          "upper": interval.upper}
