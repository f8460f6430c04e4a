"""The low-effect rule for many questions at once: one pass settles those in which everything matters.

The groups of a figure are one such family of questions, the values that a filter could have another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.disclosure.effects import Bools, Effects, Keys, meets_all, meets_selections
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.low_effect import Answerable, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.selections import Choices, Selection, open_selection
from harmony_dash.disclosure.small_values import is_plain
from harmony_dash.stats.event_table import Ints


@dataclass(frozen=True)
class NearlyAll:
    """No answer for a group that all but a few are in: the figure without groups, less this one, would tell of them."""


GroupAnswer = Answerable | TooFewPatients | NearlyAll


@dataclass(frozen=True)
class _Settled:
    """What one pass finds, each of shape (groups,).

    `untouched` are groups with whose question nothing happens; `n` and `keys` the patients who meet all conditions;
    `size` those in the figure whatever the conditions.
    """

    untouched: Bools
    n: Ints
    keys: Keys
    size: Ints


def apply_rule_by_group(effects: Effects, groups: int, by: str, least: int) -> list[GroupAnswer]:
    """What each group is answered with, exactly as `answer_group` says.

    Parameters
    ----------
    effects : with the groups told apart.
    groups : how many there are.
    by : the variable whose values they are.
    least : as of `apply_low_effect_rule`.
    """
    places, beside = _told_apart(effects)
    others, inside = effects.selections_beside(by), places >= 0
    own = [selection for selection in effects.selections if selection.variables == (by,)]
    inside = inside & meets_all(effects, own)
    settled = _settle(effects, others, inside, groups, least)
    rest = _count_rest(effects, others, groups, beside)
    where = (*effects.filters_of(by), *(open_selection(selection, effects.offered) for selection in others))
    question = replace(effects.question, where=where)
    answers: list[GroupAnswer] = []
    for place in range(groups):
        if not settled.untouched[place] or (others and settled.size[place] < least):
            answers.append(answer_group(effects, place, by, least))
        elif rest[place] < least:
            answers.append(NearlyAll())
        else:
            answers.append(Answerable(question, others, KeyedCount(int(settled.n[place]), int(settled.keys[place]))))
    return answers


def answer_group(effects: Effects, place: int, by: str, least: int) -> GroupAnswer:
    """What one group is answered with: as if it had been asked for alone, if enough patients are not in it.

    Those are counted in the figure without groups, among patients who meet the conditions that are applied to this
    group, a filter on the grouping itself apart. Fewer than `least` of them and none are the same.
    """
    places, beside = _told_apart(effects)
    answer = apply_low_effect_rule(effects.of_group(place, by), least)
    if isinstance(answer, TooFewPatients):
        return answer
    rest = beside & (places != place) & meets_all(effects, answer.selections)
    return answer if effects.n[rest].sum() >= least else NearlyAll()


def apply_rule_by_choice(effects: Effects, choices: Choices, least: int) -> list[Answerable | TooFewPatients]:
    """For each choice of a variable, how the question that has it as one more filter is answered.

    Parameters
    ----------
    effects : of the question without a filter on the variable, its groups the variable's choices; everybody is in the
        figure.
    choices : of the variable.
    least : as of `apply_low_effect_rule`. A choice that fewer patients of the disease have is not answered.

    Returns
    -------
    An answer a choice, "not recorded" last.
    """
    places, _ = _told_apart(effects)
    every, name = choices.missing + 1, choices.variable
    settled = _settle(effects, effects.selections, places >= 0, every, least)
    rest = _count_rest(effects, effects.selections, every, effects.in_figure)
    asked = replace(effects, codes={**effects.codes, name: places}, offered={**effects.offered, name: choices},
                    groups=None, without_groups=None)
    shared = (*effects.protected, *(open_selection(selection, effects.offered) for selection in effects.selections))
    answers: list[Answerable | TooFewPatients] = []
    for choice in range(every):
        own = Selection(((name, frozenset({choice})),))
        selections = tuple(sorted((*effects.selections, own), key=lambda selection: selection.order))
        question = replace(effects.question, where=(*shared, open_selection(own, asked.offered)))
        n = KeyedCount(int(settled.n[choice]), int(settled.keys[choice]))
        if settled.size[choice] < least:
            answers.append(TooFewPatients(least, (), question, n))
        elif settled.untouched[choice] and rest[choice] >= least:
            answers.append(Answerable(question, selections, n))
        else:
            answers.append(apply_low_effect_rule(replace(asked, selections=selections), least))
    return answers


def _told_apart(effects: Effects) -> tuple[Ints, Bools]:
    """The groups, and who would be in the figure without them."""
    if effects.groups is None or effects.without_groups is None:
        raise ValueError("the groups were not told apart")
    return effects.groups, effects.without_groups


def _count_rest(effects: Effects, selections: Sequence[Selection], groups: int, patients: Bools) -> Ints:
    """For each group, those of these patients who meet all selections and are not in it; shape (groups,)."""
    places, _ = _told_apart(effects)
    rows = patients & meets_all(effects, selections)
    return np.asarray(effects.n[rows].sum() - _count_by(places[rows & (places >= 0)],
                                                        effects.n[rows & (places >= 0)], groups))


def _settle(effects: Effects, selections: Sequence[Selection], inside: Bools, groups: int, least: int) -> _Settled:
    """Apply the rule to all groups in one pass, to find those in which every selection matters and no value is small.

    Parameters
    ----------
    selections : those that may be dropped in a group.
    inside : which rows are in any group.
    """
    place, _ = _told_apart(effects)
    met = meets_selections(effects, selections)
    failed = sum(((~one).astype(np.int64) for one in met), start=np.zeros(len(place), dtype=np.int64))
    # Either-or conditions are looked at one group at a time.
    untouched = np.full(groups, all(len(selection.chosen) == 1 for selection in selections))
    figure = inside & effects.in_figure
    for selection, one in zip(selections, met, strict=True):
        alone = figure & ~one & (failed == 1)
        untouched &= _count_by(place[alone], effects.n[alone], groups) >= least
        if untouched.any() and not is_plain(selection):
            rows = figure & (failed == ~one)
            untouched &= _keeps_list(effects, selection, rows, groups, least)
    cohort = inside & (failed == 0)
    keys = np.zeros(groups, dtype=np.uint64)
    np.bitwise_xor.at(keys, place[cohort], effects.keys[cohort])
    return _Settled(untouched, _count_by(place[cohort], effects.n[cohort], groups), keys,
                    _count_by(place[figure], effects.n[figure], groups))


def _keeps_list(effects: Effects, selection: Selection, rows: Bools, groups: int, least: int) -> Bools:
    """Whether a list of values is answered as it is: no small value was chosen, or all were and are not few together.

    Parameters
    ----------
    selection : of one variable.
    rows : of those who meet every other selection.
    """
    place, _ = _told_apart(effects)
    (name, chosen), = selection.chosen
    size = effects.offered[name].missing + 1
    counts = _count_by(place[rows] * size + effects.codes[name][rows], effects.n[rows], groups * size)
    counts = counts.reshape(groups, size)
    small = counts < least
    picked = small & np.isin(np.arange(size), list(chosen))
    whole = (picked == small).all(axis=1) & ((counts * small).sum(axis=1) >= least)
    return np.asarray(~picked.any(axis=1) | whole)


def _count_by(place: Ints, n: Ints, groups: int) -> Ints:
    return np.bincount(place, weights=n, minlength=groups).astype(np.int64)
