"""Conditions of checks as SQL: one small function a kind, values bound, identifiers from the dictionary alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from harmony_dash.quality.conditions import (
    AfterToday,
    AtLeast,
    Below,
    Condition,
    Either,
    Every,
    Is,
    Known,
    MultipleOf,
    Otherwise,
)
from harmony_dash.store.record_keys import key_sql
from harmony_dash.store.schema import quote

# A tenth of a year is not exactly a tenth in binary.
_SLACK = 1e-6
_PLACEHOLDER = re.compile(r"\$(p\d+)")


@dataclass
class Aggregates:
    """The columns of one aggregation over the staging rows, each expression once, and the values bound to it.

    Parameters
    ----------
    today : the day of the ingest.
    """

    today: date
    columns: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    _bound: dict[tuple[str, Any], str] = field(default_factory=dict)
    _known: dict[Condition, str] = field(default_factory=dict)

    def count(self, condition: Condition) -> int:
        """The place of the number of patients for whom the condition holds; their key comes one place later."""
        kept = self.condition(condition)
        place = self.add(f"count(*) FILTER (WHERE {kept})")
        if len(self.columns) == place + 1:
            self.add(key_sql(kept))
        return place

    def add(self, expression: str) -> int:
        """The place of an aggregate expression."""
        return self.columns.setdefault(expression, len(self.columns))

    def statements(self, most: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Statements that compute the columns in their order, `most` at a time, a row a source, with their values."""
        expressions = list(self.columns)
        for start in range(0, len(expressions), most):
            selected = ", ".join(expressions[start:start + most])
            names = set(_PLACEHOLDER.findall(selected))
            yield (f'SELECT "source", {selected} FROM staging GROUP BY "source"',
                   {name: value for name, value in self.parameters.items() if name in names})

    def bind(self, value: Any) -> str:
        """A placeholder for a value; equal ones share theirs."""
        name = self._bound.setdefault((type(value).__name__, value), f"p{len(self._bound)}")
        self.parameters[name] = value
        return f"${name}"

    def condition(self, condition: Condition) -> str:
        """SQL that is true where the condition is known to hold, and false or null elsewhere."""
        if condition not in self._known:
            self._known[condition] = self._compile(condition)
        return self._known[condition]

    def _compile(self, condition: Condition) -> str:
        match condition:
            case Known(name):
                return f"({quote(name)} IS NOT NULL)"
            case Is(name, values):
                return f"({quote(name)} IN ({', '.join(map(self.bind, values))}))"
            case Below(name, number):
                return f"({quote(name)} < {self.bind(float(number))})"
            case AtLeast(name, number):
                return f"({quote(name)} >= {self.bind(float(number))})"
            case MultipleOf(name, step):
                times = f"({quote(name)} / {self.bind(float(step))})"
                return f"(abs({times} - round({times})) < {self.bind(_SLACK)})"
            case AfterToday(name, period):
                start = f"make_date(TRY_CAST(left({quote(period)}, 4) AS INTEGER), 1, 1)"
                return f"({start} + CAST({quote(name)} AS INTEGER) > CAST({self.bind(self.today.isoformat())} AS DATE))"
            case Every(()):
                return "true"
            case Every(parts):
                return f"({' AND '.join(map(self.condition, parts))})"
            case Either(parts):
                return f"({' OR '.join(map(self.condition, parts))})"
            case Otherwise(part):
                return f"(NOT {self.condition(part)})"
