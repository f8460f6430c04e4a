"""Groups of synthetic patients and what is measured in them, for comparison with published figures.

A group is a function from a simulated `Cohort` to a mask; a measure is a function from a cohort and a mask to a number,
in per cent unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harmony_dash.synthetic import estimators, genetics
from harmony_dash.synthetic.cohort import Cohort
from harmony_dash.synthetic.outcome import RELAPSE, YEAR, find_ikzf1plus
from harmony_dash.synthetic.population import Flags
from harmony_dash.synthetic.protocols import PROTOCOLS

Group = Callable[[Cohort], Flags]
Measure = Callable[[Cohort, Flags], float]


# -- groups ------------------------------------------------------------------------------------------------------------
def trial(*names: str) -> Group:
    """Patients of the named trials."""
    table = np.array([entry.trial in names for entry in PROTOCOLS])
    return lambda cohort: table[cohort.people.protocol]


def both(*groups: Group) -> Group:
    """Patients in every group."""
    return lambda cohort: np.asarray(np.logical_and.reduce([group(cohort) for group in groups]), dtype=np.bool_)


def aged(low: float, high: float) -> Group:
    """Age from `low` to under `high`."""
    return lambda cohort: np.asarray((cohort.people.age >= low) & (cohort.people.age < high))


def subtype(*names: str) -> Group:
    """Patients of the named subtypes."""
    table = genetics.subtypes_in(frozenset(names))
    return lambda cohort: table[cohort.people.subtype]


def b_lineage(cohort: Cohort) -> Flags:
    """B-precursor ALL without BCR::ABL1."""
    return np.asarray(~cohort.people.t_cell & (cohort.people.subtype != genetics.INDEX["BCR::ABL1"]))


def t_lineage(cohort: Cohort) -> Flags:
    """T-ALL."""
    return cohort.people.t_cell


def inverse(group: Group) -> Group:
    """Everybody else."""
    return lambda cohort: ~group(cohort)


def received(*levels: int) -> Group:
    """Treated at these intensities."""
    return lambda cohort: np.isin(cohort.treatment.received, levels)


def mrd_group(wanted: str) -> Group:
    """AIEOP-BFM MRD group: sensitive assays on both days, alive and in remission at the second."""
    def find(cohort: Cohort) -> Flags:
        response = cohort.response
        known = (response.lod <= 1.001e-4) & ~response.induction_death & ~response.failure
        low = response.negative(response.eoi) & response.negative(response.eoc)
        high = response.eoc >= -3
        return np.asarray(known & {"SR": low, "HR": high, "IR": ~low & ~high, "known": known}[wanted])
    return find


def ikzf1(wanted: str) -> Group:
    """IKZF1plus profile (Stanulla, JCO 2018)."""
    def find(cohort: Cohort) -> Flags:
        deleted, plus = cohort.people.deletions["ikzf1"], find_ikzf1plus(cohort.people)
        return {"none": ~deleted, "only": deleted & ~plus, "plus": plus}[wanted]
    return find


def down(cohort: Cohort) -> Flags:
    """Down syndrome."""
    return cohort.people.down


def mrd_between(low: float, high: float) -> Group:
    """Latent log10 MRD at the end of induction from `low` to under `high`."""
    return lambda cohort: (cohort.response.eoi >= low) & (cohort.response.eoi < high)


def in_risk_group(number: int) -> Group:
    """Risk group of the trial by number (SR, MR, HR, VHR)."""
    return lambda cohort: cohort.treatment.group == number


def deleted(locus: str) -> Group:
    """Carries a deletion of the locus."""
    return lambda cohort: cohort.people.deletions[locus]


# -- measures ----------------------------------------------------------------------------------------------------------
def _first(cohort: Cohort, rows: Flags) -> tuple[estimators.Ints, estimators.Ints]:
    outcome = cohort.outcome
    days = np.where(outcome.first_event > 0, outcome.first_event_days, outcome.last_contact_days)
    return days[rows], outcome.first_event[rows]


def efs(years: float) -> Measure:
    """Event-free survival, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        days, cause = _first(cohort, rows)
        return 100 * estimators.estimate_survival(days, cause > 0, years * YEAR)
    return measure


def os_(years: float) -> Measure:
    """Overall survival, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        outcome = cohort.outcome
        return 100 * estimators.estimate_survival(outcome.last_contact_days[rows], outcome.dead[rows], years * YEAR)
    return measure


def incidence(cause: int, years: float) -> Measure:
    """Cumulative incidence of a first event from diagnosis, all others competing, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        days, causes = _first(cohort, rows)
        return 100 * estimators.estimate_incidence(days, causes, cause, years * YEAR)
    return measure


def relapse_1km(years: float) -> Measure:
    """Relapse rate by 1 - Kaplan-Meier from remission, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        rows = rows & cohort.outcome.remission
        days, causes = _first(cohort, rows)
        since = days - cohort.outcome.cr_days[rows]
        return 100 * (1 - estimators.estimate_survival(since, causes == RELAPSE, years * YEAR))
    return measure


def share(group: Group) -> Measure:
    """Per cent of the rows that are in `group`."""
    return lambda cohort, rows: 100 * float(group(cohort)[rows].mean())


def share_of_events(group: Group, years: float) -> Measure:
    """Per cent of the first events by `years` that happen in `group`."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        outcome = cohort.outcome
        event = rows & (outcome.first_event > 0) & (outcome.first_event_days <= years * YEAR)
        return 100 * float(group(cohort)[event].mean())
    return measure


def median(read: Callable[[Cohort], estimators.Floats]) -> Measure:
    """Median of a number."""
    return lambda cohort, rows: float(np.median(read(cohort)[rows]))


def dfs_hazard_ratio(cohort: Cohort, rows: Flags) -> float:
    """Hazard ratio of disease-free survival from randomisation, experimental against standard arm, as randomised."""
    rows = rows & cohort.outcome.randomised
    days, cause = _first(cohort, rows)
    since = days - cohort.treatment.rand_days[rows]
    return estimators.estimate_hazard_ratio(since, cause > 0, cohort.treatment.assigned[rows] != 1)


def dfs(years: float, level: int) -> Measure:
    """Disease-free survival from randomisation in one arm, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        rows = rows & cohort.outcome.randomised & (cohort.treatment.assigned == level)
        days, cause = _first(cohort, rows)
        since = days - cohort.treatment.rand_days[rows]
        return 100 * estimators.estimate_survival(since, cause > 0, years * YEAR)
    return measure


def relapse_years(cohort: Cohort, rows: Flags) -> float:
    """Median years to relapse among observed relapses."""
    rows = rows & (cohort.outcome.first_event == RELAPSE)
    return float(np.median(cohort.outcome.first_event_days[rows]) / YEAR)


def relapsed_before(years: float) -> Measure:
    """Per cent of the relapses within ten years that come before `years`."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        return 100 * incidence(RELAPSE, years)(cohort, rows) / incidence(RELAPSE, 10)(cohort, rows)
    return measure


def after_relapse(years: float) -> Measure:
    """Overall survival from relapse, per cent."""
    def measure(cohort: Cohort, rows: Flags) -> float:
        rows = rows & (cohort.outcome.first_event == RELAPSE)
        since = (cohort.outcome.last_contact_days - cohort.outcome.first_event_days)[rows]
        return 100 * estimators.estimate_survival(since, cohort.outcome.dead[rows], years * YEAR)
    return measure
