"""The words around a result: what they say of tests, exclusions, withheld groups and differences from the question."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.protect_flow import ANY_OTHER_REASON
from harmony_dash.disclosure.results import EqualityTest, Exclusion, SurvivalResult, Unapplied, WithheldGroup
from harmony_dash.disclosure.wording import write_methods, write_summary
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
