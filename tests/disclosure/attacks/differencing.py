"""Attack A: a group with and without the category that its target is alone in.

In one group of the secret the two sets differ by the target, in the other by nobody. Whoever sees two different
answers for one group and the same answer for the other knows where the target is. So such a difference of any kind is a
claim: a count, a point of a curve, a number at risk, a median, a reason, or that some other filter "was not applied".
Answers that differ for both groups say nothing: the cohort as a whole got another answer, and its rule never sees the
secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harmony_dash.cohort import Question
from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.filters import Filter
from harmony_dash.disclosure import too_few
from harmony_dash.disclosure.selections import close_filters, open_selection
from tests.disclosure.attacks.asking import (
    SCOPE,
    Asker,
    ask_about,
    is_not,
    is_not_all_of,
    is_one_of,
    like,
    see_group,
    see_notes,
)
from tests.disclosure.attacks.population import KNOWN, NO, SECRET, YES, World
from tests.disclosure.attacks.verdict import Claims

# The reason of an answer that would have differed too much from its question.
_FLOOR = re.compile(r"fewer than ([\d,]+) patients, and ")


@dataclass(frozen=True)
class Pair:
    """Two questions that differ by what isolates a target, and the words an attacker expects in the notes for that."""

    with_target: Question
    without: Question
    expected: tuple[str, ...] = ()


def values_of(world: World, row: int, names: Sequence[str] = KNOWN) -> dict[str, str]:
    """What an acquaintance knows of a patient."""
    return {name: str(world.patients.at[row, name]) for name in names}


def pairs_of(world: World, row: int, **changes: Any) -> Iterator[Pair]:
    """Nine pairs around one patient: each category negated, each but sex taken off a list, two negated together."""
    known = values_of(world, row)
    for name, value in known.items():
        rest = like({other: one for other, one in known.items() if other != name})
        yield make_pair(world, rest, (), (is_not(name, value),), **changes)
        if name != "sex":
            common = str(world.patients[name][world.patients[name] != value].mode()[0])
            yield make_pair(world, rest, (is_one_of(name, value, common),), (is_one_of(name, common),), **changes,
                            left_out=is_one_of(name, value))
    for pair in (("country", "age_group"), ("age_group", "dx_period")):
        rest = like({name: value for name, value in known.items() if name not in pair})
        yield make_pair(world, rest, (), (is_not_all_of({name: known[name] for name in pair}),), **changes)


def make_pair(world: World, rest: tuple[Filter, ...], first: tuple[Filter, ...], second: tuple[Filter, ...], *,
              left_out: Filter | None = None, **changes: Any) -> Pair:
    """The pair of questions that share `rest`."""
    dictionary = world.snapshot.dictionary
    selections, offered = close_filters(second, dictionary, world.snapshot.values_of)
    known = [open_selection(selection, offered) for selection in selections] + ([left_out] if left_out else [])
    return Pair(ask_about(*rest, *first, **changes), ask_about(*rest, *second, **changes),
                tuple(describe_filter(item, dictionary) for item in known))


def differs(asker: Asker, pair: Pair, group: str) -> bool:
    """Whether anything that is shown of a group is another in the two answers."""
    first, second = asker.ask(pair.with_target), asker.ask(pair.without)
    if see_group(first, group) != see_group(second, group):
        return True
    words = asker.world.snapshot.dictionary[SECRET].label_of(group)
    return see_notes(first, words, pair.expected) != see_notes(second, words, pair.expected)


def is_explained(asker: Asker, pair: Pair) -> bool:
    """Whether a group is withheld on one side because something was left out, and the other side shows that it is too
    small for that.

    Whether something is left out does not depend on how many of the few there are, so this tells of nobody. What else
    differs then is on which days the groups that are drawn have their numbers at risk.
    """
    answers = asker.ask(pair.with_target), asker.ask(pair.without)
    sides = [tuple(see_group(answer, group) for answer in answers) for group in (YES, NO)]
    return any(_is_floor(*side) or _is_floor(*side[::-1]) for side in sides)


def _is_floor(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    if len(one) == len(other) == 1 and one[0] == too_few(SCOPE.rules):
        return one != other  # what is left without the condition is too small for a curve, and nothing is shown of it
    found = _FLOOR.match(str(one[0])) if len(one) == 1 else None
    shown = other[0] if len(other) > 1 else 0
    return found is not None and one != other and shown - SCOPE.rules.most_error < int(found[1].replace(",", ""))


def attack(world: World, targets: Sequence[int], *, asker: Asker | None = None, **changes: Any) -> list[Claims]:
    """Attack every target; `changes` to all questions are a landmark, a horizon or another endpoint."""
    return [claim(world, int(row), pairs_of(world, int(row), **changes), asker) for row in targets]


def claim(world: World, row: int, pairs: Iterable[Pair], asker: Asker | None = None) -> Claims:
    """What the pairs say of one target, to somebody who may have asked before."""
    asker = asker or Asker(world)
    seen = [(differs(asker, pair, YES), differs(asker, pair, NO)) for pair in pairs if not is_explained(asker, pair)]
    return Claims(world.is_positive(row), (True, False) in seen, (False, True) in seen)
