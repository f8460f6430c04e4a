"""Patients of two arms row by row: the one statement whose rows reach a service, for models that need covariates.

Rows carry neither a patient's number nor a record key, and go no further than the service that fits the models.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.stats.event_table import Floats, Ints
from harmony_dash.store.columns import as_integers
from harmony_dash.store.conditions import Statement
from harmony_dash.store.event_tables import figure_conditions
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import enum_name, quote

UNKNOWN = -1


@dataclass(frozen=True)
class ArmRows:
    """Patients of two arms.

    Attributes
    ----------
    day, cause : shape (n,); days from time zero or the landmark; 0 censored, else the number of the cause.
    arm : shape (n,); 0 for the reference, 1 for the arm compared with it.
    stratum : shape (n,); position among the values of the strata, UNKNOWN without one.
    codes : categorical variable to shape (n,); position among its values, UNKNOWN without one.
    numbers : numeric variable to shape (n,); NaN without a value.
    chosen : categorical variable to the positions of the values that a filter leaves; without those it leaves alone.
    """

    day: Ints
    cause: Ints
    arm: Ints
    stratum: Ints
    codes: Mapping[str, Ints]
    numbers: Mapping[str, Floats]
    chosen: Mapping[str, frozenset[int]] = field(default_factory=dict)


def fetch_arm_rows(snapshot: Snapshot, question: Question, arms: tuple[str, str], strata: str,
                   covariates: Sequence[str]) -> ArmRows:
    """The patients of the figure in either arm, as they were known on the landmark day.

    Parameters
    ----------
    question : passed the low-effect rule; grouped by the strategy.
    arms : two of its values.
    strata : a categorical variable.
    covariates : names of askable variables.

    Returns
    -------
    ArmRows, in the order in which the snapshot holds the patients.
    """
    if question.by is None:
        raise ValueError("arms are groups")
    statement, endpoint = Statement(question, snapshot.dictionary), endpoint_named(question.endpoint)
    by, type_ = statement.column(question.by), enum_name(snapshot.dictionary[question.by])
    reference, compared = (f"{statement.bind(arm)}::{type_}" for arm in arms)
    dictionary = snapshot.dictionary
    columns = [f"({quote(f'{endpoint.name}_days')} - {question.landmark_days:d}) AS day",
               f"{quote(f'{endpoint.name}_cause')} AS cause", f"({by} = {compared})::INTEGER AS arm",
               f"coalesce(enum_code({statement.column(strata)})::INTEGER, {UNKNOWN}) AS stratum"]
    for place, name in enumerate(covariates):
        column = statement.column(name)
        value = (f"coalesce(enum_code({column})::INTEGER, {UNKNOWN})" if dictionary[name].is_categorical
                 else f"coalesce({column}::DOUBLE, 'nan'::DOUBLE)")
        columns.append(f"{value} AS c{place}")
    where = " AND ".join([statement.cohort(), *figure_conditions(statement, late_entry=snapshot.late_entry),
                          f"{by} IN ({reference}, {compared})"])
    found = snapshot.fetch_columns(f"SELECT {', '.join(columns)} FROM patient WHERE {where}", statement.parameters)
    codes = {name: as_integers(found[f"c{place}"]) for place, name in enumerate(covariates)
             if dictionary[name].is_categorical}
    numbers = {name: np.ma.getdata(found[f"c{place}"]).astype(np.float64) for place, name in enumerate(covariates)
               if name not in codes}
    return ArmRows(as_integers(found["day"]), as_integers(found["cause"]), as_integers(found["arm"]),
                   as_integers(found["stratum"]), codes, numbers, _chosen(snapshot, question, codes))


def _chosen(snapshot: Snapshot, question: Question, names: Iterable[str]) -> dict[str, frozenset[int]]:
    chosen: dict[str, frozenset[int]] = {}
    for item in question.where:
        if isinstance(item, OneOf) and item.variable in names:
            values = snapshot.values_of(snapshot.dictionary[item.variable])
            left = frozenset(place for place, value in enumerate(values) if value in item.values)
            chosen[item.variable] = chosen.get(item.variable, left) & left
    return chosen
