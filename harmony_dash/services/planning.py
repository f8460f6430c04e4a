"""What to expect of a planned question: an assumption, where it starts, and how far it carries, in numbers and words.

No outcome of the data enters: expectations come from the released number of patients, published figures, the median
follow-up of all patients or of those of the periods asked for, and the calendar.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from harmony_dash.charts.numbers import name_time
from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Not, OneOf, variables_of
from harmony_dash.cohort.published import Ages, Published, published_share
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure import Released
from harmony_dash.disclosure.feasibility_results import FeasibilityResult
from harmony_dash.disclosure.headline import counts_failures
from harmony_dash.disclosure.selections import close_filters
from harmony_dash.services.survival_notes import ages_asked
from harmony_dash.stats.planning import Expectation, expect_at_horizon
from harmony_dash.store.reader import Snapshot

UNKNOWN_SHARE: Final = 0.5
_AGE, _INFANT, _PERIOD = ("age_group", "age_dx_years"), "<1", "dx_period"
_YEARS = re.compile(r"^(?P<before>before-)?(?:(?P<first>\d{4})-)?(?P<last>\d{4})$")


def plan_precision(released: Released[FeasibilityResult], share: float) -> Expectation | None:
    """What to expect at the horizon, from the released number of patients and an assumed share.

    Parameters
    ----------
    share : of patients at the horizon; of those with the event for endpoints that count failures.

    Returns
    -------
    None without a number of patients, for a share of 0 or 1, and where follow-up cannot reach the horizon.
    """
    result = released.value
    survival = 1 - share if counts_failures(endpoint_named(result.question.endpoint)) else share
    if not result.n or not 0 < survival < 1 or result.too_short:
        return None
    return expect_at_horizon(result.n, survival, result.question.horizon_days or 1826, result.follow_up_median_days)


def explain_short_follow_up(question: Question, snapshot: Snapshot) -> str:
    """Why follow-up cannot reach the horizon, empty where it can as far as the calendar tells.

    The last diagnosed of the periods asked for would have to be followed beyond the day of the snapshot.
    """
    horizon, made = question.horizon_days, date.fromisoformat(snapshot.created[:10])
    year = max((last for _, last in _years_of_diagnosis(question, snapshot)), default=None)
    if year is None or horizon is None or date(year, 12, 31) + timedelta(days=horizon) <= made:
        return ""
    return (f"No expectation is given: patients diagnosed up to the end of {year} cannot all have been followed for "
            f"{name_time(horizon)} by the day of the snapshot, {made}.")


def cap_follow_up(question: Question, snapshot: Snapshot) -> float | None:
    """Days from the middle of the periods asked for to the snapshot; None where the filters ask for no such periods.

    Half of the patients, if as many are diagnosed in every year, cannot be followed for longer.
    """
    years = _years_of_diagnosis(question, snapshot)
    firsts = [first for first, _ in years if first is not None]
    if not years or len(firsts) < len(years):
        return None
    start, end = date(min(firsts), 1, 1), date(max(last for _, last in years), 12, 31)
    return float((date.fromisoformat(snapshot.created[:10]) - (start + (end - start) / 2)).days)


def periods_asked(question: Question) -> tuple[Filter, ...]:
    """The filters that are about the period of diagnosis alone."""
    return tuple(item for item in question.where if set(variables_of(item)) == {_PERIOD})


def _years_of_diagnosis(question: Question, snapshot: Snapshot) -> list[tuple[int | None, int]]:
    """First and last year of each period that the filters let in, None for an open beginning; empty if not asked."""
    selections, offered = close_filters(periods_asked(question), snapshot.dictionary, snapshot.values_of)
    found = [_YEARS.match(value) for selection in selections for name, chosen in selection.chosen
             for place, value in enumerate(offered[name].values) if place in chosen]
    return [(None, int(one["last"]) - 1) if one["before"] else (int(one["first"] or one["last"]), int(one["last"]))
            for one in found if one]


def describe_follow_up(result: FeasibilityResult, expected: Expectation | None) -> str:
    """What was assumed about how long patients are followed, or why nothing can be."""
    if result.too_short:
        return result.too_short
    if expected is None:
        return ""
    if expected.follow_up_median_days is None:
        return "All patients are taken to be followed to the horizon."
    years = expected.follow_up_median_days / 365.25
    words = (f"If follow-up ended at a constant rate with {result.follow_up_of} ({years:.1f} years), about "
             f"{100 * expected.followed:.0f} % would be followed that long.")
    other = next((name for name in ("trial", "source") if name in result.question.variables), "")
    return f"{words} It is not the median of the {other} asked for." if other else words


def suggest_share(question: Question) -> Published | None:
    """The published share that fits the question best, None where we know of none."""
    ages = _ages_planned(question)
    return None if ages is None else published_share(question.disease, question.endpoint, ages=ages)


def describe_start(question: Question, published: Published | None) -> str:
    """Where the assumption starts, and in what that does not fit the question."""
    if published is None:
        return "We know of no published figure for this endpoint and these patients: set what you expect."
    misfits = []
    if question.horizon_days != published.days:
        misfits.append(f"at {name_time(question.horizon_days or 0)}")
    if not _conditions_on_age(question):
        misfits.append("of infants, children and adults together")
    elif _ages_planned(question) is Ages.CHILDREN and ages_asked(question) is None:
        misfits.append("of children and adults together")
    words = (f"The assumption starts at {100 * published.share:.1f} %, published at {name_time(published.days)} for "
             f"{published.source}.")
    return f"{words} Set what you expect {' and '.join(misfits)}." if misfits else words


def _ages_planned(question: Question) -> Ages | None:
    """Whose outcome to plan with; None where infants are asked for among others, whose outcome is another."""
    if ages_asked(question) == "adults":
        return Ages.ADULTS
    conditions = _conditions_on_age(question)
    if not conditions or not all(map(_lets_infants_in, conditions)):
        return Ages.CHILDREN
    return None if all(map(_lets_others_in, conditions)) else Ages.INFANTS


def _conditions_on_age(question: Question) -> list[Filter]:
    return [item for item in question.where if set(variables_of(item)) <= set(_AGE)]


def _lets_infants_in(item: Filter) -> bool:
    match item:
        case OneOf("age_group", values):
            return _INFANT in values
        case Not(OneOf("age_group", values)):
            return _INFANT not in values
        case Between("age_dx_years", lower, _, _):
            return lower is None or lower < 1
        case AnyOf(parts):
            return any(map(_lets_infants_in, parts))
    return True


def _lets_others_in(item: Filter) -> bool:
    match item:
        case OneOf("age_group", values):
            return set(values) != {_INFANT}
        case Between("age_dx_years", _, upper, included) if upper is not None:
            return upper > 1 or (upper == 1 and included)
        case AnyOf(parts):
            return any(map(_lets_others_in, parts))
    return True
