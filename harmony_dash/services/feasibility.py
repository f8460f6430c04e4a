"""Can my question be asked? How many patients it has, where they are, and what it loses them by.

Every number is one that anybody who may ask for survival could have as the size of a figure: of all patients, of the
figure by country or by source, and of the same question with a variable that is not known in place of one that is.
Nothing tells of an outcome. What to expect of the endpoint is computed from the released number and an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission, user_can
from harmony_dash.cohort.describe import describe_filter, describe_question
from harmony_dash.cohort.endpoints import ENDPOINTS, endpoint_named
from harmony_dash.cohort.filters import Filter, variables_of
from harmony_dash.cohort.need import Need, is_known
from harmony_dash.cohort.planned import PlannedQuestion
from harmony_dash.cohort.question import Question, with_landmark
from harmony_dash.dictionary.model import Dictionary, TimePoint
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.effects import count_rows, meets_all
from harmony_dash.disclosure.feasibility_results import (
    CountryCount,
    FeasibilityResult,
    JointLoss,
    Loss,
    SourceFlow,
    Stage,
)
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed, union
from harmony_dash.disclosure.low_effect import Answerable, apply_low_effect_rule
from harmony_dash.disclosure.protect_survival import protect_follow_up
from harmony_dash.disclosure.results import AttritionStep, FollowUpSupport
from harmony_dash.disclosure.selections import Selection, close_filters, open_selection
from harmony_dash.errors import AccessRefused, QuestionError, StatisticsError
from harmony_dash.services.admission import Admission, admit, check_still_admitted
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.estimates import median_follow_up
from harmony_dash.services.planning import cap_follow_up, explain_short_follow_up, periods_asked
from harmony_dash.services.protection import AnswerPlan, fetch_planned_tables, plan_answer
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.stats.keyed_counts import count_keyed_patients
from harmony_dash.store.counts import (
    CohortFlow,
    fetch_cohort_flow,
    fetch_cross_counts,
    fetch_participation,
    fetch_sources,
)
from harmony_dash.store.effects import fetch_effects
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot

ACTION: Final = "feasibility"
# The only endpoint of those who do not look at outcomes: by the difference of two endpoints they would.
WITHOUT_OUTCOMES: Final = "os"
_BY_COUNTRY: Final = "country"
_BY_SOURCE: Final = "source"


def ask_feasibility(deployment: Deployment, actor: Actor, need: Need) -> Released[FeasibilityResult]:
    """How many patients a planned question has, by country, and by what it loses the others.

    Its number of patients is that of the Survival page for the same question. In the trail and for the day's budget it
    is the question by country.

    Raises
    ------
    AccessRefused, also for an endpoint other than overall survival of people who may not ask for survival;
    AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    return answer_need(deployment, actor, need)[1]


def answer_need(deployment: Deployment, actor: Actor, need: Need) -> tuple[Admission, Released[FeasibilityResult]]:
    """The same with what it was computed from; recorded."""
    check_and_record(deployment, actor, Permission.VIEW_COVERAGE, ACTION)
    wanted = Question(need.disease, need.endpoint, need.where, by=_BY_COUNTRY, horizon_days=need.horizon_days)
    with refusals_recorded(deployment, actor, ACTION, PlannedQuestion(wanted, need.known).for_the_record):
        if need.endpoint not in endpoints_of(actor):
            raise AccessRefused("your role counts patients followed for overall survival only, because the difference "
                                "between two endpoints is an outcome",
                                remedy=f"Choose {endpoint_named(WITHOUT_OUTCOMES).label.lower()}.")
        admission = admit(deployment, actor, Question(need.disease, need.endpoint), level=Level.PROTECTED)
        question = prepare_need(need, admission.snapshot)
        asked = PlannedQuestion(replace(question, by=_BY_COUNTRY), need.variables)
        check_budget(deployment, actor, asked, ACTION, admission.scope)
        released = release(compute_feasibility(admission, question, need), admission.scope)
        check_still_admitted(deployment, actor, admission)
        record_within_budget(deployment, actor, asked, ACTION, admission.scope, snapshot=admission.snapshot.snapshot,
                             n=released.value.n)
    return admission, released


def endpoints_of(actor: Actor) -> tuple[str, ...]:
    """The endpoints a person may plan with."""
    return tuple(ENDPOINTS) if user_can(actor, Permission.VIEW_SURVIVAL) else (WITHOUT_OUTCOMES,)


def prepare_need(need: Need, snapshot: Snapshot) -> Question:
    """The question of a need, checked, with the landmark its variables need.

    Raises
    ------
    QuestionError, also for what becomes known only during follow-up: it would need a landmark of its own.
    """
    question = need.as_question(snapshot.dictionary)
    check_against_snapshot(question, snapshot)
    late = [name for name in question.variables if snapshot.dictionary[name].measured is TimePoint.LATER]
    if late:
        raise QuestionError(f"'{snapshot.dictionary[late[0]].label}' becomes known only during follow-up, and how many "
                            "are followed to a day of choice is an outcome", where=late[0],
                            remedy="Leave it out here.")
    return with_landmark(question, snapshot.dictionary)


@dataclass(frozen=True)
class _Groups:
    """The patients of the groups that get an answer, and which of them answer the cohort's own question."""

    n: Mapping[str, KeyedCount]
    alike: frozenset[str]
    notes: tuple[str, ...] = ()

    @classmethod
    def fetch(cls, snapshot: Snapshot, question: Question, scope: Scope) -> _Groups:
        """As the figure of the groups would have them."""
        plan = plan_answer(snapshot, question, scope)
        if plan.question is None:
            return cls({}, frozenset())
        table, _ = fetch_planned_tables(snapshot, plan)
        counts = dict(zip(table.groups, keyed(count_keyed_patients(table)), strict=True))
        return cls({group: counts[group] for part in plan.parts for group in part.groups},
                   frozenset(group for part in plan.parts if part.question == plan.question for group in part.groups),
                   plan.notes)


def compute_feasibility(admission: Admission, question: Question, need: Need) -> FeasibilityResult:
    """The unreleased result of a need and its prepared question."""
    snapshot, scope = admission.snapshot, admission.scope
    dictionary = snapshot.dictionary
    plan = plan_answer(snapshot, question, scope)
    flow = fetch_cohort_flow(snapshot, plan.nearest)
    by_country = _Groups.fetch(snapshot, replace(question, by=_BY_COUNTRY), scope)
    variables = _applied(plan.nearest, need.variables, snapshot)
    steps, not_followed, step_of = _tell_flow(flow, plan.nearest, variables, dictionary)
    losses, joint = _find_losses(snapshot, plan.question, variables, scope) if plan.question else ((), ())
    participation = fetch_participation(snapshot, question.disease)
    countries = sorted({country for here, _ in participation.values() for country in here})
    follow_up = _follow_up(snapshot, question, scope)
    return FeasibilityResult(
        question=question, known=need.variables, title=_write_title(question, need, dictionary),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, n=flow.analysed if plan.question else NOBODY,
        by_country=tuple(CountryCount(
            country, by_country.n.get(country), country in by_country.n and country not in by_country.alike,
            country in by_country.n) for country in countries),
        steps=steps, not_followed=not_followed, losses=losses, joint=joint,
        sources=_tell_sources(snapshot, question, scope) if plan.question else (),
        follow_up_median_days=follow_up.median_days, follow_up_of=follow_up.words,
        follow_up_support=follow_up.support, follow_up_patients=follow_up.patients,
        too_short=explain_short_follow_up(question, snapshot), not_applied=plan.not_applied,
        notes=_write_notes(plan, by_country, question, dictionary),
        methods="Patients accepted at ingest who meet every filter, of whom everything asked for is known, and who are "
                "followed for the endpoint. A test that failed or was not done is not known. Countries are counted as "
                f"a figure by country would. Snapshot {snapshot.snapshot}; question {question.fingerprint}.",
        reason="" if plan.question else next(iter(plan.withheld.values()), ""), step_of=step_of)


def _applied(question: Question, names: Sequence[str], snapshot: Snapshot) -> dict[str, Filter]:
    """The variables that must be known, where that is asked in the end, with the condition that asks it.

    A filter on the same variable is one condition with it, and whoever has a value that is not wanted is no loss.
    """
    return {name: item for item in question.where for name in names if set(variables_of(item)) == {name}
            and _chosen(is_known(snapshot.dictionary[name]), snapshot) <= _chosen(item, snapshot)}


def _chosen(item: Filter, snapshot: Snapshot) -> frozenset[int]:
    """The choices that meet a condition on one variable."""
    (selection,), _ = close_filters([item], snapshot.dictionary, snapshot.values_of)
    return selection.chosen[0][1]


def _write_title(question: Question, need: Need, dictionary: Dictionary) -> str:
    title = describe_question(replace(question, where=need.filters(dictionary)), dictionary)
    labels = [dictionary[name].label for name in need.variables]
    return f"{title}; known: {', '.join(labels)}" if labels else title


def _write_notes(plan: AnswerPlan, by_country: _Groups, question: Question, dictionary: Dictionary) -> tuple[str, ...]:
    """What was done to the question, for all patients and then for single countries."""
    notes = [*plan.notes, *(note for note in by_country.notes if note not in plan.notes)]
    if question.landmark_days:
        late = [dictionary[name].label for name in question.variables
                if dictionary[name].measured is not TimePoint.BASELINE]
        notes.append(f"{', '.join(late)} {'is' if len(late) == 1 else 'are'} known by day {question.landmark_days}: "
                     "only patients followed beyond that day without the event are counted.")
    return tuple(notes)


def _tell_flow(flow: CohortFlow, question: Question, variables: Mapping[str, Filter], dictionary: Dictionary,
               ) -> tuple[tuple[AttritionStep, ...], AttritionStep, tuple[tuple[str, int], ...]]:
    """Steps, who is followed in the end, and of which step each variable's loss is a part.

    Why others are not followed is not told: some of the reasons are outcomes.
    """
    disease = dictionary.diseases[question.disease]
    asks = {item: f"{dictionary[name].label} known" for name, item in variables.items()}
    labels = [asks.get(item) or describe_filter(item, dictionary) for item in question.where]
    steps = [AttritionStep(f"patients with {disease.adjective or disease.label}", flow.disease, None)]
    steps += [AttritionStep(label, n, removed)
              for label, n, removed in zip(labels, flow.after_filter, flow.removed, strict=True)]
    left, words = union(flow.excluded.values()), endpoint_named(question.endpoint).label
    followed = f"followed for {words[0].lower()}{words[1:]}"
    if question.landmark_days:
        followed += f" beyond day {question.landmark_days}"
    places = {item: place for place, item in enumerate(question.where, start=1)}
    return (tuple(steps), AttritionStep(followed, flow.analysed, left),
            tuple((name, places[item]) for name, item in variables.items()))


def _find_losses(snapshot: Snapshot, question: Question, variables: Mapping[str, Filter], scope: Scope,
                 ) -> tuple[tuple[Loss, ...], tuple[JointLoss, ...]]:
    """Who meets every filter and lacks some of the variables: each by itself, and those that are lacking together."""
    base = tuple(item for item in question.where if item not in variables.values())
    lacking = {name: _lacks(item, snapshot) for name, item in variables.items()}

    def count(missing: Sequence[str], known: Sequence[str]) -> tuple[KeyedCount | None, bool]:
        where = (*base, *(lacking[name] for name in missing), *(variables[name] for name in known))
        return _count_figure(snapshot, replace(question, where=where), scope)

    losses, joint = [], []
    for name in variables:
        total, total_told = count([name], [])
        only, only_told = count([name], [other for other in variables if other != name])
        losses.append(Loss(name, snapshot.dictionary[name].label, total, only, total_told, only_told))
    for size in range(2, len(variables) + 1):
        for names in combinations(variables, size):
            n, told = count(names, [other for other in variables if other not in names])
            joint.append(JointLoss(names, tuple(snapshot.dictionary[name].label for name in names), n, told))
    joint.sort(key=lambda one: -int(one.n or 0))
    return tuple(losses), tuple(joint)


def _lacks(item: Filter, snapshot: Snapshot) -> Filter:
    """The condition that is met by exactly those who do not meet this one, which is on one variable."""
    (selection,), offered = close_filters([item], snapshot.dictionary, snapshot.values_of)
    ((name, chosen),) = selection.chosen
    return open_selection(Selection(((name, offered[name].all - chosen),)), offered)


def _count_figure(snapshot: Snapshot, question: Question, scope: Scope) -> tuple[KeyedCount | None, bool]:
    """The patients of a figure as it would be answered, and whether that is as it is asked.

    None where there is no answer, or where one is for patients who were not asked for.
    """
    effects = fetch_effects(snapshot, question)
    answer = apply_low_effect_rule(effects, scope.rules.minimum_cell if scope.is_protected else 0)
    if not isinstance(answer, Answerable) or any(one.kind != "left out" for one in answer.not_applied):
        return None, False
    rows = effects.in_figure & meets_all(effects, answer.selections)
    return count_rows(effects, rows), not answer.not_applied


def _tell_sources(snapshot: Snapshot, question: Question, scope: Scope) -> tuple[SourceFlow, ...]:
    """The stages of every source of the disease. Rows that were refused count whatever their disease."""
    accepted = {str(name): n for (name,), n in fetch_cross_counts(snapshot, question.disease, (_BY_SOURCE,))}
    followed = _Groups.fetch(snapshot, Question(question.disease, question.endpoint, by=_BY_SOURCE), scope)
    counted = _Groups.fetch(snapshot, replace(question, by=_BY_SOURCE), scope)
    found = []
    for row in fetch_sources(snapshot):
        name, refused = str(row["source"]), row["quarantined_count"]
        if name not in accepted or not isinstance(refused, KeyedCount):
            continue
        endpoint = followed.n.get(name)
        found.append(SourceFlow(
            name, str(row["title"]), Stage(union([accepted[name], refused])), Stage(accepted[name]),
            None if endpoint is None else Stage(endpoint),
            Stage(counted.n[name]) if name in counted.n and endpoint is not None else None,
            differs=name in counted.n and name not in counted.alike))
    return tuple(found)


@dataclass(frozen=True)
class _FollowUp:
    """What planning assumes of follow-up: a median, what it rests on, of how many patients, and what it is."""

    median_days: float | None
    support: FollowUpSupport | None
    patients: int
    words: str


def _follow_up(snapshot: Snapshot, question: Question, scope: Scope) -> _FollowUp:
    """The median of all patients of the periods of diagnosis asked for, or else of all, as far as the calendar allows.

    Follow-up is a matter of the period first of all. The other filters do not choose it: how long a small group is
    followed is nobody's business here.
    """
    periods = periods_asked(question)
    plan = plan_answer(snapshot, Question(question.disease, WITHOUT_OUTCOMES, periods), scope) if periods else None
    if plan is not None and plan.question is not None and not plan.not_applied:
        own = _median(snapshot, plan.question, "the median of all patients of these periods of diagnosis")
        if protect_follow_up(own.median_days, own.support, own.patients, scope.rules) is not None:
            return own
    everybody = _median(snapshot, Question(question.disease, WITHOUT_OUTCOMES), "the median of all patients")
    cap = cap_follow_up(question, snapshot)
    if everybody.median_days is None or cap is None or cap >= everybody.median_days:
        return everybody
    return replace(everybody, median_days=cap,
                   words="the time from the middle of these periods of diagnosis to the snapshot as its median")


def _median(snapshot: Snapshot, question: Question, words: str) -> _FollowUp:
    """The median follow-up of the patients of a question, as coverage tells that of all."""
    table = fetch_event_table(snapshot, question)
    try:
        days, support = median_follow_up(table, None)
    except StatisticsError:
        days, support = None, None  # nobody is followed; planning then says so
    return _FollowUp(days, support, int(table.patients.sum()), words)
