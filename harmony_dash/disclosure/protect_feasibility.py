"""How many patients a question has, as it may be told: every count by the key of its patients, then audited together.

The flow of the cohort, its countries and what each variable costs are sums of the same disjoint sets of patients. So
they are audited as one, and the sources, which are told in other stages, as another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.feasibility_results import (
    CountryCount,
    FeasibilityResult,
    JointLoss,
    SourceFlow,
    Stage,
)
from harmony_dash.disclosure.protect_survival import protect_follow_up
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import release_count

Cell: TypeAlias = tuple[str, object]
_N: Cell = ("n", "")
_NOT_FOLLOWED: Cell = ("not followed", "")
# What is missed least goes first; the number of patients counted is told elsewhere too, and is the last to go.
_ORDER = ("joint", "only", "lacking", "not followed", "step", "country", "n")


@dataclass
class _Cells:
    """Counts as sums of numbered disjoint sets, with what is shown of each at first."""

    scope: Scope
    atoms: dict[object, int] = field(default_factory=dict)
    members: dict[Cell, frozenset[int]] = field(default_factory=dict)
    shown: dict[Cell, int | None] = field(default_factory=dict)
    small: list[Cell] = field(default_factory=list)

    def atom(self, name: object) -> int:
        """The number of a set of patients."""
        return self.atoms.setdefault(name, len(self.atoms))

    def add(self, cell: Cell, n: int | None, parts: frozenset[int], *, told: bool = True, drawn_for: str = "") -> None:
        """A count that is shown unless it is small; one that is not told is hidden whatever it is."""
        self.members[cell] = parts
        self.shown[cell] = release_count(n, self.scope, drawn_for=drawn_for) if told else None
        if told and self.shown[cell] is None and n is not None:
            self.small.append(cell)

    def audit(self, order: tuple[str, ...]) -> dict[Cell, int | None]:
        """The counts with more of them hidden, in this order of kinds, the smallest of a kind first."""
        def next_partner(candidates: list[Cell]) -> Cell | None:
            able = [cell for cell in candidates if cell[0] in order]
            return min(able, key=lambda cell: (order.index(cell[0]), self.shown[cell] or 0, str(cell[1])), default=None)

        return hide_partners(self.members, self.shown, self.small, self.scope.rules, atoms=len(self.atoms),
                             next_partner=next_partner)


def protect_feasibility(result: FeasibilityResult, scope: Scope) -> FeasibilityResult:
    """The result with everything rounded, small counts hidden with what would give them away."""
    shown = _audit_flow(result, scope)
    n = shown[_N]

    def removed(place: int) -> int | None:
        between = place and shown["step", place] is not None and shown["step", place - 1] is not None
        return shown["removed", place] if between else None

    def country(one: CountryCount) -> CountryCount:
        return replace(one, n=shown.get(("country", one.country)))

    joint = [replace(one, n=shown["joint", one.variables]) for one in result.joint]
    return replace(
        result, n=n, follow_up_support=None, follow_up_patients=0, step_of=(),
        by_country=tuple(sorted(map(country, result.by_country), key=lambda one: (-(one.n or 0), one.country))),
        steps=tuple(replace(step, n=shown["step", place], removed=removed(place))
                    for place, step in enumerate(result.steps)),
        not_followed=replace(result.not_followed, n=n, removed=shown[_NOT_FOLLOWED]),
        losses=tuple(replace(one, lacking=shown["lacking", one.variable], only=shown["only", one.variable])
                     for one in result.losses),
        # By what is shown, and those that are not told are none of the largest.
        joint=tuple(sorted((one for one in joint if one.n is not None), key=_largest_first)),
        sources=protect_sources(result.sources, scope, disease=release_count(result.steps[0].n, scope),
                                counted=n),
        follow_up_median_days=protect_follow_up(result.follow_up_median_days, result.follow_up_support,
                                                result.follow_up_patients, scope.rules))


def _largest_first(one: JointLoss) -> tuple[int, tuple[str, ...]]:
    return -(one.n or 0), one.variables


def _audit_flow(result: FeasibilityResult, scope: Scope) -> dict[Cell, int | None]:
    cells, last = _Cells(scope), len(result.steps)
    step_of = dict(result.step_of)
    # Whoever lacks several variables leaves where the first of them is asked for.
    lost: dict[tuple[str, ...], int] = {(one.variable,): cells.atom((one.variable,)) for one in result.losses}
    lost |= {one.variables: cells.atom(one.variables) for one in result.joint}
    leave: dict[int, set[int]] = {place: {cells.atom(("rest", place))} for place in range(1, last + 1)}
    for variables, atom in lost.items():
        leave[min(step_of[name] for name in variables)].add(atom)
    counted = _add_countries(cells, result)
    for place in range(last):
        after = counted.union(*(leave[later] for later in range(place + 1, last + 1)))
        step = result.steps[place]
        cells.add(("step", place), step.n, after)
        if place:
            cells.add(("removed", place), step.removed, frozenset(leave[place]))
            # A filter that removes nobody is hidden like one that removes a few.
            if cells.shown["removed", place] is None:
                cells.shown["step", place] = None
    cells.add(_NOT_FOLLOWED, result.not_followed.removed, frozenset(leave[last]))
    cells.add(_N, result.n, counted, told=not result.reason)
    # Beside the number counted, the last step would tell whether anybody is not followed.
    if cells.shown[_N] is not None and cells.shown[_NOT_FOLLOWED] is None:
        cells.shown["step", last - 1] = None
    for place in range(1, last):
        if cells.shown["step", place] is None or cells.shown["step", place - 1] is None:
            cells.shown["removed", place] = None

    def add_loss(cell: Cell, n: int | None, parts: frozenset[int], as_asked: bool) -> None:
        # Those who lack a variable and those who lack it alone are the same patients exactly if nobody lacks another
        # one too, so each kind has draws of its own. Of a single variable they always are the same.
        drawn_for = "lacking" if len(result.losses) == 1 else cell[0]
        # One that is answered for other patients is no part of anything.
        cells.add(cell, n, parts if as_asked or n is None else frozenset([cells.atom(cell)]), drawn_for=drawn_for)

    for one in result.losses:
        with_it = frozenset(atom for variables, atom in lost.items() if one.variable in variables)
        add_loss(("lacking", one.variable), one.lacking, with_it, one.lacking_as_asked)
        add_loss(("only", one.variable), one.only, frozenset([lost[one.variable,]]), one.only_as_asked)
    for both in result.joint:
        add_loss(("joint", both.variables), both.n, frozenset([lost[both.variables]]), both.as_asked)
    return cells.audit(_ORDER)


def _add_countries(cells: _Cells, result: FeasibilityResult) -> frozenset[int]:
    """The countries as parts of all that are counted, or apart where some answer another question."""
    alike = [one for one in result.by_country if one.answered and not one.differs]
    others = cells.atom(("counted", "elsewhere"))
    fits = sum(one.n or 0 for one in alike) <= (result.n or 0)
    parts = {one.country: cells.atom(("counted", one.country)) for one in alike} if fits else {}
    for one in result.by_country:
        atom = parts.get(one.country, cells.atom(("apart", one.country)) if one.country not in parts else None)
        cells.add(("country", one.country), one.n, frozenset([atom]) if atom is not None else frozenset(),
                  told=one.answered)
    # Where each of them is a part, nobody is elsewhere.
    return frozenset([*([others] if len(parts) < len(result.by_country) else []), *parts.values()])


def protect_sources(sources: tuple[SourceFlow, ...], scope: Scope, *, disease: int | None, counted: int | None,
                    ) -> tuple[SourceFlow, ...]:
    """The stages of every source. A stage that all but a few of another are in is not told apart from it.

    Parameters
    ----------
    disease, counted : the totals as they are shown, which the sources may add up to.
    """
    cells = _Cells(scope)
    nearly: dict[Cell, bool] = {}
    for one in sources:
        stages = {"registered": one.registered, "accepted": one.accepted, "with_endpoint": one.with_endpoint,
                  "counted": one.counted}
        _add_source(cells, nearly, one.source, {name: stage for name, stage in stages.items() if stage is not None})
    everybody = frozenset().union(*(cells.members["accepted", one.source] for one in sources)) if sources else None
    for name, total, parts in (("total accepted", disease, everybody),
                               ("total counted", counted, _union_of_counted(cells, sources))):
        if parts and total is not None:
            cells.members[name, ""], cells.shown[name, ""] = parts, total
    shown = cells.audit(("counted", "with_endpoint", "registered", "accepted"))

    def stage(name: str, source: str, exact: Stage | None) -> Stage | None:
        if exact is None:
            return None
        cell: Cell = (name, source)
        return Stage(shown[cell], shown[cell] is None and nearly.get(cell, False))

    return tuple(replace(
        one, registered=stage("registered", one.source, one.registered) or Stage(None),
        accepted=stage("accepted", one.source, one.accepted) or Stage(None),
        with_endpoint=stage("with_endpoint", one.source, one.with_endpoint),
        counted=stage("counted", one.source, one.counted)) for one in sources)


def _union_of_counted(cells: _Cells, sources: tuple[SourceFlow, ...]) -> frozenset[int] | None:
    if any(one.counted is None or one.differs for one in sources):
        return None
    return frozenset().union(*(cells.members["counted", one.source] for one in sources))


def _add_source(cells: _Cells, nearly: dict[Cell, bool], source: str, stages: Mapping[str, Stage]) -> None:
    """The stages of one source, each a part of the one before, and the gaps between those that are shown.

    A gap of a few, or of nobody, hides the smaller of the two, except that rows sent step back behind patients
    accepted: that is the number other pages tell.
    """
    minimum = cells.scope.rules.minimum_cell
    names = list(stages)
    atoms = [cells.atom((source, name)) for name in names]
    before = ""
    for place, name in enumerate(names):
        cell: Cell = (name, source)
        cells.add(cell, stages[name].n, frozenset(atoms[place:]))
        if before and name in ("accepted", "with_endpoint", "counted"):
            gap = int(stages[before].n or 0) - int(stages[name].n or 0)
            if gap < minimum:
                gap_cell: Cell = (f"gap to {name}", source)
                cells.members[gap_cell] = frozenset(atoms[names.index(before):place])
                cells.shown[gap_cell] = None
                cells.small.append(gap_cell)
                loser: Cell = ("registered", source) if name == "accepted" else cell
                cells.shown[loser], nearly[loser] = None, loser not in cells.small
                if name != "accepted":
                    continue
        before = name
