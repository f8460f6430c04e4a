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
from typing import Final

from harmony_dash.access.actor import Actor, Role
from harmony_dash.access.audit import PANEL_ACTION, Asked, list_asked
from harmony_dash.cohort.question import Question, with_landmark
from harmony_dash.dictionary.model import Dictionary
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.selections import Selection
from harmony_dash.errors import QuestionError, TooManyQuestions
from harmony_dash.services.deployment import Deployment

# A third of the budget spent around one combination of three conditions is no longer looking around.
ALARM_QUESTIONS: Final = 100
ALARM_CONDITIONS: Final = 3


@dataclass(frozen=True)
class Alarm:
    """Many questions of one person and day around the same patients.

    Attributes
    ----------
    questions : how many different ones share the conditions.
    conditions : all that they share.
    """

    username: str
    day: date
    questions: int
    conditions: frozenset[Selection]


@dataclass(frozen=True)
class DayQuestion:
    """A question that a person asked on a day, with its conditions in closed form."""

    username: str
    day: date
    fingerprint: str
    conditions: frozenset[Selection]


def check_budget(deployment: Deployment, actor: Actor, question: Question, action: str, scope: Scope) -> None:
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


def check_budget_for_all(deployment: Deployment, actor: Actor, questions: Iterable[Question], action: str,
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


def find_alarms(asked: Iterable[DayQuestion], *, questions: int = ALARM_QUESTIONS, conditions: int = ALARM_CONDITIONS,
                ) -> tuple[Alarm, ...]:
    """Who asked at least so many different questions in a day that share at least so many conditions.

    One alarm a person and day, for the conditions that most questions share; newest day first.
    """
    days: defaultdict[tuple[str, date], dict[str, frozenset[Selection]]] = defaultdict(dict)
    for one in asked:
        days[one.username, one.day][one.fingerprint] = one.conditions
    alarms = []
    for (username, day), found in days.items():
        if len(found) < questions:
            continue
        shared = Counter(frozenset(chosen) for one in found.values() for chosen in combinations(one, conditions))
        most = max(shared.values(), default=0)
        if most >= questions:
            # of several equal ones the first by name, so that the report does not change from run to run
            chosen = min((one for one, n in shared.items() if n == most), key=_order)
            held = [one for one in found.values() if chosen <= one]
            alarms.append(Alarm(username, day, most, frozenset.intersection(*held)))
    return tuple(sorted(alarms, key=lambda alarm: (-alarm.day.toordinal(), alarm.username)))


def _order(conditions: frozenset[Selection]) -> list[tuple[tuple[str, tuple[int, ...]], ...]]:
    return sorted(condition.order for condition in conditions)
