"""The question that protected results answer in place of the one that was asked, and the words about the difference.

A grouped question is answered group by group, as if each group had been asked for alone: the low-effect rule looks at
what a condition does within the group, because that is the set of patients whose curve is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.group_effects import apply_rule_by_group
from harmony_dash.disclosure.low_effect import Answerable, NotApplied, TooFewPatients, apply_low_effect_rule
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.event_tables import ALL_PATIENTS, fetch_event_table
from harmony_dash.store.reader import Snapshot


@dataclass(frozen=True)
class Part:
    """Some groups of a figure, and the question they answer."""

    question: Question
    groups: tuple[str, ...]


@dataclass(frozen=True)
class AnswerPlan:
    """How a question is answered.

    Attributes
    ----------
    question : the one that the cohort as a whole answers; None if too few patients are left.
    parts : the groups by the question they answer; those of most figures answer the same one.
    withheld : group to the reason why it is not answered.
    notes : what was not applied, in words.
    """

    question: Question | None
    parts: tuple[Part, ...]
    withheld: dict[str, str]
    notes: tuple[str, ...]

    def for_endpoint(self, endpoint: str) -> AnswerPlan:
        """The same patients, followed for something else."""
        return replace(self, question=self.question and replace(self.question, endpoint=endpoint), parts=tuple(
            replace(part, question=replace(part.question, endpoint=endpoint)) for part in self.parts))


def plan_answer(snapshot: Snapshot, question: Question, scope: Scope) -> AnswerPlan:
    """Decide which conditions are applied, for the cohort and for every group of it.

    Parameters
    ----------
    question : checked against the snapshot, with its landmark.

    Raises
    ------
    QuestionError for a question that protected results do not answer at all.
    """
    check_closed(question, snapshot.dictionary, scope.level)
    groups = tuple(snapshot.values_of(snapshot.dictionary[question.by])) if question.by else ()
    if not scope.is_protected or not question.where:
        return AnswerPlan(question, (Part(question, groups or (ALL_PATIENTS,)),), {}, ())
    least = scope.rules.minimum_cell
    effects = fetch_effects(snapshot, question)
    whole = apply_low_effect_rule(effects, least)
    if isinstance(whole, TooFewPatients):
        reason = f"fewer than {whole.minimum} patients once filters that change fewer than {least} are left out"
        return AnswerPlan(None, (), dict.fromkeys(groups or (ALL_PATIENTS,), reason), ())
    notes = [_tell_of_all(one, snapshot, least) for one in whole.not_applied]
    if not question.by:
        return AnswerPlan(whole.question, (Part(whole.question, (ALL_PATIENTS,)),), {}, tuple(notes))
    parts: dict[Question, list[str]] = {}
    withheld: dict[str, str] = {}
    more: dict[str, list[str]] = {}
    answers = apply_rule_by_group(effects, len(groups), question.by, least, floor=scope.rules.minimum_patients)
    for group, answer in zip(groups, answers, strict=True):
        if isinstance(answer, TooFewPatients):
            withheld[group] = too_few(scope.rules)
            continue
        parts.setdefault(answer.question, []).append(group)
        for words in _only_here(answer, whole, snapshot):
            more.setdefault(words, []).append(snapshot.dictionary[question.by].label_of(group))
    notes += [f"Within {', '.join(names)}, {words} changes fewer than {least} patients and was not applied there."
              for words, names in more.items()]
    return AnswerPlan(whole.question, tuple(Part(asked, tuple(names)) for asked, names in parts.items()), withheld,
                      tuple(notes))


def fetch_planned_tables(snapshot: Snapshot, plan: AnswerPlan) -> tuple[EventTable, EventTable]:
    """The event table of all groups that are answered, each from its own question, and that of the cohort.

    They are the same one unless some group answers another question than the cohort.

    Raises
    ------
    ValueError for a plan without an answer.
    """
    if plan.question is None:
        raise ValueError("this plan has no answer")
    cohort = fetch_event_table(snapshot, plan.question)
    answered = [_only(cohort if part.question == plan.question else fetch_event_table(snapshot, part.question),
                      part.groups) for part in plan.parts]
    table = answered[0] if answered else _only(cohort, ())
    for other in answered[1:]:
        table = table + other
    return table, cohort


def _only(table: EventTable, groups: Sequence[str]) -> EventTable:
    """The table with the other groups left empty."""
    return table if tuple(groups) == table.groups else _with_groups(table.select_groups(groups), table.groups)


def _with_groups(table: EventTable, groups: Sequence[str]) -> EventTable:
    """The table with further groups that nobody is in."""
    index = {name: place for place, name in enumerate(groups)}
    return EventTable.from_counts(groups, table.strata, table.causes, [index[table.groups[g]] for g in table.group],
                                  table.stratum, table.day, table.censored, table.events, table.entries,
                                  keys=table.keys)


def _only_here(answer: Answerable, whole: Answerable, snapshot: Snapshot) -> list[str]:
    told = {one.filter for one in whole.not_applied}
    return [f"the filter '{describe_filter(one.filter, snapshot.dictionary)}'" for one in answer.not_applied
            if one.filter not in told]


def _tell_of_all(one: NotApplied, snapshot: Snapshot, least: int) -> str:
    words = describe_filter(one.filter, snapshot.dictionary)
    what = "changes" if one.reason.startswith("changes") else "adds"
    return f"The filter '{words}' {what} fewer than {least} patients and was not applied."
