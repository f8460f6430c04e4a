"""A released comparison of treatments as the JSON document of the command line."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.results import Curve
from harmony_dash.disclosure.what_if_diagnostics import Diagnostics
from harmony_dash.disclosure.what_if_results import ComparedPatients, LevelEffect, WhatIfResult


def what_if_as_json(released: Released[WhatIfResult]) -> dict[str, Any]:
    """Plain values; a count that may not be shown and a quantity that does not exist are both null."""
    result = released.value
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(), "fingerprint": result.question.fingerprint,
        "exact": released.scope.level is Level.EXACT, "level": released.scope.level.value, "title": result.title,
        "status": result.status.value,
        "reasons": [asdict(reason) for reason in result.reasons],
        "estimand": dict(result.estimand),
        "arms": [{"arm": arm, "name": name} for arm, name in result.arms],
        "allocation": [{"stratum": cell.stratum or None, "name": cell.name, "arm": cell.arm, "n": cell.n,
                        "events": cell.events, "mark": cell.mark.value, "used": cell.used}
                       for cell in result.allocation],
        "between_protocol": result.between_protocol,
        "primary": None if result.primary is None else result.primary.value,
        "patients": [_patients(one) for one in result.patients],
        "estimates": [{"method": one.method.value, "outcome": one.outcome, "arm": one.arm,
                       "randomisation": one.randomisation or None, **_curve(one.curve)}
                      for one in result.curves],
        "contrasts": [{"method": one.method.value, "measure": one.measure.value, "outcome": one.outcome,
                       "days": one.days, "estimate": one.estimate, "lower": one.lower, "upper": one.upper,
                       "randomisation": one.randomisation or None}
                      for one in result.contrasts],
        "number_needed": [{"method": one.method.value, "outcome": one.outcome, "number": one.number, "text": one.text}
                          for one in result.needed],
        "effect_modification": [_effect(one) for one in result.effects],
        "diagnostics": _diagnostics(result.diagnostics),
        "anchors": [{**asdict(anchor), "results": list(anchor.results)} for anchor in result.anchors],
        "notes": list(result.notes), "summary": result.summary, "methods": result.methods,
    }


def _curve(curve: Curve) -> dict[str, list[float | None]]:
    return {"days": [int(day) for day in curve.days], "survival": _values(curve.estimate), "lower": _values(
        curve.lower), "upper": _values(curve.upper)}


def _values(column: Any) -> list[float | None]:
    return [None if math.isnan(value) else value for value in column.tolist()]


def _patients(one: ComparedPatients) -> dict[str, Any]:
    return {"population": one.population, "outcome": one.outcome, "label": one.label, "clock": one.clock,
            "randomisation": one.randomisation or None,
            "horizon_days": one.horizon_days, "reason": one.reason or None,
            "arms": [{"arm": arm.arm, "name": arm.name, "n": arm.n, "events": arm.events, "at_risk": arm.at_risk,
                      "events_by_horizon": arm.events_by_horizon} for arm in one.arms]}


def _effect(one: LevelEffect) -> dict[str, Any]:
    return {"variable": one.variable, "level": one.level, "name": one.name,
            "arms": [{"arm": arm.arm, "n": arm.n, "events": arm.events} for arm in (one.reference, one.compared)],
            "difference": None if one.difference is None else asdict(one.difference), "reason": one.reason or None}


def _diagnostics(found: Diagnostics) -> dict[str, Any]:
    return {
        "weights": found.weights or None, "common_support": found.common_support,
        "common_support_is_bound": found.support_is_bound,
        "arms": [{"arm": arm.arm, "effective_size": arm.effective_size, "largest_share": arm.largest_share,
                  "bounds": arm.bounds} for arm in found.arms],
        "propensity": [{"lower": one.lower, "upper": one.upper, "shares": list(one.shares)}
                       for one in found.propensity],
        "balance": [{"name": one.name, "before": one.before, "after": one.after, "after_below": one.after_below}
                    for one in found.balance],
        "e_value": None if found.e_value is None else asdict(found.e_value),
        "sensitivity": [asdict(one) for one in found.sensitivity],
        "missing": [asdict(one) for one in found.missing]}
