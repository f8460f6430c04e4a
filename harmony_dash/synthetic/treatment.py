"""Risk group, treatment intensity, randomisation and planned transplant.

Where a protocol randomises, the arm is a coin. Everywhere else the doctor's choice depends on risk group *and* on the
patient's own MRD, white cells and genetics, so that an unadjusted comparison of intensities is confounded by
indication, on purpose: intensified patients do worse although intensification helps them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.population import Flags, Floats, Ints, Population, Words
from harmony_dash.synthetic.protocols import PROTOCOLS
from harmony_dash.synthetic.response import Response

SR, MR, HR, VHR = 0, 1, 2, 3
GROUPS = np.array(["SR", "MR", "HR", "VHR"], dtype=object)
REDUCED, STANDARD, INTENSIFIED = 0, 1, 2
INTENSITIES = np.array(["reduced", "standard", "intensified"], dtype=object)
_NEVER = 99_999
_ADHERENCE = 0.965


@dataclass(frozen=True)
class Treatment:
    """What was planned and given. `rand_days` and `transplant_days` are planned days; events may come first."""

    group: Ints
    assigned: Ints
    received: Ints
    eligible: Flags
    rand_id: Words
    rand_days: Ints
    transplant_days: Ints


@dataclass(frozen=True)
class _Facts:
    """The findings the risk rules look at."""

    negative: Flags
    eoi: Floats
    eoc: Floats
    wbc: Floats
    age: Floats
    t_cell: Flags
    kmt2a: Flags
    ph: Flags
    hypodiploid: Flags
    iamp21: Flags
    ph_like: Flags
    t119: Flags
    poor_prednisone: Flags
    failure: Flags


def assign_treatment(people: Population, response: Response, rng: np.random.Generator) -> Treatment:
    """Stratify, choose or randomise the intensity, and plan transplants."""
    facts = _find_facts(people, response)
    group = _stratify(people.protocol, facts)
    assigned = _choose(people, facts, group, rng)
    assigned = _apply_genetics(people, assigned, group)
    rand_id, rand_days, eligible = _find_randomised(people, facts, group, rng)
    arms = np.where(rand_id == "AIEOP-BFM 2000 delayed intensification", REDUCED, INTENSIFIED)
    coin = rng.random(len(group)) < 0.5
    assigned = np.where(eligible, np.where(coin, arms, STANDARD), assigned)
    received = _deviate(assigned, rng)
    return Treatment(group, assigned, received, eligible, rand_id, rand_days, _plan_transplant(people, group, rng))


def _find_facts(people: Population, response: Response) -> _Facts:
    index = genetics.INDEX
    member = {"kmt2a": "KMT2A-r", "ph": "BCR::ABL1", "iamp21": "iAMP21", "t119": "TCF3::PBX1"}
    found = {name: np.asarray(people.subtype == index[code]) for name, code in member.items()}
    return _Facts(
        negative=response.negative(response.eoi) & response.negative(response.eoc), eoi=response.eoi,
        eoc=response.eoc, wbc=people.wbc, age=people.age, t_cell=people.t_cell,
        hypodiploid=genetics.subtypes_in(frozenset({"near-haploid", "low-hypodiploid"}))[people.subtype],
        ph_like=genetics.subtypes_in(genetics.PH_LIKE)[people.subtype], poor_prednisone=response.poor_prednisone,
        failure=response.failure, kmt2a=found["kmt2a"], ph=found["ph"], iamp21=found["iamp21"], t119=found["t119"])


def _stratify(protocol: Ints, facts: _Facts) -> Ints:
    rules = np.array([entry.rules for entry in PROTOCOLS], dtype=object)[protocol]
    group = np.full(len(protocol), MR, dtype=np.int64)
    for name, rule in _RULES.items():
        group = np.where(rules == name, rule(facts), group)
    return group


def _grade(low: Flags, high: Flags, very_high: Flags | None = None) -> Ints:
    group = np.where(high, HR, np.where(low, SR, MR))
    return group if very_high is None else np.where(very_high, VHR, group)


def _stratify_bfm(facts: _Facts) -> Ints:
    """AIEOP-BFM (Conter, Blood 2010 and 2014): SR negative on both days, HR >= 1e-3 on day 78, PPR, t(4;11), no CR."""
    high = (facts.eoc >= -3) | facts.poor_prednisone | facts.failure | facts.kmt2a | facts.hypodiploid | facts.ph
    return _grade(facts.negative, high)


def _stratify_dcog(facts: _Facts) -> Ints:
    """DCOG: SR undetectable at both points, HR above 5e-4 at the second (unverified cut), MR the rest."""
    return _grade(facts.negative & ~facts.kmt2a, (facts.eoc >= np.log10(5e-4)) | facts.kmt2a | facts.failure)


def _stratify_nopho(facts: _Facts) -> Ints:
    """NOPHO ALL2008; the B-lineage tree is unverified, T-ALL as Quist-Paulsen, Leukemia 2020."""
    high = facts.kmt2a | facts.hypodiploid | (facts.eoc >= -3.3) | (facts.t_cell & (facts.eoi >= -3))
    high |= (facts.wbc > 100) & (facts.eoi >= -4)
    low = ~facts.t_cell & (facts.wbc < 100) & (facts.eoi < -3) & ~facts.iamp21 & ~facts.t119
    return _grade(low, high, (facts.eoi >= np.log10(0.05)) | (facts.eoc >= -2.6))


def _stratify_nci(facts: _Facts) -> Ints:
    """NCI group, genetics and MRD, the common skeleton of FRALLE, CAALL, EORTC, CoALL and SEHOP (simplified)."""
    high = (facts.eoc >= -3) | facts.kmt2a | facts.hypodiploid | facts.ph | facts.failure
    low = ~facts.t_cell & (facts.age < 10) & (facts.wbc < 50) & (facts.eoi < -3) & ~facts.iamp21
    return _grade(low, high)


def _stratify_adult(facts: _Facts) -> Ints:
    """GMALL and GRAALL in outline (GMALL criteria unverified): BCR::ABL1 is very high."""
    white = facts.wbc > np.where(facts.t_cell, 100, 30)
    high = facts.kmt2a | facts.hypodiploid | white | (facts.eoc >= -4) | facts.failure
    return _grade(~high, high, facts.ph)


def _stratify_pethema(facts: _Facts) -> Ints:
    """PETHEMA ALL-HR-11: every patient is high risk by entry; MRD after consolidation decides on transplant."""
    return np.where((facts.eoc >= -4) | facts.failure, HR, MR)


def _stratify_infant(facts: _Facts) -> Ints:
    """Interfant-06: low is KMT2A germline; high KMT2A-r under 6 months with WBC >= 300 or poor prednisone response."""
    return _grade(~facts.kmt2a, facts.kmt2a & (facts.age < 0.5) & ((facts.wbc >= 300) | facts.poor_prednisone))


_RULES = {"bfm": _stratify_bfm, "dcog": _stratify_dcog, "nopho": _stratify_nopho, "nci": _stratify_nci,
          "adult": _stratify_adult, "pethema": _stratify_pethema,
          "infant": _stratify_infant}


def _choose(people: Population, facts: _Facts, group: Ints, rng: np.random.Generator) -> Ints:
    """Intensity by protocol, risk group and, with `indication`, the patient's own findings."""
    row = (people.protocol, np.minimum(group, HR))
    down = np.array([entry.policy.reduced for entry in PROTOCOLS])[row]
    up = np.array([entry.policy.intensified for entry in PROTOCOLS])[row]
    slope = np.array([entry.policy.indication for entry in PROTOCOLS])[people.protocol]
    severity = 0.45 * (facts.eoi + 4.3) + 0.35 * np.log(facts.wbc / 12) + 0.6 * (facts.age >= 10)
    severity = severity + 0.8 * genetics.subtypes_in(genetics.HIGH_RISK)[people.subtype]
    draw = rng.random(len(group))
    intensified = draw < _tilt(up, slope * severity)
    reduced = ~intensified & (rng.random(len(group)) < _tilt(down, -slope * severity))
    return np.where(intensified, INTENSIFIED, np.where(reduced, REDUCED, STANDARD))


def _tilt(share: Floats, shift: Floats) -> Floats:
    """A probability moved on the logit scale; 0 and 1 stay."""
    odds = share / np.maximum(1 - share, 1e-12) * np.exp(shift)
    return np.asarray(np.where(share >= 1, 1.0, odds / (1 + odds)))


def _apply_genetics(people: Population, assigned: Ints, group: Ints) -> Ints:
    """Intensity decided by genetics alone.

    Protocols since 2008 treat iAMP21 as high risk. DCOG ALL11: IKZF1-deleted MR a longer maintenance; ETV6::RUNX1 and
    Down syndrome less (Pieters, JCO 2023).
    """
    modern = np.array([entry.years[0] >= 2008 for entry in PROTOCOLS])[people.protocol]
    assigned = np.where(modern & (people.subtype == genetics.INDEX["iAMP21"]), INTENSIFIED, assigned)
    here = np.array([entry.trial == "ALL11" for entry in PROTOCOLS])[people.protocol] & (group < HR)
    etv6 = people.subtype == genetics.INDEX["ETV6::RUNX1"]
    deleted = people.deletions["ikzf1"] & ~people.t_cell & (group == MR)
    assigned = np.where(here & deleted, INTENSIFIED, assigned)
    return np.where(here & (etv6 | people.down), REDUCED, assigned)


def _find_randomised(people: Population, facts: _Facts, group: Ints,
                     rng: np.random.Generator) -> tuple[Words, Ints, Flags]:
    """Which patients are offered a randomisation and accept; the day is when the arms part.

    1,164 standard-risk patients of about 4,740 were randomised in AIEOP-BFM ALL 2000 (Schrappe, JCO 2018), 1,552
    non-VHR patients in EORTC 58951 (Mondelaers, Haematologica 2017), 787 in GRAALL-2005 (Huguet, JCO 2018).
    """
    size = len(group)
    rand_id = np.array([entry.policy.randomisation for entry in PROTOCOLS], dtype=object)[people.protocol]
    bfm, eortc, graall = (np.array([name.startswith(part) for name in rand_id], dtype=bool)
                          for part in ("AIEOP", "EORTC", "GRAALL"))
    accept = rng.random(size)
    eligible = (bfm & (group == SR) & (accept < 0.72)) | (eortc & (group < HR) & (accept < 0.88)) | graall
    eligible &= ~people.down
    days = np.where(bfm, rng.integers(150, 205, size), np.where(eortc, rng.integers(36, 60, size), 0))
    return np.where(eligible, rand_id, ""), np.where(eligible, days, _NEVER), eligible


def _deviate(assigned: Ints, rng: np.random.Generator) -> Ints:
    """Intensity received: 96.5 % as assigned, otherwise one step away (project rule)."""
    step = np.where(rng.random(len(assigned)) < 0.6, -1, 1)
    moved = np.clip(assigned + step, REDUCED, INTENSIFIED)
    return np.where(rng.random(len(assigned)) < _ADHERENCE, assigned, moved)


def _plan_transplant(people: Population, group: Ints, rng: np.random.Generator) -> Ints:
    """Planned day of transplant in first remission; only high-risk groups, children more rarely than adults."""
    chance = np.array([entry.policy.transplant for entry in PROTOCOLS])[people.protocol]
    share = np.select([group == HR, group == VHR], [chance[:, 0], chance[:, 1]], 0.0)
    planned = rng.random(len(group)) < share
    return np.where(planned, rng.integers(110, 260, len(group)), _NEVER)
