"""The words of a treatment comparison in figures and tables: methods, arms, outcomes, differences in points."""

from __future__ import annotations

import math
from typing import Final

from harmony_dash.charts.numbers import NOTHING, TimeUnit
from harmony_dash.disclosure.points import format_points, format_points_limits
from harmony_dash.disclosure.precision import EXACT, Precision, precision_of
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    ComparedPatients,
    Contrast,
    Measure,
    Method,
    WhatIfResult,
)

METHOD_NAMES: Final = {Method.RANDOMISED: "As randomised", Method.STANDARDISED: "A  Standardised",
                       Method.AUGMENTED: "B  Doubly robust", Method.WEIGHTED: "C  Weighted",
                       Method.PLAIN: "Plain comparison"}
_TOLERANCE: Final = 1e-9


def outcome_label(result: WhatIfResult, outcome: str) -> str:
    """An outcome in words, "Event-free survival"; its own name where no patients were counted for it."""
    found = next((one.label for one in result.patients if one.outcome == outcome), outcome.replace("_", " "))
    return found[:1].upper() + found[1:]


def list_outcomes(result: WhatIfResult, population: str = OBSERVED) -> tuple[str, ...]:
    """The outcomes counted in a population, the endpoint first."""
    return tuple(dict.fromkeys(one.outcome for one in result.patients if one.population == population))


def patients_of(result: WhatIfResult, outcome: str, population: str) -> ComparedPatients | None:
    """The patients behind the estimates of an outcome."""
    return next((one for one in result.patients if (one.outcome, one.population) == (outcome, population)), None)


def contrast_of(result: WhatIfResult, method: Method | None, measure: Measure, outcome: str) -> Contrast | None:
    """One contrast; None where there is none."""
    return next((one for one in result.contrasts
                 if (one.method, one.measure, one.outcome) == (method, measure, outcome)), None)


def precision_of_curves(released: Released[WhatIfResult], outcome: str, population: str) -> Precision:
    """How finely the curves of an outcome are given: both arms stand on the steps of the smaller one.

    A size that is hidden is taken as the smallest that could be.
    """
    if not released.scope.is_protected:
        return EXACT
    patients = patients_of(released.value, outcome, population)
    sizes = [one.n for one in patients.arms] if patients else []
    least = min((n for n in sizes if n), default=0)
    if None in sizes or not least:
        least = max(1, released.scope.rules.minimum_cell)
    return precision_of(least, released.scope)


def format_difference(contrast: Contrast) -> str:
    """ "−3.9 (−7.3 to −0.5)", in percentage points."""
    estimate = format_points(contrast.estimate)
    if contrast.lower is None or contrast.upper is None:
        return estimate
    return f"{estimate} ({format_points_limits(contrast.lower, contrast.upper)})"


def format_mean_difference(contrast: Contrast, *, outward: bool) -> str:
    """A difference of restricted means in months, "−1.2 (−2.0 to −0.3)"."""
    def months(days: float | None, side: int) -> str:
        if days is None:
            return NOTHING
        value = days / TimeUnit.MONTHS.days
        if outward and side:
            value = side * math.ceil(side * value * 10 - _TOLERANCE) / 10
        text = f"{value:+.1f}"
        return text.replace("-", "−") if float(text) else "0.0"

    estimate = months(contrast.estimate, 0)
    if contrast.lower is None or contrast.upper is None:
        return estimate
    return f"{estimate} ({months(contrast.lower, -1)} to {months(contrast.upper, 1)})"


def describe_off(released: Released[WhatIfResult], outcome: str, population: str) -> str:
    """What protection may have done to a difference of curves, in words; empty where numbers are exact.

    A difference goes from -1 to 1 and its steps are twice as wide as those of a share.
    """
    precision = precision_of_curves(released, outcome, population)
    if not precision.is_protected:
        return ""
    points = math.ceil(2000 * precision.most_error - _TOLERANCE) / 10
    return (f"Protected: differences may be off by up to ±{points:.1f} points. Curves are rounded by themselves: take "
            "the difference from the numbers above, not from the curves.")
