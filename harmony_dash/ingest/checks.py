"""Checks across variables of harmonised rows: required values, order in time, the event record, plausibility.

Errors quarantine the row: the values contradict each other and nothing tells which is right. Warnings keep it and ask
for a look. A check that needs a variable the frame does not hold, or holds as missing, stays silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.cohort.endpoints import ENDPOINTS
from harmony_dash.dictionary import Dictionary, TimePoint, VariableType
from harmony_dash.dictionary.model import KNOWN_DAY
from harmony_dash.ingest.derive import GOOD_RISK_MARKERS, HIGH_RISK_MARKERS
from harmony_dash.ingest.event_record import DEATHS, remission_of
from harmony_dash.ingest.issues import Problem, Reason, Severity

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# Earliest days on which the two MRD time points are drawn (UK 29 and week 11, BFM 33 and 78); the latest are the days
# from which the dictionary takes the result as known.
EARLIEST_MRD_DAY: Mapping[str, int] = MappingProxyType({"mrd_eoi": 22, "mrd_eoc": 57})
LATEST_MRD_DAY: Mapping[str, int] = MappingProxyType({
    "mrd_eoi": KNOWN_DAY[TimePoint.END_OF_INDUCTION], "mrd_eoc": KNOWN_DAY[TimePoint.END_OF_CONSOLIDATION]})

# Project rules: no marrow shows remission before day 8, and no induction, of two courses either, lasts beyond day 120.
# Day 0 is no day of remission after diagnosis: there the source starts at remission or at the transplant.
EARLIEST_REMISSION_DAY = 8
LATEST_INDUCTION_DEATH_DAY = 120

# Ploidy cuts differ between groups by a chromosome or two: outside the inner range is odd, outside the outer one the
# count and the class contradict each other. A hypodiploid clone may double, so only near-diploid counts contradict.
HEH_CHROMOSOMES = (51, 67)
HEH_CHROMOSOMES_WIDEST = (50, 69)
MOST_HYPODIPLOID_CHROMOSOMES = 45
FEWEST_DOUBLED_CHROMOSOMES = 48

# Fusions of B-cell precursors that are not met in T-cell leukaemia.
B_ONLY_MARKERS = ("etv6_runx1", "tcf3_pbx1", "tcf3_hlf")
B_ONLY_SUBTYPES = ("ETV6::RUNX1", "ETV6::RUNX1-like", "TCF3::PBX1", "TCF3::HLF", "iAMP21", "DUX4-r", "B-other (tested)")

SUBTYPE_OF_MARKER: Mapping[str, str] = MappingProxyType({
    "etv6_runx1": "ETV6::RUNX1", "bcr_abl1": "BCR::ABL1", "kmt2a_r": "KMT2A-r", "tcf3_pbx1": "TCF3::PBX1",
    "tcf3_hlf": "TCF3::HLF", "iamp21": "iAMP21", "heh": "HeH", "near_haploid": "near-haploid",
    "low_hypodiploid": "low-hypodiploid",
})


@dataclass(frozen=True, eq=False)
class _Rows:
    """A frame read by the checks: absent columns are missing everywhere, missing compares as False."""

    frame: pd.DataFrame

    def days(self, name: str) -> Floats:
        """A numeric column as floats, NaN for missing."""
        if name not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        return self.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)

    def has(self, name: str) -> Mask:
        """Where a value is present."""
        if name not in self.frame.columns:
            return np.zeros(len(self.frame), dtype=np.bool_)
        return np.asarray(self.frame[name].notna(), dtype=np.bool_)

    def is_in(self, name: str, *codes: str) -> Mask:
        """Where a column holds one of the codes."""
        if name not in self.frame.columns:
            return np.zeros(len(self.frame), dtype=np.bool_)
        return np.asarray(self.frame[name].isin(codes), dtype=np.bool_)

    def flag(self, mask: Mask, reason: Reason, variable: str, message: str,
             severity: Severity = Severity.ERROR) -> Iterator[Problem]:
        """A problem if the mask holds anywhere."""
        if mask.any():
            yield Problem(rows=mask, reason=reason, message=message, variable=variable, severity=severity)


def find_issues(frame: pd.DataFrame, dictionary: Dictionary, *,
                not_recorded: Mapping[str, str] = MappingProxyType({})) -> list[Problem]:
    """Check rows whose event record is complete (see `endpoints.build_event_record`).

    Parameters
    ----------
    frame : harmonised variables, one patient a row. An identifier that is not in the frame is not checked.
    dictionary : which variables are required, and above which values they are flagged.
    not_recorded : endpoints the source cannot answer: without `os`, death need not be known; without all others, the
        first event need not be.

    Returns
    -------
    Problems with masks over the rows. No message holds a value of a patient.
    """
    rows = _Rows(frame)
    problems = list(_required(rows, dictionary, _not_required(not_recorded)))
    problems += _flagged(rows, dictionary)
    for check in CHECKS:
        problems += check(rows)
    return problems


# -- required and flagged values -----------------------------------------------------------------------------------


def _not_required(not_recorded: Mapping[str, str]) -> frozenset[str]:
    from_first_event = set(ENDPOINTS) - {"os"}
    return frozenset(({"death"} if "os" in not_recorded else set())
                     | ({"first_event"} if from_first_event <= set(not_recorded) else set()))


def _required(rows: _Rows, dictionary: Dictionary, not_required: frozenset[str]) -> Iterator[Problem]:
    for variable in dictionary.variables.values():
        if not variable.required or variable.name in not_required:
            continue
        if variable.type is VariableType.IDENTIFIER and variable.name not in rows.frame.columns:
            continue
        missing = ~rows.has(variable.name)
        if variable.diseases:
            missing &= rows.is_in("disease", *variable.diseases)
        yield from rows.flag(missing, Reason.REQUIRED_MISSING, variable.name, f"{variable.label} is missing")


def _flagged(rows: _Rows, dictionary: Dictionary) -> Iterator[Problem]:
    for variable in dictionary.variables.values():
        if variable.flag_above is not None and variable.is_numeric:
            yield from rows.flag(
                rows.days(variable.name) > variable.flag_above, Reason.FLAGGED_VALUE, variable.name,
                f"{variable.label} above {variable.flag_above:,g} {variable.unit}".rstrip() + ": please check",
                Severity.WARNING)


# -- order in time -------------------------------------------------------------------------------------------------


def _order_of_days(rows: _Rows) -> Iterator[Problem]:
    last, death, first, remission = (rows.days(name) for name in (
        "last_contact_days", "death_days", "first_event_days", "cr_days"))
    order = Reason.TEMPORAL_ORDER
    for name, words in (("cr_days", "remission"), ("first_event_days", "first event"), ("death_days", "death"),
                        ("hsct_days", "transplant"), ("rand_days", "randomisation"), ("relapse_days", "relapse"),
                        ("treatment_failure_days", "treatment failure"), ("smn_days", "second malignancy")):
        yield from rows.flag(rows.days(name) > last, order, name, f"{words} after the last contact")
    for name, words in (("first_event_days", "first event"), ("relapse_days", "relapse"),
                        ("treatment_failure_days", "treatment failure"), ("smn_days", "second malignancy"),
                        ("cr_days", "remission"), ("hsct_days", "transplant"), ("last_contact_days", "last contact")):
        yield from rows.flag(rows.days(name) > death, order, name, f"{words} after death")
    for event, words in (("relapse", "relapse"), ("death_in_cr", "death in remission"), ("smn", "second malignancy")):
        early = rows.is_in("first_event", event) & (first < remission)
        yield from rows.flag(early, order, "first_event_days", f"{words} before remission")
    yield from rows.flag(rows.days("relapse_days") < remission, order, "relapse_days", "relapse before remission")
    yield from rows.flag(rows.days("entry_days") >= last, order, "entry_days",
                         "late entry not before the last contact, so that the patient was never observed")
    in_first = rows.is_in("hsct_cr1", "yes")
    transplant = rows.days("hsct_days")
    yield from rows.flag(in_first & (transplant < remission), order, "hsct_days",
                         "transplant in first remission before remission")
    # Some groups call a late remission a treatment failure, and transplant in it.
    for event, words, severity in (("relapse", "relapse", Severity.ERROR), ("smn", "second malignancy", Severity.ERROR),
                                   ("treatment_failure", "treatment failure", Severity.WARNING)):
        yield from rows.flag(in_first & rows.is_in("first_event", event) & (transplant > first), order, "hsct_days",
                             f"transplant in first remission after {words}", severity)
    yield from rows.flag(rows.days("rand_days") > np.fmin(first, death), order, "rand_days",
                         "randomised after the first event or death")


# -- the event record ----------------------------------------------------------------------------------------------


def _event_record(rows: _Rows) -> Iterator[Problem]:
    died, alive = rows.is_in("death", "yes"), rows.is_in("death", "no")
    dies_first, no_event = rows.is_in("first_event", *DEATHS), rows.is_in("first_event", "none")
    has_event = rows.has("first_event") & ~no_event
    first, death = rows.days("first_event_days"), rows.days("death_days")
    time = Reason.EVENT_TIME
    yield from rows.flag(dies_first & alive, time, "first_event", "the first event is a death, yet the patient lives")
    yield from rows.flag(dies_first & died & (first < death), time, "first_event_days",
                         "the first event is a death, yet the death is on a later day")
    yield from rows.flag(died & no_event, time, "first_event", "the patient died, yet there is no first event")
    yield from rows.flag(no_event & ~np.isnan(first), time, "first_event_days", "a day of a first event without event")
    yield from rows.flag(alive & ~np.isnan(death), time, "death_days", "a day of death without death")
    yield from rows.flag(has_event & np.isnan(first), time, "first_event_days",
                         "a first event without its day; endpoints that need it leave the patient out",
                         Severity.WARNING)
    yield from rows.flag(died & np.isnan(death), time, "death_days",
                         "a death without its day; endpoints that need it leave the patient out", Severity.WARNING)


def _remission(rows: _Rows) -> Iterator[Problem]:
    remission = remission_of(rows.frame)
    time = Reason.EVENT_TIME
    yield from rows.flag(remission.refuted & ~np.isnan(remission.days), time, "cr_days",
                         "a day of remission without remission")
    yield from rows.flag(rows.is_in("first_event", "induction_death") & remission.reached, time, "first_event",
                         "a death in induction after remission")
    yield from rows.flag(rows.is_in("first_event", "relapse", "death_in_cr") & remission.refuted, time, "first_event",
                         "a relapse or a death in remission without remission")
    yield from rows.flag(
        rows.is_in("first_event", "treatment_failure") & (rows.days("first_event_days") > remission.days),
        Reason.TEMPORAL_ORDER, "first_event", "treatment failure after remission: declare it as relapse")
    yield from rows.flag(
        rows.is_in("first_event", "induction_death") & (rows.days("first_event_days") > LATEST_INDUCTION_DEATH_DAY),
        Reason.IMPLAUSIBLE, "first_event", f"a death in induction after day {LATEST_INDUCTION_DEATH_DAY}",
        Severity.WARNING)
    yield from rows.flag(
        (remission.days > 0) & (remission.days < EARLIEST_REMISSION_DAY), Reason.IMPLAUSIBLE, "cr_days",
        f"remission before day {EARLIEST_REMISSION_DAY}", Severity.WARNING)
    yield from rows.flag(rows.is_in("cr_status", "early_death") & rows.is_in("death", "no"), time, "cr_status",
                         "died before response was assessed, yet the patient is alive")
    yield from rows.flag(rows.is_in("cr_status", "CR1") & np.isnan(remission.days), time, "cr_days",
                         "remission without its day; endpoints from remission leave the patient out", Severity.WARNING)
    yield from rows.flag(rows.is_in("cr_status", "noCR") & rows.is_in("first_event", "none"), Reason.IMPLAUSIBLE,
                         "first_event", "no remission, yet neither treatment failure nor death", Severity.WARNING)


# -- plausibility --------------------------------------------------------------------------------------------------


def _lineage(rows: _Rows) -> Iterator[Problem]:
    of_t, of_b = rows.is_in("immunophenotype", "T"), rows.is_in("immunophenotype", "B")
    odd = Reason.IMPLAUSIBLE
    fusion = np.logical_or.reduce([rows.is_in(name, "pos") for name in B_ONLY_MARKERS])
    yield from rows.flag(of_t & fusion, odd, "immunophenotype", "T-cell leukaemia with a fusion of B-cell precursors")
    yield from rows.flag(of_t & rows.is_in("subtype", *B_ONLY_SUBTYPES), odd, "subtype",
                         "T-cell leukaemia with a subtype of B-cell precursors")
    rare = rows.is_in("subtype", "HeH", "BCR::ABL1") | rows.is_in("heh", "pos") | rows.is_in("bcr_abl1", "pos")
    yield from rows.flag(of_t & rare, odd, "immunophenotype",
                         "T-cell leukaemia with high hyperdiploidy or BCR::ABL1, which is rare", Severity.WARNING)
    t_subtype = np.zeros(len(rows.frame), dtype=np.bool_)
    if "subtype" in rows.frame.columns:
        t_subtype = np.asarray(rows.frame["subtype"].astype(object).astype(str).str.startswith("T "), dtype=np.bool_)
    yield from rows.flag(of_b & t_subtype, odd, "subtype", "B-cell precursor leukaemia with a T-cell subtype")
    yield from rows.flag(of_b & rows.is_in("etp", "yes"), odd, "etp",
                         "early T-cell precursor in a B-cell precursor leukaemia")


def _ploidy(rows: _Rows) -> Iterator[Problem]:
    count = rows.days("modal_chr")
    odd, warning = Reason.IMPLAUSIBLE, Severity.WARNING
    heh = rows.is_in("heh", "pos") | rows.is_in("subtype", "HeH")
    beyond = (count < HEH_CHROMOSOMES_WIDEST[0]) | (count > HEH_CHROMOSOMES_WIDEST[1])
    edge = ((count < HEH_CHROMOSOMES[0]) | (count > HEH_CHROMOSOMES[1])) & ~beyond
    yield from rows.flag(heh & beyond, odd, "modal_chr", "high hyperdiploidy with a modal number that is not")
    yield from rows.flag(heh & edge, odd, "modal_chr", "high hyperdiploidy with a modal number at its edge", warning)
    low = (rows.is_in("near_haploid", "pos") | rows.is_in("low_hypodiploid", "pos")
           | rows.is_in("subtype", "near-haploid", "low-hypodiploid"))
    above = count > MOST_HYPODIPLOID_CHROMOSOMES
    doubled = count >= FEWEST_DOUBLED_CHROMOSOMES
    yield from rows.flag(low & above & ~doubled, odd, "modal_chr", "hypodiploidy with a near-diploid modal number")
    yield from rows.flag(low & doubled, odd, "modal_chr",
                         "hypodiploidy with a high modal number: a doubled clone?", warning)
    yield from rows.flag(rows.is_in("subtype", "high-hypodiploid") & above, odd, "modal_chr",
                         "hypodiploidy with a modal number above 45")
    yield from rows.flag(rows.is_in("heh", "pos") & (rows.is_in("near_haploid", "pos")
                                                     | rows.is_in("low_hypodiploid", "pos")), odd, "heh",
                         "hyperdiploidy and hypodiploidy in one patient: a doubled clone?", warning)


def _subtype_against_markers(rows: _Rows) -> Iterator[Problem]:
    contradicted = np.logical_or.reduce([
        rows.is_in("subtype", subtype) & rows.is_in(marker, "neg") for marker, subtype in SUBTYPE_OF_MARKER.items()])
    yield from rows.flag(contradicted, Reason.IMPLAUSIBLE, "subtype", "the test for this very subtype is negative",
                         Severity.WARNING)
    tested_other = rows.is_in("subtype", "B-other (tested)") & np.logical_or.reduce([
        rows.is_in(marker, "pos") for marker in (*HIGH_RISK_MARKERS, *GOOD_RISK_MARKERS)])
    yield from rows.flag(tested_other, Reason.IMPLAUSIBLE, "subtype",
                         "no defining lesion by subtype, yet a marker of one is positive", Severity.WARNING)


def _treatment(rows: _Rows) -> Iterator[Problem]:
    odd, warning = Reason.IMPLAUSIBLE, Severity.WARNING
    done, not_done, dated = rows.is_in("hsct_cr1", "yes"), rows.is_in("hsct_cr1", "no"), rows.has("hsct_days")
    yield from rows.flag(done & ~dated, Reason.EVENT_TIME, "hsct_days",
                         "a transplant without its day cannot be used with a landmark", warning)
    yield from rows.flag(dated & not_done, odd, "hsct_days",
                         "a day of transplant without transplant in first remission: a later one?", warning)
    yield from rows.flag(done & remission_of(rows.frame).refuted, odd, "hsct_cr1",
                         "transplant in first remission without remission", warning)
    yield from rows.flag(rows.is_in("randomised", "no") & (rows.has("rand_arm") | rows.has("rand_days")), odd,
                         "randomised", "an arm or a day of randomisation in a patient not randomised", warning)


def _response(rows: _Rows) -> Iterator[Problem]:
    odd, warning = Reason.IMPLAUSIBLE, Severity.WARNING
    end = np.fmin(rows.days("death_days"), rows.days("last_contact_days"))
    # A death as first event is an end of follow-up.
    event = np.where(rows.is_in("first_event", "relapse", "smn", "treatment_failure"),
                     rows.days("first_event_days"), np.nan)
    yield from rows.flag(rows.has("prednisone_response_d8") & (end < KNOWN_DAY[TimePoint.DAY_8]), odd,
                         "prednisone_response_d8", "prednisone response on day 8 after follow-up ended", warning)
    yield from rows.flag(rows.has("marrow_d15") & (end < KNOWN_DAY[TimePoint.DAY_15]), odd, "marrow_d15",
                         "marrow of day 15 after follow-up ended", warning)
    for stem, point in (("mrd_eoi", "the end of induction"), ("mrd_eoc", "the end of consolidation")):
        day = rows.days(f"{stem}_day")
        away = (day < EARLIEST_MRD_DAY[stem]) | (day > LATEST_MRD_DAY[stem])
        yield from rows.flag(away, odd, f"{stem}_day",
                             f"MRD outside days {EARLIEST_MRD_DAY[stem]} to {LATEST_MRD_DAY[stem]}, taken as {point}",
                             warning)
        yield from rows.flag(day > end, Reason.TEMPORAL_ORDER, f"{stem}_day", "MRD after follow-up ended", warning)
        yield from rows.flag((day > event) & ~(day > end), Reason.TEMPORAL_ORDER, f"{stem}_day",
                             "MRD measured after the first event", warning)
        value, lod, loq = (rows.days(f"{stem}_{part}") for part in ("value", "lod", "loq"))
        yield from rows.flag((value > 0) & (value < lod), odd, f"{stem}_value",
                             "MRD quantified below the limit of detection", warning)
        yield from rows.flag(lod > loq, odd, f"{stem}_lod", "limit of detection above that of quantification", warning)
    yield from rows.flag(rows.days("mrd_eoc_day") <= rows.days("mrd_eoi_day"), Reason.TEMPORAL_ORDER, "mrd_eoc_day",
                         "MRD of the end of consolidation not after that of induction", warning)


def _outcome_details(rows: _Rows) -> Iterator[Problem]:
    odd, warning = Reason.IMPLAUSIBLE, Severity.WARNING
    yield from rows.flag(rows.has("cause_death") & rows.is_in("death", "no"), odd, "cause_death",
                         "a cause of death without death", warning)
    no_relapse = rows.is_in("first_event", "none", *DEATHS)
    yield from rows.flag(rows.has("relapse_site") & no_relapse, odd, "relapse_site",
                         "a site of relapse without relapse", warning)
    yield from rows.flag(rows.is_in("sex", "F") & rows.is_in("testis", "yes"), odd, "sex",
                         "testicular involvement in a girl or woman: are the letters for sex mapped the right way?")


CHECKS: tuple[Callable[[_Rows], Iterator[Problem]], ...] = (
    _order_of_days, _event_record, _remission, _lineage, _ploidy, _subtype_against_markers, _treatment, _response,
    _outcome_details,
)
