"""A released Table 1 and a released map of outcomes as JSON documents."""

from __future__ import annotations

from typing import Any

from harmony_dash.disclosure import Level, Released
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne, TableOneGroup, TableOneVariable


def table_one_as_json(released: Released[TableOne]) -> dict[str, Any]:
    """Plain values; a count that may not be shown is null."""
    result = released.value
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(), "level": released.scope.level.value,
        "exact": released.scope.level is Level.EXACT, "title": result.title,
        "groups": [{"value": group.value or None, "name": group.name, "n": group.n, "reason": group.reason}
                   for group in result.groups],
        "variables": [_variable(variable, result.groups) for variable in result.variables],
        "notes": list(result.notes), "methods": result.methods,
    }


def _variable(variable: TableOneVariable, groups: tuple[TableOneGroup, ...]) -> dict[str, Any]:
    return {"variable": variable.variable, "label": variable.label, "unit": variable.unit,
            "difference": variable.difference, "groups": [_cell(variable, group) for group in groups]}


def _cell(variable: TableOneVariable, group: TableOneGroup) -> dict[str, Any] | None:
    if group.choices is None:
        return None
    if variable.values:
        return {"counts": dict(group.choices.counts.get(variable.variable, {})),
                "missing": group.choices.missing.get(variable.variable)}
    found = group.quartiles.get(variable.variable)
    return None if found is None else {
        "n": found.n, "median": found.median, "lower": found.lower, "upper": found.upper, "mean": found.mean,
        "deviation": found.deviation}


def outcome_map_as_json(released: Released[OutcomeMap]) -> dict[str, Any]:
    """Plain values; a count that may not be shown is null."""
    result = released.value
    return {
        "snapshot": result.snapshot, "question": result.question.to_json(), "level": released.scope.level.value,
        "exact": released.scope.level is Level.EXACT, "title": result.title, "rows": result.row_variable,
        "columns": result.column_variable,
        "cells": [{"row": cell.row, "column": cell.column, "n": cell.n, "events": cell.events,
                   "at": None if cell.at is None else {
                       "days": cell.at.days, "survival": cell.at.estimate, "lower": cell.at.lower,
                       "upper": cell.at.upper, "at_risk": cell.at.at_risk},
                   "reason": cell.reason} for cell in result.cells],
        "notes": list(result.notes), "methods": result.methods,
    }
