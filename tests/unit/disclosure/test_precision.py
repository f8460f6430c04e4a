"""Decimals that can be meant."""

from __future__ import annotations

import re

import pytest

from harmony_dash.disclosure.policy import RULES, Level
from harmony_dash.disclosure.precision import (
    EXACT,
    Precision,
    describe_precision,
    format_limits,
    format_percent,
    precision_of,
    step_height,
)
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import SurvivalResult
from harmony_dash.disclosure.wording import write_summary
from tests.unit.charts.factories import make_group, make_result

PROTECTED = Scope(Level.PROTECTED)
COARSE, FINE = Precision(0, 0.025), Precision(1, 0.0025)


@pytest.mark.parametrize(("n", "decimals", "error"), [
    (30, 0, 5 / 60), (100, 0, 0.025), (500, 0, 0.005), (505, 1, 2.5 / 505), (90_000, 1, 0.0005)])
def test_decimals_end_at_the_step_of_the_curve(n: int, decimals: int, error: float) -> None:
    found = precision_of(n, PROTECTED)
    assert (found.decimals, found.most_error) == (decimals, pytest.approx(error))
    assert found.most_error == pytest.approx(step_height(n, RULES[Level.PROTECTED]) / 2)


def test_exact_results_and_those_without_groups_have_nothing_to_say() -> None:
    assert precision_of(30, Scope(Level.EXACT)) == EXACT
    assert describe_precision(make_result(), Scope(Level.EXACT)) == ""
    assert describe_precision(make_result([]), PROTECTED) == ""


def test_coarse_estimates_are_whole_and_their_limits_go_outward() -> None:
    assert format_percent(0.9149, COARSE) == "91 %"
    assert format_percent(0.9149, COARSE, unit=False) == "91"
    assert format_limits(0.8791, 0.9312, COARSE) == "87–94"
    assert format_limits(0.8791, 0.9312, FINE) == "87.9–93.2"
    assert format_limits(0.8791, 0.9312) == "87.9–93.1"


@pytest.mark.parametrize(("lower", "upper", "words"), [(0.29, 0.57, "29–57"), (0.0, 1.0, "0–100"),
                                                       (0.28999999999, 0.5700000000001, "29–57")])
def test_a_whole_limit_is_not_moved_by_floating_point(lower: float, upper: float, words: str) -> None:
    assert format_limits(lower, upper, COARSE) == words


@pytest.mark.parametrize(("sizes", "words"), [
    ((100,), "Protected: estimates may be off by up to ±2.5 points. They are given in whole per cents."),
    ((3000, 30), "Protected: estimates may be off by up to ±8.4 points in the smallest group. Groups of up to 500 "
                 "patients are given in whole per cents."),
    ((90_000,), "Protected: estimates may be off by up to ±0.1 points.")])
def test_the_error_is_told_as_a_bound(sizes: tuple[int, ...], words: str) -> None:
    assert describe_precision(groups_of(*sizes), PROTECTED) == words


def groups_of(*sizes: int) -> SurvivalResult:
    return make_result([make_group(f"of {n}", str(n), n=n, quarterly=True) for n in sizes])


def test_each_group_has_its_own_decimals_in_the_summary() -> None:
    words = write_summary(groups_of(200, 1200), PROTECTED)
    assert re.search(r" \d+ % \(95 % CI \d+–\d+\) in of 200", words)
    assert re.search(r" \d+\.\d % \(95 % CI \d+\.\d–\d+\.\d\) in of 1200", words)
    assert re.search(r" \d+\.\d % \(95 % CI \d+\.\d–\d+\.\d\) in of 200",
                     write_summary(groups_of(200, 1200), Scope(Level.EXACT)))
