"""Patients of two arms with continuous covariates: data that come with lifelines, and one made-up cohort.

Causes, strata and weights are made by arithmetic where a data set has none, so that they never change.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from lifelines import datasets

from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.event_table import Floats

NAMES: Final = ("gbsg2", "made_up", "rossi")
DAYS: Final = {"gbsg2": (365, 730, 1461), "made_up": (12, 24, 48), "rossi": (13, 26, 50)}
COVARIATES: Final = ("first", "second", "third")
CAUSES: Final = ("relapse", "death")
KNOTS: Final = (-1.0, 0.0, 0.5, 2.0)


def load_arms(name: str, *, modifiers: tuple[str, ...] = (), weighted: bool = False,
              strata: bool = True) -> ArmPatients:
    """Load a cohort; the strata are labelled s0, s1, ..."""
    rows = load_rows(name)
    stratum = rows["stratum"].to_numpy() if strata else None
    labels = [f"s{k}" for k in range(int(rows["stratum"].max()) + 1)] if strata else ["all"]
    return ArmPatients.from_rows(rows["day"], rows["cause"], rows["arm"], rows[list(COVARIATES)], COVARIATES,
                                 modifiers=modifiers, stratum=stratum, strata=labels, causes=CAUSES,
                                 weight=rows["weight"] if weighted else None)


def load_rows(name: str) -> pd.DataFrame:
    """Return one row a patient: day, cause, arm, three covariates, stratum and a weight."""
    if name == "made_up":
        return _made_up()
    if name == "gbsg2":
        x = datasets.load_gbsg2()
        values = x["age"] / 10, np.log(x["tsize"]), np.sqrt(x["pnodes"])
        return _rows(x["time"], x["cens"] * (1 + x["pnodes"] % 2), x["horTh"] == "yes", values, x["menostat"] == "Post")
    x = datasets.load_rossi()
    values = x["age"] / 10, np.sqrt(x["prio"]), x["wexp"]
    return _rows(x["week"], x["arrest"] * (1 + x["age"] % 2), x["fin"] == 1, values, x["mar"])


def _rows(day: pd.Series, cause: pd.Series, arm: pd.Series, values: tuple[pd.Series, ...],
          stratum: pd.Series) -> pd.DataFrame:
    columns = dict(zip(COVARIATES, (np.asarray(one, dtype=np.float64) for one in values), strict=True))
    number = np.arange(len(day))
    return pd.DataFrame({"day": np.asarray(day, dtype=np.int64), "cause": np.asarray(cause, dtype=np.int64),
                         "arm": np.asarray(arm, dtype=np.int64), **columns,
                         "stratum": np.asarray(stratum, dtype=np.int64), "weight": 0.5 + number * 7 % 11 / 8})


def _made_up(patients: int = 1200) -> pd.DataFrame:
    """Four trials that gave the second arm more often to those with a low first covariate; whole months, two causes."""
    draws = _even(patients, 8)
    trial = (4 * draws[0]).astype(np.int64)
    first, second, third = 2 * draws[1] - 1, -np.log(draws[2]) / 2, (draws[3] < 0.3).astype(np.float64)
    arm = (draws[4] < 1 / (1 + np.exp(0.4 - 0.2 * trial + 0.9 * first - 0.5 * third))).astype(np.int64)
    relapse = -np.log(draws[5]) / (0.010 * np.exp(0.7 * first + 0.1 * trial + arm * (0.2 + 0.5 * third)))
    death = -np.log(draws[6]) / (0.004 * np.exp(0.8 * second - 0.5 * arm))
    end = 24 + 60 * draws[7]
    event = np.minimum(relapse, death)
    cause = (event <= end) * np.where(relapse <= death, 1, 2)
    return _rows(pd.Series(np.minimum(event, end).astype(np.int64)), pd.Series(cause), pd.Series(arm),
                 (pd.Series(first), pd.Series(second), pd.Series(third)), pd.Series(trial))


def _even(patients: int, columns: int) -> Floats:
    # Multiples of an irrational number fill 0 to 1 evenly and are the same on every machine.
    roots = np.sqrt(np.array([2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0])[:columns])
    return np.asarray(np.modf((np.arange(patients) + 1) * roots[:, None])[0])
