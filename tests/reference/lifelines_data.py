"""Patients of data sets that come with lifelines; causes and entry days are made up where they have none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import datasets

from harmony_dash.stats.event_table import EventTable, Ints

NAMES = ("gbsg2", "larynx", "leukemia", "lung", "rossi", "rossi_quarters", "waltons")


@dataclass(frozen=True)
class Cohort:
    """One row a patient: whole day, cause (0 censored), labels, and a day of entry before it for those who have one."""

    day: Ints
    cause: Ints
    group: tuple[str, ...]
    stratum: tuple[str, ...]
    entry: Ints

    def table(self, *, strata: bool = False) -> EventTable:
        return EventTable.from_patients(self.day, self.cause, group=self.group, causes=self.causes,
                                        stratum=self.stratum if strata else None)

    def late_table(self) -> EventTable:
        kept = np.flatnonzero(self.entry < self.day)
        return EventTable.from_patients(self.day[kept], self.cause[kept], group=[self.group[i] for i in kept],
                                        causes=self.causes, entry=self.entry[kept])

    @property
    def causes(self) -> tuple[str, ...]:
        return tuple(f"cause{k}" for k in range(1, int(self.cause.max()) + 1))


def load_cohort(name: str) -> Cohort:
    """Causes are split and entries set by arithmetic on a covariate, so that they never change."""
    if name == "waltons":
        x = datasets.load_waltons()
        return _cohort(x["T"], x["E"] * (1 + np.arange(len(x)) % 2), x["group"], x["T"] % 3)
    if name == "lung":
        x = datasets.load_lung()
        return _cohort(x["time"], x["status"] * (1 + x["age"] % 3), x["sex"], x["ph.ecog"].fillna(-1).astype(int))
    if name == "larynx":
        x = datasets.load_larynx()
        stage = 1 + x["Stage_II"] + 2 * x["Stage_III"] + 3 * x["Stage_IV"]
        return _cohort(10 * x["time"], x["death"] * (1 + x["age"] % 2), stage, x["age"] // 20)
    if name == "gbsg2":
        x = datasets.load_gbsg2()
        return _cohort(x["time"], x["cens"] * (1 + x["pnodes"] % 2), x["tgrade"], x["horTh"])
    if name == "leukemia":
        x = datasets.load_leukemia()
        return _cohort(x["t"], x["status"] * (1 + (10 * x["logWBC"]).astype(int) % 2), x["Rx"], x["sex"])
    x = datasets.load_rossi()
    # Quarters of 13 weeks: hardly any two patients differ, and the first quarter is day 0.
    weeks = x["week"] // 13 if name == "rossi_quarters" else x["week"]
    return _cohort(weeks, x["arrest"] * (1 + x["age"] % 2), np.minimum(x["prio"], 6) // 3, x["fin"])


def _cohort(day: pd.Series, cause: pd.Series, group: pd.Series, stratum: pd.Series) -> Cohort:
    days = np.rint(np.asarray(day, dtype=np.float64)).astype(np.int64)
    entry = (np.arange(len(days)) * 7) % (int(np.median(days)) // 2 + 1)
    # Prefixes keep R and Python from reading a label as a number.
    return Cohort(days, np.asarray(cause, dtype=np.int64), tuple(f"g{g}" for g in group),
                  tuple(f"s{s}" for s in stratum), entry)
