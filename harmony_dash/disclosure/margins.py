"""Counts that add up: which must be hidden together, checked by trying to compute the hidden ones.

Hiding small cells is not enough where totals are shown: whoever subtracts learns them. Here every count on the screen
is a sum over *atoms* (the finest cells), so what an onlooker knows is a set of linear equations. For each small
count the smallest and largest value those equations allow are found by linear programming, and more is hidden until
nothing more can be known of it than that it is small.

Method: the auditing step of Fischetti and Salazar, J Am Stat Assoc 95 (2000) 916-928, with a plain choice of what to
hide next (the smallest shown count that shares an atom).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

Atom: TypeAlias = tuple[str, ...]
# The positions of an atom's parts that are kept: () the total, (1,) one margin, (1, 2) a table of two.
View: TypeAlias = tuple[int, ...]
Cell: TypeAlias = tuple[View, Atom]


def suppress_margins(atoms: Mapping[Atom, int], views: Sequence[View], minimum: int) -> dict[Cell, int | None]:
    """Hide small counts of all views together, and enough others that none can be computed from the rest.

    Parameters
    ----------
    atoms : finest cell to patients, only cells that have any (an onlooker is assumed to know which exist).
    views : the sums shown, by the positions of the atoms' parts they keep.
    minimum : smallest count shown; of a smaller one everything from its least to minimum - 1 must stay possible.

    Returns
    -------
    For each (view, key) the count, or None where it is hidden.
    """
    cells: dict[Cell, int] = {}
    members: dict[Cell, list[int]] = {}
    for place, (atom, n) in enumerate(atoms.items()):
        for view in views:
            cell = (view, tuple(atom[part] for part in view))
            cells[cell] = cells.get(cell, 0) + n
            members.setdefault(cell, []).append(place)
    hidden = {cell for cell, n in cells.items() if n < minimum}
    rows = {cell: _row(places, len(atoms)) for cell, places in members.items()}
    while True:
        known = _narrowly_known(hidden, cells, rows, minimum)
        if known is None:
            return {cell: None if cell in hidden else n for cell, n in cells.items()}
        sums = [set(members[cell]) for cell in cells if cell not in hidden and set(members[known]) & set(members[cell])]
        related = set().union(*sums)
        partners = [cell for cell in cells if cell not in hidden and related & set(members[cell])]
        # The finest counts are missed least; the total is told elsewhere too, so it is the last to go.
        hidden.add(min(partners, key=lambda cell: (-len(cell[0]), cells[cell], cell)))


def _row(places: Sequence[int], width: int) -> NDArray[np.float64]:
    row = np.zeros(width)
    row[list(places)] = 1.0
    return row


def _narrowly_known(hidden: set[Cell], cells: Mapping[Cell, int], rows: Mapping[Cell, NDArray[np.float64]],
                    minimum: int) -> Cell | None:
    """A small count of which more is known than that it is small, None if there is none."""
    shown = [cell for cell in cells if cell not in hidden]
    if not hidden or not shown:
        return None
    equations, totals = np.array([rows[cell] for cell in shown]), np.array([cells[cell] for cell in shown], float)
    for cell in sorted(cell for cell in hidden if cells[cell] < minimum):
        lowest, highest = _extreme(rows[cell], equations, totals), -_extreme(-rows[cell], equations, totals)
        if lowest > rows[cell].sum() + 1e-6 or highest < minimum - 1 - 1e-6:
            return cell
    return None


def _extreme(objective: NDArray[np.float64], equations: NDArray[np.float64], totals: NDArray[np.float64]) -> float:
    """The smallest value of the objective over all atoms of one patient or more that fit the equations."""
    solved = linprog(objective, A_eq=equations, b_eq=totals, bounds=(1, None), method="highs")
    return -math.inf if solved.fun is None else float(solved.fun)
