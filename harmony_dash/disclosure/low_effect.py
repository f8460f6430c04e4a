"""The low-effect rule: nothing that concerns fewer than k patients makes a difference to an answer.

With two questions that differ by one condition, the difference of the answers tells about the patients that condition
takes away. If they are few, both questions get the same answer; and so do two lists of values that differ by values few
patients have (see `small_values`). The rule looks at the data of this question alone, so it needs no memory of earlier
ones and cannot leak by what it remembers.

The answer may differ from the question by little: each piece in which it does concerns fewer than k patients, and those
who are answered for are at least ten times as many.

Two sets of patients are shown, the cohort and the part of it in the figure. Fewer are in the figure, so effects are
counted there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from harmony_dash.cohort.filters import Filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.effects import Effects, count_fail_only, count_rows, meets_all
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.results import UnappliedKind
from harmony_dash.disclosure.selections import Chosen, Selection, open_selection
from harmony_dash.disclosure.small_values import Block, change_selection, find_block, is_complete

# For each piece in which the answer differs from the question, it must be for this many times the threshold. Then nine
# in ten of the patients shown meet all that was asked.
WIDENED_FLOOR: Final = 10


@dataclass(frozen=True)
class NotApplied:
    """Something in which the answer differs from the question.

    Attributes
    ----------
    filter : the condition, or the values.
    kind : what happened to it.
    pieces : by how many times k patients it changes the answer, at most.
    variable, values : whose values were left out or taken in, each as a filter; empty for a condition.
    """

    filter: Filter
    kind: UnappliedKind
    pieces: int
    variable: str = ""
    values: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class Answerable:
    """A question as it may be answered.

    Attributes
    ----------
    question : with the conditions that are applied, in closed form.
    selections : these conditions, without the protected ones.
    n : the patients who meet them; may still be too few to be shown.
    not_applied : in what it differs from what was asked, to be told with the answer.
    """

    question: Question
    selections: tuple[Selection, ...]
    n: KeyedCount
    not_applied: tuple[NotApplied, ...] = ()


@dataclass(frozen=True)
class TooFewPatients:
    """No answer: it would differ from the question by more than a small part.

    Attributes
    ----------
    minimum : the patients it would take.
    not_applied : in what it would differ; empty where the figure has fewer than k patients whatever is asked.
    question : the question that comes nearest, whose cohort may be told; as of `Answerable`.
    n : the patients of that cohort.
    only_small : whether the values chosen in the last of `not_applied` are all small, so that none can be left out.
    """

    minimum: int
    not_applied: tuple[NotApplied, ...]
    question: Question
    n: KeyedCount
    only_small: bool = False


def apply_low_effect_rule(effects: Effects, least: int) -> Answerable | TooFewPatients:
    """Leave out what concerns fewer than `least` patients, as often as that changes anything.

    Parameters
    ----------
    effects : of the question.
    least : the threshold k.

    Returns
    -------
    Answerable
        Conditions with an effect below k are dropped one by one, first the one that takes the largest share of its
        variable's choices, ties by field name. When none is left, small values are left out or taken in, a variable at
        a time, and conditions are looked at again. Effects of 0 and of 1 to k - 1 are the same.
    TooFewPatients
        where the answer would be for fewer than 10 k patients a piece in which it differs from the question, or where
        all values chosen are small.
    """
    if effects.selections and effects.n[effects.in_figure].sum() < least:
        nobody = _answer(effects, {}, ())
        return TooFewPatients(WIDENED_FLOOR * least, (), nobody.question, nobody.n)
    asked = dict(enumerate(effects.selections))
    current, history, out = dict(asked), list[Block | int](), set[tuple[int, str, int]]()
    dropped: dict[int, Selection] = {}
    while True:
        low = _find_low(effects, asked, current, least)
        if low is not None:
            dropped[low] = current.pop(low)
            history.append(low)
            continue
        block = find_block(effects, current, out, least)
        if block is None:
            break
        changed = change_selection(current[block.number], block)
        if not changed.chosen:
            dropped[block.number] = current.pop(block.number)
            told = (*_tell(effects, asked, {**current, **dropped}, history), _none_to_leave_out(effects, block))
            rest = _answer(effects, current, told)
            return TooFewPatients(WIDENED_FLOOR * least, told, rest.question, rest.n, only_small=True)
        current[block.number] = changed
        history.append(block)
        if not block.is_in:
            out |= {(block.number, block.variable, choice) for choice in block.values}
    answer = _answer(effects, current, _tell(effects, asked, {**current, **dropped}, history))
    minimum = WIDENED_FLOOR * least * sum(one.pieces for one in answer.not_applied)
    if _count_figure(effects, answer.selections) < minimum:
        return TooFewPatients(minimum, answer.not_applied, answer.question, answer.n)
    return answer


def _answer(effects: Effects, current: Mapping[int, Selection], told: tuple[NotApplied, ...]) -> Answerable:
    selections = tuple(selection for selection in current.values() if not is_complete(selection, effects.offered))
    where = (*effects.protected, *(open_selection(selection, effects.offered) for selection in selections))
    return Answerable(replace(effects.question, where=where), selections,
                      count_rows(effects, meets_all(effects, selections)), told)


def _count_figure(effects: Effects, selections: tuple[Selection, ...]) -> int:
    return int(effects.n[effects.in_figure & meets_all(effects, selections)].sum())


def _find_low(effects: Effects, asked: Mapping[int, Selection], current: Mapping[int, Selection], least: int,
              ) -> int | None:
    """The number of the condition that is dropped next, None if all of them matter.

    Which of several goes is decided by the question as asked and never by the data: where two effects are small, one
    patient more or less would decide it, and the note about the one that went would tell of that patient. The broadest
    goes first, so that a group and the group without one category lose the same condition.
    """
    # A selection that small values have completed asks nothing any more; it is told as what was taken in.
    numbers = [number for number, selection in current.items() if not is_complete(selection, effects.offered)]
    counts = count_fail_only(effects, [current[number] for number in numbers])
    low = [number for number, n in zip(numbers, counts, strict=True) if n < least]
    return min(low, key=lambda number: (-_breadth(effects, asked[number]), asked[number].order), default=None)


def _breadth(effects: Effects, selection: Selection) -> Fraction:
    """The share of its variable's choices that a selection takes; of several variables, the shares together."""
    return sum((Fraction(len(chosen), len(effects.offered[name].all)) for name, chosen in selection.chosen),
               start=Fraction(0))


def _tell(effects: Effects, asked: Mapping[int, Selection], last: Mapping[int, Selection],
          history: Sequence[Block | int]) -> tuple[NotApplied, ...]:
    """In what the answer differs from the question, in the order in which it came about.

    Parameters
    ----------
    last : every selection as it is applied, or as it was when it was dropped.
    history : blocks that were left out or taken in, and the numbers of selections that were dropped.
    """
    gone = {number for number in history if isinstance(number, int)}
    told = []
    for event in history:
        if isinstance(event, int):
            told.append(NotApplied(open_selection(_as_dropped(asked[event], last[event]), effects.offered),
                                   "not applied", 1))
            continue
        before, after = (_chosen(selection[event.number], event.variable) for selection in (asked, last))
        if event.is_in:
            values = (event.values & after) - before
            told += [_tell_values(effects, event.variable, values, "taken in", len(values))] if values else []
        elif event.number not in gone:
            values = event.chosen & before
            told += [_tell_values(effects, event.variable, values, "left out", 1 if event.is_small else len(values))
                     ] if values else []
    return tuple(told)


def _as_dropped(asked: Selection, dropped: Selection) -> Selection:
    """The condition as asked, or with the values that were taken in before: without them it may have mattered."""
    widened = any(chosen - _chosen(asked, name) for name, chosen in dropped.chosen)
    return dropped if widened else asked


def _chosen(selection: Selection, variable: str) -> Chosen:
    return dict(selection.chosen).get(variable, frozenset())


def _none_to_leave_out(effects: Effects, block: Block) -> NotApplied:
    return _tell_values(effects, block.variable, block.chosen, "left out", len(block.chosen))


def _tell_values(effects: Effects, variable: str, values: Chosen, kind: UnappliedKind, pieces: int) -> NotApplied:
    def opened(choices: Chosen) -> Filter:
        return open_selection(Selection(((variable, choices),)), effects.offered)

    return NotApplied(opened(values), kind, pieces, variable,
                      tuple(opened(frozenset({choice})) for choice in sorted(values)))
