"""What coverage tells of cells with few patients and with none, which is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

from harmony_dash.access.actor import OPERATOR
from harmony_dash.dictionary import load_dictionary
from harmony_dash.dictionary.model import Disease
from harmony_dash.disclosure import Level, Scope, release
from harmony_dash.disclosure.coverage_results import NOT_STATED, CoverageResult
from harmony_dash.disclosure.keyed_count import KeyedCount
from harmony_dash.services.coverage import review_coverage
from harmony_dash.services.coverage_counts import compute_coverage
from harmony_dash.services.release_info import describe_release
from harmony_dash.store.counts import fetch_participation
from harmony_dash.store.writer import new_snapshot
from tests.disclosure.house import STEERING, open_house
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, make_store, no_issues

_PLAIN = load_dictionary()
TWO_DISEASES = replace(_PLAIN, version="two", diseases=MappingProxyType(
    {**_PLAIN.diseases, "AML": Disease("AML", "Acute myeloid leukaemia", "AML")}))


def plant(few: int) -> pd.DataFrame:
    """Dutch patients are in trial A, some of them in trial B; a few have no trial and a few are from before 1990."""
    frame = make_patients(600, seed=3)
    frame["country"] = pd.Series(["DE", "FR", "NL"] * 200)
    frame["trial"] = frame.country.map({"DE": "Trial A", "FR": "Trial B", "NL": "Trial A"})
    frame.loc[frame.index[frame.country == "DE"][:60], "trial"] = "Trial B"
    frame.loc[frame.index[frame.country == "NL"][:few], "trial"] = "Trial B"
    frame.loc[frame.index[frame.country == "FR"][:few], "trial"] = None
    frame["dx_period"] = "2000-2004"
    frame.loc[frame.index[:200], "dx_period"] = "2005-2009"
    frame.loc[frame.index[200 : 200 + few], "dx_period"] = "before-1990"
    return frame


def review(folder: Path, frame: pd.DataFrame, *, exact: bool = False, disease: str = "ALL") -> CoverageResult:
    make_store(folder / "store", dictionary=TWO_DISEASES, frame=frame)
    level, actor = (Level.EXACT, OPERATOR) if exact else (Level.PROTECTED, STEERING)
    return review_coverage(open_house(folder), actor, disease, level=level).value


def shape(result: CoverageResult) -> dict[str, object]:
    """Which cells there are, which of them are hidden, and which periods and countries a source is said to have."""
    cells = {name: {tuple(cell.labels.values()): cell.n is None for cell in getattr(result, name)}
             for name in ("by_country", "by_trial", "by_country_and_trial")}
    return {**cells, "sources": [(source.countries, source.dx_periods) for source in result.sources]}


@pytest.mark.parametrize("few", [1, 4, 9])
def test_a_cell_of_few_patients_looks_like_one_of_none(tmp_path: Path, few: int) -> None:
    nobody = review(tmp_path / "nobody", plant(0))
    assert shape(review(tmp_path / "few", plant(few))) == shape(nobody)
    cells = {tuple(cell.labels.values()): cell.n for cell in nobody.by_country_and_trial}
    assert set(cells) == {(country, trial) for country in ("DE", "FR", "NL") for trial in ("Trial A", "Trial B")}
    assert cells["NL", "Trial B"] is None
    assert cells["FR", "Trial A"] is None
    assert nobody.sources[0].dx_periods == ("2000-2004", "2005-2009")
    assert (NOT_STATED,) not in shape(nobody)["by_trial"]  # type: ignore[operator]


def test_what_enough_patients_have_is_told(tmp_path: Path) -> None:
    result = review(tmp_path, plant(40))
    cells = {tuple(cell.labels.values()): cell.n for cell in result.by_country_and_trial}
    assert abs((cells["NL", "Trial B"] or 0) - 40) <= 4
    assert abs((cells["FR", NOT_STATED] or 0) - 40) <= 4
    assert result.sources[0].dx_periods == ("before-1990", "2000-2004", "2005-2009")


def test_patients_without_a_trial_are_a_row_of_their_own_and_the_rows_add_up(tmp_path: Path) -> None:
    frame = plant(40)
    exact, shown = review(tmp_path / "exact", frame, exact=True), review(tmp_path / "shown", frame)
    for result in (exact, shown):
        assert {cell.labels["trial"] for cell in result.by_trial} == {"Trial A", "Trial B", NOT_STATED}
    assert {cell.labels["trial"]: cell.n for cell in exact.by_trial}[NOT_STATED] == 40
    assert sum(cell.n or 0 for cell in exact.by_trial) == sum(
        cell.n or 0 for cell in exact.by_country_and_trial) == exact.n == 600
    assert {cell.labels["trial"]: cell.n for cell in shown.by_trial}[NOT_STATED] in (40, 45)
    # Four roundings, each by less than a step.
    assert shown.n is not None and abs(sum(cell.n or 0 for cell in shown.by_trial) - shown.n) <= 4 * 4


@pytest.mark.parametrize("few", [0, 9])
def test_without_a_trial_is_a_cell_whether_or_not_anybody_is_unless_the_source_is_one_trial(
        tmp_path: Path, few: int) -> None:
    frame = plant(few)
    for trial, possible in (("", True), ("Trial A", False)):
        with new_snapshot(tmp_path / trial / "store", TWO_DISEASES, NOW, DISCLOSURE_KEY) as (writer, _):
            writer.add_source(make_record(frame, trial=trial), frame, no_issues())
        snapshot = open_house(tmp_path / trial).store.current()
        result = compute_coverage(snapshot, "ALL", KeyedCount(600, 1))
        without = {(cell.labels["country"], cell.labels["dx_period"]) for cell in result.atoms
                   if cell.labels["trial"] == NOT_STATED}
        assert (len(without) == 3 * (1 + len(snapshot.dictionary["dx_period"].values))) is possible
        assert (NOT_STATED in {cell.labels["trial"] for cell in result.by_trial}) is bool(few)
        told = release(result, Scope(Level.PROTECTED)).value
        assert NOT_STATED not in {cell.labels["trial"] for cell in (*told.by_trial, *told.by_country_and_trial)}


def test_exact_coverage_tells_everything(tmp_path: Path) -> None:
    result = review(tmp_path, plant(4), exact=True)
    cells = {tuple(cell.labels.values()): cell.n for cell in result.by_country_and_trial}
    assert (cells["NL", "Trial B"], cells["FR", "Trial A"], cells["FR", NOT_STATED]) == (4, 0, 4)
    assert "before-1990" in result.sources[0].dx_periods


def test_hidden_cells_stand_in_an_order_that_tells_nothing(tmp_path: Path) -> None:
    frame = plant(4)
    frame.loc[frame.index[frame.country == "FR"][10:17], "country"] = "SE"
    frame.loc[frame.index[frame.country == "FR"][30:32], "country"] = "BE"
    hidden = [cell.labels["country"] for cell in review(tmp_path, frame).by_country if cell.n is None]
    assert hidden == sorted(hidden) == ["BE", "SE"]


def test_a_country_takes_part_in_a_source_whatever_the_disease(tmp_path: Path) -> None:
    """Whether a country of the source has one patient with a rare disease or none looks the same."""
    shapes = []
    for few in (0, 3):
        frame = plant(0)
        frame.loc[frame.index[300:400], "disease"] = "AML"
        frame.loc[frame.index[(frame.disease == "AML") & (frame.country == "NL")][few:], "disease"] = "ALL"
        folder = tmp_path / str(few)
        shapes.append(shape(review(folder, frame, disease="AML")))
        info = describe_release(open_house(folder), STEERING)
        assert (info.diseases["AML"].countries, info.diseases["ALL"].countries) == (3, 3)
    assert shapes[0] == shapes[1]
    assert ("NL",) in shapes[0]["by_country"]  # type: ignore[operator]


def test_participation_names_countries_and_trials_of_a_source_with_the_disease(tmp_path: Path) -> None:
    snapshot = make_store(tmp_path, frame=plant(4))
    assert fetch_participation(snapshot, "ALL") == {"example": (("DE", "FR", "NL"), ("Trial A", "Trial B"))}
    assert fetch_participation(snapshot, "AML") == {}
