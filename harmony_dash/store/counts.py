"""Counting patients: attrition, exclusions, choices, coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harmony_dash.cohort.endpoints import EXCLUSIONS
from harmony_dash.cohort.filters import Filter, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Variable
from harmony_dash.store.conditions import Statement, entry_day
from harmony_dash.store.reader import Snapshot
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
    excluded : reason code to patients of the filtered cohort with no place in the figure; the first reason that
        applies counts. Codes are those of EXCLUSIONS and of `_exclusion_tests`.
    """

    disease: int
    after_filter: tuple[int, ...]
    excluded: Mapping[str, int]

    @property
    def cohort(self) -> int:
        """Patients who meet every filter."""
        return self.after_filter[-1] if self.after_filter else self.disease

    @property
    def analysed(self) -> int:
        """Patients in the figure."""
        return self.cohort - sum(self.excluded.values())


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
    sql = (f"SELECT step, count(*) FROM (SELECT CAST({step} AS UTINYINT) AS step FROM patient WHERE {disease}) "
           "GROUP BY step")
    left = dict(snapshot.fetch_rows(sql, statement.parameters))
    total = sum(left.values())
    removed = [left.get(place, 0) for place in range(filters)]
    excluded = {code: int(left.get(filters + place, 0)) for place, code in enumerate(tests)}
    return CohortFlow(total, tuple(total - sum(removed[: place + 1]) for place in range(filters)), excluded)


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
    if question.strata:
        tests["stratum_missing"] = f"{statement.column(question.strata)} IS NULL"
    return tests


def fetch_choices(snapshot: Snapshot, question: Question, variables: Sequence[Variable],
                  ) -> dict[str, dict[str | None, int]]:
    """For each categorical variable, patients per value (None for missing) among those who meet all other filters.

    A filter that reads several variables counts as a filter on each of them.
    """
    others: dict[tuple[Filter, ...], list[Variable]] = {}
    for variable in variables:
        kept = tuple(item for item in question.where if variable.name not in set(variables_of(item)))
        others.setdefault(kept, []).append(variable)
    batches = [(filters, members[start : start + _GROUPING_SETS]) for filters, members in others.items()
               for start in range(0, len(members), _GROUPING_SETS)]
    result: dict[str, dict[str | None, int]] = {}
    for filters, members in batches:
        statement = Statement(question, snapshot.dictionary)
        columns = ", ".join(f"{statement.column(v.name)}::VARCHAR AS {quote(v.name)}" for v in members)
        where = statement.cohort(filters)
        sets = ", ".join(f"({quote(v.name)})" for v in members)
        names = ", ".join(quote(v.name) for v in members)
        sql = (f"SELECT grouping({names}), coalesce({names}), count(*) "
               f"FROM (SELECT {columns} FROM patient WHERE {where}) GROUP BY GROUPING SETS ({sets})")
        masks = {(1 << len(members)) - 1 - (1 << (len(members) - 1 - place)): v.name
                 for place, v in enumerate(members)}
        for v in members:
            result[v.name] = {}
        for mask, value, n in snapshot.fetch_rows(sql, statement.parameters):
            result[masks[mask]][value] = n
    return {variable.name: result[variable.name] for variable in variables}


def fetch_cohort_count(snapshot: Snapshot, question: Question) -> int:
    """Patients who meet every filter of the question."""
    statement = Statement(question, snapshot.dictionary)
    return int(snapshot.fetch_rows(f"SELECT count(*) FROM patient WHERE {statement.cohort()}",
                                   statement.parameters)[0][0])


def fetch_diseases(snapshot: Snapshot) -> list[tuple[str, int, int, int]]:
    """Per disease: code, patients, countries, sources."""
    return [(str(code), int(n), int(countries), int(sources)) for code, n, countries, sources in snapshot.fetch_rows(
        "SELECT disease::VARCHAR, count(*), count(DISTINCT country), count(DISTINCT source) FROM patient "
        "GROUP BY disease ORDER BY count(*) DESC")]


def fetch_cross_counts(snapshot: Snapshot, disease: str, variables: Sequence[str],
                       ) -> list[tuple[tuple[str | None, ...], int]]:
    """Patients of a disease per combination of categorical variables, in display order; None is a missing value."""
    names = ", ".join(quote(name) for name in variables)
    texts = ", ".join(f"{quote(name)}::VARCHAR" for name in variables)
    rows = snapshot.fetch_rows(f"SELECT {texts}, count(*) FROM patient WHERE disease::VARCHAR = $disease "
                               f"GROUP BY {names} ORDER BY {names}", {"disease": disease})
    return [(tuple(row[:-1]), int(row[-1])) for row in rows]


def fetch_completeness(snapshot: Snapshot, disease: str, variables: Sequence[Variable],
                       ) -> dict[str, tuple[int, dict[str, int]]]:
    """Per source: its patients, and per variable how many have an informative value.

    A test that failed or was not done is recorded but not informative.
    """
    counts = ", ".join(f"count(*) FILTER (WHERE {_informative(v)})" for v in variables)
    rows = snapshot.fetch_rows(f"SELECT source::VARCHAR, count(*), {counts} FROM patient "
                               "WHERE disease::VARCHAR = $disease GROUP BY source ORDER BY source",
                               {"disease": disease})
    return {str(row[0]): (int(row[1]), {v.name: int(n) for v, n in zip(variables, row[2:], strict=True)})
            for row in rows}


def _informative(variable: Variable) -> str:
    column = quote(variable.name)
    return " AND ".join([f"{column} IS NOT NULL",
                         *(f"{column} <> '{code}'" for code in ("failed", "not_done") if code in variable.values)])


def fetch_sources(snapshot: Snapshot) -> list[dict[str, object]]:
    """The sources of the snapshot with their descriptions and counts."""
    names = ("source", "title", "provider", "trial", "licence", "synthetic", "description", "read_count",
             "accepted_count", "quarantined_count")
    return [dict(zip(names, row, strict=True))
            for row in snapshot.fetch_rows(f"SELECT {', '.join(names)} FROM source ORDER BY source")]
