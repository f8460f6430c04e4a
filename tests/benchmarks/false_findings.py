"""How often a table of markers that mean nothing shows a finding: about as often as it says, and not every other time.

    python -m tests.benchmarks.false_findings
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harmony_dash.cohort.endpoints import endpoint_named
from harmony_dash.disclosure import Level, Scope
from harmony_dash.services.level_comparison import compare_levels
from harmony_dash.stats.level_grid import LevelGrid, grid_from_counts
from harmony_dash.stats.multiplicity import adjust_for_multiplicity

MARKERS = 14
TRIALS = 3
MONTHS = 96


@dataclass(frozen=True)
class FalseFindings:
    """Shares of the cohorts in which any p-value, and any adjusted one, is below 0.05."""

    cohorts: int
    any_p: float
    any_q: float


def simulate(cohorts: int, *, patients: int = 1000, seed: int = 1) -> FalseFindings:
    """Markers of prevalence 5 to 45 %, none of which changes the hazard; times in months, trials as strata."""
    rng = np.random.default_rng(seed)
    prevalence = np.linspace(0.05, 0.45, MARKERS)
    endpoint, scope = endpoint_named("efs"), Scope(Level.EXACT)
    raw, adjusted = 0, 0
    for _ in range(cohorts):
        trial = rng.integers(0, TRIALS, patients)
        event = rng.exponential(100 / (1 + 0.3 * trial))
        end = rng.uniform(12, MONTHS, patients)
        month, cause = np.minimum(event, end).astype(np.int64), event <= end
        p = []
        for share in prevalence:
            found = compare_levels(_count(trial, month, cause, rng.random(patients) < share), endpoint, scope)
            p.append(np.nan if found.ratios is None else found.ratios.levels[1].p)
        raw += bool((np.array(p) < 0.05).any())
        adjusted += bool((adjust_for_multiplicity(p, "bh") < 0.05).any())
    return FalseFindings(cohorts, raw / cohorts, adjusted / cohorts)


def _count(trial: np.ndarray, month: np.ndarray, cause: np.ndarray, marker: np.ndarray) -> LevelGrid:
    """The marker's two levels side by side."""
    shape = (TRIALS * MONTHS, 2)
    cell = (trial * MONTHS + month) * 2 + marker
    size = shape[0] * shape[1]
    censored, died = (np.bincount(cell[cause == value], minlength=size).reshape(shape) for value in (False, True))
    rows = np.arange(shape[0])
    return grid_from_counts(("neg", "pos"), [f"trial {k}" for k in range(TRIALS)], ("event",), rows // MONTHS,
                            rows % MONTHS, censored, died[None], np.zeros(shape, dtype=np.int64))


def main() -> None:
    """Print the shares."""
    found = simulate(500)
    print(f"{MARKERS} markers without any effect, {found.cohorts} cohorts: any p < 0.05 in {100 * found.any_p:.1f} %, "
          f"any q < 0.05 in {100 * found.any_q:.1f} %.")


if __name__ == "__main__":
    main()
