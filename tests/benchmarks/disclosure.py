"""What protection costs: the release of a Kaplan-Meier answer with four groups, and the counting it needs before."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.cohort import Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.results import IntervalType
from harmony_dash.services.survival import DEFAULT_DAYS, compute_survival
from harmony_dash.store.reader import Snapshot, Store
from tests.benchmarks.question import median_ms
from tests.benchmarks.stores import make_benchmark_store

# Four groups are drawn; the other countries of the dictionary are withheld, so that the audit has work to do.
QUESTION = Question("ALL", "efs", (parse_filter("immunophenotype=B"), parse_filter("country=DE,FR,IT,NL")),
                    by="country")


@dataclass(frozen=True)
class ReleaseCost:
    """Milliseconds, medians: `release` alone, and the whole of computing at a protected and at the exact level."""

    patients: int
    groups: int
    release: float
    computed_protected: float
    computed_exact: float


def release_cost(snapshot: Snapshot, patients: int, repeats: int = 25) -> ReleaseCost:
    """Time the release of the benchmark question on an open snapshot."""
    def compute(scope: Scope) -> object:
        return compute_survival(snapshot, QUESTION, QUESTION, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                                scope=scope)

    protected, exact = Scope(Level.PROTECTED), Scope(Level.EXACT)
    result = compute_survival(snapshot, QUESTION, QUESTION, interval=IntervalType.LOG_LOG, days=DEFAULT_DAYS,
                              scope=protected)
    return ReleaseCost(patients, len(result.groups), median_ms(lambda: release(result, protected), repeats),
                       median_ms(lambda: compute(protected), repeats), median_ms(lambda: compute(exact), repeats))


def measure(patients: int = 100_000) -> ReleaseCost:
    """Make a store of that many patients and time a release on it."""
    with tempfile.TemporaryDirectory() as folder:
        make_benchmark_store(Path(folder), patients)
        return release_cost(Store(Path(folder)).current(), patients)


if __name__ == "__main__":
    print(measure())
