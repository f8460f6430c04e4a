"""Who is in the data, as it may leave: rounded counts, shares of rounded counts, follow-up to the month.

Which countries and trials take part in a source is public. How many patients a cell has is not, and neither is whether
it has any: a cell that could have patients is listed whether or not it has some.

Every number of patients on the page is audited together with all others. Sources, countries, trials and periods are one
table of four dimensions; a country's patients by age, or by immunophenotype, are a table of their own that shares the
countries with it.

A country's patients and those of its only trial are the same patients exactly if every other trial has none of them. So
a total and its parts are rounded by draws of their own: that they are equal or not tells nothing that the programmes do
not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

from harmony_dash.disclosure.audit import hide_partners
from harmony_dash.disclosure.coverage_results import NOT_STATED, CountCell, CountTable, CoverageResult
from harmony_dash.disclosure.keyed_count import KeyedCount, union
from harmony_dash.disclosure.protect_completeness import protect_completeness
from harmony_dash.disclosure.protect_survival import protect_follow_up
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.rounding import release_count

KEYS = ("source", "country", "trial", "dx_period")
# What is told of them, () being all patients.
VIEWS = ((), ("source",), ("country",), ("trial",), ("dx_period",), ("country", "trial"), ("country", "dx_period"),
         ("source", "dx_period"), ("trial", "dx_period"))
_PERIOD = KEYS.index("dx_period")
# All patients and those of a source have the numbers that other pages tell. A source of the disease has somebody, so
# that all patients being those of one source is no news of another.
_TOLD_ELSEWHERE = ((), ("source",))
# More than this take the programmes minutes: a source of twenty countries and as many trials. Periods are then told by
# country alone, as a table beside, and not by source or trial.
MOST_ATOMS = 1_500
FEW = "\x1f few"  # no value of a variable
Labels: TypeAlias = tuple[str, ...]
Cell: TypeAlias = tuple[Labels, Labels]  # variables and their values
Atoms: TypeAlias = Mapping[Labels, KeyedCount]
_NOTHING_BESIDE: Mapping[str, Atoms] = MappingProxyType({})


def protect_coverage(result: CoverageResult, scope: Scope) -> CoverageResult:
    """The result with everything rounded, small cells hidden with what would give them away.

    Raises
    ------
    TypeError for counts without keys.
    """
    atoms = {tuple(cell.labels[key] for key in KEYS): _keyed(cell.n) for cell in result.atoms}
    periods = Counter[str]()
    for labels, n in atoms.items():
        periods[labels[_PERIOD]] += int(n)
    few = {period for period, n in periods.items() if n < scope.rules.minimum_cell}
    beside = {table.by[1]: {tuple(cell.labels.values()): _keyed(cell.n) for cell in table.cells}
              for table in result.tables if len(table.by) == 2 and table.by[1] not in KEYS}
    together = join_periods(atoms, few)
    if len(together) > MOST_ATOMS:
        shown = protect_sums(_without_periods(atoms), scope, beside={**beside, "dx_period": _by_country(atoms)},
                             views=[view for view in VIEWS if "dx_period" not in view])
    else:
        shown = protect_sums(together, scope, beside=beside, joined=len(few))
    sizes = {source.source: source.accepted for source in result.sources}

    def released(by: Labels, cells: Sequence[CountCell], *, ranked: bool = True) -> tuple[CountCell, ...]:
        found = [replace(cell, n=None if cell.labels.get("dx_period") in few
                         else shown.get((by, tuple(cell.labels[name] for name in by)))) for cell in cells]
        # Whether anybody at all is without a value is told of no few.
        found = [cell for cell in found if cell.n is not None or NOT_STATED not in cell.labels.values()]
        # By what is shown, not by size: the order would tell which of two small cells is the larger one.
        return tuple(sorted(found, key=lambda cell: (-(cell.n or 0), tuple(cell.labels.values()))) if ranked else found)

    return replace(
        result, n=shown.get(((), ())), atoms=(),
        by_country=released(("country",), result.by_country), by_trial=released(("trial",), result.by_trial),
        by_country_and_trial=released(("country", "trial"), result.by_country_and_trial),
        tables=tuple(CountTable(table.by, released(table.by, table.cells, ranked=False)) for table in result.tables),
        sources=tuple(replace(
            source, accepted=shown[("source",), (source.source,)],
            quarantined=release_count(source.quarantined, scope),
            follow_up_median_days=protect_follow_up(source.follow_up_median_days, source.follow_up_support,
                                                    source.accepted or 0, scope.rules),
            follow_up_support=None, by_period=(),
            # The first and the last period would otherwise be those of one patient.
            dx_periods=tuple(cell.labels["dx_period"] for cell in source.by_period
                             if (cell.n or 0) >= scope.rules.minimum_cell)) for source in result.sources),
        completeness=tuple(protect_completeness(one, sizes.get(one.source), scope) for one in result.completeness),
        follow_up_median_days=protect_follow_up(result.follow_up_median_days, result.follow_up_support, result.n or 0,
                                                scope.rules),
        follow_up_support=None)


def join_periods(atoms: Atoms, few: Collection[str]) -> dict[Labels, KeyedCount]:
    """The atoms with all periods of few patients as one.

    Nothing of them is shown. Where the patients of all of them together could be any of five numbers, so could those of
    each: all of them could be in it.
    """
    joined: dict[Labels, list[KeyedCount]] = {}
    for labels, n in atoms.items():
        joined.setdefault((*labels[:_PERIOD], FEW if labels[_PERIOD] in few else labels[_PERIOD]), []).append(n)
    return {labels: union(parts) for labels, parts in joined.items()}


def _without_periods(atoms: Atoms) -> dict[Labels, KeyedCount]:
    return join_periods(atoms, {labels[_PERIOD] for labels in atoms})


def _by_country(atoms: Atoms) -> dict[Labels, KeyedCount]:
    found: dict[Labels, list[KeyedCount]] = {}
    for labels, n in atoms.items():
        found.setdefault((labels[KEYS.index("country")], labels[_PERIOD]), []).append(n)
    return {labels: union(parts) for labels, parts in found.items()}


def protect_sums(atoms: Atoms, scope: Scope, *, beside: Mapping[str, Atoms] = _NOTHING_BESIDE, joined: int = 0,
                 views: Sequence[Labels] = VIEWS) -> dict[Cell, int | None]:
    """The totals of all tables, rounded each by its own key and table, and audited together.

    Parameters
    ----------
    atoms : source, country, trial and period to patients, those that could have some included.
    beside : variable to the patients by country and its values: the same countries, each with the same patients.
    joined : how many periods of few patients the period FEW stands for.
    views : what is told of the atoms.
    """
    members: dict[Cell, list[int]] = {}
    sizes: list[KeyedCount] = []
    for labels, n in atoms.items():
        for view in views:
            members.setdefault((view, tuple(labels[KEYS.index(name)] for name in view)), []).append(len(sizes))
        sizes.append(n)
    ties: list[tuple[list[int], list[int]]] = []
    for variable, table in beside.items():
        countries: dict[str, list[int]] = {}
        for (country, value), n in table.items():
            members.setdefault(((variable,), (value,)), []).append(len(sizes))
            members[("country", variable), (country, value)] = [len(sizes)]
            countries.setdefault(country, []).append(len(sizes))
            sizes.append(n)
        ties += [(members[("country",), (country,)], places) for country, places in countries.items()]
    told = {tuple(places) for cell, places in members.items() if cell[0] in _TOLD_ELSEWHERE}

    def draw(cell: Cell) -> str:
        # What must be the same patients, as those of a source and its only country, has one number.
        # Tables of two variables share theirs: one each would narrow large numbers until hardly any could be shown.
        return "" if tuple(members[cell]) in told else f"of {cell[0][0]}" if len(cell[0]) == 1 else "of two"

    shown = {cell: None if FEW in cell[1] else release_count(
        union([sizes[place] for place in places]), scope, drawn_for=draw(cell)) for cell, places in members.items()}
    small = [cell for cell, n in shown.items() if n is None]
    most = scope.rules.minimum_cell - 1

    def next_partner(candidates: list[Cell]) -> Cell | None:
        # The finest counts are missed least; the total is told elsewhere too, so it is the last to go.
        return min(candidates, key=lambda cell: (-len(cell[0]), shown[cell] or 0, cell), default=None)

    return hide_partners(members, shown, small, scope.rules, atoms=len(sizes), next_partner=next_partner, ties=ties,
                         limits={cell: most * joined if FEW in cell[1] else most for cell in small})


def _keyed(count: int | None) -> KeyedCount:
    if not isinstance(count, KeyedCount):
        raise TypeError("a count without a key cannot be released")
    return count
