"""Words around a result, written from what may be shown and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from harmony_dash.cohort.endpoints import Endpoint, endpoint_named
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.description_results import OutcomeMap, TableOne
from harmony_dash.disclosure.description_words import complete_outcome_map, complete_table_one
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.headline import counts_failures, headline_estimates
from harmony_dash.disclosure.policy import DAYS_PER_YEAR, RULES, Level
from harmony_dash.disclosure.precision import Precision, format_limits, format_percent, precision_of
from harmony_dash.disclosure.protect_flow import ANY_OTHER_REASON
from harmony_dash.disclosure.quality_results import QualityResult
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.results import EstimateAt, GroupResult, RiskTable, SurvivalResult
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.disclosure.subgroup_words import LEVEL_OF_PROPORTIONALITY, complete_subgroups
from harmony_dash.disclosure.what_if_results import WhatIfResult
from harmony_dash.disclosure.what_if_words import complete_what_if

# Where a title says how many patients; filled in once the number may be shown.
COUNT_IN_TITLE = "{n}"
_SMALLEST_P = RULES[Level.PROTECTED].smallest_p
# No verdict on fewer events, at any level.
FEWEST_EVENTS = 20
LEVEL_OF_TESTS = 0.05

# What a mapping of counts, an unadjusted comparison and a registry cannot say, in one sentence.
CAVEAT = ("Patients were not allocated to these groups at random, and treatment may differ between them, so this does "
          "not say what another treatment would have done.")

HIDDEN = "hidden"
NOTHING = "–"  # a value that does not exist

RANDOMISED = ("Arms were allocated at random within each randomised comparison: read them within one comparison, from "
              "the day of randomisation, and without filters on what happened afterwards.")


def format_count(n: int | None, minimum: int = 10) -> str:
    """A count that is hidden only if it is small: with thousands separators, or "<10"."""
    return f"<{minimum}" if n is None else f"{n:,}"


def format_part(n: int | None) -> str:
    """A count that may be hidden although it is large, because it would give a small one away."""
    return HIDDEN if n is None else f"{n:,}"


def format_at_risk(table: RiskTable, place: int, minimum: int) -> str:
    """The patients at risk in one column of a risk table; hidden ones are few."""
    return format_count(table.at_risk[place], minimum)


def format_so_far(table: RiskTable, counts: tuple[int | None, ...], place: int, minimum: int) -> str:
    """Events or censorings so far: few where hidden beside a number at risk, and not told where too few are at risk."""
    if counts[place] is None and table.at_risk[place] is None:
        return NOTHING
    return format_count(counts[place], minimum)


def format_p(p: float) -> str:
    """A p-value as journals print it: never zero.

    Protected ones stop at 0.001, which stands for less; an exact one has too many digits ever to be that very number.
    """
    if p < 0.0001:
        return "<0.0001"
    if p <= _SMALLEST_P:
        return "<0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def format_years(days: float) -> str:
    """Days as years with one decimal."""
    return f"{days / DAYS_PER_YEAR:.1f} years"


def describe_protection(scope: Scope) -> str:
    """How counts were protected, in one clause with the level and its threshold."""
    rules = scope.rules
    return (f"{scope.level} (k = {rules.minimum_cell}): counts are rounded to {rules.rounding_base} each by itself, so "
            f"that they may not add up, and hidden under {rules.minimum_cell}")


def put_into_words(result: Any, scope: Scope) -> Any:
    """The result with its texts, written after suppression so that they cannot say what the figures may not."""
    match result:
        case SurvivalResult():
            return _describe_survival(result, scope)
        case SubgroupsResult():
            completed = replace(result, cohort=_describe_survival(result.cohort, scope))
            return complete_subgroups(completed, scope, describe_protection, caveat=CAVEAT, randomised=RANDOMISED)
        case WhatIfResult():
            return complete_what_if(result, scope, describe_protection)
        case TableOne():
            return complete_table_one(result, scope, describe_protection)
        case OutcomeMap():
            return complete_outcome_map(result, scope, describe_protection)
        case CoverageResult() | QualityResult() | FeasibilityResult() if scope.is_protected:
            words = describe_protection(scope)
            return replace(result, methods=f"{result.methods} {words[0].upper()}{words[1:]}.")
    return result


def _describe_survival(result: SurvivalResult, scope: Scope) -> SurvivalResult:
    if not scope.is_protected:
        result = replace(result, events=sum(group.events or 0 for group in result.groups))
    title = result.title.replace(f"{COUNT_IN_TITLE} ", f"{result.n:,} " if result.groups else "")
    return replace(result, title=title, methods=write_methods(result, scope), summary=write_summary(result, scope))


def write_methods(result: SurvivalResult, scope: Scope) -> str:
    """The methods line: n, events, follow-up, interval, ties, strata, exclusions, protection, snapshot, question."""
    question, endpoint = result.question, endpoint_named(result.question.endpoint)
    total = result.events
    parts = [f"{endpoint.label}: {endpoint.definition.rstrip('.')}"]
    # Where nothing is shown, 0 would be a claim about patients who may only be hidden.
    parts += [f"n = {result.n:,}", "number of events hidden" if total is None else f"{total:,} events"] if (
        result.groups) else ["no group shown"]
    follow_up = [f"{group.name} {format_years(group.follow_up_median_days)}" if len(result.groups) > 1
                 else format_years(group.follow_up_median_days)
                 for group in result.groups if group.follow_up_median_days is not None]
    if follow_up:
        parts.append(f"median follow-up (reverse Kaplan–Meier) {', '.join(follow_up)}")
    estimator = "Aalen–Johansen cumulative incidence; freedom from every cause by Kaplan–Meier" if (
        endpoint.competing) else "Kaplan–Meier (Greenwood)"
    parts.append(f"{estimator}, 95 % {result.interval} confidence intervals, events before censorings on the same day")
    if result.log_rank is not None or result.gray:
        within = f" stratified by {question.strata} (not recorded is a stratum of its own)" if question.strata else ""
        parts.append(("Gray's test" if result.gray else "log-rank test") + within)
    if result.reference:
        parts.append(_describe_ratios(result, endpoint))
    if 0 < len(result.compared) < len(result.groups):
        parts.append(f"tests compare {', '.join(result.compared)}")
    if question.landmark_days:
        parts.append(f"landmark day {question.landmark_days}: the clock restarts on it")
    if question.horizon_days:
        parts.append(f"shown to day {question.horizon_days}, tests on all follow-up")
    parts.append(f"excluded: {_describe_exclusions(result, scope)}")
    parts += _describe_unapplied(result)
    if differing_groups(result):
        parts.append("the flow is that of the cohort")
    reasons = Counter(group.reason for group in result.withheld)
    parts += [f"{n} group{'s' if n > 1 else ''} withheld ({reason})" for reason, n in reasons.items()]
    if scope.is_protected:
        parts.append(f"{describe_protection(scope)}; curves are read every quarter and rounded to about "
                     f"{scope.rules.patients_per_step} patients, to {scope.rules.minimum_at_risk} at risk")
    else:
        parts.append(f"exact numbers, grant {scope.grant}" if scope.grant else "exact numbers")
    if result.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, f"snapshot {result.snapshot}", f"question {question.fingerprint}"]) + "."


def _describe_ratios(result: SurvivalResult, endpoint: Endpoint) -> str:
    """How hazard ratios came about, and whether they change with time."""
    strata = result.question.strata
    within = f" stratified by {strata} (not recorded is a stratum of its own)" if strata else ""
    kind = "cause-specific hazard ratios" if endpoint.competing else "hazard ratios"
    words = f"{kind} against {result.reference} by a Cox model{within}, Efron ties, 95 % Wald intervals, all follow-up"
    if result.over_time is not None:
        words += f", {result.over_time.label} {_equals(result.over_time.p)}"
    return words


def _equals(p: float) -> str:
    """A p-value after its letter: "p = 0.02", "p <0.001"."""
    words = format_p(p)
    return f"p {words if words.startswith('<') else f'= {words}'}"


def _describe_exclusions(result: SurvivalResult, scope: Scope) -> str:
    """The reasons with their numbers. What is hidden is not none: of small ones that is said in one for all."""
    told = [f"{exclusion.reason} {format_part(exclusion.n)}" for exclusion in result.exclusions
            if exclusion.reason != ANY_OTHER_REASON]
    if len(told) == len(result.exclusions):
        return "; ".join(told) or "none"
    few = f"fewer than {scope.rules.minimum_cell}"
    return "; ".join([*told, f"other reasons: {few} each"]) if told else f"{few} for any reason"


def _describe_unapplied(result: SurvivalResult) -> list[str]:
    """For each kind of difference between question and answer what is concerned, and in which groups."""
    found: dict[str, list[str]] = {}
    for one in result.not_applied:
        where = f" (in {', '.join(one.groups)})" if one.groups else ""
        found.setdefault(one.kind, []).append(f"{one.words}{where}")
    return [f"{kind}: {', '.join(words)}" for kind, words in found.items()]


def differing_groups(result: SurvivalResult) -> tuple[str, ...]:
    """The drawn groups that answer another question than the cohort."""
    named = {*result.differing, *(name for one in result.not_applied for name in one.groups)}
    return tuple(group.name for group in result.groups if group.name in named)


def write_summary(result: SurvivalResult, scope: Scope) -> str:
    """What is seen, how sure, and what it does not mean, in two or three sentences."""
    if not result.groups:
        return "No group of this cohort is large enough to be shown."
    endpoint = endpoint_named(result.question.endpoint)
    readings = _readings(result)
    if not readings:
        if any(group.curve.days[0] > 0 for group in result.groups):
            return "Observation begins too late, or ends too early, to give an estimate at the chosen times."
        return "Follow-up is too short to give an estimate at the chosen times."
    day = readings[0][1].days
    what = endpoint.label[0].lower() + endpoint.label[1:]
    estimates = [_interval(at, precision_of(group.n, scope), endpoint) for group, at in readings]
    words = [f"{estimate} in {group.name}" for estimate, (group, _) in zip(estimates, readings, strict=True)] if (
        len(result.groups) > 1) else estimates
    found = {group.name for group, _ in readings}
    missing = [group.name for group in result.groups if group.name not in found]
    text = f"{_time(day)[0].upper()}{_time(day)[1:]} {_clock(result)}, {what} was {_join(words)}."
    if missing:
        text += f" Too few patients are followed that long to say so for {_join(missing)}."
    text += _describe_different_questions(result)
    test = next((gray for gray in result.gray if gray.cause == endpoint.causes[0]), result.log_rank)
    if len(result.groups) > 1 and test is not None and test.events >= FEWEST_EVENTS:
        # The verdict is on the number that is printed.
        p = format_p(test.p)
        verdict = ("differ by more than chance alone would readily explain" if float(p.lstrip("<")) < LEVEL_OF_TESTS
                   else "do not differ by more than chance could explain, which is not proof that they are equal")
        whose = (f"Of the groups, {_join(list(result.compared))}" if 0 < len(result.compared) < len(result.groups)
                 else "The groups")
        text += f" {whose} {verdict} ({test.label}, {_equals(test.p)})."
        text += " The p-value is not adjusted for other comparisons and uses all follow-up."
    if len(result.groups) == 1:
        return text
    if result.over_time is not None and result.over_time.p < LEVEL_OF_PROPORTIONALITY:
        text += (f" Hazards are not proportional ({result.over_time.label}, {_equals(result.over_time.p)}): hazard "
                 "ratios change over time and are an average of it, so read the curves.")
    return f"{text} {RANDOMISED if result.question.by == 'rand_arm' else CAVEAT}"


def _describe_different_questions(result: SurvivalResult) -> str:
    """Which groups answer another question than the cohort, and that no test compares them where none does."""
    differing = list(differing_groups(result))
    text = f" {_join(differing)} {'answers' if len(differing) == 1 else 'answer'} a slightly different question." if (
        differing) else ""
    if len(result.groups) > 1 and result.not_applied and not result.compared:
        text += " No test: the groups answer different questions."
    return text


def _readings(result: SurvivalResult) -> list[tuple[GroupResult, EstimateAt]]:
    """Each group's estimate at the latest of the chosen days that at least half of the groups reach."""
    endpoint = endpoint_named(result.question.endpoint)
    series = [(group, headline_estimates(group, endpoint)) for group in result.groups]
    days = [at.days for at in series[0][1]]
    for needed in (len(series) / 2, 1):
        for day in sorted(days, reverse=True):
            reached = [(group, at) for group, ats in series for at in ats
                     if at.days == day and at.estimate is not None]
            if len(reached) >= needed:
                return reached
    return []


def _interval(at: EstimateAt, precision: Precision, endpoint: Endpoint) -> str:
    if at.estimate is None:
        return "not estimable"
    if at.lower is None or at.upper is None:
        estimate = format_percent(at.estimate, precision)
        untouched = at.estimate == (0.0 if counts_failures(endpoint) else 1.0)
        return f"{estimate} ({'no event, so no interval' if untouched else 'no interval'})"
    return f"{format_percent(at.estimate, precision)} (95 % CI {format_limits(at.lower, at.upper, precision)})"


def _clock(result: SurvivalResult) -> str:
    """Since when, e.g. "after day 42 from diagnosis, among patients followed beyond it"."""
    question = result.question
    zero = endpoint_named(question.endpoint).time_zero
    if not question.landmark_days:
        return f"after {zero}"
    return f"after day {question.landmark_days} from {zero}, among patients followed beyond that day without the event"


def _time(day: int) -> str:
    years = day / DAYS_PER_YEAR
    whole = round(years)
    if whole >= 1 and abs(years - whole) < 0.01:
        return "1 year" if whole == 1 else f"{whole} years"
    return f"day {day}"


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
