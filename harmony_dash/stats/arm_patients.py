"""Patients of two arms, one row each: the one input of the package that is not an event table.

Standardisation, propensity scores and pseudo-values need covariates patient by patient. The rows stay on the server;
everything the methods return is counted, averaged or estimated over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from harmony_dash.errors import StatisticsError
from harmony_dash.stats.event_table import Floats, Ints


@dataclass(frozen=True)
class ArmPatients:
    """Patients of two arms, compared from one time zero on.

    Attributes
    ----------
    arms : labels of the reference arm and of the arm compared with it.
    names : shape (covariates,); names of the covariates.
    strata : labels of the trials or countries.
    causes : names of the event causes.
    day : shape (n,); whole days from time zero to event or end of follow-up.
    cause : shape (n,); 0 censored, 1 for the first cause, 2 for the next.
    arm : shape (n,); 0 for the reference, 1 for the arm compared with it.
    covariates : shape (n, covariates); known at time zero, nothing missing.
    modifiers : positions of the covariates that may change the effect of the arm.
    stratum : shape (n,); each stratum has its own baseline hazard, its own censoring and its own share of each arm.
    weight : shape (n,); how much each patient counts in the target population, 1 each when it is the patients' own.
    """

    arms: tuple[str, str]
    names: tuple[str, ...]
    strata: tuple[str, ...]
    causes: tuple[str, ...]
    day: Ints
    cause: Ints
    arm: Ints
    covariates: Floats
    modifiers: tuple[int, ...]
    stratum: Ints
    weight: Floats

    @classmethod
    def from_rows(cls, day: ArrayLike, cause: ArrayLike, arm: ArrayLike, covariates: ArrayLike,
                  names: Sequence[str], *, arms: tuple[str, str] = ("reference", "compared"),
                  modifiers: Sequence[str] = (), stratum: ArrayLike | None = None,
                  strata: Sequence[str] = ("all",), causes: Sequence[str] = ("event",),
                  weight: ArrayLike | None = None) -> ArmPatients:
        """Check rows and keep them.

        Parameters
        ----------
        modifiers : names of the covariates whose product with the arm enters outcome models.
        stratum : shape (n,) of positions in `strata`; everybody in the first when left out.
        others : as the attributes.

        Raises
        ------
        StatisticsError if an array has another length, a value is missing, negative or outside its labels, if a name
        comes twice, or if an arm has no patients.
        """
        given, values = np.asarray(day, dtype=np.float64), np.asarray(covariates, dtype=np.float64)
        n = len(given)
        codes = {"cause": (np.asarray(cause), len(causes) + 1), "arm": (np.asarray(arm), 2),
                 "stratum": (np.zeros(n, dtype=np.int64) if stratum is None else np.asarray(stratum), len(strata))}
        counts = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
        if values.ndim != 2 or any(len(part) != n for part in (values, counts, *(code for code, _ in codes.values()))):
            raise StatisticsError("every patient has one value of everything")
        if not (np.isfinite(given).all() and (given >= 0).all() and (given == np.rint(given)).all()):
            raise StatisticsError("a patient's last day is whole and not before time zero")
        for kind, (code, size) in codes.items():
            if not np.isin(code, np.arange(size)).all():
                raise StatisticsError(f"a patient's {kind} is not one of those named")
        if not np.isfinite(values).all():
            raise StatisticsError("a covariate is missing for some patients",
                                  remedy="leave these patients out, or impute the value")
        if not (np.isfinite(counts).all() and (counts > 0).all()):
            raise StatisticsError("a patient's weight is a positive number")
        if values.shape[1] != len(names) or len(set(names)) < len(names):
            raise StatisticsError("every covariate has one name, and each name is used once")
        if not set(modifiers) <= set(names):
            raise StatisticsError("only a covariate of the model can change the effect of the arm")
        read = {kind: np.asarray(code, dtype=np.int64) for kind, (code, _) in codes.items()}
        for position, label in enumerate(arms):
            if not (read["arm"] == position).any():
                raise StatisticsError(f"the arm {label!r} has no patients")
        return cls(arms, tuple(names), tuple(strata), tuple(causes), given.astype(np.int64), read["cause"],
                   read["arm"], values, tuple(names.index(name) for name in modifiers), read["stratum"], counts)

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Names of the columns of `outcome_design`."""
        arm = self.arms[1]
        return (arm, *self.names, *(f"{arm} × {self.names[column]}" for column in self.modifiers))

    def outcome_design(self, arm: int | None = None) -> Floats:
        """Shape (n, 1 + covariates + modifiers): arm, covariates and products, everybody in `arm` or in their own."""
        in_arm = self.arm.astype(np.float64) if arm is None else np.full(len(self.arm), float(arm))
        return np.column_stack([in_arm, self.covariates, in_arm[:, None] * self.covariates[:, list(self.modifiers)]])

    def adjusting_design(self) -> tuple[Floats, tuple[str, ...]]:
        """Covariates and an indicator of each stratum that has patients but the first of them, and the names."""
        used = np.unique(self.stratum)[1:]
        indicators = (self.stratum[:, None] == used).astype(np.float64)
        return np.hstack([self.covariates, indicators]), (*self.names, *(self.strata[k] for k in used))


def check_followed_to(patients: ArmPatients, day: int) -> None:
    """Refuse a day beyond the last patient of a stratum, where its hazard is no longer seen."""
    for position in np.unique(patients.stratum).tolist():
        last = int(patients.day[patients.stratum == position].max())
        if last < day:
            raise StatisticsError(f"the follow-up of {patients.strata[position]} ends on day {last}, before day {day}",
                                  remedy="choose an earlier day, or leave these patients out")


def one_armed_strata(patients: ArmPatients) -> tuple[str, ...]:
    """Labels of the strata whose patients are all in one arm."""
    counts = np.zeros((len(patients.strata), 2), dtype=np.int64)
    np.add.at(counts, (patients.stratum, patients.arm), 1)
    return tuple(label for label, (first, second) in zip(patients.strata, counts, strict=True)
                 if (first == 0) != (second == 0))
