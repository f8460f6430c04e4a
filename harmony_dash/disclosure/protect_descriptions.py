"""Table 1 and maps of outcomes as they may leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harmony_dash.disclosure.description_results import MapCell, OutcomeMap, Quartiles, TableOne, TableOneGroup
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.protect_counts import protect_choices
from harmony_dash.disclosure.protect_subgroups import TOO_FEW, protect_estimates
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import EstimateAt
from harmony_dash.disclosure.rounding import release_count, release_part, round_significant

# The middle of this many patients is nobody's value: a quarter of them lie on either side of a quartile.
_FEWEST_FOR_QUARTILES = 40


def protect_table_one(result: TableOne, scope: Scope) -> TableOne:
    """Counts rounded and small ones hidden with what tells them; medians and quartiles of enough patients, rounded."""
    return replace(result, groups=tuple(_protect_group(group, scope) for group in result.groups))


def _protect_group(group: TableOneGroup, scope: Scope) -> TableOneGroup:
    n = None if group.n is None else release_count(group.n, scope)
    if n is None or group.choices is None:
        return replace(group, n=None, choices=None, quartiles={}, reason=group.reason or TOO_FEW)
    return replace(group, n=n, choices=protect_choices(group.choices, scope),
                   quartiles={name: _protect_quartiles(one, int(group.n or 0), scope)
                              for name, one in group.quartiles.items()})


def _protect_quartiles(one: Quartiles, of: int, scope: Scope) -> Quartiles:
    """The numbers of one column, without a count where it would tell of a few patients without a value.

    A count that is rounded like the group's differs from it only if somebody has no value. So it is shown only where
    the patients without one could be shown too, and a few of them are treated like none throughout.
    """
    rules = scope.rules
    known = one.n or 0
    n = None if release_count(one.missing, scope) is None else release_count(one.n, scope)
    sure = min(known, of - rules.minimum_cell + 1)
    if sure < rules.minimum_patients:
        return Quartiles(n, None, None, None)
    enough = sure >= _FEWEST_FOR_QUARTILES
    return Quartiles(n, _round(one.median, rules), _round(one.lower, rules) if enough else None,
                     _round(one.upper, rules) if enough else None, _round(one.mean, rules),
                     _round(one.deviation, rules))


def _round(value: float | None, rules: Rules) -> float | None:
    return None if value is None else round_significant(value, rules)


def protect_outcome_map(result: OutcomeMap, scope: Scope) -> OutcomeMap:
    """Every cell as if asked for alone. In a row or column with a hidden cell at least two are hidden: its total stands
    on other pages."""
    places = {place: cell.group for place, cell in enumerate(result.cells) if cell.group is not None}
    estimates = protect_estimates(places, result.question, result.interval, scope)
    shown = _hide_lines(result.cells, [release_count(_keyed(cell.n), scope) for cell in result.cells])
    return replace(result, cells=tuple(_protect_cell(cell, shown[place], estimates.get(place), scope)
                                       for place, cell in enumerate(result.cells)))


def _hide_lines(cells: Sequence[MapCell], counts: Sequence[int | None]) -> list[int | None]:
    """The counts with more of them hidden, the smallest first, until no line hides a single one."""
    shown = list(counts)
    lines = [[place for place, cell in enumerate(cells) if getattr(cell, way) == value]
             for way in ("row", "column") for value in dict.fromkeys(getattr(cell, way) for cell in cells)]
    while alone := [line for line in lines if len(line) > 1 and sum(shown[place] is None for place in line) == 1]:
        rest = [place for place in alone[0] if shown[place] is not None]
        shown[min(rest, key=lambda place: (shown[place] or 0, place))] = None
    return shown


def _protect_cell(cell: MapCell, n: int | None, at: EstimateAt | None, scope: Scope) -> MapCell:
    events = None if n is None else release_part(_keyed(cell.events), cell.n or 0, scope)
    hidden = n is None or events is None
    return replace(cell, n=n, events=events, at=None if hidden else at, group=None,
                   reason=cell.reason or (TOO_FEW if hidden else ""))


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count
