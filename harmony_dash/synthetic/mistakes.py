"""Rows that are wrong on purpose, so that a quarantine has something to find.

They come on top of the patients asked for, about one in a hundred, and every kind below must be refused. Some are made
in the canonical values before they are written, some in the written cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

import numpy as np
import pandas as pd

from harmony_dash.synthetic.native import Cells


class Mistake(StrEnum):
    """Kinds of planted mistakes; the value is how the README calls them."""

    DUPLICATE_ID = "identifier used for two patients"
    UNKNOWN_WORD = "unknown code for sex"
    NOT_A_NUMBER = "white cell count that is not a number"
    IMPOSSIBLE_DATE = "impossible date of diagnosis"
    AGE = "age beyond 110 years"
    WHITE_CELLS = "white cell count beyond 1,500 ×10⁹/L"
    NEGATIVE_TIME = "last contact before diagnosis"
    LATE_EVENT = "relapse after the last contact"
    DEATH_BEFORE_RELAPSE = "death before relapse"
    EARLY_RELAPSE = "relapse before remission"
    NO_OUTCOME = "last contact missing"
    MRD = "MRD above 100 % of cells"


SHARE = 0.01
"""Planted rows per patient."""
_MINIMUM = 3


@dataclass(frozen=True)
class Planted:
    """One bad row: where it ended up and what is wrong."""

    source: str
    patient: str
    mistake: Mistake


def plan_mistakes(patients: int, kinds: Sequence[Mistake]) -> list[Mistake]:
    """The mistakes for a source of that many patients, one entry a row; duplicates come as two rows."""
    wanted = max(_MINIMUM, round(patients * SHARE))
    plan: list[Mistake] = []
    for kind in cycle(kinds):
        if len(plan) >= wanted:
            break
        plan += [kind] * (2 if kind is Mistake.DUPLICATE_ID else 1)
    return plan


def spoil_rows(frame: pd.DataFrame, kinds: Cells) -> pd.DataFrame:
    """Make the mistakes that live in canonical values; `kinds` holds a `Mistake` or None a row."""
    spoiled = frame.astype({"last_contact_days": np.float64})
    for kind, spoil in _IN_VALUES.items():
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            spoil(spoiled, pd.Index(rows))
    return spoiled


def _set(frame: pd.DataFrame, rows: pd.Index[int], **values: str | float | None) -> None:
    for name, value in values.items():
        column = frame[name].to_numpy(copy=True)
        column[rows] = value
        frame[name] = column


def _relapse(frame: pd.DataFrame, rows: pd.Index[int], day: int, last: int, died: bool) -> None:
    _set(frame, rows, cr_status="CR1", cr_days=33.0, first_event="relapse", first_event_days=float(day),
         death="yes" if died else "no", death_days=float(last) if died else np.nan, last_contact_days=float(last),
         cause_death="leukaemia" if died else None, hsct_cr1="no", hsct_days=np.nan, randomised="no", rand_arm=None,
         rand_days=np.nan, relapse_site="BM")


def _spoil_time(frame: pd.DataFrame, rows: pd.Index[int]) -> None:
    _set(frame, rows, first_event="none", first_event_days=np.nan, death="no", death_days=np.nan,
         last_contact_days=-45.0, cause_death=None)


_IN_VALUES: Mapping[Mistake, Callable[[pd.DataFrame, pd.Index[int]], None]] = {
    Mistake.AGE: lambda frame, rows: _set(frame, rows, age_dx_years=437.0),
    Mistake.WHITE_CELLS: lambda frame, rows: _set(frame, rows, wbc_dx=24_300.0),
    Mistake.NEGATIVE_TIME: _spoil_time,
    Mistake.LATE_EVENT: lambda frame, rows: _relapse(frame, rows, 1_400, 900, died=False),
    Mistake.DEATH_BEFORE_RELAPSE: lambda frame, rows: _relapse(frame, rows, 760, 410, died=True),
    Mistake.EARLY_RELAPSE: lambda frame, rows: _relapse(frame, rows, 12, 1_100, died=False),
    Mistake.NO_OUTCOME: lambda frame, rows: _set(frame, rows, first_event="none", first_event_days=np.nan, death="no",
                                                 death_days=np.nan, last_contact_days=np.nan,
                                                 cause_death=None),
    Mistake.MRD: lambda frame, rows: _set(frame, rows, mrd_eoi_status="quantified", mrd_eoi_value=7.5),
}

_IN_CELLS: Mapping[Mistake, str] = {
    Mistake.UNKNOWN_WORD: "??", Mistake.NOT_A_NUMBER: "??", Mistake.IMPOSSIBLE_DATE: "99-99-2009"}


def spoil_cells(cells: Mapping[str, Cells], kinds: Cells, targets: Mapping[str, str]) -> None:
    """Make the mistakes that live in written cells, in place.

    Parameters
    ----------
    cells : column heading to cells.
    kinds : a `Mistake` or None a row.
    targets : heading by variable.
    """
    variable = {Mistake.UNKNOWN_WORD: "sex", Mistake.NOT_A_NUMBER: "wbc_dx", Mistake.IMPOSSIBLE_DATE: "dx_year"}
    for kind, text in _IN_CELLS.items():
        heading = targets.get(variable[kind], "")
        if heading in cells:
            cells[heading][kinds == kind] = text

