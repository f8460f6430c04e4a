"""Filters to SQL: one small function a filter kind, values bound, identifiers from the dictionary alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harmony_dash.cohort.endpoints import TimeZero, endpoint_named
from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, Not, OneOf
from harmony_dash.cohort.question import Question
from harmony_dash.dictionary.model import Dictionary, TimePoint
from harmony_dash.store.schema import enum_name, quote


@dataclass
class Statement:
    """SQL conditions under construction and the values bound to them."""

    question: Question
    dictionary: Dictionary
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """A placeholder for a value."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def condition(self, item: Filter) -> str:
        """SQL that is true only where the filter is known to hold; missing values make it null, as the filters say."""
        match item:
            case OneOf(name, values):
                type_ = enum_name(self.dictionary[name])
                return f"({self.column(name)} IN ({', '.join(f'{self.bind(v)}::{type_}' for v in values)}))"
            case Between(name, lower, upper, included):
                parts = [] if lower is None else [f"{self.column(name)} >= {self.bind(lower)}"]
                if upper is not None:
                    parts.append(f"{self.column(name)} {'<=' if included else '<'} {self.bind(upper)}")
                return f"({' AND '.join(parts)})"
            case Missing(name):
                return f"({self.column(name)} IS NULL)"
            case Not(inner):
                return f"(NOT {self.condition(inner)})"
            case AnyOf(parts_):
                return f"({' OR '.join(self.condition(part) for part in parts_)})"

    def column(self, name: str) -> str:
        """A variable as it was known on the landmark day."""
        variable = self.dictionary[name]
        if variable.measured is not TimePoint.LATER or not variable.day_variable:
            return quote(name)
        # What happens after the landmark must not reach back: a later transplant is still "no" on that day.
        column, day, type_ = quote(name), self.on_clock(variable.day_variable), enum_name(variable)
        before = f"'{variable.until_then}'::{type_}" if variable.until_then else "NULL"
        happened = f"{column} <> {before}" if variable.until_then else "true"
        cases = [f"WHEN {happened} AND {day} IS NULL THEN NULL",
                 f"WHEN {happened} AND {day} > {self.question.landmark_days:d} THEN {before}"]
        if variable.until_first_event:
            cases.insert(0, f"WHEN {self.had_first_event()} THEN NULL")
        return f"(CASE {' '.join(cases)} ELSE {column} END)"

    def on_clock(self, day: str) -> str:
        """A day counted from diagnosis, on the question's clock."""
        zero = endpoint_named(self.question.endpoint).time_zero
        return f"({quote(day)} - cr_days)" if zero is TimeZero.REMISSION else quote(day)

    def had_first_event(self) -> str:
        """True for patients whose first event came by the landmark."""
        return f"coalesce({self.on_clock('first_event_days')} <= {self.question.landmark_days:d}, false)"

    @property
    def needs_no_event_yet(self) -> bool:
        """Whether the groups can only be entered before the first event."""
        return self.question.by is not None and self.dictionary[self.question.by].until_first_event

    def cohort(self, filters: Sequence[Filter] | None = None) -> str:
        """The condition of the whole cohort: the disease and every filter."""
        chosen = self.question.where if filters is None else filters
        return " AND ".join([self.disease(), *(self.condition(item) for item in chosen)])

    def disease(self) -> str:
        """The condition of the question's disease."""
        return f"disease = {self.bind(self.question.disease)}::{enum_name(self.dictionary['disease'])}"


def entry_day(question: Question) -> str:
    """The day of late entry on the question's clock, as SQL."""
    zero = endpoint_named(question.endpoint).time_zero
    return "(entry_days - cr_days)" if zero is TimeZero.REMISSION else "entry_days"
