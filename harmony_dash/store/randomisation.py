"""By which day most patients who were to be randomised between two arms have been, and which trials did so."""

from __future__ import annotations

import math
from typing import Final

from harmony_dash.cohort.question import Question
from harmony_dash.store.conditions import Statement
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import enum_name, quote

# Waiting for the last one would lose the events until then. Who is randomised later is in neither arm.
MOST: Final = 0.5
LEAST_PATIENTS: Final = 30


def find_randomisations(snapshot: Snapshot, question: Question, comparison: str, arms: tuple[str, str],
                        ) -> dict[str, int]:
    """The randomised comparisons of two arms, and the day on the question's clock by which most were randomised.

    They are those of the disease, the same for every cohort of it, so that they tell of none.

    Parameters
    ----------
    question : grouped by the randomised arm.
    comparison : the variable that names the randomised comparison.

    Returns
    -------
    Name to day; comparisons with hardly any patients in either arm are left out.
    """
    if question.by is None:
        raise ValueError("arms are groups")
    variable = snapshot.dictionary[question.by]
    statement = Statement(question, snapshot.dictionary)
    name, column = quote(comparison), quote(variable.name)
    first, second = (f"{column} = {statement.bind(arm)}::{enum_name(variable)}" for arm in arms)
    rows = snapshot.fetch_rows(
        f"SELECT {name}::VARCHAR, quantile_cont({statement.on_clock(variable.day_variable)}, {MOST}), "
        f"least(count(*) FILTER (WHERE {first}), count(*) FILTER (WHERE {second})) FROM patient "
        f"WHERE {statement.disease()} AND {name} IS NOT NULL AND ({first} OR {second}) GROUP BY {name} ORDER BY 1",
        statement.parameters)
    return {found: max(0, math.ceil(day)) for found, day, fewest in rows
            if fewest >= LEAST_PATIENTS and day is not None}


def find_randomised_strata(snapshot: Snapshot, question: Question, arm_variable: str, strata: str,
                           arms: tuple[str, str]) -> frozenset[str]:
    """The trials (or other strata) of a disease that allocated patients to both arms at random.

    Parameters
    ----------
    arm_variable : holds the randomised arm.

    Returns
    -------
    Their names; those with hardly any such patients in either arm are left out.
    """
    statement, variable = Statement(question, snapshot.dictionary), snapshot.dictionary[arm_variable]
    column, name = quote(variable.name), quote(strata)
    first, second = (f"count(*) FILTER (WHERE {column} = {statement.bind(arm)}::{enum_name(variable)})" for arm in arms)
    rows = snapshot.fetch_rows(
        f"SELECT {name}::VARCHAR, least({first}, {second}) FROM patient WHERE {statement.disease()} "
        f"AND {name} IS NOT NULL GROUP BY {name}", statement.parameters)
    return frozenset(stratum for stratum, fewest in rows if fewest >= LEAST_PATIENTS)
