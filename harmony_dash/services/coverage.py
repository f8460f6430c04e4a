"""Who is in the data: patients by country and trial, completeness, follow-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.question import Question, check_question
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.disclosure.results import (
    NOT_STATED,
    Completeness,
    CountCell,
    CoverageResult,
    FollowUpSupport,
    SourceCoverage,
)
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.admission import open_to_all, scope_for_all
from harmony_dash.services.audited import check_and_record, record_answer, refusals_recorded
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.estimates import median_follow_up
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.counts import (
    fetch_completeness,
    fetch_cross_counts,
    fetch_diseases,
    fetch_participation,
    fetch_sources,
)
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot

# The variables a committee asks about first; a deployment's own come with its dictionary's "everyday" mark.
KEY_VARIABLES = ("age_dx_years", "sex", "wbc_dx", "immunophenotype", "subtype", "cyto_group", "cna_ikzf1", "ikzf1plus",
                 "mrd_eoi_status", "mrd_group", "cr_status", "risk_group_reported", "intensity_assigned",
                 "intensity_received")


def review_coverage(deployment: Deployment, actor: Actor, disease: str, *, level: Level = Level.PROTECTED,
                    ) -> Released[CoverageResult]:
    """Counts, completeness and follow-up of one disease.

    Raises
    ------
    AccessRefused, QuestionError for a disease the snapshot does not hold, StoreError.
    """
    action = "review coverage"
    check_and_record(deployment, actor, Permission.VIEW_COVERAGE, action)
    if level is Level.EXACT:
        check_and_record(deployment, actor, Permission.VIEW_EXACT, action)
    snapshot = open_to_all(deployment)
    diseases = {code: n for code, n, _, _ in fetch_diseases(snapshot)}
    with refusals_recorded(deployment, actor, action, disease[:40]):
        check_question(Question(disease, "os"), snapshot.dictionary)
        if disease not in diseases:
            raise QuestionError(f"the snapshot holds no patient with {snapshot.dictionary.diseases[disease].label}",
                                where="disease", remedy=f"Choose one of: {', '.join(diseases)}.")
    scope = Scope(level) if level is Level.EXACT else scope_for_all(deployment, snapshot)
    released = release(_compute(snapshot, disease, diseases[disease]), scope)
    record_answer(deployment, actor, action, question=disease, snapshot=snapshot.snapshot, level=scope.level,
                  n=released.value.n)
    return released


def _compute(snapshot: Snapshot, disease: str, patients: KeyedCount) -> CoverageResult:
    keys = ("source", "country", "trial")
    participation = fetch_participation(snapshot, disease)
    # A country and a trial of one source are a cell even if no patient is in both: zero is a small number too.
    counts: dict[tuple[str, ...], KeyedCount] = {
        cell: NOBODY for source, (countries, trials) in participation.items()
        for cell in product((source,), countries, trials)}
    counts |= {tuple(value or NOT_STATED for value in values): n
               for values, n in fetch_cross_counts(snapshot, disease, keys)}
    atoms = [CountCell(dict(zip(keys, values, strict=True)), n) for values, n in counts.items()]
    table = fetch_event_table(snapshot, Question(disease, "os", by="source"))
    key = [v for v in snapshot.dictionary.askable(disease) if v.name in KEY_VARIABLES]
    completeness = fetch_completeness(snapshot, disease, key)
    follow_up, support = _median_follow_up(table, None)
    return CoverageResult(
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, created=snapshot.created, disease=disease,
        n=patients,
        by_country=_sum_over(atoms, ("country",)), by_trial=_sum_over(atoms, ("trial",)),
        by_country_and_trial=_sum_over(atoms, ("country", "trial")), by_source_country_and_trial=tuple(atoms),
        sources=_sources(snapshot, disease, table, {name: n for name, (n, _) in completeness.items()},
                         {name: countries for name, (countries, _) in participation.items()}),
        completeness=tuple(Completeness(source, v.name, v.label, counts[v.name] / n, recorded=counts[v.name])
                           for source, (n, counts) in completeness.items() for v in key),
        follow_up_median_days=follow_up, follow_up_support=support,
        methods="Patients accepted at ingest. A test that failed or was not done does not count as complete. Median "
                f"follow-up by the reverse Kaplan–Meier method on overall survival. Snapshot {snapshot.snapshot}.")


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


def _sum_over(atoms: Sequence[CountCell], keys: tuple[str, ...]) -> tuple[CountCell, ...]:
    """Patients per combination of some of the labels, largest first."""
    counts: dict[tuple[str, ...], list[KeyedCount]] = {}
    for atom in atoms:
        counts.setdefault(tuple(atom.labels[name] for name in keys), []).append(_count_of(atom.n))
    ordered = sorted(((key, union(parts)) for key, parts in counts.items()), key=lambda item: (-item[1], item[0]))
    return tuple(CountCell(dict(zip(keys, key, strict=True)), n) for key, n in ordered)
