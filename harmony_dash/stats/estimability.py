"""Whether a Cox model has one finite maximum, decided before it is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.stats.partial_likelihood import DayBlock, PatternDays

# Columns are scaled to a range of 1 first, so these are shares of a column's range.
NEGLIGIBLE: Final = 1e-9
# The linear programme answers to 1e-7; a ray of a model with 0/1 columns gains at least 1 in some comparison.
LEAST_GAIN: Final = 1e-5


def check_estimable(days: PatternDays, design: Floats, names: Sequence[str]) -> None:
    """Refuse a design whose coefficients the partial likelihood does not determine, or drives to infinity.

    Assumes
        Nothing about sampling: the answer is about these data, and exact but for rounding.

    Formula
        On a day with an event of pattern g and pattern h at risk beside it, the likelihood compares x_g - x_h. The
        coefficients are determined if the differences of all patterns at risk together have full rank. The likelihood
        rises for ever along v, and has no maximum, if (x_g - x_h)'v >= 0 in every comparison and > 0 in one: that is a
        linear programme. If events go both ways between patterns, straight or through others, (x_g - x_h)'v must be 0,
        so only comparisons that go one way are put to it.

    Parameters
    ----------
    days : the days that tell patterns apart.
    design : shape (1, patterns, parameters) or (strata, patterns, parameters); finite, each column with a range of 1
        or constant.
    names : names of the parameters, for the messages.

    Raises
    ------
    StatisticsError if a column is constant or collinear with others wherever patterns are compared, which is nowhere if
    no two are at risk together on a day with an event, or if the likelihood is monotone; the columns are named.

    References
    ----------
    Bryson, Johnson, Technometrics 23 (1981) 381-383, monotone likelihood in the Cox model; Jacobsen, Scand J Stat 16
    (1989) 335-349, existence of the maximum in discrete exponential families, whose form each comparison has.
    """
    nothing = np.zeros((0, design.shape[2]))
    linked, both, one_way = [nothing], [nothing], [nothing]
    for block in days.blocks(len(design)):
        here = design[block.stratum]
        beside, wins = compare_patterns(block)
        linked.append(_spanning_differences(here, beside))
        mutual = _components(wins, "strong")
        both.append(_spanning_differences(here, mutual))
        g, h = np.nonzero(wins & (mutual[:, None] != mutual))
        one_way.append(here[g] - here[h])
    used = design[:, days.patients > 0].reshape(-1, design.shape[2])
    _check_rank(_different(np.concatenate(linked)), used, names)
    _check_finite(_different(np.concatenate(one_way)), _different(np.concatenate(both)), names)


def compare_patterns(block: DayBlock) -> tuple[Ints, NDArray[np.bool_]]:
    """Return which patterns are linked and which have an event while which others are at risk.

    Returns
    -------
    linked : shape (patterns,); patterns with the same number were at risk together, straight or through others, on a
        day with an event.
    wins : shape (patterns, patterns); whether the first had an event on a day with the second at risk.
    """
    watched = (block.at_risk > 0).astype(np.float32)
    wins = ((block.died > 0).astype(np.float32) @ watched.T) > 0
    return _components((watched @ watched.T) > 0, "weak"), wins


def _components(arrows: NDArray[np.bool_], connection: Literal["weak", "strong"]) -> Ints:
    """Return a number for each pattern, shared by those the arrows connect (both ways, if strong)."""
    graph = csr_matrix(arrows.astype(np.int8))
    return connected_components(graph, directed=True, connection=connection)[1].astype(np.int64)


def _spanning_differences(design: Floats, member: Ints) -> Floats:
    """Return rows that span the differences inside each set of patterns: those to its first pattern."""
    _, first, of = np.unique(member, return_index=True, return_inverse=True)
    return np.asarray(design - design[first[of]])


def _different(differences: Floats) -> Floats:
    """Return the rows that are not 0, each once."""
    kept = differences[(np.abs(differences) > NEGLIGIBLE).any(axis=1)]
    return np.unique(kept, axis=0) if len(kept) else kept


def _check_rank(differences: Floats, used: Floats, names: Sequence[str]) -> None:
    still = np.flatnonzero(~(np.abs(differences) > NEGLIGIBLE).any(axis=0))
    if len(still):
        constant = still[np.ptp(used[:, still], axis=0) <= NEGLIGIBLE]
        if len(constant):
            raise StatisticsError(f"{_list(names, constant)} has the same value for everybody",
                                  remedy="leave it out of the model")
        raise StatisticsError(f"{_list(names, still)} never differs between patients of one stratum at risk on a day "
                              "with an event", remedy="leave it out of the model, or stratify by less")
    for column in range(1, differences.shape[1]):
        # Columns before this one are independent, or the loop would have ended.
        weights, _, _, _ = np.linalg.lstsq(differences[:, :column], differences[:, column], rcond=None)
        rest = differences[:, column] - differences[:, :column] @ weights
        if np.abs(rest).max() <= NEGLIGIBLE * max(1.0, float(np.abs(weights).max())):
            linked = np.append(np.flatnonzero(np.abs(weights) > NEGLIGIBLE), column)
            raise StatisticsError(f"{_list(names, linked)} say the same: wherever patients are compared, each follows "
                                  "from the others", remedy=f"leave {names[column]!r} out of the model")


def _check_finite(one_way: Floats, both: Floats, names: Sequence[str]) -> None:
    if not len(one_way):
        return
    solution = linprog(-one_way.sum(axis=0), A_ub=-one_way, b_ub=np.zeros(len(one_way)),
                       A_eq=both if len(both) else None, b_eq=np.zeros(len(both)) if len(both) else None,
                       bounds=(-1, 1), method="highs")
    if solution.status != 0 or solution.fun is None or solution.x is None:
        raise StatisticsError("it cannot be decided whether the model has a finite estimate",
                              remedy="use fewer columns or fewer distinct values")
    if -solution.fun > LEAST_GAIN:
        moving = np.flatnonzero(np.abs(np.asarray(solution.x)) > LEAST_GAIN)
        raise StatisticsError(f"the estimate of {_list(names, moving)} is infinite: all events fall on one side "
                              "(monotone likelihood)",
                              remedy="join levels that have too few events, or leave it out of the model")


def _list(names: Sequence[str], columns: Ints) -> str:
    words = [repr(names[column]) for column in columns]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
