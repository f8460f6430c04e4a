"""Checks as they leave: rounded, small numbers hidden, and verdicts that tell no more than the numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, union
from harmony_dash.disclosure.protect_quality import find_told, protect_check, tally
from harmony_dash.disclosure.quality_results import (
    CheckResult,
    QualityResult,
    ReasonCount,
    RiskCell,
    RiskMatrix,
    SourceQuality,
    TrendPoint,
)
from harmony_dash.disclosure.quality_words import asked_words, failing_words, found_words
from harmony_dash.disclosure.rounding import round_count
from harmony_dash.quality.model import Category, Check, Judgement, Showing, Verdict

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
    make_check(Judgement.LACK, warn=0.005, high=0.8, fail=0.97),
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
        (True, False, ()), (True, True, ()), (False, False, ())]


def test_neither_number_nor_place_tells_how_many_rows_a_hidden_reason_has() -> None:
    def shown(first: int, second: int) -> list[tuple[str, int | None]]:
        reasons = (ReasonCount("f.csv", "c", "death", "EVENT_TIME", "kept", False, keyed(80), outcome=True),
                   ReasonCount("f.csv", "a", "death", "RANGE", "many", True, keyed(first), outcome=True),
                   ReasonCount("f.csv", "b", "sex", "RANGE", "few", True, keyed(second)))
        released = release(make_quality(make_source(reasons=reasons)), SCOPE).value.sources[0].reasons
        return [(one.message, one.n) for one in released]

    assert shown(50, 3) == shown(2, 9) == [("many", None), ("few", None)]


# -- what is judged and not shown --------------------------------------------------------------------------------------


def test_a_check_that_rests_on_an_outcome_is_judged_and_not_shown() -> None:
    share = make_check(Judgement.SHIFT, warn=0.1, fail=0.25, showing=Showing.VERDICT)
    moved = protect_check(make_result(150, 300, check=share, failing_before=keyed(30), asked_before=keyed(300),
                                      share=0.5, share_before=0.1), SCOPE)
    assert moved.verdict is Verdict.FAIL
    median = make_check(Judgement.RATIO, warn=0.1, fail=0.25, showing=Showing.VERDICT)
    later = protect_check(make_result(None, 300, check=median, value=900.0, value_before=450.0,
                                      asked_before=keyed(300)), SCOPE)
    assert later.verdict is Verdict.FAIL
    for one in (moved, later):
        assert {one.failing, one.asked, one.share, one.value, one.share_before, one.value_before, one.failing_before,
                one.asked_before} == {None} and not one.nearly_all
        assert (failing_words(one, 10), asked_words(one, 10), found_words(one)) == ("not shown", "not shown", "–")


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 800), st.booleans())
def test_nothing_tells_how_many_rows_a_file_has_that_may_list_the_dead(one: int, other: int, failing: int,
                                                                       refused: bool) -> None:
    first, second = (protect_check(make_result(failing, n, judged_among=keyed(556), refused=refused), SCOPE)
                     for n in (one, other))
    assert first == second
    assert {first.failing, first.asked, first.share, first.judged_among} == {None} and not first.nearly_all
    assert (failing_words(first, 10), asked_words(first, 10)) == ("not shown", "not shown")


def test_rows_that_may_list_the_dead_are_judged_among_those_who_are_listed() -> None:
    judged = [protect_check(make_result(n, 40, judged_among=keyed(2000)), SCOPE).verdict for n in (0, 9, 15, 30)]
    assert judged == [Verdict.PASS, Verdict.PASS, Verdict.WARN, Verdict.FAIL]
    assert protect_check(make_result(60, 40, judged_among=keyed(50)), SCOPE).verdict is Verdict.FAIL


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_constant_tells_nothing_of_the_patients_who_differ(one: int, other: int) -> None:
    check = make_check(warn=0.0, showing=Showing.NOTHING)

    def shown(outside: int) -> CheckResult:
        return protect_check(make_result(0 if outside else 200, 200, check=check, verdict=Verdict.WARN), SCOPE)

    assert shown(one) == shown(other)
    assert shown(one).verdict is Verdict.NOT_APPLICABLE and failing_words(shown(one), 10) == "not shown"


# -- denominators ------------------------------------------------------------------------------------------------------


@given(st.integers(0, 9), st.integers(0, 9), st.integers(30, 2000), st.integers(10, 18),
       st.sampled_from([make_check(), make_check(Judgement.WITHIN, low=1.0, high=60.0),
                        make_check(Judgement.RATIO, warn=0.25, fail=0.5, least=20)]))
def test_a_denominator_does_not_tell_whether_a_few_have_no_value(one: int, other: int, accepted: int, failing: int,
                                                                 check: Check) -> None:
    whole, before = keyed(accepted), keyed(accepted + 7)

    def shown(missing: int) -> CheckResult:
        median = check.judgement is Judgement.RATIO
        result = make_result(None if median else failing, accepted - missing, check=check,
                             value=14.0 if median else None, value_before=14.0 if median else None,
                             failing_before=None if median else keyed(failing),
                             asked_before=keyed(int(before) - missing), beside=(whole, whole),
                             beside_before=(before, before))
        inside = protect_check(result, SCOPE)
        return replace(inside, failing_before=None, asked_before=None)

    assume(accepted - 9 - failing >= 10)
    assert shown(one) == shown(other)
    assert shown(one).asked == protect_check(make_result(0, accepted), SCOPE).asked


@given(st.integers(0, 9), st.integers(0, 9), st.integers(10, 300))
def test_missing_results_do_not_tell_whether_a_few_tests_failed(one: int, other: int, missing: int) -> None:
    def shown(failed: int) -> CheckResult:
        return protect_check(make_result(missing + failed, 400, check=make_check(Judgement.LACK, warn=0.005),
                                         failing_beside=(keyed(missing),)), SCOPE)

    assert shown(one) == shown(other)
    assert shown(one).failing == protect_check(make_result(missing), SCOPE).failing


@pytest.mark.parametrize(("before", "verdict"), [(200, Verdict.FAIL), (8, Verdict.NOT_APPLICABLE)])
def test_a_loss_that_leaves_a_few_is_told_without_telling_how_many(before: int, verdict: Verdict) -> None:
    check = make_check(Judgement.LOSS, warn=0.1, fail=0.33, least=1)
    found = {protect_check(make_result(None, n, check=check, asked_before=keyed(before)), SCOPE) for n in range(10)}
    (shown,) = {replace(one, asked_before=None) for one in found}
    assert (shown.asked, shown.verdict) == (None, verdict)
    assert asked_words(shown, 10) == ("–" if verdict is Verdict.NOT_APPLICABLE else "<10")


def test_a_denominator_of_its_own_is_shown_if_far_from_all_others_and_never_beside_a_hidden_number() -> None:
    beside = keyed(200), keyed(180), keyed(120)
    shown = {n: find_told(keyed(n), beside, SCOPE) for n in (200, 191, 189, 171, 170, 125, 60, 9)}
    assert shown == {200: 200, 191: 200, 189: 180, 171: 180, 170: 170, 125: 120, 60: 60, 9: 9}
    assert protect_check(make_result(30, 60, beside=beside), SCOPE).asked in (60, 65)
    few = protect_check(make_result(3, 60, beside=beside), SCOPE)
    assert (few.asked, few.verdict, asked_words(few, 10)) == (None, Verdict.PASS, "hidden")
    assert protect_check(make_result(3, 178, beside=beside), SCOPE).asked in (180, 185)


def test_an_empty_cell_of_the_matrix_looks_like_a_small_one() -> None:
    def shown(n: int) -> tuple[int | None, ...]:
        cells = (RiskCell("SR", "SR", keyed(200)), RiskCell("SR", "HR", keyed(n) if n else NOBODY),
                 RiskCell("HR", "SR", keyed(40)), RiskCell("HR", "HR", keyed(90)))
        released = release(make_quality(make_source(matrices=(RiskMatrix("nci_risk", "NCI", cells),))), SCOPE)
        return tuple(cell.n for cell in released.value.sources[0].matrices[0].cells)

    assert shown(0)[1] is None and shown(9)[1] is None
    assert all(n is None or n % 5 == 0 for n in shown(4))


@given(st.lists(st.integers(0, 60), min_size=9, max_size=9))
@settings(max_examples=30, deadline=None)
def test_rows_and_columns_of_the_matrix_do_not_give_a_small_cell_away(sizes: list[int]) -> None:
    """Against whoever knows every total to four, a hidden small cell keeps five values while a cell is left to hide."""
    codes = [(one, other) for one in "abc" for other in "xyz"]
    cells = tuple(RiskCell(*code, KeyedCount(n, (n + 1) * 7919 << place) if n else NOBODY)
                  for place, (code, n) in enumerate(zip(codes, sizes, strict=True)))
    shown = release(make_quality(make_source(matrices=(RiskMatrix("nci_risk", "NCI", cells),))),
                    SCOPE).value.sources[0].matrices[0].cells
    for lines in ([[3 * row + column for column in range(3)] for row in range(3)],
                  [[3 * row + column for row in range(3)] for column in range(3)]):
        for line in lines:
            hidden = [place for place in line if shown[place].n is None]
            if len(hidden) == 1 and sizes[hidden[0]] < 10 and sum(sizes[place] for place in line) >= 10:
                rest = [shown[place].n or 0 for place in line if place not in hidden]
                total = round_count(union(n for place in line if isinstance(n := cells[place].n, KeyedCount)), SCOPE)
                low = max(0, total - 4 - sum(rest) - 8)
                high = min(9, total + 4 - sum(max(10, n - 4) for n in rest))
                assert high - low + 1 >= 5


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
