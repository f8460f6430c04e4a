"""Relapse and the events that compete with it, always side by side: less relapse may cost deaths in remission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.what_if_question import TRIAL, WhatIfQuestion, essential_confounders
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.what_if_results import OBSERVED, ComparedPatients, Method, WhatIfReason
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.what_if_design import Design, build_affordable_design, make_patients
from harmony_dash.services.what_if_estimates import Estimated, Run, estimate_causes, why_not
from harmony_dash.services.what_if_evidence import TOO_FEW, judge_counts, words_for
from harmony_dash.services.what_if_observed import select_rows
from harmony_dash.services.what_if_outcomes import put_cautions
from harmony_dash.services.what_if_strata import covariates_to_read, model_strata
from harmony_dash.services.what_if_tables import PlannedArms, count_compared, join_competing, plan_arms
from harmony_dash.stats.refusal import Reason
from harmony_dash.stats.support import describe_support
from harmony_dash.store.arm_rows import ArmRows, fetch_arm_rows
from harmony_dash.store.parts import StrataOfSnapshot
from harmony_dash.store.reader import Snapshot

PLAIN_WORDS = "an outcome marked plain has too few events to adjust for anything and is compared within strata alone"
NOTHING = Estimated((), (), "")


@dataclass(frozen=True)
class Causes:
    """Relapse and what competes with it.

    Attributes
    ----------
    patients : of both outcomes; without any there is no answer.
    estimated : curves and contrasts of those with enough patients, events and follow-up.
    reasons : for caution, of these.
    planned : how it was asked; None if it could not be.
    """

    patients: tuple[ComparedPatients, ...] = ()
    estimated: Estimated = NOTHING
    reasons: tuple[WhatIfReason, ...] = ()
    planned: PlannedArms | None = None


def answer_causes(snapshot: Snapshot, question: WhatIfQuestion, strata: frozenset[str], days: Sequence[int],
                  scope: Scope, run: Run, names: tuple[str, str], *, countries: OneOf | None) -> Causes:
    """The cumulative incidences of relapse and of all that competes with it, by method A, of patients in remission.

    Parameters
    ----------
    strata : names of the trials that count.
    names : words for the arms.

    Raises
    ------
    Cancelled.
    """
    asked = question.by_cause
    endpoint = endpoint_named(asked.endpoint)
    try:
        inside = StrataOfSnapshot.of(snapshot, strata=TRIAL, names=tuple(sorted(strata)))
        planned = plan_arms(inside, asked, question.arms, TRIAL, scope, countries=countries)
    except QuestionError:
        return Causes()
    if planned.tables is None:
        return Causes()
    both = planned.tables.both
    if not both:
        return Causes()
    table = join_competing(planned.tables.only(both))
    start = f"day {asked.landmark_days} after " if asked.landmark_days else ""
    labels = (endpoint.cause_labels[0], " or ".join(endpoint.cause_labels[1:]))
    patients = tuple(ComparedPatients(OBSERVED, cause, label, f"{start}{endpoint.time_zero}", count_compared(
        table, names, days[-1], cause=place), days[-1]) for place, (cause, label) in enumerate(
            zip(table.causes, labels, strict=True)))
    rows = select_rows(fetch_arm_rows(planned.tables.snapshot, planned.tables.question, question.arms, TRIAL,
                                      covariates_to_read(question)), both)
    judged = [_judge(rows, snapshot, question, table.causes, place, days[-1], scope) for place in range(len(patients))]
    patients = tuple(replace(one, reason=TOO_FEW) if any(reason.severity == "refused" for reason in reasons) else one
                     for one, reasons in zip(patients, judged, strict=True))
    if all(one.reason for one in patients):
        return Causes(patients, planned=planned)
    try:
        found = _estimate(rows, snapshot, question, table.causes, days, run)
    except StatisticsError as problem:
        reason = why_not(problem, is_protected=scope.is_protected)
        return Causes(tuple(replace(one, reason=one.reason or reason) for one in patients), planned=planned)
    told = {one.outcome for one in patients if not one.reason}
    words = words_for(question, snapshot)
    return Causes(
        patients, replace(found, curves=tuple(one for one in found.curves if one.outcome in told),
                          contrasts=tuple(one for one in found.contrasts if one.outcome in told)),
        tuple(reason for one, reasons in zip(patients, judged, strict=True) if one.outcome in told
              for reason in put_cautions(reasons, words, one.label)), planned)


def _judge(rows: ArmRows, snapshot: Snapshot, question: WhatIfQuestion, causes: tuple[str, ...], cause: int, day: int,
           scope: Scope) -> tuple[Reason, ...]:
    """What one of the outcomes lacks of patients, events or follow-up, by the rules of the whole comparison."""
    bare = Design(np.zeros((len(rows.day), 0)), (), {})
    patients = make_patients(rows, bare, arms=question.arms, strata=snapshot.values_of(snapshot.dictionary[TRIAL]),
                             causes=causes)
    support = describe_support(patients, np.full(len(rows.day), 0.5), patients.weight, day, bins=1, cause=cause)
    return judge_counts(support, scope)


def _estimate(rows: ArmRows, snapshot: Snapshot, question: WhatIfQuestion, causes: tuple[str, ...],
              days: Sequence[int], run: Run) -> Estimated:
    stratum, names = model_strata(rows, snapshot, question)
    essential = essential_confounders(question.cohort, snapshot.dictionary)
    designs = [build_affordable_design(rows, snapshot, question.adjust, essential, event=event)
               for event in (rows.cause == 1, rows.cause > 1)]
    of_each = [make_patients(rows, design, arms=question.arms, strata=names, causes=causes, stratum=stratum)
               for design in designs]
    found = estimate_causes(of_each[0], of_each[1], days, run)
    bare = {cause for cause, design in zip(causes, designs, strict=True) if not design.names}
    return _name_plain(found, bare) if bare else found


def _name_plain(found: Estimated, bare: set[str]) -> Estimated:
    """The outcomes that nothing is adjusted for are no answer of method A."""
    return replace(
        found, curves=tuple(replace(one, method=Method.PLAIN) if one.outcome in bare else one for one in found.curves),
        contrasts=tuple(replace(one, method=Method.PLAIN) if one.outcome in bare else one for one in found.contrasts),
        methods=f"{found.methods}; {PLAIN_WORDS}", columns=f"{found.columns}; {PLAIN_WORDS}")
