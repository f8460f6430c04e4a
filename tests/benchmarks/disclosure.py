"""What protection costs (figure D8): counting before a question of four groups is answered, and the release."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.protection import plan_answer
from harmony_dash.services.survival import DEFAULT_DAYS
from harmony_dash.services.survival_answer import compute_survival
from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.stores import make_benchmark_store

# Four groups are drawn; the other countries of the dictionary are withheld, so that the audit has work to do.
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"), parse_filter("country=DE,FR,IT,NL")),
                    by="country")


@dataclass(frozen=True)
class Spread:
    """Milliseconds of one action: the median, and what 95 of 100 runs stay under."""

    median: float
    ninety_fifth: float

    def __str__(self) -> str:
        return f"median {self.median:.0f} ms, p95 {self.ninety_fifth:.0f} ms"


@dataclass(frozen=True)
class ReleaseCost:
    """Milliseconds, medians unless a `Spread`.

    Attributes
    ----------
    patients, groups : size of the store and of the answer.
    plan : the scan for effects and the rule.
    release, release_spread : the release alone.
    together : plan and release in one go, what protection adds to an answer apart from curves on the grid.
    computed_protected, computed_exact : everything before the release, at a protected and at the exact level.
    """

    patients: int
    groups: int
    plan: Spread
    release: float
    release_spread: Spread
    together: Spread
    computed_protected: float
    computed_exact: float

    def __str__(self) -> str:
        return (f"{self.groups} groups at {self.patients:,} patients: plan {self.plan}; release {self.release_spread}; "
                f"both {self.together}. Computing the answer: {self.computed_protected:.0f} ms protected, "
                f"{self.computed_exact:.0f} ms exact.")


def measure_spread(action: Callable[[], object], repeats: int) -> Spread:
    """Wall times of an action, after one run to warm up."""
    action()
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1000)
    return Spread(statistics.median(times), statistics.quantiles(times, n=20)[-1])


def release_cost(snapshot: Snapshot, patients: int, repeats: int = 60) -> ReleaseCost:
    """Time the plan and the release of the benchmark question on an open snapshot."""
    def compute(scope: Scope) -> object:
        return compute_survival(snapshot, QUESTION, QUESTION, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                scope=scope)

    protected, exact = Scope(Level.PROTECTED), Scope(Level.EXACT)
    result = compute_survival(snapshot, QUESTION, QUESTION, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                              scope=protected)
    plan = measure_spread(lambda: plan_answer(snapshot, QUESTION, protected), repeats)
    released = measure_spread(lambda: release(result, protected), repeats)
    together = measure_spread(lambda: (plan_answer(snapshot, QUESTION, protected), release(result, protected)), repeats)
    return ReleaseCost(patients, len(result.groups), plan, released.median, released, together,
                       measure_spread(lambda: compute(protected), repeats // 2).median,
                       measure_spread(lambda: compute(exact), repeats // 2).median)


def measure(patients: int = 100_000) -> ReleaseCost:
    """Make a store of that many patients and time a release on it."""
    with tempfile.TemporaryDirectory() as folder:
        make_benchmark_store(Path(folder), patients)
        return release_cost(Store(Path(folder)).current(), patients)


if __name__ == "__main__":
    print(measure())
