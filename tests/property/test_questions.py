from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question, question_from_json

_names = st.sampled_from(["sex", "subtype", "country", "trial"])
_values = st.lists(st.sampled_from(["F", "M", "ETV6::RUNX1", "DE", "é,x"]), min_size=1, max_size=4)
_ends = st.none() | st.floats(-1e6, 1e6, allow_nan=False)


@st.composite
def _ranges(draw: st.DrawFn) -> Between:
    lower, upper = draw(_ends), draw(_ends)
    if lower is None and upper is None:
        lower = 0.0
    if lower is not None and upper is not None and lower > upper:
        lower, upper = upper, lower
    return Between("age_dx_years", lower, upper, draw(st.booleans()))


_leaves: st.SearchStrategy[Filter] = st.one_of(
    st.builds(lambda name, values: OneOf(name, tuple(values)), _names, _values), _ranges(), st.builds(Missing, _names))
_filters: st.SearchStrategy[Filter] = st.recursive(
    _leaves, lambda inner: st.builds(Not, inner) | st.builds(
        lambda parts: AnyOf(tuple(parts)), st.lists(inner, min_size=1, max_size=3)), max_leaves=4)


def _shuffle(item: Filter, rng: random.Random) -> Filter:
    """The same meaning in other words: shuffled, repeated, doubly negated."""
    match item:
        case OneOf(name, values):
            shuffled = [*values, values[0]]
            rng.shuffle(shuffled)
            return OneOf(name, tuple(shuffled))
        case AnyOf(parts):
            again = [_shuffle(part, rng) for part in (*parts, parts[0])]
            rng.shuffle(again)
            return AnyOf(tuple(again))
        case Not(inner):
            return Not(_shuffle(inner, rng))
        case _:
            return Not(Not(item))


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(_filters, max_size=4), st.integers(0, 2**32))
def test_equal_questions_have_equal_fingerprints_whatever_the_order_of_their_parts(
        filters: list[Filter], seed: int) -> None:
    rng = random.Random(seed)
    question = Question("ALL", "efs", tuple(filters), by="sex")
    other = [_shuffle(item, rng) for item in [*filters, *filters[:1]]]
    rng.shuffle(other)
    again = Question("ALL", "efs", tuple(other), by="sex")
    assert again == question
    assert again.fingerprint == question.fingerprint


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(_filters, max_size=3), st.integers(0, 500), st.none() | st.integers(1, 5000))
def test_a_question_survives_the_trip_through_its_json(
        filters: list[Filter], landmark: int, horizon: int | None) -> None:
    question = Question("ALL", "os", tuple(filters), "sex", "trial", landmark, horizon)
    assert question_from_json(question.to_json()) == question


@settings(max_examples=200, derandomize=True, deadline=None)
@given(_leaves, _leaves)
def test_different_questions_have_different_fingerprints(one: Filter, other: Filter) -> None:
    questions = Question("ALL", "efs", (one,)), Question("ALL", "efs", (other,))
    assert (questions[0] == questions[1]) == (questions[0].fingerprint == questions[1].fingerprint)
