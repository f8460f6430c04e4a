"""A part of a snapshot that answers like a whole one: every statement of this package reads its patients alone.

Parts nest: a part of a part reads from that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from numpy.typing import NDArray

from harmony_dash.cohort.question import Question
from harmony_dash.store.conditions import entry_day
from harmony_dash.store.reader import Snapshot
from harmony_dash.store.schema import quote


@dataclass(frozen=True)
class PartOfSnapshot(Snapshot):
    """Some patients of a snapshot, in place of the table of all patients.

    Attributes
    ----------
    whole : the part that this is a part of; None of the snapshot itself.
    """

    whole: PartOfSnapshot | None = field(default=None, kw_only=True)

    @classmethod
    def of(cls, snapshot: Snapshot, **chosen: Any) -> Self:
        """The part of a snapshot or of another part; `chosen` are the fields of the kind of part."""
        whole = snapshot if isinstance(snapshot, PartOfSnapshot) else None
        kept = {one.name: getattr(snapshot, one.name) for one in fields(Snapshot)}
        return cls(**{**kept, "whole": whole, **chosen})

    def fetch_columns(self, sql: str, parameters: Mapping[str, Any] | None = None) -> dict[str, NDArray[Any]]:
        """As of a snapshot."""
        return super().fetch_columns(f"WITH patient AS ({self.select()}) {sql}", {**(parameters or {}), **self.bound()})

    def fetch_rows(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """As of a snapshot."""
        return super().fetch_rows(f"WITH patient AS ({self.select()}) {sql}", {**(parameters or {}), **self.bound()})

    def source(self) -> str:
        """What `select` reads from."""
        return f"({self.whole.select()})" if self.whole is not None else "main.patient"

    def bound(self) -> dict[str, Any]:
        """Values of the statement of this part and of those it is a part of."""
        return {**(self.whole.bound() if self.whole is not None else {}), **self.parameters()}

    def depth(self) -> int:
        """How many parts this is in, for names of parameters that do not meet."""
        return 0 if self.whole is None else 1 + self.whole.depth()

    def select(self) -> str:
        """The statement that gives the patients, from `source`."""
        raise NotImplementedError

    def parameters(self) -> Mapping[str, Any]:
        """Values of `select` alone."""
        return {}


@dataclass(frozen=True)
class StrataOfSnapshot(PartOfSnapshot):
    """The patients of some strata.

    Attributes
    ----------
    strata : the variable.
    names : its values.
    """

    strata: str
    names: Sequence[str]

    def select(self) -> str:
        """As of a part."""
        return f"SELECT * FROM {self.source()} WHERE {quote(self.strata)}::VARCHAR IN (SELECT unnest(${self._name()}))"

    def parameters(self) -> Mapping[str, Any]:
        """As of a part."""
        return {self._name(): list(self.names)}

    def _name(self) -> str:
        return f"these_strata_{self.depth()}"


@dataclass(frozen=True)
class UnderObservation(PartOfSnapshot):
    """The patients who were under observation when the clock of a question starts.

    Attributes
    ----------
    question : with its landmark.
    """

    question: Question

    def select(self) -> str:
        """As of a part."""
        return (f"SELECT * FROM {self.source()} "
                f"WHERE coalesce({entry_day(self.question)} <= {self.question.landmark_days:d}, true)")


def under_observation(snapshot: Snapshot, question: Question) -> Snapshot:
    """The snapshot without those who came under observation after the clock of the question starts."""
    return UnderObservation.of(snapshot, question=question, late_entry=False) if snapshot.late_entry else snapshot
