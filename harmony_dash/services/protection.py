"""The question that protected results answer in place of the one that was asked, and the words about the difference.

A grouped question is answered group by group, as if each group had been asked for alone: the low-effect rule looks at
what a condition does within the group, because that is the set of patients whose curve is drawn. A group that
answers another question than the cohort is marked. Tests compare groups that answer the same question: the few patients
in whom a group differs from its question may have most of its events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from harmony_dash.cohort.filters import Filter, OneOf, variables_of
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Dictionary, VariableType
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.group_effects import GroupAnswer, NearlyAll, apply_rule_by_group
from harmony_dash.disclosure.low_effect import Answerable, NotApplied, TooFewPatients, apply_low_effect_rule
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.services.unapplied import (
    describe_unapplied,
    explain_applied,
    explain_otherwise,
    explain_too_few,
    explain_unapplied,
)
from harmony_dash.stats.event_table import EventTable
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.event_tables import ALL_PATIENTS, fetch_event_table
from harmony_dash.store.reader import Snapshot

WITHOUT_ANSWER = "The cohort is counted without the conditions that too few patients make a difference to."
NEARLY_ALL = "all but a few patients are in this group: ask without grouping"


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
    nearest : the same, or without an answer the one whose cohort may be told: anybody could ask it and get an answer.
    parts : the groups by the question they answer; those of most figures answer the same one.
    withheld : group to the reason why it is not answered.
    not_applied, notes : in what answers differ from the question, for programs and in words.
    """

    question: Question | None
    nearest: Question
    parts: tuple[Part, ...]
    withheld: dict[str, str] = field(default_factory=dict)
    not_applied: tuple[Unapplied, ...] = ()
    notes: tuple[str, ...] = ()

    def choose_alike(self, drawn: Sequence[str], meant_for: Mapping[str, Sequence[str]] = MappingProxyType({}),
                     ) -> tuple[str, ...]:
        """Those of the drawn groups that may be compared, because they answer the same question.

        They answer the cohort's own, or if only one of them does, the one that most of them answer. A group alone is
        compared with nobody.

        Parameters
        ----------
        meant_for : of the grouping variable, the patients it is meant for, by variable: ETV6::RUNX1 for B-cell
            precursor ALL. A filter for such patients, or for some of them, makes no difference between questions,
            because it says the same as the group.
        """
        def without_meant(question: Question | None) -> frozenset[Filter]:
            return frozenset(item for item in (question.where if question else ()) if not (
                isinstance(item, OneOf) and set(item.values) <= set(meant_for.get(item.variable, ()))))

        groups: dict[frozenset[Filter], list[str]] = {}
        for part in self.parts:
            groups.setdefault(without_meant(part.question), []).extend(group for group in drawn if group in part.groups)
        own = without_meant(self.question)
        alike = [(asked != own, tuple(group for group in drawn if group in found)) for asked, found in groups.items()
                 if len(found) > 1 or found == list(drawn)]
        return min(alike, key=lambda one: (one[0], -len(one[1])), default=(False, ()))[1]

    def for_endpoint(self, endpoint: str) -> AnswerPlan:
        """The same patients, followed for something else."""
        return replace(self, question=self.question and replace(self.question, endpoint=endpoint), parts=tuple(
            replace(part, question=replace(part.question, endpoint=endpoint)) for part in self.parts))


def plan_answer(snapshot: Snapshot, question: Question, scope: Scope, *, countries: Filter | None = None,
                ) -> AnswerPlan:
    """Decide which conditions are applied, for the cohort and for every group of it.

    Parameters
    ----------
    question : checked against the snapshot, with its landmark.
    countries : the condition that a grant puts on the question. It does not count towards the number of conditions,
        and else is one like the others: it may be left out or changed like them.

    Raises
    ------
    QuestionError for a question that protected results do not answer at all.
    """
    check_closed(question, snapshot.dictionary, scope.level, protected=[countries] if countries else [])
    groups = tuple(snapshot.values_of(snapshot.dictionary[question.by])) if question.by else (ALL_PATIENTS,)
    if not scope.is_protected or not (question.where or question.by):
        return AnswerPlan(question, question, (Part(question, groups),))
    dictionary, least = snapshot.dictionary, scope.rules.minimum_cell
    effects = fetch_effects(snapshot, question)
    whole = apply_low_effect_rule(effects, least)
    told = tuple(describe_unapplied(one, dictionary) for one in whole.not_applied)
    if isinstance(whole, TooFewPatients):
        reason = _explain(whole, dictionary, scope)
        if whole.only_small:
            told = (*told[:-1], replace(told[-1], kind="not applied"))
        return AnswerPlan(None, whole.question, (), dict.fromkeys(groups, reason), told, (WITHOUT_ANSWER,))
    notes = tuple(explain_unapplied(one, dictionary, least) for one in whole.not_applied)
    if not question.by:
        return AnswerPlan(whole.question, whole.question, (Part(whole.question, groups),), {}, told, notes)
    answers = dict(zip(groups, apply_rule_by_group(effects, len(groups), question.by, least), strict=True))
    parts: dict[Question, list[str]] = {}
    for group, answer in answers.items():
        if isinstance(answer, Answerable):
            # A filter on the grouping itself may read differently for the cohort, but not for who is in the group.
            alike = set(answer.selections) == {one for one in whole.selections if one.variables != (question.by,)}
            parts.setdefault(whole.question if alike else answer.question, []).append(group)
    withheld = {group: _explain(answer, dictionary, scope) for group, answer in answers.items()
                if not isinstance(answer, Answerable)}
    here, words = _tell_of_groups(answers, whole, question.by, dictionary, least)
    drawn = tuple(Part(asked, tuple(names)) for asked, names in parts.items())
    return AnswerPlan(whole.question, whole.question, drawn, withheld, (*told, *here), (*notes, *words))


def patients_meant(dictionary: Dictionary, by: str | None) -> Mapping[str, Sequence[str]]:
    """Whom a grouping variable is meant for, by variable; empty if for everybody."""
    return (dictionary[by].subgroup_default or {}) if by else {}


def drawn_groups(table: EventTable, scope: Scope) -> list[str]:
    """The groups with patients; of a protected result those that carry a curve, by events of the cause of interest."""
    sizes = zip(table.groups, table.patients.tolist(), table.event_counts[:, 0].tolist(), strict=True)
    return [name for name, n, events in sizes
            if (scope.rules.carries_curve(n, events) if scope.is_protected else n > 0)]


def name_group(dictionary: Dictionary, by: str | None, value: str) -> str:
    """A group in words; without a grouping there is but one."""
    if by is None:
        return "all patients"
    variable = dictionary[by]
    words = variable.label_of(value)
    return f"{variable.label}: {words.lower()}" if variable.type is VariableType.YES_NO else words


def _explain(answer: TooFewPatients | NearlyAll, dictionary: Dictionary, scope: Scope) -> str:
    if isinstance(answer, NearlyAll):
        return NEARLY_ALL
    # Where too few are left even without the filters that say nothing, these are not the reason.
    small = not answer.not_applied or answer.n < scope.rules.minimum_patients
    return too_few(scope.rules) if small else explain_too_few(answer, dictionary, scope.rules.minimum_cell)


def _key(one: NotApplied) -> tuple[Filter, str]:
    return one.filter, one.kind


def _concerns(one: NotApplied, variables: set[str]) -> bool:
    return not variables.isdisjoint(variables_of(one.filter))


def _tell_of_groups(answers: Mapping[str, GroupAnswer], whole: Answerable, by: str, dictionary: Dictionary, least: int,
                    ) -> tuple[list[Unapplied], list[str]]:
    """What is true of some groups alone: something that was not applied there, or was applied there alone.

    Where something else was done to a variable in a group than in the cohort, all that was done to it there is said.
    """
    differ: dict[NotApplied, list[str]] = {}
    said: dict[NotApplied, list[str]] = {}
    applied: dict[NotApplied, list[str]] = {}
    otherwise: dict[NotApplied, list[str]] = {}
    of_all = {_key(one): one for one in whole.not_applied if set(variables_of(one.filter)) != {by}}
    for group, answer in answers.items():
        if isinstance(answer, Answerable):
            name, here = name_group(dictionary, by, group), {_key(one): one for one in answer.not_applied}
            untrue = [one for key, one in of_all.items() if key not in here]
            changed = {variable for one in untrue for variable in variables_of(one.filter)}
            for key, one in here.items():
                if key not in of_all:
                    differ.setdefault(one, []).append(name)
                if key not in of_all or _concerns(one, changed):
                    said.setdefault(one, []).append(name)
            for one in untrue:
                touched = any(_concerns(other, set(variables_of(one.filter))) for other in here.values())
                (otherwise if touched else applied).setdefault(one, []).append(name)
    told = [describe_unapplied(one, dictionary, tuple(names)) for one, names in differ.items()]
    notes = [explain_unapplied(one, dictionary, least, names) for one, names in said.items()]
    notes += [explain_otherwise(one, dictionary, names) for one, names in otherwise.items()]
    return told, notes + [explain_applied(one, dictionary, names) for one, names in applied.items()]


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
