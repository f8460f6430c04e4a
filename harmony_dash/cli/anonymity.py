"""The anonymity report of an ingest, as JSON and as words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from harmony_dash.disclosure.anonymity import Grain
from harmony_dash.services.anonymity import AnonymityReport


def anonymity_json(report: AnonymityReport) -> dict[str, Any]:
    """`before` and `after` as their figures; `cells` only if the source is refused.

    `after` is the worse of the `accepted` grains, figure by figure. `generalised` has all quasi-identifiers in their
    groups at once.
    """
    figures = report.figures
    answer: dict[str, Any] = {
        "quasi_identifiers": list(figures.before.by), "before": _grain_json(figures.before),
        "generalised": _grain_json(figures.generalised), "after": asdict(figures.after),
        "accepted": [_grain_json(grain) for grain in figures.accepted],
        "limits": {**asdict(report.limits), "applied": report.limited}, "refused": report.refused}
    if report.refused:
        answer["cells"] = [{"values": dict(small.values), "patients": f"fewer than {small.fewer_than}"}
                           for small in report.small_classes]
    return answer


def _grain_json(grain: Grain) -> dict[str, Any]:
    return {"by": list(grain.by), "classes": grain.classes, **asdict(grain.risk)}


def anonymity_words(report: AnonymityReport) -> str:
    """Smallest class, mean and maximum risk after generalisation, for a line of a table."""
    risk = report.figures.after
    verdict = "refused" if report.refused else "" if report.limited else "not limited"
    return f"k {risk.k:>4}  mean risk {risk.mean_risk:.3f}  max risk {risk.max_risk:.3f}  {verdict}".rstrip()
