"""The patients of a disease counted by what a question asks of them: enough to weigh all its conditions and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import Filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.selections import Choices, Chosen, Selection, open_selection
from harmony_dash.stats.event_table import Ints

Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]

# The code of a patient whose choice no selection names.
NONE_OF_THEM: Final = -1


@dataclass(frozen=True)
class Effects:
    """The patients of a disease, counted by what the selections of a question see of them.

    It is to conditions what the event table is to curves: a few rows from one scan, and enough to know the effect of
    every condition in every subset of them.

    Attributes
    ----------
    question : what was asked.
    protected : its filters that may not be dropped; only patients who meet them are counted here.
    offered : variable to its choices.
    selections : the question's other filters in closed form.
    codes : variable to shape (rows,); the number of the choice. Where a selection names but one choice of its only
        variable, every other choice is NONE_OF_THEM.
    in_figure : shape (rows,); whether patients have a place in the figure: a value for the endpoint and the groups,
        follow-up beyond the landmark.
    n, keys : shape (rows,); patients and their keys.
    groups : shape (rows,); the place of a patient's group among the values of the grouping, -1 for none of them. None
        if groups were not told apart.
    without_groups : shape (rows,); whether patients would have a place in the figure if it had no groups. None if
        groups were not told apart.
    """

    question: Question
    protected: tuple[Filter, ...]
    offered: Mapping[str, Choices]
    selections: tuple[Selection, ...]
    codes: Mapping[str, Ints]
    in_figure: Bools
    n: Ints
    keys: Keys
    groups: Ints | None = None
    without_groups: Bools | None = None

    def of_group(self, place: int, by: str) -> Effects:
        """The effects among the patients of one group.

        Being in the group is what makes it one and cannot be left out, nor can a filter on the grouping itself.
        """
        if self.groups is None:
            raise ValueError("the groups were not told apart")
        fixed = [selection for selection in self.selections if selection.variables == (by,)]
        rows = self.groups == place
        for one in meets_selections(self, fixed):
            rows = rows & one
        return replace(self, protected=self.filters_of(by), selections=self.selections_beside(by),
                       codes={name: codes[rows] for name, codes in self.codes.items()},
                       in_figure=self.in_figure[rows], n=self.n[rows], keys=self.keys[rows], groups=None,
                       without_groups=None)

    def selections_beside(self, by: str) -> tuple[Selection, ...]:
        """The selections on anything but this variable alone."""
        return tuple(selection for selection in self.selections if selection.variables != (by,))

    def filters_of(self, by: str) -> tuple[Filter, ...]:
        """The filters that no answer for a group may leave out: those protected, and one on the grouping itself."""
        own = (open_selection(selection, self.offered) for selection in self.selections if selection.variables == (by,))
        return (*self.protected, *own)


def meets_selections(effects: Effects, selections: Sequence[Selection]) -> list[Bools]:
    """For each selection, which rows meet it."""
    return [reduce(np.logical_or, (has_choice(effects, name, chosen) for name, chosen in selection.chosen))
            for selection in selections]


def meets_all(effects: Effects, selections: Sequence[Selection]) -> Bools:
    """Which rows meet every selection."""
    met = np.ones(len(effects.n), dtype=bool)
    for one in meets_selections(effects, selections):
        met &= one
    return met


def has_choice(effects: Effects, variable: str, chosen: Chosen) -> Bools:
    """Which rows have one of the choices."""
    lookup = np.zeros(effects.offered[variable].missing + 2, dtype=bool)
    lookup[list(chosen)] = True
    found: Bools = lookup[effects.codes[variable]]  # NONE_OF_THEM finds the last place, which no choice has
    return found


def count_rows(effects: Effects, rows: Bools) -> KeyedCount:
    """The patients of some rows."""
    return KeyedCount(int(effects.n[rows].sum()), int(np.bitwise_xor.reduce(effects.keys[rows])))


def count_fail_only(effects: Effects, selections: Sequence[Selection]) -> list[int]:
    """For each of these selections, the patients in the figure who fail it and meet every other one."""
    met = meets_selections(effects, selections)
    failed = np.zeros(len(effects.n), dtype=np.int64)
    for one in met:
        failed += ~one
    alone = effects.in_figure & (failed == 1)
    return [int(effects.n[alone & ~one].sum()) for one in met]


def count_choices(effects: Effects, others: Sequence[Selection], selection: Selection, variable: str) -> Ints:
    """The patients in the figure by their choice of one variable of a selection.

    Counted are those who meet every other selection and would meet this one by the variable alone.

    Returns
    -------
    shape (choices,), "not recorded" last.
    """
    rows = effects.in_figure & meets_all(effects, others)
    for name, chosen in selection.chosen:
        if name != variable:
            rows = rows & ~has_choice(effects, name, chosen)
    counts = np.bincount(effects.codes[variable][rows], weights=effects.n[rows],
                         minlength=effects.offered[variable].missing + 1)
    return counts.astype(np.int64)
