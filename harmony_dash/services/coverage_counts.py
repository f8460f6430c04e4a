"""From a snapshot to everything about one disease, exact and with keys: not yet released."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from itertools import product

from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.coverage_results import (
    NOT_STATED,
    Completeness,
    CountCell,
    CountTable,
    CoverageResult,
    SourceCoverage,
    Status,
    StatusShare,
    VariableMeaning,
)
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.disclosure.protect_completeness import RECORDED
from harmony_dash.disclosure.protect_coverage import KEYS, VIEWS
from harmony_dash.disclosure.results import FollowUpSupport
from harmony_dash.errors import StatisticsError
from harmony_dash.quality.completeness import AMONG
from harmony_dash.services.estimates import median_follow_up
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.counts import fetch_cross_counts, fetch_participation, fetch_sources
from harmony_dash.store.coverage import fetch_completeness
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.quality_tables import fetch_supplied
from harmony_dash.store.reader import Snapshot

# Counted by country each by itself: together they would single patients out.
BESIDE = ("age_group", "immunophenotype", "sex")
# Where a patient comes from is recorded of everybody, or has its own table.
_ORIGIN = frozenset({"disease", "source", "provider", "country", "trial"})


def compute_coverage(snapshot: Snapshot, disease: str, patients: KeyedCount) -> CoverageResult:
    """Everything about one disease, exact and with keys."""
    participation = fetch_participation(snapshot, disease)
    dictionary = snapshot.dictionary
    periods = (*dictionary["dx_period"].values, NOT_STATED)
    # A country and a trial of one source are a cell even if no patient is in both: zero is a small number too. So is
    # no trial, unless the source is described as one trial: whether anybody is without one is not public.
    one_trial = {str(row["source"]) for row in fetch_sources(snapshot) if row["trial"]}
    counts: dict[tuple[str, ...], KeyedCount] = {
        cell: NOBODY for source, (countries, trials) in participation.items()
        for cell in product((source,), countries, trials if source in one_trial else (*trials, NOT_STATED), periods)}
    counts |= _stated(fetch_cross_counts(snapshot, disease, KEYS))
    atoms = [CountCell(dict(zip(KEYS, values, strict=True)), n) for values, n in counts.items()]
    beside = [name for name in BESIDE if name in dictionary]
    table = fetch_event_table(snapshot, Question(disease, "os", by="source"))
    variables = [v for v in dictionary.askable(disease) if v.name not in _ORIGIN]
    # Of all patients, a share would count those as lacking a value who cannot have one.
    asked, supplied = [v for v in variables if v.name not in AMONG], fetch_supplied(snapshot)
    completeness = fetch_completeness(snapshot, disease, asked)
    follow_up, support = _median_follow_up(table, None)
    return CoverageResult(
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, created=snapshot.created, disease=disease,
        n=patients, atoms=tuple(atoms),
        by_country=_sum_over(atoms, ("country",)), by_trial=_list_stated(_sum_over(atoms, ("trial",))),
        by_country_and_trial=_list_stated(_sum_over(atoms, ("country", "trial"))),
        tables=(*(CountTable(by, _sum_over(atoms, by, ranked=False)) for by in VIEWS if "dx_period" in by),
                *(one for name in beside for one in _beside(snapshot, disease, atoms, name))),
        labels={name: dictionary[name].values for name in ("country", "dx_period", *beside)},
        sources=_sources(snapshot, disease, table, {name: n for name, (n, _) in completeness.items()},
                         {name: countries for name, (countries, _) in participation.items()}),
        completeness=tuple(_completeness(source, v, n, parts[v.name], supplied.get(source))
                           for source, (n, parts) in completeness.items() for v in asked),
        variables=tuple(VariableMeaning(v.name, v.label, _digest(v)) for v in variables),
        follow_up_median_days=follow_up, follow_up_support=support,
        methods="Patients accepted at ingest. Those of whom a trial, a period or another value is not stated are a row "
                "of their own, which is left out where it may not be told. A test that failed or was not done does not "
                "count as complete. Median "
                f"follow-up by the reverse Kaplan–Meier method on overall survival. Snapshot {snapshot.snapshot}.")


def _stated(rows: Sequence[tuple[tuple[str | None, ...], KeyedCount]]) -> dict[tuple[str, ...], KeyedCount]:
    return {tuple(value or NOT_STATED for value in values): n for values, n in rows}


def _list_stated(cells: Sequence[CountCell]) -> tuple[CountCell, ...]:
    """The cells without those of nobody that stand for no value; few are not listed either once protected."""
    return tuple(cell for cell in cells if cell.n or NOT_STATED not in cell.labels.values())


def _beside(snapshot: Snapshot, disease: str, atoms: Sequence[CountCell], name: str) -> tuple[CountTable, CountTable]:
    """Patients by one more variable, alone and by country; every country has every value."""
    countries = dict.fromkeys(cell.labels["country"] for cell in atoms)
    values = (*snapshot.dictionary[name].values, NOT_STATED)
    counts: dict[tuple[str, ...], KeyedCount] = dict.fromkeys(product(countries, values), NOBODY)
    counts |= _stated(fetch_cross_counts(snapshot, disease, ("country", name)))
    cells = tuple(CountCell({"country": country, name: value}, n) for (country, value), n in counts.items())
    return CountTable((name,), _sum_over(cells, (name,), ranked=False)), CountTable(("country", name), cells)


def _digest(variable: Variable) -> str:
    """Changes when the variable means something else."""
    meaning = [*variable.values.items()], variable.unit, variable.bands, variable.definition
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:12]


def _completeness(source: str, variable: Variable, n: KeyedCount, parts: Mapping[Status, KeyedCount],
                  supplied: Collection[str] | None) -> Completeness:
    recorded = union([count for part, count in parts.items() if part in RECORDED])
    return Completeness(source, variable.name, variable.label, recorded / n,
                        parts=tuple(StatusShare(part, count / n, count) for part, count in parts.items()),
                        supplied=supplied is None or bool(variable.derived) or variable.name in supplied)


def _sources(snapshot: Snapshot, disease: str, table: EventTable, accepted: Mapping[str, KeyedCount],
             countries: Mapping[str, tuple[str, ...]]) -> tuple[SourceCoverage, ...]:
    periods = fetch_cross_counts(snapshot, disease, ("source", "dx_period"))
    found = []
    for row in fetch_sources(snapshot):
        name = str(row["source"])
        if name not in accepted:
            continue
        follow_up, support = _median_follow_up(table, name)
        by_period = tuple(CountCell({"dx_period": period}, n) for (source, period), n in periods
                          if source == name and period)
        found.append(SourceCoverage(
            source=name, title=str(row["title"]), provider=str(row["provider"]), trial=str(row["trial"]),
            countries=countries[name], synthetic=row["synthetic"] == "true", accepted=accepted[name],
            quarantined=_count_of(row["quarantined_count"]),
            follow_up_median_days=follow_up, follow_up_support=support,
            dx_periods=tuple(cell.labels["dx_period"] for cell in by_period), by_period=by_period))
    return tuple(found)


def _count_of(value: object) -> KeyedCount:
    if not isinstance(value, KeyedCount):
        raise TypeError("the store counts with keys")
    return value


def _median_follow_up(table: EventTable, group: str | None) -> tuple[float | None, FollowUpSupport | None]:
    try:
        return median_follow_up(table, group)
    except StatisticsError:
        return None, None  # nobody of this source has the endpoint; the table says so by a dash


def _sum_over(atoms: Sequence[CountCell], keys: tuple[str, ...], *, ranked: bool = True) -> tuple[CountCell, ...]:
    """Patients per combination of some of the labels, largest first or in the order of the atoms."""
    counts: dict[tuple[str, ...], list[KeyedCount]] = {}
    for atom in atoms:
        counts.setdefault(tuple(atom.labels[name] for name in keys), []).append(_count_of(atom.n))
    ordered = [(key, union(parts)) for key, parts in counts.items()]
    if ranked:
        ordered.sort(key=lambda item: (-item[1], item[0]))
    return tuple(CountCell(dict(zip(keys, key, strict=True)), n) for key, n in ordered)
