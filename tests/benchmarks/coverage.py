"""The coverage page at 100,000 patients, all variables that everybody can have, and 12 sources: first answer,
the same again, its figures.

    python -m tests.benchmarks.coverage

Beside it the same counts as an analyst would take them with pandas, a `groupby` a variable, from rows that are in
memory already. That one neither rounds nor protects anything, and no other page has to wait for its memory.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from harmony_dash.access.actor import OPERATOR
from harmony_dash.charts.case_mix import build_case_mix_figure
from harmony_dash.charts.completeness import build_completeness_figure
from harmony_dash.charts.coverage import (
    build_accrual_figure,
    build_country_figure,
    build_cross_figure,
    build_follow_up_figure,
    build_trial_figure,
)
from harmony_dash.charts.coverage_map import build_map_figure
from harmony_dash.disclosure import Level
from harmony_dash.disclosure.coverage_results import CoverageResult
from harmony_dash.disclosure.released import Released
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.deployment import Deployment
from harmony_dash.store.schema import quote
from tests.disclosure.house import open_house, synthesise_house

_ROUNDS = 5
# What the page counts by, as groupings of the rows.
_GROUPINGS = (["source"], ["country"], ["trial"], ["dx_period"], ["country", "trial"], ["country", "dx_period"],
              ["source", "dx_period"], ["country", "age_group"], ["country", "immunophenotype"], ["country", "sex"])


@dataclass(frozen=True)
class CoverageCost:
    """Medians in milliseconds.

    Attributes
    ----------
    first, again : the first protected answer of a process, and the same asked again.
    exact : the first answer without protection: what `naive` is to be set beside.
    naive : the same counts with pandas.
    figures : drawing all figures of the page, every variable, as the JSON that is sent.
    """

    patients: int
    variables: int
    sources: int
    first: float
    again: float
    exact: float
    naive: float
    figures: float

    @property
    def words(self) -> str:
        """The measurement in two sentences."""
        return (f"Coverage of {self.patients:,} patients, {self.variables} variables, {self.sources} sources: first "
                f"answer {self.first:.0f} ms, again {self.again:.0f} ms, figures {self.figures:.0f} ms. Without "
                f"protection {self.exact:.0f} ms; pandas, a groupby a variable, {self.naive:.0f} ms, "
                f"{self.naive / self.exact:.1f} times as long.")


def measure(patients: int) -> CoverageCost:
    """Publish synthetic sources of that size and ask in this process."""
    with tempfile.TemporaryDirectory() as folder:
        synthesise_house(Path(folder), patients)
        first, again, exact, figures = [], [], [], []
        for _ in range(_ROUNDS):
            house = open_house(Path(folder))  # remembers nothing
            house.store.current()
            first.append(_time(partial(_ask, house)))
            again.append(_time(partial(_ask, house)))
            exact.append(_time(partial(_ask, house, Level.EXACT)))
            figures.append(_time(partial(_draw, _ask(house))))
        result = _ask(house).value
        variables = list(dict.fromkeys(one.variable for one in result.completeness))
        rows = _load_rows(house, variables)
        naive = [_time(partial(_count_naively, rows, variables)) for _ in range(_ROUNDS)]
        return CoverageCost(patients, len(variables), len(result.sources),
                            *(statistics.median(times) for times in (first, again, exact, naive, figures)))


def _ask(house: Deployment, level: Level = Level.PROTECTED) -> Released[CoverageResult]:
    return review_coverage(house, OPERATOR, "ALL", level=level)


def _load_rows(house: Deployment, variables: Sequence[str]) -> pd.DataFrame:
    names = dict.fromkeys((*variables, "disease", "source", "country", "trial", "dx_period", "age_group",
                           "immunophenotype", "sex"))
    columns = house.store.current().fetch_columns(f"SELECT {', '.join(map(quote, names))} FROM patient")
    rows = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
    return rows.astype(dict.fromkeys(rows.select_dtypes(["object", "string"]).columns, "category"))


def _count_naively(rows: pd.DataFrame, variables: Sequence[str]) -> list[pd.Series]:
    """Patients by everything the page counts by, and per variable by source and by what is known of it."""
    patients = rows[rows["disease"] == "ALL"]
    found = [patients.groupby(names, dropna=False, observed=True).size() for names in _GROUPINGS]
    for name in variables:
        part = patients[name] if patients[name].dtype == "category" else patients[name].notna()
        found.append(patients.groupby(["source", part], dropna=False, observed=True).size())
    return found


def _draw(released: Released[CoverageResult]) -> None:
    for build in (build_map_figure, build_country_figure, build_cross_figure, build_case_mix_figure):
        build(released, names={}).to_json()
    for draw in (build_trial_figure, build_accrual_figure, build_completeness_figure, build_follow_up_figure):
        draw(released).to_json()


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    print(measure(100_000).words)
