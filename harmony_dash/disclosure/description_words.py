"""What is worked out of Table 1 and maps of outcomes once they may be shown, and their words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.policy import DAYS_PER_YEAR
from harmony_dash.disclosure.released import Scope
from harmony_dash.errors import StatisticsError
from harmony_dash.stats.standardised_difference import difference_of_means, difference_of_shares

Describe = Callable[[Scope], str]


def complete_table_one(result: TableOne, scope: Scope, describe_protection: Describe) -> TableOne:
    """The table with its standardised differences and methods line."""
    variables = tuple(replace(variable, difference=_largest_difference(variable, result.groups))
                      for variable in result.variables)
    parts = ["n and share of the patients with a value; median (quartiles); mean and standard deviation of values "
             "drawn in to the 1st and 99th percentile"]
    if len(result.groups) > 1:
        parts.append("standardised difference: the largest between two groups (Austin 2009; Yang, Dalton 2012), from "
                     "the numbers shown; no p-values")
    return replace(result, variables=variables, methods=_close(parts, result, scope, describe_protection))


def _largest_difference(variable: TableOneVariable, groups: tuple[TableOneGroup, ...]) -> float | None:
    """Over all pairs of groups; None if some group's numbers are hidden."""
    found = [_difference(variable, one, other) for one, other in combinations(groups, 2)]
    if not found or None in found:
        return None
    return max(round(difference, 2) if math.isfinite(difference) else difference for difference in found
               if difference is not None)


def _difference(variable: TableOneVariable, one: TableOneGroup, other: TableOneGroup) -> float | None:
    try:
        if variable.values:
            counts = [_counts(variable, group) for group in (one, other)]
            return None if counts[0] is None or counts[1] is None else difference_of_shares(counts[0], counts[1])
        numbers = [group.quartiles.get(variable.variable) for group in (one, other)]
        values = [value for number in numbers if number is not None
                  for value in (number.mean, number.deviation) if value is not None]
        return difference_of_means(*values) if len(values) == 2 * len(numbers) else None
    except StatisticsError:
        return None  # a group without patients


def _counts(variable: TableOneVariable, group: TableOneGroup) -> list[int] | None:
    """Patients by value of those who were tested; None if one is hidden."""
    if group.choices is None:
        return None
    counts = group.choices.counts.get(variable.variable, {})
    told = [counts.get(value) for value in variable.values if value not in UNTESTED]
    return None if None in told else [n for n in told if n is not None]


def complete_outcome_map(result: OutcomeMap, scope: Scope, describe_protection: Describe) -> OutcomeMap:
    """The map with its methods line."""
    endpoint = endpoint_named(result.question.endpoint)
    way = ("cumulative incidence (Aalen–Johansen)" if endpoint.competing
           else "1 − Kaplan–Meier" if endpoint.shown_as_failure else "Kaplan–Meier")
    parts = [f"{endpoint.label}: {endpoint.definition.rstrip('.')}",
             f"{way} at {result.at_days / DAYS_PER_YEAR:.1f} years, 95 % {result.interval} interval",
             "cells are compared by no test"]
    return replace(result, methods=_close(parts, result, scope, describe_protection))


def _close(parts: list[str], result: TableOne | OutcomeMap, scope: Scope, describe_protection: Describe) -> str:
    parts.append(describe_protection(scope) if scope.is_protected
                 else f"exact numbers, grant {scope.grant}" if scope.grant else "exact numbers")
    if result.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, f"snapshot {result.snapshot}", f"question {result.question.fingerprint}"]) + "."
