"""Which questions protected results answer at all: those that pick from lists, on a few days fixed beforehand.

A range that could end anywhere, or a landmark on any day, could be moved by one patient at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from harmony_dash.cohort.endpoints import TimeZero, endpoint_named
from harmony_dash.cohort.filters import Between, Filter, canonical, leaves_of
from harmony_dash.cohort.question import EARLIEST_REMISSION_DAY, Question
from harmony_dash.dictionary.model import KNOWN_DAY, Dictionary, TimePoint, Variable, VariableType
from harmony_dash.disclosure.grid import first_grid_day, snap_to_grid
from harmony_dash.disclosure.policy import Level
from harmony_dash.disclosure.selections import conjuncts_of, find_bands, literals_of
from harmony_dash.errors import QuestionError

# With more conditions the low-effect rule alters too many questions.
MOST_CONDITIONS: Mapping[Level, int] = MappingProxyType({
    Level.PUBLIC: 4, Level.PROTECTED: 4, Level.EXACT: 6, Level.OFF: 6})
_FREE = (Level.EXACT, Level.OFF)
# Days people choose: the end of induction, three and six months, one year and two.
LANDMARK_DAYS: Final = (42, 90, 183, 365, 731)


def check_closed(question: Question, dictionary: Dictionary, level: Level, *,
                 protected: Collection[Filter] = frozenset()) -> None:
    """Refuse a question that protected results cannot answer.

    Parameters
    ----------
    question : passed `check_question`. With or without the landmark its variables need.
    level : at levels exact and off only the number of conditions is limited.
    protected : filters that come from a grant; they are not the person's conditions.

    Raises
    ------
    QuestionError naming the variable or field, what is allowed and what to do.
    """
    fixed = {canonical(item) for item in protected}
    own = [item for item in question.where if item not in fixed]
    conditions = sum(1 for item in own for _ in leaves_of(item))
    if conditions > MOST_CONDITIONS[level]:
        raise QuestionError(f"the question has {conditions} conditions, at most {MOST_CONDITIONS[level]} are answered",
                            where="where", remedy="Remove the filters that matter least; each part of an either-or "
                                                  "filter counts.")
    if level in _FREE:
        return
    for item in own:
        _check_filter(item, dictionary)
    _check_landmark(question)
    _check_horizon(question)


def landmark_days(endpoint: str) -> tuple[int, ...]:
    """The landmarks that protected results allow for an endpoint, apart from none.

    They are the days people choose and those by which a question's variables are known, which are set for it.
    """
    known = {day for day in KNOWN_DAY.values() if day}
    if endpoint_named(endpoint).time_zero is TimeZero.REMISSION:
        # What `with_landmark` sets on a clock that starts at remission.
        known |= {day - EARLIEST_REMISSION_DAY for point, day in KNOWN_DAY.items()
                  if day > EARLIEST_REMISSION_DAY and point is not TimePoint.END_OF_INDUCTION}
    return tuple(sorted({*LANDMARK_DAYS, *known}))


def _check_filter(item: Filter, dictionary: Dictionary) -> None:
    for part in conjuncts_of(item):
        literals_of(part)
    for leaf in leaves_of(item):
        variable = dictionary[leaf.variable]
        if variable.type is VariableType.DAYS and not variable.bands:
            raise _no_bands(variable, dictionary, "protected results cannot be filtered by the day of something")
        if isinstance(leaf, Between):
            if not variable.bands:
                raise _no_bands(variable, dictionary, "protected results cannot be filtered by a range of it")
            find_bands(leaf, variable)


def _no_bands(variable: Variable, dictionary: Dictionary, why: str) -> QuestionError:
    """Point at the groups of the same thing: age_group for age_dx_years, wbc_band for wbc_dx."""
    stem = variable.name.split("_")[0]
    groups = [name for name, other in dictionary.variables.items()
              if other.is_categorical and other.is_askable and name.split("_")[0] == stem]
    remedy = f"Filter by groups instead: {', '.join(groups)}." if groups else "Remove the filter."
    return QuestionError(f"'{variable.name}' has no bands, and {why}", where="where", remedy=remedy)


def _check_landmark(question: Question) -> None:
    allowed = landmark_days(question.endpoint)
    if question.landmark_days and question.landmark_days not in allowed:
        raise QuestionError(f"day {question.landmark_days} is not a landmark of protected results", where="landmark",
                            remedy=f"Choose one of the days {', '.join(map(str, allowed))}, or none.")


def _check_horizon(question: Question) -> None:
    day = question.horizon_days
    if day is None:
        return
    if day < 1 or first_grid_day(day) != day:
        before, after = snap_to_grid(day), first_grid_day(max(day, 1))
        days = " or ".join(str(other) for other in sorted({before, after}) if other)
        raise QuestionError(f"day {day} is not the end of a quarter of a year, where protected curves may end",
                            where="horizon", remedy=f"Choose day {days}, or none.")
