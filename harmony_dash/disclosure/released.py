"""`Released`: the only form in which a result may be drawn, printed or written to a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_MAKER = object()


class Level(StrEnum):
    """How much a result may show."""

    PROTECTED = "protected"
    EXACT = "exact"


@dataclass(frozen=True)
class Rules:
    """Thresholds of the scheme.

    Attributes
    ----------
    minimum_group : a group of fewer patients is withheld with all its statistics.
    minimum_cell : a count below it is hidden.
    minimum_at_risk : a curve ends on the last day with this many at risk.
    minimum_events_for_test : no p-value below this many events.
    rounding_of_choices : counts beside the choices of a cohort panel are multiples of it.
    """

    minimum_group: int = 10
    minimum_cell: int = 10
    minimum_at_risk: int = 10
    minimum_events_for_test: int = 20
    rounding_of_choices: int = 10


@dataclass(frozen=True)
class Scope:
    """For whom a result is released: the level, the rules behind it, and the grant it rests on (empty for none)."""

    level: Level
    rules: Rules = Rules()
    grant: str = ""

    @property
    def key(self) -> str:
        """The part of a cache key that keeps results of different rights apart."""
        return f"{self.level}:{self.rules}:{self.grant}"


@dataclass(frozen=True)
class Released(Generic[T]):
    """A result that passed `release`. Only the disclosure package can make one."""

    value: T
    scope: Scope
    _maker: Any = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._maker is not _MAKER:
            raise TypeError("only harmony_dash.disclosure makes released results")


def make_released(value: T, scope: Scope) -> Released[T]:
    """For the disclosure package alone (import-linter and a test see to it)."""
    return Released(value, scope, _MAKER)
