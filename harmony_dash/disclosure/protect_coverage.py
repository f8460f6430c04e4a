"""Who is in the data, as it may leave: rounded counts, shares of rounded counts, follow-up to the month.

Which countries and trials take part in a source is public. How many patients a cell has is not, and neither is whether
it has any: a cell that could have patients is listed whether or not it has some.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.protect_survival import protect_follow_up
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import NOT_STATED, Completeness, CountCell, CoverageResult
from harmony_dash.disclosure.rounding import release_count, round_count, round_share

_KEYS = ("source", "country", "trial")
Atom: TypeAlias = tuple[str, ...]
# The positions of an atom's labels that are kept: () the total, (1,) countries, (1, 2) countries by trials.
View: TypeAlias = tuple[int, ...]
Cell: TypeAlias = tuple[View, Atom]
_VIEWS: tuple[View, ...] = ((), (0,), (1,), (2,), (1, 2))


def protect_coverage(result: CoverageResult, scope: Scope) -> CoverageResult:
    """The result with everything rounded, small cells hidden with what would give them away."""
    atoms = {tuple(cell.labels[key] for key in _KEYS): _keyed(cell.n) for cell in result.by_source_country_and_trial}
    shown = protect_sums(atoms, scope)
    sizes = {source.source: source.accepted for source in result.sources}

    def released(view: View, cells: Sequence[CountCell]) -> tuple[CountCell, ...]:
        found = [replace(cell, n=shown[view, tuple(cell.labels[_KEYS[place]] for place in view)]) for cell in cells]
        # By what is shown, not by size: the order would tell which of two small cells is the larger one. Whether
        # anybody at all is without a value is told of no few.
        return tuple(sorted((cell for cell in found if cell.n is not None or NOT_STATED not in cell.labels.values()),
                            key=lambda cell: (-(cell.n or 0), tuple(cell.labels.values()))))

    return replace(
        result, n=shown.get(((), ())), by_source_country_and_trial=(),
        by_country=released((1,), result.by_country), by_trial=released((2,), result.by_trial),
        by_country_and_trial=released((1, 2), result.by_country_and_trial),
        sources=tuple(replace(
            source, accepted=shown[(0,), (source.source,)], quarantined=release_count(source.quarantined, scope),
            follow_up_median_days=protect_follow_up(source.follow_up_median_days, source.follow_up_support,
                                                    source.accepted or 0, scope.rules),
            follow_up_support=None, by_period=(),
            # The first and the last period would otherwise be those of one patient.
            dx_periods=tuple(cell.labels["dx_period"] for cell in source.by_period
                             if (cell.n or 0) >= scope.rules.minimum_cell)) for source in result.sources),
        completeness=tuple(_protect_share(one, sizes.get(one.source), scope) for one in result.completeness),
        follow_up_median_days=protect_follow_up(result.follow_up_median_days, result.follow_up_support, result.n or 0,
                                                scope.rules),
        follow_up_support=None)


def protect_sums(atoms: Mapping[Atom, KeyedCount], scope: Scope) -> dict[Cell, int | None]:
    """The totals of a table of sources by countries by trials, rounded each by its own key, and audited together.

    Parameters
    ----------
    atoms : finest cell to patients, those that could have some included.
    """
    members: dict[Cell, list[int]] = {}
    for place, atom in enumerate(atoms):
        for view in _VIEWS:
            members.setdefault((view, tuple(atom[part] for part in view)), []).append(place)
    sizes = list(atoms.values())
    shown = {cell: release_count(union([sizes[place] for place in places]), scope) for cell, places in members.items()}

    def next_partner(candidates: list[Cell]) -> Cell | None:
        # The finest counts are missed least; the total is told elsewhere too, so it is the last to go.
        return min(candidates, key=lambda cell: (-len(cell[0]), shown[cell] or 0, cell), default=None)

    return hide_partners(members, shown, [cell for cell, n in shown.items() if n is None], scope.rules,
                         atoms=len(atoms), next_partner=next_partner)


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count


def _protect_share(one: Completeness, accepted: int | None, scope: Scope) -> Completeness:
    """The share of rounded counts; neither patients with nor patients without a value in numbers below the minimum."""
    rules = scope.rules
    hidden = replace(one, share=None, recorded=None, nearly_all=False)
    if one.share is None or accepted is None or one.recorded is None or accepted < rules.minimum_patients:
        return hidden
    whole, part = round_count(accepted, scope), round_count(one.recorded, scope)
    if one.recorded < rules.minimum_cell:
        return hidden
    if accepted - one.recorded < rules.minimum_cell:
        # True of every number of patients that rounds to this one.
        fewest = whole - rules.most_error
        least = math.floor(100 * (fewest - rules.minimum_cell + 1) / fewest) / 100
        return replace(hidden, share=least, nearly_all=True)
    return replace(hidden, share=round_share(part, whole, rules))
