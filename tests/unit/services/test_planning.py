"""What planning starts from, how far it carries, and what it says where it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.released import Level, Scope, make_released
from harmony_dash.services.planning import (
    cap_follow_up,
    describe_follow_up,
    describe_start,
    explain_short_follow_up,
    plan_precision,
    suggest_share,
)
from harmony_dash.store.reader import Snapshot
from tests.factories import make_store
from tests.unit.charts.feasibility import make_feasibility

CHILDREN = OneOf("age_group", ("1-9", "10-17"))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return replace(make_store(Path(tmp_path_factory.mktemp("planning")), 50), created="2026-11-22T10:00:00+00:00")


def periods(*values: str) -> OneOf:
    return OneOf("dx_period", values)


@pytest.mark.parametrize(("where", "horizon", "year"), [
    ((), 3653, None), ((CHILDREN,), 3653, None),
    ((periods("2015-2019", "2020-2024"),), 3653, 2024), ((periods("2015-2019"),), 3653, 2019),
    ((periods("2015-2019"),), 1826, None), ((periods("before-1990"),), 3653, None),
    ((periods("2020-2024"),), 365, None), ((periods("2025-2029"),), 365, 2029),
    ((Not(periods("2020-2024", "2025-2029")),), 3653, 2019), ((Not(Missing("dx_period")),), 365, 2029),
    ((periods("2010-2014", "2020-2024"), Not(periods("2020-2024"))), 3653, None),
    ((AnyOf((periods("2020-2024"), OneOf("sex", ("F",)))),), 3653, None)])
def test_follow_up_is_bound_by_the_last_year_of_diagnosis_and_the_snapshot(
        snapshot: Snapshot, where: tuple[Filter, ...], horizon: int, year: int | None) -> None:
    words = explain_short_follow_up(Question("ALL", "os", where, horizon_days=horizon), snapshot)
    assert bool(words) == (year is not None)
    if year is not None:
        assert f"up to the end of {year} cannot all have been followed" in words
        assert words.endswith("by the day of the snapshot, 2026-11-22.")


@pytest.mark.parametrize(("where", "days"), [
    ((periods("2015-2019"),), (date(2026, 11, 22) - date(2017, 7, 2)).days),
    ((periods("2010-2014", "2015-2019"),), (date(2026, 11, 22) - date(2014, 12, 31)).days),
    ((), None), ((periods("before-1990"),), None), ((periods("before-1990", "1990-1994"),), None)])
def test_the_calendar_ends_follow_up_from_the_middle_of_the_periods_on(
        snapshot: Snapshot, where: tuple[Filter, ...], days: int | None) -> None:
    found = cap_follow_up(Question("ALL", "os", where), snapshot)
    assert found == (None if days is None else pytest.approx(days, abs=1))


def test_nothing_is_expected_where_follow_up_cannot_reach() -> None:
    result = make_feasibility(too_short="No expectation is given, and why.")
    assert plan_precision(make_released(result, Scope(Level.PROTECTED)), 0.9) is None
    assert describe_follow_up(result, None) == "No expectation is given, and why."


def test_the_median_of_all_patients_is_named_as_an_assumption() -> None:
    result = make_feasibility()
    expected = plan_precision(make_released(result, Scope(Level.PROTECTED)), 0.9)
    words = ("If follow-up ended at a constant rate with the median of all patients (7.5 years), about 63 % would be "
             "followed that long.")
    assert describe_follow_up(result, expected) == words
    of_trial = replace(result, question=replace(result.question, where=(OneOf("trial", ("ALL-11",)),)))
    assert describe_follow_up(of_trial, expected) == f"{words} It is not the median of the trial asked for."
    assert describe_follow_up(make_feasibility(n=None), None) == ""
    of_period = make_feasibility(follow_up_of="the median of all patients of these periods of diagnosis")
    assert "with the median of all patients of these periods of diagnosis (7.5 years)" in describe_follow_up(
        of_period, expected)


@pytest.mark.parametrize(("where", "start"), [
    ((CHILDREN,), 0.918), ((), 0.918), ((Between("age_dx_years", 1, 18, False),), 0.918),
    ((OneOf("age_group", ("1-9", "18-39")),), 0.918), ((OneOf("age_group", ("18-39",)),), 0.585),
    ((OneOf("age_group", ("<1",)),), 0.582), ((Between("age_dx_years", None, 1, False),), 0.582),
    ((OneOf("age_group", ("<1", "1-9")),), None), ((Between("age_dx_years", None, 18, False),), None),
    ((Not(OneOf("age_group", ("18-39",))),), None), ((AnyOf((OneOf("age_group", ("<1",)), CHILDREN)),), None),
    ((OneOf("age_group", ("<1", "1-9")), Between("age_dx_years", 1, 18, False)), 0.918)])
def test_infants_are_planned_with_their_own_outcome_or_none(where: tuple[Filter, ...], start: float | None) -> None:
    found = suggest_share(Question("ALL", "os", where))
    assert (found.share if found else None) == start


@pytest.mark.parametrize(("where", "horizon", "words"), [
    ((CHILDREN,), 1826, ""), ((CHILDREN,), 1096, "Set what you expect at 3 years."),
    ((), 1826, "Set what you expect of infants, children and adults together."),
    ((OneOf("age_group", ("10-17", "18-39")),), 1826, "Set what you expect of children and adults together.")])
def test_a_published_start_that_does_not_fit_says_so(where: tuple[Filter, ...], horizon: int, words: str) -> None:
    question = Question("ALL", "os", where, horizon_days=horizon)
    text = describe_start(question, suggest_share(question))
    assert text.startswith("The assumption starts at 91.8 %, published at 5 years for DCOG ALL10")
    assert text.endswith(words or "2016.")


def test_the_figure_for_infants_has_its_own_horizon() -> None:
    question = Question("ALL", "os", (OneOf("age_group", ("<1",)),), horizon_days=1826)
    assert describe_start(question, suggest_share(question)) == (
        "The assumption starts at 58.2 %, published at 6 years for Interfant-06, infants, Pieters, J Clin Oncol 2019. "
        "Set what you expect at 5 years.")
    assert "no published figure" in describe_start(question, None)
