"""How precisely a released share can be meant, and percentages printed with no more digits than that.

Rounded curves stand on steps of about five patients. A decimal below the step would say something nobody knows, so
small groups have whole per cents. Each group has its own: its numbers do not change with those drawn beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harmony_dash.disclosure.grid import NEAR_DAYS
from harmony_dash.disclosure.policy import DAYS_PER_YEAR, Rules
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import SurvivalResult

# From this step on per cents are whole.
COARSE_STEP = 0.01
# Below it a rounded height is a matter of floating point.
_TOLERANCE = 1e-6
# Two give a quarter of a year, "4.25 years".
_MOST_DECIMALS = 2
_HALF_A_DAY = 0.5


@dataclass(frozen=True)
class Precision:
    """How the shares of one group are printed.

    Attributes
    ----------
    decimals : of a percentage.
    most_error : how far protection may have moved an estimate, as a share; 0 where numbers are exact.
    """

    decimals: int = 1
    most_error: float = 0.0

    @property
    def is_protected(self) -> bool:
        """Whether estimates were rounded; then limits are printed outward too, so that they keep their coverage."""
        return self.most_error > 0


EXACT = Precision()


def step_height(rounded: int, rules: Rules) -> float:
    """The step d of the curves of a group, as a share; `rounded` is its released size."""
    return max(rules.smallest_step, rules.patients_per_step / rounded)


def precision_of(patients: int, scope: Scope) -> Precision:
    """The precision of the estimates of a group of that released size."""
    if not scope.is_protected:
        return EXACT
    step = step_height(patients, scope.rules)
    return Precision(0 if step >= COARSE_STEP else 1, step / 2)


def format_percent(share: float, precision: Precision = EXACT, *, unit: bool = True) -> str:
    """A share as a percentage, "91.2 %" or "91 %"."""
    return f"{100 * share:.{precision.decimals}f}{' %' if unit else ''}"


def format_limits(lower: float, upper: float, precision: Precision = EXACT) -> str:
    """Confidence limits in per cent without the unit, "88.0–93.4"; protected ones rounded outward, "88–94"."""
    ends = [100 * lower, 100 * upper]
    if precision.is_protected:
        scale = 10**precision.decimals
        ends = [math.floor(ends[0] * scale + _TOLERANCE) / scale, math.ceil(ends[1] * scale - _TOLERANCE) / scale]
    return "–".join(f"{end:.{precision.decimals}f}" for end in ends)


def describe_precision(result: SurvivalResult, scope: Scope) -> str:
    """What rounding did to the estimates of a released result, in words; empty where they are exact.

    The bound is that of the smallest group, rounded up, so that it stays one.
    """
    if not scope.is_protected or not result.groups:
        return ""
    least = precision_of(min(group.n for group in result.groups), scope)
    points = math.ceil(1000 * least.most_error - _TOLERANCE) / 10
    where = " in the smallest group" if len(result.groups) > 1 else ""
    text = f"Protected: estimates may be off by up to ±{points:.1f} points{where}."
    if least.decimals:
        return text
    if len(result.groups) == 1:
        return f"{text} They are given in whole per cents."
    coarse = round(scope.rules.patients_per_step / COARSE_STEP)
    return f"{text} Groups of up to {coarse} patients are given in whole per cents."


def name_years(days: float) -> str:
    """The time a result is read at, in years: "5 years", "4.25 years"; decimals only where they say something."""
    years = format_length(days, DAYS_PER_YEAR)
    return f"{years} year{'' if years == '1' else 's'}"


def format_length(days: float, unit_days: float) -> str:
    """A length of time in units of so many days: with the fewest decimals that give the day back, at most two.

    Ten years are 3,650 days to some and 3,653 to others, and whole years to both.
    """
    length = days / unit_days
    if unit_days == DAYS_PER_YEAR and round(length) and abs(round(length) * unit_days - days) <= NEAR_DAYS:
        return f"{round(length):,}"
    decimals = next((n for n in range(_MOST_DECIMALS) if abs(round(length, n) * unit_days - days) <= _HALF_A_DAY),
                    _MOST_DECIMALS)
    text = f"{length:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text
