"""The low-effect rule: a condition that fewer than k patients fail alone is not applied.

With two questions that differ by one condition, the difference of the answers tells about the patients that condition
takes away. If they are few, both questions get the same answer. The rule looks at the data of this question alone, so
it needs no memory of earlier ones and cannot leak by what it remembers.

Two sets of patients are shown, the cohort and the part of it in the figure, so an effect is that on the smaller one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harmony_dash.cohort.filters import Filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.selections import Choices, Chosen, Selection, open_selection
from harmony_dash.stats.event_table import Ints, Keys

Bools = NDArray[np.bool_]

# A widened cohort below this many times the threshold is not answered: there, one condition more or less would say
# much about the few it concerns.
WIDENED_FLOOR: Final = 10
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
    codes : variable to shape (rows,); the number of the choice, NONE_OF_THEM for one that no selection names.
    in_figure : shape (rows,); whether patients have a place in the figure: a value for the endpoint and the groups,
        follow-up beyond the landmark.
    n, keys : shape (rows,); patients and their keys.
    groups : shape (rows,); the place of a patient's group among the values of the grouping, -1 for none of them. None
        if groups were not told apart.
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

    def of_group(self, place: int, by: str) -> Effects:
        """The effects among the patients of one group.

        Being in the group is what makes it one and cannot be left out, nor can a filter on the grouping itself.
        """
        if self.groups is None:
            raise ValueError("the groups were not told apart")
        rest = tuple(selection for selection in self.selections if selection.variables != (by,))
        fixed = [selection for selection in self.selections if selection.variables == (by,)]
        rows = self.groups == place
        for selection in fixed:
            rows = rows & has_choice(self, *selection.chosen[0])
        opened = tuple(open_selection(selection, self.offered) for selection in fixed)
        return replace(self, protected=(*self.protected, *opened), selections=rest,
                       codes={name: codes[rows] for name, codes in self.codes.items()},
                       in_figure=self.in_figure[rows], n=self.n[rows], keys=self.keys[rows], groups=None)


@dataclass(frozen=True)
class Weights:
    """What each part of a set of selections does to a set of patients.

    Attributes
    ----------
    cohort : patients who meet every selection.
    fail_only : shape (selections,); patients who fail this selection and meet every other one.
    adds : for each selection, (variable, choice) to the patients of the cohort who meet it by this choice alone.
    """

    cohort: KeyedCount
    fail_only: tuple[KeyedCount, ...]
    adds: tuple[Mapping[tuple[str, int], KeyedCount], ...]


@dataclass(frozen=True)
class NotApplied:
    """A condition, or the choices of one, that was left out, and why."""

    filter: Filter
    reason: str


@dataclass(frozen=True)
class Answerable:
    """A question as it may be answered.

    Attributes
    ----------
    question : with the conditions that are applied, in closed form.
    n : the patients who meet them; may still be too few to be shown.
    not_applied : what was left out, to be told with the answer.
    """

    question: Question
    n: KeyedCount
    not_applied: tuple[NotApplied, ...]


@dataclass(frozen=True)
class TooFewPatients:
    """No answer: something had to be left out, and even so the patients are fewer than `minimum`."""

    minimum: int


def apply_low_effect_rule(effects: Effects, least: int, *, floor: int | None = None) -> Answerable | TooFewPatients:
    """Leave out what concerns fewer than `least` patients, as often as that changes anything.

    Parameters
    ----------
    effects : of the question.
    least : the threshold k.
    floor : the smallest widened cohort that is answered; 10 k by default.

    Returns
    -------
    Answerable
        Conditions with an effect below k are dropped one by one, first the one that takes the largest share of its
        variable's choices, ties by field name; then choices that add fewer than k patients, in their order, down to one
        of each condition. Effects of 0 and of 1 to k - 1 are the same.
    TooFewPatients
        where something was dropped and what is left has fewer patients than the floor.
    """
    smallest = WIDENED_FLOOR * least if floor is None else floor
    kept = list(enumerate(effects.selections))
    while True:
        narrowed = _drop_one(effects, kept, least)
        if narrowed is None:
            break
        kept = narrowed
    n = weigh(effects, [selection for _, selection in kept], figure=False).cohort
    in_figure = weigh(effects, [selection for _, selection in kept], figure=True).cohort
    not_applied = _tell(effects, dict(kept), least)
    if not_applied and min(n, in_figure) < smallest:
        return TooFewPatients(smallest)
    return apply_whole(replace(effects, selections=tuple(selection for _, selection in kept)), n, not_applied)


def apply_whole(effects: Effects, n: KeyedCount, not_applied: tuple[NotApplied, ...] = ()) -> Answerable:
    """The answerable question of effects all of whose selections are applied."""
    where = (*effects.protected, *(open_selection(selection, effects.offered) for selection in effects.selections))
    return Answerable(replace(effects.question, where=where), n, not_applied)


def weigh(effects: Effects, selections: list[Selection] | tuple[Selection, ...], *, figure: bool) -> Weights:
    """Count what each of these selections does, beside the others of them.

    Parameters
    ----------
    effects : of a question.
    selections : any subset of its selections, or of their choices.
    figure : count only patients with a place in the figure.
    """
    patients = effects.in_figure if figure else np.ones(len(effects.n), dtype=bool)
    by_variable = [{name: has_choice(effects, name, chosen) for name, chosen in selection.chosen}
                   for selection in selections]
    meets = [np.any(list(parts.values()), axis=0) for parts in by_variable]
    failed = np.zeros(len(effects.n), dtype=np.int64) + len(selections) - sum(met.astype(np.int64) for met in meets)
    cohort = patients & (failed == 0)
    adds = []
    for selection, parts in zip(selections, by_variable, strict=True):
        alone = cohort & (sum(part.astype(np.int64) for part in parts.values()) == 1)
        adds.append({(name, choice): count for name, chosen in selection.chosen
                     for choice, count in _count_choices(effects, name, chosen, alone & parts[name])})
    return Weights(_count(effects, cohort),
                   tuple(_count(effects, patients & ~met & (failed == 1)) for met in meets), tuple(adds))


def meets_selections(effects: Effects, selections: Sequence[Selection]) -> list[Bools]:
    """For each selection, which rows meet it."""
    return [np.any([has_choice(effects, name, chosen) for name, chosen in selection.chosen], axis=0)
            for selection in selections]


def has_choice(effects: Effects, variable: str, chosen: Chosen) -> Bools:
    """Which rows have one of the choices."""
    lookup = np.zeros(effects.offered[variable].missing + 2, dtype=bool)
    lookup[list(chosen)] = True
    return lookup[effects.codes[variable]]  # NONE_OF_THEM finds the last place, which no choice has


def _count(effects: Effects, rows: Bools) -> KeyedCount:
    return KeyedCount(int(effects.n[rows].sum()), int(np.bitwise_xor.reduce(effects.keys[rows])))


def _count_choices(effects: Effects, variable: str, chosen: Chosen, rows: Bools) -> list[tuple[int, KeyedCount]]:
    """The patients of some rows by their choice."""
    size = effects.offered[variable].missing + 1
    codes = effects.codes[variable][rows]
    n, keys = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.uint64)
    np.add.at(n, codes, effects.n[rows])
    np.bitwise_xor.at(keys, codes, effects.keys[rows])
    return [(choice, KeyedCount(int(n[choice]), int(keys[choice]))) for choice in sorted(chosen)]


def _drop_one(effects: Effects, kept: list[tuple[int, Selection]], least: int) -> list[tuple[int, Selection]] | None:
    """The selections without the condition or choice that matters too little, None if all of them matter."""
    selections = [selection for _, selection in kept]
    everybody, figure = weigh(effects, selections, figure=False), weigh(effects, selections, figure=True)
    low = [place for place, pair in enumerate(zip(everybody.fail_only, figure.fail_only, strict=True))
           if min(pair) < least]
    # Which of several goes is decided by the question and never by the data: where two effects are small, one patient
    # more or less would decide it, and the note about the one that went would tell of that patient. The broadest goes
    # first, so that a group and the group without one category lose the same condition.
    if low:
        drop = min(low, key=lambda place: (-_breadth(effects, selections[place]), selections[place].order))
        return [pair for place, pair in enumerate(kept) if place != drop]
    choices = [(selections[place].order, place, choice) for place, adds in enumerate(everybody.adds) if len(adds) > 1
               for choice, n in adds.items() if min(n, figure.adds[place][choice]) < least]
    if not choices:
        return None
    _, place, choice = min(choices)
    number, selection = kept[place]
    return [*kept[:place], (number, selection.without(*choice)), *kept[place + 1:]]


def _breadth(effects: Effects, selection: Selection) -> Fraction:
    """The share of its variable's choices that a selection takes; of several variables, the shares together."""
    return sum((Fraction(len(chosen), len(effects.offered[name].all)) for name, chosen in selection.chosen),
               start=Fraction(0))


def _tell(effects: Effects, kept: Mapping[int, Selection], least: int) -> tuple[NotApplied, ...]:
    told = []
    for number, asked in enumerate(effects.selections):
        applied = kept.get(number)
        if applied is None:
            told.append(NotApplied(open_selection(asked, effects.offered), f"changes fewer than {least} patients"))
        elif applied != asked:
            left = dict(applied.chosen)
            rest = ((name, chosen - left.get(name, frozenset())) for name, chosen in asked.chosen)
            lost = Selection(tuple((name, chosen) for name, chosen in rest if chosen))
            told.append(NotApplied(open_selection(lost, effects.offered), f"adds fewer than {least} patients"))
    return tuple(told)
