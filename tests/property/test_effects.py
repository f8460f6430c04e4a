"""The effects of conditions, and what the low-effect rule makes of them, against a plain reading of the rows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
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
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.effects import Effects, count_choices, count_fail_only, count_rows, meets_all
from harmony_dash.disclosure.group_effects import NearlyAll, answer_group, apply_rule_by_choice, apply_rule_by_group
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.disclosure.low_effect import Answerable, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.policy import Level
from harmony_dash.disclosure.selections import Selection, list_choices, open_selection
from harmony_dash.disclosure.small_values import is_plain
from harmony_dash.errors import QuestionError
from harmony_dash.store.counts import fetch_cohort_count
from harmony_dash.store.effects import fetch_choice_effects, fetch_effects
from harmony_dash.store.reader import Snapshot
from tests.factories import DISCLOSURE_KEY, make_patients, make_store

Row = dict[str, Any]
SIZES = (12, 60, 250)
COUNTRIES = ("DE", "FR", "NL")
PERIODS = ("before-1990", *(f"{year}-{year + 4}" for year in range(1990, 2026, 5)))


def make_rows(n: int) -> pd.DataFrame:
    """Patients with values missing everywhere, two rare countries and late entry."""
    frame = make_patients(n, seed=n)
    frame["country"] = frame.country.where(frame.index % 9 != 0, "FR").where(frame.index % 4 == 0, "DE")
    frame["age_dx_years"] = frame.age_dx_years.mask(frame.index % 6 == 0)
    frame["sex"] = frame.sex.astype(object).where(frame.index % 11 != 0, None)
    frame["dx_period"] = [PERIODS[number * number % 9] for number in range(n)]
    frame["entry_days"] = pd.Series([30 if number % 5 == 0 else None for number in range(n)], dtype="Int32")
    return frame


DICTIONARY = load_dictionary()
FRAMES = {n: make_rows(n) for n in SIZES}
ROWS: dict[int, list[Row]] = {
    n: frame.astype(object).where(frame.notna(), None).to_dict("records") for n, frame in FRAMES.items()}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Snapshot]:
    return {n: make_store(tmp_path_factory.mktemp(f"store{n}"), frame=frame) for n, frame in FRAMES.items()}


# Two large countries and eight of three to thirty patients, so that lists of them hold large and small values.
MANY_COUNTRIES = ("AT", "BE", "CH", "CZ", "DK", "EE", "ES", "FI", "DE", "NL")
MANY_SIZES = (3, 6, 9, 12, 15, 20, 25, 30, 380, 700)
MANY_FRAME = make_patients(sum(MANY_SIZES), seed=5)
MANY_FRAME["country"] = [name for name, size in zip(MANY_COUNTRIES, MANY_SIZES, strict=True) for _ in range(size)]
MANY: list[Row] = MANY_FRAME.astype(object).where(MANY_FRAME.notna(), None).to_dict("records")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return make_store(tmp_path_factory.mktemp("many"), frame=MANY_FRAME)


EDGES = (1.0, 10.0, 18.0, 40.0, 60.0)


@st.composite
def _ranges(draw: st.DrawFn) -> Between:
    lower, upper = sorted(draw(st.lists(st.sampled_from([None, *EDGES]), min_size=2, max_size=2, unique=True)),
                          key=lambda edge: -1.0 if edge is None else edge)
    if draw(st.booleans()) or lower is None:
        return Between("age_dx_years", lower, upper, False)
    return Between("age_dx_years", lower, None)


def _one_of(name: str, values: tuple[str, ...], most: int = 3) -> st.SearchStrategy[Filter]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most).map(lambda chosen: OneOf(name, tuple(chosen)))


_leaves: st.SearchStrategy[Filter] = st.one_of(
    _one_of("country", COUNTRIES), _one_of("sex", ("F", "M")), _one_of("hsct_cr1", ("no", "yes")),
    _one_of("cyto_group", ("good", "intermediate", "high")), _one_of("trial", ("Trial A", "Trial B", "Trial C")),
    _one_of("dx_period", PERIODS, 9), _ranges(),
    st.sampled_from(["sex", "cyto_group", "age_dx_years", "hb"]).map(Missing))
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
    return question.by is None or known(row, question.by, question) is not None


def expected(rows: list[Row]) -> tuple[int, int]:
    keys = (hmac.new(DISCLOSURE_KEY, row["patient"].encode(), hashlib.sha256).digest()[:8] for row in rows)
    return len(rows), reduce(xor, (int.from_bytes(key, "big") for key in keys), 0)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions)
def test_the_effects_of_every_subset_are_those_of_a_reading_of_the_rows(
        stores: dict[int, Snapshot], n: int, question: Question) -> None:
    try:
        effects = fetch_effects(stores[n], question)
    except QuestionError:  # the filters contradict each other
        assert not [row for row in ROWS[n] if all(holds(item, row, question) for item in question.where)]
        return
    rows = [row for row in ROWS[n] if in_figure(row, question)]
    for size in range(len(effects.selections) + 1):
        for subset in combinations(effects.selections, size):
            filters = [open_selection(selection, effects.offered) for selection in subset]
            if size == len(effects.selections):  # in closed form the question means what it meant
                assert expected([row for row in ROWS[n] if all(holds(item, row, question) for item in question.where)]
                                ) == identity(count_rows(effects, meets_all(effects, subset)))
            failed = [(row, [item for item in filters if not holds(item, row, question)]) for row in rows]
            assert expected([row for row, which in failed if not which]) == identity(
                count_rows(effects, effects.in_figure & meets_all(effects, subset)))
            for item, count in zip(filters, count_fail_only(effects, subset), strict=True):
                assert count == sum(which == [item] for _, which in failed)
            for place, selection in enumerate(subset):
                others = [*subset[:place], *subset[place + 1:]]
                for name, _ in selection.chosen if not is_plain(selection) else ():
                    parts = Selection(tuple(part for part in selection.chosen if part[0] != name))
                    counted = count_choices(effects, others, selection, name)
                    assert counted.tolist() == [
                        sum(chooses(row, {name: {choice}}, effects, question) and all(
                            chooses(row, dict(other.chosen), effects, question) for other in others)
                            and not chooses(row, dict(parts.chosen), effects, question) for row in rows)
                        for choice in sorted(effects.offered[name].all)]


def identity(count: KeyedCount) -> tuple[int, int]:
    return int(count), count.key


def chooses(row: Row, chosen: Mapping[str, Collection[int]], effects: Effects, question: Question) -> bool:
    """Whether a patient has one of the choices of any of the variables."""
    return any(holds(open_selection(Selection(((name, frozenset(choices)),)), effects.offered), row, question) is True
               for name, choices in chosen.items() if choices)


def plain_rule(rows: list[Row], effects: Effects, question: Question, least: int) -> tuple[list[Row], int] | None:
    """The rule as it is written, one patient at a time: who is left, and in how many pieces they are not those asked
    for. None if all chosen values are small."""
    asked = {number: {name: set(chosen) for name, chosen in selection.chosen}
             for number, selection in enumerate(effects.selections)}
    kept, out, pieces = {number: dict(parts) for number, parts in asked.items()}, set[tuple[int, str, int]](), {}
    figure = [row for row in rows if in_figure(row, question)]

    def meets(row: Row, number: int) -> bool:
        return chooses(row, kept[number], effects, question)

    def is_full(number: int) -> bool:
        return any(chosen == effects.offered[name].all for name, chosen in kept[number].items())

    def breadth(number: int) -> Fraction:
        return sum((Fraction(len(chosen), len(effects.offered[name].all)) for name, chosen in asked[number].items()),
                   start=Fraction(0))

    def find_low() -> int | None:
        low = [number for number in kept if not is_full(number) and sum(
            not meets(row, number) and all(meets(row, other) for other in kept if other != number)
            for row in figure) < least]
        # The broadest goes; selections are numbered in the order of their fields.
        return min(low, key=lambda number: (-breadth(number), number), default=None)

    def find_small() -> tuple[int, str, set[int], int] | None:
        for number, parts in kept.items():
            if is_full(number) or sum(map(len, parts.values())) < 2:
                continue
            for name, chosen in parts.items():
                others = {other: part for other, part in parts.items() if other != name}
                sizes = {choice: sum(
                    chooses(row, {name: {choice}}, effects, question) and not chooses(row, others, effects, question)
                    and all(meets(row, other) for other in kept if other != number) for row in figure)
                    for choice in effects.offered[name].all}
                small = {choice for choice, size in sizes.items() if size < least and (number, name, choice) not in out}
                total = sum(sizes[choice] for choice in small)
                taken_in = total >= least and 2 * len(small & chosen) > len(small)
                if small - chosen if taken_in else small & chosen:
                    return number, name, small, total if taken_in else -total
        return None

    while True:
        low = find_low()
        if low is not None:
            del kept[low]
            pieces = {key: count for key, count in pieces.items() if key[0] != low or key[2] == "in"}
            pieces[low, "", "dropped"] = 1
            continue
        found = find_small()
        if found is None:
            left = [row for row in rows if all(meets(row, number) for number in kept)]
            return left, sum(pieces.values())
        number, name, small, total = found
        wanted = asked[number].get(name, set())
        if total > 0:
            kept[number] = {**kept[number], name: kept[number][name] | small}
            pieces[number, name, "in"] = len(kept[number][name] - wanted)
            continue
        out |= {(number, name, choice) for choice in small}
        lost = small & kept[number][name] & wanted
        kept[number] = {other: chosen - small if other == name else chosen for other, chosen in kept[number].items()}
        kept[number] = {other: chosen for other, chosen in kept[number].items() if chosen}
        if not kept[number]:
            return None
        pieces[number, name, f"out {len(out)}"] = min(len(lost), 1) if -total < least else len(lost)
        if (number, name, "in") in pieces:
            pieces[number, name, "in"] = len(kept[number].get(name, set()) - wanted)


@settings(max_examples=250, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, least=st.sampled_from([1, 2, 4, 10]))
def test_the_rule_does_what_a_plain_reading_of_it_does(
        stores: dict[int, Snapshot], n: int, question: Question, least: int) -> None:
    try:
        effects = fetch_effects(stores[n], question)
    except QuestionError:
        return
    decision = apply_low_effect_rule(effects, least)
    if effects.selections and sum(in_figure(row, question) for row in ROWS[n]) < least:
        assert isinstance(decision, TooFewPatients)
        return
    plain = plain_rule(ROWS[n], effects, question, least)
    if plain is None:
        assert isinstance(decision, TooFewPatients)
        assert decision.only_small
        return
    left, pieces = plain
    shown = [row for row in left if in_figure(row, question)]
    assert sum(one.pieces for one in decision.not_applied) == pieces
    assert isinstance(decision, TooFewPatients) == (len(shown) < 10 * least * pieces)
    assert identity(decision.n) == expected(left)
    again = fetch_cohort_count(stores[n], decision.question)
    assert identity(again) == identity(decision.n)
    assert replace(decision.question, where=question.where) == question
    check_closed(replace(decision.question, where=decision.question.where[:1]), stores[n].dictionary, Level.EXACT)
    # Each piece is about fewer than k patients, so most of those shown are those asked for.
    asked = {row["patient"] for row in ROWS[n] if in_figure(row, question)
             and all(holds(item, row, question) for item in question.where)}
    assert len(asked ^ {row["patient"] for row in shown}) <= (least - 1) * pieces
    if isinstance(decision, Answerable) and pieces:
        assert len({row["patient"] for row in shown} - asked) <= len(shown) / 10


_EVERY_COUNTRY = tuple(DICTIONARY["country"].values)
_OF_COUNTRIES = st.lists(st.booleans(), min_size=len(_EVERY_COUNTRY), max_size=len(_EVERY_COUNTRY)).map(
    lambda chosen: {name for name, is_in in zip(_EVERY_COUNTRY, chosen, strict=True) if is_in})


@settings(max_examples=300, derandomize=True, deadline=None)
@given(one=_OF_COUNTRIES, other=_OF_COUNTRIES, least=st.sampled_from([5, 10, 20, 40]), others=st.lists(
    st.sampled_from([OneOf("sex", ("F",)), OneOf("trial", ("Trial A",)), Missing("cyto_group")]), max_size=2))
def test_lists_that_differ_in_small_values_get_one_answer_or_answers_that_differ_by_many(
        many: Snapshot, one: set[str], other: set[str], least: int, others: list[Filter]) -> None:
    whole = fetch_effects(many, Question("ALL", "os", (*others, OneOf("country", MANY_COUNTRIES))))
    selection = next(item for item in whole.selections if item.variables == ("country",))
    beside = [item for item in whole.selections if item.variables != ("country",)]
    counts = count_choices(whole, beside, selection, "country").tolist()
    small = {value for value, size in zip(whole.offered["country"].values, counts, strict=False) if size < least}
    # The lists share their large values.
    lists = [{"NL"} | (one - small) | (values & small) for values in (one, other)]
    answers = [apply_low_effect_rule(fetch_effects(many, Question("ALL", "os", (*others, OneOf("country", tuple(
        values))))), least) for values in lists]
    if any(item.kind == "not applied" and set(variables_of(item.filter)) != {"country"}
           for answer in answers for item in answer.not_applied):
        return  # by which of several conditions is dropped, lists can differ in more
    sets = [{row["patient"] for row in MANY if all(holds(item, row, answer.question) for item in answer.question.where)}
            for answer in answers]
    assert len(sets[0] ^ sets[1]) == 0 or len(sets[0] ^ sets[1]) >= least
    assert (answers[0].n.key == answers[1].n.key) == (sets[0] == sets[1])


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
    answers = apply_rule_by_group(effects, len(values), by, least)
    ungrouped = [row for row in ROWS[n] if in_figure(row, replace(grouped, by=None))]
    for place, group in enumerate(values):
        here = answers[place]
        assert here == answer_group(effects, place, by, least)
        member = OneOf(by, (group,))
        if not all(holds(item, {by: group}, Question("ALL", "os")) for item in own):
            assert not effects.of_group(place, by).n.sum()
            continue
        alone = fetch_effects(snapshot, replace(grouped, where=(*others, member)), protected=[member])
        there = apply_low_effect_rule(alone, least)
        assert isinstance(here, TooFewPatients) == isinstance(there, TooFewPatients)
        if isinstance(there, TooFewPatients):
            continue
        rest = [row for row in ungrouped if known(row, by, grouped) != group and all(
            holds(item, row, grouped) for item in there.question.where if item != member)]
        assert isinstance(here, NearlyAll) == (len(rest) < least)
        if isinstance(here, Answerable):
            assert (identity(here.n), here.not_applied) == (identity(there.n), there.not_applied)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(n=st.sampled_from(SIZES), question=_questions, least=st.sampled_from([2, 4, 10]), name=st.sampled_from([
    "mrd_group", "country", "trial"]))
def test_a_choice_of_the_panel_is_counted_as_the_question_that_has_it(
        stores: dict[int, Snapshot], n: int, question: Question, least: int, name: str) -> None:
    snapshot = stores[n]
    others = tuple(item for item in question.where if name not in variables_of(item))
    asked = Question("ALL", "os", others)
    choices = list_choices(snapshot.dictionary[name], snapshot.values_of(snapshot.dictionary[name]))
    try:
        effects = fetch_choice_effects(snapshot, asked, [snapshot.dictionary[name]])[name]
    except QuestionError:
        return
    filters: list[Filter] = [*(OneOf(name, (value,)) for value in choices.values), Missing(name)]
    for item, here in zip(filters, apply_rule_by_choice(effects, choices, least), strict=True):
        there = apply_low_effect_rule(
            fetch_effects(snapshot, replace(asked, where=(*others, item)), figure=False), least)
        if sum(holds(item, row, asked) is True for row in ROWS[n]) < least:
            assert isinstance(here, TooFewPatients)
            assert here.n < least
        else:
            assert here == there
