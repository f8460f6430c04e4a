"""Question to released result, against pandas + lifelines on the same rows in the same process."""

from __future__ import annotations

import gc
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.survival import DEFAULT_DAYS
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.store.event_tables import event_table_sql
from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store

# Four groups, with a filter that keeps most patients: the question of the published target.
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"), parse_filter("age_dx_years=1..<60")),
                    by="age_group")
COLUMNS = ("immunophenotype", "age_dx_years", "age_group", "efs_days", "efs_cause")


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one size."""

    patients: int
    ours: float
    naive: float | None
    naive_least: float | None
    scan: float
    peak_mb: float


def median_ms(action: Callable[[], object], repeats: int) -> float:
    """Median wall time of an action, after one run to warm up."""
    action()
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def ask(snapshot: Snapshot) -> object:
    """Our path: event table, flow, curves with intervals, risk table, log-rank, restricted means, release."""
    scope = Scope(Level.PROTECTED)
    result = compute_survival(snapshot, QUESTION, QUESTION, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                              scope=scope)
    return release(result, scope)


def ask_naively(rows: pd.DataFrame, *, everything: bool) -> object:
    """The question as an analyst writes it with pandas and lifelines.

    Parameters
    ----------
    rows : patients, in memory.
    everything : all that our result holds; otherwise curves with intervals, risk table and log-rank test alone.
    """
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test, pairwise_logrank_test
    from lifelines.utils import median_survival_times, restricted_mean_survival_time

    cohort = rows[(rows.immunophenotype == "B") & (rows.age_dx_years >= 1) & (rows.age_dx_years < 60)
                  & rows.efs_days.notna()]
    answer: list[object] = []
    ticks = np.round(np.arange(0, 11) * 365.25)
    for _, group in cohort.groupby("age_group", observed=True):
        event = group.efs_cause > 0
        fitted = KaplanMeierFitter().fit(group.efs_days, event)
        table = fitted.event_table
        at_risk = [int(table.at_risk[table.index >= tick].iloc[0]) if (table.index >= tick).any() else 0
                   for tick in ticks]
        answer.append((fitted.survival_function_, fitted.confidence_interval_, at_risk, fitted.predict(DEFAULT_DAYS)))
        if everything:
            answer.append((median_survival_times(fitted.confidence_interval_),
                           KaplanMeierFitter().fit(group.efs_days, ~event).median_survival_time_,
                           restricted_mean_survival_time(fitted, t=3653)))
    answer.append(multivariate_logrank_test(cohort.efs_days, cohort.age_group, cohort.efs_cause > 0))
    if everything:
        answer.append(pairwise_logrank_test(cohort.efs_days, cohort.age_group, cohort.efs_cause > 0))
    return answer


def load_rows(snapshot: Snapshot) -> pd.DataFrame:
    """The columns the naive path needs, already in memory when its clock starts."""
    columns = snapshot.fetch_columns(f"SELECT {', '.join(COLUMNS)} FROM patient")
    return pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})


def measure(patients: int, *, naive: bool, repeats: int) -> Timing:
    """Time one size in this process."""
    with tempfile.TemporaryDirectory() as folder:
        make_benchmark_store(Path(folder), patients)
        # Making the store takes more memory than serving it, so the peak is that of a fresh process.
        peak = _peak_of_reader(Path(folder))
        snapshot = Store(Path(folder)).current()
        ours = median_ms(lambda: ask(snapshot), repeats)
        scan = median_ms(lambda: snapshot.fetch_columns(*event_table_sql(QUESTION, snapshot.dictionary)), repeats)
        slow = least = None
        if naive:
            rows = load_rows(snapshot)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                slow = median_ms(lambda: ask_naively(rows, everything=True), max(3, repeats // 5))
                least = median_ms(lambda: ask_naively(rows, everything=False), max(3, repeats // 5))
    return Timing(patients, ours, slow, least, scan, peak)


def _peak_of_reader(folder: Path) -> float:
    code = ("import sys; from pathlib import Path; from tests.benchmarks.question import serve; "
            f"serve(Path({str(folder)!r}))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def serve(folder: Path) -> None:
    """Answer the question in a fresh process and print its peak memory in MB."""
    snapshot = Store(folder).current()
    ask(snapshot)
    print(peak_mb())


def peak_mb() -> float:
    """Peak memory of this process in MB. `ru_maxrss` would count the process that started this one as well."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(sizes: list[int], naive_up_to: int) -> str:
    """Markdown rows, one a size. "Least" leaves medians, follow-up, restricted means and pairs to us alone."""
    lines = ["| patients | question → released | lifelines, same content | ratio | lifelines, least | ratio "
             "| bare scan | ours ÷ scan | memory |", "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for patients in sizes:
        timing = measure(patients, naive=patients <= naive_up_to, repeats=15 if patients <= 1_000_000 else 5)
        cells = [f"{patients:,}", f"{timing.ours:,.0f} ms"]
        for naive in (timing.naive, timing.naive_least):
            cells += ["–", "–"] if naive is None else [f"{naive:,.0f} ms", f"{naive / timing.ours:.1f}×"]
        cells += [f"{timing.scan:,.0f} ms", f"{timing.ours / timing.scan:.1f}×", f"{timing.peak_mb:,.0f} MB"]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)
