"""The published figures the generator is calibrated to, each with its source and the tolerance we claim.

Figures are per cent unless the unit says otherwise. A tolerance is absolute; it covers sampling error at the size of
`calibration.PATIENTS` and what is knowingly off (the note says why).
"""

from __future__ import annotations

from dataclasses import dataclass

from harmony_dash.synthetic import genetics
from harmony_dash.synthetic.measures import (
    Group,
    Measure,
    after_relapse,
    aged,
    b_lineage,
    both,
    deleted,
    dfs,
    dfs_hazard_ratio,
    down,
    efs,
    ikzf1,
    in_risk_group,
    incidence,
    inverse,
    median,
    mrd_between,
    mrd_group,
    os_,
    received,
    relapse_1km,
    relapse_years,
    relapsed_before,
    share,
    share_of_events,
    subtype,
    t_lineage,
    trial,
)
from harmony_dash.synthetic.outcome import (
    DEATH_IN_CR,
    INDUCTION_DEATH,
    RELAPSE,
    SMN,
    TREATMENT_FAILURE,
    find_heh_poor,
    find_t_low_risk,
)
from harmony_dash.synthetic.treatment import INTENSIFIED, REDUCED


@dataclass(frozen=True)
class Figure:
    """One published number and how it is measured in the generated cohort."""

    name: str
    group: Group
    measure: Measure
    published: float
    tolerance: float
    source: str
    note: str = ""
    unit: str = "%"


CHILD = aged(1, 18)
BFM2000 = trial("AIEOP-BFM ALL 2000")
BFM_B = both(trial("AIEOP-BFM ALL 2000", "AIEOP-BFM ALL 2009"), CHILD, b_lineage)
CHILD_B = both(CHILD, b_lineage)


# -- the figures -------------------------------------------------------------------------------------------------------
def _trials() -> list[Figure]:
    rows: list[Figure] = []

    def add(label: str, group: Group, source: str, figures: list[tuple[str, Measure, float, float]],
            note: str = "") -> None:
        rows.extend(Figure(f"{label}: {name}", group, measure, value, tolerance, source, note)
                    for name, measure, value, tolerance in figures)

    add("DCOG ALL10", trial("ALL10"), "Pieters JCO 2016",
        [("5-y EFS", efs(5), 87.1, 2), ("5-y OS", os_(5), 91.8, 2), ("5-y CIR", incidence(RELAPSE, 5), 8.4, 1.5),
         ("5-y death in CR", incidence(DEATH_IN_CR, 5), 2.9, 1)])
    add("DCOG ALL11", trial("ALL11"), "Pieters JCO 2023",
        [("5-y EFS", efs(5), 89.0, 2), ("5-y OS", os_(5), 94.2, 2), ("5-y CIR", incidence(RELAPSE, 5), 8.2, 1.5),
         ("5-y death in CR", incidence(DEATH_IN_CR, 5), 2.3, 1)])
    nopho = trial("NOPHO ALL2008")
    for label, low, high, value in (("1-9 y", 1, 10, 89), ("10-17 y", 10, 18, 80), ("18-45 y", 18, 46, 74)):
        add(f"NOPHO ALL2008 {label}", both(nopho, aged(low, high)), "Toft Leukemia 2018",
            [("5-y EFS", efs(5), value, 2)])
    add("NOPHO ALL2008", nopho, "Toft Leukemia 2018",
        [("SMN by 4.6 y", incidence(SMN, 4.6), 0.9, 0.4),
         ("induction deaths", incidence(INDUCTION_DEATH, 1), 1.1, 0.6)])
    add("FRALLE 2000", trial("FRALLE 2000"), "CAALL-F01 slides 2015",
        [("5-y EFS", efs(5), 84.0, 2), ("5-y OS", os_(5), 91, 2), ("8-y EFS", efs(8), 82, 2)])
    add("EORTC 58951", trial("EORTC 58951"), "Domenech Haematologica 2014",
        [("5-y EFS", efs(5), 82.6, 2), ("5-y OS", os_(5), 89.7, 2), ("8-y EFS", efs(8), 81.3, 2),
         ("8-y OS", os_(8), 88.1, 2)])
    add("AIEOP-BFM ALL 2000", BFM2000, "Möricke Blood 2016, mean of two arms",
        [("5-y EFS", efs(5), 82.4, 2), ("5-y OS", os_(5), 90.4, 2)])
    add("AIEOP-BFM ALL 2009", trial("AIEOP-BFM ALL 2009"), "unverified",
        [("5-y EFS", efs(5), 85.5, 2), ("5-y OS", os_(5), 92, 2)])
    add("AIEOP-BFM T-ALL", both(trial("AIEOP-BFM ALL 2000", "AIEOP-BFM ALL 2009"), t_lineage), "Möricke Blood 2016",
        [("7-y EFS", efs(7), 75.9, 2), ("7-y OS", os_(7), 80.7, 2)])
    for label, low, high, value in (("1-9 y", 1, 10, 82), ("10-17 y", 10, 18, 76), ("18-45 y", 18, 46, 65)):
        add(f"NOPHO T-ALL {label}", both(nopho, t_lineage, aged(low, high)), "Quist-Paulsen Leukemia 2020",
            [("5-y OS", os_(5), value, 8)],
            "OS of all NOPHO adults by EFS 74 leaves little room for 65 in their T-ALL" if low == 18 else "")
    add("CoALL 07-03", trial("CoALL 07-03"), "Schramm Blood Adv 2019",
        [("10-y EFS", efs(10), 83.5, 2), ("10-y OS", os_(10), 90.7, 2), ("reduced", share(received(REDUCED)), 15.8, 4)])
    add("GRAALL-2005", trial("GRAALL-2005"), "Huguet JCO 2018",
        [("5-y EFS", efs(5), 52.2, 2), ("5-y OS", os_(5), 58.5, 2),
         ("CR", share(lambda cohort: ~cohort.response.failure & ~cohort.response.induction_death), 91.9, 1.5)])
    for label, low, high, percent in (("under 55 y", 18, 55, 55.7), ("55-59 y", 55, 60, 25.8)):
        add(f"GRAALL-2005 {label}", both(trial("GRAALL-2005"), aged(low, high)), "Huguet JCO 2018",
            [("5-y EFS", efs(5), percent, 2 if low < 55 else 5)])
    add("GRAAPH-2005", trial("GRAAPH-2005"), "Chalandon Blood 2015",
        [("5-y EFS", efs(5), 37.1, 2), ("5-y OS", os_(5), 45.6, 2)])
    add("PETHEMA ALL-HR-11", trial("PETHEMA ALL-HR-11"), "Ribera Blood 2021",
        [("5-y EFS", efs(5), 40, 3), ("5-y OS", os_(5), 49, 3), ("5-y CIR", incidence(RELAPSE, 5), 43, 4),
         ("EOI MRD <0.1 %", share(lambda cohort: cohort.response.eoi < -3), 76, 5)])
    add("GMALL 07/2003", trial("GMALL 07/2003"), "unverified", [("5-y OS", os_(5), 57.5, 2.5)])
    add("SEHOP-PETHEMA 2013", trial("SEHOP-PETHEMA 2013"), "unverified",
        [("5-y EFS", efs(5), 83.5, 2), ("5-y OS", os_(5), 90, 2)])
    add("Infants, Interfant-06", trial("Interfant-06"), "Pieters JCO 2019",
        [("6-y EFS", efs(6), 46.1, 4), ("6-y OS", os_(6), 58.2, 4)])
    return rows


def _mrd() -> list[Figure]:
    rows: list[Figure] = []
    known_b = both(BFM2000, b_lineage, mrd_group("known"))
    known_t = both(trial("AIEOP-BFM ALL 2000", "AIEOP-BFM ALL 2009"), t_lineage, mrd_group("known"))
    b_figures = (("SR", 42.0, 92.3, 2.0), ("IR", 52, 77.6, 2), ("HR", 6, 50.1, 3))
    for label, part, value, tolerance in b_figures:
        rows.append(Figure(f"AIEOP-BFM B, MRD-{label}: share", known_b, share(mrd_group(label)), part, 2.5,
                           "Conter Blood 2010"))
        rows.append(Figure(f"AIEOP-BFM B, MRD-{label}: 5-y EFS", both(known_b, mrd_group(label)), efs(5), value,
                           tolerance, "Conter Blood 2010"))
    for label, part, value in (("SR", 16.0, 91.1), ("IR", 63, 80.6), ("HR", 21, 49.8)):
        rows.append(Figure(f"AIEOP-BFM T, MRD-{label}: share", known_t, share(mrd_group(label)), part, 4,
                           "Schrappe Blood 2011"))
        rows.append(Figure(f"AIEOP-BFM T, MRD-{label}: 7-y EFS", both(known_t, mrd_group(label)), efs(7), value, 6,
                           "Schrappe Blood 2011"))
    held = lambda cohort: ~mrd_group("HR")(cohort)  # noqa: E731
    rows.append(Figure("SR + MR by MRD: patients", both(BFM2000, CHILD, mrd_group("known")), share(held), 94, 2.5,
                       "CAALL-F01 slides 2015"))
    rows.append(Figure("SR + MR by MRD: events", both(BFM2000, CHILD, mrd_group("known")), share_of_events(held, 5), 81,
                       4, "CAALL-F01 slides 2015"))
    bands = ((-99, -5.18, "undetectable", 27), (-5.18, -4, "<0.01 %", 31), (-4, -3, "0.01-<0.1 %", 24),
             (-3, -2, "0.1-<1 %", 12), (-2, 1, ">=1 %", 6))
    for low, high, label, value in bands:
        rows.append(Figure(f"HeH, EOI MRD {label}", both(CHILD, subtype("HeH")), share(mrd_between(low, high)), value,
                           3, "O'Connor JCO 2018"))
    rows.append(Figure("ABL-class, EOI MRD >=1 %", both(CHILD, subtype("Ph-like ABL-class")), share(mrd_between(-2, 1)),
                       66, 5, "den Boer Lancet Haematol 2020"))
    for label, number, value in (("SR", 0, 23.6), ("MR", 1, 70.4), ("HR", 2, 6.0)):
        rows.append(Figure(f"DCOG ALL11 {label}: share", trial("ALL11"), share(in_risk_group(number)), value, 5,
                           "Pieters JCO 2023"))
    return rows


def _subtypes() -> list[Figure]:
    heh = both(CHILD, subtype("HeH"), inverse(down))
    etv6 = subtype("ETV6::RUNX1")
    iamp21 = both(CHILD, subtype("iAMP21"))
    hypodiploid = both(CHILD, subtype(*genetics.HYPODIPLOID))
    abl = both(CHILD, subtype("Ph-like ABL-class"))
    kmt2a = both(CHILD, subtype("KMT2A-r"))
    enshaei = "Enshaei Lancet Haematol 2021"
    t_child = both(CHILD, t_lineage)
    return [
        Figure("HeH: 10-y EFS", heh, efs(10), 90, 2, enshaei), Figure("HeH: 10-y OS", heh, os_(10), 94, 2, enshaei),
        Figure("HeH: 10-y relapse (1-KM)", heh, relapse_1km(10), 7, 2, enshaei),
        Figure("HeH UKALL-good: 10-y relapse (1-KM)", both(heh, lambda c: ~find_heh_poor(c.people)), relapse_1km(10), 5,
               2, enshaei),
        Figure("HeH UKALL-poor: 10-y relapse (1-KM)", both(heh, lambda c: find_heh_poor(c.people)), relapse_1km(10), 16,
               3, enshaei),
        Figure("ETV6::RUNX1 in ALL11: 5-y EFS", both(trial("ALL11"), etv6), efs(5), 98.3, 2.5, "Pieters JCO 2023"),
        Figure("ETV6::RUNX1 in ALL11: 5-y OS", both(trial("ALL11"), etv6), os_(5), 99.4, 2, "Pieters JCO 2023"),
        Figure("KMT2A-r, 1-17 y: 5-y EFS", kmt2a, efs(5), 69.1, 2, "Attarbaschi JCO 2023"),
        Figure("Hypodiploid <45: 5-y EFS", hypodiploid, efs(5), 55.1, 3, "Pui JCO 2019"),
        Figure("Hypodiploid <45: 5-y OS", hypodiploid, os_(5), 61.2, 4, "Pui JCO 2019"),
        Figure("iAMP21, not intensified: 5-y EFS", both(iamp21, received(REDUCED, 1)), efs(5), 29, 4,
               "Moorman Blood 2007"),
        Figure("iAMP21, not intensified: 5-y OS", both(iamp21, received(REDUCED, 1)), os_(5), 71, 5,
               "Moorman Blood 2007"),
        Figure("iAMP21, intensified: 5-y EFS", both(iamp21, received(INTENSIFIED)), efs(5), 77.5, 5,
               "unverified"),
        Figure("ABL-class: 5-y EFS", abl, efs(5), 59.1, 3, "den Boer Lancet Haematol 2020"),
        Figure("ABL-class: 5-y OS", abl, os_(5), 76.1, 3, "den Boer Lancet Haematol 2020"),
        Figure("ABL-class: 5-y CIR", abl, incidence(RELAPSE, 5), 31.0, 5, "den Boer Lancet Haematol 2020",
               "EFS 59 and CIR 31 leave 10 % for other events; the generator has fewer"),
        Figure("BCR::ABL1, 1-17 y: 5-y EFS", both(CHILD, subtype("BCR::ABL1")), efs(5), 58.5, 4,
               "unverified"),
        Figure("CRLF2-r without Down: 6-y CIR", both(CHILD, subtype("Ph-like CRLF2"), inverse(down)),
               incidence(RELAPSE, 6), 31, 4, "Cario Blood 2010"),
        Figure("Down syndrome: 8-y EFS", down, efs(8), 64, 3, "Buitenkamp Blood 2014"),
        Figure("No Down syndrome: 8-y EFS", both(CHILD, inverse(down)), efs(8), 81, 4.5, "Buitenkamp Blood 2014",
               "the published controls are older trials than the pool"),
        Figure("Down syndrome: 8-y CIR", down, incidence(RELAPSE, 8), 26, 3, "Buitenkamp Blood 2014"),
        Figure("No Down syndrome: 8-y CIR", both(CHILD, inverse(down)), incidence(RELAPSE, 8), 15, 4.5,
               "Buitenkamp Blood 2014", "the published controls are older trials than the pool"),
        Figure("Down syndrome: 2-y death in CR", down, incidence(DEATH_IN_CR, 2), 7, 1.5, "Buitenkamp Blood 2014"),
        Figure("No Down syndrome: 2-y death in CR", both(CHILD, inverse(down)), incidence(DEATH_IN_CR, 2), 2, 1,
               "Buitenkamp Blood 2014"),
        Figure("T-ALL gLoR: 5-y CIR", both(t_child, lambda c: find_t_low_risk(c.people)), incidence(RELAPSE, 5), 11, 4,
               "Petit Blood 2018"),
        Figure("T-ALL gHiR: 5-y CIR", both(t_child, lambda c: ~find_t_low_risk(c.people)), incidence(RELAPSE, 5), 36,
               14, "Petit Blood 2018", "together with 76 % EFS of T-ALL in AIEOP-BFM (Möricke) 36 % is out of reach"),
        *_ikzf1(),
    ]


def _ikzf1() -> list[Figure]:
    source = "Stanulla JCO 2018"
    rows = [Figure("IKZF1plus: share of B lineage", BFM_B, share(ikzf1("plus")), 6, 2, source)]
    for label, survival, relapse in (("plus", 53, 44), ("only", 79, 11), ("none", 87, 10)):
        group = both(BFM_B, ikzf1(label))
        name = {"plus": "IKZF1plus", "only": "IKZF1 deletion only", "none": "No IKZF1 deletion"}[label]
        rows.append(Figure(f"{name}: 5-y EFS", group, efs(5), survival, 4, source))
        rows.append(Figure(f"{name}: 5-y CIR", group, incidence(RELAPSE, 5), relapse, 8 if label == "only" else 4,
                           source,
                           "79 % EFS and 11 % CIR leave 10 % for other events" if label == "only" else ""))
    for label, value, tolerance in (("SR", 94, 4), ("IR", 40, 6)):
        rows.append(Figure(f"IKZF1plus, MRD-{label}: 5-y EFS", both(BFM_B, ikzf1("plus"), mrd_group(label)), efs(5),
                           value, tolerance, source))
    return rows


def _effects() -> list[Figure]:
    young = both(BFM2000, aged(1, 7))
    etv6 = both(BFM2000, subtype("ETV6::RUNX1"))
    elsewhere = both(BFM2000, aged(7, 18), inverse(subtype("ETV6::RUNX1")))
    schrappe = "Schrappe JCO 2018"
    return [
        Figure("Delayed intensification, reduced v standard: DFS HR", BFM2000, dfs_hazard_ratio, 1.45, 0.15, schrappe,
               unit=""),
        Figure("… in ETV6::RUNX1: DFS HR", etv6, dfs_hazard_ratio, 1.0, 0.25, schrappe, unit=""),
        Figure("… at age 1-6: DFS HR", young, dfs_hazard_ratio, 1.0, 0.25, schrappe, unit=""),
        Figure("… elsewhere: DFS HR", elsewhere, dfs_hazard_ratio, 1.7, 0.35, schrappe, unit=""),
        Figure("Delayed intensification, standard arm: 8-y DFS", BFM2000, dfs(8, 1), 92.3, 2, schrappe),
        Figure("Delayed intensification, reduced arm: 8-y DFS", BFM2000, dfs(8, 0), 89.2, 3.5, schrappe,
               "follows from the standard arm and the hazard ratio"),
        Figure("Long v short asparaginase: DFS HR", trial("EORTC 58951"), dfs_hazard_ratio, 0.87, 0.1,
               "Mondelaers Haematologica 2017", unit=""),
        Figure("Hyper-C v standard: EFS HR", trial("GRAALL-2005"), dfs_hazard_ratio, 1.0, 0.1, "Huguet JCO 2018",
               unit=""),
    ]


def _marginals() -> list[Figure]:
    blood = "Blood 2012;120:290"
    nopho = trial("NOPHO ALL2008")
    rows = [
        Figure("Child B: median age", CHILD_B, median(lambda c: c.people.age), 5, 0.7, blood, unit="years"),
        Figure("Child B: 10 years and over", CHILD_B, share(aged(10, 99)), 24, 3.5, blood,
               "published for ages 1-23, generated for 1-17"),
        Figure("Child B: male", CHILD_B, share(lambda c: c.people.male), 54, 1.5, blood),
        Figure("Child B: median white cells", CHILD_B, median(lambda c: c.people.wbc), 11.8, 1.5, blood,
               unit="10^9/L"),
        Figure("Child B: white cells <10", CHILD_B, share(lambda c: c.people.wbc < 10), 44, 3, blood),
        Figure("Child B: white cells >=50", CHILD_B, share(lambda c: c.people.wbc >= 50), 18, 3,
               "unverified"),
        Figure("Child B: HeH", CHILD_B, share(subtype("HeH")), 29, 3, "published range 20-35"),
        Figure("Child B: ETV6::RUNX1", CHILD_B, share(subtype("ETV6::RUNX1")), 22, 3, "published range 15-25"),
        Figure("T-ALL: male", t_lineage, share(lambda c: c.people.male), 70, 1.5, "unverified"),
        Figure("T-ALL: median white cells", t_lineage, median(lambda c: c.people.wbc), 85, 15,
               "unverified", unit="10^9/L"),
    ]
    for locus, value in (("cdkn2a", 28), ("etv6", 22), ("pax5", 19), ("ikzf1", 14), ("rb1", 6), ("btg1", 6),
                         ("ebf1", 2)):
        rows.append(Figure(f"Child B: {locus.upper()} deleted", CHILD_B, share(deleted(locus)), value, 3, blood))
    for low, high, value in ((1, 10, 9), (10, 18, 25), (18, 46, 32)):
        rows.append(Figure(f"NOPHO T-ALL, {low}-{high - 1} y: share", both(nopho, aged(low, high)), share(t_lineage),
                           value, 3 if low < 18 else 5, "Quist-Paulsen Leukemia 2020"))
    rows += [
        Figure("Relapses before 2 y, all children", CHILD, relapsed_before(2), 55, 5, "project rule"),
        Figure("Relapses before 2 y, HeH and ETV6::RUNX1", both(CHILD, subtype("HeH", "ETV6::RUNX1")),
               relapsed_before(2), 30, 8, "project rule"),
        Figure("Relapses before 2 y, high-risk genetics", both(CHILD, subtype(*genetics.HIGH_RISK)), relapsed_before(2),
               75, 8, "project rule"),
        Figure("NOPHO median time to relapse", nopho, relapse_years, 1.6, 0.3, "Toft Leukemia 2018", unit="years"),
        Figure("Children, 5-y OS after relapse", CHILD, after_relapse(5), 55, 7, "unverified"),
        Figure("Adults, 5-y OS after relapse", aged(18, 99), after_relapse(5), 10, 12, "unverified",
               "GRAALL and PETHEMA report OS 6-9 points above EFS, which needs more survivors after relapse"),
        Figure("Children, treatment failure", CHILD, incidence(TREATMENT_FAILURE, 1), 1, 0.8,
               "project rule: about 1 %"),
    ]
    return rows


FIGURES: tuple[Figure, ...] = (*_trials(), *_mrd(), *_subtypes(), *_effects(), *_marginals())
