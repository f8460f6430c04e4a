"""The answer to a survival question, computed but not yet released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.endpoints import EXCLUSIONS, endpoint_named
from harmony_dash.cohort.filters import Filter
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed, union
from harmony_dash.disclosure.results import (
    AttritionStep,
    Exclusion,
    GroupResult,
    IntervalType,
    SurvivalResult,
    WithheldGroup,
)
from harmony_dash.services.estimates import Tests, estimate_group, risk_table_days, run_tests
from harmony_dash.services.late_entry import find_together, why_withheld
from harmony_dash.services.level_comparison import LevelComparison, compare_levels, compare_over_time
from harmony_dash.services.protection import (
    AnswerPlan,
    drawn_groups,
    fetch_planned_tables,
    name_group,
    patients_meant,
    plan_answer,
)
from harmony_dash.services.survival_notes import explain_unrecorded, write_notes, write_title
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import count_keyed_patients
from harmony_dash.store.counts import CohortFlow, fetch_cohort_flow
from harmony_dash.store.reader import Snapshot


def compute_survival(snapshot: Snapshot, question: Question, as_asked: Question, *, interval: IntervalType,
                     days: Sequence[int], scope: Scope, countries: Filter | None = None) -> SurvivalResult:
    """The unreleased result; what the benchmarks time without access and audit.

    Parameters
    ----------
    question : checked, with its landmark and the countries of a grant.
    as_asked : before the landmark was moved, for the note that says so.
    countries : as of `plan_answer`.
    """
    plan = plan_answer(snapshot, question, scope, countries=countries)
    if plan.question is None:
        return _without_answer(snapshot, plan, question, as_asked, interval, scope)
    # The two scans do not need each other, and the statistics do not need the flow.
    with ThreadPoolExecutor(max_workers=1) as beside:
        flow = beside.submit(fetch_cohort_flow, snapshot, plan.question)
        table, cohort = fetch_planned_tables(snapshot, plan)
        return _assemble(snapshot, plan, question, as_asked, table, cohort, flow, interval, days, scope)


def _without_answer(snapshot: Snapshot, plan: AnswerPlan, question: Question, as_asked: Question,
                    interval: IntervalType, scope: Scope) -> SurvivalResult:
    """The result of a question that gets no answer: what was asked, why, and the cohort that may be told."""
    flow = fetch_cohort_flow(snapshot, plan.nearest)
    unrecorded = explain_unrecorded(flow, plan, question, snapshot, scope)
    return SurvivalResult(
        question=question, title=write_title(question, plan, snapshot, set()),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, n=NOBODY, groups=(),
        withheld=tuple(WithheldGroup(_group_label(question, value), name_group(snapshot.dictionary, question.by, value),
                                     unrecorded or why_withheld(reason, scope.rules, late_entry=snapshot.late_entry), 0)
                       for value, reason in plan.withheld.items()),
        log_rank=None, pairwise=(), gray=(), restricted_mean_differences=(),
        attrition=_attrition(flow, plan.nearest, snapshot), exclusions=_exclusions(flow, plan.nearest, snapshot),
        interval=interval, notes=(*plan.notes, *write_notes(question, as_asked, snapshot, [plan.nearest])), methods="",
        summary="", not_applied=plan.not_applied)


def _assemble(snapshot: Snapshot, plan: AnswerPlan, question: Question, as_asked: Question, table: EventTable,
              cohort: EventTable, flow: Future[CohortFlow], interval: IntervalType, days: Sequence[int], scope: Scope,
              ) -> SurvivalResult:
    counts = dict(zip(cohort.groups, cohort.patients.tolist(), strict=True))
    applied = plan.question or question
    shown = drawn_groups(table, scope)
    # A group that nobody is in is withheld like a small one: zero is a small number too.
    small = [name for name, n in counts.items() if name not in shown and (n or scope.is_protected)]
    # Who is not watched with the others has no curve, and is in no comparison either.
    together = find_together(table.select_groups(shown), scope, question.horizon_days)
    apart, shown = together.apart, list(together.groups)
    whole, table = table, table.select_groups(shown)
    names = {value: name_group(snapshot.dictionary, question.by, value) for value in counts}
    compared = plan.choose_alike(shown, patients_meant(snapshot.dictionary, question.by))
    tests = run_tests(table, compared, question, names, scope)
    endpoint, hazards = endpoint_named(question.endpoint), LevelComparison("", None)
    if len(compared) > 1:
        hazards = compare_levels(table, endpoint, scope, levels=compared)
    estimated = _estimate_groups(
        table, {value: names[value] for value in shown}, tests, question, interval, days,
        _table_of_follow_up(snapshot, plan, question, table), scope, together.start)
    of_cohort = {} if whole is cohort else _count_groups(cohort)
    groups = [replace(group, n_of_cohort=of_cohort.get(value), hazard_ratio=hazards.hazard_ratios.get(value))
              for value, group in estimated.items()]
    answered = [applied, *(part.question for part in plan.parts if not set(shown).isdisjoint(part.groups))]
    unrecorded = explain_unrecorded(flow.result(), plan, question, snapshot, scope)
    few = too_few(scope.rules)
    unshown = {value: few if scope.is_protected else reason for value, reason in apart.items()}
    unshown |= {value: unrecorded or plan.withheld.get(value, few) for value in small}
    return SurvivalResult(
        question=question, title=write_title(question, plan, snapshot, {group.name for group in groups}),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic,
        n=_without_groups(flow.result()) if scope.is_protected else sum(group.n for group in groups),
        groups=tuple(groups),
        withheld=tuple(WithheldGroup(_group_label(question, value), names[value],
                                     why_withheld(reason, scope.rules, late_entry=snapshot.late_entry), counts[value])
                       for value, reason in unshown.items()),
        log_rank=tests.log_rank, pairwise=tests.pairwise, gray=tests.gray,
        restricted_mean_differences=tests.differences,
        attrition=_attrition(flow.result(), applied, snapshot),
        exclusions=_exclusions(flow.result(), applied, snapshot),
        interval=interval, notes=(*plan.notes, *write_notes(question, as_asked, snapshot, answered)),
        methods="", summary="",
        not_applied=plan.not_applied, compared=tuple(names[value] for value in compared),
        differing=tuple(names[value] for part in plan.parts if part.question != plan.question
                        for value in part.groups if value in shown),
        reference=names[hazards.reference] if hazards.reference else "",
        over_time=compare_over_time(hazards, endpoint))


def _estimate_groups(table: EventTable, names: Mapping[str, str], tests: Tests, question: Question,
                     interval: IntervalType, days: Sequence[int], followed: EventTable, scope: Scope,
                     start: int | None) -> dict[str, GroupResult]:
    """What is estimated of each group, by its value."""
    # Nothing is told from beyond the end of the curves: what is asked for there is read where they end.
    last = max(days, default=0) if question.horizon_days is None else question.horizon_days
    at = sorted({min(day, last) for day in days if day >= 0})
    ticks = risk_table_days(table, question)
    grid = grid_days(int(table.day.max(initial=0))) if scope.is_protected else ()
    return {value: estimate_group(
        table, value, label=_group_label(question, value), name=name, question=question, interval=interval, days=at,
        ticks=ticks, restricted_mean=tests.restricted_mean(value), from_day=start, followed=followed, grid=grid)
        for value, name in names.items()}


def _without_groups(flow: CohortFlow) -> KeyedCount:
    """The patients of the same figure without groups."""
    return union([flow.analysed, flow.excluded.get("group_missing", NOBODY)])


def _count_groups(table: EventTable) -> dict[str, int]:
    """The patients of every group, with their keys where the table has them."""
    if table.keys is None:
        return dict(zip(table.groups, table.patients.tolist(), strict=True))
    return dict(zip(table.groups, keyed(count_keyed_patients(table)), strict=True))


def _table_of_follow_up(snapshot: Snapshot, plan: AnswerPlan, question: Question, table: EventTable) -> EventTable:
    other = endpoint_named(question.endpoint).followed_as
    if not other:
        return table
    return fetch_planned_tables(snapshot, plan.for_endpoint(other))[0].select_groups(table.groups)


def _group_label(question: Question, value: str) -> dict[str, str]:
    return {question.by: value} if question.by else {}


def _attrition(flow: CohortFlow, question: Question, snapshot: Snapshot) -> tuple[AttritionStep, ...]:
    disease = snapshot.dictionary.diseases[question.disease]
    steps = [AttritionStep(f"patients with {disease.adjective or disease.label}", flow.disease, None)]
    for item, n, removed in zip(question.where, flow.after_filter, flow.removed, strict=True):
        steps.append(AttritionStep(describe_filter(item, snapshot.dictionary), n, removed))
    return tuple(steps)


def _exclusions(flow: CohortFlow, question: Question, snapshot: Snapshot) -> tuple[Exclusion, ...]:
    day = question.landmark_days
    words = {**EXCLUSIONS, "event_by_landmark": f"event by day {day}",
             "censored_by_landmark": f"last contact by day {day}",
             "first_event_by_landmark": f"first event by day {day}, so in none of the groups",
             "before_entry": "event or last contact before coming under observation"}
    if question.by:
        words["group_missing"] = f"{snapshot.dictionary[question.by].label} not known"
    return tuple(Exclusion(words[code], n) for code, n in flow.excluded.items() if n)
