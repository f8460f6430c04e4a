"""The unreleased answer of a treatment comparison: judged step by step, estimated only if the data carry it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import OneOf
from harmony_dash.cohort.what_if_question import (
    RANDOMISED_ARM,
    TRIAL,
    WhatIfQuestion,
    essential_confounders,
    late_variables,
)
from harmony_dash.disclosure import Scope, too_few
from harmony_dash.disclosure.grid import grid_days, snap_to_grid
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.disclosure.what_if_diagnostics import Diagnostics
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    ComparedPatients,
    Contrast,
    LevelEffect,
    Method,
    Status,
    StrategyCurve,
    WhatIfReason,
    WhatIfResult,
)
from harmony_dash.services.protection import name_group
from harmony_dash.services.what_if_anchors import find_anchors
from harmony_dash.services.what_if_causes import answer_causes
from harmony_dash.services.what_if_estimates import (
    HERE,
    Bootstrap,
    Cancelled,
    Estimated,
    Run,
    estimate_plain_curves,
)
from harmony_dash.services.what_if_evidence import (
    as_thresholds,
    is_refused,
    plain_reason,
    put_reason,
    words_for,
)
from harmony_dash.services.what_if_observed import answer_observed
from harmony_dash.services.what_if_outcomes import Differing, tell_apart
from harmony_dash.services.what_if_randomised import RandomisedAnswers, RandomisedComparison, compare_randomised
from harmony_dash.services.what_if_tables import LEAST_IN_BOTH, PlannedArms, allocate, count_compared, plan_arms
from harmony_dash.services.what_if_words import describe_estimand, write_title
from harmony_dash.stats.bayesian_bootstrap import Progress
from harmony_dash.stats.evidence import ByChance, Evidence, Interval95
from harmony_dash.stats.refusal import judge
from harmony_dash.store.randomisation import find_randomised_strata
from harmony_dash.store.reader import Snapshot

RELAPSE_AND_DEATH = "Relapse and what competes with it"
SEVERAL = ("These strategies were compared at random more than once, in different patients: each randomisation stands "
           "for itself, and there is no common answer.")


@dataclass(frozen=True)
class _Parts:
    """What has been found so far."""

    reasons: tuple[WhatIfReason, ...] = ()
    patients: tuple[ComparedPatients, ...] = ()
    curves: tuple[StrategyCurve, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    effects: tuple[LevelEffect, ...] = ()
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    not_applied: tuple[Unapplied, ...] = ()
    notes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def with_estimates(self, *found: Estimated, is_protected: bool) -> _Parts:
        """The same with more curves and contrasts."""
        words = [part.methods if is_protected else part.columns or part.methods for part in found]
        return replace(self, curves=(*self.curves, *(one for part in found for one in part.curves)),
                       contrasts=(*self.contrasts, *(one for part in found for one in part.contrasts)),
                       methods=(*self.methods, *(text for text in words if text)))


def compute_what_if(snapshot: Snapshot, question: WhatIfQuestion, as_asked: WhatIfQuestion, *, scope: Scope,
                    countries: OneOf | None = None, replicates: int = 200, begin: Callable[[], None] | None = None,
                    progress: Progress | None = None, cancelled: Cancelled | None = None,
                    bootstrap: Bootstrap = HERE) -> WhatIfResult:
    """The unreleased result; what the benchmarks time without access and audit.

    Parameters
    ----------
    question : checked, with its landmark and the countries of a grant.
    as_asked : before that, for the note that says so.
    countries : as of `plan_answer`.
    begin : called once before anything is estimated or told.
    bootstrap : draws the replicates.

    Raises
    ------
    QuestionError for a question that protected results do not answer at all; Cancelled.
    """
    names = words_for(question, snapshot)
    late = late_variables(question, snapshot.dictionary)
    if late:
        evidence = Evidence(tuple(names[name] for name in late), None, 2, 2, question.horizon_days, (), None)
        reasons = tuple(put_reason(one, names) for one in judge(evidence).reasons)
        return _assemble(snapshot, question, as_asked, None, _Parts(reasons), RandomisedAnswers())
    question = _on_grid(question, scope)
    planned = plan_arms(snapshot, question.by_strategy, question.arms, TRIAL, scope, countries=countries)
    run = Run(replicates, progress, cancelled, 3 if question.modifiers else 2, bootstrap)
    run.check()
    if begin is not None:
        begin()
    randomised = compare_randomised(snapshot, question, days_until(question.horizon_days), scope,
                                    names=_labels(question, snapshot), countries=countries)
    run.check()
    if planned.tables is None:
        # Who was randomised need not be in either arm of what the protocol says.
        code = "CELL_SMALL" if planned.reason == too_few(scope.rules) else "NO_CONTRAST"
        refused = _Parts((plain_reason(code, planned.reason),))
        return _assemble(snapshot, question, as_asked, planned, refused, randomised)
    found = _observe(snapshot, question, planned, scope, run, countries)
    return _assemble(snapshot, question, as_asked, planned, found, randomised, replicates)


def _on_grid(question: WhatIfQuestion, scope: Scope) -> WhatIfQuestion:
    """The question with the horizon that protected curves can be read at."""
    if not scope.is_protected:
        return question
    return replace(question, horizon_days=max(snap_to_grid(question.horizon_days), grid_days(100)[1]))


def days_until(horizon: int) -> tuple[int, ...]:
    """The days of a curve: quarters of a year, and the horizon."""
    return tuple(dict.fromkeys([*(day for day in grid_days(horizon) if 0 < day < horizon), horizon]))


def _labels(question: WhatIfQuestion, snapshot: Snapshot) -> tuple[str, str]:
    return (name_group(snapshot.dictionary, question.strategy, question.reference),
            name_group(snapshot.dictionary, question.strategy, question.compared))


def _observe(snapshot: Snapshot, question: WhatIfQuestion, planned: PlannedArms, scope: Scope, run: Run,
             countries: OneOf | None) -> _Parts:
    """The adjusted comparison of what doctors chose."""
    tables, names = planned.tables, words_for(question, snapshot)
    if tables is None:
        raise ValueError("this plan has no answer")
    both = tables.both
    counts = tables.table.patients
    endpoint = endpoint_named(question.cohort.endpoint)
    clock = _clock(question.cohort.landmark_days, endpoint.time_zero)
    used = tables.only(both) if both else tables.table
    patients = ComparedPatients(OBSERVED, endpoint.name, endpoint.label, clock, count_compared(
        used, _labels(question, snapshot), question.horizon_days), question.horizon_days)
    if not both:
        evidence = Evidence((), None, int((counts >= LEAST_IN_BOTH).sum()), 0, question.horizon_days, (), None)
        reasons = tuple(put_reason(one, names) for one in judge(evidence, as_thresholds(scope)).reasons)
        parts = _Parts(reasons, (patients,))
        if (counts >= LEAST_IN_BOTH).all():
            plain = estimate_plain_curves(used, endpoint.name, days_until(question.horizon_days))
            parts = parts.with_estimates(plain, is_protected=scope.is_protected)
        return parts
    observed = answer_observed(snapshot, question, tables, days_until(question.horizon_days), scope, run)
    parts = _Parts(observed.reasons, (patients,), diagnostics=observed.diagnostics)
    if is_refused(observed.reasons):
        return parts
    parts = parts.with_estimates(*observed.estimates, is_protected=scope.is_protected)
    run.check()
    causes = answer_causes(snapshot, question, observed.strata, days_until(question.horizon_days), scope, run,
                           _labels(question, snapshot), countries=countries)
    apart = Differing() if causes.planned is None else tell_apart(causes.planned, planned, RELAPSE_AND_DEATH)
    parts = replace(parts, patients=(*parts.patients, *causes.patients), reasons=(*parts.reasons, *causes.reasons),
                    not_applied=apart.not_applied, notes=apart.notes).with_estimates(
                        causes.estimated, is_protected=scope.is_protected)
    return replace(parts, effects=observed.compare_levels(question, tables, run, scope, countries))


def _clock(landmark: int, zero: str) -> str:
    return f"day {landmark} after {zero}" if landmark else zero


def _assemble(snapshot: Snapshot, question: WhatIfQuestion, as_asked: WhatIfQuestion, planned: PlannedArms | None,
              parts: _Parts, randomised: RandomisedAnswers, replicates: int = 0) -> WhatIfResult:
    dictionary, readable = snapshot.dictionary, randomised.readable
    refused = is_refused(parts.reasons)
    if readable:
        parts = replace(parts, reasons=(*parts.reasons, *_of_chance(parts, randomised, question, snapshot)))
    status = Status.AMBER if parts.reasons else Status.ANSWERED
    if refused and not readable:
        status = Status.REFUSED
    primary = None if refused else Method.STANDARDISED
    if readable:
        primary = Method.RANDOMISED if len(readable) == 1 else None
    by_chance = [one for part in randomised.found for one in _tell_apart(part, planned)]
    notes = [*(planned.notes if planned else ()), *_notes(question, as_asked, snapshot, by_chance=bool(readable)),
             *parts.notes, *_tell_randomised(randomised), *(note for one in by_chance for note in one.notes)]
    behind = sorted(randomised.found, key=lambda one: not one.readable)
    parts = replace(parts, patients=(*parts.patients, *(one for part in behind for one in part.patients)))
    parts = parts.with_estimates(*(one.estimated for one in readable), is_protected=True)
    if refused and readable:
        notes.append("The answer is that of randomisation alone; an adjusted comparison of all patients is refused for "
                     "the reasons given.")
    tables = planned.tables if planned else None
    trials = {} if RANDOMISED_ARM not in dictionary or not randomised.found else find_randomised_strata(
        snapshot, replace(question.by_strategy, by=RANDOMISED_ARM), question.strategy, TRIAL, question.arms)
    return WhatIfResult(
        question, write_title(question, dictionary), snapshot.snapshot, snapshot.synthetic, status, parts.reasons,
        describe_estimand(question, dictionary, by_chance=bool(readable)),
        ((question.reference, _labels(question, snapshot)[0]), (question.compared, _labels(question, snapshot)[1])),
        () if tables is None else allocate(tables, trials),
        any(one.code == "BETWEEN_PROTOCOL" and one.severity == "refused" for one in parts.reasons) and not readable,
        primary, parts.patients, parts.curves, parts.contrasts, (), parts.effects, parts.diagnostics,
        find_anchors(question),
        (*(planned.not_applied if planned else ()), *parts.not_applied,
         *(one for part in by_chance for one in part.not_applied)), tuple(dict.fromkeys(notes)), "", "",
        replicates, parts.methods)


def _of_chance(parts: _Parts, randomised: RandomisedAnswers, question: WhatIfQuestion, snapshot: Snapshot,
               ) -> tuple[WhatIfReason, ...]:
    """Reasons for caution about what was randomised, and where it says something else than the adjusted comparison."""
    names, pairs = words_for(question, snapshot), []
    adjusted = {(one.measure, one.outcome): one for one in parts.contrasts if one.method is Method.STANDARDISED}
    labels = {one.outcome: one.label for part in randomised.readable for one in part.patients}
    for part in randomised.readable:
        for one in part.estimated.contrasts:
            other = adjusted.get((one.measure, one.outcome))
            ends = _interval(one), None if other is None else _interval(other)
            if ends[0] is not None and ends[1] is not None:
                pairs.append(ByChance(f"{labels[one.outcome]}, {part.name}", ends[0], ends[1]))
    apart = judge(Evidence((), None, 2, 2, question.horizon_days, (), None, by_chance=tuple(pairs))).reasons
    small = [reason for part in randomised.readable for reason in part.reasons]
    return (*small, *(put_reason(reason, names) for reason in apart))


def _tell_apart(found: RandomisedComparison, planned: PlannedArms | None) -> tuple[Differing, ...]:
    """In what a randomised comparison answers another question than the adjusted one, and its outcomes than itself."""
    of_main = tell_apart(found.planned, planned, found.name)
    if found.by_cause is None:
        return (of_main,)
    name = f"{found.name}, {RELAPSE_AND_DEATH[0].lower()}{RELAPSE_AND_DEATH[1:]}"
    return of_main, tell_apart(found.by_cause, found.planned, name)


def _interval(one: Contrast) -> Interval95 | None:
    return None if one.lower is None or one.upper is None else Interval95(one.estimate, one.lower, one.upper)


def _tell_randomised(randomised: RandomisedAnswers) -> list[str]:
    start = "whose clock starts for each patient on the day of randomisation; its horizon is counted from there"
    notes = [*randomised.notes, *([SEVERAL] if len(randomised.readable) > 1 else [])]
    for one in randomised.found:
        if not one.readable:
            notes.append(f"There is a randomised comparison ({one.name}), but too small or too short to be read.")
        elif len(randomised.readable) == 1:
            notes.append(f"The answer is that of the randomised comparison ({one.name}), {start}.")
    return notes


def _notes(question: WhatIfQuestion, as_asked: WhatIfQuestion, snapshot: Snapshot, *, by_chance: bool) -> list[str]:
    """What a reader must know first: a moved clock, a moved horizon, definitions that are not verified.

    Parameters
    ----------
    by_chance : whether a randomised comparison, whose clock is another one, is the answer.
    """
    dictionary, cohort = snapshot.dictionary, question.cohort
    notes = []
    if cohort.landmark_days > as_asked.cohort.landmark_days:
        zero = endpoint_named(cohort.endpoint).time_zero
        clock = "The clock of the adjusted comparison" if by_chance else "The clock"
        notes.append(f"{clock} starts on day {cohort.landmark_days} after {zero}, when "
                     "strategy and everything adjusted for are known. Patients with an event or last contact by "
                     "that day are not counted.")
    if question.horizon_days != as_asked.horizon_days:
        notes.append(f"The answer is given for day {question.horizon_days}, the nearest day on which protected curves "
                     "are read.")
    notes.append("Trials that used one strategy only are shown and stand behind no estimate.")
    if not essential_confounders(cohort, dictionary):
        notes.append("The dictionary names nothing that a comparison of these patients cannot do without, so nobody "
                     "checked that what decides about treatment is recorded.")
    unverified = [dictionary[name].label for name in question.read_variables if not dictionary[name].verified]
    if unverified:
        notes.append(f"Definition not yet verified against its publication: {', '.join(unverified)}.")
    return notes
