"""What somebody who subtracts can still learn of a hidden count, and what else must be hidden against it.

Every count shown is rounded by itself, so a difference of two is off by up to eight. That alone does not protect a
small cell: it is a total minus the rest, and now and then the errors fall so that hardly a value is left (a hidden 9
can be known to be 7, 8 or 9; with more parts to a total, in rare draws even to be 9). So the counts are audited as an
onlooker would do it. A rounded count x' says that x' − 4 ≤ x ≤ x' + 4, a hidden one that it is below the threshold; for
each hidden small count the smallest and largest value that all of this allows are found by linear programming, and
shown counts are hidden until at least five values are left. What is decided here is decided from what is shown, so that
the choice of what to hide tells nothing more.

Method: the auditing step of Fischetti and Salazar, J Am Stat Assoc 95 (2000) 916-928, with intervals in place of exact
margins, and a plain choice of what to hide next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from harmony_dash.disclosure.policy import Rules

Cell = TypeVar("Cell", bound=Hashable)
Floats = NDArray[np.float64]

_SLACK = 1e-6
_MANY = 2**31
_UNBOUNDED = 3  # scipy's status of a linear programme without a finite optimum


def hide_partners(members: Mapping[Cell, Collection[int]], shown: Mapping[Cell, int | None], small: Collection[Cell],
                  rules: Rules, *, atoms: int, least: int, next_partner: Callable[[list[Cell]], Cell | None],
                  limits: Mapping[Cell, int] | None = None, floors: Mapping[Cell, int] | None = None,
                  ) -> dict[Cell, int | None]:
    """Hide more counts until every hidden small one keeps enough possible values.

    Parameters
    ----------
    members : each count as the atoms (numbered disjoint sets of patients) it is the sum of.
    shown : the rounded counts, None where hidden already.
    small : the hidden counts to guard.
    rules : threshold, rounding and how many values must stay possible.
    atoms : how many atoms there are.
    least : what an onlooker knows every atom to be at least: 1 where only those with patients are listed, else 0.
    next_partner : which of some shown counts to hide next; None if none of them can be.
    limits : the largest value an onlooker knows a hidden count can have; the threshold minus one for all of `small` by
        default.
    floors : the least an onlooker knows a count to be that is hidden for the sake of others, where that is more than
        the threshold; those of them that are hidden already are taken to be hidden for it.

    Returns
    -------
    The counts, with more of them None.
    """
    result = dict(shown)
    if not small:
        return result
    rows = {cell: _row(places, atoms) for cell, places in members.items()}
    most = dict.fromkeys(small, rules.minimum_cell - 1) if limits is None else dict(limits)
    # At worst an onlooker sees which counts were hidden for the sake of others, and so that they are not small.
    least_of = floors or {}
    partners = {cell: least_of[cell] for cell, n in shown.items() if n is None and cell in least_of}
    # More hidden never narrows an interval, so a count that is safe stays so.
    for cell in small:
        # A sum of six atoms with patients is six or more before anybody subtracts.
        possible = most[cell] - least * len(members[cell]) + 1 if cell in most else rules.fewest_possible
        needed = min(rules.fewest_possible, possible)
        while _count_possible(cell, rows, result, most, partners, rules, least) < needed:
            related = set().union(*(members[other] for other, n in result.items()
                                    if n is not None and set(members[other]) & set(members[cell])))
            partner = next_partner([other for other, n in result.items()
                                    if n is not None and related & set(members[other])])
            if partner is None:
                break
            result[partner] = None
            partners[partner] = least_of.get(partner, rules.minimum_cell)
    return result


def values_left(lowest: float, highest: float) -> int:
    """How many whole numbers lie between two bounds, both included."""
    if lowest == -math.inf or highest == math.inf:
        return _MANY
    if math.isinf(lowest) or math.isinf(highest):
        return 0
    return max(0, math.floor(highest + _SLACK) - math.ceil(lowest - _SLACK) + 1)


def bounds_in_one_total(total: int, parts: Collection[int], small: int, partners: int, rules: Rules,
                        ) -> tuple[float, float]:
    """Bounds of each small count of a total: the closed form of the linear programme for a single sum.

    Parameters
    ----------
    total, parts : the rounded total and its shown parts.
    small, partners : how many parts are hidden because they are small, and how many for their sake.
    """
    minimum, error = rules.minimum_cell, rules.most_error
    highest = total + error - sum(max(minimum, part - error) for part in parts) - minimum * partners
    lowest = 0 if partners else max(minimum, total - error) - sum(part + error for part in parts)
    most = minimum - 1
    return max(0, lowest - most * (small - 1)), min(most, highest)


def _row(places: Collection[int], width: int) -> Floats:
    row = np.zeros(width)
    row[list(places)] = 1.0
    return row


def _count_possible(cell: Cell, rows: Mapping[Cell, Floats], shown: Mapping[Cell, int | None],
                    most: Mapping[Cell, int], partners: Mapping[Cell, int], rules: Rules, least: int) -> int:
    """How many values a hidden count can have for somebody who knows all that is shown."""
    matrix: list[Floats] = []
    bounds: list[int] = []
    for other, row in rows.items():
        n = shown[other]
        if n is not None:
            low = max(rules.minimum_cell, n - rules.most_error)
            matrix += [row, -row]
            bounds += [n + rules.most_error, -low]
        elif other in most:
            matrix.append(row)
            bounds.append(most[other])
        elif other in partners:
            matrix.append(-row)
            bounds.append(-partners[other])
    lowest = _extreme(rows[cell], matrix, bounds, least)
    highest = -_extreme(-rows[cell], matrix, bounds, least)
    return values_left(lowest, highest)


def _extreme(objective: Floats, matrix: list[Floats], bounds: list[int], least: int) -> float:
    """The smallest value of the objective over all atoms that fit."""
    if not matrix:
        return least * float(objective.sum()) if objective.min() >= 0 else -math.inf
    solved = linprog(objective, A_ub=np.array(matrix), b_ub=np.array(bounds, dtype=float), bounds=(least, None),
                     method="highs")
    if solved.fun is None:
        # Nothing fits only if the counts are not those of any patients; then nothing is known to be safe.
        return -math.inf if solved.status == _UNBOUNDED else math.inf
    return float(solved.fun)
