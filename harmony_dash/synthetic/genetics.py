"""The genetic subtypes of synthetic patients: how common, how they respond, how they relapse.

Prevalence: children, the published ranges; adults, Paietta (Blood 2021) with BCR::ABL1 added back. Deletions: Blood
2012;120:290. The mean of the end-of-induction MRD, log10 of the fraction, is anchored at the HeH mix 27/31/24/12/6 %
(O'Connor, JCO 2018), ABL-class >= 1 % in 66 % (den Boer, Lancet Haematol 2020) and T-ALL 16/63/21 % (Schrappe, Blood
2011). The relapse coefficients were fitted until the generated cohort returned the published outcomes; `calibration`
shows how close.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

AGE_EDGES = (1.0, 10.0, 18.0, 40.0)
"""Age bands of the prevalence table: under 1, 1-9, 10-17, 18-39, 40 and over."""


class Timing(IntEnum):
    """How late relapses come; the curves are in `outcome`."""

    EARLY = 0
    MIDDLE = 1
    LATE = 2


@dataclass(frozen=True)
class Subtype:
    """One genetic subtype.

    Attributes
    ----------
    name : the dictionary's code.
    prevalence : relative frequency within B-ALL (or T-ALL) per band of `AGE_EDGES`.
    mrd_mean, mrd_sd : normal distribution of log10 MRD at the end of induction.
    wbc_high : share drawn from the high white-cell component.
    relapse : log of the ultimate cumulative relapse hazard at reference MRD, age and white cells.
    timing : shape of the relapse curve.
    salvage : shift, on the logit scale, of the chance to be cured after relapse.
    deletions : probability of a deletion of IKZF1, CDKN2A/B, PAX5, ETV6, PAR1, ERG, RB1, BTG1, EBF1.
    marker : the dictionary variable that is positive in this subtype, empty if none.
    t_cell : belongs to T-ALL.
    """

    name: str
    prevalence: tuple[float, float, float, float, float]
    mrd_mean: float
    mrd_sd: float
    wbc_high: float
    relapse: float
    timing: Timing
    salvage: float
    deletions: tuple[float, float, float, float, float, float, float, float, float]
    marker: str = ""
    t_cell: bool = False


LOCI = ("ikzf1", "cdkn2ab", "pax5", "etv6", "par1", "erg", "rb1", "btg1", "ebf1")
_E, _M, _L = Timing.EARLY, Timing.MIDDLE, Timing.LATE

SUBTYPES: tuple[Subtype, ...] = (
    Subtype("ETV6::RUNX1", (0.3, 27, 7, 2, 0.5), -5.10, 1.40, 0.16, -2.60, _L, 0.9,
            (0.02, 0.23, 0.20, 0.55, 0.02, 0.00, 0.04, 0.13, 0.01), "etv6_runx1"),
    Subtype("HeH", (1, 33, 16, 7, 4), -4.29, 1.45, 0.08, -2.31, _L, 0.6,
            (0.05, 0.18, 0.08, 0.08, 0.05, 0.00, 0.04, 0.02, 0.01), "heh"),
    Subtype("ETV6::RUNX1-like", (0, 1.5, 1, 0.3, 0.2), -4.20, 1.45, 0.22, -1.90, _M, 0.0,
            (0.25, 0.25, 0.20, 0.60, 0.03, 0.00, 0.05, 0.08, 0.03)),
    Subtype("BCR::ABL1", (0.5, 2, 4, 18, 35), -2.90, 1.60, 0.45, -0.70, _E, -0.3,
            (0.70, 0.38, 0.35, 0.08, 0.03, 0.00, 0.14, 0.10, 0.06), "bcr_abl1"),
    Subtype("Ph-like ABL-class", (0.2, 1.7, 3, 2, 1), -1.45, 1.40, 0.40, -1.91, _E, -0.5,
            (0.61, 0.45, 0.35, 0.12, 0.03, 0.00, 0.10, 0.08, 0.12), "abl_class"),
    Subtype("Ph-like CRLF2", (0.5, 3.0, 5, 8, 6), -3.70, 1.50, 0.25, -0.69, _M, 0.0,
            (0.35, 0.40, 0.28, 0.14, 0.55, 0.00, 0.06, 0.12, 0.04), "crlf2_r"),
    Subtype("Ph-like JAK/EPOR", (0.3, 1.5, 3, 4, 3), -3.30, 1.50, 0.35, -1.20, _E, 0.0,
            (0.45, 0.42, 0.30, 0.14, 0.04, 0.00, 0.08, 0.08, 0.08)),
    Subtype("Ph-like NOS", (0.3, 2, 4, 5, 4), -3.40, 1.50, 0.28, -1.30, _M, 0.0,
            (0.38, 0.40, 0.28, 0.14, 0.04, 0.00, 0.08, 0.08, 0.06)),
    Subtype("KMT2A-r", (75, 2, 3, 6, 9), -4.00, 1.50, 0.60, 0.47, _E, -0.6,
            (0.05, 0.14, 0.08, 0.06, 0.02, 0.00, 0.04, 0.02, 0.01), "kmt2a_r"),
    Subtype("near-haploid", (0.1, 0.6, 0.6, 0.2, 0.2), -4.00, 1.50, 0.25, 1.02, _E, -4.0,
            (0.08, 0.25, 0.08, 0.06, 0.05, 0.00, 0.06, 0.02, 0.01), "near_haploid"),
    Subtype("low-hypodiploid", (0.1, 0.3, 0.9, 5, 10), -3.60, 1.50, 0.12, 1.22, _E, -4.0,
            (0.12, 0.30, 0.10, 0.10, 0.02, 0.00, 0.35, 0.02, 0.01), "low_hypodiploid"),
    Subtype("high-hypodiploid", (0.3, 1.0, 1.2, 1.2, 1), -4.20, 1.50, 0.18, 0.42, _M, -2.2,
            (0.20, 0.35, 0.30, 0.18, 0.03, 0.00, 0.08, 0.06, 0.03)),
    Subtype("iAMP21", (0, 1.6, 3, 0.5, 0.1), -3.80, 1.50, 0.00, 1.52, _M, -0.4,
            (0.22, 0.12, 0.10, 0.20, 0.15, 0.00, 0.32, 0.08, 0.02), "iamp21"),
    Subtype("TCF3::PBX1", (3, 4.0, 4.5, 4, 3), -5.10, 1.40, 0.40, -1.75, _E, -0.8,
            (0.03, 0.33, 0.35, 0.05, 0.02, 0.00, 0.06, 0.02, 0.01), "tcf3_pbx1"),
    Subtype("TCF3::HLF", (0.1, 0.3, 0.4, 0.4, 0.2), -3.00, 1.50, 0.15, 0.70, _E, -2.0,
            (0.08, 0.25, 0.55, 0.08, 0.02, 0.00, 0.06, 0.05, 0.01), "tcf3_hlf"),
    Subtype("DUX4-r", (0.2, 3.5, 8, 8, 3), -3.30, 1.40, 0.20, -3.10, _M, 0.6,
            (0.35, 0.22, 0.12, 0.08, 0.02, 0.50, 0.04, 0.03, 0.01), "dux4_r"),
    Subtype("ZNF384-r", (0.5, 1.2, 3, 5, 2.5), -3.80, 1.50, 0.25, -2.10, _M, 0.3,
            (0.08, 0.20, 0.12, 0.25, 0.02, 0.00, 0.05, 0.05, 0.02), "znf384_r"),
    Subtype("MEF2D-r", (0.1, 0.4, 2, 3.5, 1.5), -4.40, 1.50, 0.30, -1.20, _E, -0.6,
            (0.12, 0.50, 0.15, 0.08, 0.02, 0.00, 0.06, 0.05, 0.01), "mef2d_r"),
    Subtype("NUTM1-r", (6, 0.4, 0.2, 0.1, 0.1), -4.20, 1.40, 0.25, -3.00, _M, 0.5,
            (0.03, 0.18, 0.10, 0.08, 0.02, 0.00, 0.04, 0.03, 0.01), "nutm1_r"),
    Subtype("PAX5alt", (1, 5.0, 9, 8, 6), -3.90, 1.50, 0.28, -1.55, _M, 0.0,
            (0.22, 0.65, 0.45, 0.14, 0.03, 0.00, 0.08, 0.08, 0.03), "pax5alt"),
    Subtype("PAX5 P80R", (0.1, 0.7, 1.5, 3, 2.5), -3.90, 1.50, 0.30, -1.90, _M, 0.0,
            (0.10, 0.70, 0.50, 0.12, 0.02, 0.00, 0.08, 0.05, 0.02)),
    Subtype("IKZF1 N159Y", (0.05, 0.2, 0.4, 0.4, 0.4), -3.80, 1.50, 0.25, -1.80, _M, 0.0,
            (0.30, 0.35, 0.20, 0.10, 0.02, 0.00, 0.06, 0.05, 0.02)),
    Subtype("BCL2/MYC-r", (0, 0.1, 0.5, 2, 4), -3.20, 1.50, 0.35, 0.20, _E, -1.5,
            (0.15, 0.40, 0.12, 0.08, 0.02, 0.00, 0.10, 0.05, 0.02)),
    Subtype("IGH-r other", (0.2, 1, 4, 4, 2), -3.70, 1.50, 0.20, -1.60, _M, 0.0,
            (0.28, 0.35, 0.20, 0.10, 0.03, 0.00, 0.08, 0.08, 0.03)),
    Subtype("B-other (tested)", (9.8, 7.5, 17, 12, 8), -4.10, 1.50, 0.22, -1.80, _M, 0.0,
            (0.22, 0.35, 0.22, 0.18, 0.04, 0.04, 0.08, 0.08, 0.04)),
    Subtype("T ETP", (0.15, 0.10, 0.15, 0.20, 0.22), -1.70, 1.60, 0.35, -1.54, _E, -1.8,
            (0.06, 0.30, 0.02, 0.15, 0.00, 0.00, 0.10, 0.01, 0.02), "", True),
    Subtype("T non-ETP", (0.35, 0.23, 0.25, 0.26, 0.28), -3.10, 1.60, 0.66, -1.64, _E, -1.8,
            (0.03, 0.70, 0.02, 0.05, 0.00, 0.00, 0.10, 0.01, 0.01), "", True),
    Subtype("T TAL1", (0.15, 0.33, 0.22, 0.15, 0.12), -3.60, 1.60, 0.75, -1.59, _E, -1.8,
            (0.03, 0.80, 0.02, 0.03, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
    Subtype("T TLX1", (0, 0.05, 0.10, 0.14, 0.14), -4.20, 1.50, 0.60, -2.24, _E, -1.5,
            (0.02, 0.80, 0.02, 0.03, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
    Subtype("T TLX3", (0.05, 0.12, 0.12, 0.10, 0.08), -3.20, 1.60, 0.62, -1.59, _E, -1.8,
            (0.02, 0.75, 0.02, 0.03, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
    Subtype("T HOXA", (0.20, 0.08, 0.09, 0.09, 0.10), -2.60, 1.60, 0.60, -1.49, _E, -1.8,
            (0.03, 0.65, 0.02, 0.06, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
    Subtype("T NKX2", (0.05, 0.05, 0.04, 0.03, 0.03), -3.40, 1.60, 0.65, -2.04, _E, -1.5,
            (0.02, 0.75, 0.02, 0.03, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
    Subtype("T LMO", (0.05, 0.04, 0.03, 0.03, 0.03), -3.00, 1.60, 0.66, -1.34, _E, -1.8,
            (0.03, 0.75, 0.02, 0.03, 0.00, 0.00, 0.08, 0.01, 0.01), "", True),
)

NAMES: NDArray[np.object_] = np.array([subtype.name for subtype in SUBTYPES], dtype=object)
INDEX = {subtype.name: position for position, subtype in enumerate(SUBTYPES)}
IS_T = np.array([subtype.t_cell for subtype in SUBTYPES])

PH_LIKE = frozenset(name for name in INDEX if name.startswith("Ph-like"))
HIGH_RISK = frozenset({"BCR::ABL1", "KMT2A-r", "near-haploid", "low-hypodiploid", "iAMP21", "TCF3::HLF"})
"""The UK high-risk list (unverified); here it decides how much an intensified arm helps."""
HYPODIPLOID = frozenset({"near-haploid", "low-hypodiploid", "high-hypodiploid"})

DOWN_MIX = {"Ph-like CRLF2": 0.50, "HeH": 0.09, "ETV6::RUNX1": 0.08, "B-other (tested)": 0.33}
"""Subtypes in Down syndrome: CRLF2 about half; T-ALL and KMT2A-r are nearly absent."""

TRISOMIES = {"tri_4": 0.78, "tri_5": 0.18, "tri_10": 0.63, "tri_17": 0.72, "tri_18": 0.78, "tri_20": 0.20}
"""Trisomies within HeH; independent draws make 80 % good by the UKALL-HeH rule (Enshaei, Lancet Haematol 2021)."""

T_MUTATIONS = {"mut_notch1": 0.60, "mut_fbxw7": 0.16, "mut_nras": 0.08, "mut_kras": 0.05, "mut_pten": 0.12}
"""Mutations in T-ALL; NOTCH1/FBXW7 without RAS or PTEN is the FRALLE low-risk profile (Petit, Blood 2018)."""


def subtypes_in(names: frozenset[str]) -> NDArray[np.bool_]:
    """Lookup table over subtype numbers: does the subtype belong to `names`?"""
    return np.array([subtype.name in names for subtype in SUBTYPES])


def attribute(name: str) -> NDArray[np.float64]:
    """A numeric attribute of every subtype as a lookup table over subtype numbers."""
    return np.array([getattr(subtype, name) for subtype in SUBTYPES], dtype=np.float64)


def deletion_table() -> NDArray[np.float64]:
    """Deletion probabilities, shape (subtypes, loci)."""
    return np.array([subtype.deletions for subtype in SUBTYPES])


def prevalence_table(t_cell: bool) -> NDArray[np.float64]:
    """Shape (age bands, subtypes); rows sum to 1; subtypes of the other lineage are 0."""
    table = np.array([subtype.prevalence for subtype in SUBTYPES]).T * (IS_T if t_cell else ~IS_T)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
