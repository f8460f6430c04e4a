"""The canonical event record: one first event, death and last contact a patient, however a provider tells them.

A provider gives the record directly (`first_event`, its day, death, last contact) or its parts (relapse, treatment
failure, second malignancy, death, each with a day); where both are given they must agree. Day 0 is diagnosis.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

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
        event, event_days = codes_in(given, "first_event"), days_in(given, "first_event_days")
        # A death as first event and the death are one event.
        fill = is_in(event, *DEATHS) & np.isnan(event_days) & (death == "yes")
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


def codes_in(frame: pd.DataFrame, name: str) -> Objects:
    """The codes of a variable, None where missing; all missing if there is no such column."""
    if name not in frame.columns:
        return np.full(len(frame), None, dtype=object)
    values = frame[name].to_numpy(dtype=object, copy=True)
    values[pd.isna(values)] = None
    return values


def is_in(values: Objects, *codes: str) -> Mask:
    """Where the value is one of the codes."""
    return np.asarray(pd.Series(values, dtype=object).isin(codes), dtype=np.bool_)


def days_in(frame: pd.DataFrame, name: str) -> Floats:
    """The days of a variable, NaN where missing; all missing if there is no such column."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _int64(values: Floats, index: pd.Index[Any]) -> pd.Series[Any]:
    missing = np.isnan(values)
    return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing), index=index)


def _complete_death(frame: pd.DataFrame) -> tuple[Objects, Floats, Floats]:
    """Death, its day, and the last contact, each from the others where the source does not map it."""
    days, last = days_in(frame, "death_days"), days_in(frame, "last_contact_days")
    if "death" in frame:
        death = codes_in(frame, "death")
    elif "death_days" in frame:
        death = np.where(np.isnan(days), "no", "yes").astype(object)
    else:
        # Without a word on death only a death as first event, or no event at all, says anything.
        event = codes_in(frame, "first_event")
        death = np.full(len(frame), None, dtype=object)
        death[is_in(event, *DEATHS)] = "yes"
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
    days, words = days_in(frame, f"{name}_days"), _EVENT_WORDS[name]
    dated = ~np.isnan(days)
    if name not in frame:
        return dated, days, np.zeros(len(frame), dtype=np.bool_)
    flag = codes_in(frame, name)
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
    death_first, no_event = is_in(event, *DEATHS), is_in(event, "none")
    event_days = np.where(pd.isna(event) | no_event, np.nan, event_days)
    for name in PRECEDENCE[:-1]:
        flag, days, words = codes_in(frame, name), days_in(frame, f"{name}_days"), _EVENT_WORDS[name]
        flagged, flag_or_day, itself = name in frame, name if name in frame else f"{name}_days", is_in(event, name)
        dated, refuted = ~np.isnan(days), is_in(flag, "no")
        happened = is_in(flag, "yes") | (dated & ~refuted)
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


@dataclass(frozen=True, eq=False)
class Remission:
    """Per patient: remission reached, remission known not to be reached, and its day (NaN if not known)."""

    reached: Mask
    refuted: Mask
    days: Floats


def remission_of(frame: pd.DataFrame) -> Remission:
    """Remission from `cr_status`, or from `cr_days` where the status is missing; neither may be known."""
    status, days = codes_in(frame, "cr_status"), days_in(frame, "cr_days")
    refuted = is_in(status, "noCR", "early_death")
    reached = np.asarray(status == "CR1", dtype=np.bool_) | (~refuted & ~np.isnan(days))
    return Remission(reached, refuted, days)
