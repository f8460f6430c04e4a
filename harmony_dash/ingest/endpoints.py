"""The endpoints, computed from the event record.

Endpoints are never imported: they are computed here from one record, so that two of them cannot contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero
from harmony_dash.ingest.event_record import Floats, Mask, Objects, Remission, codes_in, days_in, is_in, remission_of


@dataclass(frozen=True, eq=False)
class _Record:
    """The event record as arrays; NaN and None are missing."""

    event: Objects
    event_days: Floats
    death: Objects
    death_days: Floats
    last: Floats
    remission: Remission

    def is_event(self, *codes: str) -> Mask:
        return is_in(self.event, *codes)

    @property
    def has_event(self) -> Mask:
        return np.asarray(~pd.isna(self.event) & ~self.is_event("none"), dtype=np.bool_)

    @property
    def exit(self) -> Floats:
        """Day of the first event, or of the last contact without one; NaN if not known."""
        days = np.where(self.has_event, self.event_days, self.last)
        return np.where(pd.isna(self.event), np.nan, days)


# For the endpoints that start from the first event: which first events are cause 1, 2, … ; all others censor.
_CAUSES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "efs": (("induction_death", "treatment_failure", "relapse", "death_in_cr", "smn"),),
    "efs_tf0": (("induction_death", "treatment_failure", "relapse", "death_in_cr", "smn"),),
    "rfs": (("relapse", "death_in_cr"),),
    "relapse": (("relapse",), ("death_in_cr",), ("smn",)),
    "relapse_1km": (("relapse",),),
    "trm": (("death_in_cr",), ("relapse",), ("smn",)),
    "smn": (("smn",), ("induction_death", "treatment_failure", "relapse", "death_in_cr")),
}


def compute_endpoints(frame: pd.DataFrame, not_recorded: Mapping[str, str]) -> pd.DataFrame:
    """Add time, cause and exclusion of every endpoint.

    Parameters
    ----------
    frame : with a complete event record (see `build_event_record`) and, where known, `cr_status` and `cr_days`.
    not_recorded : endpoints the source cannot answer, with the reason; their rows are all excluded.

    Returns
    -------
    A copy with, per endpoint, `{name}_days` (Int32), `{name}_cause` (Int8; 0 censored, 1 the first of the endpoint's
    causes, …) and `{name}_excluded` (None or a code of `EXCLUSIONS`). Days and cause are missing exactly where the
    patient is excluded. A time before time zero is never given: such a day counts as unknown.
    """
    record = _Record(codes_in(frame, "first_event"), days_in(frame, "first_event_days"), codes_in(frame, "death"),
                     days_in(frame, "death_days"), days_in(frame, "last_contact_days"), remission_of(frame))
    added: dict[str, Any] = {}
    for name, endpoint in ENDPOINTS.items():
        days, cause = _overall(record) if name == "os" else _from_first_event(name, record)
        excluded = np.full(len(frame), None, dtype=object)
        if endpoint.time_zero is TimeZero.REMISSION:
            days = days - record.remission.days
            excluded = _exclude_without_remission(record)
        excluded[np.asarray(pd.isna(excluded)) & ~(days >= 0)] = "event_day_unknown"
        if name in not_recorded:
            excluded[:] = "not_recorded"
        missing = ~np.asarray(pd.isna(excluded), dtype=np.bool_)
        whole = np.where(missing, 0, days).astype(np.int32)
        added[f"{name}_days"] = pd.arrays.IntegerArray(whole, missing)
        added[f"{name}_cause"] = pd.arrays.IntegerArray(np.where(missing, 0, cause).astype(np.int8), missing.copy())
        added[f"{name}_excluded"] = pd.Series(excluded, index=frame.index, dtype=object)
    kept = frame.drop(columns=[column for column in added if column in frame.columns])
    return pd.concat([kept, pd.DataFrame(added, index=frame.index)], axis=1)


def _overall(record: _Record) -> tuple[Floats, Floats]:
    """Death from any cause, else last contact."""
    died = np.asarray(record.death == "yes", dtype=np.bool_)
    days = np.where(died, record.death_days, record.last)
    return np.where(pd.isna(record.death), np.nan, days), died.astype(np.float64)


def _from_first_event(name: str, record: _Record) -> tuple[Floats, Floats]:
    """Day, counted from diagnosis, and cause by the first event."""
    cause = np.zeros(len(record.event))
    for number, codes in enumerate(_CAUSES[name], start=1):
        cause[record.is_event(*codes)] = number
    days = record.exit
    if name == "efs_tf0":
        days = np.where(record.is_event("treatment_failure"), 0.0, days)
    return days, cause


def _exclude_without_remission(record: _Record) -> Objects:
    """Who never reached remission, or did so on an unknown day.

    A death in induction or a treatment failure as first event comes before any remission; what follows a later
    remission is not in the record.
    """
    excluded = np.full(len(record.event), None, dtype=object)
    excluded[np.isnan(record.remission.days)] = "remission_unknown"
    excluded[record.remission.refuted | record.is_event("induction_death", "treatment_failure")] = "no_remission"
    return excluded
