"""The questions behind a Table 1 and a map of outcomes, as values that a receipt can keep."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS

MRD_COLUMNS: Final = "mrd_eoi_band"


@dataclass(frozen=True)
class TableOneQuestion:
    """Who is in a cohort, by group?

    Attributes
    ----------
    cohort : the patients, by the variable that makes the columns or by none.
    variables : what describes them; empty for those the dictionary offers.
    """

    cohort: Question
    variables: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"table_one": self.cohort.to_json(), "variables": list(self.variables)}

    @property
    def canonical_json(self) -> str:
        """The one text of this question: sorted keys, no spaces."""
        return _canonical(self.to_json())

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that equal questions share."""
        return _fingerprint(self.canonical_json)

    @property
    def for_the_record(self) -> str:
        """As the audit trail keeps it beside the questions that it is made of, which are what counts."""
        return f"table {self.fingerprint} {self.canonical_json}"


@dataclass(frozen=True)
class OutcomeMapQuestion:
    """How do patients do by two things at once?

    Attributes
    ----------
    cohort : the patients, by the variable of the rows.
    columns : the other variable.
    at_days : day of the estimates after time zero, or the landmark.
    """

    cohort: Question
    columns: str = MRD_COLUMNS
    at_days: int = FIVE_YEARS

    def to_json(self) -> dict[str, Any]:
        """JSON-able form."""
        return {"outcome_map": self.cohort.to_json(), "columns": self.columns, "at_days": self.at_days}

    @property
    def canonical_json(self) -> str:
        """The one text of this question: sorted keys, no spaces."""
        return _canonical(self.to_json())

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that equal questions share."""
        return _fingerprint(self.canonical_json)

    @property
    def for_the_record(self) -> str:
        """As the audit trail keeps it beside the questions that it is made of, which are what counts."""
        return f"table {self.fingerprint} {self.canonical_json}"


def _canonical(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
