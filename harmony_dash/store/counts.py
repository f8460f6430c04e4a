"""Counting patients: attrition, exclusions, choices, coverage. Every count comes with the key of the patients counted.

The key is what a count's rounding hangs on. Sums of counts lose it, except where `union` pools disjoint sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harmony_dash.cohort.endpoints import EXCLUSIONS
from harmony_dash.cohort.filters import Filter, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.store.conditions import Statement, entry_day
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import COLUMN, count_sql, key_sql, read_counts
from harmony_dash.store.schema import quote

# grouping() packs one bit a column; half a machine word leaves room.
_GROUPING_SETS = 32


@dataclass(frozen=True)
class CohortFlow:
    """From the disease to the patients in the figure.

    Attributes
    ----------
    disease : patients with the disease.
    after_filter : patients left after the first, the first two, … filters of the question.
    removed : patients whom the first, the second, … filter takes away from those left before it.
    excluded : reason code to patients of the filtered cohort with no place in the figure; the first reason that
        applies counts. Codes are those of EXCLUSIONS and of `_exclusion_tests`.
    """

    disease: KeyedCount
    after_filter: tuple[KeyedCount, ...]
    removed: tuple[KeyedCount, ...]
    excluded: Mapping[str, KeyedCount]
    analysed: KeyedCount

    @property
    def cohort(self) -> KeyedCount:
        """Patients who meet every filter."""
        return self.after_filter[-1] if self.after_filter else self.disease


def fetch_cohort_flow(snapshot: Snapshot, question: Question) -> CohortFlow:
    """Attrition and exclusions in one scan: each patient is counted where they leave."""
    statement = Statement(question, snapshot.dictionary)
    disease = statement.disease()
    leaves = [f"({statement.condition(item)}) IS NOT TRUE" for item in question.where]
    filters = len(leaves)
    tests = _exclusion_tests(question, statement, snapshot_has_late_entry=snapshot.late_entry)
    leaves += tests.values()
    cases = " ".join(f"WHEN {leave} THEN {place}" for place, leave in enumerate(leaves))
    step = f"CASE {cases} ELSE {len(leaves)} END" if cases else "0"
    sql = (f"SELECT step, {count_sql()} FROM (SELECT CAST({step} AS UTINYINT) AS step, {COLUMN} FROM patient "
           f"WHERE {disease}) GROUP BY step")
    found = {row[0]: read_counts(row[1:])[0] for row in snapshot.fetch_rows(sql, statement.parameters)}
    # Each patient is in one step; whoever stays longer is in a later one.
    steps = [found.get(place, NOBODY) for place in range(len(leaves) + 1)]
    return CohortFlow(disease=union(steps), after_filter=tuple(union(steps[place + 1:]) for place in range(filters)),
                      removed=tuple(steps[:filters]), excluded=dict(zip(tests, steps[filters:], strict=False)),
                      analysed=steps[-1])


def _exclusion_tests(question: Question, statement: Statement, *, snapshot_has_late_entry: bool) -> dict[str, str]:
    """Reason to the SQL that is true where it applies, in the order in which reasons are tried."""
    days, reason = quote(f"{question.endpoint}_days"), quote(f"{question.endpoint}_excluded")
    cause = quote(f"{question.endpoint}_cause")
    tests = {code: f"{reason} = '{code}'" for code in EXCLUSIONS}
    if snapshot_has_late_entry:
        tests["before_entry"] = f"{days} <= {entry_day(question)}"
    if question.landmark_days:
        by_then = f"{days} <= {question.landmark_days:d}"
        tests["event_by_landmark"] = f"{by_then} AND {cause} > 0"
        tests["censored_by_landmark"] = by_then
    if statement.needs_no_event_yet:
        tests["first_event_by_landmark"] = statement.had_first_event()
    if question.by:
        tests["group_missing"] = f"{statement.column(question.by)} IS NULL"
    return tests


def fetch_choices(snapshot: Snapshot, question: Question, variables: Sequence[Variable],
                  ) -> dict[str, dict[str | None, KeyedCount]]:
    """For each categorical variable, patients per value (None for missing) among those who meet all other filters.

    A filter that reads several variables counts as a filter on each of them. Values nobody has are left out.
    """
    others: dict[tuple[Filter, ...], list[Variable]] = {}
    for variable in variables:
        kept = tuple(item for item in question.where if variable.name not in set(variables_of(item)))
        others.setdefault(kept, []).append(variable)
    batches = [(filters, members[start : start + _GROUPING_SETS]) for filters, members in others.items()
               for start in range(0, len(members), _GROUPING_SETS)]
    result: dict[str, dict[str | None, KeyedCount]] = {}
    for filters, members in batches:
        statement = Statement(question, snapshot.dictionary)
        columns = ", ".join(f"{statement.column(v.name)}::VARCHAR AS {quote(v.name)}" for v in members)
        where = statement.cohort(filters)
        sets = ", ".join(f"({quote(v.name)})" for v in members)
        names = ", ".join(quote(v.name) for v in members)
        sql = (f"SELECT grouping({names}), coalesce({names}), {count_sql()} "
               f"FROM (SELECT {columns}, {COLUMN} FROM patient WHERE {where}) GROUP BY GROUPING SETS ({sets})")
        masks = {(1 << len(members)) - 1 - (1 << (len(members) - 1 - place)): v.name
                 for place, v in enumerate(members)}
        for v in members:
            result[v.name] = {}
        for mask, value, *counted in snapshot.fetch_rows(sql, statement.parameters):
            result[masks[mask]][value] = read_counts(counted)[0]
    return {variable.name: result[variable.name] for variable in variables}


def fetch_cohort_count(snapshot: Snapshot, question: Question) -> KeyedCount:
    """Patients who meet every filter of the question."""
    statement = Statement(question, snapshot.dictionary)
    return read_counts(snapshot.fetch_rows(f"SELECT {count_sql()} FROM patient WHERE {statement.cohort()}",
                                           statement.parameters)[0])[0]


def fetch_diseases(snapshot: Snapshot) -> list[tuple[str, KeyedCount, int, int]]:
    """Per disease: code, patients, countries that take part in its sources, sources."""
    countries = dict(snapshot.fetch_rows(
        "SELECT disease::VARCHAR, count(DISTINCT country) FROM (SELECT DISTINCT disease, source FROM patient) "
        "JOIN (SELECT DISTINCT source, country FROM patient) USING (source) GROUP BY disease"))
    return [(str(code), read_counts(counted)[0], int(countries[code]), int(sources))
            for code, sources, *counted in snapshot.fetch_rows(
        f"SELECT disease::VARCHAR, count(DISTINCT source), {count_sql()} FROM patient "
        "GROUP BY disease ORDER BY count(*) DESC")]


def fetch_participation(snapshot: Snapshot, disease: str) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The countries and the trials of every source that holds a disease, whatever the disease of their patients.

    Who takes part is public; how many patients of a country are in a trial, or whether any is, is not.
    """
    rows = snapshot.fetch_rows(
        "SELECT source::VARCHAR, list(DISTINCT country) FILTER (country IS NOT NULL), "
        "list(DISTINCT trial) FILTER (trial IS NOT NULL) FROM patient WHERE source IN "
        "(SELECT source FROM patient WHERE disease::VARCHAR = $disease) GROUP BY source ORDER BY source",
        {"disease": disease})
    return {str(source): (tuple(sorted(countries or ())), tuple(sorted(trials or ())))
            for source, countries, trials in rows}


def fetch_cross_counts(snapshot: Snapshot, disease: str, variables: Sequence[str],
                       ) -> list[tuple[tuple[str | None, ...], KeyedCount]]:
    """Patients of a disease per combination of categorical variables, in display order; None is a missing value."""
    names = ", ".join(quote(name) for name in variables)
    texts = ", ".join(f"{quote(name)}::VARCHAR" for name in variables)
    rows = snapshot.fetch_rows(f"SELECT {texts}, {count_sql()} FROM patient WHERE disease::VARCHAR = $disease "
                               f"GROUP BY {names} ORDER BY {names}", {"disease": disease})
    return [(tuple(row[:-2]), read_counts(row[-2:])[0]) for row in rows]


def fetch_sources(snapshot: Snapshot) -> list[dict[str, object]]:
    """The sources of the snapshot with their descriptions and counts.

    Patients who were quarantined are not in the store and have no record keys. Their number has a key that was made at
    ingest from the source's name and this number; it is as secret and as lasting as the others.
    """
    names = ("source", "title", "provider", "trial", "licence", "synthetic", "description")
    rows = snapshot.fetch_rows(
        f"SELECT {', '.join(names)}, accepted_count, accepted_key, quarantined_count, quarantined_key "
        f"FROM source LEFT JOIN (SELECT source::VARCHAR AS accepted_by, {key_sql()} AS accepted_key FROM patient "
        "GROUP BY ALL) ON accepted_by = source ORDER BY source")
    result = []
    for row in rows:
        accepted, quarantined = read_counts(row[len(names):])
        result.append({**dict(zip(names, row, strict=False)), "read_count": union([accepted, quarantined]),
                       "accepted_count": accepted, "quarantined_count": quarantined})
    return result
