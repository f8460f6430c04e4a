"""What happens to the synthetic patients: competing first events, then death, under administrative censoring.

Relapse has a bounded cumulative hazard A·exp(η)·G(t): a share is cured, hazards are proportional, and G is piecewise
linear, so a day is drawn by inverting it. A change of treatment on a later day (randomised arm, transplant) multiplies
the hazard from that day on. Death in remission and second malignancy are drawn in the same way and compete.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.genetics import Timing
from harmony_dash.synthetic.population import Flags, Floats, Ints, Population, Words, only
from harmony_dash.synthetic.protocols import CUT_OFF, PROTOCOLS, YEARLY_LOSS, shifts
from harmony_dash.synthetic.response import Response
from harmony_dash.synthetic.treatment import INTENSIFIED, REDUCED, Treatment

YEAR = 365.25
_NEVER = 10**6
_EPOCH_ORDINAL = 719_163  # 1970-01-01

NONE, INDUCTION_DEATH, TREATMENT_FAILURE, RELAPSE, DEATH_IN_CR, SMN = range(6)
EVENTS = np.array(["none", "induction_death", "treatment_failure", "relapse", "death_in_cr", "smn"], dtype=object)

# Years from remission and share of all relapses by then. Together 55 % come before 2 years, 75 % of high-risk and 30 %
# of good-risk ones; HeH and ETV6::RUNX1 have a tail to 6-8 years, almost none come after 7.
_KNOTS = np.array([0.0, 0.15, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 9.0])
_SHARES = np.array([
    [0, 0.02, 0.13, 0.34, 0.54, 0.70, 0.81, 0.88, 0.955, 0.98, 0.99, 0.998, 1],
    [0, 0.01, 0.04, 0.12, 0.24, 0.38, 0.53, 0.67, 0.86, 0.945, 0.98, 0.992, 1],
    [0, 0.00, 0.02, 0.06, 0.13, 0.22, 0.34, 0.48, 0.71, 0.86, 0.94, 0.98, 1]])
_TOXIC_SHARES = np.array([0, 0.12, 0.40, 0.62, 0.78, 0.87, 0.92, 0.95, 0.97, 0.98, 0.99, 0.995, 1])
_SMN_SHARES = np.array([0, 0.00, 0.02, 0.06, 0.11, 0.17, 0.24, 0.31, 0.46, 0.60, 0.72, 0.82, 1])

_MRD_EOI, _MRD_EOC = 0.22, 0.47
"""Log hazard of relapse per log10 of MRD (O'Connor, JCO 2018: -20 % per natural log together)."""
_MRD_EOC_T = 0.30
_NEGATIVE = -0.10
_WBC = 0.10
_IKZF1PLUS = 1.81
_IKZF1PLUS_NEGATIVE = -2.3
"""IKZF1plus matters only with measurable MRD: EFS 94 in MRD-SR, 40 in MRD-IR (Stanulla, JCO 2018)."""
_HEH_POOR = 1.3
_T_LOW_RISK = -1.4
_DOWN = 0.62


@dataclass(frozen=True)
class Outcome:
    """The canonical event record, whole days from diagnosis; -1 where there is no such day."""

    first_event: Ints
    first_event_days: Ints
    remission: Flags
    cr_days: Ints
    dead: Flags
    death_days: Ints
    last_contact_days: Ints
    cause_death: Words
    relapse_site: Words
    randomised: Flags
    transplanted: Flags


def draw_outcome(people: Population, response: Response, treatment: Treatment, rng: np.random.Generator) -> Outcome:
    """Draw the course of every patient until the end of follow-up."""
    size = len(people)
    first, first_days = _draw_first(people, response, treatment, rng)
    death_days = _draw_death(people, first, first_days, rng)
    censored = _draw_censoring(people, rng)
    seen = first_days <= censored
    dead = death_days <= censored
    last = np.where(dead, death_days, censored)
    remission = ~np.isin(first, (INDUCTION_DEATH, TREATMENT_FAILURE)) & (response.cr_days <= last)
    shown = np.where(seen, first, NONE)
    until = np.where(seen, first_days, last)
    site = np.array(["BM", "CNS", "combined", "testis", "other"], dtype=object)
    sites = site[np.digitize(rng.random(size) + 0.15 * people.t_cell, (0.60, 0.80, 0.95, 0.98))]
    return Outcome(
        first_event=shown, first_event_days=np.where(shown > NONE, first_days, -1), remission=remission,
        cr_days=np.where(remission, response.cr_days, -1), dead=dead, death_days=np.where(dead, death_days, -1),
        last_contact_days=last, cause_death=only(dead, _name_cause(first, rng)),
        relapse_site=only(shown == RELAPSE, sites),
        randomised=treatment.eligible & remission_by(treatment.rand_days, until, remission, response.cr_days),
        transplanted=remission & (treatment.transplant_days < until))


def remission_by(day: Ints, until: Ints, remission: Flags, cr_days: Ints) -> Flags:
    """Still under observation without an event on `day`, and in remission by then if `day` comes after day 0."""
    return np.asarray((until > day) & ((day == 0) | (remission & (cr_days <= day))))


def relapse_log_hazard(people: Population, response: Response, treatment: Treatment) -> Floats:
    """Log of the ultimate cumulative relapse hazard, before any change of treatment on a later day."""
    shift = shifts("relapse")[people.protocol] + shifts("relapse_t")[people.protocol] * people.t_cell
    shift += shifts("relapse_adult")[people.protocol] * (people.age >= 18)
    level = genetics.attribute("relapse")[people.subtype] + shift
    level += _MRD_EOI * (response.eoi + 4.5).clip(-2.5, 4) + _MRD_EOC * (response.eoc + 5.8).clip(-2.5, 5)
    level += _MRD_EOC_T * people.t_cell * (response.eoc + 4.8).clip(-2.5, 4)
    level += _NEGATIVE * (10.0**response.eoi < 10**-4.8) + _WBC * np.log(people.wbc / 12)
    level += 0.15 * (people.age >= 10) + 0.25 * (people.age >= 18) + 0.012 * (people.age - 35).clip(0, 40)
    level += 0.8 * (people.age >= 55)
    level += 0.45 * (people.age < 1)
    plus = find_ikzf1plus(people)
    level += np.where(plus, np.where(response.eoi >= -4.7, _IKZF1PLUS, _IKZF1PLUS_NEGATIVE), 0.0)
    level += _HEH_POOR * find_heh_poor(people) + _T_LOW_RISK * find_t_low_risk(people) + _DOWN * people.down
    return np.asarray(level)


def find_ikzf1plus(people: Population) -> Flags:
    """IKZF1 with CDKN2A, CDKN2B, PAX5 or PAR1 deleted and ERG not (Stanulla, JCO 2018); B lineage."""
    found = people.deletions
    partner = found["cdkn2a"] | found["cdkn2b"] | found["pax5"] | found["par1"]
    return np.asarray(found["ikzf1"] & partner & ~found["erg"] & ~people.t_cell)


def find_heh_poor(people: Population) -> Flags:
    """High hyperdiploidy that is not good by the UKALL-HeH rule (unverified; Enshaei, Lancet Haematol 2021)."""
    gained = people.trisomies
    both, one = gained["tri_17"] & gained["tri_18"], gained["tri_17"] ^ gained["tri_18"]
    good = both | (one & ~gained["tri_5"] & ~gained["tri_20"])
    return np.asarray((people.subtype == genetics.INDEX["HeH"]) & ~good)


def find_t_low_risk(people: Population) -> Flags:
    """T-ALL with NOTCH1 or FBXW7 mutated and RAS and PTEN in germline (Petit, Blood 2018)."""
    found = people.mutations
    ras = found["mut_nras"] | found["mut_kras"] | found["mut_pten"]
    return np.asarray((found["mut_notch1"] | found["mut_fbxw7"]) & ~ras)


def intensity_effect(people: Population, treatment: Treatment) -> Floats:
    """Log hazard ratio of relapse of the intensity received against standard: the truth a what-if should find.

    Reduced: none in ETV6::RUNX1, little at age 1-6, more elsewhere, as randomised in AIEOP-BFM 2000 (Schrappe, JCO
    2018). Intensified: 0.75, in high-risk genetics 0.45 (UKALL2003: 0.34), iAMP21 0.09 (29 -> 75-80 % EFS); randomised
    asparaginase 0.85 (EORTC 58951: DFS 0.87), hyper-C 1 (GRAALL-2005).
    """
    etv6 = people.subtype == genetics.INDEX["ETV6::RUNX1"]
    less = np.select([etv6, people.age < 7], [0.0, np.log(1.8)], np.log(3.1))
    high = genetics.subtypes_in(genetics.HIGH_RISK)[people.subtype]
    iamp21 = people.subtype == genetics.INDEX["iAMP21"]
    more = np.select([iamp21, high], [np.log(0.09), np.log(0.45)], np.log(0.75))
    trial = treatment.rand_id
    more = np.select([trial == "EORTC 58951 asparaginase", trial == "GRAALL-2005 hyper-C"], [np.log(0.84), 0.0], more)
    return np.select([treatment.received == REDUCED, treatment.received == INTENSIFIED], [less, more], 0.0)


def _timing(people: Population, response: Response) -> Ints:
    timing = genetics.attribute("timing")[people.subtype].astype(np.int64)
    early = (people.age >= 18) | (response.eoc >= -3) | (people.wbc >= 100)
    return np.where(early, Timing.EARLY, timing)


def _draw_first(people: Population, response: Response, treatment: Treatment,
                rng: np.random.Generator) -> tuple[Ints, Ints]:
    size = len(people)
    relapse = _draw_relapse(people, response, treatment, rng)
    toxic = _draw_death_in_remission(people, response, treatment, rng)
    second = response.cr_days + _invert(rng.exponential(size=size) / (0.015 + 0.012 * (people.age >= 18)),
                                        np.zeros(size, dtype=np.int64), _SMN_SHARES[None, :])
    days = np.stack([relapse, toxic, second])
    code = np.array([RELAPSE, DEATH_IN_CR, SMN])[days.argmin(axis=0)]
    day = days.min(axis=0)
    code, day = np.where(day >= _NEVER, NONE, code), np.minimum(day, _NEVER)
    early = np.maximum(1, np.minimum(rng.gamma(2.6, 7.5, size), response.eoi_day - 1)).astype(np.int64)
    late = response.eoi_day + rng.integers(0, 55, size)
    code = np.select([response.induction_death, response.failure], [INDUCTION_DEATH, TREATMENT_FAILURE], code)
    return code, np.select([response.induction_death, response.failure], [early, late], day)


def _draw_relapse(people: Population, response: Response, treatment: Treatment, rng: np.random.Generator) -> Ints:
    level = relapse_log_hazard(people, response, treatment)
    effect = intensity_effect(people, treatment)
    later = treatment.eligible & (treatment.rand_days > 0)
    level += np.where(later, 0.0, effect)
    change = np.where(later, treatment.rand_days, treatment.transplant_days)
    ratio = np.where(later, np.exp(effect), 0.55)
    timing = _timing(people, response)
    draw = rng.exponential(size=len(people)) / np.exp(level)
    return response.cr_days + _invert_changed(draw, timing, change - response.cr_days, ratio)


def _draw_death_in_remission(people: Population, response: Response, treatment: Treatment,
                             rng: np.random.Generator) -> Ints:
    """Death in remission: 2-3 % of children, 7 % in Down syndrome, 12 % of adults with T-ALL."""
    band = np.digitize(people.age, (1, 10, 18, 40))
    level = np.array([0.060, 0.019, 0.032, 0.075, 0.115])[band] * np.where(people.down, 4.5, 1.0)
    toxicity = np.array([0.75, 1.0, 1.5])[treatment.received]
    level *= np.where(treatment.eligible, 1.0, toxicity) * np.where(people.age >= 55, 3.0, 1.0)
    level *= np.where(people.subtype == genetics.INDEX["ETV6::RUNX1"], 0.5, 1.0)
    level *= np.exp(shifts("remission_death")[people.protocol])
    draw = rng.exponential(size=len(people)) / level
    ratio = np.where(people.age >= 18, 3.5, 5.0)
    zeros = np.zeros(len(people), dtype=np.int64)
    return response.cr_days + _invert_changed(draw, zeros, treatment.transplant_days - response.cr_days, ratio,
                                              _TOXIC_SHARES[None, :])


def _invert_changed(draw: Floats, kind: Ints, change: Ints, ratio: Floats, shares: Floats = _SHARES) -> Ints:
    """Days until `draw` is used up when the hazard is multiplied by `ratio` from day `change` on."""
    before = _evaluate(change, kind, shares)
    return _invert(np.where(draw <= before, draw, before + (draw - before) / ratio), kind, shares)


def _evaluate(days: Ints, kind: Ints, shares: Floats) -> Floats:
    """G on given days after remission, by kind of curve."""
    result = np.zeros(len(days))
    for number in range(len(shares)):
        rows = kind == number
        result[rows] = np.interp(days[rows] / YEAR, _KNOTS, shares[number])
    return result


def _invert(draw: Floats, kind: Ints, shares: Floats) -> Ints:
    """Whole days (at least 1) on which G reaches `draw`; never if it does not."""
    result = np.full(len(draw), _NEVER, dtype=np.int64)
    for number in range(len(shares)):
        rows = np.flatnonzero((kind == number) & (draw < 1))
        # A flat start would make the inverse ambiguous; a tiny slope settles it.
        curve = shares[number] + 1e-9 * _KNOTS
        result[rows] = np.maximum(1, np.rint(np.interp(draw[rows], curve, _KNOTS) * YEAR)).astype(np.int64)
    return result


def _draw_death(people: Population, first: Ints, first_days: Ints, rng: np.random.Generator) -> Ints:
    """Day of death from any cause; patients without an event do not die (a death would be their event)."""
    size = len(people)
    cured = rng.random(size) < _cure_after(people, first, first_days)
    adult = people.age >= 18
    median = np.where(first == SMN, 1.3, np.where(adult, 0.55, 0.75))
    wait = np.maximum(1, np.rint(np.exp(rng.normal(np.log(median), 0.95)) * YEAR)).astype(np.int64)
    at_once = np.isin(first, (INDUCTION_DEATH, DEATH_IN_CR))
    later = np.where(cured | (first == NONE), _NEVER, first_days + wait)
    return np.where(at_once, first_days, later)


def _cure_after(people: Population, first: Ints, first_days: Ints) -> Floats:
    """Chance to survive after the first event: children 50-60 %, adults about 10 % (unverified)."""
    years = first_days / YEAR
    logit = -0.05 + 0.6 * (years - 2.2).clip(-1.6, 2.5) + genetics.attribute("salvage")[people.subtype]
    logit -= 0.35 * ((people.age >= 10) & (people.age < 18)) + 1.5 * (people.age >= 18) + 0.5 * (people.age >= 40)
    logit -= 1.0 * people.down
    relapse = 1 / (1 + np.exp(-(logit + shifts("salvage")[people.protocol])))
    failure = np.where(people.age >= 18, 0.12, 0.30)
    return np.select([first == RELAPSE, first == SMN, first == TREATMENT_FAILURE], [relapse, 0.45, failure], 0.0)


def _draw_censoring(people: Population, rng: np.random.Generator) -> Ints:
    """Last day of observation: a routine visit before the cut-off, or earlier loss to follow-up by country."""
    cut = np.array([CUT_OFF[entry.source].toordinal() - _EPOCH_ORDINAL for entry in PROTOCOLS])[people.protocol]
    visit = cut - people.dx_ordinal - rng.integers(0, 240, len(people))
    rate = np.vectorize(YEARLY_LOSS.__getitem__, otypes=[float])(people.country)
    lost = np.rint(rng.exponential(size=len(people)) / rate * YEAR) + 40
    return np.asarray(np.maximum(1, np.minimum(visit, lost)), dtype=np.int64)


def _name_cause(first: Ints, rng: np.random.Generator) -> Words:
    """Cause of death, mostly implied by the first event."""
    draw = rng.random(len(first))
    usual = np.array(["other", "toxic", "leukaemia", "leukaemia", "toxic", "smn"], dtype=object)[first]
    other = np.array(["other", "leukaemia", "toxic", "toxic", "other", "toxic"], dtype=object)[first]
    return np.where(draw < 0.86, usual, other)
