"""Who the synthetic patients are at diagnosis: age, sex, lineage, subtype, white cells, copy numbers, mutations.

Marginals follow Blood 2012;120:290 (1,427 children) and NOPHO; prevalence of subtypes by age is in `genetics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.protocols import PROTOCOLS, weights

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Words = NDArray[np.object_]

_EPOCH = date(1970, 1, 1).toordinal()
_T_SHARE = (0.03, 0.09, 0.25, 0.30, 0.22)
"""T-ALL among 1-9 / 10-17 / 18-45 year-olds: 9/25/32 % (NOPHO); fewer in older adults."""
_DOWN_SHARE = 0.024
"""Down syndrome among children with ALL, 2-3 % (unverified)."""
_LOG_WBC = {False: ((8.7, 0.96), (85.0, 0.82)), True: ((30.0, 1.2), (140.0, 0.85))}
"""Median and log-sd of the low and high white-cell component (unverified; T-ALL: median 75-100)."""


@dataclass(frozen=True)
class Population:
    """Synthetic patients at diagnosis; every array has one entry a patient.

    `dx_ordinal` is the day of diagnosis counted from 1970-01-01; `trisomies` hold HeH patients' gains, `mutations`
    those of T-ALL, both false elsewhere.
    """

    protocol: Ints
    country: Words
    dx_ordinal: Ints
    age: Floats
    male: Flags
    down: Flags
    t_cell: Flags
    subtype: Ints
    wbc: Floats
    hb: Floats
    plt: Floats
    blasts_bm: Floats
    blasts_pb: Floats
    cns: Words
    mediastinum: Flags
    deletions: Mapping[str, Flags]
    trisomies: Mapping[str, Flags]
    mutations: Mapping[str, Flags]

    def __len__(self) -> int:
        return len(self.age)


def allocate(patients: int) -> tuple[Ints, Words]:
    """Protocol and country of each of `patients` patients, in the proportions of `protocols` (largest remainder)."""
    cells = weights()
    exact = np.array([count for _, _, count in cells], dtype=np.float64)
    exact *= patients / exact.sum()
    counts = np.floor(exact).astype(np.int64)
    short = patients - int(counts.sum())
    counts[np.argsort(-(exact - counts), kind="stable")[:short]] += 1
    protocol = np.repeat(np.array([number for number, _, _ in cells], dtype=np.int64), counts)
    country = np.repeat(np.array([country for _, country, _ in cells], dtype=object), counts)
    return protocol, country


def draw_population(protocol: Ints, country: Words, rng: np.random.Generator) -> Population:
    """Draw the patients of the given protocols and countries."""
    age = _draw_age(protocol, rng)
    band = np.digitize(age, genetics.AGE_EDGES)
    child = age < 18
    down = (rng.random(len(age)) < _DOWN_SHARE) & child & (age >= 1)
    ph = np.array([entry.ph for entry in PROTOCOLS])[protocol]
    t_cell = (rng.random(len(age)) < np.array(_T_SHARE)[band]) & ~down & (ph < 2)
    subtype = _draw_subtype(band, t_cell, down, ph, rng)
    wbc = _draw_wbc(subtype, t_cell, rng)
    log_wbc = np.log10(wbc)
    male = rng.random(len(age)) < np.where(t_cell, 0.70, 0.54)
    bulky = np.clip(log_wbc - 1, 0, 2)
    return Population(
        protocol=protocol, country=country, dx_ordinal=_draw_diagnosis(protocol, rng), age=age, male=male, down=down,
        t_cell=t_cell, subtype=subtype, wbc=wbc,
        hb=np.clip(rng.normal(8.3 + 1.4 * t_cell + 0.8 * ~child, 2.1), 2.5, 17.5),
        plt=np.clip(np.exp(rng.normal(np.log(62.0), 0.95, len(age))), 2, 900),
        blasts_bm=np.clip(100 - rng.gamma(2.0, 7.0, len(age)), 25, 99.0),
        blasts_pb=np.clip(rng.normal(18 + 30 * bulky, 18), 0, 98.0),
        cns=_draw_cns(t_cell, bulky, rng), mediastinum=rng.random(len(age)) < np.where(t_cell, 0.55, 0.01),
        deletions=_draw_deletions(subtype, age, rng), trisomies=_draw_trisomies(subtype, rng),
        mutations={name: t_cell & (rng.random(len(age)) < share)
                   for name, share in genetics.T_MUTATIONS.items()})


def only(applies: Flags, value: Words) -> Words:
    """The value where it applies, None elsewhere."""
    kept = value.copy()
    kept[~applies] = None
    return kept


def _draw_age(protocol: Ints, rng: np.random.Generator) -> Floats:
    age = np.zeros(len(protocol))
    for number in np.unique(protocol):
        rows = np.flatnonzero(protocol == number)
        low, high, weight = np.array(PROTOCOLS[number].ages, dtype=np.float64).T
        band = rng.choice(len(low), size=len(rows), p=weight / weight.sum())
        age[rows] = low[band] + rng.random(len(rows)) * (high - low)[band]
    return age


def _draw_diagnosis(protocol: Ints, rng: np.random.Generator) -> Ints:
    first = np.array([date(entry.years[0], 1, 1).toordinal() for entry in PROTOCOLS])[protocol] - _EPOCH
    last = np.array([date(entry.years[1], 12, 31).toordinal() for entry in PROTOCOLS])[protocol] - _EPOCH
    return np.asarray(first + np.floor(rng.random(len(protocol)) * (last - first + 1)), dtype=np.int64)


def _draw_subtype(band: Ints, t_cell: Flags, down: Flags, ph: Ints, rng: np.random.Generator) -> Ints:
    subtype = np.zeros(len(band), dtype=np.int64)
    for lineage in (False, True):
        table = np.cumsum(genetics.prevalence_table(lineage), axis=1)
        rows = np.flatnonzero(t_cell == lineage)
        subtype[rows] = _draw_row(table[band[rows]], rng)
    positive = genetics.INDEX["BCR::ABL1"]
    while (wrong := np.flatnonzero((subtype == positive) & (ph == 0))).size:
        subtype[wrong] = _draw_row(np.cumsum(genetics.prevalence_table(False), axis=1)[band[wrong]], rng)
    subtype[ph == 2] = positive
    rows = np.flatnonzero(down & (ph < 2))
    mix = np.array([genetics.INDEX[name] for name in genetics.DOWN_MIX])
    subtype[rows] = rng.choice(mix, size=len(rows), p=list(genetics.DOWN_MIX.values()))
    return subtype


def _draw_row(cumulative: Floats, rng: np.random.Generator) -> Ints:
    """One column a row, drawn from row-wise cumulative probabilities."""
    draw = rng.random(len(cumulative))[:, None]
    return np.asarray(np.minimum((draw > cumulative).sum(axis=1), cumulative.shape[1] - 1), dtype=np.int64)


def _draw_wbc(subtype: Ints, t_cell: Flags, rng: np.random.Generator) -> Floats:
    high = rng.random(len(subtype)) < genetics.attribute("wbc_high")[subtype]
    # Rows: lineage; columns: low and high component.
    median = np.array([[part[0] for part in _LOG_WBC[lineage]] for lineage in (False, True)])
    spread = np.array([[part[1] for part in _LOG_WBC[lineage]] for lineage in (False, True)])
    cell = (t_cell.astype(int), high.astype(int))
    # Median 3.9 in iAMP21 (Moorman, Blood 2007), against 8.7 in the low component.
    few = np.where(subtype == genetics.INDEX["iAMP21"], 0.45, 1.0)
    return np.asarray(np.clip(np.exp(rng.normal(np.log(median[cell] * few), spread[cell])), 0.3, 990.0))


def _draw_cns(t_cell: Flags, bulky: Floats, rng: np.random.Generator) -> Words:
    shift = 1 + 0.6 * bulky + 0.8 * t_cell
    draw = rng.random(len(t_cell)) / shift
    names = np.array(["CNS3", "CNS2", "TLP+", "TLP-", "CNS1"], dtype=object)
    return np.asarray(names[np.digitize(draw, (0.02, 0.08, 0.11, 0.14))])


def _draw_deletions(subtype: Ints, age: Floats, rng: np.random.Generator) -> Mapping[str, Flags]:
    table = genetics.deletion_table()[subtype]
    found = {locus: rng.random(len(subtype)) < table[:, column] for column, locus in enumerate(genetics.LOCI)}
    # IKZF1 deletions grow with age: 14 % of children, 40 % of Ph-negative adults.
    found["ikzf1"] |= (age >= 18) & ~genetics.IS_T[subtype] & (rng.random(len(subtype)) < 0.15)
    both = found.pop("cdkn2ab")
    found["cdkn2a"] = both
    found["cdkn2b"] = both & (rng.random(len(subtype)) < 0.88)
    return found


def _draw_trisomies(subtype: Ints, rng: np.random.Generator) -> Mapping[str, Flags]:
    heh = subtype == genetics.INDEX["HeH"]
    return {name: heh & (rng.random(len(subtype)) < share) for name, share in genetics.TRISOMIES.items()}
