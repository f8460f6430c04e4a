"""The event-table statement: the one aggregation everything else rests on.

It is a single ANSI-shaped `GROUP BY` with bound values, so that the same text could run on another engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.conditions import Statement, entry_day
from harmony_dash.store.reader import Snapshot, as_integers
from harmony_dash.store.schema import quote

ALL_PATIENTS = "all"


def event_table_sql(question: Question, dictionary: Dictionary, *, late_entry: bool = False,
                    ) -> tuple[str, dict[str, Any]]:
    """The statement and its bound values.

    Returns one row per (group, stratum, day) with columns grp, stratum, day, censored, cause_1 …, entries. Days count
    from the landmark; patients without a value for the endpoint, the group or the stratum are left out.
    """
    endpoint = endpoint_named(question.endpoint)
    statement = Statement(question, dictionary)
    days, cause = quote(f"{endpoint.name}_days"), quote(f"{endpoint.name}_cause")
    group = f"enum_code({statement.column(question.by)})" if question.by else "0"
    stratum = f"enum_code({statement.column(question.strata)})" if question.strata else "0"
    conditions = [statement.cohort(), f"{days} IS NOT NULL"]
    conditions += [f"{statement.column(name)} IS NOT NULL" for name in (question.by, question.strata) if name]
    if question.landmark_days:
        conditions.append(f"{days} > {question.landmark_days:d}")
    if late_entry:
        conditions.append(f"coalesce({days} > {entry_day(question)}, true)")
    where = " AND ".join(conditions)
    shift = f" - {question.landmark_days:d}" if question.landmark_days else ""
    counts = ", ".join(
        [f"count(*) FILTER (WHERE {cause} = 0) AS censored"]
        + [f"count(*) FILTER (WHERE {cause} = {number}) AS cause_{number}"
           for number in range(1, len(endpoint.causes) + 1)])
    sql = (f"SELECT {group} AS grp, {stratum} AS stratum, {days}{shift} AS day, {counts}, 0 AS entries "
           f"FROM patient WHERE {where} GROUP BY grp, stratum, day")
    if late_entry:
        entry = f"{entry_day(question)} - {question.landmark_days:d}"
        nothing = ", ".join(["0"] * (len(endpoint.causes) + 1))
        sql += (f" UNION ALL SELECT {group}, {stratum}, {entry} AS day, {nothing}, count(*) "
                f"FROM patient WHERE {where} AND {entry} > 0 GROUP BY ALL")
    return sql, statement.parameters


def fetch_event_table(snapshot: Snapshot, question: Question) -> EventTable:
    """Run the statement on a snapshot.

    Returns
    -------
    EventTable whose groups are all values of the grouping variable in display order (empty ones included), or the one
    group "all"; strata likewise; causes those of the endpoint.
    """
    sql, parameters = event_table_sql(question, snapshot.dictionary, late_entry=snapshot.late_entry)
    columns = snapshot.fetch_columns(sql, parameters)
    endpoint = endpoint_named(question.endpoint)
    causes = [as_integers(columns[f"cause_{number}"]) for number in range(1, len(endpoint.causes) + 1)]
    return EventTable.from_counts(
        _labels(snapshot, question.by), _labels(snapshot, question.strata), endpoint.causes,
        as_integers(columns["grp"]), as_integers(columns["stratum"]), as_integers(columns["day"]),
        as_integers(columns["censored"]), np.column_stack(causes), as_integers(columns["entries"]))


def _labels(snapshot: Snapshot, name: str | None) -> Sequence[str]:
    return snapshot.values_of(snapshot.dictionary[name]) if name else (ALL_PATIENTS,)
