"""Rounding that hangs on who is counted, so that the same patients always give the same number.

Method: keyed random rounding to base 5 (Fraser, Wooton, "A proposed method for confidentialising tabular output",
UNECE 2005, for the cell key; the rounding is unbiased: a count is rounded up with a probability of its remainder over
the base). All counts share one draw a set of patients, whatever they are called: a group, the patients at risk on its
first day and the last step of the attrition are one set and one number, and asking in other words averages nothing.
"""

from __future__ import annotations

import math
import struct
from hashlib import blake2b

from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import DAYS_PER_MONTH, Level, Rules
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import HazardRatio

_COUNT = "count"
# Of hazard ratios and their limits.
RATIO_DECIMALS = 2
# A float holds 53 bits: of all 64 the largest would round to 1.
_BITS = 53


def uniform(key: int, n: int, statistic: str, level: Level) -> float:
    """A number in [0, 1) that looks random and is the same whenever the same patients are asked for the same.

    Parameters
    ----------
    key : XOR of the record keys of the patients; record keys are secret, so nobody can compute the number.
    n : how many they are.
    statistic : what is rounded, so that two statistics of the same patients do not share their error.
    level : levels do not share theirs either.
    """
    message = struct.pack(">QQ", key, n) + f"{statistic}\x00{level.value}".encode()
    return (int.from_bytes(blake2b(message, digest_size=8).digest(), "big") >> (64 - _BITS)) / (1 << _BITS)


def round_count(count: int, scope: Scope, *, drawn_for: str = "") -> int:
    """A count as a multiple of the base: n' = 5 ⌊(n + ⌊5u⌋) / 5⌋. Unbiased, at most 4 off; 0 stays 0.

    Parameters
    ----------
    drawn_for : which of several counts on one page this is, where two of them being the same patients, and so the same
        number, would tell that those in one and not in the other are nobody. Empty for the number told everywhere.

    Raises
    ------
    TypeError for a number without a key: nobody could say which patients it counts, so it may not leave.
    """
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    base = scope.rules.rounding_base
    statistic = f"{_COUNT} {drawn_for}" if drawn_for else _COUNT
    return base * ((int(count) + int(base * uniform(count.key, int(count), statistic, scope.level))) // base)


def release_count(count: int | None, scope: Scope, *, drawn_for: str = "") -> int | None:
    """A count that may be shown: None below the threshold, rounded above. Zero is below: it says something too."""
    if count is None:
        return None
    rounded = round_count(count, scope, drawn_for=drawn_for)
    return rounded if count >= scope.rules.minimum_cell else None


def release_part(count: int | None, of: int, scope: Scope) -> int | None:
    """A count out of `of` patients: None if it or its complement is below the threshold."""
    shown = release_count(count, scope)
    return None if count is None or of - count < scope.rules.minimum_cell else shown


def round_share(part: int, whole: int, rules: Rules) -> float:
    """A share from two rounded counts, in whole per cents, or with one decimal of a large whole."""
    return round(min(1.0, part / whole), 3 if whole >= rules.one_decimal_from else 2)


def round_significant(value: float, rules: Rules) -> float:
    """The value with the significant digits of the rules; what is not a number stays so."""
    if value == 0 or not math.isfinite(value):
        return value
    return float(f"{value:.{rules.significant_digits}g}")


def half_significant(value: float, rules: Rules) -> float:
    """By how much a value that was rounded to the significant digits of the rules may be off."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return 10.0 ** (math.floor(math.log10(abs(value))) - rules.significant_digits + 1) / 2


def round_up_significant(value: float, rules: Rules) -> float:
    """The least value with the significant digits of the rules that is not below; for errors, which must not shrink."""
    nearest = round_significant(value, rules)
    if not nearest < value:
        return nearest
    digit = 10.0 ** (math.floor(math.log10(abs(nearest))) - rules.significant_digits + 1)
    return round_significant(nearest + digit, rules)


def round_p(p: float, rules: Rules) -> float:
    """A p-value with two significant digits. `smallest_p` stands for that and everything below, and for nothing else.

    So 0.00101 becomes 0.0011: rounded down it would read as "less than 0.001".
    """
    if not math.isfinite(p):
        return p
    if p < rules.smallest_p:
        return rules.smallest_p
    return max(round_significant(p, rules), round_significant(1.1 * rules.smallest_p, rules))


def round_hazard_ratio(ratio: HazardRatio, rules: Rules) -> HazardRatio:
    """A hazard ratio with two decimals, its p-value as all others."""
    return HazardRatio(round_ratio(ratio.ratio), round_ratio(ratio.lower), round_ratio(ratio.upper),
                       round_p(ratio.p, rules))


def round_ratio(value: float) -> float:
    """A ratio, or a limit of one, with two decimals; an infinite one stays so."""
    return round(value, RATIO_DECIMALS) if math.isfinite(value) else value


def round_to_month(days: float) -> float:
    """Days as the nearest number of whole months: a median is one patient's day."""
    return round(math.floor(days / DAYS_PER_MONTH + 0.5) * DAYS_PER_MONTH, 4)
