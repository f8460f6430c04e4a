"""The questions behind a Table 1 and a map of outcomes, as values that a receipt can keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from harmony_dash.cohort.canonical import TableQuestion
from harmony_dash.cohort.question import Question
from harmony_dash.cohort.subgroup_question import FIVE_YEARS

MRD_COLUMNS: Final = "mrd_eoi_band"


@dataclass(frozen=True)
class TableOneQuestion(TableQuestion):
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


@dataclass(frozen=True)
class OutcomeMapQuestion(TableQuestion):
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
