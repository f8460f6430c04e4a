"""What a check asks of one accepted patient, as values. A condition holds only where it is known to hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Known:
    """The value is recorded."""

    variable: str


@dataclass(frozen=True)
class Is:
    """The value is one of those listed."""

    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Below:
    """The number is smaller."""

    variable: str
    number: float


@dataclass(frozen=True)
class AtLeast:
    """The number is as large or larger."""

    variable: str
    number: float


@dataclass(frozen=True)
class MultipleOf:
    """The number is a whole multiple of another."""

    variable: str
    step: float


@dataclass(frozen=True)
class AfterToday:
    """The day lies in the future even for a patient diagnosed on the first day of the recorded period.

    Attributes
    ----------
    variable : days from diagnosis.
    period : a category whose values start with a year ("2010-2014").
    """

    variable: str
    period: str


@dataclass(frozen=True)
class Every:
    """All parts hold; of no part, everybody."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One of the parts holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Otherwise:
    """The part is known not to hold."""

    part: Condition


Condition: TypeAlias = Known | Is | Below | AtLeast | MultipleOf | AfterToday | Every | Either | Otherwise

EVERYBODY = Every(())


def variables_in(condition: Condition) -> Iterator[str]:
    """The variables a condition reads, with repetitions."""
    match condition:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from variables_in(part)
        case Otherwise(part):
            yield from variables_in(part)
        case AfterToday(variable, period):
            yield from (variable, period)
        case _:
            yield condition.variable
