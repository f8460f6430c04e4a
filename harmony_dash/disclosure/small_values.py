"""Small values: of a list of values, those that few patients have are left out or taken in together.

Somebody who asks for one list with and without such a value could subtract the answers. So all small values of a
variable, chosen or not, form one block, and an answer has all of it or nothing. Which it is, is decided by the list and
by the size of the block as a whole: two lists that differ in small values alone get the same answer, or answers that
differ by the block, which is then no small one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from harmony_dash.disclosure.effects import Effects, count_choices
from harmony_dash.disclosure.selections import Choices, Chosen, Selection


@dataclass(frozen=True)
class Block:
    """The small values of one variable of a selection.

    Attributes
    ----------
    number, variable : of the selection, and of it.
    values : the small ones, chosen or not.
    chosen : those of them that the selection has.
    is_small : whether together they have fewer than k patients.
    """

    number: int
    variable: str
    values: Chosen
    chosen: Chosen
    is_small: bool

    @property
    def is_in(self) -> bool:
        """Whether the answer has all of it: most of its values were chosen, and together they are not few."""
        return not self.is_small and 2 * len(self.chosen) > len(self.values)

    @property
    def changes(self) -> Chosen:
        """The values that are taken in or left out."""
        return self.values - self.chosen if self.is_in else self.chosen


def find_block(effects: Effects, current: Mapping[int, Selection], out: Collection[tuple[int, str, int]], least: int,
               ) -> Block | None:
    """The next block of which a selection has a part only, or all although it may not; None if there is none.

    Parameters
    ----------
    current : the selections that are applied, by number.
    out : number, variable and choice of what was left out before; it stays out, so that the search ends.
    least : a value with fewer patients is small.
    """
    for number, selection in current.items():
        if is_plain(selection) or is_complete(selection, effects.offered):
            continue
        others = [other for place, other in current.items() if place != number]
        for variable, chosen in selection.chosen:
            counts = count_choices(effects, others, selection, variable)
            small = frozenset(choice for choice, n in enumerate(counts.tolist())
                              if n < least and (number, variable, choice) not in out)
            block = Block(number, variable, small, chosen & small, int(counts[sorted(small)].sum()) < least)
            if block.changes:
                return block
    return None


def change_selection(selection: Selection, block: Block) -> Selection:
    """The selection with all of a block or without it."""
    def change(name: str, chosen: Chosen) -> Chosen:
        if name != block.variable:
            return chosen
        return chosen | block.values if block.is_in else chosen - block.values

    changed = ((name, change(name, chosen)) for name, chosen in selection.chosen)
    return Selection(tuple((name, chosen) for name, chosen in changed if chosen))


def is_plain(selection: Selection) -> bool:
    """Whether it asks for one choice of one variable, which cannot be left out of anything."""
    return len(selection.chosen) == 1 and len(selection.chosen[0][1]) == 1


def is_complete(selection: Selection, offered: Mapping[str, Choices]) -> bool:
    """Whether everybody meets it."""
    return any(chosen == offered[name].all for name, chosen in selection.chosen)
