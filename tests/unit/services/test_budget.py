"""How much a person may ask in a day, and what counts."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from harmony_dash.access.actor import OPERATOR, Actor, Role
from harmony_dash.access.audit import PANEL_ACTION, Asked, AuditEvent, Decision, list_events, record
from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope
from harmony_dash.disclosure.closed_questions import MOST_CONDITIONS
from harmony_dash.disclosure.selections import Choices, Selection, close_filters, splits_of
from harmony_dash.errors import TooManyQuestions, UserError
from harmony_dash.services.budget import (
    ALARM_COHORTS,
    ALARM_QUESTIONS,
    Alarm,
    DayQuestion,
    check_budget,
    count_questions,
    find_alarms,
)
from harmony_dash.services.choices import count_choices
from harmony_dash.services.deployment import Deployment, open_deployment
from harmony_dash.services.survival import ask_survival
from harmony_dash.settings import Settings
from harmony_dash.store.reader import Store
from tests.benchmarks.stores import make_benchmark_store
from tests.disclosure.altered import patients_of
from tests.disclosure.questions import EVERYDAY, realistic_question
from tests.factories import ACCESS_KEY, NOW, make_store

CLARA, CARL = Actor("clara", Role.CLINICIAN, "s1"), Actor("carl", Role.CLINICIAN, "s2")
ANNA = Actor("anna", Role.ANALYST, "s3")
QUESTION = Question("ALL", "os")
# Different questions that any snapshot answers, and quickly.
QUESTIONS = [Question("ALL", endpoint, horizon_days=horizon) for endpoint in ("os", "efs", "rfs")
             for horizon in (None, 365, 731)]


class Clock:
    """A clock that tests can turn."""

    moment = NOW

    def __call__(self) -> object:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deployment(tmp_path: Path, clock: Clock) -> Iterator[Deployment]:
    """Three questions a day."""
    make_store(tmp_path / "store", 400)
    settings = Settings(tmp_path / "store", tmp_path / "access.sqlite", None, access_key=ACCESS_KEY, daily_questions=3)
    opened = open_deployment(settings, now=clock)  # type: ignore[arg-type]
    yield opened
    opened.access.close()


def note(deployment: Deployment, fingerprints: int, *, actor: Actor = CLARA, action: str = "survival",
         level: str = "protected", grant: str = "", decision: Decision = Decision.ALLOWED) -> None:
    """Record that somebody was answered so many different questions."""
    with deployment.access.write() as connection:
        for number in range(fingerprints):
            record(connection, AuditEvent.of(actor, action, question=f'{number:016x} {{"by":null}}', level=level,
                                             grant=grant, decision=decision), now=deployment.now())


def may_ask(deployment: Deployment, actor: Actor = CLARA, question: Question = QUESTION, *, action: str = "survival",
            level: Level = Level.PROTECTED, grant: str = "") -> bool:
    try:
        check_budget(deployment, actor, question, action, Scope(level, grant=grant))
    except TooManyQuestions:
        return False
    return True


# --- through the services


def test_so_many_are_answered_and_the_next_is_refused_in_friendly_words(deployment: Deployment) -> None:
    for question in QUESTIONS[:3]:
        ask_survival(deployment, CLARA, question)
    with pytest.raises(TooManyQuestions) as refused:
        ask_survival(deployment, CLARA, QUESTIONS[3])
    assert refused.value.message == (
        "the limit of 3 different questions a person and day is reached. Questions you already asked today stay open, "
        "and the count starts anew at midnight UTC; ask a data manager if your work needs more.")
    assert isinstance(refused.value, UserError)


def test_the_refusal_is_recorded_once_and_is_no_question(deployment: Deployment) -> None:
    for question in QUESTIONS[:3]:
        ask_survival(deployment, CLARA, question)
    for question in (QUESTIONS[3], QUESTIONS[4]):
        with pytest.raises(TooManyQuestions):
            ask_survival(deployment, CLARA, question)
    refusals = list_events(deployment.access, decision=Decision.REFUSED)
    assert [(row.event.username, row.event.question, row.event.reason) for row in refusals] == [
        ("clara", question.for_the_record, "the limit of 3 different questions a person and day is reached")
        for question in (QUESTIONS[4], QUESTIONS[3])]


def test_what_was_asked_today_stays_open_in_any_order_of_its_parts(deployment: Deployment) -> None:
    filters = parse_filter("sex=F"), parse_filter("immunophenotype=B")
    for question in (Question("ALL", "os", filters), *QUESTIONS[:2]):
        ask_survival(deployment, CLARA, question)
    for question in (Question("ALL", "os", filters[::-1]), *QUESTIONS[:2]):
        assert ask_survival(deployment, CLARA, question).value.n > 0
        assert count_choices(deployment, CLARA, question, ["sex"]).value.total
    with pytest.raises(TooManyQuestions):
        ask_survival(deployment, CLARA, Question("ALL", "os", filters[:1]))


def test_the_panel_beside_an_answer_is_part_of_it_even_if_the_clock_was_moved(deployment: Deployment) -> None:
    for by in ("mrd_group", "sex", None):
        question = replace(QUESTION, by=by)
        ask_survival(deployment, CLARA, question)
        count_choices(deployment, CLARA, question, ["sex", "country"])
    assert len({row.event.question[:16] for row in list_events(deployment.access)}) == 3
    with pytest.raises(TooManyQuestions):
        count_choices(deployment, CLARA, replace(QUESTION, by="country"), ["sex"])
    refused = list_events(deployment.access, limit=1)[0].event
    assert (refused.action, refused.decision) == (PANEL_ACTION, Decision.REFUSED)


def test_what_only_the_panel_counted_is_a_question_too_and_its_answer_is_then_free(deployment: Deployment) -> None:
    for question in QUESTIONS[:3]:
        count_choices(deployment, CLARA, question, ["sex"])
        count_choices(deployment, CLARA, question, ["country"])
    with pytest.raises(TooManyQuestions):
        ask_survival(deployment, CLARA, QUESTIONS[3])
    assert ask_survival(deployment, CLARA, QUESTIONS[0]).value.n > 0


def test_the_operator_may_ask_on(deployment: Deployment) -> None:
    for question in QUESTIONS[:5]:
        assert ask_survival(deployment, OPERATOR, question).value.n > 0


def test_a_question_that_cannot_be_asked_costs_nothing(deployment: Deployment) -> None:
    for where in ("trial=Nowhere", "age_dx_years=1..2", "sex=X"):
        with pytest.raises(UserError):
            ask_survival(deployment, CLARA, Question("ALL", "os", (parse_filter(where),)))
    for question in QUESTIONS[:3]:
        ask_survival(deployment, CLARA, question)


# --- what counts


def test_three_hundred_is_the_limit_of_a_deployment_that_says_nothing(deployment: Deployment) -> None:
    usual = replace(deployment, settings=replace(deployment.settings, daily_questions=Settings.daily_questions))
    note(usual, 299)
    assert may_ask(usual)
    note(usual, 300)
    assert not may_ask(usual)


def test_everybody_has_a_budget_of_their_own(deployment: Deployment) -> None:
    note(deployment, 3)
    assert not may_ask(deployment, CLARA)
    assert may_ask(deployment, CARL)


def test_at_midnight_in_utc_the_count_starts_anew(deployment: Deployment, clock: Clock) -> None:
    clock.moment = NOW.replace(hour=23, minute=59, second=59)
    note(deployment, 3)
    assert not may_ask(deployment)
    clock.moment += timedelta(seconds=1)
    assert may_ask(deployment)


@pytest.mark.parametrize("level", ["exact", "off", ""])
def test_exact_results_are_not_counted(deployment: Deployment, level: str) -> None:
    note(deployment, 3, level=level)
    assert may_ask(deployment)


def test_public_results_are_counted_with_the_others(deployment: Deployment) -> None:
    note(deployment, 3, level="public")
    assert not may_ask(deployment)
    assert not may_ask(deployment, level=Level.PUBLIC)


def test_an_exact_question_is_open_when_the_budget_is_spent(deployment: Deployment) -> None:
    note(deployment, 3, actor=ANNA)
    assert not may_ask(deployment, ANNA)
    assert may_ask(deployment, ANNA, level=Level.EXACT, grant="G-2026-001")


def test_refused_questions_and_other_entries_are_not_counted(deployment: Deployment) -> None:
    note(deployment, 3, decision=Decision.REFUSED)
    with deployment.access.write() as connection:
        for text in ("ALL", "", '{"days": 1}', "a text of some length with {a brace"):
            record(connection, AuditEvent.of(CLARA, "review coverage", question=text, level="protected"), now=NOW)
    assert may_ask(deployment)


def test_an_action_that_does_not_exist_yet_is_counted_like_the_others(deployment: Deployment) -> None:
    note(deployment, 3, action="subgroups")
    assert not may_ask(deployment)


COUNTED: list[tuple[set[Asked], int]] = [
    (set(), 0),
    ({Asked("a")}, 1),
    ({Asked("a"), Asked("a", panel=True)}, 1),
    ({Asked("a", panel=True), Asked("b", panel=True)}, 2),
    # under a grant the same words ask about other patients, and the panel is part of either answer
    ({Asked("a"), Asked("a", "G-1"), Asked("a", panel=True)}, 2),
    ({Asked("a", "G-1"), Asked("a", "G-2")}, 2),
    ({Asked("a", "G-1"), Asked("a", panel=True)}, 1),
    ({Asked("a"), Asked("b", panel=True), Asked("c")}, 3),
]


@pytest.mark.parametrize(("asked", "questions"), COUNTED)
def test_questions_are_told_apart_by_words_and_grant(asked: set[Asked], questions: int) -> None:
    assert count_questions(asked) == questions


# --- the alarm

A, B, C, D = (Selection(((name, frozenset({1})),)) for name in ("age_group", "country", "sex", "subtype"))
DAY = date(2026, 11, 21)


def day_questions(n: int, *shared: Selection, username: str = "clara", day: date = DAY, start: int = 0,
                  ) -> list[DayQuestion]:
    """So many questions with the shared conditions and one more each."""
    return [day_question(number, {*shared, Selection((("trial", frozenset({number})),))}, username, day)
            for number in range(start, start + n)]


def day_question(number: int, conditions: Iterable[Selection], username: str = "clara", day: date = DAY,
                 ) -> DayQuestion:
    offered = {name: Choices(name, tuple(map(str, range(400))), (), False)
               for condition in conditions for name in condition.variables}
    return DayQuestion(username, day, f"{number:016x}", frozenset(conditions), splits_of(conditions, offered))


def lattice(fields: str, fixed: Collection[Selection] = ()) -> list[DayQuestion]:
    """Every field asked for, denied and left out, in at most four conditions beside the fixed ones."""
    some = frozenset({1})
    values = [[None, some, frozenset(range(400)) - some] for _ in fields]
    points = [[Selection(((name, choice),)) for name, choice in zip(fields, point, strict=True) if choice]
              for point in itertools.product(*values)]
    return [day_question(number, [*fixed, *point]) for number, point in enumerate(points)
            if fixed or len(point) <= MOST_CONDITIONS[Level.PROTECTED]]


def test_a_hundred_questions_around_three_conditions_raise_an_alarm() -> None:
    assert find_alarms(day_questions(ALARM_QUESTIONS, A, B, C)) == (Alarm("clara", DAY, 100, frozenset({A, B, C})),)
    assert find_alarms(day_questions(ALARM_QUESTIONS - 1, A, B, C)) == ()


def test_questions_that_share_two_conditions_raise_none() -> None:
    assert find_alarms(day_questions(300, A, B)) == ()


def test_all_shared_conditions_are_told() -> None:
    (alarm,) = find_alarms([*day_questions(120, A, B, C, D), *day_questions(90, A, start=120)])
    assert (alarm.questions, alarm.conditions) == (120, frozenset({A, B, C, D}))


def test_the_lattice_around_one_person_raises_an_alarm_wherever_it_is_asked() -> None:
    (alarm,) = find_alarms(lattice("abcde", fixed=(A, B, C)))
    assert (alarm.questions, alarm.conditions) == (243, frozenset({A, B, C}))


@pytest.mark.parametrize("fields", ["abcd", "abcde", "abcdef"])
def test_the_lattice_of_a_few_fields_raises_an_alarm_among_other_questions(fields: str) -> None:
    others = [replace(one, fingerprint=f"other {one.fingerprint}") for one in day_questions(50, A, B)]
    (alarm,) = find_alarms([*lattice(fields), *others])
    assert alarm.questions == 81
    assert alarm.conditions <= {Selection(((name, frozenset({1})),)) for name in fields}
    assert len(alarm.conditions) == 4


def test_a_part_of_a_lattice_is_found_too() -> None:
    asked = lattice("abcde")
    some = np.random.default_rng(1).permutation(len(asked))
    assert len(find_alarms([asked[place] for place in some[:80]])) == 1


def test_a_lattice_is_told_by_its_cohorts() -> None:
    asked = lattice("abcd")
    assert find_alarms(asked[:ALARM_COHORTS - 1]) == ()
    (alarm,) = find_alarms(asked[:ALARM_COHORTS])
    assert alarm.questions == ALARM_COHORTS
    # many figures of a few cohorts are no lattice
    figures = [replace(one, fingerprint=f"{figure} {one.fingerprint}") for figure in range(7) for one in asked[:13]]
    assert find_alarms(figures) == ()


def test_an_either_or_of_the_fields_is_a_part_of_the_lattice() -> None:
    asked = lattice("abcd")[:ALARM_COHORTS - 1]
    either = Selection((("a", frozenset({1})), ("d", frozenset({1}))))
    assert find_alarms(asked) == ()
    assert len(find_alarms([*asked, day_question(400, [either])])) == 1


@pytest.mark.parametrize("several", [False, True], ids=["one value", "lists"])
def test_an_ordinary_day_raises_none(tmp_path: Path, several: bool) -> None:
    make_benchmark_store(tmp_path, 5_000)
    snapshot = Store(tmp_path).current()
    patients = patients_of(snapshot, EVERYDAY)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        day = []
        for number in range(100):
            question = realistic_question(patients, 1 + number % 4, rng, several=several)
            selections, offered = close_filters(question.where, snapshot.dictionary, snapshot.values_of)
            day.append(DayQuestion("clara", DAY, question.fingerprint, frozenset(selections),
                                   splits_of(selections, offered)))
        assert find_alarms(day) == ()


def test_days_and_people_are_looked_at_apart_and_repeats_count_once() -> None:
    half = day_questions(60, A, B, C)
    other_day = day_questions(60, A, B, C, day=DAY - timedelta(days=1), start=60)
    other_person = day_questions(60, A, B, C, username="carl", start=60)
    assert find_alarms([*half, *half, *other_day, *other_person]) == ()
    full = [*half, *day_questions(60, A, B, C, start=60)]
    assert [(alarm.username, alarm.questions) for alarm in find_alarms([*full, *other_person])] == [("clara", 120)]
