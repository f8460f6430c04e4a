"""The trial protocols of the synthetic pool, as data: who enters where and when, and how treatment is chosen.

Country totals at 5,000 patients are a project rule; trial names, years and ages are those of the published trials.
`SHIFTS` are the fitted differences between trials that subtype, MRD and age do not explain; `calibration` compares the
result with the published outcome of each trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

AgeBands = tuple[tuple[float, float, float], ...]

CHILD: AgeBands = ((1, 2, 8), (2, 3, 15), (3, 4, 16), (4, 5, 12.5), (5, 6, 9), (6, 7, 7), (7, 8, 5.5), (8, 9, 4.7),
                   (9, 10, 4.3), (10, 14, 15.5), (14, 18, 13.5))
"""Ages (from, to, weight) that give a median of 5 years and about a quarter of 10 and over."""
NOPHO: AgeBands = (*((low, high, weight * 67.7 / 82) for low, high, weight in CHILD[:9]), (10, 18, 17.6),
                   (18, 46, 14.7))
"""1,022 / 266 / 221 patients aged 1-9 / 10-17 / 18-45 (Toft, Leukemia 2018)."""
INFANT: AgeBands = ((0.02, 1, 1),)


@dataclass(frozen=True)
class Policy:
    """How a protocol turns risk group (SR, MR, HR) into treatment intensity.

    `indication` is how strongly a patient's own MRD, white cells and genetics move the doctor's choice within a risk
    group: confounding by indication. 0 means that the risk group alone decides.
    """

    reduced: tuple[float, float, float]
    intensified: tuple[float, float, float]
    indication: float = 0.0
    randomisation: str = ""
    transplant: tuple[float, float] = (0.25, 0.60)


@dataclass(frozen=True)
class Protocol:
    """One trial or registry within one source.

    Attributes
    ----------
    source : the source folder the patients go to.
    trial : the trial's name in the harmonised data.
    countries : patients per country at a total of 5,000.
    years : first and last year of diagnosis.
    ages : see `CHILD`.
    rules : which risk stratification: bfm, dcog, nopho, nci, adult, infant.
    ph : share of BCR::ABL1 kept: 0 none, 1 as prevalent, 2 nothing else.
    mrd_days : day of the end-of-induction and end-of-consolidation samples.
    sensitive : share of assays with a detection limit of 1e-5, 5e-5, 1e-4 and 1e-3.
    """

    source: str
    trial: str
    countries: Mapping[str, int]
    years: tuple[int, int]
    ages: AgeBands
    rules: str
    policy: Policy
    mrd_days: tuple[int, int]
    method: str = "igtr_qpcr"
    ph: int = 0
    sensitive: tuple[float, float, float, float] = (0.62, 0.16, 0.12, 0.10)


_BFM2000 = Policy((0.06, 0.01, 0.0), (0.0, 0.08, 0.97), 0.5, "AIEOP-BFM 2000 delayed intensification")
_BFM2009 = Policy((0.35, 0.03, 0.0), (0.01, 0.16, 0.96), 0.8)
_INFANT = Policy((0.0, 0.0, 0.0), (0.0, 0.1, 0.9), 0.3, transplant=(0.35, 0.6))

PROTOCOLS: tuple[Protocol, ...] = (
    Protocol("nl_dcog", "ALL10", {"NL": 250}, (2004, 2012), CHILD, "dcog",
             Policy((1.0, 0.0, 0.0), (0.0, 1.0, 1.0), transplant=(0.5, 0.6)), (33, 79)),
    Protocol("nl_dcog", "ALL11", {"NL": 285}, (2012, 2019), CHILD, "dcog",
             Policy((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), transplant=(0.5, 0.6)), (33, 79)),
    Protocol("nl_dcog", "Interfant-06", {"NL": 15}, (2006, 2016), INFANT, "infant", _INFANT, (33, 79)),
    Protocol("nordic_nopho", "NOPHO ALL2008", {"SE": 250, "DK": 160, "FI": 140, "NO": 130, "IS": 20}, (2008, 2014),
             NOPHO, "nopho", Policy((0.92, 0.02, 0.0), (0.0, 0.04, 0.97), 0.4, transplant=(0.08, 0.85)), (29, 79),
             "flow", sensitive=(0.10, 0.20, 0.58, 0.12)),
    Protocol("fr_sfce", "FRALLE 2000", {"FR": 330}, (2000, 2010), CHILD, "nci",
             Policy((0.40, 0.05, 0.0), (0.02, 0.22, 0.94), 0.8), (36, 84), ph=1),
    Protocol("fr_sfce", "CAALL-F01", {"FR": 120}, (2016, 2020), CHILD, "nci",
             Policy((0.45, 0.05, 0.0), (0.02, 0.20, 0.95), 0.8), (36, 84)),
    Protocol("fr_be_ch_graall", "GRAALL-2005", {"FR": 262, "BE": 37, "CH": 22}, (2006, 2013),
             ((18, 30, 37), (30, 40, 20), (40, 50, 23), (50, 60, 20)), "adult",
             Policy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, "GRAALL-2005 hyper-C", (0.42, 0.60)), (39, 82)),
    Protocol("fr_be_ch_graall", "GRAAPH-2005", {"FR": 88, "BE": 13, "CH": 8}, (2006, 2011),
             ((18, 30, 14), (30, 40, 20), (40, 50, 27), (50, 60, 39)), "adult",
             Policy((0.0, 0.0, 0.0), (0.0, 0.0, 0.12), 0.5, transplant=(0.55, 0.60)), (39, 82), "fusion_qpcr", ph=2),
    Protocol("eortc_cldlg", "EORTC 58951", {"FR": 100, "BE": 100, "PT": 20}, (1998, 2008), CHILD, "nci",
             Policy((0.25, 0.0, 0.0), (0.0, 0.0, 0.95), 0.5, "EORTC 58951 asparaginase"), (35, 84), ph=1),
    Protocol("de_aieop_bfm", "AIEOP-BFM ALL 2000", {"DE": 230}, (2000, 2006), CHILD, "bfm", _BFM2000, (33, 78)),
    Protocol("de_aieop_bfm", "AIEOP-BFM ALL 2009", {"DE": 190}, (2010, 2017), CHILD, "bfm", _BFM2009, (33, 78)),
    Protocol("de_aieop_bfm", "Interfant-06", {"DE": 10}, (2006, 2016), INFANT, "infant", _INFANT, (33, 78)),
    Protocol("de_coall", "CoALL 07-03", {"DE": 250}, (2003, 2010), CHILD, "nci",
             Policy((0.26, 0.0, 0.0), (0.0, 0.20, 0.95), 0.9), (29, 64), ph=1),
    Protocol("de_gmall", "GMALL 07/2003", {"DE": 370}, (2003, 2012),
             ((16, 25, 30), (25, 35, 23), (35, 45, 21), (45, 56, 26)), "adult",
             Policy((0.10, 0.0, 0.0), (0.02, 0.3, 0.85), 0.6, transplant=(0.50, 0.65)), (40, 84), ph=1),
    Protocol("at_ch_bfm", "AIEOP-BFM ALL 2000", {"AT": 80, "CH": 38}, (2000, 2006), CHILD, "bfm", _BFM2000, (33, 78)),
    Protocol("at_ch_bfm", "AIEOP-BFM ALL 2009", {"AT": 70, "CH": 32}, (2010, 2017), CHILD, "bfm", _BFM2009, (33, 78)),
    Protocol("it_aieop", "AIEOP-BFM ALL 2000", {"IT": 420}, (2000, 2006), CHILD, "bfm", _BFM2000, (33, 78)),
    Protocol("it_aieop", "AIEOP-BFM ALL 2009", {"IT": 362}, (2010, 2017), CHILD, "bfm", _BFM2009, (33, 78)),
    Protocol("it_aieop", "Interfant-06", {"IT": 18}, (2006, 2016), INFANT, "infant", _INFANT, (33, 78)),
    Protocol("es_pt_sehop_pethema", "SEHOP-PETHEMA 2013", {"ES": 205, "PT": 20}, (2013, 2020), CHILD, "nci",
             Policy((0.45, 0.05, 0.0), (0.02, 0.18, 0.95), 0.8), (33, 78), "flow",
             sensitive=(0.15, 0.30, 0.42, 0.13)),
    Protocol("es_pt_sehop_pethema", "PETHEMA ALL-HR-11", {"ES": 145, "PT": 10}, (2011, 2018),
             ((15, 30, 36), (30, 45, 32), (45, 61, 32)), "pethema",
             Policy((0.0, 0.0, 0.0), (0.0, 0.0, 0.90), 0.0, transplant=(0.85, 0.85)), (35, 84), "flow",
             sensitive=(0.10, 0.30, 0.45, 0.15)),
    Protocol("cz_cpho", "AIEOP-BFM ALL 2009", {"CZ": 200}, (2010, 2017), CHILD, "bfm", _BFM2009, (33, 78)),
)


@dataclass(frozen=True)
class Shift:
    """What sets a trial apart: log hazard of relapse (all; T-ALL on top; age 18 and over on top), log hazard of death
    in remission, logit of cure after relapse, log10 MRD at both samples, factors on death in induction and on treatment
    failure."""

    relapse: float = 0.0
    relapse_t: float = 0.0
    relapse_adult: float = 0.0
    remission_death: float = 0.0
    salvage: float = 0.0
    mrd_eoi: float = 0.0
    mrd_eoc: float = 0.0
    induction_death: float = 1.0
    failure: float = 1.0


SHIFTS: Mapping[str, Shift] = {
    "ALL10": Shift(relapse=-1.31, remission_death=0.02, salvage=0.7, mrd_eoi=0.5, mrd_eoc=-1.2, induction_death=0.7,
                   failure=0.7),
    "ALL11": Shift(relapse=-1.75, remission_death=0.02, salvage=1.77, mrd_eoi=0.5, mrd_eoc=-1.2, induction_death=0.5,
                   failure=0.4),
    "Interfant-06": Shift(relapse=-1.05, salvage=0.08),
    "NOPHO ALL2008": Shift(relapse=-2.04, relapse_t=1.15, relapse_adult=-1.35, induction_death=0.7),
    "FRALLE 2000": Shift(relapse=-1.44, salvage=1.1),
    "CAALL-F01": Shift(relapse=-1.5, salvage=1.25),
    "GRAALL-2005": Shift(relapse=-1.21, salvage=1.43, induction_death=0.85, failure=0.75),
    "GRAAPH-2005": Shift(relapse=-2.12, salvage=1.44),
    "EORTC 58951": Shift(relapse=-1.21, salvage=0.85),
    "AIEOP-BFM ALL 2000": Shift(relapse=-1.01, salvage=1.45),
    "AIEOP-BFM ALL 2009": Shift(relapse=-1.5, salvage=1.41),
    "CoALL 07-03": Shift(relapse=-1.51, salvage=1.31),
    "GMALL 07/2003": Shift(relapse=-1.25),
    "SEHOP-PETHEMA 2013": Shift(relapse=-1.24, salvage=0.61),
    "PETHEMA ALL-HR-11": Shift(relapse=0.36, remission_death=0.22, salvage=1.34, mrd_eoi=-0.7),
}

SOURCE_NAMES: tuple[str, ...] = tuple(dict.fromkeys(protocol.source for protocol in PROTOCOLS))

PROVIDERS: Mapping[str, str] = {
    "nl_dcog": "SYN-NL-CHILD", "nordic_nopho": "SYN-NORDIC", "fr_sfce": "SYN-FR-CHILD",
    "fr_be_ch_graall": "SYN-FR-ADULT", "eortc_cldlg": "SYN-EORTC", "de_aieop_bfm": "SYN-DE-BFM",
    "de_coall": "SYN-DE-COALL", "de_gmall": "SYN-DE-ADULT", "at_ch_bfm": "SYN-AT-CH", "it_aieop": "SYN-IT",
    "es_pt_sehop_pethema": "SYN-ES-PT", "cz_cpho": "SYN-CZ"}

CUT_OFF: Mapping[str, date] = {
    "nl_dcog": date(2021, 12, 31), "nordic_nopho": date(2016, 6, 30), "fr_sfce": date(2022, 6, 30),
    "fr_be_ch_graall": date(2017, 12, 31), "eortc_cldlg": date(2014, 12, 31), "de_aieop_bfm": date(2020, 12, 31),
    "de_coall": date(2017, 12, 31), "de_gmall": date(2017, 6, 30), "at_ch_bfm": date(2020, 12, 31),
    "it_aieop": date(2019, 12, 31), "es_pt_sehop_pethema": date(2022, 12, 31), "cz_cpho": date(2021, 6, 30)}
"""Administrative end of follow-up of each source (project rule; NOPHO: median follow-up 4.6 years as published)."""

YEARLY_LOSS: Mapping[str, float] = {
    "NL": 0.006, "SE": 0.003, "DK": 0.002, "NO": 0.003, "FI": 0.003, "IS": 0.002, "FR": 0.018, "BE": 0.014,
    "PT": 0.035, "DE": 0.012, "AT": 0.008, "CH": 0.012, "IT": 0.020, "ES": 0.028, "CZ": 0.010}
"""Share of living patients lost to follow-up each year (project rule: differs by country)."""


def weights() -> list[tuple[int, str, int]]:
    """Every (protocol number, country, patients per 5,000)."""
    return [(number, country, count) for number, protocol in enumerate(PROTOCOLS)
            for country, count in protocol.countries.items()]


def shifts(name: str) -> NDArray[np.float64]:
    """One field of `SHIFTS` for every protocol number."""
    return np.array([getattr(SHIFTS[protocol.trial], name) for protocol in PROTOCOLS], dtype=np.float64)
