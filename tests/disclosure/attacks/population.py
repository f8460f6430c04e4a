"""100,000 made-up patients to attack: many of them alone in their country, ten-year age group, sex and period.

The secret is whether IKZF1 is deleted, which it is in three of ten, independently of everything an acquaintance knows.
Nearly everybody of a country is in its trial; those over sixty are in another one, and a few are where one would not
look for them. Such exceptions are what an attacker needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from harmony_dash.cohort.endpoints import ENDPOINTS, TimeZero
from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.store.reader import Snapshot, Store
from tests.factories import CAUSE_OF_FIRST_EVENT, make_store
from tests.made_once import make_once

Bools = NDArray[np.bool_]

SECRET = "cna_ikzf1"
YES, NO = "del", "nodel"
BASE_RATE = 0.3
# What an acquaintance knows, besides the disease.
KNOWN = ("country", "age_group", "sex", "dx_period")

AGES = MappingProxyType({f"{age}-{age + 9}": f"{age}–{age + 9} years" for age in range(0, 80, 10)} | {
    "80+": "80 years and over"})
UNDER_SIXTY = tuple(AGES)[:6]
PERIODS = ("before-1990", "1990-1994", "1995-1999", "2000-2004", "2005-2009", "2010-2014", "2015-2019", "2020-2024")
COUNTRIES = ("DE", "GB", "FR", "IT", "ES", "NL", "SE", "PT", "CZ", "AT", "BE", "DK", "FI", "NO", "US", "AU", "IE", "CH",
             "LT", "EE", "IS")
# Some of their patients are treated abroad; the others' all at home.
SENDERS = ("AT", "BE", "CH", "IE", "LT", "EE", "IS")
_AGE_SHARES = (0.52, 0.29, 0.11, 0.05, 0.016, 0.006, 0.004, 0.003, 0.001)
_PERIOD_SHARES = (0.03, 0.06, 0.1, 0.13, 0.17, 0.18, 0.18, 0.15)


def ten_year_dictionary() -> Dictionary:
    """The project's dictionary with ages in groups of ten years."""
    dictionary = load_dictionary()
    variables = dict(dictionary.variables)
    variables["age_group"] = replace(variables["age_group"], values=AGES)
    variables["age_dx_years"] = replace(variables["age_dx_years"], bands=tuple(float(age) for age in range(10, 90, 10)))
    return replace(dictionary, variables=MappingProxyType(variables), version=f"{dictionary.version}-ten-years")


def make_population(n: int, seed: int = 1) -> pd.DataFrame:
    """The patients, one row each."""
    rng = np.random.default_rng(seed)
    shares = 0.95 ** np.arange(len(COUNTRIES))
    country = rng.choice(COUNTRIES, n, p=shares / shares.sum())
    age = rng.choice(len(AGES), n, p=_AGE_SHARES)
    frame = pd.DataFrame({
        "patient": [f"attacked-{number:08x}" for number in range(n)], "source": "example", "disease": "ALL",
        "provider": "P", "country": country, "age_group": np.array(list(AGES))[age],
        "age_dx_years": np.round(10 * age + rng.uniform(0.1, 9.9, n), 1), "sex": rng.choice(["F", "M"], n),
        "dx_period": rng.choice(PERIODS, n, p=_PERIOD_SHARES), "trial": _choose_trials(country, age, rng),
        "immunophenotype": rng.choice(["B", "T"], n, p=[0.86, 0.14]),
        "cyto_group": rng.choice(["good", "intermediate", "high"], n, p=[0.45, 0.4, 0.15]),
        "mrd_group": _with_gaps(rng.choice(["mrd_cr", "mrd_failure"], n, p=[0.6, 0.4]), 0.1, rng),
        # Recorded of nearly everybody, so that those without it stand out.
        "cns_status": _with_gaps(rng.choice(["CNS1", "CNS2"], n, p=[0.55, 0.45]), 0.004, rng),
        SECRET: np.where(rng.random(n) < BASE_RATE, YES, NO)})
    return frame.join(_follow(n, rng))


def _choose_trials(country: NDArray[np.str_], age: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.object_]:
    home = np.isin(country, SENDERS)
    abroad = home & (age < 6) & (rng.random(len(age)) < 0.03)
    hosts = [code for code in COUNTRIES if code not in SENDERS]
    place = np.where(abroad, rng.choice(hosts, len(age)), country).astype(object)
    late = (age >= 6) & (rng.random(len(age)) < 0.96)
    return np.array([f"{code} {'elderly' if old else 'main'}" for code, old in zip(place, late, strict=True)],
                    dtype=object)


def _with_gaps(values: NDArray[np.str_], share: float, rng: np.random.Generator) -> NDArray[np.object_]:
    return np.where(rng.random(len(values)) < share, None, values.astype(object))


def _follow(n: int, rng: np.random.Generator) -> pd.DataFrame:
    event, end = rng.exponential(2200, n), rng.uniform(60, 4000, n)
    days = np.maximum(1, np.minimum(event, end)).astype(int)
    cause = np.where(event < end, rng.choice([1, 2, 3], n, p=[0.6, 0.35, 0.05]), 0)
    remission = rng.random(n) < 0.985
    data: dict[str, object] = {"cr_days": np.where(remission, 33, np.nan), "last_contact_days": end.astype(int)}
    for name, endpoint in ENDPOINTS.items():
        known = remission if endpoint.time_zero is TimeZero.REMISSION else np.ones(n, dtype=bool)
        # Most deaths here follow an event, so overall survival sees every event as a death.
        causes = (0, 1, 1, 1) if name == "os" else CAUSE_OF_FIRST_EVENT[name]
        data[f"{name}_days"] = np.where(known, days, np.nan)
        data[f"{name}_cause"] = np.where(known, np.array(causes)[cause], np.nan)
        data[f"{name}_excluded"] = np.where(known, None, "no_remission").astype(object)
    frame = pd.DataFrame(data)
    return frame.astype({column: "Int32" for column in frame.columns if column.endswith(("_days", "_cause"))})


@dataclass(frozen=True)
class World:
    """The store under attack and, for the referee alone, the patients in it."""

    folder: Path
    snapshot: Snapshot
    patients: pd.DataFrame

    def is_positive(self, row: int) -> bool:
        """The secret of one patient."""
        return bool(self.patients.at[row, SECRET] == YES)


def make_world(folder: Path, n: int = 100_000, seed: int = 1) -> World:
    """Publish the patients and open the snapshot."""
    patients = make_population(n, seed)
    return World(folder, make_store(folder, dictionary=ten_year_dictionary(), frame=patients), patients)


def world_of_run(factory: pytest.TempPathFactory) -> World:
    """The 100,000 patients that all attacks of a run share; nobody writes into their store."""
    def publish(folder: Path) -> None:
        make_world(folder / "store").patients.to_pickle(folder / "patients.pickle")

    folder = make_once(factory, "attacked", publish)
    return World(folder / "store", Store(folder / "store").current(), pd.read_pickle(folder / "patients.pickle"))


def alone_among(patients: pd.DataFrame, names: Sequence[str], special: Bools | None = None) -> NDArray[np.int64]:
    """The special patients who are the only special ones with their values in these columns."""
    chosen = patients if special is None else patients[special]
    return chosen.index[~chosen.duplicated(list(names), keep=False)].to_numpy()


def unique_targets(world: World, count: int, seed: int = 2) -> NDArray[np.int64]:
    """Patients alone in their country, age group, sex and period, whose wider groups are answered.

    Those in wider groups too small for any answer are safe, and would only flatter the figures.
    """
    rows = alone_among(world.patients, KNOWN)
    known = world.patients[list(KNOWN)]
    wider = [known.groupby([name for name in KNOWN if name != left], observed=True)[left].transform("size").to_numpy()
             for left in KNOWN]
    rng = np.random.default_rng(seed)
    return rng.permutation(rows[np.max(wider, axis=0)[rows] >= 100])[:count]
