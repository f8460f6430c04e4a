"""Two hundred bootstrap replicates of standardised survival, against lifelines on the same patients.

    python -m tests.benchmarks.what_if              5,000 and 100,000 patients, about one minute
    python -m tests.benchmarks.what_if 5000

lifelines fits its model once a replicate, as we do; a few replicates are timed and scaled up. Seconds of the processor
stand beside those of the clock, which hang on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from harmony_dash.stats.arm_patients import ArmPatients
from harmony_dash.stats.bayesian_bootstrap import draw_replicates
from harmony_dash.stats.event_table import Floats
from harmony_dash.stats.standardised_survival import standardise_survival

COVARIATES: Final = 10
COUNTRIES: Final = 8
DAYS: Final = np.linspace(60, 1826, 28).astype(np.int64)


@dataclass(frozen=True)
class Timing:
    """Seconds of the clock for all replicates, and of the processor with one thread.

    Attributes
    ----------
    lifelines, lifelines_processor : of `lifelines_replicates`, scaled up to all.
    deviation : the largest difference between the two estimates of survival.
    """

    patients: int
    replicates: int
    ours: float
    two_threads: float
    processor: float
    lifelines: float
    lifelines_processor: float
    lifelines_replicates: int
    deviation: float


def make_patients(n: int, seed: int = 1) -> ArmPatients:
    """Patients of eight countries whose first covariate decides treatment."""
    rng = np.random.default_rng(seed)
    values, country = rng.normal(size=(n, COVARIATES)), rng.integers(0, COUNTRIES, n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-values[:, 0]))).astype(np.int64)
    hazard = np.exp(0.3 * values[:, 0] - 0.2 * values[:, 1] + 0.2 * arm + 0.05 * country)
    event, end = rng.exponential(size=n) / hazard * 5000, rng.uniform(900, 4000, n)
    return ArmPatients.from_rows(np.floor(np.minimum(event, end)), event <= end, arm, values,
                                 [f"x{k}" for k in range(COVARIATES)], stratum=country,
                                 strata=[f"country {k}" for k in range(COUNTRIES)])


def measure(n: int, *, replicates: int = 200, slow_replicates: int = 3) -> Timing:
    """Time both on the same patients."""
    patients = make_patients(n)
    times, processor = [], []
    for workers in (1, 2):
        start, used = time.perf_counter(), time.process_time()
        found = standardise_survival(patients, DAYS, tau_days=1826, rng=np.random.default_rng(1), replicates=replicates,
                                     draw=partial(draw_replicates, workers=workers))
        times.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    rng = np.random.default_rng(1)
    weights = [weight / weight.mean() for weight in rng.exponential(size=(slow_replicates, n))]
    start, used = time.perf_counter(), time.process_time()
    for weight in weights:
        standardise_with_lifelines(patients, weight)
    slow, slow_processor = ((now - before) / slow_replicates * replicates for now, before in (
        (time.perf_counter(), start), (time.process_time(), used)))
    theirs = standardise_with_lifelines(patients, np.ones(n))
    return Timing(n, replicates, times[0], times[1], processor[0], slow, slow_processor, slow_replicates,
                  float(np.abs(theirs - found.survival.estimate).max()))


def standardise_with_lifelines(patients: ArmPatients, weight: Floats) -> Floats:
    """Shape (2, days): the same by a weighted, stratified fit and a prediction for everybody in each arm."""
    design, names = patients.outcome_design(), list(patients.outcome_names)
    rows = pd.DataFrame(design, columns=names)
    rows["day"], rows["event"], rows["country"], rows["weight"] = (patients.day, patients.cause, patients.stratum,
                                                                   weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CoxPHFitter().fit(rows, "day", "event", strata=["country"], weights_col="weight")
    found = np.zeros((2, len(DAYS)))
    for arm in (0, 1):
        rows[names[0]] = float(arm)
        found[arm] = model.predict_survival_function(rows, times=DAYS).to_numpy() @ weight / weight.sum()
    return found


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.what_if")
    parser.add_argument("patients", type=int, nargs="*", default=[5_000, 100_000])
    print(f"On {os.cpu_count()} cores.")
    for n in parser.parse_args().patients:
        timing = measure(n)
        print(f"{timing.replicates} replicates of standardised survival, {n:,} patients, {COVARIATES} covariates and "
              f"the arm, 28 days, a restricted mean: {timing.ours:.1f} s, with two threads {timing.two_threads:.1f} s "
              f"(processor {timing.processor:.1f} s); lifelines {timing.lifelines:.0f} s (processor "
              f"{timing.lifelines_processor:.0f} s), scaled up from {timing.lifelines_replicates} replicates: "
              f"{timing.lifelines / timing.ours:.0f} times by the clock, "
              f"{timing.lifelines_processor / timing.processor:.0f} times by the processor; largest difference "
              f"{timing.deviation:.0e}", flush=True)


if __name__ == "__main__":
    main()
