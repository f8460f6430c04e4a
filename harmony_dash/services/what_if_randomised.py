"""The randomised comparison of two strategies, where these patients hold one: as randomised, within each randomisation.

Whom chance allocated is known from the day of randomisation on, so the clock starts on the first landmark by which most
of them have been: who had an event before, or was randomised later, is in neither arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.what_if_question import CAUSES_ENDPOINT, RANDOMISATION, RANDOMISED_ARM, WhatIfQuestion
from harmony_dash.disclosure import Scope
from harmony_dash.disclosure.closed_questions import LANDMARK_DAYS
from harmony_dash.disclosure.results import Curve
from harmony_dash.disclosure.what_if_results import (
    RANDOMISED,
    ComparedPatients,
    Contrast,
    Measure,
    Method,
    StrategyCurve,
)
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.what_if_estimates import Estimated
from harmony_dash.services.what_if_tables import count_compared, join_competing, plan_arms
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.refusal import Thresholds
from harmony_dash.stats.stratified_difference import estimate_stratified_difference
from harmony_dash.store.randomisation import find_randomisations
from harmony_dash.store.reader import Snapshot


@dataclass(frozen=True)
class RandomisedComparison:
    """What randomisation says.

    Attributes
    ----------
    names : of the randomised comparisons.
    patients : of every outcome.
    estimated : curves and contrasts.
    readable : whether there are patients, events and follow-up enough for an answer.
    landmark_days : where its clock starts.
    """

    names: tuple[str, ...]
    patients: tuple[ComparedPatients, ...]
    estimated: Estimated
    readable: bool
    landmark_days: int


def randomised_question(snapshot: Snapshot, question: WhatIfQuestion) -> Question | None:
    """The question by randomised arm that goes with a comparison of strategies; None where there is none."""
    dictionary = snapshot.dictionary
    needed = (RANDOMISED_ARM, RANDOMISATION)
    if any(name not in dictionary for name in needed) or question.strategy in needed:
        return None
    if not set(question.arms) <= set(snapshot.values_of(dictionary[RANDOMISED_ARM])):
        return None
    by_arm = replace(question.cohort, by=RANDOMISED_ARM)
    found = find_randomisations(snapshot, by_arm, RANDOMISATION, question.arms)
    later = [one for one in LANDMARK_DAYS if one >= max(*found.values(), by_arm.landmark_days)] if found else []
    return replace(by_arm, landmark_days=later[0]) if later else None


def compare_randomised(snapshot: Snapshot, question: WhatIfQuestion, by_arm: Question, days: Sequence[int],
                       thresholds: Thresholds, scope: Scope, *, names: tuple[str, str], countries: OneOf | None,
                       ) -> RandomisedComparison | None:
    """Compare the arms as randomised; None if no randomisation has patients enough in both."""
    found = [_compare(snapshot, asked, question.arms, days, scope, names, countries)
             for asked in (by_arm, from_remission(by_arm))]
    first = found[0]
    if first is None:
        return None
    parts = [part for part in found if part is not None]
    patients = tuple(one for part in parts for one in part[1])
    curves = tuple(curve for part in parts for curve in part[2].curves)
    contrasts = tuple(one for part in parts for one in part[2].contrasts)
    least = [thresholds.of_cell(limit).refused or 0
             for limit in (thresholds.arm_patients, thresholds.arm_events, thresholds.arm_at_risk)]
    readable = not first[1][0].reason and all(
        (count or 0) >= limit for arm in first[1][0].arms
        for count, limit in zip((arm.n, arm.events_by_horizon, arm.at_risk), least, strict=True))
    return RandomisedComparison(first[0], patients, Estimated(curves, contrasts, first[2].methods), readable,
                                by_arm.landmark_days)


def from_remission(by_arm: Question) -> Question:
    """The same patients followed for relapse and what competes with it."""
    return replace(by_arm, endpoint=CAUSES_ENDPOINT)


def _compare(snapshot: Snapshot, asked: Question, arms: tuple[str, str], days: Sequence[int], scope: Scope,
             names: tuple[str, str], countries: OneOf | None,
             ) -> tuple[tuple[str, ...], list[ComparedPatients], Estimated] | None:
    try:
        planned = plan_arms(snapshot, asked, arms, RANDOMISATION, scope, countries=countries)
    except QuestionError:
        return None
    if planned.tables is None or not planned.tables.both:
        return None
    both = planned.tables.both
    endpoint = endpoint_named(asked.endpoint)
    table = planned.tables.only(both)
    table = join_competing(table) if endpoint.competing else table
    clock = f"day {asked.landmark_days} after {endpoint.time_zero}"
    outcomes = ([(endpoint.name, endpoint.label, None)] if not endpoint.competing else [
        (endpoint.causes[0], endpoint.cause_labels[0], 0),
        (endpoint.causes[1], " or ".join(endpoint.cause_labels[1:]), 1)])
    patients, curves, contrasts = [], [], []
    for outcome, label, cause in outcomes:
        counted = ComparedPatients(RANDOMISED, outcome, label, clock, count_compared(table, names, days[-1],
                                                                                    cause=cause), days[-1])
        try:
            contrast = _contrast(table, outcome, cause, days[-1], scope)
            curves += [_curve(table, arm, outcome, cause, days) for arm in table.groups]
            contrasts.append(contrast)
        except StatisticsError:
            counted = replace(counted, reason="too few patients were followed that long")
        patients.append(counted)
    methods = ("randomised comparison: as randomised, Kaplan-Meier or Aalen-Johansen estimates, differences within "
               "each randomisation averaged by Cochran's weights")
    return (tuple(table.strata[k] for k in both), patients, Estimated(tuple(curves), tuple(contrasts), methods))


def _contrast(table: EventTable, outcome: str, cause: int | None, day: int, scope: Scope) -> Contrast:
    found = estimate_stratified_difference(table, day, cause=None if cause is None else table.causes[cause],
                                           least_at_risk=scope.rules.minimum_at_risk)
    measure = Measure.SURVIVAL if cause is None else Measure.INCIDENCE
    return Contrast(Method.RANDOMISED, measure, outcome, day, found.estimate, max(-1.0, found.lower),
                    min(1.0, found.upper))


def _curve(table: EventTable, arm: str, outcome: str, cause: int | None, days: Sequence[int]) -> StrategyCurve:
    pooled, at = table.pool_strata(), [0, *days]
    if cause is None:
        survival = read_survival(estimate_survival(pooled, arm), at)
        values = [survival.survival, survival.lower, survival.upper]
    else:
        incidence = read_incidence(estimate_cumulative_incidence(pooled, arm), at)
        values = [column[:, cause] for column in (incidence.incidence, incidence.lower, incidence.upper)]
    estimate, lower, upper = values
    return StrategyCurve(Method.RANDOMISED, outcome, arm, Curve(
        np.array(at, dtype=np.float64), estimate, lower, upper, np.full(len(at), np.nan)))
