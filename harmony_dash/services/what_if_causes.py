"""Relapse and the events that compete with it, always side by side: less relapse may cost deaths in remission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.what_if_question import WhatIfQuestion
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.what_if_results import OBSERVED, ComparedPatients
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.what_if_design import build_outcome_design, leave_all_out, make_patients
from harmony_dash.services.what_if_estimates import Estimated, Run, estimate_causes, why_not
from harmony_dash.services.what_if_observed import select_rows
from harmony_dash.services.what_if_tables import count_compared, join_competing, plan_arms
from harmony_dash.stats.cox import EVENTS_PER_PARAMETER
from harmony_dash.store.arm_rows import ArmRows, fetch_arm_rows
from harmony_dash.store.reader import Snapshot

NOTHING = Estimated((), (), "")


def answer_causes(snapshot: Snapshot, question: WhatIfQuestion, strata: frozenset[str], days: Sequence[int],
                  scope: Scope, run: Run, names: tuple[str, str], *, countries: OneOf | None,
                  ) -> tuple[tuple[ComparedPatients, ...], Estimated]:
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
        planned = plan_arms(snapshot, asked, question.arms, question.strata, scope, countries=countries)
    except QuestionError:
        return (), NOTHING
    if planned.tables is None:
        return (), NOTHING
    both = tuple(k for k in planned.tables.both if planned.tables.table.strata[k] in strata)
    if not both:
        return (), NOTHING
    table = join_competing(planned.tables.only(both))
    start = f"day {asked.landmark_days} after " if asked.landmark_days else ""
    labels = (endpoint.cause_labels[0], " or ".join(endpoint.cause_labels[1:]))
    patients = tuple(ComparedPatients(OBSERVED, cause, label, f"{start}{endpoint.time_zero}", count_compared(
        table, names, days[-1], cause=place), days[-1]) for place, (cause, label) in enumerate(
            zip(table.causes, labels, strict=True)))
    rows = select_rows(fetch_arm_rows(snapshot, planned.tables.question, question.arms, question.strata,
                                      question.adjust), both)
    try:
        return patients, _estimate(rows, snapshot, question, table.causes, days, run)
    except StatisticsError as problem:
        reason = why_not(problem, is_protected=scope.is_protected)
        return tuple(replace(one, reason=reason) for one in patients), NOTHING


def _estimate(rows: ArmRows, snapshot: Snapshot, question: WhatIfQuestion, causes: tuple[str, ...],
              days: Sequence[int], run: Run) -> Estimated:
    values = snapshot.values_of(snapshot.dictionary[question.strata])
    first = build_outcome_design(rows, snapshot, question.adjust, event=rows.cause == 1)
    # Deaths in remission are few; with none to spare for covariates they are compared within trials alone.
    competing = rows.cause > 1
    second = build_outcome_design(rows, snapshot, question.adjust, event=competing)
    if int(competing.sum()) < EVENTS_PER_PARAMETER * (1 + len(second.names)):
        second = leave_all_out(second)
    of_each = [make_patients(rows, design, arms=question.arms, strata=values, causes=causes)
               for design in (first, second)]
    return estimate_causes(of_each[0], of_each[1], days, run)
