"""The published cohorts and their R values, which live outside the repository and are never copied into it.

A test that needs them skips when the folder is absent: set HARMONY_SHARED, or put it beside the project.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harmony_dash.stats.event_table import EventTable

SHARED = Path(os.environ.get("HARMONY_SHARED", Path(__file__).parents[2] / ".." / "shared")) / "data"
needs_shared = pytest.mark.skipif(not (SHARED / "reference" / "reference.R").is_file(),
                                  reason="the published cohorts are not here: set HARMONY_SHARED to their folder")
Row = dict[str, str]


@dataclass(frozen=True)
class SharedCohort:
    """One row a patient, times in whole units of 1/scale of the file's own unit.

    `cause` is 0 censored, 1 event, or with `competing` 1 the cause of interest and 2 any other. An empty label is a
    missing value.
    """

    scale: int
    day: np.ndarray[Any, np.dtype[np.int64]]
    cause: np.ndarray[Any, np.dtype[np.int64]]
    group: tuple[str, ...]
    stratum: tuple[str, ...]
    competing: bool
    entry: np.ndarray[Any, np.dtype[np.int64]] | None = None

    def everybody(self) -> EventTable:
        """Return the table of all patients as one group."""
        return EventTable.from_patients(self.day, self.cause, entry=self.entry, causes=self._causes)

    def grouped(self, *, strata: bool = False) -> EventTable:
        """Return the table of the patients whose group is known."""
        known = np.array([label != "" for label in self.group])
        stratum = [s for s, k in zip(self.stratum, known, strict=True) if k] if strata else None
        entry = None if self.entry is None else self.entry[known]
        return EventTable.from_patients(self.day[known], self.cause[known], group=[g for g in self.group if g],
                                        stratum=stratum, entry=entry, causes=self._causes)

    @property
    def _causes(self) -> tuple[str, ...]:
        return ("1", "2") if self.competing else ("event",)


@cache
def load_reference(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SHARED / "reference" / f"{name}.json").read_text())
    return loaded


def read_rows(name: str) -> list[Row]:
    with (SHARED / "real" / f"{name}.csv").open(newline="") as file:
        return [{key: "" if value in ("NA", "?") else value for key, value in row.items()}
                for row in csv.DictReader(file)]


def numbers(values: Sequence[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return R's values with NaN where R has none."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _cohort(rows: list[Row], day: str | Callable[[Row], str], cause: Callable[[Row], int],
            group: Callable[[Row], str] = lambda row: "", stratum: Callable[[Row], str] = lambda row: "", *,
            scale: int = 1, competing: bool = False, entry: Callable[[Row], int] | None = None) -> SharedCohort:
    times = np.array([float(row[day] if isinstance(day, str) else day(row)) for row in rows]) * scale
    if not np.allclose(times, np.rint(times), atol=1e-6):
        raise ValueError("the scale does not make the times whole")
    return SharedCohort(scale, np.rint(times).astype(np.int64), np.array([cause(row) for row in rows], dtype=np.int64),
                        tuple(group(row) for row in rows), tuple(stratum(row) for row in rows), competing,
                        None if entry is None else np.array([entry(row) for row in rows], dtype=np.int64))


def _first(row: Row, interest: str, other: str) -> int:
    return 1 if row[interest] == "1" else 2 * int(row[other])


@cache
def load_shared(name: str) -> SharedCohort:
    """Load a cohort as reference.R defines its event, group and strata; competing causes where it has them."""
    return _LOADERS[name]()


def _bmt137() -> SharedCohort:
    return _cohort(read_rows("bmt137"), "t2", lambda r: _first(r, "d2", "d1"), _bmt137_group, lambda r: "H" + r["z9"],
                   competing=True)


def _bmt137_group(row: Row) -> str:
    return {"1": "ALL", "2": "AMLlow", "3": "AMLhigh"}[row["group"]]


def _bmt137_late() -> SharedCohort:
    rows = [r for r in read_rows("bmt137") if r["dp"] == "1" and int(r["tp"]) < int(r["t2"])]
    return _cohort(rows, "t2", lambda r: int(r["d3"]), _bmt137_group, entry=lambda r: int(r["tp"]))


def _ebmt3(scale: int) -> SharedCohort:
    def day(row: Row) -> str:
        return row["rfstime"] if scale > 1 else str(round(float(row["rfstime"])))
    return _cohort(read_rows("ebmt3"), day, lambda r: int(r["rfsstat"]), lambda r: r["dissub"], lambda r: r["age"],
                   scale=scale)


def _ebmt1(time: str = "rel") -> SharedCohort:
    return _cohort(read_rows("ebmt1"), time, lambda r: _first(r, "relstat", "srvstat"),
                   lambda r: r["score"].removesuffix(" risk"), scale=2, competing=True)


def _amlsg_rfs() -> SharedCohort:
    return _cohort([r for r in read_rows("amlsg_raw") if r["rfs"] and r["cuminc"]], "rfs", lambda r: int(r["cuminc"]),
                   lambda r: r["M_Risk"], competing=True)


_LOADERS: dict[str, Callable[[], SharedCohort]] = {
    "bmt137": _bmt137,
    "bmt137 late entry": _bmt137_late,
    # Two patients are censored 0.030425 days after time zero; 40,000 units a day make their time whole.
    "ebmt3": lambda: _ebmt3(40_000),
    "ebmt3 whole days": lambda: _ebmt3(1),
    "ebmt1": _ebmt1,
    "ebmt1 death": lambda: _cohort(read_rows("ebmt1"), "srv", lambda r: int(r["srvstat"]),
                                   lambda r: r["score"].removesuffix(" risk"), scale=2),
    "amlsg": lambda: _cohort(read_rows("amlsg_raw"), "OS", lambda r: int(r["Status"]), lambda r: r["M_Risk"],
                             lambda r: r["Study"]),
    "amlsg remission": _amlsg_rfs,
    "mgus2": lambda: _cohort(read_rows("mgus2"), lambda r: r["ptime" if r["pstat"] == "1" else "futime"],
                             lambda r: _first(r, "pstat", "death"), lambda r: r["sex"], competing=True),
    "bmt35": lambda: _cohort(read_rows("bmt35"), "ftime", lambda r: int(r["status"]),
                             lambda r: ("ALL", "AML")[int(r["dis"])], competing=True),
    "bmtcrr177": lambda: _cohort(read_rows("bmtcrr177"), "ftime", lambda r: int(r["Status"]), lambda r: r["D"],
                                 scale=100, competing=True),
    "timereg_bmt408": lambda: _cohort(read_rows("timereg_bmt408"), "time", lambda r: int(r["cause"]),
                                      lambda r: r["platelet"], lambda r: r["tcell"], scale=1000, competing=True),
    "gehan": lambda: _cohort(read_rows("gehan"), "time", lambda r: int(r["cens"]), lambda r: r["treat"],
                             lambda r: r["pair"]),
    "myeloid": lambda: _cohort(read_rows("myeloid"), "futime", lambda r: int(r["death"]), lambda r: r["trt"],
                               lambda r: r["sex"]),
    "uci_bmt_children": lambda: _cohort(read_rows("uci_bmt_children_numeric"), "survival_time",
                                        lambda r: int(r["survival_status"]), lambda r: r["Disease"],
                                        lambda r: r["Riskgroup"]),
}
