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
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

from harmony_dash.disclosure.policy import Rules

Cell = TypeVar("Cell", bound=Hashable)
Floats = NDArray[np.float64]

_SLACK = 1e-6
_MANY = 2**31
_UNBOUNDED = 3  # scipy's status of a linear programme without a finite optimum


def hide_partners(members: Mapping[Cell, Collection[int]], shown: Mapping[Cell, int | None], small: Collection[Cell],
                  rules: Rules, *, atoms: int, next_partner: Callable[[list[Cell]], Cell | None],
                  limits: Mapping[Cell, int] | None = None, floors: Mapping[Cell, int] | None = None,
                  ties: Sequence[tuple[Collection[int], Collection[int]]] = ()) -> dict[Cell, int | None]:
    """Hide more counts until every hidden small one keeps enough possible values.

    Parameters
    ----------
    members : each count as the atoms (numbered disjoint sets of patients) it is the sum of.
    shown : the rounded counts, None where hidden already.
    small : the hidden counts to guard.
    rules : threshold, rounding and how many values must stay possible.
    atoms : how many atoms there are; an onlooker is taken to know of each, and not whether anybody is in it.
    next_partner : which of some shown counts to hide next; None if none of them can be.
    limits : the largest value an onlooker knows a hidden count can have; the threshold minus one for all of `small` by
        default.
    floors : the least an onlooker knows a count to be that is hidden for the sake of others, where that is more than
        the threshold; those of them that are hidden already are taken to be hidden for it.
    ties : pairs of sets of atoms that are the same patients, split in two ways. Two tables that share a margin and
        nothing else need no atoms for each pair of their cells: whatever fits both margins fits some joint table.

    Returns
    -------
    The counts, with more of them None.
    """
    result = dict(shown)
    if not small:
        return result
    rows = {cell: _row(members[cell], atoms) for cell in small}
    of_all = np.array(list(rows.values()))
    most = dict.fromkeys(small, rules.minimum_cell - 1) if limits is None else dict(limits)
    # At worst an onlooker sees which counts were hidden for the sake of others, and so that they are not small.
    least_of = floors or {}
    partners = {cell: least_of[cell] for cell, n in shown.items() if n is None and cell in least_of}
    # More hidden never narrows an interval, so a count that is safe stays so. For the same reason what a programme
    # finds possible stays possible, and most counts need no programme of their own.
    seen = dict.fromkeys(small, (math.inf, -math.inf))
    same = _rows_of_ties(ties, atoms)
    known = _Known.of(members, result, most, partners, rules, atoms, same)
    least = {cell: min(rules.fewest_possible, most.get(cell, _MANY) + 1) for cell in small}
    _widen_all_at_once(rows, known, seen, least)
    reach = {cell: _add_tied(places, ties) for cell, places in members.items()}
    for cell in small:
        while values_left(*seen[cell]) < least[cell] and _count_possible(rows[cell], of_all, known, seen) < least[cell]:
            related = frozenset().union(*(reach[other] for other, n in result.items()
                                          if n is not None and reach[other] & reach[cell]))
            partner = next_partner([other for other, n in result.items() if n is not None and related & reach[other]])
            if partner is None:
                break
            result[partner] = None
            partners[partner] = least_of.get(partner, rules.minimum_cell)
            known = _Known.of(members, result, most, partners, rules, atoms, same)
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


def _rows_of_ties(ties: Sequence[tuple[Collection[int], Collection[int]]], atoms: int) -> csr_array:
    return csr_array(np.array([_row(one, atoms) - _row(other, atoms) for one, other in ties]).reshape(len(ties), atoms))


def _add_tied(places: Collection[int], ties: Sequence[tuple[Collection[int], Collection[int]]]) -> frozenset[int]:
    """The atoms of a count, and those of the same patients in the tables tied to it."""
    found = set(places)
    for one, other in ties:
        if found.issuperset(one) or found.issuperset(other):
            found.update(one, other)
    return frozenset(found)


def _row(places: Collection[int], width: int) -> Floats:
    row = np.zeros(width)
    row[list(places)] = 1.0
    return row


def _signed_rows(rows: Sequence[tuple[float, Collection[int]]], width: int) -> csr_array:
    """A row for each sum, with its sign at its atoms; made without the zeros, which are nearly all of it."""
    places = [sorted(set(places)) for _, places in rows]
    sizes = [len(one) for one in places]
    columns = np.array([place for one in places for place in one], dtype=np.int32)
    ends = np.cumsum([0, *sizes], dtype=np.int32)
    return csr_array((np.repeat([sign for sign, _ in rows], sizes), columns, ends), shape=(len(rows), width))


@dataclass(frozen=True)
class _Known:
    """What an onlooker knows: bounds of each atom, shape (atoms, 2), and of sums of them, matrix @ atoms ≤ most, and
    that same @ atoms = 0.

    A count of one atom is a bound, because a programme with fewer rows is faster.
    """

    of_each: Floats
    matrix: csr_array
    most: Floats
    same: csr_array

    @classmethod
    def of(cls, members: Mapping[Cell, Collection[int]], shown: Mapping[Cell, int | None], most: Mapping[Cell, int],
           partners: Mapping[Cell, int], rules: Rules, atoms: int, same: csr_array) -> _Known:
        """What the shown counts, the hidden small ones and those hidden for their sake say."""
        of_each = np.column_stack([np.zeros(atoms), np.full(atoms, math.inf)])
        rows: list[tuple[float, Collection[int]]] = []
        ends: list[float] = []
        for cell, places in members.items():
            n, low, high = shown[cell], 0.0, math.inf
            if n is not None:
                low, high = max(rules.minimum_cell, n - rules.most_error), n + rules.most_error
            elif cell in most:
                high = most[cell]
            elif cell in partners:
                low = partners[cell]
            if len(places) == 1:
                (place,) = places
                of_each[place] = max(of_each[place, 0], low), min(of_each[place, 1], high)
                continue
            if high < math.inf:
                rows.append((1.0, places))
                ends.append(high)
            if low > 0:
                rows.append((-1.0, places))
                ends.append(-low)
        return cls(of_each, _signed_rows(rows, atoms), np.array(ends), same)

    def smallest(self, objective: Floats) -> tuple[float, Floats | None]:
        """The smallest value of a sum of atoms, and the atoms that have it where it is finite."""
        if (self.of_each[:, 0] > self.of_each[:, 1]).any():
            return math.inf, None
        bounds = [(low, high) for low, high in self.of_each.tolist()]
        # Most of the matrices is zero; scipy takes sparse ones, which its stubs do not say.
        solved = linprog(objective, A_ub=self.matrix, b_ub=self.most,  # type: ignore[call-overload]
                         A_eq=self.same, b_eq=np.zeros(self.same.shape[0]), bounds=bounds, method="highs")
        if solved.fun is None:
            # Nothing fits only if the counts are not those of any patients; then nothing is known to be safe.
            return -math.inf if solved.status == _UNBOUNDED else math.inf, None
        return float(solved.fun), solved.x

    def nearest(self, rows: Floats, goals: Floats, *, upward: bool) -> Floats | None:
        """Atoms for which some sums miss their goals by as little as possible, all misses added up.

        Parameters
        ----------
        rows, goals : shapes (sums, atoms) and (sums,).
        upward : whether a sum misses its goal by what it is below it, or by what it is above.
        """
        count, sign = len(rows), -1.0 if upward else 1.0
        misses = vstack([hstack([self.matrix, csr_array((self.matrix.shape[0], count))]),
                         hstack([csr_array(sign * rows), -eye_array(count)])], format="csr")
        padded = replace(
            self, of_each=np.vstack([self.of_each, np.column_stack([np.zeros(count), np.full(count, math.inf)])]),
            matrix=misses, most=np.concatenate([self.most, sign * goals]),
            same=hstack([self.same, csr_array((self.same.shape[0], count))], format="csr"))
        solution = padded.smallest(np.concatenate([np.zeros(rows.shape[1]), np.ones(count)]))[1]
        return None if solution is None else solution[:rows.shape[1]]


def _count_possible(row: Floats, of_all: Floats, known: _Known, seen: dict[Cell, tuple[float, float]]) -> int:
    """How many values a hidden count can have for somebody who knows all that is shown.

    `seen` holds the smallest and largest value that any solution has given each small count; it grows. `of_all` holds
    the rows of those counts, shape (counts, atoms).
    """
    lowest, fewest = known.smallest(row)
    highest, largest = known.smallest(-row)
    for solution in (fewest, largest):
        if solution is not None:
            _note_values(of_all, solution, seen)
    return values_left(lowest, -highest)


def _widen_all_at_once(rows: Mapping[Cell, Floats], known: _Known, seen: dict[Cell, tuple[float, float]],
                       needed: Mapping[Cell, int]) -> None:
    """Find solutions in which many small counts are large enough, or small enough: a few programmes for hundreds.

    What is still missing of all counts together is made as small as it can be, so that one which is far enough does not
    take from the others.
    """
    of_all = np.array(list(rows.values()))
    for upward in (True, False):
        waiting = list(rows)
        while len(waiting) > 1:
            goals = np.array([needed[cell] - 1.0 if upward else seen[cell][1] - needed[cell] + 1 for cell in waiting])
            solution = known.nearest(np.array([rows[cell] for cell in waiting]), goals, upward=upward)
            if solution is None:
                return
            _note_values(of_all, solution, seen)
            left = [cell for cell, goal in zip(waiting, goals.tolist(), strict=True) if (
                seen[cell][1] < goal - _SLACK if upward else values_left(*seen[cell]) < needed[cell])]
            if len(left) == len(waiting):
                break
            waiting = left


def _note_values(of_all: Floats, solution: Floats, seen: dict[Cell, tuple[float, float]]) -> None:
    for cell, value in zip(seen, (of_all @ solution).tolist(), strict=True):
        low, high = seen[cell]
        seen[cell] = min(low, value), max(high, value)
