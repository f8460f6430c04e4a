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
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from harmony_dash.disclosure.policy import Rules

Cell = TypeVar("Cell", bound=Hashable)
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_SLACK = 1e-6
_MANY = 2**31
_UNBOUNDED = 3  # scipy's status of a programme without a finite optimum


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
    most = dict.fromkeys(small, rules.minimum_cell - 1) if limits is None else dict(limits)
    # At worst an onlooker sees which counts were hidden for the sake of others, and so that they are not small.
    least_of = floors or {}
    partners = {cell: least_of[cell] for cell, n in shown.items() if n is None and cell in least_of}
    sums, place_of = _Sums.of(members, ties, atoms), {cell: place for place, cell in enumerate(members)}
    bounds = np.array([_bounds_of(cell, result[cell], most, partners, rules) for cell in members])
    known = sums.within(bounds)
    needed = np.array([min(rules.fewest_possible, most.get(cell, _MANY) + 1) for cell in small], dtype=np.float64)
    guarded = _Guarded(_matrix([[(1.0, members[cell])] for cell in small], atoms), needed)
    guarded.widen_all_at_once(known)
    reach = {cell: _add_tied(places, ties) for cell, places in members.items()}
    for place, cell in enumerate(small):
        while not guarded.is_safe(place, known):
            related = frozenset().union(*(reach[other] for other, n in result.items()
                                          if n is not None and reach[other] & reach[cell]))
            partner = next_partner([other for other, n in result.items() if n is not None and related & reach[other]])
            if partner is None:
                break
            result[partner] = None
            partners[partner] = least_of.get(partner, rules.minimum_cell)
            bounds[place_of[partner]] = _bounds_of(partner, None, most, partners, rules)
            known = sums.within(bounds)
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


def _bounds_of(cell: Cell, n: int | None, most: Mapping[Cell, int], partners: Mapping[Cell, int], rules: Rules,
               ) -> tuple[float, float]:
    """What an onlooker knows of one count: shown, hidden as a small one, or hidden for the sake of one."""
    if n is not None:
        return max(rules.minimum_cell, n - rules.most_error), n + rules.most_error
    return (0.0, most[cell]) if cell in most else (partners.get(cell, 0.0), math.inf)


def _add_tied(places: Collection[int], ties: Sequence[tuple[Collection[int], Collection[int]]]) -> frozenset[int]:
    """The atoms of a count, and those of the same patients in the tables tied to it."""
    found = set(places)
    for one, other in ties:
        if found.issuperset(one) or found.issuperset(other):
            found.update(one, other)
    return frozenset(found)


def _matrix(rows: Sequence[Sequence[tuple[float, Collection[int]]]], width: int) -> csr_array:
    """A row for each sum of atoms, from its signs and their atoms; made without the zeros, which are nearly all."""
    signs, columns, ends = [], [], [0]
    for row in rows:
        for sign, places in row:
            distinct = sorted(set(places))
            columns += distinct
            signs += [sign] * len(distinct)
        ends.append(len(columns))
    return csr_array((np.array(signs, dtype=np.float64), np.array(columns, dtype=np.int32),
                      np.array(ends, dtype=np.int32)), shape=(len(rows), width))


@dataclass(frozen=True)
class _Sums:
    """The counts as sums of atoms.

    A count of one atom is a bound of it, because a programme with fewer rows is faster: `single` are the numbers of
    those counts and `atom` is what each counts. `several` are the others, the first rows of `matrix`; the rest of its
    rows are the ties.
    """

    single: Places
    atom: Places
    several: Places
    matrix: csr_array

    @classmethod
    def of(cls, members: Mapping[Cell, Collection[int]], ties: Sequence[tuple[Collection[int], Collection[int]]],
           atoms: int) -> _Sums:
        """The counts numbered in the order of `members`."""
        of_one = {place: min(atoms_) for place, atoms_ in enumerate(members.values()) if len(atoms_) == 1}
        several = {place: atoms_ for place, atoms_ in enumerate(members.values()) if len(atoms_) != 1}
        rows = [[(1.0, atoms_)] for atoms_ in several.values()] + [[(1.0, one), (-1.0, other)] for one, other in ties]
        return cls(np.array(list(of_one), dtype=np.int64), np.array(list(of_one.values()), dtype=np.int64),
                   np.array(list(several), dtype=np.int64), _matrix(rows, atoms))

    def within(self, bounds: Floats) -> _Known:
        """What is known of the atoms if each count lies in its bounds, shape (counts, 2)."""
        of_each = np.tile([0.0, math.inf], (self.matrix.shape[1], 1))
        np.maximum.at(of_each[:, 0], self.atom, bounds[self.single, 0])
        np.minimum.at(of_each[:, 1], self.atom, bounds[self.single, 1])
        of_sums = np.zeros((self.matrix.shape[0], 2))
        of_sums[:len(self.several)] = bounds[self.several]
        told = (of_sums[:, 0] > 0) | (of_sums[:, 1] < math.inf)
        return _Known(of_each, self.matrix[told], of_sums[told])


@dataclass(frozen=True)
class _Known:
    """What an onlooker knows: bounds of each atom, shape (atoms, 2), and of sums of them, matrix @ atoms."""

    of_each: Floats
    matrix: csr_array
    of_sums: Floats

    def smallest(self, objective: Floats) -> tuple[float, Floats | None]:
        """The smallest value of a sum of atoms, and the atoms that have it where it is finite."""
        if (self.of_each[:, 0] > self.of_each[:, 1]).any():
            return math.inf, None
        solved = milp(objective, bounds=Bounds(*self.of_each.T), constraints=LinearConstraint(
            self.matrix, *self.of_sums.T))
        if not solved.success:
            # Nothing fits only if the counts are not those of any patients; then nothing is known to be safe.
            return -math.inf if solved.status == _UNBOUNDED else math.inf, None
        return float(solved.fun), solved.x

    def nearest(self, rows: csr_array, goals: Floats, *, upward: bool) -> Floats | None:
        """Atoms for which some sums miss their goals by as little as possible, all misses added up.

        Parameters
        ----------
        rows, goals : shapes (sums, atoms) and (sums,).
        upward : whether a sum misses its goal by what it is below it, or by what it is above.
        """
        count, atoms = rows.shape
        sign, far = (1.0, math.inf) if upward else (-1.0, -math.inf)
        padded = _Known(
            np.vstack([self.of_each, np.tile([0.0, math.inf], (count, 1))]),
            vstack([hstack([self.matrix, csr_array((self.matrix.shape[0], count))]),
                    hstack([rows, sign * eye_array(count)])], format="csr"),
            np.vstack([self.of_sums, np.sort(np.column_stack([goals, np.full(count, far)]), axis=1)]))
        solution = padded.smallest(np.concatenate([np.zeros(atoms), np.ones(count)]))[1]
        return None if solution is None else solution[:atoms]


class _Guarded:
    """The hidden small counts, and the smallest and largest value that any solution has given each; these only grow.

    More hidden never narrows an interval, so a count that is safe stays so, what a programme finds possible stays
    possible, and most counts need no programme of their own.
    """

    def __init__(self, rows: csr_array, needed: Floats) -> None:
        self._rows, self._needed = rows, needed
        self._low, self._high = np.full(len(needed), math.inf), np.full(len(needed), -math.inf)

    def is_safe(self, place: int, known: _Known) -> bool:
        """Whether a count can have as many values as it needs for somebody who knows all that is shown."""
        needed = float(self._needed[place])
        if values_left(self._low[place], self._high[place]) >= needed:
            return True
        row = self._rows[[place]].toarray()[0]
        highest = -self._solve(known, -row)
        if values_left(0.0, highest) < needed:  # no count is below nothing
            return False
        if values_left(self._low[place], self._high[place]) >= needed:
            return True
        lowest = self._solve(known, row)
        return lowest < math.inf and values_left(lowest, highest) >= needed

    def widen_all_at_once(self, known: _Known) -> None:
        """Find solutions in which many counts are large enough, or small enough: a few programmes for hundreds.

        What is still missing of all counts together is made as small as it can be, so that one which is far enough
        does not take from the others.
        """
        for upward in (True, False):
            waiting = np.arange(len(self._needed))
            while len(waiting) > 1:
                goals = self._needed[waiting] - 1 if upward else self._high[waiting] - self._needed[waiting] + 1
                solution = known.nearest(self._rows[waiting], goals, upward=upward)
                if solution is None:
                    return
                self._note(solution)
                missed = self._high[waiting] < goals - _SLACK if upward else np.array([
                    values_left(self._low[place], self._high[place]) < self._needed[place] for place in waiting])
                if missed.all():
                    break
                waiting = waiting[missed]

    def _solve(self, known: _Known, objective: Floats) -> float:
        smallest, solution = known.smallest(objective)
        if solution is not None:
            self._note(solution)
        return smallest

    def _note(self, solution: Floats) -> None:
        values = self._rows @ solution
        np.minimum(self._low, values, out=self._low)
        np.maximum(self._high, values, out=self._high)
