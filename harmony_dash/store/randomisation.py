"""Randomised comparisons of two arms: which there are, which trials drew them, and their patients from that day on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from harmony_dash.cohort.endpoints import Endpoint, TimeZero
from harmony_dash.cohort.question import Question
from harmony_dash.store.conditions import Statement
from harmony_dash.store.parts import PartOfSnapshot
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import enum_name, quote

LEAST_PATIENTS: Final = 30
# Of a trial's patients in either arm; the others were given theirs by somebody's choice.
NEARLY_ALL: Final = 0.95
# Who was randomised earlier is hardly anybody.
_EARLY: Final = 0.05
_DAY: Final = "rand_days"


@dataclass(frozen=True)
class Randomisation:
    """One randomised comparison of two arms in one trial, as all patients of the disease tell of it.

    Attributes
    ----------
    name : of the comparison. Trials may share it and be comparisons of their own: each drew lots in its own shares.
    trial : that drew the lots.
    label : words for it; with the trial where others are found under the same name.
    patients : randomised to either arm.
    day : from diagnosis on, by which half of those with a day of randomisation were randomised; None without any.
    first_day : by which no more than one in twenty of them were.
    dated : of each arm, the share with a day of randomisation.
    """

    name: str
    trial: str
    label: str
    patients: int
    day: int | None
    first_day: int | None
    dated: tuple[float, float]


def find_randomisations(snapshot: Snapshot, question: Question, comparison: str, trial: str, arms: tuple[str, str],
                        ) -> tuple[Randomisation, ...]:
    """The randomised comparisons of two arms, by name and trial.

    They are those of the disease, the same for every cohort of it, so that they tell of none. Comparisons with hardly
    any patients in either arm are left out, and patients of no recorded trial are in none.

    Parameters
    ----------
    question : grouped by the randomised arm.
    comparison, trial : the variables that name the randomised comparison and its trial.
    """
    statement, first, second = _arms(snapshot, question, arms)
    name, by = quote(comparison), quote(trial)
    sizes = [f"count(*) FILTER (WHERE {arm})" for arm in (first, second)]
    dated = ", ".join(f"count({_DAY}) FILTER (WHERE {arm}) / {n}"
                      for arm, n in zip((first, second), sizes, strict=True))
    rows = snapshot.fetch_rows(
        f"SELECT {name}::VARCHAR, {by}::VARCHAR, count(*), quantile_cont({_DAY}, 0.5), "
        f"quantile_disc({_DAY}, {_EARLY}), {dated} FROM patient WHERE {statement.disease()} AND {name} IS NOT NULL "
        f"AND {by} IS NOT NULL AND ({first} OR {second}) GROUP BY {name}, {by} "
        f"HAVING least({', '.join(sizes)}) >= {LEAST_PATIENTS} ORDER BY 1, 2", statement.parameters)
    used = Counter(row[0] for row in rows)
    return tuple(Randomisation(found, where, f"{found}, {where}" if used[found] > 1 else found, int(patients),
                               None if day is None else math.ceil(day), None if early is None else int(early),
                               (float(share), float(other)))
                 for found, where, patients, day, early, share, other in rows)


def find_randomised_strata(snapshot: Snapshot, question: Question, strategy: str, strata: str, arms: tuple[str, str],
                           ) -> Mapping[str, bool]:
    """The trials (or other strata) of a disease that allocated patients to both arms at random.

    Parameters
    ----------
    question : grouped by the randomised arm.
    strategy : the variable by which patients of a trial are in either arm, at random or not.

    Returns
    -------
    Name to whether nearly all of its patients in either arm were allocated at random; those with hardly any such
    patients in either arm are left out.
    """
    statement, first, second = _arms(snapshot, question, arms)
    name, variable = quote(strata), snapshot.dictionary[strategy]
    either = ", ".join(f"{statement.bind(arm)}::{enum_name(variable)}" for arm in arms)
    rows = snapshot.fetch_rows(
        f"SELECT {name}::VARCHAR, count(*) FILTER (WHERE {first} OR {second}), "
        f"count(*) FILTER (WHERE {first} OR {second} OR {quote(strategy)} IN ({either})) FROM patient "
        f"WHERE {statement.disease()} AND {name} IS NOT NULL GROUP BY {name} "
        f"HAVING least(count(*) FILTER (WHERE {first}), count(*) FILTER (WHERE {second})) >= {LEAST_PATIENTS}",
        statement.parameters)
    return {stratum: randomised >= NEARLY_ALL * patients for stratum, randomised, patients in rows}


def _arms(snapshot: Snapshot, question: Question, arms: tuple[str, str]) -> tuple[Statement, str, str]:
    """The statement, and the conditions of being randomised to each arm."""
    if question.by is None:
        raise ValueError("arms are groups")
    statement, variable = Statement(question, snapshot.dictionary), snapshot.dictionary[question.by]
    first, second = (f"{quote(variable.name)} = {statement.bind(arm)}::{enum_name(variable)}" for arm in arms)
    return statement, first, second


@dataclass(frozen=True)
class RandomisedSnapshot(PartOfSnapshot):
    """The patients of one randomised comparison of one trial, every day of theirs counted from their randomisation.

    A question without a landmark then starts on that day, for everybody who was randomised and whose outcome is known.
    What happened by that day is known, what happens later is not. An endpoint that starts at remission is that of
    patients who were in remission by then. Events on the day of randomisation count.

    Attributes
    ----------
    chance : the randomised comparison.
    comparison, trial : the variables that name it and its trial.
    endpoint : the only one that is followed.
    """

    chance: Randomisation
    comparison: str
    trial: str
    endpoint: Endpoint

    def parameters(self) -> Mapping[str, Any]:
        """As of a part."""
        return {"randomisation": self.chance.name, "randomised_in": self.chance.trial}

    def select(self) -> str:
        """As of a part."""
        days, from_remission = quote(f"{self.endpoint.name}_days"), self.endpoint.time_zero is TimeZero.REMISSION
        last = f"({days} + cr_days - {_DAY})" if from_remission else f"({days} - {_DAY})"
        moved = {days: last, _DAY: "0::INTEGER", "first_event_days": "NULL::INTEGER",
                 "cr_days": "0::INTEGER" if from_remission else f"(cr_days - {_DAY})"}
        others = {variable.day_variable for variable in self.dictionary.variables.values()} | {"entry_days"}
        moved |= {quote(day): f"({quote(day)} - {_DAY})" for day in sorted(others - {"", *moved})}
        here = (f"{quote(self.comparison)}::VARCHAR = $randomisation AND {quote(self.trial)}::VARCHAR = $randomised_in "
                f"AND coalesce(first_event_days >= {_DAY}, true)")
        if from_remission:
            here += f" AND cr_days <= {_DAY}"
        replaced = ", ".join(f"{value} AS {column}" for column, value in moved.items())
        return (f"SELECT * REPLACE ({replaced}) FROM {self.source()} "
                f"WHERE {here} AND {last} >= 0 AND {_DAY} IS NOT NULL")


def count_followed(snapshot: RandomisedSnapshot, question: Question, arms: tuple[str, str]) -> int:
    """How many of all randomised patients of the disease are followed from their randomisation on."""
    statement, first, second = _arms(snapshot, question, arms)
    rows = snapshot.fetch_rows(f"SELECT count(*) FROM patient WHERE {statement.disease()} AND ({first} OR {second})",
                               statement.parameters)
    return int(rows[0][0])
