"""A part of a snapshot that answers like a whole one: every statement of this package reads its patients alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from numpy.typing import NDArray

from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import quote


@dataclass(frozen=True)
class PartOfSnapshot(Snapshot):
    """Some patients of a snapshot, in place of the table of all patients."""

    @classmethod
    def of(cls, snapshot: Snapshot, **chosen: Any) -> Self:
        """The part of a snapshot; `chosen` are the fields of the kind of part."""
        return cls(**{one.name: getattr(snapshot, one.name) for one in fields(Snapshot)}, **chosen)

    def fetch_columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> dict[str, NDArray[Any]]:
        """As of a snapshot."""
        return super().fetch_columns(f"WITH patient AS ({self._select()}) {sql}", self._bind(parameters))

    def fetch_rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As of a snapshot."""
        return super().fetch_rows(f"WITH patient AS ({self._select()}) {sql}", self._bind(parameters))

    def _bind(self, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
        return {**(parameters or {}), **self._parameters()}

    def _select(self) -> str:
        """The patients, read from `main.patient`."""
        raise NotImplementedError

    def _parameters(self) -> Mapping[str, Any]:
        """Values of `_select`."""
        raise NotImplementedError


@dataclass(frozen=True)
class StrataOfSnapshot(PartOfSnapshot):
    """The patients of some strata.

    Attributes
    ----------
    strata : the variable.
    names : its values.
    """

    strata: str = ""
    names: Sequence[str] = ()

    def _select(self) -> str:
        return f"SELECT * FROM main.patient WHERE {quote(self.strata)}::VARCHAR IN (SELECT unnest($these_strata))"

    def _parameters(self) -> Mapping[str, Any]:
        return {"these_strata": list(self.names)}
