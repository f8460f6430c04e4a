"""The filters of a question as the cohort panel's controls see them: values of a category, ends of a range."""

from __future__ import annotations

from dataclasses import replace

from harmony_dash.cohort.filters import AnyOf, Between, Filter, Missing, OneOf, variables_of
from harmony_dash.cohort.question import Question

NOT_RECORDED = "\x00not recorded"  # the choice "not recorded", which no dictionary value can equal


def chosen_values(question: Question, name: str) -> tuple[str, ...]:
    """The values a category is filtered to; empty without a filter."""
    for item in question.where:
        values = _simple_values(item, name)
        if values:
            return values
    return ()


def with_values(question: Question, name: str, values: tuple[str, ...]) -> Question:
    """The question with that category filtered to the values, or not at all if there are none."""
    kept = tuple(item for item in question.where if not _simple_values(item, name))
    known = tuple(value for value in values if value != NOT_RECORDED)
    parts: list[Filter] = [OneOf(name, known)] if known else []
    if NOT_RECORDED in values:
        parts.append(Missing(name))
    added = () if not parts else (parts[0] if len(parts) == 1 else AnyOf(tuple(parts)),)
    return replace(question, where=kept + added)


def chosen_range(question: Question, name: str) -> tuple[float | None, float | None]:
    """Lower and upper end that a number is filtered to; None for an open end."""
    for item in question.where:
        if isinstance(item, Between) and item.variable == name:
            return item.lower, item.upper
    return None, None


def with_range(question: Question, name: str, lower: float | None, upper: float | None, *,
               upper_included: bool) -> Question:
    """The question with that number filtered to the range, or not at all if both ends are open.

    Ends given upside down are swapped: somebody who types the upper end first should not meet an error.
    """
    if lower is not None and upper is not None and lower > upper:
        lower, upper = upper, lower
    kept = tuple(item for item in question.where if not (isinstance(item, Between) and item.variable == name))
    added = () if lower is None and upper is None else (Between(name, lower, upper, upper_included),)
    return replace(question, where=kept + added)


def without_filter(question: Question, item: Filter) -> Question:
    """The question without one of its filters."""
    return replace(question, where=tuple(other for other in question.where if other != item))


def without_variables(question: Question, names: set[str]) -> Question:
    """The question without every filter that reads one of the variables."""
    return replace(question, where=tuple(item for item in question.where if not set(variables_of(item)) & names))


def _simple_values(item: Filter, name: str) -> tuple[str, ...]:
    """The values if the filter is one that the panel makes for this variable, else nothing."""
    match item:
        case OneOf(variable, values) if variable == name:
            return values
        case Missing(variable) if variable == name:
            return (NOT_RECORDED,)
        case AnyOf(parts) if all(isinstance(part, OneOf | Missing) for part in parts):
            found = [_simple_values(part, name) for part in parts]
            return tuple(value for values in found for value in values) if all(found) else ()
    return ()
