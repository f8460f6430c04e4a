"""Hazard ratios of many biomarkers from one long event table, against lifelines on the same patients.

    python -m tests.benchmarks.forest
"""

from __future__ import annotations

import statistics
import time
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from harmony_dash.stats.event_table import EventTable, Ints
from harmony_dash.stats.hazard_ratios import estimate_many_hazard_ratios

TRIALS = 12
MARKERS = 20
YEARS = 11


@dataclass(frozen=True)
class ForestTiming:
    """Seconds of one size; `deviation` is the largest difference of a log hazard ratio between the two."""

    patients: int
    models: int
    rows: int
    ours: float
    lifelines: float
    deviation: float


@dataclass(frozen=True)
class Patients:
    """One row a patient; `levels` has a column for each marker."""

    day: Ints
    event: Ints
    trial: Ints
    levels: Ints


def make_patients(patients: int, seed: int = 1) -> Patients:
    """Twelve trials with their own hazards, markers of 2 to 4 levels, some of which change the hazard."""
    rng = np.random.default_rng(seed)
    trial = rng.integers(0, TRIALS, patients)
    levels = np.column_stack([rng.choice(2 + k % 3, patients, p=_shares(2 + k % 3)) for k in range(MARKERS)])
    effect = 0.2 * (trial % 3) + levels @ np.where(np.arange(MARKERS) % 4 == 0, 0.15, 0.0)
    time_ = 365.25 * 9 * (rng.exponential(1, patients) * np.exp(-effect)) ** 1.3
    end = rng.uniform(365, 365.25 * YEARS, patients)
    return Patients(np.minimum(time_, end).astype(np.int64), (time_ <= end).astype(np.int64), trial, levels)


def make_table(patients: Patients) -> tuple[EventTable, dict[str, list[str]]]:
    """Return the long table, what one GROUP BY over all markers returns, and the levels of each marker."""
    sizes = patients.levels.max(axis=0) + 1
    first = np.cumsum(sizes) - sizes
    labels = {f"marker {k}": [f"marker {k}: {level}" for level in range(size)] for k, size in enumerate(sizes)}
    day, event, trial = (np.tile(values, MARKERS) for values in (patients.day, patients.event, patients.trial))
    group = (patients.levels + first).T.ravel()
    table = EventTable.from_counts([label for one in labels.values() for label in one],
                                   [f"trial {k}" for k in range(TRIALS)], ("event",), group, trial, day, 1 - event,
                                   event)
    return table, labels


def measure(patients: int = 100_000, *, repeats: int = 5) -> ForestTiming:
    """Time the statistics alone, tables and data frames given."""
    drawn = make_patients(patients)
    table, labels = make_table(drawn)
    answers, times = estimate_many_hazard_ratios(table, labels), []
    for _ in range(repeats):
        start = time.perf_counter()
        answers = estimate_many_hazard_ratios(table, labels)
        times.append(time.perf_counter() - start)
    deviation, slow = 0.0, 0.0
    for k, answer in enumerate(answers):
        dummies = {f"x{level}": (drawn.levels[:, k] == level).astype(float)
                   for level in range(1, drawn.levels[:, k].max() + 1)}
        rows = pd.DataFrame({"day": drawn.day, "event": drawn.event, "trial": drawn.trial, **dummies})
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = CoxPHFitter().fit(rows, "day", "event", strata=["trial"])
        slow += time.perf_counter() - start
        ours = [entry.log_ratio for entry in answer.ratios.levels[1:]] if answer.ratios else []
        deviation = max(deviation, float(np.abs(np.array(ours) - theirs.params_.to_numpy()).max()))
    return ForestTiming(patients, len(answers), len(table.day), statistics.median(times), slow, deviation)


def _shares(size: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shares = 0.5 ** np.arange(size)
    return np.asarray(shares / shares.sum())


def main() -> None:
    """Print the comparison."""
    timing = measure()
    print(f"{timing.models} biomarkers, {timing.patients:,} patients, {TRIALS} trials as strata, event table of "
          f"{timing.rows:,} rows: {timing.ours:.2f} s; lifelines {timing.lifelines:.0f} s "
          f"({timing.lifelines / timing.ours:.0f} times); largest difference of a log hazard ratio "
          f"{timing.deviation:.1e}.")


if __name__ == "__main__":
    main()
