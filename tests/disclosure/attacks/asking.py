"""Asking as a clinician does, and everything that can be seen of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harmony_dash.cohort import Question
from harmony_dash.cohort.filters import AnyOf, Filter, Not, OneOf
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import Curve, GroupResult, IntervalType, SurvivalResult
from harmony_dash.errors import QuestionError
from harmony_dash.services.survival import DEFAULT_DAYS, prepare_question
from harmony_dash.services.survival_answer import compute_survival
from tests.disclosure.attacks.population import SECRET, World

SCOPE = Scope(Level.PROTECTED)
# What is seen of a question that gets no answer at all.
REFUSED = ("refused",)


def is_one_of(name: str, *values: str) -> Filter:
    return OneOf(name, values)


def is_not(name: str, value: str) -> Filter:
    return Not(OneOf(name, (value,)))


def is_not_all_of(known: Mapping[str, str]) -> Filter:
    """Everybody but those who have all of these values."""
    return AnyOf(tuple(is_not(name, value) for name, value in known.items()))


def like(values: Mapping[str, str]) -> tuple[Filter, ...]:
    return tuple(is_one_of(name, value) for name, value in values.items())


def ask_about(*where: Filter, endpoint: str = "os", **changes: Any) -> Question:
    """A question grouped by the secret: `where` has room for four conditions only, and an attacker needs them."""
    return replace(Question("ALL", endpoint, where, by=SECRET), **changes)


@dataclass
class Asker:
    """Somebody who asks, by the path that the page takes, and remembers the answers."""

    world: World
    answers: dict[Question, SurvivalResult | None] = field(default_factory=dict)

    def ask(self, question: Question) -> SurvivalResult | None:
        """plan_answer, fetch_planned_tables, compute_survival, release, without sign-in and audit; None if refused."""
        if question not in self.answers:
            self.answers[question] = self._ask(question)
        return self.answers[question]

    def _ask(self, question: Question) -> SurvivalResult | None:
        try:
            prepared = prepare_question(question, self.world.snapshot)
            result = compute_survival(self.world.snapshot, prepared, question, interval=IntervalType.LOG_LOG,
                                      days=DEFAULT_DAYS, scope=SCOPE)
        except QuestionError:
            return None
        return release(result, SCOPE).value


def see_group(result: SurvivalResult | None, value: str) -> tuple[Any, ...]:
    """All that is shown of one group, to the last digit: its numbers and curves, or why it is withheld."""
    if result is None:
        return REFUSED
    for group in result.groups:
        if value in group.label.values() or not group.label:
            return _see(group)
    return tuple(one.reason for one in result.withheld if value in one.label.values() or not one.label)


def see_counts(result: SurvivalResult | None, value: str) -> tuple[Any, ...]:
    """Only the group's size, for answers whose clocks or endpoints differ; nothing if it is withheld."""
    if result is None:
        return ()
    return tuple(group.n for group in result.groups if value in group.label.values() or not group.label)


def see_notes(result: SurvivalResult | None, name: str, expected: Iterable[str] = ()) -> frozenset[str]:
    """The filters that were not applied in one group, without those an attacker knows of beforehand.

    Parameters
    ----------
    name : the words for the group.
    expected : words that stand in the notes they know of.
    """
    found = set()
    for note in result.notes if result else ():
        where, _, what = note.partition("filter '")
        if what and not any(words in note for words in expected) and (
                not where.startswith("Within") or name in where[len("Within "):].split(", ")):
            found.add(what.split("'")[0])
    return frozenset(found)


def _see(group: GroupResult) -> tuple[Any, ...]:
    curves = (_points(group.curve), *((cause.cause, _points(cause.curve)) for cause in group.cumulative_incidence))
    return (group.n, group.events, curves, group.at, group.risk_table, group.median_days, group.median_lower_days,
            group.median_upper_days, group.follow_up_median_days, group.restricted_mean)


def _points(curve: Curve) -> tuple[Any, ...]:
    return tuple(column.tobytes() for column in (curve.days, curve.estimate, curve.lower, curve.upper, curve.at_risk))
