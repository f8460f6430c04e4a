"""How the patients of a country differ from those of all others, computed from released numbers alone.

It tells nothing that the tables do not. Shares are of the patients whose value is stated: gaps are no kind of patient.
Rounding and hidden gaps leave a small country's shares open, so a difference is given only where it is wrong by less
than what is called notable, its own rounding included; elsewhere there is none, not a doubtful one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harmony_dash.disclosure.coverage_results import NOT_STATED, CoverageResult
from harmony_dash.disclosure.released import Released
from harmony_dash.stats.standardised_difference import NOTABLE, difference_of_proportions

Range: TypeAlias = tuple[int, int]
# Part, whole, with the value, everybody.
Counts: TypeAlias = tuple[Range, Range, Range, Range]
VARIABLES = ("age_group", "immunophenotype", "sex", "dx_period")


@dataclass(frozen=True)
class CaseMixDifference:
    """Standardised difference of one value's share among those with any, a country against all others together.

    `difference` is None where a number it needs is hidden, or where rounding or hidden gaps make it too uncertain. It
    has one decimal if protected.
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
    names: list[tuple[str, str, str]] = []
    counts: list[Counts | None] = []
    for variable in VARIABLES:
        totals = {cell.labels[variable]: cell.n for cell in result.table(variable)}
        everywhere = _stated(totals, result.n, error)
        here: dict[str, dict[str, int | None]] = {}
        for cell in result.table("country", variable):
            here.setdefault(cell.labels["country"], {})[cell.labels[variable]] = cell.n
        for country, values in here.items():
            if country == NOT_STATED:
                continue
            stated = _stated(values, countries.get(country), error)
            for value, n in values.items():
                if value != NOT_STATED:
                    names.append((country, variable, value))
                    counts.append(_corners(n, stated, totals.get(value), everywhere, error))
    return tuple(CaseMixDifference(*name, difference)
                 for name, difference in zip(names, _differences(counts, error), strict=True))


def _stated(values: Mapping[str, int | None], whole: int | None, error: int) -> Range | None:
    """The least and the most patients with a value, as far as what is shown of them tells; None without the whole.

    Whether the number without a value is hidden because it is small, or beside one that is, is not shown. So it may be
    as large as the values that are shown leave room for.
    """
    if whole is None:
        return None
    least = sum(max(0, n - error) for value, n in values.items() if value != NOT_STATED and n is not None)
    most, without = whole + error, values.get(NOT_STATED)
    if without is not None:
        least, most = max(least, whole - without - 2 * error), min(most, whole - without + 2 * error)
    return least, most


def _corners(part: int | None, stated: Range | None, with_value: int | None, everywhere: Range | None,
             error: int) -> Counts | None:
    """The ends of what each count can be, shape (4, 2); None where one is hidden."""
    if part is None or stated is None or with_value is None or everywhere is None:
        return None
    return (part - error, part + error), stated, (with_value - error, with_value + error), everywhere


def _differences(counts: Sequence[Counts | None], error: int) -> list[float | None]:
    """d of a share of the patients here with any value against the same elsewhere, of each of some cells.

    None where the corners of what the counts can be lie so far apart that the middle, rounded, could be wrong by more
    than what is called notable.
    """
    told = [list(product(*one)) for one in counts if one is not None]
    at_corners = iter(_at(np.array(told, dtype=float).reshape(len(told), 16, 4)))
    return [None if one is None else _middle(next(at_corners), error) for one in counts]


def _middle(of_corners: NDArray[np.float64], error: int) -> float | None:
    low, high = float(of_corners.min()), float(of_corners.max())
    if not np.isfinite([low, high]).all():
        return None
    if error == 0:
        return low
    return round((low + high) / 2, 1) + 0.0 if high - low < NOTABLE else None


def _at(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """d at each of some counts (part, whole, with the value, everybody) on the last axis; NaN where nobody is left to
    compare."""
    part, whole, with_value, everybody = np.moveaxis(corners, -1, 0)
    rest = everybody - whole
    with np.errstate(divide="ignore", invalid="ignore"):
        here, elsewhere = (np.where((whole > 0) & (rest > 0), np.clip(share, 0.0, 1.0), np.nan)
                           for share in (part / whole, (with_value - part) / rest))
    return difference_of_proportions(here, elsewhere)
