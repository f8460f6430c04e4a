"""Strata change tests and nothing else: who is counted does not depend on them, so asking for them isolates nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort import Filter, Missing, OneOf, Question
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import Curve, IntervalType
from harmony_dash.services.survival import DEFAULT_DAYS, prepare_question
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.store.counts import fetch_cohort_flow
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.membership import PatientSet, fetch_bitmaps
from harmony_dash.store.reader import Snapshot, Store
from tests.disclosure.house import samples_of_run

# Everything is known by then, so that every variable can stratify.
LANDMARK = 365
STRATA = tuple(v.name for v in load_dictionary().askable("ALL") if v.is_categorical and v.name != "disease")
# What strata may change, and the words about it.
_OF_TESTS = ("question", "title", "log_rank", "pairwise", "gray", "reference", "over_time", "methods", "summary",
             "notes")
_WHERE: tuple[Filter, ...] = (OneOf("sex", ("F",)), OneOf("age_group", ("1-9", "10-17")), Missing("cna_ikzf1"),
                              OneOf("immunophenotype", ("B",)))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Store(samples_of_run(tmp_path_factory)).current()


def everything_but_tests(snapshot: Snapshot, question: Question, level: Level) -> dict[str, Any]:
    """What is released of a question, with arrays as bytes so that they can be compared."""
    scope = Scope(level)
    prepared = prepare_question(question, snapshot)
    result = release(compute_survival(snapshot, prepared, question, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                      scope=scope), scope).value
    result = replace(result, groups=tuple(replace(group, hazard_ratio=None) for group in result.groups))
    return {name: comparable(value) for name, value in vars(result).items() if name not in _OF_TESTS}


def comparable(value: Any) -> Any:
    if isinstance(value, Curve):
        return comparable(vars(value))
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [comparable(part) for part in value]
    return comparable(vars(value)) if hasattr(value, "__dict__") else value


@pytest.mark.parametrize("strata", STRATA)
def test_strata_change_no_curve_count_or_flow(snapshot: Snapshot, strata: str) -> None:
    by = "sex" if strata != "sex" else "cyto_group"
    for level, endpoint in ((Level.PROTECTED, "os"), (Level.EXACT, "relapse")):
        plain = Question("ALL", endpoint, (OneOf("age_group", ("1-9", "10-17")),), by=by, landmark_days=LANDMARK)
        answer = everything_but_tests(snapshot, plain, level)
        assert answer["groups"]
        assert everything_but_tests(snapshot, replace(plain, strata=strata), level) == answer


@settings(max_examples=40, derandomize=True, deadline=None)
@given(strata=st.sampled_from(STRATA), by=st.sampled_from(STRATA), endpoint=st.sampled_from(["os", "relapse", "smn"]),
       where=st.lists(st.sampled_from(_WHERE), max_size=2), landmark=st.sampled_from([LANDMARK, 731]))
def test_the_same_patients_are_in_the_figure_with_any_strata(
        snapshot: Snapshot, strata: str, by: str, endpoint: str, where: list[Filter], landmark: int) -> None:
    plain = Question("ALL", endpoint, tuple(where), by=by, landmark_days=landmark)
    stratified = replace(plain, strata=None if strata == by else strata)
    first, second = (fetch_event_table(snapshot, question) for question in (plain, stratified))
    pooled = second.pool_strata()
    for name in ("group", "day", "censored", "events", "entries"):
        assert np.array_equal(getattr(first, name), getattr(pooled, name)), name
    assert fetch_cohort_flow(snapshot, plain) == fetch_cohort_flow(snapshot, stratified)
    ours, theirs = fetch_bitmaps(snapshot, [PatientSet(plain, figure=True), PatientSet(stratified, figure=True)])
    assert np.array_equal(ours, theirs)


def test_patients_without_a_stratum_are_compared_among_each_other(snapshot: Snapshot) -> None:
    table = fetch_event_table(snapshot, Question("ALL", "os", by="sex", strata="cns_status"))
    unknown = fetch_event_table(snapshot, Question("ALL", "os", (Missing("cns_status"),), by="sex"))
    last = table.stratum == len(table.strata) - 1
    assert table.strata[-1] == ""
    assert unknown.patients.sum() > 0
    for name in ("group", "day", "censored", "events"):
        assert np.array_equal(getattr(table, name)[last], getattr(unknown, name)), name
