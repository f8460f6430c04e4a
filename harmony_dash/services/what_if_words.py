"""The estimand of a treatment comparison in words, before any number."""

from __future__ import annotations

from harmony_dash.cohort.describe import describe_filter
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.what_if_question import TRIAL, WhatIfQuestion
from harmony_dash.dictionary.model import Dictionary, TimePoint, Variable
from harmony_dash.disclosure.precision import name_years

_GIVEN = {"yes": "with", "no": "without"}
BY_CHANCE = ("those of these patients who were randomised between the strategies, each from the day of randomisation "
             "on; beneath it stands the comparison of what doctors chose, as follows")


def describe_estimand(question: WhatIfQuestion, dictionary: Dictionary, *, by_chance: bool,
                      ) -> tuple[tuple[str, str], ...]:
    """(heading, words) pairs: who, which strategies, from when on, what, compared how, adjusted for what, until when.

    The items of a target trial (Hernan, Robins, Am J Epidemiol 183 (2016) 758-764).

    Parameters
    ----------
    by_chance : whether a randomised comparison is the answer, or several are; the adjusted one then stands beneath.
    """
    cohort, endpoint = question.cohort, endpoint_named(question.cohort.endpoint)
    disease = dictionary.diseases[cohort.disease]
    filters = "; ".join(describe_filter(item, dictionary) for item in cohort.where)
    strategy, trial = dictionary[question.strategy], dictionary[TRIAL]
    within = _lower(trial.label)
    if question.strata != TRIAL:
        within += f" and {_lower(dictionary[question.strata].label)}"
    compared, reference = (name_arm(strategy, arm) for arm in (question.compared, question.reference))
    landmark = cohort.landmark_days
    start = f"day {landmark} after {endpoint.time_zero}" if landmark else f"the day of {endpoint.time_zero}"
    why = _why_then(question, dictionary)
    adjusted = ", ".join(dictionary[name].label for name in question.adjust)
    modified = ", ".join(dictionary[name].label for name in question.modifiers)
    return (
        *((("By chance", BY_CHANCE),) if by_chance else ()),
        ("Population", f"patients with {disease.adjective or disease.label}{f'; {filters}' if filters else ''}, "
                       f"without an event by the day the clock starts, in a {_lower(trial.label)} that used both "
                       "strategies"),
        ("Strategies", f"{_against(strategy, compared, reference)}, as labelled by the protocol"
                       f"{'' if strategy.measured is not TimePoint.LATER else ', by what had happened by that day'}"),
        ("Time zero", f"{start}{why}"),
        ("Outcome", f"{_lower(endpoint.label)}; always beside it relapse, and death in remission"),
        ("Contrast", f"difference of the share free of the event and of the mean time free of it, {compared} minus "
                     f"{reference}, had all of these patients been treated the one way or the other"),
        ("Adjusted for", f"{adjusted}, within each {within}"
                         f"{f'; the effect may differ by {modified}' if modified else ''}"),
        ("Horizon", f"{name_years(question.horizon_days)} after time zero"))


def write_title(question: WhatIfQuestion, dictionary: Dictionary) -> str:
    """The question in one line."""
    strategy, endpoint = dictionary[question.strategy], endpoint_named(question.cohort.endpoint)
    disease = dictionary.diseases[question.cohort.disease]
    filters = "".join(f", {describe_filter(item, dictionary)}" for item in question.cohort.where)
    compared, reference = (name_arm(strategy, arm) for arm in (question.compared, question.reference))
    label = _lower(strategy.label) if _is_given_or_not(strategy) else f"({_lower(strategy.label)})"
    return (f"What if: {compared} instead of {reference} {label}, {_lower(endpoint.label)} of patients with "
            f"{disease.adjective or disease.label}{filters}")


def name_arm(strategy: Variable, arm: str) -> str:
    """An arm in words; a treatment that is given or not is "with" or "without" it."""
    return _GIVEN.get(arm, strategy.label_of(arm)) if _is_given_or_not(strategy) else strategy.label_of(arm)


def _is_given_or_not(strategy: Variable) -> bool:
    return set(_GIVEN) <= set(strategy.values)


def _against(strategy: Variable, compared: str, reference: str) -> str:
    label = _lower(strategy.label)
    if _is_given_or_not(strategy):
        return f"{compared} against {reference} {label}"
    return f"{label}: {compared} against {reference}"


def _why_then(question: WhatIfQuestion, dictionary: Dictionary) -> str:
    late = [dictionary[name].label for name in question.read_variables
            if dictionary[name].measured is not TimePoint.BASELINE]
    return f": {', '.join(late)} are known by then" if late and question.cohort.landmark_days else ""


def _lower(text: str) -> str:
    first = text.split(" ")[0]
    return text if any(letter.isupper() or letter.isdigit() for letter in first[1:]) else text[0].lower() + text[1:]
