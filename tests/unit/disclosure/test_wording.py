"""The words around a result: what they say of tests, exclusions, withheld groups and differences from the question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.precision import precision_of
from harmony_dash.disclosure.protect_flow import ANY_OTHER_REASON
from harmony_dash.disclosure.results import (
    EqualityTest,
    EstimateAt,
    Exclusion,
    SurvivalResult,
    Unapplied,
    WithheldGroup,
)
from harmony_dash.disclosure.rounding import round_p
from harmony_dash.disclosure.wording import _interval, format_p, write_methods, write_summary
from tests.unit.charts.factories import make_result

PROTECTED, EXACT = Scope(Level.PROTECTED), Scope(Level.EXACT)


def make(**changes: object) -> SurvivalResult:
    result = make_result()
    names = tuple(group.name for group in result.groups)
    assert len(names) > 1
    return replace(replace(result, compared=names), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("p", "differs", "printed"), [
    (0.049, True, "p = 0.049"), (0.0499, False, "p = 0.050"), (0.05, False, "p = 0.050"), (0.0501, False, "p = 0.050"),
    (0.001, True, "p <0.001"), (0.00001, True, "p <0.0001"), (0.2, False, "p = 0.20")])
def test_the_verdict_is_on_the_p_value_that_is_printed(p: float, differs: bool, printed: str) -> None:
    summary = write_summary(make(log_rank=EqualityTest("log-rank test", 3.9, 1, p, 50)), EXACT)
    assert printed in summary
    assert ("do not differ" in summary) != differs


@pytest.mark.parametrize(("p", "printed"), [
    (0.0001, "<0.001"), (0.00099, "<0.001"), (0.0010001, "0.001"), (0.00009, "<0.0001")])
def test_exact_p_values_from_one_in_a_thousand_on_are_not_said_to_be_smaller(p: float, printed: str) -> None:
    assert format_p(p) == printed


@pytest.mark.parametrize(("p", "printed"), [(0.00001, "<0.001"), (0.00099, "<0.001"), (0.001, "0.001")])
def test_protected_p_values_stop_at_one_in_a_thousand(p: float, printed: str) -> None:
    assert format_p(round_p(p, PROTECTED.rules)) == printed


def test_groups_that_take_no_part_in_a_test_are_not_spoken_of() -> None:
    test = EqualityTest("log-rank test", 3.9, 1, 0.01, 50)
    result = make(log_rank=test)
    assert "The groups differ" in write_summary(result, PROTECTED)
    assert "tests compare" not in write_methods(result, PROTECTED)
    first, *rest = (group.name for group in result.groups)
    of_two = replace(result, groups=(*result.groups, replace(result.groups[0], name="another")))
    assert f"{', '.join([first, *rest[:-1]])} and {rest[-1]} differ" in write_summary(of_two, PROTECTED)
    assert f"tests compare {', '.join([first, *rest])}" in write_methods(of_two, PROTECTED)


def test_every_reason_for_withholding_is_given_once() -> None:
    withheld = tuple(WithheldGroup({}, name, reason) for name, reason in (("a", "x"), ("b", "y"), ("c", "x")))
    methods = write_methods(make(withheld=withheld), PROTECTED)
    assert "2 groups withheld (x); 1 group withheld (y)" in methods


@pytest.mark.parametrize(("exclusions", "scope", "words"), [
    ((), EXACT, "excluded: none;"),
    ((Exclusion("a", 20),), EXACT, "excluded: a 20;"),
    ((Exclusion(ANY_OTHER_REASON, None),), PROTECTED, "excluded: fewer than 10 for any reason;"),
    ((Exclusion("a", 20), Exclusion("b", None), Exclusion(ANY_OTHER_REASON, None)), PROTECTED,
     "excluded: a 20; b hidden; other reasons: fewer than 10 each;")])
def test_hidden_exclusions_are_not_called_none(exclusions: tuple[Exclusion, ...], scope: Scope, words: str) -> None:
    assert words in write_methods(make(exclusions=exclusions), scope)


def test_what_was_not_applied_stands_in_the_methods_by_kind() -> None:
    told = (Unapplied("sex: Female", {}, "not applied"), Unapplied("country: Austria", {}, "left out"),
            Unapplied("trial: T", {}, "not applied", ("A", "B")))
    methods = write_methods(make(not_applied=told), PROTECTED)
    assert "not applied: sex: Female, trial: T (in A, B); left out: country: Austria" in methods


def test_the_summary_names_groups_that_answer_another_question() -> None:
    first, second, *_ = names = [group.name for group in make_result().groups]
    one, two = (Unapplied("sex: Female", {}, "not applied", tuple(names[:n])) for n in (1, 2))
    assert f" {first} answers a slightly different question." in write_summary(make(not_applied=(one,)), PROTECTED)
    result = make(not_applied=(two,))
    assert f" {first} and {second} answer a slightly different question." in write_summary(result, PROTECTED)
    assert "the flow is that of the cohort" in write_methods(result, PROTECTED)
    assert "No test" not in write_summary(result, PROTECTED)
    assert "No test: the groups answer different questions." in write_summary(replace(result, compared=()), PROTECTED)


def test_what_is_true_of_the_whole_cohort_makes_no_group_different() -> None:
    result = make(not_applied=(Unapplied("sex: Female", {}, "not applied"),))
    assert "slightly different" not in write_summary(result, PROTECTED)
    assert "the flow is" not in write_methods(result, PROTECTED)


@pytest.mark.parametrize(("endpoint", "estimate", "words"), [
    ("os", 1.0, "no event, so no interval"), ("os", 0.0, "no interval"), ("os", 0.5, "no interval"),
    ("relapse", 0.0, "no event, so no interval"), ("relapse", 1.0, "no interval"),
    ("relapse_1km", 0.0, "no event, so no interval"), ("relapse_1km", 1.0, "no interval")])
def test_only_where_nothing_happened_that_is_the_reason_for_no_interval(endpoint: str, estimate: float, words: str,
                                                                      ) -> None:
    at = EstimateAt(1826, estimate, None, None, 50)
    assert _interval(at, precision_of(1000, EXACT), endpoint_named(endpoint)).endswith(f" ({words})")
