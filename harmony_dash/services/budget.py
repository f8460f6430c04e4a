"""How much a person may ask in a day, and who keeps asking about the same few patients.

Rounding and the low-effect rule hide single patients from a few questions. Hundreds, made up around one person, still
leave a weak signal; so there is an end to them, and a list of people to talk to. What is counted is the audit trail,
which is the truth about what was answered. A new kind of question needs no more than a call of `check_budget`: every
protected answer that is recorded as a fingerprint and a question counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date
from itertools import combinations
from typing import Final, Protocol

import numpy as np

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import PANEL_ACTION, Asked, list_asked, record
from harmony_dash.cohort.question import Question, with_landmark
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.selections import Selection
from harmony_dash.errors import QuestionError, TooManyQuestions
from harmony_dash.services.audited import answer_event
from harmony_dash.services.deployment import Deployment

# A third of the budget spent around one combination of three conditions is no longer looking around.
ALARM_QUESTIONS: Final = 100
ALARM_CONDITIONS: Final = 3
# All cohorts that four conditions make, each asked for, denied or left out, are 81; who looks around makes far fewer
# of the same five.
ALARM_COHORTS: Final = 40
LATTICE_CONDITIONS: Final = 5
# Five of so many are 42,504 sets. To hide a lattice among others used as often takes more questions than a day has.
_LOOKED_AT = 24


class Askable(Protocol):
    """What an answer is recorded and counted as.

    Attributes
    ----------
    fingerprint : 16 hexadecimal digits that equal questions share.
    for_the_record : the fingerprint, and the question as the audit trail keeps it.
    """

    @property
    def fingerprint(self) -> str:
        """See above."""

    @property
    def for_the_record(self) -> str:
        """See above."""


@dataclass(frozen=True)
class Alarm:
    """Many questions of one person and day around the same patients.

    Attributes
    ----------
    questions : how many different ones share the conditions, or how many different cohorts are made of them.
    conditions : all that they share, or are made of; each stands for its opposite too.
    """

    username: str
    day: date
    questions: int
    conditions: frozenset[Selection]


@dataclass(frozen=True)
class DayQuestion:
    """A question that a person asked on a day, with its conditions in closed form.

    Attributes
    ----------
    splits : what its conditions tell patients apart by, from `splits_of`.
    """

    username: str
    day: date
    fingerprint: str
    conditions: frozenset[Selection]
    splits: frozenset[Selection]


def check_budget(deployment: Deployment, actor: Actor, question: Askable, action: str, scope: Scope) -> None:
    """Refuse a question that is one too many for today; those asked today stay open, and the operator is free.

    Parameters
    ----------
    question : as its answer will be recorded.
    action : the action its answer will be recorded as.
    scope : at which it will be answered; only protected answers count.

    Raises
    ------
    TooManyQuestions, to be recorded by the caller like every other refusal.
    """
    check_budget_for_all(deployment, actor, [question], action, scope)


def check_budget_for_all(deployment: Deployment, actor: Actor, questions: Iterable[Askable], action: str,
                         scope: Scope) -> None:
    """Refuse a table that answers several questions, if together they are too many; see `check_budget`.

    Raises
    ------
    TooManyQuestions.
    """
    if not scope.is_protected or actor.role is Role.OPERATOR:
        return
    limit = deployment.settings.daily_questions
    asked = list_asked(deployment.access, actor.username, deployment.now().astimezone(UTC).date())
    before = count_questions(asked)
    after = count_questions(asked | {Asked(question.fingerprint, scope.grant, action == PANEL_ACTION)
                                     for question in questions})
    if before < after and after > limit:
        raise TooManyQuestions(
            f"the limit of {limit:,} different questions a person and day is reached",
            remedy="Questions you already asked today stay open, and the count starts anew at midnight UTC; ask a data "
                   "manager if your work needs more.")


def count_today(deployment: Deployment, actor: Actor) -> tuple[int, int]:
    """How many different questions a person asked today (UTC) at the protected levels, and how many they may ask.

    No check: people may always know their own number, which the trail holds anyway.
    """
    today = deployment.now().astimezone(UTC).date()
    return count_questions(list_asked(deployment.access, actor.username, today)), deployment.settings.daily_questions


def record_within_budget(deployment: Deployment, actor: Actor, question: Askable, action: str, scope: Scope, *,
                         snapshot: str, n: int | None, counted_by: str = "") -> None:
    """Record an answer that is about to be handed over, unless others given meanwhile have used up the budget.

    The look at the trail and the new line in it are one transaction, so that of many questions at once no more are
    answered than of as many one after the other. If the trail cannot be written, nothing is handed over.

    Parameters
    ----------
    question, action, scope : as of `check_budget`, which refuses most questions before they cost anything.
    counted_by : of the panel, what stands behind the question in the trail.

    Raises
    ------
    AuditUnavailable; TooManyQuestions, to be recorded by the caller like every other refusal.
    """
    record_all_within_budget(deployment, actor, [question], action, scope, snapshot=snapshot, n=n,
                             counted_by=counted_by)


def record_all_within_budget(deployment: Deployment, actor: Actor, questions: Collection[Askable], action: str,
                             scope: Scope, *, snapshot: str, n: int | None = None, counted_by: str = "",
                             table: str = "") -> None:
    """Record a table that answers several questions, all or none of them; see `record_within_budget`.

    Parameters
    ----------
    table : the table itself, as the trail keeps it before its questions; it does not count.

    Raises
    ------
    AuditUnavailable; TooManyQuestions.
    """
    lines = [*([table] if table else []), *(f"{question.for_the_record}{counted_by}" for question in questions)]
    with deployment.access.write() as connection:
        check_budget_for_all(deployment, actor, questions, action, scope)
        for line in lines:
            record(connection, answer_event(actor, action, question=line, snapshot=snapshot, level=scope.level, n=n,
                                            grant=scope.grant), now=deployment.now())


def count_questions(asked: Collection[Asked]) -> int:
    """How many different questions these are.

    Under another grant the same words ask about other patients. The panel's counts of a question that was asked
    itself, under whatever grant, are a part of its answer.
    """
    answered = {(one.fingerprint, one.grant) for one in asked if not one.panel}
    counted = {one.fingerprint for one in asked if one.panel}
    return len(answered) + len(counted - {fingerprint for fingerprint, _ in answered})


def as_recorded(question: Question, dictionary: Dictionary) -> Question:
    """The question with the landmark under which its answer is recorded, or as it is where none can be set.

    Without it the panel's counts would look like another question than the answer beside them.
    """
    try:
        return with_landmark(question, dictionary)
    except QuestionError:
        return question


def find_alarms(asked: Iterable[DayQuestion]) -> tuple[Alarm, ...]:
    """Who asked too many questions of a day around the same few patients; one alarm a person and day, newest first.

    Either `ALARM_QUESTIONS` different questions share `ALARM_CONDITIONS` conditions, or `ALARM_COHORTS` different
    cohorts are made of `LATTICE_CONDITIONS` conditions and nothing else, some of them left out or none. A condition and
    its opposite count as one: the lattice {value, all, not that value} of a few fields, solved as equations, tells of
    the one patient in its middle.
    """
    days: defaultdict[tuple[str, date], dict[str, DayQuestion]] = defaultdict(dict)
    for one in asked:
        days[one.username, one.day][one.fingerprint] = one
    alarms = []
    for (username, day), found in days.items():
        problem = _find_shared(found.values()) or _find_lattice(found.values())
        if problem is not None:
            alarms.append(Alarm(username, day, *problem))
    return tuple(sorted(alarms, key=lambda alarm: (-alarm.day.toordinal(), alarm.username)))


def _find_shared(asked: Collection[DayQuestion]) -> tuple[int, frozenset[Selection]] | None:
    """How many questions share the conditions that most share, and all that those have in common."""
    if len(asked) < ALARM_QUESTIONS:
        return None
    shared = Counter(frozenset(some) for one in asked for some in combinations(one.splits, ALARM_CONDITIONS))
    most = max(shared.values(), default=0)
    if most < ALARM_QUESTIONS:
        return None
    # of several equal ones the first by name, so that the report does not change from run to run
    chosen = min((some for some, n in shared.items() if n == most), key=_order)
    return most, frozenset.intersection(*(one.splits for one in asked if chosen <= one.splits))


def _find_lattice(asked: Iterable[DayQuestion]) -> tuple[int, frozenset[Selection]] | None:
    """How many cohorts are made of the few conditions that most are made of, and which these are.

    Looked for among the conditions that most cohorts use, in as few conditions as do.
    """
    cohorts = {one.conditions: one.splits for one in asked}
    if len(cohorts) < ALARM_COHORTS:
        return None
    used = Counter(split for splits in cohorts.values() for split in splits)
    common = sorted(used, key=lambda split: (-used[split], split.order))[:_LOOKED_AT]
    bits = {split: 1 << place for place, split in enumerate(common)}
    made_of = np.array([sum(bits[split] for split in splits) for splits in cohorts.values() if splits <= bits.keys()],
                       dtype=np.int64)
    for size in range(ALARM_CONDITIONS, LATTICE_CONDITIONS + 1):
        sets = np.array([sum(some) for some in combinations(bits.values(), size)], dtype=np.int64)
        inside = np.zeros(len(sets), dtype=np.int64)
        for one in made_of:
            inside += one & ~sets == 0
        if inside.max(initial=0) >= ALARM_COHORTS:
            best = int(inside.argmax())
            return int(inside[best]), frozenset(split for split, bit in bits.items() if int(sets[best]) & bit)
    return None


def _order(conditions: frozenset[Selection]) -> list[tuple[tuple[str, tuple[int, ...]], ...]]:
    return sorted(condition.order for condition in conditions)
