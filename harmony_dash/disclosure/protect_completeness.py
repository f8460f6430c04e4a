"""How complete a variable is in a source, as it may leave: shares of rounded counts that give no small part away.

Patients of a source are split: with a value (of them with a negative result and with any other), test failed, not
tested, unknown. Somebody may know how many patients the source has, and by way of other tables nearly every number
shown here. So nothing is left to the errors of rounding: wherever a part is hidden because it is small, one that is
surely not is hidden with it, and each small part could be any of five numbers even if all that is shown were exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from harmony_dash.disclosure.coverage_results import Completeness, Status, StatusShare
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import release_count, round_count, round_share

RECORDED = (Status.VALUE, Status.NEGATIVE)
Shown = dict[Status, int | None]


def protect_completeness(one: Completeness, accepted: int | None, scope: Scope) -> Completeness:
    """The shares of rounded counts; neither patients with nor patients without a value in numbers below the minimum.

    Raises
    ------
    TypeError for counts without keys, and for shares of no parts, which would read as complete.
    """
    rules = scope.rules
    if not one.parts:
        raise TypeError("a share cannot be protected without the parts it is of")
    hidden = replace(one, share=None, nearly_all=False,
                     parts=tuple(StatusShare(part.part, None) for part in one.parts))
    if accepted is None or accepted < rules.minimum_patients:
        return hidden
    whole, counts = round_count(accepted, scope), {part.part: _keyed(part.n) for part in one.parts}
    recorded, shown = protect_split(counts, scope)
    rest = sum(n for part, n in counts.items() if part not in RECORDED)
    if rest < rules.minimum_cell:
        # True of every number of patients that rounds to this one.
        fewest = whole - rules.most_error
        hidden = replace(hidden, share=math.floor(100 * (fewest - rules.minimum_cell + 1) / fewest) / 100,
                         nearly_all=True)
    elif recorded is not None:
        hidden = replace(hidden, share=round_share(recorded, whole, rules))
    return replace(hidden, parts=tuple(
        StatusShare(part, None if n is None else round_share(n, whole, rules)) for part, n in shown.items()))


def protect_split(counts: Mapping[Status, KeyedCount], scope: Scope) -> tuple[int | None, Shown]:
    """The rounded number of patients with a value, and that of each part; None where hidden.

    Parameters
    ----------
    counts : disjoint parts of one source's patients, those of nobody included.
    """
    rules = scope.rules
    shown: Shown = {part: release_count(n, scope) for part, n in counts.items()}
    inside, outside = [part for part in shown if part in RECORDED], [part for part in shown if part not in RECORDED]
    recorded = release_count(union([counts[part] for part in inside]), scope)
    if union([counts[part] for part in outside]) < rules.minimum_cell:
        recorded = None
    # While the number with a value is shown, those with and those without are two wholes that are known.
    if recorded is not None and not (_hide_partner(inside, shown, rules) and _hide_partner(outside, shown, rules)):
        recorded = None
    if recorded is None and not _hide_partner(list(shown), shown, rules):
        shown = dict.fromkeys(shown)
    return recorded, shown


def _hide_partner(parts: Sequence[Status], shown: Shown, rules: Rules) -> bool:
    """Hide one part that is large enough beside those that are hidden; False if there is none and one is needed."""
    if all(shown[part] is not None for part in parts):
        return True
    enough = [(n, part) for part in parts if (n := shown[part]) is not None and _is_enough(n, rules)]
    if enough:
        shown[min(enough)[1]] = None
    return bool(enough)


def _is_enough(n: int, rules: Rules) -> bool:
    """Whether a hidden number that rounds to this one leaves a small one beside it enough values."""
    return n - rules.most_error >= rules.minimum_cell + rules.fewest_possible - 1


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count
