"""A released feasibility result as the JSON document of the command line."""

from __future__ import annotations

from typing import Any

from harmony_dash.disclosure import Released
from harmony_dash.disclosure.feasibility_results import FeasibilityResult, Stage
from harmony_dash.stats.planning import Expectation


def feasibility_as_json(released: Released[FeasibilityResult], expected: Expectation | None) -> dict[str, Any]:
    """Plain values; a count that may not be shown is null."""
    result = released.value
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(), "known": list(result.known),
        "fingerprint": result.question.fingerprint, "level": released.scope.level.value, "title": result.title,
        "n": result.n, "reason": result.reason,
        "by_country": [{"country": one.country, "n": one.n, "answered": one.answered, "differs": one.differs}
                       for one in result.by_country],
        "steps": [{"label": step.label, "n": step.n, "removed": step.removed}
                  for step in (*result.steps, result.not_followed)],
        "losses": [{"variable": one.variable, "lacking": one.lacking, "only": one.only} for one in result.losses],
        "joint_losses": [{"variables": list(one.variables), "n": one.n} for one in result.joint],
        "sources": [{"source": one.source, "registered": _stage(one.registered), "accepted": _stage(one.accepted),
                     "with_endpoint": _stage(one.with_endpoint), "counted": _stage(one.counted),
                     "differs": one.differs} for one in result.sources],
        "not_applied": [{"words": one.words, "filter": dict(one.filter), "kind": one.kind, "groups": list(one.groups)}
                        for one in result.not_applied],
        "expected": None if expected is None else {
            "assumed_survival": expected.survival, "horizon_days": expected.horizon_days,
            "follow_up_median_days": expected.follow_up_median_days, "events": round(expected.events, 1),
            "lower": round(expected.lower, 4), "upper": round(expected.upper, 4)},
        "too_short": result.too_short,
        "notes": list(result.notes), "methods": result.methods,
    }


def _stage(stage: Stage | None) -> dict[str, Any] | None:
    return None if stage is None else {"n": stage.n, "nearly_all": stage.nearly_all}
