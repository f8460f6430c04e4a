"""The effects of conditions, and what the low-effect rule makes of them, against a plain reading of the rows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import combinations
from operator import xor
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.filters import variables_of
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.group_effects import apply_rule_by_group
from harmony_dash.disclosure.low_effect import TooFewPatients, apply_low_effect_rule, weigh
from harmony_dash.disclosure.policy import Level
from harmony_dash.disclosure.selections import Choices, Selection, open_selection
from harmony_dash.errors import QuestionError
from harmony_dash.store.counts import fetch_cohort_count
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.reader import Snapshot
from tests.factories import DISCLOSURE_KEY, make_patients, make_store

Row = dict[str, Any]
SIZES = (12, 60, 250)
COUNTRIES = ("DE", "FR", "NL")


def make_rows(n: int) -> pd.DataFrame:
    """Patients with values missing everywhere, two rare countries and late entry."""
    frame = make_patients(n, seed=n)
    frame["country"] = frame.country.where(frame.index % 9 != 0, "FR").where(frame.index % 4 == 0, "DE")
    frame["age_dx_years"] = frame.age_dx_years.mask(frame.index % 6 == 0)
    frame["sex"] = frame.sex.astype(object).where(frame.index % 11 != 0, None)
    frame["entry_days"] = pd.Series([30 if number % 5 == 0 else None for number in range(n)], dtype="Int32")
    return frame


FRAMES = {n: make_rows(n) for n in SIZES}
ROWS: dict[int, list[Row]] = {
    n: frame.astype(object).where(frame.notna(), None).to_dict("records") for n, frame in FRAMES.items()}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Snapshot]:
    return {n: make_store(tmp_path_factory.mktemp(f"store{n}"), frame=frame) for n, frame in FRAMES.items()}


EDGES = (1.0, 10.0, 18.0, 40.0, 60.0)


@st.composite
def _ranges(draw: st.DrawFn) -> Between:
    lower, upper = sorted(draw(st.lists(st.sampled_from([None, *EDGES]), min_size=2, max_size=2, unique=True)),
                          key=lambda edge: -1.0 if edge is None else edge)
    if draw(st.booleans()) or lower is None:
        return Between("age_dx_years", lower, upper, False)
    return Between("age_dx_years", lower, None)


def _one_of(name: str, values: tuple[str, ...]) -> st.SearchStrategy[Filter]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3).map(lambda chosen: OneOf(name, tuple(chosen)))


_leaves: st.SearchStrategy[Filter] = st.one_of(
    _one_of("country", COUNTRIES), _one_of("sex", ("F", "M")), _one_of("hsct_cr1", ("no", "yes")),
    _one_of("cyto_group", ("good", "intermediate", "high")), _one_of("trial", ("Trial A", "Trial B", "Trial C")),
    _ranges(), st.sampled_from(["sex", "cyto_group", "age_dx_years", "hb"]).map(Missing))
_literals: st.SearchStrategy[Filter] = _leaves | _leaves.map(Not)
_anys = st.lists(_literals, min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts)))
_filters: st.SearchStrategy[Filter] = _literals | _anys | _anys.map(Not)
_questions = st.builds(
    lambda where, endpoint, by, strata, day: Question("ALL", endpoint, tuple(where), by, strata, day),
    st.lists(_filters, max_size=3), st.sampled_from(["os", "relapse"]), st.sampled_from([None, "mrd_group"]),
    st.sampled_from([None, "sex"]), st.sampled_from([0, 90, 365]))


def known(row: Row, name: str, question: Question) -> Any:
    """The value on the landmark day; a transplant can come later, or too late to be one."""
    if name != "hsct_cr1":
        return row.get(name)
    zero = row["cr_days"] if question.endpoint == "relapse" else 0
    if row["first_event_days"] is not None and row["first_event_days"] - zero <= question.landmark_days:
        return None
    value, day = row["hsct_cr1"], row["hsct_days"]
    if value is None or value == "no":
        return value
    if day is None:
        return None
    return "no" if day - zero > question.landmark_days else value


def holds(item: Filter, row: Row, question: Question) -> bool | None:
    match item:
        case OneOf(name, values):
            value = known(row, name, question)
            return None if value is None else value in values
        case Between(name, lower, upper, included):
            value = row[name]
            if value is None:
                return None
            return (lower is None or value >= lower) and (
                upper is None or (value <= upper if included else value < upper))
        case Missing(name):
            return known(row, name, question) is None
        case Not(inner):
            answer = holds(inner, row, question)
            return None if answer is None else not answer
        case AnyOf(parts):
            answers = [holds(part, row, question) for part in parts]
            return True if True in answers else None if None in answers else False


def in_figure(row: Row, question: Question) -> bool:
    day = row[f"{question.endpoint}_days"]
    if day is None or day <= (question.landmark_days or -1):
        return False
    entry = row["entry_days"]
    if entry is not None and day <= entry - (row["cr_days"] if question.endpoint == "relapse" else 0):
        return False
    return all(known(row, name, question) is not None for name in (question.by, question.strata) if name)


def expected(rows: list[Row]) -> tuple[int, int]:
    keys = (hmac.new(DISCLOSURE_KEY, row["patient"].encode(), hashlib.sha256).digest()[:8] for row in rows)
    return len(rows), reduce(xor, (int.from_bytes(key, "big") for key in keys), 0)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, figure=st.booleans())
def test_the_effects_of_every_subset_are_those_of_a_reading_of_the_rows(
        stores: dict[int, Snapshot], n: int, question: Question, figure: bool) -> None:
    try:
        effects = fetch_effects(stores[n], question)
    except QuestionError:  # the filters contradict each other
        assert not [row for row in ROWS[n] if all(holds(item, row, question) for item in question.where)]
        return
    rows = [row for row in ROWS[n] if not figure or in_figure(row, question)]
    for size in range(len(effects.selections) + 1):
        for subset in combinations(effects.selections, size):
            weights = weigh(effects, subset, figure=figure)
            filters = [open_selection(selection, effects.offered) for selection in subset]
            if size == len(effects.selections):  # in closed form the question means what it meant
                assert expected([row for row in rows if all(holds(item, row, question) for item in question.where)]
                                ) == (weights.cohort, weights.cohort.key)
            failed = [(row, [item for item in filters if not holds(item, row, question)]) for row in rows]
            cohort = [row for row, which in failed if not which]
            assert (weights.cohort, weights.cohort.key) == expected(cohort)
            for item, count in zip(filters, weights.fail_only, strict=True):
                assert (count, count.key) == expected([row for row, which in failed if which == [item]])
            for selection, adds in zip(subset, weights.adds, strict=True):
                for (name, choice), count in adds.items():
                    rest = selection.without(name, choice)
                    others = open_selection(rest, effects.offered) if rest.chosen else None
                    assert (count, count.key) == expected(
                        [row for row in cohort if others is None or not holds(others, row, question)])


def plain_rule(rows: list[Row], asked: dict[int, Selection], offered: dict[str, Choices], question: Question,
               least: int) -> tuple[list[Row], bool]:
    """The rule as it is written, one patient at a time: who is left, and whether anything was dropped."""
    kept, dropped = dict(asked), False
    figure = [in_figure(row, question) for row in rows]

    def size(test: Callable[[Row], bool]) -> int:
        hits = [test(row) for row in rows]
        return min(sum(hits), sum(hit and inside for hit, inside in zip(hits, figure, strict=True)))

    def meets(row: Row, selection: Selection) -> bool:
        return bool(selection.chosen) and holds(open_selection(selection, offered), row, question) is True

    while True:
        effects = [(size(lambda row, number=number: not meets(row, kept[number]) and all(  # type: ignore[misc]
            meets(row, other) for place, other in kept.items() if place != number)), number) for number in kept]
        low = [number for n, number in effects if n < least]
        if low:
            # The broadest goes; selections are numbered in the order of their fields.
            del kept[min(low, key=lambda number: (-sum(Fraction(len(chosen), len(offered[name].all))
                                                       for name, chosen in kept[number].chosen), number))]
            dropped = True
            continue
        adds = []
        for number, selection in kept.items():
            parts = [(name, choice) for name, chosen in selection.chosen for choice in sorted(chosen)]
            if len(parts) > 1:
                adds += [(size(lambda row, number=number, part=part: not meets(  # type: ignore[misc]
                    row, kept[number].without(*part)) and all(meets(row, other) for other in kept.values())),
                    selection.order, number, part) for part in parts]
        few = [place for n, *place in adds if n < least]
        if not few:
            return [row for row in rows if all(meets(row, selection) for selection in kept.values())], dropped
        _, number, part = min(few)
        kept[number] = kept[number].without(*part)
        dropped = True


@settings(max_examples=250, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, least=st.sampled_from([1, 2, 4, 10]))
def test_the_rule_leaves_out_what_a_plain_reading_of_it_leaves_out(
        stores: dict[int, Snapshot], n: int, question: Question, least: int) -> None:
    try:
        effects = fetch_effects(stores[n], question)
    except QuestionError:
        return
    left, dropped = plain_rule(ROWS[n], dict(enumerate(effects.selections)), dict(effects.offered), question, least)
    smaller = min(len(left), sum(in_figure(row, question) for row in left))
    decision = apply_low_effect_rule(effects, least)
    if isinstance(decision, TooFewPatients):
        assert dropped
        assert smaller < 10 * least
        return
    assert not dropped or smaller >= 10 * least
    assert bool(decision.not_applied) == dropped
    assert (decision.n, decision.n.key) == expected(left)
    again = fetch_cohort_count(stores[n], decision.question)
    assert (again, again.key) == (decision.n, decision.n.key)
    assert replace(decision.question, where=question.where) == question
    # Nothing more is left out of what was left in, and it is closed.
    twice = apply_low_effect_rule(fetch_effects(stores[n], decision.question), least)
    assert twice == replace(decision, not_applied=())
    check_closed(replace(decision.question, where=decision.question.where[:1]), stores[n].dictionary, Level.EXACT)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, grant=_one_of("country", COUNTRIES))
def test_what_a_grant_restricts_is_never_dropped(
        stores: dict[int, Snapshot], n: int, question: Question, grant: Filter) -> None:
    restricted = replace(question, where=(*question.where, grant))
    try:
        effects = fetch_effects(stores[n], restricted, protected={grant})
    except QuestionError:
        return
    assert effects.n.sum() == sum(holds(grant, row, question) is True for row in ROWS[n])
    decision = apply_low_effect_rule(effects, 10)
    if not isinstance(decision, TooFewPatients):
        assert grant in decision.question.where
        assert decision.n == sum(all(holds(item, row, question) for item in decision.question.where) for row in ROWS[n])


def test_a_restriction_that_is_not_in_the_question_is_a_mistake(stores: dict[int, Snapshot]) -> None:
    grant = AnyOf((OneOf("country", ("DE",)), Missing("country")))
    with pytest.raises(ValueError, match="protected"):
        fetch_effects(stores[12], Question("ALL", "os"), protected={grant})
    restricted = Question("ALL", "os", (AnyOf((Missing("country"), OneOf("country", ("DE",)))),))
    assert fetch_effects(stores[12], restricted, protected={grant}).selections == ()


@settings(max_examples=150, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, least=st.sampled_from([2, 4, 10]), by=st.sampled_from([
    "mrd_group", "country", "hsct_cr1"]))
def test_a_group_gets_the_answer_it_would_get_alone(stores: dict[int, Snapshot], n: int, question: Question,
                                                    least: int, by: str) -> None:
    snapshot = stores[n]
    others = tuple(item for item in question.where if by not in variables_of(item))
    own = tuple(item for item in question.where if tuple(variables_of(item)) == (by,) and by != "hsct_cr1")
    grouped = replace(question, by=by, where=(*others, *own))
    try:
        effects = fetch_effects(snapshot, grouped)
    except QuestionError:  # the filters contradict each other
        return
    values = snapshot.values_of(snapshot.dictionary[by])
    answers = apply_rule_by_group(effects, len(values), by, least, floor=least)
    for place, group in enumerate(values):
        member = OneOf(by, (group,))
        alone = fetch_effects(snapshot, replace(grouped, where=(*others, member)), protected=[member])
        if not all(holds(item, {by: group}, Question("ALL", "os")) for item in own):
            assert not effects.of_group(place, by).n.sum()
            continue
        here = answers[place]
        assert here == apply_low_effect_rule(effects.of_group(place, by), least, floor=least)
        there = apply_low_effect_rule(alone, least, floor=least)
        assert isinstance(here, TooFewPatients) == isinstance(there, TooFewPatients)
        if not isinstance(here, TooFewPatients) and not isinstance(there, TooFewPatients):
            assert (here.n, here.n.key, here.not_applied) == (there.n, there.n.key, there.not_applied)
