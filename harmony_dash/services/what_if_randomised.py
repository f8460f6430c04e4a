"""The randomised comparisons of two strategies that these patients hold, each by itself, as randomised.

Whom chance allocated is known from the day of randomisation on, so that is where the clock of each patient starts:
everybody who was randomised is followed in the arm of the draw. What is filtered by must be known by then. Trials that
share a randomised comparison drew lots in their own shares, so each of them is one by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harmony_dash.cohort.endpoints import TimeZero, endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.question import Question, known_day
from harmony_dash.cohort.what_if_question import (
    CAUSES_ENDPOINT,
    RANDOMISATION,
    RANDOMISED_ARM,
    TRIAL,
    WhatIfQuestion,
)
from harmony_dash.dictionary.model import Dictionary, TimePoint
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
    WhatIfReason,
)
from harmony_dash.errors import QuestionError, StatisticsError
from harmony_dash.services.what_if_estimates import Estimated
from harmony_dash.services.what_if_evidence import TOO_FEW, judge_counts, words_for
from harmony_dash.services.what_if_outcomes import put_cautions
from harmony_dash.services.what_if_tables import PlannedArms, count_compared, join_competing, plan_arms
from harmony_dash.stats.cumulative_incidence import estimate_cumulative_incidence, read_incidence
from harmony_dash.stats.event_table import EventTable
from harmony_dash.stats.kaplan_meier import estimate_survival, read_survival
from harmony_dash.stats.refusal import Reason
from harmony_dash.stats.stratified_difference import estimate_stratified_difference
from harmony_dash.stats.support import describe_counts
from harmony_dash.store.randomisation import Randomisation, RandomisedSnapshot, count_followed, find_randomisations
from harmony_dash.store.reader import Snapshot

# Where fewer of an arm have a day of randomisation, nobody knows from when on to follow the patients; where fewer than
# nearly all have it, those who have it may not be alike. So arms that both keep it are no more than 5 points apart.
LEAST_DATED, WELL_DATED = 0.8, 0.95
START = "These strategies were compared at random"
UNDATED = "the day of randomisation is not known for too many patients of an arm, so they cannot be followed from it."
PARTLY_DATED = ("the day of randomisation is not known for some, who are left out: those who are left of both arms may "
                "no longer be alike, as chance had made them")
DAYS_NEEDED = "the day of randomisation of those without one"
LATE = "some before {} became known, so that it tells nothing of patients chosen by it: ask without that filter."
UNREAD = ("with these filters too few of the patients are left in both arms, or the filters mean something else in "
          "each: ask with fewer.")
# Shares of patients are told in steps of so many points, and of no fewer patients.
_STEP, _PATIENTS_A_STEP = 0.05, 20


@dataclass(frozen=True)
class RandomisedComparison:
    """What one randomisation says.

    Attributes
    ----------
    name : of the randomised comparison.
    patients : of every outcome.
    estimated : curves and contrasts.
    reasons : for caution, of every outcome that is shown.
    readable : whether there are patients, events and follow-up enough for an answer.
    planned : how it was asked.
    by_cause : how relapse and what competes with it was; None where there is nobody to follow for it.
    """

    name: str
    patients: tuple[ComparedPatients, ...]
    estimated: Estimated
    reasons: tuple[WhatIfReason, ...]
    readable: bool
    planned: PlannedArms
    by_cause: PlannedArms | None


@dataclass(frozen=True)
class RandomisedAnswers:
    """What all randomisations of two strategies say, and why some say nothing."""

    found: tuple[RandomisedComparison, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def readable(self) -> tuple[RandomisedComparison, ...]:
        """Those that carry an answer."""
        return tuple(one for one in self.found if one.readable)


def randomised_question(snapshot: Snapshot, question: WhatIfQuestion) -> Question | None:
    """The question of the survival page that goes with the randomised comparison of two strategies, for the budget.

    Its landmark is the first by which half of the patients had been randomised: the nearest that page has to a clock
    that starts with each patient's randomisation. None without a randomised comparison.
    """
    found = _find(snapshot, question)
    if not found:
        return None
    latest = max(question.cohort.landmark_days, *(one.day or 0 for one in found))
    return replace(question.cohort, by=RANDOMISED_ARM, landmark_days=min(
        (day for day in LANDMARK_DAYS if day >= latest), default=LANDMARK_DAYS[-1]))


def from_remission(by_arm: Question) -> Question:
    """The same patients followed for relapse and what competes with it."""
    return replace(by_arm, endpoint=CAUSES_ENDPOINT)


def compare_randomised(snapshot: Snapshot, question: WhatIfQuestion, days: Sequence[int], scope: Scope, *,
                       names: tuple[str, str], countries: OneOf | None) -> RandomisedAnswers:
    """Compare the arms as randomised, in each randomisation by itself.

    Parameters
    ----------
    days : of the curves, from randomisation on; the last one is the horizon.
    names : words for the arms.
    """
    found: list[RandomisedComparison] = []
    why_not: dict[str, list[str]] = {}
    for one in _find(snapshot, question):
        late = _known_later(question, snapshot.dictionary, one.first_day)
        if min(one.dated) < LEAST_DATED:
            why_not.setdefault(UNDATED, []).append(one.label)
        elif late:
            why_not.setdefault(LATE.format(", ".join(late)), []).append(one.label)
        elif made := _compare(snapshot, question, one, days, scope, names, countries):
            found.append(made)
        else:
            why_not.setdefault(UNREAD, []).append(one.label)
    return RandomisedAnswers(tuple(found), tuple(f"{START} ({', '.join(names_)}), but {reason}"
                                                 for reason, names_ in why_not.items()))


def _find(snapshot: Snapshot, question: WhatIfQuestion) -> tuple[Randomisation, ...]:
    dictionary, needed = snapshot.dictionary, (RANDOMISED_ARM, RANDOMISATION)
    if any(name not in dictionary for name in (*needed, TRIAL)) or question.strategy in needed:
        return ()
    if not set(question.arms) <= set(snapshot.values_of(dictionary[RANDOMISED_ARM])):
        return ()
    return find_randomisations(snapshot, replace(question.cohort, by=RANDOMISED_ARM), RANDOMISATION, TRIAL,
                               question.arms)


def _known_later(question: WhatIfQuestion, dictionary: Dictionary, day: int | None) -> list[str]:
    """Labels of the filters that say what became known after randomisation, of more than a few patients.

    Parameters
    ----------
    day : by which hardly any of them were randomised.
    """
    late = []
    for name in dict.fromkeys(question.cohort.variables):
        variable = dictionary[name]
        known = known_day(variable, TimeZero.DIAGNOSIS)
        dated = variable.measured is TimePoint.LATER and bool(variable.day_variable)
        if not dated and (known is None or known > (day or 0)):
            late.append(variable.label)
    return late


def _compare(snapshot: Snapshot, question: WhatIfQuestion, chance: Randomisation, days: Sequence[int], scope: Scope,
             names: tuple[str, str], countries: OneOf | None) -> RandomisedComparison | None:
    """One randomisation; None if hardly anybody of an arm meets the filters."""
    asked = replace(question.cohort, by=RANDOMISED_ARM, landmark_days=0)
    main, by_cause = (_follow(snapshot, one, question.arms, chance, days, scope, names, countries)
                      for one in (asked, from_remission(asked)))
    if main is None:
        return None
    causes = () if by_cause is None else by_cause.outcomes
    outcomes, words_of = (*main.outcomes, *causes), words_for(question, snapshot)
    reasons = [put_cautions(one.reasons, words_of, within=chance.label) for one in main.outcomes]
    reasons += [put_cautions(one.reasons, words_of, one.patients.label, within=chance.label) for one in causes
                if not one.patients.reason]
    words = (f"randomised comparison ({chance.label}): as randomised, from the day of randomisation on, Kaplan-Meier "
             "or Aalen-Johansen estimates, intervals by Greenwood or the jackknife")
    return RandomisedComparison(
        chance.label, tuple(one.patients for one in outcomes),
        Estimated(tuple(curve for one in outcomes for curve in one.curves),
                  tuple(contrast for one in outcomes for contrast in one.contrasts), words),
        (*_judge_dating(chance), *(one for part in reasons for one in part)), not main.outcomes[0].patients.reason,
        main.planned, None if by_cause is None else by_cause.planned)


def _judge_dating(chance: Randomisation) -> tuple[WhatIfReason, ...]:
    """Caution where whoever has no day of randomisation may make the arms differ; no share is told."""
    if min(chance.dated) >= WELL_DATED:
        return ()
    return (WhatIfReason("MODEL_DEPENDENT", "amber", PARTLY_DATED, chance.label, None, None, DAYS_NEEDED),)


@dataclass(frozen=True)
class _Outcome:
    patients: ComparedPatients
    reasons: tuple[Reason, ...]
    curves: tuple[StrategyCurve, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


@dataclass(frozen=True)
class _Followed:
    outcomes: tuple[_Outcome, ...]
    planned: PlannedArms


def _follow(snapshot: Snapshot, asked: Question, arms: tuple[str, str], chance: Randomisation, days: Sequence[int],
            scope: Scope, names: tuple[str, str], countries: OneOf | None) -> _Followed | None:
    """The patients of one randomisation, followed for one endpoint."""
    endpoint = endpoint_named(asked.endpoint)
    inside = RandomisedSnapshot.of(snapshot, chance=chance, comparison=RANDOMISATION, trial=TRIAL, endpoint=endpoint)
    try:
        planned = plan_arms(inside, asked, arms, TRIAL, scope, countries=countries)
    except QuestionError:
        return None
    if planned.tables is None or not planned.tables.both:
        return None
    table = planned.tables.only(planned.tables.both)
    table = join_competing(table) if endpoint.competing else table
    share = count_followed(inside, asked, arms) / chance.patients
    clock = f"randomisation ({'in remission by then, ' if endpoint.time_zero is TimeZero.REMISSION else ''}" \
            f"{_share(share, chance.patients)} of all randomised in the disease)"
    outcomes = ([(endpoint.name, endpoint.label, None)] if not endpoint.competing else [
        (endpoint.causes[0], endpoint.cause_labels[0], 0),
        (endpoint.causes[1], " or ".join(endpoint.cause_labels[1:]), 1)])
    return _Followed(tuple(_estimate(table, ComparedPatients(
        RANDOMISED, outcome, label, clock, count_compared(table, names, days[-1], cause=cause), days[-1],
        randomisation=chance.label), cause, days, scope) for outcome, label, cause in outcomes), planned)


def _share(share: float, patients: int) -> str:
    """In steps that neither tell a few patients from none, nor how many they are."""
    step = max(_STEP, _PATIENTS_A_STEP / patients)
    least = min(int(share / step + 1e-9) * step, 1 - step)
    return f"at least {100 * max(0.0, least):.0f} %"


def _estimate(table: EventTable, patients: ComparedPatients, cause: int | None, days: Sequence[int], scope: Scope,
              ) -> _Outcome:
    """Curves and difference of one outcome, if its patients, events and follow-up carry them."""
    reasons = judge_counts(describe_counts(table, days[-1], cause=cause), scope)
    withheld = _Outcome(replace(patients, reason=TOO_FEW), reasons)
    drawn = all(scope.rules.carries_curve(int(arm.n or 0), int(arm.events or 0)) for arm in patients.arms)
    if any(one.severity == "refused" for one in reasons) or (scope.is_protected and not drawn):
        return withheld
    try:
        contrast = _contrast(table, patients, cause, days[-1], scope)
        curves = tuple(_curve(table, arm, patients, cause, days) for arm in table.groups)
    except StatisticsError:
        return withheld
    return _Outcome(patients, reasons, curves, (contrast,))


def _contrast(table: EventTable, patients: ComparedPatients, cause: int | None, day: int, scope: Scope) -> Contrast:
    found = estimate_stratified_difference(table, day, cause=None if cause is None else table.causes[cause],
                                           least_at_risk=scope.rules.minimum_at_risk)
    measure = Measure.SURVIVAL if cause is None else Measure.INCIDENCE
    return Contrast(Method.RANDOMISED, measure, patients.outcome, day, found.estimate, max(-1.0, found.lower),
                    min(1.0, found.upper), patients.randomisation)


def _curve(table: EventTable, arm: str, patients: ComparedPatients, cause: int | None, days: Sequence[int],
           ) -> StrategyCurve:
    pooled, at = table.pool_strata(), [0, *days]
    if cause is None:
        survival = read_survival(estimate_survival(pooled, arm), at)
        values = [survival.survival, survival.lower, survival.upper]
    else:
        incidence = read_incidence(estimate_cumulative_incidence(pooled, arm), at)
        values = [column[:, cause] for column in (incidence.incidence, incidence.lower, incidence.upper)]
    estimate, lower, upper = values
    return StrategyCurve(Method.RANDOMISED, patients.outcome, arm, Curve(
        np.array(at, dtype=np.float64), estimate, lower, upper, np.full(len(at), np.nan)), patients.randomisation)
