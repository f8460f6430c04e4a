"""Random questions: any that a clinician can put together, and those that they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from harmony_dash.cohort import Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.cohort.filters import AnyOf
from harmony_dash.dictionary.model import Variable
from harmony_dash.disclosure.closed_questions import landmark_days
from harmony_dash.disclosure.grid import GRID
from harmony_dash.store.reader import Snapshot

MOST_CONDITIONS = 4
# What the cohort panel offers first, and what protocols stratify by.
EVERYDAY = ("country", "age_group", "sex", "dx_period", "trial", "immunophenotype", "cyto_group", "mrd_group",
            "cns_status", "wbc_band")


def random_question(snapshot: Snapshot, rng: np.random.Generator) -> Question:
    """Any question of the dictionary: filters of every kind, groups, strata, endpoint, landmark, horizon."""
    askable = [v for v in snapshot.dictionary.askable("ALL") if v.name != "disease"
               and (v.bands if v.is_numeric else snapshot.values_of(v))]
    groupable = [v.name for v in askable if v.is_categorical]
    chosen = rng.choice(len(askable), int(rng.integers(0, MOST_CONDITIONS + 1)), replace=False)
    where = [_random_filter(askable[place], snapshot, rng) for place in chosen]
    if len(where) > 1 and rng.random() < 0.1:
        where = [AnyOf(tuple(where[:2])), *where[2:]]
    endpoint = str(rng.choice(list(ENDPOINTS)))
    by, strata = (str(name) for name in rng.choice(groupable, 2, replace=False))
    question = Question("ALL", endpoint, tuple(where), by if rng.random() < 0.7 else None)
    return replace(
        question, strata=strata if question.by and rng.random() < 0.2 else None,
        landmark_days=int(rng.choice(landmark_days(endpoint))) if rng.random() < 0.5 else 0,
        horizon_days=int(rng.choice(GRID[4:41])) if rng.random() < 0.3 else None)


def _random_filter(variable: Variable, snapshot: Snapshot, rng: np.random.Generator) -> Filter:
    kind = rng.random()
    item: Filter
    if kind < 0.05:
        item = Missing(variable.name)
    elif variable.is_numeric:
        edges: list[float | None] = [None, *variable.bands, None]
        first, last = sorted(rng.choice(len(edges), 2, replace=False).tolist())
        if edges[first] is None and edges[last] is None:
            first = 1
        item = Between(variable.name, edges[first], edges[last], upper_included=False)
    else:
        values = snapshot.values_of(variable)
        count = min(len(values), int(rng.integers(1, 4)))
        item = OneOf(variable.name, tuple(str(value) for value in rng.choice(values, count, replace=False)))
    return Not(item) if kind > 0.85 else item


def realistic_question(patients: pd.DataFrame, conditions: int, rng: np.random.Generator, *,
                       several: bool, names: Sequence[str] = EVERYDAY) -> Question:
    """A question about patients like one of them: nobody asks for a country's patients in a trial that was never there.

    A patient is drawn, each as likely as any other, then the variables among those recorded of them, alike too. So
    values come as often as patients have them, and together as they come together. Whoever counts over questions of one
    to four conditions asks as many of each.

    Parameters
    ----------
    patients : their values, a column a variable.
    conditions : how many variables are filtered.
    several : whether a filter lists one to four values (half of the variable's values at most), drawn as often as
        patients have them, or that patient's alone.
    """
    while True:
        patient = patients.iloc[int(rng.integers(len(patients)))]
        known = [name for name in names if name in patients and isinstance(patient[name], str)]
        if len(known) >= conditions:
            break
    where = []
    for name in rng.choice(known, conditions, replace=False):
        values = {str(patient[name])}
        shares = patients[name].value_counts(normalize=True)
        shares = shares[shares > 0]
        most = max(1, min(4, len(shares) // 2))
        count = int(rng.integers(1, most + 1)) if several else 1
        if count > 1:
            others = shares.drop(str(patient[name]))
            values |= set(rng.choice(others.index.to_numpy(dtype=str), count - 1, replace=False,
                                     p=(others / others.sum()).to_numpy()).tolist())
        where.append(OneOf(str(name), tuple(sorted(values))))
    return Question("ALL", "os", tuple(where))
