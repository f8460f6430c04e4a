"""Published figures beside those of a large generated cohort: `python -m harmony_dash.synthetic.calibration`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harmony_dash.synthetic.cohort import Cohort, simulate
from harmony_dash.synthetic.population import allocate
from harmony_dash.synthetic.published import FIGURES, Figure

PATIENTS = 250_000
SEED = 2024


@dataclass(frozen=True)
class Comparison:
    """One published figure and what the generator gives; `patients` is the size of the generated group."""

    figure: Figure
    generated: float
    patients: int

    @property
    def difference(self) -> float:
        """Generated minus published."""
        return self.generated - self.figure.published

    @property
    def is_within(self) -> bool:
        """Whether the difference is within the tolerance; a figure that cannot be measured is not."""
        return bool(abs(self.difference) <= self.figure.tolerance)


def calibrate(patients: int = PATIENTS, seed: int = SEED) -> tuple[Comparison, ...]:
    """Measure every published figure in a generated cohort.

    Parameters
    ----------
    patients : size of the cohort, which has the same mix of trials at any size.
    seed : of the generator.

    Returns
    -------
    One comparison a figure, in the order of `published.FIGURES`.
    """
    protocol, country = allocate(patients)
    return compare(simulate(protocol, country, np.random.default_rng(seed)))


def compare(cohort: Cohort) -> tuple[Comparison, ...]:
    """The published figures measured in one cohort."""
    result = []
    for figure in FIGURES:
        rows = figure.group(cohort)
        result.append(Comparison(figure, figure.measure(cohort, rows), int(rows.sum())))
    return tuple(result)


def write_table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons as a Markdown table."""
    lines = ["| Figure | Published | Generated | Difference | Tolerance | n generated | Source | Note |",
             "|---|---:|---:|---:|---:|---:|---|---|"]
    for item in comparisons:
        figure = item.figure
        digits = 1 if figure.unit == "%" else 2
        unit = {"%": " %", "": ""}.get(figure.unit, f" {figure.unit}")
        mark = "" if item.is_within else " **outside**"
        lines.append(f"| {figure.name} | {figure.published:g}{unit} | {item.generated:.{digits}f}{unit} "
                     f"| {item.difference:+.{digits}f}{mark} | ±{figure.tolerance:g} | {item.patients:,} "
                     f"| {figure.source} | {figure.note} |")
    return "\n".join(lines)


def main() -> int:
    """Print the table; 0 if every figure is within its tolerance."""
    comparisons = calibrate()
    print(write_table(comparisons))
    return 0 if all(item.is_within for item in comparisons) else 1


if __name__ == "__main__":
    sys.exit(main())
