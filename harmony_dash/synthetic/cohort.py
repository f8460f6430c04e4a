"""The synthetic truth: complete canonical rows, before any provider's habits and gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.outcome import EVENTS, INDUCTION_DEATH, TREATMENT_FAILURE, Outcome, draw_outcome
from harmony_dash.synthetic.population import (
    Flags,
    Floats,
    Ints,
    Population,
    Words,
    allocate,
    draw_population,
    only,
)
from harmony_dash.synthetic.protocols import PROTOCOLS, PROVIDERS
from harmony_dash.synthetic.response import Response, draw_response
from harmony_dash.synthetic.treatment import GROUPS, INTENSITIES, Treatment, assign_treatment

_EPOCH = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class Cohort:
    """Synthetic patients with their response, treatment and outcome, as arrays."""

    people: Population
    response: Response
    treatment: Treatment
    outcome: Outcome

    def __len__(self) -> int:
        return len(self.people)


def simulate(protocol: Ints, country: Words, rng: np.random.Generator) -> Cohort:
    """Simulate one patient for every given (protocol number, country)."""
    people = draw_population(protocol, country, rng)
    response = draw_response(people, rng)
    treatment = assign_treatment(people, response, rng)
    return Cohort(people, response, treatment, draw_outcome(people, response, treatment, rng))


def generate_cohort(patients: int, rng: np.random.Generator) -> pd.DataFrame:
    """Complete canonical rows of `patients` synthetic patients, in the proportions of the pool.

    Parameters
    ----------
    patients : number of rows.
    rng : the only source of randomness; equal generators give equal frames.

    Returns
    -------
    A frame whose columns are names of the dictionary and whose values are its codes, days and units. Nothing is
    missing but what does not apply: gaps are added when a source is written.
    """
    protocol, country = allocate(patients)
    return to_frame(simulate(protocol, country, rng))


def to_frame(cohort: Cohort) -> pd.DataFrame:
    """The canonical rows of a simulated cohort."""
    size = len(cohort)
    columns: dict[str, object] = {
        "patient_id": np.array([f"P{number:08d}" for number in range(1, size + 1)], dtype=object),
        "disease": np.full(size, "ALL", dtype=object)}
    columns |= _describe_origin(cohort.people) | _describe_presentation(cohort.people)
    columns |= _describe_genetics(cohort.people) | _describe_response(cohort)
    columns |= _describe_treatment(cohort) | _describe_outcome(cohort.outcome)
    return pd.DataFrame(columns)


def _describe_origin(people: Population) -> dict[str, object]:
    source = np.array([entry.source for entry in PROTOCOLS], dtype=object)[people.protocol]
    dates = _EPOCH + people.dx_ordinal
    return {"source": source, "provider": np.array([PROVIDERS[entry.source] for entry in PROTOCOLS],
                                                   dtype=object)[people.protocol],
            "country": people.country, "trial": np.array([entry.trial for entry in PROTOCOLS],
                                                         dtype=object)[people.protocol],
            "dx_year": dates.astype("datetime64[Y]").astype(int) + 1970}


def _describe_presentation(people: Population) -> dict[str, object]:
    return {"age_dx_years": people.age, "sex": np.where(people.male, "M", "F").astype(object),
            "down_syndrome": yes_no(people.down), "wbc_dx": people.wbc, "hb": people.hb, "plt": people.plt,
            "blasts_bm": people.blasts_bm, "blasts_pb": people.blasts_pb,
            "immunophenotype": np.where(people.t_cell, "T", "B").astype(object),
            "etp": only(people.t_cell, yes_no(people.subtype == genetics.INDEX["T ETP"])),
            "cns_status": people.cns, "mediastinum": yes_no(people.mediastinum)}


def _describe_genetics(people: Population) -> dict[str, object]:
    name = genetics.NAMES[people.subtype]
    columns: dict[str, object] = {"subtype": name}
    for entry in genetics.SUBTYPES:
        if entry.marker:
            columns[entry.marker] = np.where(people.subtype == genetics.INDEX[entry.name], "pos", "neg").astype(object)
    columns["ph_like"] = np.where(genetics.subtypes_in(genetics.PH_LIKE)[people.subtype], "pos",
                                  "neg").astype(object)
    for trisomy, gained in people.trisomies.items():
        columns[trisomy] = only(name == "HeH", yes_no(gained))
    for locus, deleted in people.deletions.items():
        columns[f"cna_{locus}"] = np.where(deleted, "del", "nodel").astype(object)
    for gene, mutated in people.mutations.items():
        columns[gene] = only(people.t_cell, np.where(mutated, "mut", "wt").astype(object))
    return columns


def _describe_response(cohort: Cohort) -> dict[str, object]:
    response, outcome = cohort.response, cohort.outcome
    method = np.array([entry.method for entry in PROTOCOLS], dtype=object)[cohort.people.protocol]
    until = np.where(outcome.first_event > 0, outcome.first_event_days, outcome.last_contact_days)
    columns: dict[str, object] = {
        "prednisone_response_d8": only(until > 8, np.where(response.poor_prednisone, "PPR", "PGR").astype(object)),
        "marrow_d15": only(until > 15, response.marrow_d15),
        "marrow_eoi": only(until >= response.eoi_day, response.marrow_eoi)}
    for point, latent, day in (("eoi", response.eoi, response.eoi_day), ("eoc", response.eoc, response.eoc_day)):
        taken = until >= day
        status = read_status(latent, response.lod, response.loq)
        value = np.select([status == "undetectable", status == "quantified"], [0.0, 10.0**latent], np.nan)
        columns |= {f"mrd_{point}_value": np.where(taken, value, np.nan), f"mrd_{point}_status": only(taken, status),
                    f"mrd_{point}_lod": np.where(taken, response.lod, np.nan),
                    f"mrd_{point}_loq": np.where(taken, response.loq, np.nan),
                    f"mrd_{point}_method": only(taken, method), f"mrd_{point}_day": days(day, taken)}
    return columns


def read_status(latent: Floats, lod: Floats, loq: Floats) -> Words:
    """What an assay with these limits reports for a latent log10 MRD."""
    level = 10.0**latent
    status = np.select([level < lod, level < loq], ["undetectable", "pos_below_qr"], "quantified")
    return np.asarray(status, dtype=object)


def _describe_treatment(cohort: Cohort) -> dict[str, object]:
    treatment, outcome = cohort.treatment, cohort.outcome
    settled = outcome.remission
    known = settled | np.isin(outcome.first_event, (INDUCTION_DEATH, TREATMENT_FAILURE))
    status = np.select([outcome.first_event == INDUCTION_DEATH, outcome.first_event == TREATMENT_FAILURE],
                       ["early_death", "noCR"], "CR1").astype(object)
    return {"cr_status": only(known, status),
            "cr_days": days(outcome.cr_days, settled), "risk_group_reported": GROUPS[treatment.group],
            "intensity_assigned": INTENSITIES[treatment.assigned],
            "intensity_received": INTENSITIES[treatment.received], "randomised": yes_no(outcome.randomised),
            "rand_id": only(outcome.randomised, treatment.rand_id),
            "rand_arm": only(outcome.randomised, INTENSITIES[treatment.assigned]),
            "rand_days": days(treatment.rand_days, outcome.randomised), "hsct_cr1": yes_no(outcome.transplanted),
            "hsct_days": days(treatment.transplant_days, outcome.transplanted)}


def _describe_outcome(outcome: Outcome) -> dict[str, object]:
    return {"first_event": EVENTS[outcome.first_event],
            "first_event_days": days(outcome.first_event_days, outcome.first_event > 0), "death": yes_no(outcome.dead),
            "death_days": days(outcome.death_days, outcome.dead), "last_contact_days": outcome.last_contact_days,
            "cause_death": outcome.cause_death, "relapse_site": outcome.relapse_site}


def yes_no(flag: Flags) -> Words:
    """The dictionary's codes of a yes-or-no variable."""
    return np.asarray(np.where(flag, "yes", "no").astype(object))


def days(value: Ints, applies: Flags) -> Floats:
    """Days as floats with NaN where there is no such day."""
    return np.asarray(np.where(applies, value, np.nan), dtype=np.float64)
