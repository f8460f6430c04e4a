"""Do the three estimators of a treatment comparison find a truth that is known? Does a naive comparison?

    python -m tests.benchmarks.what_if_truth                     250 repetitions, about ten minutes
    python -m tests.benchmarks.what_if_truth --repetitions 30

Reduced treatment is given to patients who would do well anyway, so that a plain Kaplan-Meier comparison says reduced is
better by two points where the truth is worse by four.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np

from harmony_dash.stats.arm_comparison import ArmComparison
from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.augmented_weighting import estimate_augmented_survival
from harmony_dash.stats.cox import fit_cox
from harmony_dash.stats.event_table import EventTable, Floats, Ints
from harmony_dash.stats.landmark import from_landmark
from harmony_dash.stats.propensity import fit_propensity, weigh_arms
from harmony_dash.stats.standardised_survival import standardise_survival
from harmony_dash.stats.weighted_kaplan_meier import compare_weighted_survival

DAY: Final = 1826
YEARS: Final = 5.0
SHAPE: Final = 0.75
COUNTRIES: Final = 8
COUNTRY_EFFECT: Final = np.array([-0.25, -0.15, -0.05, 0, 0, 0.05, 0.15, 0.25])
NAMES: Final = ("age", "log wbc", "intermediate", "high", "log mrd")
METHODS: Final = ("naive", "standardised", "weighted", "augmented")
# How strongly prognosis decides treatment, and whether the true effects of MRD and white count are curved.
SCENARIOS: Final = {"moderate": (0.5, False), "curved": (0.5, True), "poor overlap": (1.0, False)}


@dataclass(frozen=True)
class Baseline:
    """What is known of each patient at time zero; shape (n,) each."""

    country: Ints
    age: Floats
    wbc: Floats
    intermediate: Floats
    high: Floats
    mrd: Floats

    @property
    def columns(self) -> Floats:
        return np.column_stack([self.age, self.wbc, self.intermediate, self.high, self.mrd])

    def log_hazard(self, reduced: Floats | float, *, curved: bool) -> Floats:
        h = (-3.6 + 0.03 * (self.age - 8) + 0.15 * (self.wbc - 2.8) + 0.45 * self.intermediate + 0.95 * self.high
             + 0.38 * (self.mrd + 4.2) + reduced * (0.25 * self.intermediate + 0.65 * self.high)
             + COUNTRY_EFFECT[self.country])
        if curved:
            h = h + 0.22 * np.maximum(self.mrd + 3.5, 0) ** 2 + 0.10 * (self.wbc - 2.8) ** 2
        return np.asarray(h)


def draw_baseline(n: int, rng: np.random.Generator) -> Baseline:
    country = rng.integers(0, COUNTRIES, n)
    age = np.clip(rng.gamma(2.2, 3.2, n) + 1, 1, 40)
    wbc = np.clip(rng.normal(2.8, 1.3, n), 0, 6.5)
    group = rng.choice(3, n, p=[0.45, 0.43, 0.12])
    intermediate, high = (group == 1).astype(float), (group == 2).astype(float)
    mrd = rng.normal(-4.3 + 0.35 * intermediate + 0.9 * high + 0.02 * (age - 8) + 0.12 * (wbc - 2.8), 1.1)
    return Baseline(country, age, wbc, intermediate, high, np.clip(mrd, -5.5, -0.5))


def draw_cohort(scenario: str, rng: np.random.Generator, n: int = 2000) -> ArmPatients:
    """Draw patients, treat and follow them; whole days."""
    strength, curved = SCENARIOS[scenario]
    known = draw_baseline(n, rng)
    odds = strength * (0.15 * (known.country - 3.5) - 1.1 * (known.mrd + 4.2) - 0.9 * known.high
                       - 0.06 * (known.age - 8) - 0.25 * (known.wbc - 2.8))
    reduced = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    event = (rng.exponential(size=n) / np.exp(known.log_hazard(reduced, curved=curved))) ** (1 / SHAPE)
    end = np.minimum(rng.uniform(2.5, 10, n), rng.exponential(60, n))
    return ArmPatients.from_rows(np.ceil(np.minimum(event, end) * 365.25), event <= end, reduced, known.columns, NAMES,
                                 arms=("standard", "reduced"), modifiers=("intermediate", "high"),
                                 stratum=known.country, strata=[f"country {k}" for k in range(COUNTRIES)])


def true_survival(scenario: str, n: int = 2_000_000, seed: int = 5) -> Floats:
    """Shape (2,): survival at five years under standard and under reduced treatment, averaged over many patients."""
    known = draw_baseline(n, np.random.default_rng(seed))
    _, curved = SCENARIOS[scenario]
    return np.array([np.exp(-np.exp(known.log_hazard(float(arm), curved=curved)) * YEARS**SHAPE).mean()
                     for arm in (0, 1)])


def estimate_all(scenario: str, seed: int, replicates: int) -> Floats:
    """Shape (methods, 3): difference, lower and upper limit at five years in one cohort."""
    rng = np.random.default_rng(seed)
    patients = draw_cohort(scenario, rng)
    one_each = np.ones(len(patients.day))
    propensity = fit_propensity(patients)
    weight = weigh_arms(patients, propensity.probability)
    found = [compare_weighted_survival(patients, one_each, [DAY]).survival,
             standardise_survival(patients, [DAY], tau_days=DAY, rng=rng, replicates=replicates).survival,
             compare_weighted_survival(patients, weight, [DAY]).survival,
             estimate_augmented_survival(patients, propensity, [DAY]).survival]
    return np.array([_difference(one) for one in found])


def _difference(found: ArmComparison) -> tuple[float, float, float]:
    return float(found.difference[0]), float(found.difference_lower[0]), float(found.difference_upper[0])


@dataclass(frozen=True)
class Performance:
    """Of one method in one scenario; points are percentage points at five years."""

    method: str
    bias: float
    error: float
    coverage: float
    width: float

    @property
    def root_mean_square(self) -> float:
        return float(np.hypot(self.bias, self.error))


def measure(scenario: str, repetitions: int, *, replicates: int = 80, seed: int = 1,
            processes: int = 1) -> tuple[Performance, ...]:
    """Estimate in many cohorts and compare with the truth."""
    standard, reduced = true_survival(scenario)
    seeds = [seed * 1_000_003 + k for k in range(repetitions)]
    jobs = ([scenario] * repetitions, seeds, [replicates] * repetitions)
    if processes > 1:
        with ProcessPoolExecutor(processes) as pool:
            found = np.array(list(pool.map(estimate_all, *jobs, chunksize=5)))
    else:
        found = np.array([estimate_all(*job) for job in zip(*jobs, strict=True)])
    truth = reduced - standard
    return tuple(Performance(method, 100 * float(of[:, 0].mean() - truth), 100 * float(of[:, 0].std(ddof=1)),
                             float(np.mean((of[:, 1] <= truth) & (truth <= of[:, 2]))),
                             100 * float(np.mean(of[:, 2] - of[:, 1])))
                 for method, of in zip(METHODS, found.transpose(1, 0, 2), strict=True))


def draw_transplants(rng: np.random.Generator, n: int = 1000) -> tuple[Ints, Ints, Ints]:
    """Patients of whom some are transplanted at about five months, which changes nothing; shape (n,) each, days.

    Returns
    -------
    day, event, and day of the transplant, which happens only to those still event-free.
    """
    event, end = rng.exponential(365.25 / 0.40, n), rng.uniform(2, 8, n) * 365.25
    planned = 152 * np.exp(rng.normal(0, 0.6, n))
    day = np.ceil(np.minimum(event, end)).astype(np.int64)
    # Two thirds are meant for it.
    wanted = rng.random(n) < 2 / 3
    return day, (event <= end).astype(np.int64), np.where(wanted, np.ceil(planned), 10**6).astype(np.int64)


def transplant_ratios(rng: np.random.Generator) -> dict[str, float]:
    """Hazard ratio of transplant, in truth 1: ever against never, by landmark, and as a state that begins."""
    day, event, transplant = draw_transplants(rng)
    ever = np.where(transplant < day, "ever", "never")
    table = EventTable.from_patients(day, event, group=ever, groups=("never", "ever"))
    found = {"ever or never": _ratio(table)}
    for label, landmark in (("landmark at half a year", 183), ("landmark at one year", 365)):
        by_then = np.where(transplant <= landmark, "ever", "never")
        table = EventTable.from_patients(day, event, group=by_then, groups=("never", "ever"))
        found[label] = _ratio(from_landmark(table, landmark).table)
    had = transplant < day
    before = EventTable.from_patients(np.where(had, transplant, day), np.where(had, 0, event), groups=("never", "ever"),
                                      group=["never"] * len(day))
    after = EventTable.from_patients(day[had], event[had], groups=("never", "ever"), group=["ever"] * int(had.sum()),
                                     entry=transplant[had])
    return {**found, "from the day on": _ratio(before + after)}


def _ratio(table: EventTable) -> float:
    return float(fit_cox(table, np.array([[0.0], [1.0]]), ["ever"]).ratio[0])


def transplant_table(repetitions: int, seed: int = 1) -> dict[str, float]:
    """Geometric means over many cohorts."""
    drawn = [transplant_ratios(np.random.default_rng(seed * 1_000_003 + k)) for k in range(repetitions)]
    return {key: float(np.exp(np.mean(np.log([one[key] for one in drawn])))) for key in drawn[0]}


def lines(repetitions: int, replicates: int) -> Iterator[str]:
    yield (f"{repetitions} cohorts of 2,000 patients, {replicates} bootstrap replicates, difference at five years, "
           "reduced minus standard, in points")
    for scenario in SCENARIOS:
        standard, reduced = true_survival(scenario)
        yield f"{scenario}: truth {standard:.5f} standard, {reduced:.5f} reduced, {100 * (reduced - standard):+.2f}"
        for one in measure(scenario, repetitions, replicates=replicates, processes=2):
            yield (f"  {one.method:13} bias {one.bias:+5.2f}  SE {one.error:4.2f}  RMSE {one.root_mean_square:4.2f}  "
                   f"coverage {one.coverage:.3f}  width {one.width:4.1f}")
    yield "hazard ratio of a transplant that changes nothing (truth 1.00)"
    yield "  " + ", ".join(f"{key} {value:.2f}" for key, value in transplant_table(repetitions).items())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.what_if_truth")
    parser.add_argument("--repetitions", type=int, default=250)
    parser.add_argument("--replicates", type=int, default=80)
    options = parser.parse_args()
    for line in lines(options.repetitions, options.replicates):
        print(line, flush=True)


if __name__ == "__main__":
    main()
