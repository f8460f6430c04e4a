"""How the patients of a country differ from those of all others, computed from released numbers alone.

It tells nothing that the tables do not. Rounding moves a small country's shares, so a difference is given only where
rounding can have moved it by less than what is called notable; elsewhere there is none, not a doubtful one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import NOT_STATED, CoverageResult
from harmony_dash.stats.standardised_difference import NOTABLE, difference_of_proportions

VARIABLES = ("age_group", "immunophenotype", "sex", "dx_period")


@dataclass(frozen=True)
class CaseMixDifference:
    """Standardised difference of one value's share, a country against all others together.

    `difference` is None where a number it needs is hidden, or where rounding makes it too uncertain. It has one decimal
    if protected.
    """

    country: str
    variable: str
    value: str
    difference: float | None


def compare_case_mix(released: Released[CoverageResult]) -> tuple[CaseMixDifference, ...]:
    """Every country with every value of the variables that case mix is read from, in the order of the tables."""
    result = released.value
    error = released.scope.rules.most_error if released.scope.is_protected else 0
    countries = {cell.labels["country"]: cell.n for cell in result.by_country}
    found = []
    for variable in VARIABLES:
        totals = {cell.labels[variable]: cell.n for cell in result.table(variable)}
        for cell in result.table("country", variable):
            country, value = cell.labels["country"], cell.labels[variable]
            if NOT_STATED not in (country, value):
                found.append(CaseMixDifference(country, variable, value, _difference(
                    cell.n, countries.get(country), totals.get(value), result.n, error)))
    return tuple(found)


def _difference(part: int | None, whole: int | None, with_value: int | None, everybody: int | None,
                error: int) -> float | None:
    """d of part / whole against the rest, None where the corners of what the counts can be lie too far apart."""
    if part is None or whole is None or with_value is None or everybody is None or not 0 < whole < everybody:
        return None
    if error == 0:
        d = float(difference_of_proportions(part / whole, (with_value - part) / (everybody - whole)))
        return d if np.isfinite(d) else None
    corners = [_at(part + a * error, whole + b * error, with_value + c * error, everybody + e * error)
               for a, b, c, e in product((-1, 1), repeat=4)]
    low, high = min(corners), max(corners)
    return round((low + high) / 2, 1) + 0.0 if high - low < 2 * NOTABLE else None


def _at(part: int, whole: int, with_value: int, everybody: int) -> float:
    here = min(1.0, part / whole)
    rest = everybody - whole
    elsewhere = min(1.0, max(0.0, (with_value - part) / rest)) if rest > 0 else float("nan")
    return float(difference_of_proportions(here, elsewhere))
