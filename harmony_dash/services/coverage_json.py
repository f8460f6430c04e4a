"""Who is in the data, as one JSON document. A number that may not be shown is null."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from harmony_dash.disclosure.case_mix import compare_case_mix
from harmony_dash.disclosure.coverage_changes import Change, CoverageChanges
from harmony_dash.disclosure.coverage_results import Completeness, CountCell, CoverageResult
from harmony_dash.disclosure.released import Released


def coverage_as_json(released: Released[CoverageResult]) -> dict[str, Any]:
    """Everything the page shows."""
    result = released.value
    return {
        "snapshot": result.snapshot, "disease": result.disease, "n": result.n,
        "by_country": _cells(result.by_country), "by_trial": _cells(result.by_trial),
        "by_country_and_trial": _cells(result.by_country_and_trial),
        **{f"by_{'_and_'.join(table.by)}": _cells(table.cells) for table in result.tables},
        "sources": [{"source": s.source, "title": s.title, "countries": list(s.countries), "accepted": s.accepted,
                     "quarantined": s.quarantined, "dx_periods": list(s.dx_periods),
                     "follow_up_median_days": s.follow_up_median_days} for s in result.sources],
        "completeness": [_completeness(one) for one in result.completeness],
        "case_mix": [asdict(one) for one in compare_case_mix(released)],
        "follow_up_median_days": result.follow_up_median_days, "methods": result.methods}


def changes_as_json(released: Released[CoverageChanges]) -> dict[str, Any]:
    """What is different from the snapshot before, or why that cannot be told."""
    changes = released.value
    if not changes.before:
        return {"before": None, "reason": changes.reason}
    return {"before": changes.before, "before_created": changes.before_created,
            "n": None if changes.total is None else _change(changes.total),
            "by_source": {one.name: _change(one) for one in changes.by_source},
            "by_country": {one.name: _change(one) for one in changes.by_country},
            "variables_new": list(changes.variables_new), "variables_gone": list(changes.variables_gone),
            "variables_changed": list(changes.variables_changed)}


def _cells(cells: Iterable[CountCell]) -> list[dict[str, Any]]:
    return [{**cell.labels, "n": cell.n} for cell in cells]


def _completeness(one: Completeness) -> dict[str, Any]:
    return {"source": one.source, "variable": one.variable, "supplied": one.supplied, "share": one.share,
            "nearly_all": one.nearly_all,
            "parts": {part.part.value: part.share for part in one.parts}}


def _change(one: Change) -> dict[str, Any]:
    return {"before": one.before, "now": one.now, "difference": one.difference, "new": one.is_new,
            "gone": one.is_gone}
