"""Which groups of patients do better or worse, and does a treatment work differently in them? One table of rows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from harmony_dash.access.actor import Actor
from harmony_dash.access.grant_rules import check_grant_covers
from harmony_dash.access.permissions import Permission
from harmony_dash.cohort.describe import describe_question
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, check_subgroups
from harmony_dash.dictionary.model import TimePoint
from harmony_dash.disclosure import COUNT_IN_TITLE, Level, Released, Scope, release
from harmony_dash.disclosure.closed_questions import check_closed
from harmony_dash.disclosure.results import IntervalType, Unapplied
from harmony_dash.disclosure.subgroup_results import SubgroupsResult, SubgroupVariable
from harmony_dash.errors import QuestionError
from harmony_dash.services.admission import Admission, admit, check_still_admitted, restrict
from harmony_dash.services.audited import check_and_record, refusals_recorded
from harmony_dash.services.budget import check_budget_for_all, record_all_within_budget
from harmony_dash.services.deployment import Deployment
from harmony_dash.services.subgroup_levels import VariableLevels, fetch_variables, within_missing
from harmony_dash.services.subgroup_rows import Reading, build_variable
from harmony_dash.services.subgroup_treatment import Arms, add_treatment, check_varies_within_trials, choose_arms
from harmony_dash.services.survival import check_against_snapshot
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.services.survival_notes import ages_asked, notes_of_grant
from harmony_dash.store.reader import Snapshot

ACTION = "subgroups"
_AT_ONCE = 2


def ask_subgroups(deployment: Deployment, actor: Actor, question: SubgroupsQuestion, *,
                  interval: IntervalType = IntervalType.LOG_LOG, level: Level = Level.PROTECTED, grant: str = "",
                  comparisons_before: int = 0) -> Released[SubgroupsResult]:
    """A table of levels with their outcomes and hazard ratios, and what a treatment does in each of them.

    Parameters
    ----------
    deployment, actor : the installation and who asks.
    question : what is asked; its variables are chosen from the dictionary if it names none, and the landmark of the
        whole table is moved to the day by which all of them are known.
    interval : type of the confidence intervals of estimates.
    level, grant : as in `ask_survival`.
    comparisons_before : how many p-values the person opened before this table, to be told beside its own.

    Returns
    -------
    Released[SubgroupsResult]. A variable or level that cannot be compared is a row that says why.

    Raises
    ------
    AccessRefused, AuditUnavailable, QuestionError, StoreError, TooManyQuestions.
    """
    record = question.for_the_record
    check_and_record(deployment, actor, Permission.VIEW_SURVIVAL, ACTION, question=record, grant=grant)
    with refusals_recorded(deployment, actor, ACTION, record, grant=grant):
        admission = admit(deployment, actor, question.cohort, level=level, grant_id=grant)
        snapshot, scope = admission.snapshot, admission.scope
        asked = prepare_subgroups(question, admission)
        # Each variable is a question of its own to whoever would put answers together.
        parts = parts_of(snapshot, asked, scope, countries=admission.countries)
        check_budget_for_all(deployment, actor, parts, ACTION, scope)
        released = _release(deployment, admission, asked, question, interval, comparisons_before)
        check_still_admitted(deployment, actor, admission)
        record_all_within_budget(deployment, actor, parts, ACTION, scope, snapshot=snapshot.snapshot,
                                 n=released.value.cohort.n, table=asked.for_the_record)
    return released


def _release(deployment: Deployment, admission: Admission, asked: SubgroupsQuestion, as_asked: SubgroupsQuestion,
             interval: IntervalType, comparisons_before: int) -> Released[SubgroupsResult]:
    """The released table; a protected one that rests on no grant is computed once for everybody who asks."""
    snapshot, scope = admission.snapshot, admission.scope

    def compute() -> Released[SubgroupsResult]:
        granted = replace(asked, cohort=restrict(asked.cohort, admission.countries))
        result = compute_subgroups(snapshot, granted, as_asked, interval=interval, scope=scope,
                                   comparisons_before=comparisons_before, countries=admission.countries)
        return release(replace(result, notes=(*notes_of_grant(admission), *result.notes)), scope)

    if admission.grant is not None or not scope.is_protected:
        return compute()
    key = (snapshot.snapshot, admission.withdrawn, scope.key, asked, as_asked, interval, comparisons_before)
    return deployment.subgroups.get(key, compute)


def prepare_subgroups(question: SubgroupsQuestion, admission: Admission) -> SubgroupsQuestion:
    """Check the question against the snapshot and the grant; choose its variables and its landmark.

    Raises
    ------
    AccessRefused for a variable that the grant does not cover, QuestionError.
    """
    snapshot = admission.snapshot
    if admission.grant is not None:
        named = tuple(name for name in (question.strata, question.treatment, *question.variables) if name)
        check_grant_covers(admission.grant, disease=question.cohort.disease, variables=named, countries=())
    check_against_snapshot(question.cohort, snapshot)
    return check_subgroups(question, snapshot.dictionary)


def parts_of(snapshot: Snapshot, question: SubgroupsQuestion, scope: Scope, *, countries: OneOf | None,
             ) -> list[Question]:
    """The questions of the survival page that a table answers, as the audit trail keeps them.

    The cohort, the same by each variable, those without a value of it (however few they are), and by each variable in
    every arm.

    Parameters
    ----------
    question : checked, without the countries of a grant.
    countries : of the grant, as of `plan_answer`.
    """
    granted = replace(question, cohort=restrict(question.cohort, countries))
    parts = [question.cohort, *(question.by(name) for name in question.variables)]
    parts += [missing for name in question.variables if _has_missing_row(snapshot, granted, name, scope, countries)
              and (missing := within_missing(question, name)) is not None]
    arms = choose_arms(snapshot, granted, scope, countries=countries)
    for arm in arms.values if arms else ():
        parts += [question.by_within(name, arm) for name in question.variables]
    return list(dict.fromkeys(parts))


def _has_missing_row(snapshot: Snapshot, question: SubgroupsQuestion, name: str, scope: Scope,
                     countries: OneOf | None) -> bool:
    """Whether patients without a value have a row with numbers, if they are enough."""
    missing = within_missing(question, name)
    if missing is None:
        return False
    try:
        check_closed(missing, snapshot.dictionary, scope.level, protected=[countries] if countries else [])
    except QuestionError:
        return not scope.is_protected
    return True


def compute_subgroups(snapshot: Snapshot, question: SubgroupsQuestion, as_asked: SubgroupsQuestion, *,
                      interval: IntervalType, scope: Scope, comparisons_before: int = 0,
                      countries: OneOf | None = None) -> SubgroupsResult:
    """The unreleased result; what the benchmarks time without access and audit.

    Parameters
    ----------
    question : checked, with its variables and landmark.
    as_asked : before that, for the note that says so.
    countries : as of `plan_answer`.

    Raises
    ------
    QuestionError for a treatment that never varies within a trial.
    """
    cohort = compute_survival(snapshot, question.cohort, question.cohort, interval=interval, days=(question.at_days,),
                              scope=scope, countries=countries)
    reading = Reading(question.cohort, question.at_days, interval, scope, countries, snapshot.late_entry)
    arms = choose_arms(snapshot, question, scope, countries=countries)
    found: list[tuple[VariableLevels, SubgroupVariable]] = []
    if cohort.groups:
        found = _build_variables(snapshot, question, reading, arms)
    variables = tuple(variable for _, variable in found)
    if arms is not None:
        check_varies_within_trials(variables, arms)
    of_variables = [f"{levels.variable.label}: {note}" for levels, _ in found for note in levels.notes]
    notes = dict.fromkeys([*cohort.notes, *of_variables, *_notes(question, as_asked, snapshot)])
    title = f"{describe_question(question.cohort, snapshot.dictionary, COUNT_IN_TITLE)}, by subgroup"
    return SubgroupsResult(question, title, snapshot.snapshot, snapshot.synthetic, cohort, variables, 0,
                           comparisons_before, interval, tuple(notes),
                           not_applied=_join_not_applied(cohort.not_applied, [levels for levels, _ in found]))


def _join_not_applied(of_cohort: Sequence[Unapplied], variables: Sequence[VariableLevels]) -> tuple[Unapplied, ...]:
    """In what the cohort and single rows answer another question; what is true of all stands there once."""
    joined = list(of_cohort)
    for levels in variables:
        label = levels.variable.label
        for one in levels.not_applied:
            if one not in of_cohort:
                names = tuple(name if name.startswith(label) else f"{label}: {name}" for name in one.groups)
                joined.append(replace(one, groups=names or (label,)))
    return tuple(joined)


def _build_variables(snapshot: Snapshot, question: SubgroupsQuestion, reading: Reading, arms: Arms | None,
                     ) -> list[tuple[VariableLevels, SubgroupVariable]]:
    def build(levels: VariableLevels) -> tuple[VariableLevels, SubgroupVariable]:
        variable = build_variable(levels, reading)
        return levels, variable if arms is None else add_treatment(snapshot, question, levels, variable, arms, reading)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(build, fetch_variables(snapshot, question, reading.scope, countries=reading.countries)))


def _notes(question: SubgroupsQuestion, as_asked: SubgroupsQuestion, snapshot: Snapshot) -> Sequence[str]:
    """What a reader must know before the table: a moved clock, strata, definitions that are not verified."""
    dictionary, cohort = snapshot.dictionary, question.cohort
    read = [dictionary[name] for name in question.read_variables]
    notes = []
    if cohort.landmark_days > as_asked.cohort.landmark_days:
        late = ", ".join(variable.label for variable in read if variable.measured is not TimePoint.BASELINE)
        notes.append(f"All rows are counted from day {cohort.landmark_days} after "
                     f"{endpoint_named(cohort.endpoint).time_zero}, because {late} is known only then. Patients with "
                     "an event or last contact by that day are in no row.")
    if question.strata:
        notes.append(f"Hazard ratios compare patients of the same {dictionary[question.strata].label.lower()}; those "
                     "without a value are compared with one another.")
    ages = ages_asked(cohort)
    if "cna_profile" in question.variables and ages != "children":
        notes.append("The copy-number profile was not prognostic in adults (UKALL14).")
    unverified = [variable.label for variable in read if not variable.verified]
    if unverified:
        notes.append(f"Definition not yet verified against its publication: {', '.join(unverified)}.")
    return notes
