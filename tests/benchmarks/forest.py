"""A table of subgroups, question to released result, against a loop over lifelines on the same patients.

    python -m tests.benchmarks.forest
"""

from __future__ import annotations

import statistics
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.cohort.subgroup_question import SubgroupsQuestion, check_subgroups
from harmony_dash.dictionary import load_dictionary
from harmony_dash.disclosure import Level, Released, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.disclosure.subgroup_results import SubgroupsResult
from harmony_dash.services.subgroups import compute_subgroups
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

TRIALS = 12
YEARS = 11
# Twenty variables, about sixty levels that are compared.
MARKERS = ("etv6_runx1", "bcr_abl1", "kmt2a_r", "tcf3_pbx1", "iamp21", "heh", "low_hypodiploid", "cna_ikzf1",
           "cna_cdkn2a", "cna_pax5")
OTHERS = ("age_group", "wbc_band", "cyto_group", "cna_profile", "nci_risk", "mrd_eoi_band", "cns_status", "ikzf1plus",
          "sex", "down_syndrome")


@dataclass(frozen=True)
class ForestTiming:
    """Seconds of one size; `deviation` is the largest difference of a log hazard ratio between the two."""

    patients: int
    variables: int
    rows: int
    exact: float
    protected: float
    filtered: float
    lifelines: float
    deviation: float


def draw_patients(patients: int, seed: int = 1) -> pd.DataFrame:
    """Twelve trials with their own hazards, and markers of which some change the hazard."""
    rng = np.random.default_rng(seed)
    dictionary, frame = load_dictionary(), make_patients(patients, seed)
    trial = rng.integers(0, TRIALS, patients)
    frame["trial"] = np.array([f"Trial {k:02d}" for k in range(TRIALS)])[trial]
    effect = 0.2 * (trial % 3)
    for place, name in enumerate((*MARKERS, *OTHERS)):
        values = list(dictionary[name].values)
        shares = 0.6 ** np.arange(len(values))
        level = rng.choice(len(values), patients, p=shares / shares.sum())
        frame[name] = np.array(values)[level]
        effect = effect + (0.15 * (level == 1) if place % 4 == 0 else 0.0)
    died = 365.25 * 9 * (rng.exponential(1, patients) * np.exp(-effect)) ** 1.3
    end = rng.uniform(365, 365.25 * YEARS, patients)
    frame["efs_days"] = np.minimum(died, end).astype(np.int64)
    frame["efs_cause"] = (died <= end).astype(np.int64)
    return frame.astype({"efs_days": "Int32", "efs_cause": "Int32"})


def answer(snapshot: Snapshot, question: SubgroupsQuestion, level: Level) -> Released[SubgroupsResult]:
    """The whole way without access and audit."""
    asked = check_subgroups(question, snapshot.dictionary)
    scope = Scope(level)
    return release(compute_subgroups(snapshot, asked, question, interval=IntervalType.LOG_LOG, scope=scope), scope)


def time_answer(snapshot: Snapshot, question: SubgroupsQuestion, level: Level, repeats: int) -> float:
    """Median seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer(snapshot, question, level)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(patients: int = 100_000, *, repeats: int = 5) -> ForestTiming:
    """Time the table and the loop, one after the other, on the same patients."""
    frame = draw_patients(patients)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = make_store(Path(folder), frame=frame)
        # No landmark, so that everybody counts in both.
        names = tuple(name for name in (*MARKERS, *OTHERS) if name != "mrd_eoi_band")
        question = SubgroupsQuestion(Question("ALL", "efs"), (*names, "country"))
        filtered = SubgroupsQuestion(Question("ALL", "efs", (parse_filter("immunophenotype=B"),)), question.variables)
        result = answer(snapshot, question, Level.EXACT).value
        exact = time_answer(snapshot, question, Level.EXACT, repeats)
        protected = time_answer(snapshot, question, Level.PROTECTED, repeats)
        with_filter = time_answer(snapshot, filtered, Level.PROTECTED, repeats)
        snapshot.close()
    slow, deviation = 0.0, 0.0
    for variable in result.variables:
        ratios = {row.level: row.hazard_ratio for row in variable.rows if row.hazard_ratio is not None}
        taking_part = [variable.reference, *ratios]
        chosen = frame[frame[variable.variable].isin(taking_part)]
        rows = pd.DataFrame({"day": chosen.efs_days.astype(float), "event": chosen.efs_cause.astype(int),
                             "trial": chosen.trial,
                             **{level: (chosen[variable.variable] == level).astype(float) for level in ratios}})
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = CoxPHFitter().fit(rows, "day", "event", strata=["trial"])
        slow += time.perf_counter() - start
        ours = np.log([ratio.ratio for ratio in ratios.values()])
        deviation = max(deviation, float(np.abs(ours - theirs.params_.to_numpy()).max()))
    return ForestTiming(patients, len(result.variables), sum(len(variable.rows) for variable in result.variables),
                        exact, protected, with_filter, slow, deviation)


def main() -> None:
    """Print the comparison."""
    timing = measure()
    print(f"{timing.variables} variables, {timing.rows} rows, {timing.patients:,} patients, {TRIALS} trials as strata: "
          f"{timing.exact:.2f} s exact, {timing.protected:.2f} s protected ({timing.filtered:.2f} s with a filter); "
          f"lifelines for the hazard ratios alone {timing.lifelines:.0f} s ({timing.lifelines / timing.exact:.0f} "
          f"times); largest difference of a log hazard ratio {timing.deviation:.1e}.")


if __name__ == "__main__":
    main()
