"""Released results without a store, for tests of charts, tables and pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.coverage_results import Completeness, CountCell, CountTable, CoverageResult, SourceCoverage
from harmony_dash.disclosure.grid import grid_days
from harmony_dash.disclosure.released import Level, Released, Scope, make_released
from harmony_dash.disclosure.results import (
    AttritionStep,
    CauseIncidence,
    Censorings,
    Curve,
    EqualityTest,
    EstimateAt,
    Exclusion,
    GroupResult,
    IntervalType,
    RestrictedMean,
    RestrictedMeanDifference,
    RiskTable,
    SurvivalResult,
    WithheldGroup,
)

DAYS = (365, 1096, 1826)
AGES = {"1-9": 3000, "10-17": 1700}
PERIODS = {"1990-1994": None, "2000-2004": 2200, "2005-2009": 2500, "2025-2029": None}
NAMES = ("good risk", "intermediate risk", "high risk", "MRD failure (0.01 % or more)", "ETV6::RUNX1",
         "<1 year & other", "iAMP21", "TCF3::HLF", "low hypodiploid")


def make_curve(final: float, points: int, last_day: float = 3650, *, n: int = 1000, quarterly: bool = False) -> Curve:
    """A falling curve from 1 to `final`, on random days or on the quarterly grid."""
    if quarterly:
        days = np.array(grid_days(last_day), dtype=float)
        estimate = 1 - (1 - final) * (1 - np.exp(-days / 900)) / (1 - np.exp(-last_day / 900))
    else:
        rng = np.random.default_rng(round(final * 1000))
        days = np.concatenate([[0.0], np.sort(rng.uniform(1, last_day, points))])
        estimate = np.concatenate([[1.0], 1 - (1 - final) * np.linspace(0, 1, points) ** 0.6])
    width = 0.02 + 0.03 * days / last_day
    lower, upper = np.clip(estimate - width, 0, 1), np.clip(estimate + width, 0, 1)
    lower[0] = upper[0] = np.nan
    return Curve(days, estimate, lower, upper, np.linspace(n, 10, len(days)).round())


def flip(curve: Curve, share: float = 1.0) -> Curve:
    """One minus the curve, scaled: a cumulative incidence."""
    return Curve(curve.days, share * (1 - curve.estimate), share * (1 - curve.upper), share * (1 - curve.lower),
                 curve.at_risk)


def estimates(curve: Curve, n: int) -> tuple[EstimateAt, ...]:
    found = []
    for day in DAYS:
        i = int(np.searchsorted(curve.days, day, side="right")) - 1
        if day > curve.days[-1]:
            found.append(EstimateAt(day, None, None, None, None))
        else:
            values = (float(column[i]) for column in (curve.estimate, curve.lower, curve.upper))
            found.append(EstimateAt(day, *values, max(10, n - day // 5)))
    return tuple(found)


def make_group(name: str, value: str, *, n: int = 1200, final: float = 0.8, points: int = 400, last_day: float = 3650,
               quarterly: bool = False, endpoint: str = "efs", by: str | None = "cyto_group") -> GroupResult:
    """One group's result with consistent shapes."""
    curve = make_curve(final, points, last_day, n=n, quarterly=quarterly)
    years = tuple(round(365.25 * year) for year in range(int(last_day / 365.25) + 1))
    at_risk = tuple(max(0, round(n * (1 - 0.095 * year))) for year in range(len(years)))
    events = tuple(round(n * (1 - final) * (year / 10) ** 0.6) for year in range(len(years)))
    risk = RiskTable(years, tuple(r if r >= 10 else None for r in at_risk),
                     tuple(e if e >= 10 else None for e in events),
                     tuple(max(10, n - r - e) for r, e in zip(at_risk, events, strict=True)))
    competing = endpoint_named(endpoint)
    incidence = tuple(
        CauseIncidence(cause, label, flip(curve, share), estimates(flip(curve, share), n))
        for cause, label, share in zip(competing.causes, competing.cause_labels, (0.7, 0.2, 0.1), strict=False)
    ) if competing.competing else ()
    marks = Censorings(np.array([]), np.array([])) if quarterly else Censorings(curve.days[5::7], curve.estimate[5::7])
    return GroupResult(label={by: value} if by else {}, name=name, n=n, events=round(n * (1 - final)), curve=curve,
                       censorings=marks, at=estimates(curve, n), risk_table=risk, median_days=None,
                       median_lower_days=None, median_upper_days=None, follow_up_median_days=2190.0,
                       restricted_mean=RestrictedMean(1826, 1650.0, 11.0), cumulative_incidence=incidence)


def make_result(groups: Sequence[GroupResult] | None = None, *, endpoint: str = "efs", by: str | None = "cyto_group",
                count: int = 3, points: int = 400, quarterly: bool = False, question: Question | None = None,
                withheld: Sequence[WithheldGroup] = (), notes: Sequence[str] = ()) -> SurvivalResult:
    """A complete result; `count` groups unless they are given."""
    if groups is None:
        groups = [make_group(NAMES[i], str(i), final=0.92 - 0.11 * i, points=points, last_day=3650 - 300 * i,
                             n=1200 - 100 * i, quarterly=quarterly, endpoint=endpoint, by=by) for i in range(count)]
    asked = question or Question("ALL", endpoint, by=by)
    total = sum(group.n for group in groups)
    several = len(groups) > 1
    label = endpoint_named(endpoint).label
    return SurvivalResult(
        question=asked, title=f"{label} of {total:,} patients with ALL, by cytogenetic risk group",
        snapshot="20261101-ab12",
        synthetic=True, n=total, groups=tuple(groups), withheld=tuple(withheld),
        log_rank=EqualityTest("Log-rank test", 61.2, len(groups) - 1, 1e-12, 300) if several else None,
        pairwise=((groups[0].name, groups[1].name, 0.0123, 0.0246),) if several else (),
        gray=(EqualityTest("Gray's test", 31.0, 2, 0.00001, 300, "relapse"),
              ) if several and endpoint == "relapse" else (),
        restricted_mean_differences=(
            RestrictedMeanDifference(groups[1].name, groups[0].name, 1826, -90.0, -140.0, -40.0, 0.0004),
        ) if several else (),
        attrition=(AttritionStep("ALL", 5012, None), AttritionStep("immunophenotype: B-cell precursor", 3310, 1702),
                   AttritionStep("age group: 1–9 years", 2145, 1165)),
        exclusions=(Exclusion("day of the event not known", 12),
                    Exclusion("cytogenetic risk group not recorded", None)),
        interval=IntervalType.LOG_LOG, notes=tuple(notes),
        methods="Kaplan–Meier; 95 % log-log intervals; snapshot 20261101-ab12.",
        summary="Event-free survival differs between the groups; groups were not randomised.")


def release_for_test(result: SurvivalResult, level: Level = Level.EXACT) -> Released[SurvivalResult]:
    """A released result without the disclosure rules, for drawing only."""
    return make_released(result, Scope(level))


def make_coverage(*, countries: int = 6, empty: bool = False) -> CoverageResult:
    """Coverage of one disease with a few sources."""
    codes = ["DE", "GB", "FR", "IT", "SE", "CZ", "ES", "NL"][:countries]
    trials = ["AIEOP-BFM 2009", "UKALL 2003", "CAALL-F01", "AIEOP-BFM 2009", "NOPHO 2008", "ALL IC-BFM 2009",
              "PETHEMA", "ALL-11"]
    if empty:
        return CoverageResult("20261101-ab12", True, "2026-11-01", "ALL", None, (), (), (), (), (), (), None,
                              "No patients.")
    sizes = [1500, 1200, 800, 600, 350, None, 150, 90][:countries]
    by_trial: dict[str, int | None] = {}
    for trial, size in zip(trials, sizes, strict=False):
        by_trial[trial] = (by_trial.get(trial) or 0) + (size or 0) or None
    variables = [("cyto_group", "Cytogenetic risk group"), ("mrd_group", "MRD group at end of induction"),
                 ("wbc_dx", "White cell count at diagnosis"), ("cna_ikzf1", "IKZF1 deletion"),
                 ("subtype", "Genetic subtype")]
    return CoverageResult(
        "20261101-ab12", True, "2026-11-01", "ALL", 4700,
        tuple(CountCell({"country": code}, size) for code, size in zip(codes, sizes, strict=True)),
        tuple(CountCell({"trial": trial}, size) for trial, size in by_trial.items()),
        tuple(CountCell({"country": code, "trial": trial}, size)
              for code, trial, size in zip(codes, trials, sizes, strict=False)),
        (),
        tuple(SourceCoverage(f"{code.lower()}_source", f"Trial of {code}", f"EX-{code}", (code,), trial, True, size, 12,
                             2190.0 - 120 * i if size else None, ("2005-2009", "2010-2014"))
              for i, (code, trial, size) in enumerate(zip(codes, trials, sizes, strict=False))),
        tuple(Completeness(f"{code.lower()}_source", name, label, None if i == 5 else max(0.0, 1 - 0.13 * i - 0.11 * j))
              for i, code in enumerate(codes) for j, (name, label) in enumerate(variables)),
        2100.0, "Counts of accepted patients; protected.",
        tables=(CountTable(("age_group",), tuple(CountCell({"age_group": value}, n) for value, n in AGES.items())),
                CountTable(("country", "age_group"), tuple(
                    CountCell({"country": code, "age_group": value}, None if size is None else size * n // 4700)
                    for code, size in zip(codes, sizes, strict=True) for value, n in AGES.items())),
                CountTable(("dx_period",), tuple(CountCell({"dx_period": value}, n) for value, n in PERIODS.items()))),
        labels={"age_group": {"1-9": "1–9 years", "10-17": "10–17 years"}})
