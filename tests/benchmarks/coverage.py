"""The coverage page at 100,000 patients, 80 variables and 12 sources: first answer, and the same asked again.

    python -m tests.benchmarks.coverage
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harmony_dash.access.actor import OPERATOR
from harmony_dash.charts.case_mix import build_case_mix_figure
from harmony_dash.charts.completeness import build_completeness_figure
from harmony_dash.charts.coverage import build_accrual_figure, build_country_figure, build_cross_figure
from harmony_dash.charts.coverage_map import build_map_figure
from harmony_dash.disclosure.released import Released
from harmony_dash.disclosure.results import CoverageResult
from harmony_dash.services.coverage import review_coverage
from tests.disclosure.house import open_house, synthesise_house

_ROUNDS = 5


@dataclass(frozen=True)
class CoverageCost:
    """Medians in milliseconds: the first answer, the same again, and drawing the figures."""

    patients: int
    variables: int
    sources: int
    first: float
    again: float
    figures: float


def measure(patients: int) -> CoverageCost:
    """Publish synthetic sources of that size and ask in this process."""
    with tempfile.TemporaryDirectory() as folder:
        synthesise_house(Path(folder), patients)
        first, again, figures = [], [], []
        for _ in range(_ROUNDS):
            house = open_house(Path(folder))  # remembers nothing
            house.store.current()
            first.append(_time(lambda house=house: review_coverage(house, OPERATOR, "ALL")))  # type: ignore[misc]
            again.append(_time(lambda house=house: review_coverage(house, OPERATOR, "ALL")))  # type: ignore[misc]
            released = review_coverage(house, OPERATOR, "ALL")
            figures.append(_time(lambda released=released: _draw(released)))  # type: ignore[misc]
        result = released.value
        return CoverageCost(patients, len({one.variable for one in result.completeness}), len(result.sources),
                            *(statistics.median(times) for times in (first, again, figures)))


def _draw(released: Released[CoverageResult]) -> None:
    for build in (build_map_figure, build_country_figure, build_cross_figure, build_case_mix_figure):
        build(released, names={}).to_json()
    build_accrual_figure(released).to_json()
    build_completeness_figure(released).to_json()


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    cost = measure(100_000)
    print(f"Coverage of {cost.patients:,} patients, {cost.variables} variables, {cost.sources} sources: first answer "
          f"{cost.first:.0f} ms, again {cost.again:.0f} ms, figures {cost.figures:.0f} ms.")
