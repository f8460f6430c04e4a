"""How a cohort came about, as it may be told: attrition and exclusions rounded, small ones hidden with what tells them.

The patients of a disease are those each filter removed, those excluded, and those of the groups, shown or withheld.
What is shown are sums of these parts, so that a small part can be sought by subtraction; `audit` sees to it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.policy import Rules
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import AttritionStep, Exclusion, SurvivalResult
from harmony_dash.disclosure.rounding import release_count, round_count

# A kind of count and its place among its kind.
Cell: TypeAlias = tuple[str, int]
_STEP, _REMOVED, _EXCLUDED, _GROUP, _WITHHELD, _DRAWN, _UNLISTED = (
    "step", "removed", "excluded", "group", "withheld", "drawn", "unlisted")

# Stands for every reason that applies to few patients or to none: zero is a small number too.
ANY_OTHER_REASON = "any other reason"


@dataclass(frozen=True)
class ProtectedFlow:
    """Attrition and exclusions to show, and the places of groups that would give the size of another away."""

    attrition: tuple[AttritionStep, ...]
    exclusions: tuple[Exclusion, ...]
    given_up: tuple[int, ...]


def protect_flow(result: SurvivalResult, drawn: Sequence[KeyedCount], withheld: Sequence[int], scope: Scope,
                 ) -> ProtectedFlow:
    """Round and hide the flow of a cohort.

    Parameters
    ----------
    result : attrition, exclusions and the patients of the figure without groups, with keyed counts.
    drawn, withheld : sizes of the groups that are and are not to be shown.

    Returns
    -------
    ProtectedFlow. To protect a small part, exclusions are hidden first, then steps of the attrition; the size of the
    disease stands elsewhere too, so it is never hidden for that, and what is left to give is a group.
    """
    minimum = scope.rules.minimum_cell
    exclusions = [exclusion for exclusion in result.exclusions if exclusion.n]
    parts = sum(drawn) + sum(withheld) + sum(exclusion.n or 0 for exclusion in exclusions)
    if not result.attrition or parts != result.attrition[-1].n:
        # Groups that answer another question than the cohort are no parts of it, and nothing can be subtracted.
        drawn, withheld = (), ()
    shown, small, members = _list_cells(result, exclusions, drawn, withheld, scope)

    def next_partner(candidates: list[Cell]) -> Cell | None:
        for kind in (_EXCLUDED, _STEP, _GROUP):
            found = [cell for cell in candidates if cell[0] == kind and (kind != _STEP or cell[1] > 0)]
            if found:
                return min(found, key=lambda cell: (-cell[1] if kind == _STEP else shown[cell] or 0, cell))
        return None

    # Nobody is told that a withheld group is small in number, so nothing limits it from above but the rest.
    limits = {cell: minimum - 1 for cell in small if cell[0] != _WITHHELD}
    # Small exclusions enter every sum together, but for those who are in none of the groups and yet in the total; so do
    # withheld groups. What is possible for one is for each.
    first: dict[tuple[str | Cell, bool], Cell] = {}
    for cell in small:
        alike = cell[0] if cell[0] in (_EXCLUDED, _WITHHELD) else cell
        first.setdefault((alike, members[cell] <= members[_DRAWN, 0]), cell)
    guarded = list(first.values())
    # A group that is given up is known to have been large enough to be drawn.
    floors = {(_GROUP, place): scope.rules.minimum_patients for place in range(len(drawn))}
    given_up: set[int] = set()
    while True:
        safe = hide_partners(members, shown, guarded, scope.rules, atoms=_count_atoms(members),
                             next_partner=next_partner, limits=limits, floors=floors)
        lost = {place for (kind, place), n in safe.items() if kind == _GROUP and n is None}
        if lost <= given_up:
            break
        # Without the group the number of patients in the figure is another one.
        given_up |= lost
        kept = [place for place in range(len(drawn)) if place not in given_up]
        for place in given_up:
            shown[_GROUP, place] = None
        shown[_DRAWN, 0], members[_DRAWN, 0] = _find_total(result, exclusions, drawn, kept, withheld, members, scope)
    return ProtectedFlow(_write_steps(result.attrition, safe), _write_exclusions(exclusions, safe, small),
                         tuple(sorted(given_up)))


def _list_cells(result: SurvivalResult, exclusions: Sequence[Exclusion], drawn: Sequence[KeyedCount],
                withheld: Sequence[int], scope: Scope,
                ) -> tuple[dict[Cell, int | None], list[Cell], dict[Cell, frozenset[int]]]:
    """Every count as it may be shown at first, the small ones, and the parts each is the sum of."""
    minimum, steps = scope.rules.minimum_cell, result.attrition
    removed: list[Cell] = [(_REMOVED, place) for place in range(1, len(steps))]
    parts = [*removed, *((_EXCLUDED, place) for place in range(len(exclusions))),
             *((_GROUP, place) for place in range(len(drawn))), *((_WITHHELD, place) for place in range(len(withheld))),
             *([] if drawn or withheld else [(_UNLISTED, 0)])]
    members = {cell: frozenset([place]) for place, cell in enumerate(parts)}
    shown: dict[Cell, int | None] = {}
    small: list[Cell] = []
    for place, step in enumerate(steps):
        members[_STEP, place] = frozenset(range(place, len(parts)))
        shown[_STEP, place] = release_count(step.n, scope)
        if shown[_STEP, place] is None:
            small.append((_STEP, place))
        # A filter that removes nobody is hidden like one that removes a few.
        if place and release_count(step.removed, scope) is None:
            shown[_STEP, place] = None
            small.append((_REMOVED, place))
    for place in range(1, len(steps)):
        between = shown[_STEP, place - 1] is not None and shown[_STEP, place] is not None
        shown[_REMOVED, place] = release_count(steps[place].removed, scope) if between else None
    for place, exclusion in enumerate(exclusions):
        shown[_EXCLUDED, place] = release_count(exclusion.n, scope)
    small += [(_EXCLUDED, place) for place in range(len(exclusions)) if shown[_EXCLUDED, place] is None]
    for place, n in enumerate(drawn):
        shown[_GROUP, place] = round_count(n, scope)
    for place in range(len(withheld)):
        shown[_WITHHELD, place] = None
    if not drawn and not withheld:
        shown[_UNLISTED, 0] = None  # whoever of the cohort no count of the result tells of
    small += [(_WITHHELD, place) for place, size in enumerate(withheld) if size < minimum]
    shown[_DRAWN, 0], members[_DRAWN, 0] = _find_total(result, exclusions, drawn, range(len(drawn)), withheld, members,
                                                       scope)
    return shown, small, members


def as_one_figure(result: SurvivalResult, patients: KeyedCount, rules: Rules) -> KeyedCount:
    """The patients told as the total: those of all groups, or where few are in none of them, of the figure without.

    Two roundings, one of the groups together and one of the figure without groups, would tell whether the few who are
    in none of them are any.
    """
    everybody = result.n
    if patients and isinstance(everybody, KeyedCount) and 0 <= everybody - patients < rules.minimum_cell:
        return everybody
    return patients


def _find_total(result: SurvivalResult, exclusions: Sequence[Exclusion], drawn: Sequence[KeyedCount],
                kept: Collection[int], withheld: Sequence[int], members: Mapping[Cell, frozenset[int]], scope: Scope,
                ) -> tuple[int | None, frozenset[int]]:
    """The total of the groups that are kept, and the parts it is the sum of."""
    if not kept:
        return None, frozenset()
    patients = union([drawn[place] for place in kept])
    total = as_one_figure(result, patients, scope.rules)
    cells: list[Cell] = [(_GROUP, place) for place in kept]
    if total is result.n:
        # The figure without groups has everybody but those it excludes too: besides the groups that are withheld, those
        # whose group is not recorded. Of reasons as frequent as that one any will do, because they are hidden alike.
        cells += [(_WITHHELD, place) for place in range(len(withheld))]
        ungrouped = total - patients - sum(withheld)
        cells += [(_EXCLUDED, place) for place, one in enumerate(exclusions) if one.n == ungrouped][:1]
    return round_count(total, scope), frozenset().union(*(members[cell] for cell in cells))


def _count_atoms(members: dict[Cell, frozenset[int]]) -> int:
    return 1 + max((place for places in members.values() for place in places), default=0)


def _write_steps(steps: Sequence[AttritionStep], shown: dict[Cell, int | None]) -> tuple[AttritionStep, ...]:
    """A step says what it removed only between two numbers that are shown."""
    written = []
    for place, step in enumerate(steps):
        between = place and shown[_STEP, place] is not None and shown[_STEP, place - 1] is not None
        written.append(AttritionStep(step.label, shown[_STEP, place], shown[_REMOVED, place] if between else None))
    return tuple(written)


def _write_exclusions(exclusions: Sequence[Exclusion], shown: dict[Cell, int | None], small: Sequence[Cell],
                      ) -> tuple[Exclusion, ...]:
    """Reasons that apply to enough patients, and one for all others, whether or not they apply to anybody."""
    named = tuple(Exclusion(exclusion.reason, shown[_EXCLUDED, place]) for place, exclusion in enumerate(exclusions)
                  if (_EXCLUDED, place) not in small)
    return (*named, Exclusion(ANY_OTHER_REASON, None))
