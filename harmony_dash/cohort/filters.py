"""Filters as frozen values: what they mean is here, the SQL they become is the store's business.

Missing values: a filter keeps a patient only if it is known to hold. `OneOf` and `Between` do not keep a patient whose
value is missing, and neither does their `Not`: not knowing the MRD is not the same as not being MRD-negative. `Missing`
asks for the unknown itself, and `Not(Missing(...))` for everybody whose value is recorded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harmony_dash.errors import QuestionError


@dataclass(frozen=True)
class OneOf:
    """The value is one of those listed."""

    variable: str
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise QuestionError("a filter lists no value", where=self.variable, remedy="Choose one or more values.")
        object.__setattr__(self, "values", tuple(sorted(set(self.values))))


@dataclass(frozen=True)
class Between:
    """lower ≤ value ≤ upper, or < upper where `upper_included` is False; an end that is None is open."""

    variable: str
    lower: float | None = None
    upper: float | None = None
    upper_included: bool = True

    def __post_init__(self) -> None:
        ends = [end for end in (self.lower, self.upper) if end is not None]
        if not ends:
            raise QuestionError("a range has no end", where=self.variable, remedy="Give a lower or an upper end.")
        if not all(math.isfinite(end) for end in ends):
            raise QuestionError("an end of the range is not a finite number", where=self.variable,
                                remedy="Leave an end out to keep it open.")
        for name in ("lower", "upper"):
            end = getattr(self, name)
            object.__setattr__(self, name, None if end is None else float(end) + 0.0)
        if self.upper is None:
            object.__setattr__(self, "upper_included", True)
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise QuestionError(f"the range {self.lower:g} to {self.upper:g} is upside down", where=self.variable,
                                remedy="Write the smaller number first.")


@dataclass(frozen=True)
class Missing:
    """The value is not recorded."""

    variable: str


@dataclass(frozen=True)
class Not:
    """The filter is known not to hold."""

    filter: Filter


@dataclass(frozen=True)
class AnyOf:
    """At least one of the filters holds."""

    filters: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if len(self.filters) < 1:
            raise QuestionError("an either-or filter lists no alternative", remedy="Give at least one filter.")


Filter = OneOf | Between | Missing | Not | AnyOf


def canonical(item: Filter) -> Filter:
    """The one form all equal filters share: double negations gone, alternatives flat, sorted and without repeats."""
    if isinstance(item, Not):
        inner = canonical(item.filter)
        return inner.filter if isinstance(inner, Not) else Not(inner)
    if isinstance(item, AnyOf):
        flat: list[Filter] = []
        for part in map(canonical, item.filters):
            flat.extend(part.filters if isinstance(part, AnyOf) else (part,))
        unique = {repr(to_json(part)): part for part in flat}
        parts = tuple(unique[key] for key in sorted(unique))
        return parts[0] if len(parts) == 1 else AnyOf(parts)
    return item


def leaves_of(item: Filter) -> Iterator[OneOf | Between | Missing]:
    """The plain conditions a filter is made of."""
    match item:
        case Not(inner):
            yield from leaves_of(inner)
        case AnyOf(parts):
            for part in parts:
                yield from leaves_of(part)
        case _:
            yield item


def variables_of(item: Filter) -> Iterator[str]:
    """Every variable a filter reads."""
    return (leaf.variable for leaf in leaves_of(item))


def to_json(item: Filter) -> dict[str, Any]:
    """A filter as JSON-able values; `from_json` is the inverse."""
    match item:
        case OneOf(variable, values):
            return {"one_of": variable, "values": list(values)}
        case Between(variable, lower, upper, included):
            return {"between": variable, "lower": lower, "upper": upper, "upper_included": included}
        case Missing(variable):
            return {"missing": variable}
        case Not(inner):
            return {"not": to_json(inner)}
        case AnyOf(parts):
            return {"any_of": [to_json(part) for part in parts]}


# What a link may hold; far more than a person sets, far less than keeps the server busy.
MOST_FILTERS = 20
MOST_VALUES = 200
LARGEST_NUMBER = 1e15
# NUL ends a text for some programs, and a lone surrogate cannot be written as UTF-8.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def from_json(value: object, depth: int = 0) -> Filter:
    """Rebuild a filter from untrusted JSON (a permalink); raises `QuestionError` on anything unexpected."""
    unreadable = QuestionError("a filter in the link cannot be read", remedy="Open the page again and set the filter.")
    if not isinstance(value, Mapping) or depth > 4:
        raise unreadable
    item = _read_filter(value, depth, unreadable)
    refuse_too_many(item.filters if isinstance(item, AnyOf) else (item,))
    return item


def refuse_too_many(filters: Sequence[Filter]) -> None:
    """Raise `QuestionError` for more filters side by side, or more values in all of them, than a link may hold."""
    values = sum(len(leaf.values) for item in filters for leaf in leaves_of(item) if isinstance(leaf, OneOf))
    if len(filters) > MOST_FILTERS or values > MOST_VALUES:
        raise QuestionError(f"the link holds more than {MOST_FILTERS} filters or {MOST_VALUES} values",
                            remedy="Open the page again and set fewer filters.")


def _read_filter(value: Mapping[Any, Any], depth: int, unreadable: QuestionError) -> Filter:
    keys = set(value)
    if keys == {"one_of", "values"} and _is_text(value["one_of"]) and _are_texts(value["values"]):
        return OneOf(value["one_of"], tuple(value["values"]))
    if keys == {"between", "lower", "upper", "upper_included"} and _is_text(value["between"]):
        lower, upper, included = value["lower"], value["upper"], value["upper_included"]
        if _is_end(lower) and _is_end(upper) and isinstance(included, bool):
            return Between(value["between"], lower, upper, included)
    if keys == {"missing"} and _is_text(value["missing"]):
        return Missing(value["missing"])
    if keys == {"not"}:
        return Not(from_json(value["not"], depth + 1))
    if keys == {"any_of"} and isinstance(value["any_of"], Sequence) and not isinstance(value["any_of"], str):
        return AnyOf(tuple(from_json(part, depth + 1) for part in value["any_of"]))
    raise unreadable


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not _UNWRITABLE.search(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_end(value: object) -> bool:
    # an integer of 400 digits is no float; NaN is not below anything
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool)
                             and abs(value) <= LARGEST_NUMBER)
