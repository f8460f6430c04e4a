"""Filters on country and period at once single patients out, and no two answers differ by so few."""

from __future__ import annotations

import numpy as np
import pytest

from harmony_dash.cohort import Filter, Not, OneOf, Question
from harmony_dash.disclosure import Level, Scope
from harmony_dash.services.protection import plan_answer
from harmony_dash.store.membership import PatientSet, count_patients, fetch_bitmaps, find_close_pairs
from harmony_dash.store.reader import Snapshot, Store
from tests.disclosure.house import samples_of_run

SCOPE = Scope(Level.PROTECTED)
NAMES = ("country", "dx_period", "sex", "age_group")
TARGETS = 6


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Store(samples_of_run(tmp_path_factory)).current()


def find_alone(snapshot: Snapshot) -> list[tuple[str, ...]]:
    """Values that one patient alone has, of country, period, sex and age group."""
    listed = ", ".join(f"{name}::VARCHAR" for name in NAMES)
    known = " AND ".join(f"{name} IS NOT NULL" for name in NAMES)
    rows = snapshot.fetch_rows(f"SELECT {listed} FROM patient WHERE disease::VARCHAR = 'ALL' AND {known} "
                               "GROUP BY ALL HAVING count(*) = 1 ORDER BY ALL")
    return [tuple(row) for row in np.random.default_rng(1).permutation(np.array(rows, dtype=str)).tolist()]


def test_no_two_answers_around_a_patient_alone_in_country_and_period_differ_by_few(snapshot: Snapshot) -> None:
    """Each characteristic asked for, left out or negated: 81 questions a patient."""
    alone = find_alone(snapshot)
    assert len(alone) > 20
    answered_with_both = 0
    for values in alone[:TARGETS]:
        sets = set()
        for part in np.ndindex(3, 3, 3, 3):
            where: tuple[Filter, ...] = tuple(
                OneOf(name, (value,)) if chosen == 1 else Not(OneOf(name, (value,)))
                for name, value, chosen in zip(NAMES, values, part, strict=True) if chosen)
            answered = plan_answer(snapshot, Question("ALL", "os", where), SCOPE).question
            if answered is not None:
                sets.add(PatientSet(answered, figure=True))
        bitmaps = fetch_bitmaps(snapshot, sorted(sets, key=lambda one: one.question.canonical_json))
        drawn = bitmaps[count_patients(bitmaps) >= SCOPE.rules.minimum_patients]
        assert len(drawn) > 10
        assert find_close_pairs(drawn, np.full(len(drawn), SCOPE.rules.minimum_cell)) == []
        answered_with_both += sum({"country", "dx_period"} <= set(one.question.variables) for one in sets)
    assert answered_with_both > 10
