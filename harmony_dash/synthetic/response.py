"""How the leukaemia answers to induction: MRD at two time points, prednisone response, marrow, remission.

log10 MRD is normal by subtype and left-censored at the assay's limit of detection. The two time
points are joined so that 42/52/6 % of B-precursor and 16/63/21 % of T-ALL patients fall into the AIEOP-BFM MRD groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.population import Flags, Floats, Ints, Population, Words
from harmony_dash.synthetic.protocols import PROTOCOLS, shifts

_LODS = np.array([1e-5, 5e-5, 1e-4, 1e-3])
_B_SHIFT, _T_SHIFT = -0.25, 0.0
_EOC_T = 0.30
_EOC_INTERCEPT, _EOC_SLOPE, _EOC_SD = -2.05, 0.85, 1.05
_ADULT_SHIFT = 0.15


@dataclass(frozen=True)
class Response:
    """Response to induction. `eoi` and `eoc` are the latent log10 MRD, below any assay's limit included."""

    eoi: Floats
    eoc: Floats
    lod: Floats
    loq: Floats
    eoi_day: Ints
    eoc_day: Ints
    poor_prednisone: Flags
    marrow_d15: Words
    marrow_eoi: Words
    induction_death: Flags
    failure: Flags
    cr_days: Ints

    def negative(self, latent: Floats) -> Flags:
        """Undetectable in an assay that reaches 1e-4, the AIEOP-BFM meaning of negative."""
        return np.asarray((10.0**latent < self.lod) & (self.lod <= 1.001e-4))


def draw_response(people: Population, rng: np.random.Generator) -> Response:
    """Draw the response of every patient."""
    size = len(people)
    eoi, eoc = _draw_mrd(people, rng)
    lod = _draw_lod(people.protocol, rng)
    days = np.array([entry.mrd_days for entry in PROTOCOLS])[people.protocol]
    eoi_day = days[:, 0] + np.rint(rng.normal(0, 1.2, size).clip(-3, 2)).astype(np.int64)
    death, failure = _draw_failures(people, eoi, rng)
    poor = rng.random(size) < _expit(-3.25 + 0.55 * (eoi + 4.5) + 0.75 * people.t_cell)
    late = rng.random(size) < _expit(-3.6 + 0.9 * (eoi + 2.0))
    cr_days = eoi_day + np.where(late, rng.integers(15, 50, size), rng.integers(0, 4, size))
    marrow = np.array(["M1", "M2", "M3"], dtype=object)
    return Response(
        eoi=eoi, eoc=eoc, lod=lod, loq=np.maximum(10 * lod, 1e-4), eoi_day=eoi_day,
        eoc_day=days[:, 1] + np.rint(rng.normal(2, 3, size).clip(-4, 6)).astype(np.int64), poor_prednisone=poor,
        marrow_d15=marrow[np.digitize(eoi + rng.normal(1.9, 0.8, size), (-1.1, 0.2))],
        marrow_eoi=marrow[np.where(failure, rng.integers(1, 3, size), np.where(late, 1, 0))],
        induction_death=death, failure=failure, cr_days=cr_days)


def _draw_mrd(people: Population, rng: np.random.Generator) -> tuple[Floats, Floats]:
    mean = genetics.attribute("mrd_mean")[people.subtype]
    heh = people.subtype == genetics.INDEX["HeH"]
    mean = mean + np.where(people.t_cell, _T_SHIFT, np.where(heh, 0.0, _B_SHIFT)) + shifts("mrd_eoi")[people.protocol]
    mean = mean + _ADULT_SHIFT * (people.age >= 18) + 0.10 * ((people.age >= 10) & ~people.t_cell)
    spread = genetics.attribute("mrd_sd")[people.subtype]
    deleted = people.deletions["ikzf1"] & ~people.t_cell
    eoi = np.minimum(rng.normal(mean + 0.25 * deleted, spread), -0.05)
    eoc = _EOC_INTERCEPT + _EOC_SLOPE * eoi + rng.normal(0, _EOC_SD, len(people))
    eoc += _EOC_T * people.t_cell + shifts("mrd_eoc")[people.protocol]
    return eoi, np.minimum(eoc, -0.1)


def _draw_lod(protocol: Ints, rng: np.random.Generator) -> Floats:
    shares = np.cumsum([entry.sensitive for entry in PROTOCOLS], axis=1)[protocol]
    column = (rng.random(len(protocol))[:, None] > shares).sum(axis=1)
    return np.asarray(_LODS[np.minimum(column, 3)])


def _draw_failures(people: Population, eoi: Floats, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """Death in induction (0.9-2.5 % of children) and no remission (GRAALL: 91.9 % reach it)."""
    band = np.digitize(people.age, (1, 10, 18, 40, 55))
    death = np.array([0.035, 0.008, 0.014, 0.032, 0.055, 0.095])[band] * np.where(people.down, 2.5, 1.0)
    failure = np.array([0.020, 0.0040, 0.009, 0.030, 0.045, 0.065])[band] * np.exp(0.55 * (eoi + 3.8).clip(-2, 2.5))
    death *= np.where(people.subtype == genetics.INDEX["ETV6::RUNX1"], 0.5, 1.0)
    death *= shifts("induction_death")[people.protocol]
    failure *= shifts("failure")[people.protocol]
    died = rng.random(len(people)) < death
    return died, ~died & (rng.random(len(people)) < failure)


def _expit(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-value)))
