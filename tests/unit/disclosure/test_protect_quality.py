"""Checks as they leave: rounded, small numbers hidden, and verdicts that tell no more than the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount
from harmony_dash.disclosure.protect_quality import protect_check, tally
from harmony_dash.disclosure.quality_results import (
    CheckResult,
    QualityResult,
    ReasonCount,
    RiskCell,
    RiskMatrix,
    SourceQuality,
    TrendPoint,
)
from harmony_dash.quality.model import Category, Check, Judgement, Verdict

SCOPE = Scope(Level.PROTECTED)


def keyed(n: int) -> KeyedCount:
    return KeyedCount(n, n * 0x9E3779B97F4A7C15 % (1 << 64) if n else 0)


def make_check(judgement: Judgement = Judgement.SHARE, **changes: Any) -> Check:
    values = {"warn": 0.0, "fail": 0.01, "least": 1, **changes}
    return Check("type.variable", "completeness", Category.COMPLETENESS, "variable", "Variable", "missing", "patients",
                 judgement, **values)


def make_result(failing: int | None = 3, asked: int = 400, **changes: Any) -> CheckResult:
    values: dict[str, Any] = {"check": make_check(), "failing": None if failing is None else keyed(failing),
                              "asked": keyed(asked), "value": None, "verdict": Verdict.WARN, **changes}
    return CheckResult(**values)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(20, 5000), st.sampled_from([
    make_check(), make_check(warn=0.05), make_check(Judgement.LACK, warn=0.005), make_check(Judgement.LACK, warn=0.0),
    make_check(Judgement.WITHIN, low=1.0, high=60.0), make_check(Judgement.SHIFT, warn=0.1, fail=0.25)]))
def test_nothing_tells_one_small_number_from_another(one: int, other: int, asked: int, check: Check) -> None:
    before = {"failing_before": keyed(150), "asked_before": keyed(300)}
    first, second = (protect_check(make_result(n, asked, check=check, **before), SCOPE) for n in (one, other))
    assert replace(first, failing_before=None) == replace(second, failing_before=None)
    assert first.failing is None and first.share is None


@given(st.integers(0, 9), st.integers(0, 9), st.integers(30, 5000))
def test_nothing_tells_one_small_rest_from_another(one: int, other: int, asked: int) -> None:
    check = make_check(warn=0.3, fail=0.6, least=20)
    first, second = (protect_check(make_result(asked - rest, asked, check=check), SCOPE) for rest in (one, other))
    assert first == second
    assert first.nearly_all and first.failing is None and first.verdict in (Verdict.FAIL, Verdict.WARN)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_what_is_shown_is_a_multiple_of_five_and_never_small(first: int, second: int) -> None:
    shown = protect_check(make_result(min(first, second), max(first, second)), SCOPE)
    for n in (shown.failing, shown.asked):
        assert n is None or (n >= 10 and n % 5 == 0)


def test_a_refused_row_is_told_of_but_not_how_many() -> None:
    hidden = [protect_check(make_result(n, refused=True), SCOPE) for n in (1, 9)]
    assert {(one.verdict, one.failing) for one in hidden} == {(Verdict.WARN, None)}
    assert protect_check(make_result(0), SCOPE).verdict is Verdict.PASS


def test_a_few_accepted_patients_do_not_show_in_the_verdict() -> None:
    assert [protect_check(make_result(n), SCOPE).verdict for n in (0, 1, 9, 10)] == [
        Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.FAIL]


def test_a_column_without_any_value_fails_although_the_rest_is_hidden() -> None:
    check = make_check(warn=0.5, fail=0.9, least=20)
    shown = protect_check(make_result(400, 400, check=check), SCOPE)
    assert (shown.verdict, shown.nearly_all, shown.failing) == (Verdict.FAIL, True, None)


def test_a_median_of_enough_patients_has_two_digits_and_survival_is_judged_only() -> None:
    check = make_check(Judgement.WITHIN, low=3.0, high=80.0, fail=3.0)
    assert protect_check(make_result(None, 200, check=check, value=14.321), SCOPE).value == 14
    few = protect_check(make_result(None, 39, check=check, value=200.0), SCOPE)
    assert (few.value, few.verdict) == (None, Verdict.NOT_APPLICABLE)
    survival = replace(check, low=80.0, high=90.0)
    judged = protect_check(make_result(None, 200, check=survival, value=61.0, events=60), SCOPE)
    assert (judged.value, judged.verdict) == (None, Verdict.WARN)
    rare = protect_check(make_result(None, 200, check=survival, value=61.0, events=9), SCOPE)
    assert rare.verdict is Verdict.NOT_APPLICABLE


def test_a_check_that_meant_something_else_before_is_not_judged() -> None:
    check = make_check(Judgement.SHIFT, warn=0.1, fail=0.2)
    shown = protect_check(make_result(200, check=check, comparable=False), SCOPE)
    assert shown.verdict is Verdict.NOT_APPLICABLE


def test_a_count_without_a_key_is_refused() -> None:
    with pytest.raises(TypeError, match="key"):
        protect_check(CheckResult(make_check(), 30, 400, None, Verdict.PASS), SCOPE)


def make_source(**changes: Any) -> SourceQuality:
    results = (make_result(0, verdict=Verdict.PASS), make_result(120, verdict=Verdict.FAIL))
    values: dict[str, Any] = {"source": "example", "title": "Example", "provider": "P", "accepted": keyed(400),
                              "refused": keyed(4), "results": results, "tallies": tally(results), **changes}
    return SourceQuality(**values)


def make_quality(source: SourceQuality, *, detailed: bool = True) -> QualityResult:
    return QualityResult("20261121T120000Z-12345678", "2026-11-21T12:00:00+00:00", True, (source,), detailed)


def test_reasons_lose_their_rows_and_a_few_kept_rows_are_not_told_of() -> None:
    reasons = tuple(ReasonCount("f.csv", "c", "sex", "RANGE", "words", refused, keyed(n), (1, 2, 3))
                    for refused, n in ((True, 3), (True, 30), (False, 3), (False, 30)))
    shown = release(make_quality(make_source(reasons=reasons)), SCOPE).value.sources[0].reasons
    assert [(one.refused, one.n is None, one.rows) for one in shown] == [
        (True, True, ()), (True, False, ()), (False, False, ())]


def test_an_empty_cell_of_the_matrix_looks_like_a_small_one() -> None:
    def shown(n: int) -> tuple[int | None, ...]:
        cells = (RiskCell("SR", "SR", keyed(200)), RiskCell("SR", "HR", keyed(n) if n else NOBODY),
                 RiskCell("HR", "SR", keyed(40)), RiskCell("HR", "HR", keyed(90)))
        released = release(make_quality(make_source(matrices=(RiskMatrix("nci_risk", "NCI", cells),))), SCOPE)
        return tuple(cell.n for cell in released.value.sources[0].matrices[0].cells)

    assert shown(0)[1] is None and shown(9)[1] is None
    assert all(n is None or n % 5 == 0 for n in shown(4))


def test_tallies_count_the_verdicts_that_are_shown_in_the_trend_too() -> None:
    point = TrendPoint("earlier", "2026", (make_result(3),), (), tally((make_result(3),)))
    shown = release(make_quality(make_source(trend=(point,))), SCOPE).value.sources[0]
    assert [(one.failed, one.warned, one.passed) for one in shown.tallies if one.category is Category.COMPLETENESS] == [
        (1, 0, 1)]
    assert [one.passed for one in shown.trend[0].tallies if one.category is Category.COMPLETENESS] == [1]
    assert (shown.accepted or 0) % 5 == 0 and shown.refused is None


def test_a_summary_keeps_what_failed_or_warned_and_counts_all() -> None:
    shown = release(make_quality(make_source(), detailed=False), SCOPE).value.sources[0]
    assert [one.verdict for one in shown.results] == [Verdict.FAIL]
    assert sum(one.passed for one in shown.tallies) == 1


def test_exact_results_keep_their_numbers_without_keys() -> None:
    reason = ReasonCount("f.csv", "c", "sex", "RANGE", "words", True, keyed(3), (5, 6, 7))
    shown = release(make_quality(make_source(reasons=(reason,))), Scope(Level.EXACT)).value.sources[0]
    assert [type(n) for n in (shown.accepted, shown.results[1].failing, shown.reasons[0].n)] == [int] * 3
    assert shown.reasons[0].rows == (5, 6, 7) and shown.refused == 4
