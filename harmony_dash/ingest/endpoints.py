"""The canonical event record, and the endpoints computed from it.

A provider gives the record directly (`first_event`, its day, death, last contact) or its parts (relapse, treatment
failure, second malignancy, death, each with a day); where both are given they must agree. Endpoints are never imported:
they are computed here from one record, so that two of them cannot contradict each other. Day 0 is diagnosis.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero
from harmony_dash.ingest.issues import Problem, Reason, Severity

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

DEATHS = ("induction_death", "death_in_cr")

# On one day the first of these counts: no remission is ever reached after a treatment failure, and progression comes
# before the death it may have led to.
PRECEDENCE = ("treatment_failure", "relapse", "smn", "death")

_EVENT_WORDS: Mapping[str, str] = {"treatment_failure": "treatment failure", "relapse": "a relapse",
                                   "smn": "a second malignancy", "death": "a death"}


# -- the record ----------------------------------------------------------------------------------------------------


def build_event_record(frame: pd.DataFrame,
                       mapped: Container[str] | None = None) -> tuple[pd.DataFrame, list[Problem]]:
    """Complete the event record from what the source maps.

    What is mapped matters: an unmapped flag is read from its day, a mapped flag that is missing in a row is a problem.

    Parameters
    ----------
    frame : harmonised variables, one patient a row; not changed.
    mapped : the variables the source supplies; by default the columns of the frame.

    Returns
    -------
    A copy with `first_event`, `first_event_days`, `death`, `death_days` and `last_contact_days`, and the problems met.

    Notes
    -----
    - `first_event` is missing throughout if neither it nor anything about relapse is mapped.
    - Without `cr_status`, a missing `cr_days` means that remission was not reached.
    - A death on an unknown remission status counts as `death_in_cr`, with a warning; every endpoint that starts at
      remission leaves such patients out, and the others do not tell the two deaths apart.
    - A missing last contact of someone who died is the day of death.
    - Parts beside a first event given directly are only compared with it: they are dropped later, so this is the place.
    """
    problems: list[Problem] = []
    given = frame[[name for name in frame.columns if mapped is None or name in mapped]]
    death, death_days, last = _complete_death(given)
    if "first_event" in given:
        event, event_days = _codes(given, "first_event"), _days(given, "first_event_days")
        # A death as first event and the death are one event.
        fill = _is_in(event, *DEATHS) & np.isnan(event_days) & (death == "yes")
        event_days = np.where(fill, death_days, event_days)
        _compare_with_parts(given, event, event_days, problems)
    elif "relapse" in given or "relapse_days" in given:
        event, event_days = _first_event_from_parts(given, death, death_days, problems)
    else:
        event, event_days = np.full(len(frame), None, dtype=object), np.full(len(frame), np.nan)
    record = {
        "first_event": pd.Series(event, index=frame.index, dtype=object),
        "first_event_days": _int64(event_days, frame.index),
        "death": pd.Series(death, index=frame.index, dtype=object),
        "death_days": _int64(death_days, frame.index),
        "last_contact_days": _int64(last, frame.index),
    }
    return frame.assign(**record), problems


def _codes(frame: pd.DataFrame, name: str) -> Objects:
    if name not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[name].to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values


def _is_in(values: Objects, *codes: str) -> Mask:
    return np.asarray(pd.Series(values, dtype=object).isin(codes), dtype=np.bool_)


def _days(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _int64(values: Floats, index: pd.Index[Any]) -> pd.Series[Any]:
    missing = np.isnan(values)
    return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing), index=index)


def _complete_death(frame: pd.DataFrame) -> tuple[Objects, Floats, Floats]:
    """Death, its day, and the last contact, each from the others where the source does not map it."""
    days, last = _days(frame, "death_days"), _days(frame, "last_contact_days")
    if "death" in frame:
        death = _codes(frame, "death")
    elif "death_days" in frame:
        death = np.where(np.isnan(days), "no", "yes").astype(object)
    else:
        # Without a word on death only a death as first event, or no event at all, says anything.
        event = _codes(frame, "first_event")
        death = np.full(len(frame), None, dtype=object)
        death[_is_in(event, *DEATHS)] = "yes"
        death[event == "none"] = "no"
    died = np.asarray(death == "yes", dtype=np.bool_)
    if "death_days" not in frame:
        days = np.where(died, last, np.nan)
    last = np.where(np.isnan(last) & died, days, last)
    return death, days, last


def _first_event_from_parts(frame: pd.DataFrame, death: Objects, death_days: Floats,
                            problems: list[Problem]) -> tuple[Objects, Floats]:
    """Which event came first, and when.

    A missing day is no obstacle where the event is the only one besides death, which comes last.
    """
    happened: dict[str, Mask] = {"death": np.asarray(death == "yes", dtype=np.bool_)}
    days = {"death": death_days}
    unknown = np.asarray(pd.isna(death), dtype=np.bool_)
    for name in PRECEDENCE[:-1]:
        happened[name], days[name], missing = _read_part(frame, name, problems)
        unknown |= missing
    others = np.sum([happened[name] for name in PRECEDENCE[:-1]], axis=0, dtype=np.int64)
    undated = np.logical_or.reduce([happened[name] & np.isnan(days[name]) for name in PRECEDENCE[:-1]])
    order_unknown = ~unknown & (others > 1) & undated
    _report(problems, order_unknown, Reason.EVENT_TIME, "first_event",
            "several events happened and a day is missing, so that the first cannot be told")
    # An undated event that is alone besides death comes first: -1 sorts before every day.
    order = np.stack([np.where(~happened[name], np.inf, np.where(np.isnan(days[name]), _undated(name), days[name]))
                      for name in PRECEDENCE], axis=1)
    first = np.argmin(order, axis=1)
    none = ~np.logical_or.reduce(list(happened.values()))
    names = np.array(PRECEDENCE, dtype=object)[first]
    event_days = np.stack([days[name] for name in PRECEDENCE], axis=1)[np.arange(len(frame)), first]
    is_death = ~none & (names == "death")
    names[is_death] = _kind_of_death(frame, np.asarray(is_death, dtype=np.bool_), problems)[is_death]
    names[none] = "none"
    names[unknown | order_unknown] = None
    return names, np.where(none | unknown | order_unknown, np.nan, event_days)


def _undated(name: str) -> float:
    return np.finfo(np.float64).max if name == "death" else -1.0


def _read_part(frame: pd.DataFrame, name: str, problems: list[Problem]) -> tuple[Mask, Floats, Mask]:
    """Whether an event happened, when, and where that is not known."""
    days, words = _days(frame, f"{name}_days"), _EVENT_WORDS[name]
    dated = ~np.isnan(days)
    if name not in frame:
        return dated, days, np.zeros(len(frame), dtype=np.bool_)
    flag = _codes(frame, name)
    yes, missing = np.asarray(flag == "yes", dtype=np.bool_), np.asarray(pd.isna(flag), dtype=np.bool_)
    contradiction = dated & np.asarray(flag == "no", dtype=np.bool_)
    _report(problems, contradiction, Reason.EVENT_TIME, f"{name}_days", f"a day of {words} that did not happen")
    _report(problems, missing & dated, Reason.EVENT_TIME, name, f"a day of {words}, but not whether it happened")
    _report(problems, missing & ~dated, Reason.REQUIRED_MISSING, name, f"not known whether there was {words}")
    return yes, np.where(yes, days, np.nan), missing | contradiction


def _compare_with_parts(frame: pd.DataFrame, event: Objects, event_days: Floats, problems: list[Problem]) -> None:
    """Report parts that contradict a first event given directly.

    A part happened if its flag says so, or if it has a day and no flag. Death is compared with every record, however
    it came about, in `checks`.
    """
    death_first, no_event = _is_in(event, *DEATHS), _is_in(event, "none")
    event_days = np.where(pd.isna(event) | no_event, np.nan, event_days)
    for name in PRECEDENCE[:-1]:
        flag, days, words = _codes(frame, name), _days(frame, f"{name}_days"), _EVENT_WORDS[name]
        flagged, flag_or_day, itself = name in frame, name if name in frame else f"{name}_days", _is_in(event, name)
        dated, refuted = ~np.isnan(days), _is_in(flag, "no")
        happened = _is_in(flag, "yes") | (dated & ~refuted)
        earlier, later = days < event_days, days > event_days
        if flagged:
            _report(problems, dated & refuted, Reason.EVENT_TIME, f"{name}_days",
                    f"a day of {words} that did not happen")
            _report(problems, itself & refuted, Reason.EVENT_TIME, name,
                    f"the first event is {words} that did not happen")
        _report(problems, itself & happened & (earlier | later), Reason.EVENT_TIME, f"{name}_days",
                f"the first event is {words}, yet that is on another day")
        _report(problems, ~itself & happened & earlier, Reason.TEMPORAL_ORDER, f"{name}_days",
                f"{words} before the first event")
        _report(problems, happened & no_event, Reason.EVENT_TIME, flag_or_day, f"{words}, yet there is no first event")
        # What comes after death is reported as that; on the same day `PRECEDENCE` puts death last.
        _report(problems, happened & death_first & ~earlier & ~later, Reason.EVENT_TIME, flag_or_day,
                f"{words}, yet the first event is a death")


def _kind_of_death(frame: pd.DataFrame, is_death: Mask, problems: list[Problem]) -> Objects:
    remission = remission_of(frame)
    refuted = remission.refuted
    if "cr_days" in frame and "cr_status" not in frame:
        refuted = ~remission.reached
    kinds = np.where(refuted, "induction_death", "death_in_cr").astype(object)
    _report(problems, is_death & ~remission.reached & ~refuted, Reason.REQUIRED_MISSING, "cr_status",
            "a death without word on remission counts as death in remission; endpoints from remission leave it out",
            Severity.WARNING)
    return kinds


def _report(problems: list[Problem], mask: Mask, reason: Reason, variable: str, message: str,
            severity: Severity = Severity.ERROR) -> None:
    if mask.any():
        problems.append(Problem(rows=mask, reason=reason, message=message, variable=variable, severity=severity))


# -- remission -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Remission:
    """Per patient: remission reached, remission known not to be reached, and its day (NaN if not known)."""

    reached: Mask
    refuted: Mask
    days: Floats


def remission_of(frame: pd.DataFrame) -> Remission:
    """Remission from `cr_status`, or from `cr_days` where the status is missing; neither may be known."""
    status, days = _codes(frame, "cr_status"), _days(frame, "cr_days")
    refuted = _is_in(status, "noCR", "early_death")
    reached = np.asarray(status == "CR1", dtype=np.bool_) | (~refuted & ~np.isnan(days))
    return Remission(reached, refuted, days)


# -- endpoints -----------------------------------------------------------------------------------------------------


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
        return _is_in(self.event, *codes)

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
    record = _Record(_codes(frame, "first_event"), _days(frame, "first_event_days"), _codes(frame, "death"),
                     _days(frame, "death_days"), _days(frame, "last_contact_days"), remission_of(frame))
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
