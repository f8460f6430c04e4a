"""Patients with two covariates and a trial, for Cox models: data that come with lifelines, and one made-up cohort.

Covariates, trials and entry days are made by arithmetic where a data set has none, so that they never change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from lifelines import datasets

from harmony_dash.stats.event_table import EventTable, Floats, Ints

NAMES: Final = ("gbsg2", "larynx", "leukemia", "lung", "made_up", "rossi", "rossi_quarters")
# Effects and standard errors to shrink: spread beyond chance, no spread at all, and one far away from the others.
SUBGROUPS: Final = {
    "spread": ((0.1, 0.5, -0.2, 0.9, 1.3, 0.4), (0.2, 0.3, 0.25, 0.2, 0.4, 0.15)),
    "no_spread": ((0.1, 0.15, 0.05, 0.12), (0.3, 0.2, 0.4, 0.25)),
    "outlier": ((-0.1, 0.0, 0.1, -0.05, 0.05, 2.0, 0.02), (0.1, 0.12, 0.2, 0.15, 0.3, 0.5, 0.11))}


@dataclass(frozen=True)
class CoxCohort:
    """One row a patient: whole day, cause (0 censored), labels, and a day of entry before it for those who have one."""

    day: Ints
    cause: Ints
    arm: tuple[str, ...]
    marker: tuple[str, ...]
    trial: tuple[str, ...]
    entry: Ints

    @property
    def arms(self) -> list[str]:
        return sorted(set(self.arm))

    @property
    def markers(self) -> list[str]:
        return sorted(set(self.marker))

    def table(self, *, strata: bool = False, late: bool = False) -> EventTable:
        """Return the table whose groups are "arm|marker"."""
        kept = np.flatnonzero(self.entry < self.day) if late else np.arange(len(self.day))
        return EventTable.from_patients(
            self.day[kept], self.cause[kept], group=[f"{self.arm[i]}|{self.marker[i]}" for i in kept],
            groups=[f"{a}|{m}" for a in self.arms for m in self.markers], causes=("first", "second"),
            stratum=[self.trial[i] for i in kept] if strata else None, entry=self.entry[kept] if late else None)

    def markers_alone(self, *, strata: bool = False) -> EventTable:
        """Return the table whose groups are the levels of the marker."""
        return EventTable.from_patients(self.day, self.cause, group=self.marker, causes=("first", "second"),
                                        stratum=self.trial if strata else None)

    def design(self, *, arm: bool = True, product: bool = False) -> tuple[Floats, list[str]]:
        """Return the design of `table` in R's order of columns, first labels being the reference."""
        arms, markers = self.arms[1:], self.markers[1:]
        of = [(a, m) for a in self.arms for m in self.markers]
        columns = [[float(a == other) for a, _ in of] for other in arms] if arm else []
        columns += [[float(m == other) for _, m in of] for other in markers]
        names = [f"arm{a}" for a in arms] * arm + [f"marker{m}" for m in markers]
        if product:
            columns += [[float(a == arms[0] and m == other) for a, m in of] for other in markers]
            names += [f"arm{arms[0]}:marker{m}" for m in markers]
        return np.array(columns).T, names


def load_cox_cohort(name: str) -> CoxCohort:
    if name == "made_up":
        return _made_up()
    if name == "lung":
        x = datasets.load_lung()
        ecog = np.minimum(x["ph.ecog"].fillna(1), 2).astype(int)
        return _cohort(x["time"], x["status"], x["age"], x["sex"], ecog, x["inst"].fillna(1) // 12)
    if name == "larynx":
        x = datasets.load_larynx()
        stage = 1 + x["Stage_II"] + 2 * x["Stage_III"] + 3 * x["Stage_IV"]
        return _cohort(10 * x["time"], x["death"], x["age"], x["age"] > 65, stage, x["age"] % 2)
    if name == "gbsg2":
        x = datasets.load_gbsg2()
        return _cohort(x["time"], x["cens"], x["pnodes"], x["horTh"], x["tgrade"], x["menostat"])
    if name == "leukemia":
        x = datasets.load_leukemia()
        return _cohort(x["t"], x["status"], x["t"], x["Rx"], x["sex"], x["logWBC"] > 3)
    x = datasets.load_rossi()
    # Quarters of 13 weeks: hardly any two patients differ, and the first quarter is day 0.
    weeks = x["week"] // 13 if name == "rossi_quarters" else x["week"]
    return _cohort(weeks, x["arrest"], x["age"], x["fin"], np.minimum(x["prio"], 8) // 2, x["race"])


def _cohort(day: pd.Series, event: pd.Series, other: pd.Series, arm: pd.Series, marker: pd.Series,
            trial: pd.Series) -> CoxCohort:
    days = np.rint(np.asarray(day, dtype=np.float64)).astype(np.int64)
    entry = (np.arange(len(days)) * 7) % (int(np.median(days)) // 2 + 1)
    cause = np.asarray(event, dtype=np.int64) * (1 + np.asarray(other, dtype=np.int64) % 2)
    # Prefixes keep R and Python from reading a label as a number.
    return CoxCohort(days, cause, tuple(f"a{a}" for a in arm), tuple(f"m{m}" for m in marker),
                     tuple(f"t{t}" for t in trial), entry)


def _made_up(patients: int = 1500) -> CoxCohort:
    """Five trials, the last with one arm; a marker that changes the effect of treatment; whole months."""
    number = np.arange(patients)
    # Multiples of an irrational number fill 0 to 1 evenly and are the same on every machine.
    draws = [np.modf((number + 1) * root)[0] for root in np.sqrt([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])]
    trial = (5 * draws[0]).astype(np.int64)
    arm = ((draws[1] < 0.3 + 0.1 * trial) & (trial < 4)).astype(np.int64)
    marker = np.searchsorted([0.5, 0.8], draws[2])
    hazard = 0.02 * np.exp(0.2 * trial - 0.3 * arm + 0.5 * (marker > 0) + 0.4 * arm * (marker == 2))
    event, end = -np.log(draws[3]) / hazard, 12 + 60 * draws[4]
    days = np.minimum(event, end).astype(np.int64)
    cause = (event <= end) * (1 + (draws[5] > 0.7))
    return _cohort(pd.Series(days), pd.Series((cause > 0).astype(int)), pd.Series(cause - 1), pd.Series(arm),
                   pd.Series(marker), pd.Series(trial))
