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
from harmony_dash.stats.event_table import EventKeys, EventTable
from harmony_dash.store.columns import as_integers, as_keys
from harmony_dash.store.conditions import Statement, entry_day
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.record_keys import key_sql
from harmony_dash.store.schema import quote

ALL_PATIENTS = "all"
# The stratum of patients without a value of the strata; no value is empty.
NOT_RECORDED = ""
_ENTRY = -1  # stands where a patient's cause stands, in rows that count who enters


def event_table_sql(question: Question, dictionary: Dictionary, *, late_entry: bool = False,
                    ) -> tuple[str, dict[str, Any]]:
    """The statement and its bound values.

    Returns one row per (group, stratum, day, cause) with columns grp, stratum, day, cause, n, key: the patients who
    leave that day, cause 0 for censored, and their key; cause -1 for those who enter. Days count from the landmark;
    patients without a value for the endpoint or the group are left out, those without a stratum are in stratum -1.
    """
    endpoint = endpoint_named(question.endpoint)
    statement = Statement(question, dictionary)
    days, cause = quote(f"{endpoint.name}_days"), quote(f"{endpoint.name}_cause")
    group = f"enum_code({statement.column(question.by)})" if question.by else "0"
    stratum = f"coalesce(enum_code({statement.column(question.strata)})::BIGINT, -1)" if question.strata else "0"
    where = " AND ".join([statement.cohort(), *figure_conditions(statement, late_entry=late_entry)])
    shift = f" - {question.landmark_days:d}" if question.landmark_days else ""
    counts = f"count(*) AS n, {key_sql()} AS key"
    # A cause a group and not a cause a column: the engine then keeps two numbers a group instead of two a cause.
    sql = (f"SELECT {group} AS grp, {stratum} AS stratum, {days}{shift} AS day, {cause} AS cause, {counts} "
           f"FROM patient WHERE {where} GROUP BY grp, stratum, day, cause")
    if late_entry:
        entry = f"{entry_day(question)} - {question.landmark_days:d}"
        sql += (f" UNION ALL SELECT {group} AS grp, {stratum} AS stratum, {entry} AS day, {_ENTRY} AS cause, {counts} "
                f"FROM patient WHERE {where} AND {entry} > 0 GROUP BY grp, stratum, day")
    return sql, statement.parameters


def figure_conditions(statement: Statement, *, late_entry: bool) -> list[str]:
    """What a patient of the cohort must meet to have a place in the figure: a value for the endpoint and the group, and
    follow-up beyond the landmark and beyond the own entry.

    Strata are none of it. If they were, asking for them would take patients away without a filter that says so.
    """
    question = statement.question
    days = quote(f"{endpoint_named(question.endpoint).name}_days")
    conditions = [f"{days} IS NOT NULL"]
    if question.by:
        conditions.append(f"{statement.column(question.by)} IS NOT NULL")
    if question.landmark_days:
        conditions.append(f"{days} > {question.landmark_days:d}")
    if late_entry:
        conditions.append(f"coalesce({days} > {entry_day(question)}, true)")
    return conditions


def fetch_event_table(snapshot: Snapshot, question: Question) -> EventTable:
    """Run the statement on a snapshot.

    Returns
    -------
    EventTable whose groups are all values of the grouping variable in display order (empty ones included), or the one
    group "all"; strata likewise, with NOT_RECORDED as the last one; causes those of the endpoint. It has keys.
    """
    sql, parameters = event_table_sql(question, snapshot.dictionary, late_entry=snapshot.late_entry)
    columns = snapshot.fetch_columns(sql, parameters)
    endpoint = endpoint_named(question.endpoint)
    # Columns entries, censored, cause 1, …: each row of the statement fills one of them.
    cell = as_integers(columns["cause"])[:, None] == np.arange(_ENTRY, len(endpoint.causes) + 1)
    counts = cell * as_integers(columns["n"])[:, None]
    keys = cell * as_keys(columns["key"])[:, None]
    strata, stratum = _strata(snapshot, question.strata), as_integers(columns["stratum"])
    return EventTable.from_counts(
        _labels(snapshot, question.by), strata, endpoint.causes,
        as_integers(columns["grp"]), np.where(stratum < 0, len(strata) - 1, stratum), as_integers(columns["day"]),
        counts[:, 1], counts[:, 2:], counts[:, 0], keys=EventKeys(keys[:, 1], keys[:, 2:], keys[:, 0]))


def _labels(snapshot: Snapshot, name: str | None) -> Sequence[str]:
    return snapshot.values_of(snapshot.dictionary[name]) if name else (ALL_PATIENTS,)


def _strata(snapshot: Snapshot, name: str | None) -> Sequence[str]:
    return (*_labels(snapshot, name), *([NOT_RECORDED] if name else []))
