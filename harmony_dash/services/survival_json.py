"""A released survival result as the JSON document of the command line."""

from __future__ import annotations

from typing import Any

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.results import EstimateAt, GroupResult, SurvivalResult


def survival_as_json(released: Released[SurvivalResult]) -> dict[str, Any]:
    """Plain values; a count that may not be shown and a quantity that does not exist are both null.

    With competing causes medians and restricted means are left out: they would be those of freedom from every cause.
    """
    result = released.value
    single = not endpoint_named(result.question.endpoint).competing
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(),
        "fingerprint": result.question.fingerprint, "exact": released.scope.level is Level.EXACT,
        "level": released.scope.level.value, "title": result.title, "n": result.n, "events": result.events,
        "interval": result.interval.value,
        "groups": [_group(group, result.reference, single=single) for group in result.groups],
        "withheld": [{"label": dict(group.label), "reason": group.reason} for group in result.withheld],
        "log_rank": None if result.log_rank is None else {
            "statistic": result.log_rank.statistic, "df": result.log_rank.df, "p": result.log_rank.p},
        "pairwise": [{"groups": [a, b], "p": p, "holm": holm} for a, b, p, holm in result.pairwise],
        "gray": [{"cause": test.cause, "statistic": test.statistic, "df": test.df, "p": test.p}
                 for test in result.gray],
        "rmst_differences": [
            {"group": d.group, "reference": d.reference, "tau_days": d.tau_days, "days": d.days, "lower": d.lower,
             "upper": d.upper, "p": d.p} for d in result.restricted_mean_differences] if single else [],
        "attrition": [{"label": step.label, "n": step.n} for step in result.attrition],
        "exclusions": [{"reason": exclusion.reason, "n": exclusion.n} for exclusion in result.exclusions],
        "not_applied": [{"words": one.words, "filter": dict(one.filter), "kind": one.kind, "groups": list(one.groups)}
                        for one in result.not_applied],
        "compared": list(result.compared), "reference": result.reference or None,
        "proportional_hazards": None if result.over_time is None else {
            "statistic": result.over_time.statistic, "df": result.over_time.df, "p": result.over_time.p},
        "notes": list(result.notes), "summary": result.summary, "methods": result.methods,
    }


def _group(group: GroupResult, reference: str, *, single: bool) -> dict[str, Any]:
    mean = group.restricted_mean if single else None
    median = (group.median_days, group.median_lower_days, group.median_upper_days) if single else (None,) * 3
    return {
        "label": dict(group.label), "name": group.name, "n": group.n, "events": group.events,
        "median_days": median[0], "median_lower_days": median[1], "median_upper_days": median[2],
        "follow_up_median_days": group.follow_up_median_days,
        "at": [_at(at, "survival") for at in group.at],
        **_ratio(group, reference=group.name == reference),
        "rmst": None if mean is None else {"tau_days": mean.tau_days, "days": mean.days, "se": mean.se},
        "cumulative_incidence": [{"cause": incidence.cause, "at": [_at(at, "estimate") for at in incidence.at]}
                                 for incidence in group.cumulative_incidence],
    }


def _ratio(group: GroupResult, *, reference: bool) -> dict[str, float | None]:
    ratio = group.hazard_ratio
    if ratio is None:
        return {"hr": 1.0 if reference else None, "hr_lower": None, "hr_upper": None, "hr_p": None}
    return {"hr": ratio.ratio, "hr_lower": ratio.lower, "hr_upper": ratio.upper, "hr_p": ratio.p}


def _at(at: EstimateAt, name: str) -> dict[str, Any]:
    return {"days": at.days, name: at.estimate, "lower": at.lower, "upper": at.upper, "at_risk": at.at_risk}
