"""A question: whom to follow, for what, compared by what. Frozen, hashable, JSON-able, and the key to everything."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harmony_dash.cohort.canonical import CanonicalQuestion
from harmony_dash.cohort.endpoints import TimeZero, endpoint_named
from harmony_dash.cohort.filters import Between, Filter, OneOf, canonical, from_json, leaves_of, to_json, variables_of
from harmony_dash.dictionary.model import KNOWN_DAY, Dictionary, TimePoint, Variable
from harmony_dash.errors import QuestionError

# The earliest day on which remission is assessed (domain: plausible range 20–120). A value known on day 42 after
# diagnosis is at most 22 days in the future of a patient whose clock starts at remission.
EARLIEST_REMISSION_DAY = 20
# A link with more is no person's question.
MOST_FILTERS = 20


@dataclass(frozen=True)
class Question(CanonicalQuestion):
    """What a person asks.

    Attributes
    ----------
    disease : disease code.
    endpoint : name of an endpoint.
    where : filters, all of which must hold; kept in canonical form and order, so equal questions are equal values.
    by : the variable whose values make the groups; None for one curve.
    strata : the variable within whose values groups are compared; None for none. It changes tests and nothing else:
        who is counted does not depend on it.
    landmark_days : patients followed beyond this day are kept and their clock restarts on it; 0 for none.
    horizon_days : where curves and restricted means end; None lets the data decide.
    """

    disease: str
    endpoint: str
    where: tuple[Filter, ...] = ()
    by: str | None = None
    strata: str | None = None
    landmark_days: int = 0
    horizon_days: int | None = None

    def __post_init__(self) -> None:
        unique = {json.dumps(to_json(item), sort_keys=True): item for item in map(canonical, self.where)}
        object.__setattr__(self, "where", tuple(unique[key] for key in sorted(unique)))

    def to_json(self) -> dict[str, Any]:
        """JSON-able form; `question_from_json` is its inverse."""
        return {"disease": self.disease, "endpoint": self.endpoint, "where": [to_json(item) for item in self.where],
                "by": self.by, "strata": self.strata, "landmark_days": self.landmark_days,
                "horizon_days": self.horizon_days}

    @property
    def for_the_record(self) -> str:
        """Fingerprint and canonical text, as the audit trail keeps it."""
        return f"{self.fingerprint} {self.canonical_json}"

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable the question reads, without repeats, filters first."""
        names: Iterable[str] = (name for item in self.where for name in variables_of(item))
        return tuple(dict.fromkeys([*names, *(name for name in (self.by, self.strata) if name)]))


def question_from_json(value: object) -> Question:
    """Rebuild a question from untrusted JSON; raises `QuestionError` on anything unexpected."""
    unreadable = QuestionError("the link does not hold a question this version can read",
                               remedy="Open the page without the link and set the controls.")
    if not isinstance(value, Mapping):
        raise unreadable
    known = {"disease", "endpoint", "where", "by", "strata", "landmark_days", "horizon_days"}
    where = value.get("where", [])
    if not set(value) <= known or not {"disease", "endpoint"} <= set(value) or not isinstance(where, list):
        raise unreadable
    if len(where) > MOST_FILTERS:
        raise unreadable
    texts_fit = all(isinstance(value[key], str) for key in ("disease", "endpoint")) and all(
        isinstance(value.get(key), str | None) for key in ("by", "strata"))
    landmark, horizon = value.get("landmark_days", 0), value.get("horizon_days")
    if not texts_fit or type(landmark) is not int or not (horizon is None or type(horizon) is int):
        raise unreadable
    return Question(value["disease"], value["endpoint"], tuple(from_json(item) for item in where), value.get("by"),
                    value.get("strata"), landmark, horizon)


def check_question(question: Question, dictionary: Dictionary) -> None:
    """Refuse a question that cannot be asked of this dictionary.

    Raises
    ------
    QuestionError naming the field and, for a misspelt name, the nearest that exists.
    """
    if question.disease not in dictionary.diseases:
        raise QuestionError(f"there is no disease '{question.disease}'", where="disease",
                            remedy=f"Choose one of: {', '.join(dictionary.diseases)}.")
    endpoint_named(question.endpoint)
    for item in question.where:
        _check_filter(item, question.disease, dictionary)
    for role, name in (("by", question.by), ("strata", question.strata)):
        if name is not None:
            variable = askable_variable(name, question.disease, dictionary, where=role)
            if not variable.is_categorical:
                raise QuestionError(f"'{name}' is a number and cannot make groups", where=role,
                                    remedy="Choose its grouped form, e.g. age_group for age_dx_years.")
    if question.strata is not None and question.by is None:
        raise QuestionError("strata without groups compare nothing", where="strata",
                            remedy="Choose what to group by, or leave the strata out.")
    if question.by is not None and question.by == question.strata:
        raise QuestionError("groups and strata are the same variable", where="strata", remedy="Choose another one.")
    if not 0 <= question.landmark_days <= 20_000:
        raise QuestionError("the landmark is not between 0 and 20,000 days", where="landmark", remedy="Correct it.")
    if question.horizon_days is not None and not 1 <= question.horizon_days <= 40_000:
        raise QuestionError("the horizon is not between 1 and 40,000 days", where="horizon", remedy="Correct it.")


def with_landmark(question: Question, dictionary: Dictionary) -> Question:
    """Move the landmark to the day by which every variable of the question is known.

    Grouping or filtering by something that becomes known after time zero compares the future with the past: whoever
    has a transplant has survived until it. Patients must therefore be followed beyond that day before they count.
    Strata move no landmark, because who is counted must not depend on them; they have to be known by it.

    Raises
    ------
    QuestionError when a variable has no fixed day (a transplant) and no landmark was chosen, when strata become known
    after the landmark, and when the endpoint counts events on day 0, which any landmark would drop.
    """
    endpoint = endpoint_named(question.endpoint)
    needed = question.landmark_days
    for name in replace(question, strata=None).variables:
        day = known_day(dictionary[name], endpoint.time_zero)
        if day is None and question.landmark_days == 0:
            raise QuestionError(
                f"'{dictionary[name].label}' becomes known only during follow-up, so comparing by it from the "
                "start would count survival until then as its effect", where=name,
                remedy="Choose a landmark day; what happened by that day makes the groups.")
        needed = max(needed, day or 0)
    if question.strata:
        _check_strata_known(replace(question, landmark_days=needed), dictionary)
    if needed and endpoint.counts_on_day_zero:
        raise QuestionError(
            f"{endpoint.label.lower()} puts treatment failures on day 0, and a clock that starts on day {needed} would "
            "drop every one of them", where="endpoint",
            remedy="Use event-free survival with treatment failure at its date (efs), or a question without landmark.")
    return replace(question, landmark_days=needed)


def known_day(variable: Variable, zero: TimeZero) -> int | None:
    """The day after time zero by which everybody's value is known; None where no day is fixed."""
    if variable.measured is TimePoint.LATER:
        return 0 if zero is TimeZero.REMISSION and variable.day_variable == "cr_days" else None
    day = KNOWN_DAY[variable.measured]
    if zero is TimeZero.REMISSION:
        return 0 if variable.measured is TimePoint.END_OF_INDUCTION else max(0, day - EARLIEST_REMISSION_DAY)
    return day


def _check_strata_known(question: Question, dictionary: Dictionary) -> None:
    """Refuse strata that are not known on the day on which the clock starts."""
    variable, zero = dictionary[str(question.strata)], endpoint_named(question.endpoint).time_zero
    day = known_day(variable, zero)
    if day is None and question.landmark_days == 0:
        raise QuestionError(
            f"'{variable.label}' becomes known only during follow-up and cannot stratify from the start",
            where="strata", remedy="Choose a landmark day, or other strata.")
    if day is not None and day > question.landmark_days:
        raise QuestionError(f"'{variable.label}' is known only by day {day} after {zero}, and the clock starts before",
                            where="strata", remedy=f"Choose a landmark of day {day} or later, or other strata.")


def askable_variable(name: str, disease: str, dictionary: Dictionary, *, where: str) -> Variable:
    """The variable of that name if a question may read it, else `QuestionError` with the nearest name."""
    names = {v.name: v for v in dictionary.askable(disease) if v.name != "disease"}
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"Did you mean {near[0]}?" if near else "See the data dictionary for the names."
    if name in dictionary and dictionary[name].measured is TimePoint.OUTCOME:
        raise QuestionError(f"'{name}' is part of the outcome and cannot filter or group patients", where=where,
                            remedy="Use it as an endpoint instead.")
    raise QuestionError(f"there is no variable '{name}' for {disease}", where=where, remedy=remedy)


def _check_filter(item: Filter, disease: str, dictionary: Dictionary) -> None:
    for name in variables_of(item):
        askable_variable(name, disease, dictionary, where="where")
    for leaf in leaves_of(item):
        variable = dictionary[leaf.variable]
        if isinstance(leaf, OneOf):
            if not variable.is_categorical:
                raise QuestionError(f"'{leaf.variable}' is a number and is filtered by a range", where="where",
                                    remedy=f"Write {leaf.variable}=lo..hi.")
            wrong = [value for value in leaf.values if variable.values and value not in variable.values]
            if wrong:
                raise QuestionError(f"'{wrong[0]}' is not a value of {leaf.variable}", where="where",
                                    remedy=f"Choose from: {', '.join(variable.values)}.")
        if isinstance(leaf, Between) and not variable.is_numeric:
            raise QuestionError(f"'{leaf.variable}' is not a number and has no range", where="where",
                                remedy=f"Write {leaf.variable}=value,value.")
