"""What is worked out of Table 1 and maps of outcomes once they may be shown, and their words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.dictionary.model import UNTESTED
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne, TableOneGroup, TableOneVariable
from harmony_dash.disclosure.precision import name_years
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import half_significant
from harmony_dash.errors import StatisticsError
from harmony_dash.stats.standardised_difference import difference_of_means, difference_of_shares, error_by_rounding

Describe = Callable[[Scope], str]
# Of a difference of rounded numbers: the most that rounding may move it, and the steps it is told in. An imbalance is
# called one from 0.1 on.
MOST_ERROR = STEP = 0.05


def complete_table_one(result: TableOne, scope: Scope, describe_protection: Describe) -> TableOne:
    """The table with its standardised differences and methods line."""
    variables = tuple(replace(variable, difference=_largest_difference(variable, result.groups, scope))
                      for variable in result.variables)
    parts = ["n and share of the patients with a value; median (quartiles); mean and standard deviation of values "
             "drawn in to the 1st and 99th percentile"]
    if len(result.groups) > 1:
        rounded = (f"the numbers shown, in steps of {STEP:g}, ± {MOST_ERROR:g} by their rounding (two standard "
                   "errors), none where that would be more" if scope.is_protected else "the numbers shown")
        parts.append("standardised difference: the largest between two groups (Austin 2009; Yang, Dalton 2012), from "
                     f"{rounded}; no p-values")
    return replace(result, variables=variables, methods=_close(parts, result, scope, describe_protection))


def _largest_difference(variable: TableOneVariable, groups: tuple[TableOneGroup, ...], scope: Scope) -> float | None:
    """Over all pairs of groups; None if some group's numbers are hidden or, of rounded ones, say too little.

    It is worked out from what is shown. One of exact counts would tell more of them with every group they are set
    beside, which is what their rounding is there to prevent.
    """
    largest = None
    for one, other in combinations(groups, 2):
        difference = _difference(variable, one, other, scope)
        if difference is None:
            return None
        largest = difference if largest is None else max(largest, difference)
    if largest is None or not math.isfinite(largest):
        return largest
    return round(STEP * round(largest / STEP), 2) if scope.is_protected else round(largest, 2)


def _difference(variable: TableOneVariable, one: TableOneGroup, other: TableOneGroup, scope: Scope) -> float | None:
    rules = scope.rules
    measure: Callable[[Sequence[float], Sequence[float]], float]
    if variable.values:
        values = [_counts(variable, group) for group in (one, other)]
        measure = difference_of_shares
    else:
        values = [_moments(variable, group) for group in (one, other)]
        measure = _difference_of_means
    first, second = values
    if first is None or second is None:
        return None
    try:
        if scope.is_protected:
            errors = [[rules.most_error if variable.values else half_significant(value, rules) for value in group]
                      for group in (first, second)]
            if not error_by_rounding(measure, first, second, *errors) <= MOST_ERROR:
                return None
        return measure(first, second)
    except StatisticsError:
        return None  # a group without patients, or no value left


def _difference_of_means(one: Sequence[float], other: Sequence[float]) -> float:
    return difference_of_means(*one, *other)


def _moments(variable: TableOneVariable, group: TableOneGroup) -> list[float] | None:
    """Mean and standard deviation of a number; None if one is hidden."""
    found = group.quartiles.get(variable.variable)
    return None if found is None or found.mean is None or found.deviation is None else [found.mean, found.deviation]


def _counts(variable: TableOneVariable, group: TableOneGroup) -> list[float] | None:
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
             f"{way} at {name_years(result.at_days)}, 95 % {result.interval} interval",
             "cells are compared by no test"]
    return replace(result, methods=_close(parts, result, scope, describe_protection))


def _close(parts: list[str], result: TableOne | OutcomeMap, scope: Scope, describe_protection: Describe) -> str:
    parts.append(describe_protection(scope) if scope.is_protected
                 else f"exact numbers, grant {scope.grant}" if scope.grant else "exact numbers")
    if result.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, f"snapshot {result.snapshot}", f"question {result.question.fingerprint}"]) + "."
