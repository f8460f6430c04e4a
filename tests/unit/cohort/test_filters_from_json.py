"""Filters from a link: what a stranger wrote is rebuilt or refused, never passed on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harmony_dash.cohort.filters import (
    MOST_FILTERS,
    MOST_VALUES,
    AnyOf,
    Between,
    Missing,
    Not,
    OneOf,
    from_json,
    refuse_too_many,
    to_json,
)
from harmony_dash.errors import QuestionError


def between(lower: object, upper: object = None) -> dict[str, Any]:
    return {"between": "wbc_dx", "lower": lower, "upper": upper, "upper_included": True}


def one_of(*values: str) -> dict[str, Any]:
    return {"one_of": "trial", "values": list(values)}


@pytest.mark.parametrize("item", [
    OneOf("trial", ("A", "Größe 😀")), Between("wbc_dx", -1e15, 1e15), Missing("sex"),
    Not(AnyOf((Missing("sex"), OneOf("sex", ("F",))))), OneOf("trial", tuple(map(str, range(MOST_VALUES))))])
def test_what_the_pages_write_is_read_back(item: Any) -> None:
    assert from_json(json.loads(json.dumps(to_json(item)))) == item


REFUSED = {
    "NUL in a value": one_of("a\x00"), "a lone surrogate in a value": one_of("\ud800"),
    "NUL in a name": {"one_of": "tri\x00al", "values": ["a"]}, "a lone surrogate in a name": {"missing": "\udfff"},
    "NUL in the name of a range": {**between(1), "between": "\x00"},
    "an integer of 400 digits": between(10 ** 400), "its negative": between(None, -(10 ** 400)),
    "a number beyond 1e15": between(1e16), "infinity": between(float("inf")), "no number": between(float("nan")),
    "too many values": one_of(*map(str, range(MOST_VALUES + 1))),
    "too many alternatives": {"any_of": [between(n) for n in range(MOST_FILTERS + 1)]},
    "too many values in alternatives": {"any_of": [one_of(*map(str, range(n, n + 101))) for n in (0, 200)]},
    "too many values in a negation": {"not": one_of(*map(str, range(MOST_VALUES + 1)))},
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_else_could_hold_is_refused(case: str) -> None:
    with pytest.raises(QuestionError) as refused:
        from_json(REFUSED[case])
    refused.value.message.encode()


def test_filters_side_by_side_are_counted_together() -> None:
    refuse_too_many([Missing("sex")] * MOST_FILTERS)
    with pytest.raises(QuestionError):
        refuse_too_many([Missing("sex")] * (MOST_FILTERS + 1))
    with pytest.raises(QuestionError):
        refuse_too_many([OneOf("trial", tuple(map(str, range(101)))), OneOf("arm", tuple(map(str, range(101))))])
