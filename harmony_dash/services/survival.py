"""How do patients like these do? One question in, one released answer out."""

from __future__ import annotations

from collections.abc import Sequence

from harmony_dash.access.actor import Actor
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_filter, describe_question
from harmony_dash.cohort.endpoints import EXCLUSIONS, endpoint_named
from harmony_dash.cohort.filters import Filter, OneOf, leaves_of, variables_of
from harmony_dash.cohort.question import Question, check_question, with_landmark
from harmony_dash.disclosure import COUNT_IN_TITLE, Level, Released, Scope, release, too_few
from harmony_dash.disclosure.results import (
    AttritionStep,
    Exclusion,
    GroupResult,
    IntervalType,
    SurvivalResult,
    WithheldGroup,
)
from harmony_dash.errors import QuestionError
from harmony_dash.services.audited import check_and_record, record_answer
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.estimates import estimate_group, risk_table_days, run_tests
from harmony_dash.store.counts import CohortFlow, fetch_cohort_flow
from harmony_dash.store.event_tables import fetch_event_table
from harmony_dash.store.reader import Snapshot

DEFAULT_DAYS = (365, 1096, 1826)
ACTION = "survival"


def ask_survival(deployment: Deployment, actor: Actor, question: Question, *,
                 interval: IntervalType = IntervalType.LOG_LOG, days: Sequence[int] = DEFAULT_DAYS,
                 level: Level = Level.PROTECTED) -> Released[SurvivalResult]:
    """Curves, estimates, tests and the cohort's flow for one question.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : what is asked. Its landmark is moved to the day by which all its variables are known.
    interval : type of the confidence intervals.
    days : days after time zero (or the landmark) at which estimates are read off.
    level : exact results need their own permission.

    Returns
    -------
    Released[SurvivalResult]. Groups too small to be shown take no part in any test.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError.
    """
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=question.fingerprint)
    if level is Level.EXACT:
        check_and_record(deployment, actor, Permission.VIEW_EXACT, ACTION, question=question.fingerprint)
    snapshot = deployment.store.current()
    asked = prepare_question(question, snapshot)
    scope = Scope(level)
    released = release(compute_survival(snapshot, asked, question, interval=interval, days=days, scope=scope), scope)
    record_answer(deployment, actor, ACTION, question=asked.fingerprint, snapshot=snapshot.snapshot,
                  level=scope.level, n=released.value.n)
    return released


def prepare_question(question: Question, snapshot: Snapshot) -> Question:
    """Check the question against the snapshot and set the landmark its variables need."""
    check_question(question, snapshot.dictionary)
    held = snapshot.code_values.get("disease", ())
    if question.disease not in held:
        raise QuestionError(f"the snapshot holds no patient with {question.disease}", where="disease",
                            remedy=f"Choose one of: {', '.join(held)}.")
    for item in question.where:
        _check_code_values(item, snapshot)
    return with_landmark(question, snapshot.dictionary)


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
                     days: Sequence[int], scope: Scope) -> SurvivalResult:
    """The unreleased result; what the benchmarks time without access and audit.

    Parameters
    ----------
    question : checked, with its landmark.
    as_asked : before the landmark was moved, for the note that says so.
    """
    table = fetch_event_table(snapshot, question)
    flow = fetch_cohort_flow(snapshot, question)
    counts = dict(zip(table.groups, table.patients.tolist(), strict=True))
    shown = [name for name, n in counts.items() if n >= _smallest_group(scope)]
    small = [name for name, n in counts.items() if 0 < n < _smallest_group(scope)]
    table = table.select_groups(shown)
    names = {value: _group_name(snapshot, question, value) for value in counts}
    tests = run_tests(table, question, names)
    at = sorted({day for day in days if day >= 0})
    ticks = risk_table_days(table, question)
    groups = tuple(estimate_group(table, value, label=_group_label(question, value), name=names[value],
                                  question=question, interval=interval, days=at, ticks=ticks,
                                  restricted_mean=tests.restricted_mean(value)) for value in shown)
    return SurvivalResult(
        question=question, title=describe_question(question, snapshot.dictionary, COUNT_IN_TITLE),
        snapshot=snapshot.snapshot, synthetic=snapshot.synthetic, n=sum(group.n for group in groups), groups=groups,
        withheld=tuple(WithheldGroup(_group_label(question, value), names[value], too_few(scope.rules))
                       for value in small),
        log_rank=tests.log_rank, pairwise=tests.pairwise, gray=tests.gray,
        restricted_mean_differences=tests.differences,
        attrition=_attrition(flow, question, snapshot), exclusions=_exclusions(flow, question, snapshot),
        interval=interval, notes=_notes(question, as_asked, snapshot, groups), methods="", summary="")


def _smallest_group(scope: Scope) -> int:
    return scope.rules.minimum_group if scope.level is Level.PROTECTED else 1


def _group_label(question: Question, value: str) -> dict[str, str]:
    return {question.by: value} if question.by else {}


def _group_name(snapshot: Snapshot, question: Question, value: str) -> str:
    return snapshot.dictionary[question.by].label_of(value) if question.by else "all patients"


def _attrition(flow: CohortFlow, question: Question, snapshot: Snapshot) -> tuple[AttritionStep, ...]:
    disease = snapshot.dictionary.diseases[question.disease]
    steps = [AttritionStep(f"patients with {disease.adjective or disease.label}", flow.disease, None)]
    before = flow.disease
    for item, n in zip(question.where, flow.after_filter, strict=True):
        steps.append(AttritionStep(describe_filter(item, snapshot.dictionary), n, before - n))
        before = n
    return tuple(steps)


def _exclusions(flow: CohortFlow, question: Question, snapshot: Snapshot) -> tuple[Exclusion, ...]:
    words = {**EXCLUSIONS, "before_landmark": f"event or last contact by day {question.landmark_days}"}
    for code, name in (("group_missing", question.by), ("stratum_missing", question.strata)):
        if name:
            words[code] = f"{snapshot.dictionary[name].label} not known"
    return tuple(Exclusion(words[code], n) for code, n in flow.excluded.items() if n)


def _notes(question: Question, as_asked: Question, snapshot: Snapshot, groups: Sequence[GroupResult],
           ) -> tuple[str, ...]:
    notes = []
    if question.landmark_days > as_asked.landmark_days:
        late = [snapshot.dictionary[name].label for name in question.variables
                if snapshot.dictionary[name].measured != "baseline"]
        zero = endpoint_named(question.endpoint).time_zero
        notes.append(f"The clock starts on day {question.landmark_days} after {zero}, because {', '.join(late)} "
                     "is known only then. Patients with an event or last contact before that day are not counted.")
    filtered = {name for item in question.where for name in variables_of(item)}
    children_and_adults = "age_group" in snapshot.dictionary and not filtered & {"age_group", "age_dx_years"}
    if children_and_adults and question.by != "age_group":
        notes.append("Children and adults are pooled here; filter by age group to look at them apart.")
    unverified = [snapshot.dictionary[name].label for name in question.variables
                  if not snapshot.dictionary[name].verified]
    if unverified:
        notes.append(f"Definition not yet verified against its publication: {', '.join(unverified)}.")
    return tuple(notes)
