"""Words of a comparison of treatments claim no more than its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harmony_dash.disclosure.released import Level, Scope
from harmony_dash.disclosure.what_if_diagnostics import Balance, MissingConfounder
from harmony_dash.disclosure.what_if_results import Measure, Method, WhatIfResult
from harmony_dash.disclosure.what_if_words import (
    FIVE_YEARS,
    LATE_RELAPSES,
    complete_what_if,
    find_contrast,
    tell_horizon,
    tell_plain,
)
from tests.unit.charts.what_if_factories import make_randomised, make_what_if

PROTECTED = Scope(Level.PROTECTED)


def complete(result: WhatIfResult) -> WhatIfResult:
    return complete_what_if(result, PROTECTED, lambda scope: "protected")


def with_contrast(method: Method, estimate: float, lower: float, upper: float, outcome: str = "efs") -> WhatIfResult:
    """The usual answer with another difference of one outcome by one method."""
    result = make_what_if()
    return replace(result, contrasts=tuple(
        replace(one, estimate=estimate, lower=lower, upper=upper)
        if (one.method, one.outcome) == (method, outcome) and one.measure is not Measure.RESTRICTED_MEAN else one
        for one in result.contrasts))


def needed(result: WhatIfResult, outcome: str) -> tuple[float | None, str]:
    return next((one.number, one.text) for one in complete(result).needed if one.outcome == outcome)


def plain_words(result: WhatIfResult) -> str:
    main = find_contrast(result, Method.STANDARDISED)
    assert main is not None
    (words,) = tell_plain(result, main)
    return words


# -- numbers of patients -----------------------------------------------------------------------------------------------


def test_a_clear_difference_is_a_number_of_patients_with_its_interval() -> None:
    number, text = needed(with_contrast(Method.STANDARDISED, 0.05, 0.02, 0.08, "relapse"), "relapse")
    assert number == pytest.approx(20)
    assert text == ("1 extra relapse for every 20 patients treated reduced instead of standard by 5 years "
                    "(95 % interval: 1 extra for every 50 to 1 extra for every 12)")


@pytest.mark.parametrize(("lower", "upper"), [(-0.02, 0.03), (0.0, 0.03), (-0.02, 0.0)])
def test_an_interval_through_no_difference_gives_no_number(lower: float, upper: float) -> None:
    number, text = needed(with_contrast(Method.STANDARDISED, (lower + upper) / 2, lower, upper, "relapse"), "relapse")
    assert number is None
    assert text.startswith("no clear difference in relapse by 5 years with reduced instead of standard treatment")
    assert "no difference to" in text or "to no difference" in text


def test_no_difference_at_all_is_said_and_not_left_out() -> None:
    number, text = needed(with_contrast(Method.STANDARDISED, 0.0, -0.01, 0.01, "relapse"), "relapse")
    assert number is None
    assert "1 fewer for every 100 to no difference to 1 extra for every 100 patients" in text


def test_a_huge_number_of_patients_is_said_in_words() -> None:
    number, text = needed(with_contrast(Method.STANDARDISED, 0.0005, 0.0001, 0.0009, "relapse"), "relapse")
    assert number is None
    assert text == "less than 1 extra relapse for every 1,000 patients treated reduced instead of standard by 5 years"


def test_an_end_of_an_interval_that_is_huge_is_said_in_words() -> None:
    _, text = needed(with_contrast(Method.STANDARDISED, 0.02, 0.0001, 0.04, "relapse"), "relapse")
    assert "less than 1 extra for every 1,000 to 1 extra for every 25" in text
    assert "10,000" not in text


# -- the plain comparison ----------------------------------------------------------------------------------------------


def test_opposite_signs_need_two_intervals_that_leave_no_difference_out() -> None:
    assert "the opposite sign" in plain_words(make_what_if())
    assert "opposite" not in plain_words(with_contrast(Method.PLAIN, 0.01, -0.01, 0.03))
    assert "opposite" not in plain_words(with_contrast(Method.STANDARDISED, -0.01, -0.03, 0.01))


def test_a_plain_comparison_says_in_what_the_arms_differed_and_not_who_decided() -> None:
    words = plain_words(make_what_if())
    assert "A plain comparison would have said +4.1 points" in words
    assert "the arms were not alike from the start and differed most in MRD group: high, log white cell count" in words
    assert "decided" not in words


def test_a_number_and_its_curve_are_named_once() -> None:
    result = make_what_if()
    balance = tuple(Balance(name, 0.4 - place / 10, 0.0) for place, name in enumerate(("age", "age (curve 1)", "sex")))
    words = plain_words(replace(result, diagnostics=replace(result.diagnostics, balance=balance)))
    assert "differed most in age, sex." in words


def test_beside_a_randomised_answer_a_plain_comparison_is_held_against_the_same_patients_adjusted() -> None:
    result = make_randomised()
    main = find_contrast(result, result.primary)
    assert main is not None and main.method is Method.RANDOMISED
    (words,) = tell_plain(result, main)
    assert "+4.1 points, the opposite sign of the adjusted −3.9: the arms were not alike" in words


def test_trials_are_not_named_as_that_in_which_the_arms_differed() -> None:
    result = make_what_if()
    trial = Balance("COIN", 0.9, 0.0, is_stratum=True)
    found = replace(result.diagnostics, balance=(trial, *result.diagnostics.balance))
    assert "COIN" not in plain_words(replace(result, diagnostics=found))


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "warned"), [(731, True), (1096, True), (FIVE_YEARS - 1, True), (FIVE_YEARS, False),
                                              (2557, False)])
def test_before_five_years_late_relapses_are_warned_of(days: int, warned: bool) -> None:
    result = make_what_if()
    result = replace(result, question=replace(result.question, horizon_days=days))
    assert (tell_horizon(result) == LATE_RELAPSES) is warned
    assert (LATE_RELAPSES in complete(result).summary) is warned


# -- what is missing ---------------------------------------------------------------------------------------------------


def test_few_missing_and_none_missing_read_alike() -> None:
    result = make_what_if()
    found = replace(result.diagnostics, missing=(MissingConfounder("wbc_dx", "White cells", None, "filled in"),
                                                 MissingConfounder("cyto_group", "Cytogenetics", 0.15, "a value")))
    words = complete(replace(result, diagnostics=found)).methods
    assert "White cells few or nearly all (filled in), Cytogenetics 15.0 % (a value)" in words
