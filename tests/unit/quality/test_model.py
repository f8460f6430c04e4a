"""What makes a check warn or fail, one table a judgement."""

from __future__ import annotations

import math

import pytest

from harmony_dash.quality.model import Answer, Category, Check, Judgement, Verdict, judge

P, W, F, N = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.NOT_APPLICABLE


def make_check(judgement: Judgement, **changes: float) -> Check:
    values = {"warn": 0.1, "fail": 0.2, "least": 20, **changes}
    return Check("type.variable", "completeness", Category.COMPLETENESS, "variable", "Variable", "missing", "patients",
                 judgement, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(("failing", "asked", "refused", "verdict"), [
    (10, 100, False, P), (11, 100, False, W), (20, 100, False, W), (21, 100, False, F), (0, 100, False, P),
    (0, 100, True, W), (30, 100, True, F), (19, 19, False, N), (None, 100, False, N), (5, None, False, N)])
def test_a_share_warns_and_fails_above_its_limits_and_a_refused_row_warns_in_any_case(
        failing: int | None, asked: int | None, refused: bool, verdict: Verdict) -> None:
    assert judge(make_check(Judgement.SHARE), Answer(failing, asked, refused=refused)) is verdict


@pytest.mark.parametrize(("failing", "asked", "verdict"), [(0, 100, W), (10, 100, W), (11, 100, P), (0, 19, N)])
def test_a_lack_warns_where_almost_nobody_shows_what_a_real_source_shows(failing: int, asked: int,
                                                                          verdict: Verdict) -> None:
    assert judge(make_check(Judgement.LACK), Answer(failing, asked)) is verdict


@pytest.mark.parametrize(("failing", "verdict"), [(0, W), (1, W), (2, P), (160, P), (161, W), (194, W), (195, F),
                                                  (200, F)])
def test_a_lack_warns_and_fails_where_almost_everybody_shows_it(failing: int, verdict: Verdict) -> None:
    check = make_check(Judgement.LACK, warn=0.005, high=0.80, fail=0.97)
    assert judge(check, Answer(failing, 200)) is verdict


@pytest.mark.parametrize(("asked", "verdict"), [(0, F), (29, F), (30, W), (99, W), (100, P)])
def test_a_small_source_warns_and_a_tiny_one_fails(asked: int, verdict: Verdict) -> None:
    assert judge(make_check(Judgement.SIZE, warn=100, fail=30), Answer(asked=asked)) is verdict


@pytest.mark.parametrize(("value", "verdict"), [
    (3, P), (80, P), (2.9, W), (81, W), (240, W), (241, F), (1.0, W), (0.99, F), (0, W), (None, N)])
def test_a_value_outside_its_range_warns_and_fails_three_times_beyond(value: float | None, verdict: Verdict) -> None:
    check = make_check(Judgement.WITHIN, low=3, high=80, fail=3)
    assert judge(check, Answer(asked=50, value=value)) is verdict


def test_a_share_within_a_published_range_is_judged_in_per_cent() -> None:
    check = make_check(Judgement.WITHIN, low=44, high=64, fail=math.inf)
    assert [judge(check, Answer(n, 100)) for n in (43, 44, 64, 65)] == [W, P, P, W]


@pytest.mark.parametrize(("now", "before", "of_before", "verdict"), [
    (50, 50, 100, P), (61, 50, 100, W), (71, 50, 100, F), (29, 50, 100, F), (50, 1, 19, N), (50, None, None, N)])
def test_a_shift_is_counted_in_points_either_way(now: int, before: int | None, of_before: int | None,
                                                 verdict: Verdict) -> None:
    check = make_check(Judgement.SHIFT)
    assert judge(check, Answer(now, 100, failing_before=before, asked_before=of_before)) is verdict


def test_a_median_is_compared_relative_to_the_one_before() -> None:
    check = make_check(Judgement.RATIO, warn=0.25, fail=0.5)
    found = [judge(check, Answer(asked=100, value=value, value_before=10.0, asked_before=100))
             for value in (10, 12.6, 7.4, 15.1)]
    assert found == [P, W, W, F]
    assert judge(check, Answer(asked=100, value=10.0)) is N


def test_patients_who_are_gone_warn() -> None:
    check = make_check(Judgement.LOSS, warn=0.1, fail=0.33, least=1)
    assert [judge(check, Answer(asked=n, asked_before=100)) for n in (120, 90, 89, 66)] == [P, P, W, F]


@pytest.mark.parametrize(("asked", "before", "verdict"), [
    (0, 200, F), (None, 200, F), (3, 12, F), (11, 12, P), (5, 0, N), (5, None, N)])
def test_a_loss_is_told_however_few_are_left(asked: int | None, before: int | None, verdict: Verdict) -> None:
    check = make_check(Judgement.LOSS, warn=0.1, fail=0.33, least=20)
    assert judge(check, Answer(asked=asked, asked_before=before)) is verdict
