"""`Released`: the only form in which a result may be drawn, printed or written to a file."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from typing import Any, Generic, TypeVar

from harmony_dash.disclosure.policy import RULES, Level, Rules, SnapshotFlags, check_may_be_off

__all__ = ["Level", "Released", "Rules", "Scope", "make_released", "scope_without_protection"]

T = TypeVar("T")

_MAKER = object()
_CHECKED = object()


@dataclass(frozen=True)
class Scope:
    """For whom a result is released: the level and the grant it rests on (empty for none).

    A scope of level OFF is made by `scope_without_protection` and by nothing else.
    """

    level: Level
    grant: str = ""
    checked: InitVar[object] = None

    def __post_init__(self, checked: object) -> None:
        if self.level is Level.OFF and checked is not _CHECKED:
            raise TypeError("level off needs a snapshot that says that it may be")

    @property
    def rules(self) -> Rules:
        """The numbers behind the level."""
        return RULES[self.level]

    @property
    def is_protected(self) -> bool:
        """Whether the scheme is applied."""
        return self.level not in (Level.EXACT, Level.OFF)

    @property
    def key(self) -> str:
        """The part of a cache key that keeps results of different rights apart."""
        return f"{self.level}:{self.rules}:{self.grant}"


def scope_without_protection(snapshot_flags: SnapshotFlags) -> Scope:
    """The scope of level OFF, for a snapshot that allows it.

    Raises
    ------
    SettingsError if it does not.
    """
    check_may_be_off(snapshot_flags)
    return Scope(Level.OFF, checked=_CHECKED)


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
