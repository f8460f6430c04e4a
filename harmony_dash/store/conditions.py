"""Filters to SQL: one small function a filter kind, values bound, identifiers from the dictionary alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        day = quote(variable.day_variable)
        zero = endpoint_named(self.question.endpoint).time_zero
        clock = f"({day} - cr_days)" if zero is TimeZero.REMISSION else day
        type_ = enum_name(variable)
        return (f"(CASE WHEN {quote(name)} = 'yes' AND {clock} IS NULL THEN NULL "
                f"WHEN {quote(name)} = 'yes' AND {clock} > {self.question.landmark_days:d} THEN 'no'::{type_} "
                f"ELSE {quote(name)} END)")

    def cohort(self, filters: Sequence[Filter] | None = None) -> str:
        """The condition of the whole cohort: the disease and every filter."""
        chosen = self.question.where if filters is None else filters
        return " AND ".join([self.disease(), *(self.condition(item) for item in chosen)])

    def disease(self) -> str:
        """The condition of the question's disease."""
        return f"disease = {self.bind(self.question.disease)}::{enum_name(self.dictionary['disease'])}"


def is_served(question: Question, code_values: Mapping[str, Sequence[str]]) -> bool:
    """Whether the snapshot holds any patient of the disease."""
    return question.disease in code_values.get("disease", ())
