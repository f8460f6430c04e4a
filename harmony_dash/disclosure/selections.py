"""The filters of a closed question as selections: which choices, of lists known beforehand, a patient may have.

A closed question picks from lists alone: the values of a category, the bands of a number, "not recorded". Written as
selections, filters that mean the same become the same: a range and its bands, a negation and the rest of the list, two
filters on one variable and their common part. Who cannot say one thing in two ways cannot compare two answers to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, Not, OneOf, canonical, leaves_of
from harmony_dash.dictionary.model import Dictionary, Variable, VariableType
from harmony_dash.errors import QuestionError

Chosen: TypeAlias = frozenset[int]


@dataclass(frozen=True)
class Choices:
    """The choices a variable offers, numbered from 0: its values or bands in order, and last "not recorded".

    Attributes
    ----------
    variable : its name.
    values : of a category, in the store's order; empty for a number.
    edges : of a number's bands, ascending; the lower edge belongs to a band, the upper does not. A number without
        edges has one band.
    numeric : whether the variable is a number.
    """

    variable: str
    values: tuple[str, ...]
    edges: tuple[float, ...]
    numeric: bool

    @property
    def missing(self) -> int:
        """The number of the choice "not recorded"."""
        return len(self.edges) + 1 if self.numeric else len(self.values)

    @property
    def recorded(self) -> Chosen:
        """Every choice but "not recorded"."""
        return frozenset(range(self.missing))

    @property
    def all(self) -> Chosen:
        """Every choice."""
        return frozenset(range(self.missing + 1))

    def split(self, chosen: Chosen) -> Chosen:
        """The same for chosen values and for all the others: the fewer of the two, of equally many the first.

        Not knowing is on neither side; where nothing else is asked, it is known or not.
        """
        sides = chosen & self.recorded, self.recorded - chosen
        return min(sides, key=lambda side: (len(side), sorted(side))) if all(sides) else frozenset({self.missing})


@dataclass(frozen=True)
class Selection:
    """A condition in closed form: at least one of its variables has one of the choices chosen for it.

    Attributes
    ----------
    chosen : variables by name, each once, with their choices. Most selections have one variable; more come from an
        either-or filter.
    """

    chosen: tuple[tuple[str, Chosen], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables it is about."""
        return tuple(name for name, _ in self.chosen)

    @property
    def order(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """What selections are sorted by: field names first."""
        return tuple((name, tuple(sorted(choices))) for name, choices in self.chosen)

    def without(self, variable: str, choice: int) -> Selection:
        """The selection with one choice fewer."""
        rest = ((name, choices - {choice} if name == variable else choices) for name, choices in self.chosen)
        return Selection(tuple((name, choices) for name, choices in rest if choices))


def list_choices(variable: Variable, values: Sequence[str]) -> Choices:
    """What a variable offers; `values` are those of a category in the snapshot."""
    return Choices(variable.name, () if variable.is_numeric else tuple(values),
                   variable.bands if variable.is_numeric else (), variable.is_numeric)


def close_filters(filters: Iterable[Filter], dictionary: Dictionary, values_of: Callable[[Variable], Sequence[str]],
                  ) -> tuple[tuple[Selection, ...], dict[str, Choices]]:
    """Write filters, all of which must hold, as selections, all of which must be met.

    Parameters
    ----------
    filters : those of a question that `check_closed` let pass.
    values_of : the values of a category in the snapshot.

    Returns
    -------
    The selections, sorted, one a variable and one for each either-or over several variables, and the choices of every
    variable they name. A filter that everybody passes whatever is recorded of them leaves no selection.

    Raises
    ------
    QuestionError for a range that is not made of bands, an either-or inside another filter, and filters on one variable
    that have nothing in common.
    """
    parts = [part for item in filters for part in _conjuncts(canonical(item))]
    names = sorted({leaf.variable for part in parts for leaf in leaves_of(part)})
    offered = {name: list_choices(dictionary[name], values_of(dictionary[name])) for name in names}
    single: dict[str, Chosen] = {}
    several: set[Selection] = set()
    for part in parts:
        chosen: dict[str, Chosen] = {}
        for literal in literals_of(part):
            picked = _choose(literal, dictionary, offered)
            name = next(leaves_of(literal)).variable
            chosen[name] = chosen.get(name, frozenset()) | picked
        if any(picked == offered[name].all for name, picked in chosen.items()):
            continue
        left = tuple((name, picked) for name, picked in sorted(chosen.items()) if picked)
        if len(left) > 1:
            several.add(Selection(left))
            continue
        name, picked = left[0] if left else (next(iter(chosen)), frozenset())
        single[name] = single.get(name, offered[name].all) & picked
        if not single[name]:
            raise QuestionError(f"no patient can meet what the filters ask of {name}", where="where",
                                remedy="Remove one of the filters on it.")
    selections = [*(Selection(((name, picked),)) for name, picked in single.items()), *several]
    kept = {name for selection in selections for name, _ in selection.chosen}
    return (tuple(sorted(selections, key=lambda selection: selection.order)),
            {name: choices for name, choices in offered.items() if name in kept})


def open_selection(selection: Selection, offered: Mapping[str, Choices]) -> Filter:
    """The selection as a filter again, in the one form that all filters of its meaning share."""
    parts = [part for name, chosen in selection.chosen for part in _filters(offered[name], chosen)]
    return canonical(AnyOf(tuple(parts)))


def splits_of(selections: Iterable[Selection], offered: Mapping[str, Choices]) -> frozenset[Selection]:
    """What the selections tell patients apart by, a variable each: a value and "not that value" are one split."""
    return frozenset(Selection(((name, offered[name].split(chosen)),))
                     for selection in selections for name, chosen in selection.chosen)


def literals_of(item: Filter) -> tuple[Filter, ...]:
    """The alternatives of an either-or filter, or the filter itself: leaves, and leaves negated.

    Raises
    ------
    QuestionError for anything deeper.
    """
    literals = item.filters if isinstance(item, AnyOf) else (item,)
    for literal in literals:
        inner = literal.filter if isinstance(literal, Not) else literal
        if isinstance(inner, Not | AnyOf):
            raise QuestionError("a filter is nested too deeply to be answered with protected results", where="where",
                                remedy="Write an either-or filter of plain conditions.")
    return literals


def _conjuncts(item: Filter) -> tuple[Filter, ...]:
    """None of several things is each of them not."""
    if isinstance(item, Not) and isinstance(item.filter, AnyOf):
        return tuple(part for alternative in item.filter.filters for part in _conjuncts(canonical(Not(alternative))))
    return (item,)


def conjuncts_of(item: Filter) -> tuple[Filter, ...]:
    """The filters that must all hold for this one to hold."""
    return _conjuncts(canonical(item))


def _choose(literal: Filter, dictionary: Dictionary, offered: Mapping[str, Choices]) -> Chosen:
    negated = isinstance(literal, Not)
    leaf = next(leaves_of(literal))
    choices = offered[leaf.variable]
    if isinstance(leaf, Missing):
        chosen = frozenset({choices.missing})
    elif isinstance(leaf, OneOf):
        unknown = [value for value in leaf.values if value not in choices.values]
        if unknown:
            raise QuestionError(f"'{unknown[0]}' is not a value of {leaf.variable} in this snapshot", where="where",
                                remedy=f"Choose from: {', '.join(choices.values)}.")
        chosen = frozenset(choices.values.index(value) for value in leaf.values)
    else:
        first, end = find_bands(leaf, dictionary[leaf.variable])
        chosen = frozenset(range(first, end))
    if not negated:
        return chosen
    # Not knowing is not the opposite of anything but of knowing.
    return choices.recorded - chosen


def find_bands(item: Between, variable: Variable) -> tuple[int, int]:
    """The first band of a range and the one after its last.

    An end at or beyond what the variable may be is an open one. Of a whole number, up to 9 is under 10.

    Raises
    ------
    QuestionError for an end between the edges.
    """
    whole = variable.type in (VariableType.INTEGER, VariableType.DAYS)
    lower, upper, included = item.lower, item.upper, item.upper_included
    if lower is not None and variable.lower is not None and lower <= variable.lower:
        lower = None
    if upper is not None and variable.upper is not None and (
            upper > variable.upper or (upper == variable.upper and included)):
        upper = None
    if whole and included and upper is not None and float(upper).is_integer():
        upper, included = upper + 1, False
    on_edges = (lower is None or lower in variable.bands) and (
        upper is None or (upper in variable.bands and not included))
    if not on_edges:
        raise _off_the_edges(variable)
    first = 0 if lower is None else variable.bands.index(lower) + 1
    end = len(variable.bands) + 1 if upper is None else variable.bands.index(upper) + 1
    return first, end


def _off_the_edges(variable: Variable) -> QuestionError:
    if not variable.bands:
        return QuestionError(f"'{variable.name}' has no bands to filter by", where="where",
                             remedy="Choose a variable with groups instead.")
    edges = ", ".join(f"{edge:g}" for edge in variable.bands)
    example = f"{variable.name}={variable.bands[0]:g}..<{variable.bands[-1]:g}"
    return QuestionError(f"a range of '{variable.name}' must start and end (upper end excluded) at one of {edges}",
                         where="where", remedy=f"Leave an end open or move it to one of these, e.g. {example}.")


def _filters(choices: Choices, chosen: Chosen) -> list[Filter]:
    parts: list[Filter] = [Missing(choices.variable)] if choices.missing in chosen else []
    recorded = sorted(chosen & choices.recorded)
    if len(recorded) == choices.missing and recorded:
        parts.append(Not(Missing(choices.variable)))
    elif choices.numeric:
        parts += [_range(choices, first, last) for first, last in _runs(recorded)]
    elif recorded:
        parts.append(OneOf(choices.variable, tuple(choices.values[choice] for choice in recorded)))
    return parts


def _range(choices: Choices, first: int, last: int) -> Between:
    lower = choices.edges[first - 1] if first else None
    upper = choices.edges[last] if last < len(choices.edges) else None
    return Between(choices.variable, lower, upper, upper_included=False)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours in ascending numbers."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
