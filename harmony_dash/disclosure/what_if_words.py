"""What is worked out of a comparison of treatments once it may be shown: numbers needed, the E-value, the words.

Everything here is made from what is shown, so it says no more than that. It never says what should be done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.subgroup_question import FIVE_YEARS
from harmony_dash.disclosure.points import format_points, format_points_limits
from harmony_dash.disclosure.precision import format_percent, name_years
from harmony_dash.disclosure.released import Scope
from harmony_dash.disclosure.what_if_diagnostics import EValueShown
from harmony_dash.disclosure.what_if_results import (
    OBSERVED,
    Contrast,
    Measure,
    Method,
    NeededNumber,
    Status,
    WhatIfReason,
    WhatIfResult,
)
from harmony_dash.errors import StatisticsError
from harmony_dash.stats.e_value import explain_risk_ratio
from harmony_dash.stats.number_needed import number_needed

NOT_FOR_DECISIONS: Final = "Research use, cohort exploration; not for decisions about an individual."
# Most relapses of the types with a good prognosis, ETV6::RUNX1 above all, come after the first years.
LATE_RELAPSES: Final = ("Late relapses are not seen before five years, least of all those of types with a good "
                        "prognosis: a difference between treatments may look smaller here than it is.")
# One patient in more than that is no difference that anybody could act on.
MOST_NEEDED: Final = 1000
_SMALLEST_RISK: Final = 1e-3
_MOST_NAMED: Final = 3
_CURVE: Final = " (curve "  # what a column of a spline is called after its variable
_IMBALANCE: Final = 0.1
_COUNTS: Final = {"too few patients": "patients", "too few events": "events by the horizon",
                  "too few patients still at risk on the day": "patients still at risk at the horizon"}


def complete_what_if(result: WhatIfResult, scope: Scope, describe_protection: Callable[[Scope], str]) -> WhatIfResult:
    """The result with numbers needed, E-value and words."""
    primary = result.primary
    needed = tuple(filter(None, (_need(one, result) for one in result.contrasts if one.method is primary)))
    result = replace(result, needed=needed, reasons=tuple(_put_reason(one) for one in result.reasons),
                     diagnostics=replace(result.diagnostics, e_value=_e_value(result)))
    return replace(result, methods=_write_methods(result, scope, describe_protection), summary=_write_summary(result))


def _put_reason(one: WhatIfReason) -> WhatIfReason:
    """A refusal by numbers says the limit, which tells no more than the refusal itself."""
    if one.code == "CELL_SMALL" and one.threshold is not None and one.message in _COUNTS:
        return replace(one, message=f"fewer than {one.threshold:g} {_COUNTS[one.message]} in the arm {one.where}")
    return replace(one, message=f"{one.message} ({one.where})" if one.where else one.message)


def _need(one: Contrast, result: WhatIfResult) -> NeededNumber | None:
    """A number needed of a difference of probabilities with an interval; in words alone where it tells nothing."""
    if one.measure is Measure.RESTRICTED_MEAN or one.lower is None or one.upper is None:
        return None
    survival = one.measure is Measure.SURVIVAL
    found = number_needed(one.estimate, min(one.lower, one.estimate), max(one.upper, one.estimate),
                          more_is_better=survival)
    words = {patients.outcome: patients.label for patients in result.patients}
    event = "event" if survival and result.question.cohort.endpoint != "os" else words[one.outcome].lower()
    event = "death" if survival and result.question.cohort.endpoint == "os" else event
    reference, compared = (name for _, name in result.arms)
    best, worst = (_end(*end) for end in (found.best, found.worst))
    strategies, by = f"treated {compared} instead of {reference}", f"by {name_years(one.days)}"
    side = "fewer" if found.benefit else "extra"
    if one.lower <= 0 <= one.upper:
        # the number would come from infinity, and says how little is known
        ends = f"{best} to no difference to {worst}" if found.through_infinity else f"{best} to {worst}"
        what = f"{event}s" if event in ("event", "death") else event
        text = (f"no clear difference in {what} {by} with {compared} instead of {reference} treatment "
                f"(95 % interval: {ends} patients)")
        return NeededNumber(one.method, one.outcome, None, text)
    if found.number > MOST_NEEDED:
        text = f"less than 1 {side} {event} for every {MOST_NEEDED:,} patients {strategies} {by}"
        return NeededNumber(one.method, one.outcome, None, text)
    text = (f"1 {side} {event} for every {_whole(found.number)} patients {strategies} {by} "
            f"(95 % interval: {best} to {worst})")
    return NeededNumber(one.method, one.outcome, found.number, text)


def _end(number: float, benefit: bool) -> str:
    if number > MOST_NEEDED:
        return "no difference" if number == float("inf") else (
            f"less than 1 {'fewer' if benefit else 'extra'} for every {MOST_NEEDED:,}")
    return f"1 {'fewer' if benefit else 'extra'} for every {_whole(number)}"


def _whole(number: float) -> str:
    return f"{max(1, round(number)):,}"


def _e_value(result: WhatIfResult) -> EValueShown | None:
    """Of the risk ratio at the horizon by method A, from the curves and the difference as they are shown."""
    endpoint = result.question.cohort.endpoint
    difference = next((one for one in result.contrasts if one.method is Method.STANDARDISED
                       and one.measure is Measure.SURVIVAL), None)
    curve = next((one.curve for one in result.curves if one.method is Method.STANDARDISED and one.outcome == endpoint
                  and one.arm == result.question.reference), None)
    if difference is None or curve is None or difference.lower is None or difference.upper is None:
        return None
    risk = 1 - float(curve.estimate[-1])
    if risk <= _SMALLEST_RISK:
        return None
    estimate, low, high = (max(_SMALLEST_RISK, risk - value) / risk for value in (
        difference.estimate, difference.upper, difference.lower))
    try:
        found = explain_risk_ratio(estimate, min(low, estimate), max(high, estimate))
    except StatisticsError:
        return None
    return EValueShown(round(found.risk_ratio, 2), round(found.estimate, 2), round(found.limit, 2))


def find_contrast(result: WhatIfResult, method: Method | None, outcome: str = "") -> Contrast | None:
    """The difference at the horizon of a method; of the endpoint by default."""
    wanted = outcome or result.question.cohort.endpoint
    return next((one for one in result.contrasts if one.method is method and one.outcome == wanted
                 and one.measure is not Measure.RESTRICTED_MEAN), None)


def _points(one: Contrast) -> str:
    """A difference in percentage points with its interval."""
    text = f"{format_points(one.estimate)} points"
    if one.lower is None or one.upper is None:
        return text
    return f"{text} (95 % interval {format_points_limits(one.lower, one.upper)})"


def _write_summary(result: WhatIfResult) -> str:
    """What is seen, how sure, and what a plain comparison would have said."""
    reference, compared = (name for _, name in result.arms)
    if result.status is Status.REFUSED:
        first = next(one for one in result.reasons if one.severity == "refused")
        text = f"These data do not carry an answer: {first.message}."
        if result.between_protocol:
            text += " What is drawn compares protocols with one another, not treatments."
        return f"{text} {NOT_FOR_DECISIONS}"
    main = find_contrast(result, result.primary)
    if main is None and any(one.method is Method.RANDOMISED for one in result.contrasts):
        return f"{_tell_each(result)} {NOT_FOR_DECISIONS}"
    if main is None:
        return f"The data carry the comparison, but too few patients stand behind it to show it. {NOT_FOR_DECISIONS}"
    endpoint = endpoint_named(result.question.cohort.endpoint)
    how = ("as randomised" if result.primary is Method.RANDOMISED else
           "had all of these patients been treated the one way or the other, if nothing that decided about treatment "
           "is missing from what is adjusted for")
    parts = [f"{endpoint.label} at {name_years(main.days)} with {compared} minus {reference} treatment: "
             f"{_points(main)}, {how}."]
    if main.lower is not None and main.upper is not None and main.lower <= 0 <= main.upper:
        parts.append("The interval holds no difference: the data neither show one nor exclude one within it.")
    parts += [f"{one.text[0].upper()}{one.text[1:]}." for one in result.needed if one.outcome != endpoint.name]
    parts += [f"{one.label[0].upper()}{one.label[1:]}: not shown, {one.reason}." for one in result.patients
              if one.reason and one.population == main.population]
    parts += tell_plain(result, main)
    parts += filter(None, [tell_horizon(result)])
    amber = [one.message for one in result.reasons if one.severity == "amber"]
    if amber:
        parts.append(f"Read with caution: {'; '.join(dict.fromkeys(amber))}.")
    return " ".join([*parts, NOT_FOR_DECISIONS])


def _tell_each(result: WhatIfResult) -> str:
    """Several randomisations, each with its own difference and no common one."""
    endpoint = endpoint_named(result.question.cohort.endpoint)
    found = [one for one in result.contrasts
             if (one.method, one.outcome) == (Method.RANDOMISED, endpoint.name)]
    each = "; ".join(f"{one.randomisation}: {_points(one)}" for one in found)
    reference, compared = (name for _, name in result.arms)
    text = (f"{endpoint.label} at {name_years(result.question.horizon_days)} with {compared} minus {reference} "
            f"treatment, as randomised: {each}. These are different comparisons in different patients, with no common "
            "answer.")
    return " ".join(filter(None, [text, tell_horizon(result)]))


def tell_horizon(result: WhatIfResult) -> str:
    """The caution that goes with an answer for less than five years of leukaemia; empty for later ones."""
    return LATE_RELAPSES if result.question.horizon_days < FIVE_YEARS else ""


def tell_plain(result: WhatIfResult, main: Contrast) -> list[str]:
    """How far a plain comparison is from the answer, and in what the arms differ."""
    plain = find_contrast(result, Method.PLAIN)
    if plain is None:
        return []
    apart = sorted((one for one in result.diagnostics.balance
                    if abs(one.before) >= _IMBALANCE and not one.is_stratum), key=lambda one: -abs(one.before))
    # A number and its curve are one thing to a reader.
    differ = list(dict.fromkeys(one.name.partition(_CURVE)[0] for one in apart))[:_MOST_NAMED]
    # The same patients, adjusted: those of a randomised comparison are others.
    adjusted = find_contrast(result, Method.STANDARDISED) or main
    text = f"A plain comparison would have said {format_points(plain.estimate)} points"
    if _excludes_none(plain) and _excludes_none(adjusted) and plain.estimate * adjusted.estimate < 0:
        text += ", the opposite sign" if adjusted is main else (
            f", the opposite sign of the adjusted {format_points(adjusted.estimate)}")
    if differ:
        text += (": the arms were not alike from the start and differed most in "
                 f"{', '.join(differ)}")
    return [f"{text}."]


def _excludes_none(one: Contrast) -> bool:
    """Whether the interval leaves no difference out."""
    return one.lower is not None and one.upper is not None and not one.lower <= 0 <= one.upper


def _missing(share: float | None) -> str:
    return "few or nearly all" if share is None else format_percent(share)


def _write_methods(result: WhatIfResult, scope: Scope, describe_protection: Callable[[Scope], str]) -> str:
    question = result.question
    endpoint = endpoint_named(question.cohort.endpoint)
    parts = [f"{endpoint.label}: {endpoint.definition.rstrip('.')}", *result.methods_used]
    observed = next((one for one in result.patients if one.population == OBSERVED and one.outcome == endpoint.name),
                    None)
    if observed is not None:
        parts += [f"{arm.name}: n = {arm.n:,}, {arm.events:,} events" for arm in observed.arms
                  if arm.n is not None and arm.events is not None]
    if result.diagnostics.weights == "overlap":
        parts.append("C weighs by overlap, because few patients could have been in either arm, and so answers for "
                     "those who could")
    if any(one.share != 0 for one in result.diagnostics.missing):
        parts.append("missing values: " + ", ".join(
            f"{one.label} {_missing(one.share)} ({one.method})" for one in result.diagnostics.missing
            if one.share != 0))
    if scope.is_protected:
        rules = scope.rules
        parts.append(f"{describe_protection(scope)}; curves and differences of arms with {rules.minimum_patients} "
                     f"patients and {rules.minimum_events} events, in steps of about {rules.patients_per_step} "
                     "patients, differences of the smaller one; limits rounded outward; diagnostics as coarse, and "
                     "nothing of what few have")
    else:
        parts.append(f"exact numbers, grant {scope.grant}" if scope.grant else "exact numbers")
    if result.synthetic:
        parts.append("synthetic data")
    return "; ".join([*parts, f"snapshot {result.snapshot}", f"question {question.fingerprint}"]) + "."
