"""How do patients like these do? One question in, one released answer out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_filter, describe_question
from harmony_dash.cohort.endpoints import EXCLUSIONS, endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Not, OneOf, from_json, leaves_of, variables_of
from harmony_dash.cohort.question import Question, check_question, with_landmark
from harmony_dash.dictionary.model import TimePoint
from harmony_dash.disclosure import COUNT_IN_TITLE, Level, Released, Scope, release, too_few
from harmony_dash.disclosure.grid import first_grid_day, grid_days
from harmony_dash.disclosure.keyed_count import NOBODY, KeyedCount, keyed, union
from harmony_dash.disclosure.results import (
    AttritionStep,
    Exclusion,
    IntervalType,
    SurvivalResult,
    Unapplied,
    WithheldGroup,
)
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget, record_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.estimates import common_start, estimate_group, risk_table_days, run_tests
from harmony_dash.services.level_comparison import LevelComparison, compare_levels, compare_over_time
from harmony_dash.services.protection import (
    AnswerPlan,
    drawn_groups,
    fetch_planned_tables,
    name_group,
    patients_meant,
    plan_answer,
)
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.keyed_counts import count_keyed_patients
from harmony_dash.store.counts import CohortFlow, fetch_cohort_flow
from harmony_dash.store.reader import Snapshot

DEFAULT_DAYS = (365, 1096, 1826)
ADULT = 18.0
MOST_NAMES = 6
_CHILDREN = frozenset({"<1", "1-9", "10-17"})
ACTION = "survival"


def ask_survival(deployment: Deployment, actor: Actor, question: Question, *,
                 interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS,
                 level: Level = Level.PROTECTED, grant: str = "") -> Released[SurvivalResult]:
    """Curves, estimates, tests and the cohort's flow for one question.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : what is asked. Its landmark is moved to the day by which all its variables are known.
    interval : type of the confidence intervals.
    days : days after time zero (or the landmark) at which estimates are read off.
    level : exact results need a grant that gives them, or the operator's own right.
    grant : id of the grant to ask under, empty for none; the answer then comes from what the grant opens, no more.

    Returns
    -------
    Released[SurvivalResult]. Groups too small to be shown take no part in any test.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    record = question.for_the_record
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        admission = admit(deployment, actor, question, level=level, grant_id=grant)
        asked = prepare_question(question, admission.snapshot)
        check_budget(deployment, actor, asked, ACTION, admission.scope)
        snapshot, scope = admission.snapshot, admission.scope
        result = compute_survival(snapshot, restrict(asked, admission.countries), question, interval=interval,
                                  days=days, scope=scope, countries=admission.countries)
        notes = (*notes_of_grant(admission, result.not_applied), *result.notes)
        released = release(replace(result, notes=notes), scope)
        check_still_admitted(deployment, actor, admission)
        record_within_budget(deployment, actor, asked, ACTION, scope, snapshot=snapshot.snapshot, n=released.value.n)
    return released


def prepare_question(question: Question, snapshot: Snapshot) -> Question:
    """Check the question against the snapshot and set the landmark its variables need."""
    check_against_snapshot(question, snapshot)
    return with_landmark(question, snapshot.dictionary)


def check_against_snapshot(question: Question, snapshot: Snapshot) -> None:
    """Refuse a question that the snapshot's dictionary or data cannot be asked."""
    check_question(question, snapshot.dictionary)
    held = snapshot.code_values.get("disease", ())
    if question.disease not in held:
        raise QuestionError(f"the snapshot holds no patient with {question.disease}", where="disease",
                            remedy=f"Choose one of: {', '.join(held)}.")
    for item in question.where:
        _check_code_values(item, snapshot)


def _check_code_values(item: Filter, snapshot: Snapshot) -> None:
    """Refuse a trial, arm or other open code that no patient of the snapshot has."""
    for leaf in leaves_of(item):
        if isinstance(leaf, OneOf):
            known = snapshot.values_of(snapshot.dictionary[leaf.variable])
            wrong = [value for value in leaf.values if value not in known]
            if wrong:
                raise QuestionError(f"'{wrong[0]}' is not a value of {leaf.variable} in this snapshot", where="where",
                                    remedy=f"Choose from: {', '.join(known)}.")


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
    unrecorded = _explain_unrecorded(flow, plan, question, snapshot, scope)
    return SurvivalResult(
        question=question, title=_write_title(question, plan, snapshot, set()),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, n=NOBODY, groups=(),
        withheld=tuple(WithheldGroup(_group_label(question, value), name_group(snapshot.dictionary, question.by, value),
                                     unrecorded or reason, 0) for value, reason in plan.withheld.items()),
        log_rank=None, pairwise=(), gray=(), restricted_mean_differences=(),
        attrition=_attrition(flow, plan.nearest, snapshot), exclusions=_exclusions(flow, plan.nearest, snapshot),
        interval=interval, notes=(*plan.notes, *_notes(question, as_asked, snapshot, [plan.nearest])), methods="",
        summary="", not_applied=plan.not_applied)


def _write_title(question: Question, plan: AnswerPlan, snapshot: Snapshot, drawn: Collection[str]) -> str:
    """The question in words, and that the patients drawn are not exactly those it asks for, where that is so."""
    title = describe_question(question, snapshot.dictionary, COUNT_IN_TITLE)
    told = [one for one in plan.not_applied if drawn and (not one.groups or not set(one.groups).isdisjoint(drawn))]
    if not told:
        return title
    whom = "in some groups " if all(one.groups for one in told) else ""
    return f"{title}, answered {whom}for slightly different patients (see notes)"


def _explain_unrecorded(flow: CohortFlow, plan: AnswerPlan, question: Question, snapshot: Snapshot, scope: Scope,
                        ) -> str:
    """The reason where it is not the filters that leave too few: what the figure needs is hardly recorded of anybody.

    Empty where it is not so. Nobody and fewer than k patients are the same.
    """
    few = scope.rules.minimum_cell
    # Values that were left out may hold the patients of whom it is recorded.
    if not scope.is_protected or flow.analysed >= few or flow.cohort < few or any(
            one.kind == "left out" for one in plan.not_applied):
        return ""
    label = endpoint_named(question.endpoint).label
    followed = label[0].lower() + label[1:]
    if question.by and flow.analysed + flow.excluded["group_missing"] >= few:
        return (f"'{snapshot.dictionary[question.by].label}' is recorded for fewer than {few} of the patients followed "
                f"for {followed}")
    after = f" beyond day {question.landmark_days}" if question.landmark_days else ""
    return f"fewer than {few} patients of this cohort are followed for {followed}{after}"


def _assemble(snapshot: Snapshot, plan: AnswerPlan, question: Question, as_asked: Question, table: EventTable,
              cohort: EventTable, flow: Future[CohortFlow], interval: IntervalType, days: Sequence[int], scope: Scope,
              ) -> SurvivalResult:
    counts = dict(zip(cohort.groups, cohort.patients.tolist(), strict=True))
    applied = plan.question or question
    shown = drawn_groups(table, scope)
    # A group that nobody is in is withheld like a small one: zero is a small number too.
    small = [name for name, n in counts.items() if name not in shown and (n or scope.is_protected)]
    whole, table = table, table.select_groups(shown)
    names = {value: name_group(snapshot.dictionary, question.by, value) for value in counts}
    compared = plan.choose_alike(shown, patients_meant(snapshot.dictionary, question.by))
    tests = run_tests(table, compared, question, names, scope)
    endpoint, hazards = endpoint_named(question.endpoint), LevelComparison("", None)
    if len(compared) > 1:
        hazards = compare_levels(table, endpoint, scope, levels=compared)
    at = sorted({day for day in days if day >= 0})
    ticks = risk_table_days(table, question)
    start = common_start(table)
    grid: Sequence[int] = ()
    if scope.is_protected:
        start = None if start is None else first_grid_day(start)
        grid = grid_days(int(table.day.max(initial=0)))
    followed = _table_of_follow_up(snapshot, plan, question, table)
    of_cohort = {} if whole is cohort else _count_groups(cohort)
    groups, unobserved = [], []
    for value in shown:
        label = _group_label(question, value)
        try:
            group = estimate_group(
                table, value, label=label, name=names[value], question=question, interval=interval, days=at,
                ticks=ticks, restricted_mean=tests.restricted_mean(value), from_day=start,
                followed=followed, grid=grid)
            groups.append(replace(group, n_of_cohort=of_cohort.get(value),
                                  hazard_ratio=hazards.hazard_ratios.get(value)))
        except StatisticsError as problem:
            reason = too_few(scope.rules) if scope.is_protected else problem.problem
            unobserved.append(WithheldGroup(label, names[value], reason, counts[value]))
    answered = [applied, *(part.question for part in plan.parts if not set(shown).isdisjoint(part.groups))]
    unrecorded = _explain_unrecorded(flow.result(), plan, question, snapshot, scope)
    return SurvivalResult(
        question=question, title=_write_title(question, plan, snapshot, {group.name for group in groups}),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic,
        n=_without_groups(flow.result()) if scope.is_protected else sum(group.n for group in groups),
        groups=tuple(groups),
        withheld=(*unobserved, *(WithheldGroup(_group_label(question, value), names[value],
                                               unrecorded or plan.withheld.get(value, too_few(scope.rules)),
                                               counts[value]) for value in small)),
        log_rank=tests.log_rank, pairwise=tests.pairwise, gray=tests.gray,
        restricted_mean_differences=tests.differences,
        attrition=_attrition(flow.result(), applied, snapshot),
        exclusions=_exclusions(flow.result(), applied, snapshot),
        interval=interval, notes=(*plan.notes, *_notes(question, as_asked, snapshot, answered)), methods="", summary="",
        not_applied=plan.not_applied, compared=tuple(names[value] for value in compared),
        differing=tuple(names[value] for part in plan.parts if part.question != plan.question
                        for value in part.groups if value in shown),
        reference=names[hazards.reference] if hazards.reference else "",
        over_time=compare_over_time(hazards, endpoint))


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


def notes_of_grant(admission: Admission, not_applied: Sequence[Unapplied] | None = None) -> tuple[str, ...]:
    """Whom a grant leaves in the picture, where it is not everybody.

    Parameters
    ----------
    not_applied : in what the answer differs from the question; None for a table, each part of which may differ.
    """
    if admission.grant is None:
        return ()
    countries = admission.snapshot.dictionary["country"]
    codes = admission.grant.open_countries
    names = ", ".join(map(countries.label_of, codes)) if len(codes) <= MOST_NAMES else f"{len(codes)} countries"
    notes = [f"Patients of {names} only, as the grant {admission.grant.id} says."]
    if not_applied is None and admission.countries is not None:
        notes = [f"Patients of {names}, as the grant {admission.grant.id} says; where that would leave out or take in "
                 "only a few, those of other countries are counted with them."]
    elif any(one.kind != "left out" and set(variables_of(from_json(one.filter))) == {"country"}
             for one in not_applied or ()):
        notes = [f"Patients of {names}, as the grant {admission.grant.id} says; those of other countries are counted "
                 "with them where it says below that the filter on country was not applied, or which were taken in."]
    if "age_group" not in admission.snapshot.dictionary:
        notes.append("Children and adults are pooled here, because the grant does not cover age groups.")
    return tuple(notes)


def _notes(question: Question, as_asked: Question, snapshot: Snapshot, answered: Collection[Question],
           ) -> tuple[str, ...]:
    """What a reader must know before the figure: a moved clock, who is pooled, what is not verified.

    Who is pooled is read from the questions that are answered: a filter on age may not have been applied.
    """
    dictionary = snapshot.dictionary
    notes = []
    if question.landmark_days > as_asked.landmark_days:
        late = [dictionary[name].label for name in replace(question, strata=None).variables
                if dictionary[name].measured is not TimePoint.BASELINE]
        zero = endpoint_named(question.endpoint).time_zero
        notes.append(f"The clock starts on day {question.landmark_days} after {zero}, because {', '.join(late)} "
                     "is known only then. Patients with an event or last contact by that day are not counted.")
    if snapshot.late_entry:
        notes.append("Some patients came under observation after time zero and count as at risk only from then on.")
    of_each = {ages_asked(one) for one in answered}
    ages = of_each.pop() if len(of_each) == 1 else None
    if ages is None and "age_group" in dictionary and question.by != "age_group":
        notes.append("Children and adults are pooled here; filter by age group to look at them apart.")
    if "nci_risk" in question.variables and (ages != "children" or not all(map(_asks_b_precursor, answered))):
        notes.append("NCI risk groups were made for children with B-cell precursor ALL; others are among them here.")
    if "cna_profile" in question.variables and ages != "children":
        notes.append("The copy-number profile was not prognostic in adults (UKALL14).")
    unverified = [dictionary[name].label for name in question.variables if not dictionary[name].verified]
    if unverified:
        notes.append(f"Definition not yet verified against its publication: {', '.join(unverified)}.")
    return tuple(notes)


def ages_asked(question: Question) -> str | None:
    """ "children" or "adults" if the filters leave only one of them, None if both may be among the patients."""
    return next((ages for ages in map(_ages_of, question.where) if ages is not None), None)


def _ages_of(item: Filter) -> str | None:
    match item:
        case OneOf("age_group", values) if set(values) <= _CHILDREN:
            return "children"
        case OneOf("age_group", values) if not set(values) & _CHILDREN:
            return "adults"
        # Whose age is not recorded does not meet a negation either.
        case Not(OneOf("age_group", values)) if set(values) >= _CHILDREN:
            return "adults"
        case Between("age_dx_years", _, upper, included) if upper is not None and (
                upper < ADULT or (upper == ADULT and not included)):
            return "children"
        case Between("age_dx_years", lower, _, _) if lower is not None and lower >= ADULT:
            return "adults"
        case AnyOf(parts):
            found = set(map(_ages_of, parts))
            return found.pop() if len(found) == 1 else None
    return None


def _asks_b_precursor(question: Question) -> bool:
    return OneOf("immunophenotype", ("B",)) in question.where
