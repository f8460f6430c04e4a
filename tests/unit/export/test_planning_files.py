"""Files of the Coverage page: the numbers that the page has, and no others."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.cohort.question import Question
from harmony_dash.disclosure.coverage_results import Completeness, Status, StatusShare
from harmony_dash.disclosure.feasibility_results import CountryCount
from harmony_dash.disclosure.released import Level
from harmony_dash.export.files import Format, write_files
from harmony_dash.export.kinds import Looks, summarise
from harmony_dash.export.summary import Kind, Table
from tests.unit.charts.factories import make_coverage, release_for_test
from tests.unit.charts.feasibility import make_feasibility
from tests.unit.export.samples import OCCASION

MAKERS: dict[str, Callable[[], Any]] = {
    "coverage": make_coverage, "empty coverage": lambda: make_coverage(empty=True),
    "feasibility": lambda: make_feasibility(Question("ALL", "os", horizon_days=1826))}


def tables_of(result: Any) -> dict[str, Table]:
    return {table.name: table for table in summarise(release_for_test(result, Level.PROTECTED), Looks()).tables}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_every_format_is_written_and_the_csv_is_the_table(make: Callable[[], Any]) -> None:
    released = release_for_test(make(), Level.PROTECTED)
    bundle = write_files(released, OCCASION, [Format.HTML, Format.XLSX, Format.CSV], Looks(), stem="stem")
    files = {file.name: file.content for file in bundle.files}
    assert {"report.html", "tables.xlsx", "provenance.json", "stem.zip"} <= files.keys()
    for table in summarise(released, Looks()).tables:
        header, *rows = csv.reader(io.StringIO(files[f"{table.name}.csv"].decode(), newline=""))
        assert header == [column.name for column in table.columns]
        assert rows == [["" if cell is None else str(cell) for cell in row] for row in table.rows]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_exact_results_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match="protected"):
        summarise(release_for_test(make(), Level.EXACT), Looks())


def test_coverage_has_the_counts_of_the_page_and_nothing_where_one_is_hidden() -> None:
    result = make_coverage()
    tables = tables_of(result)
    assert {row[0]: row[-1] for row in tables["countries"].rows} == {
        cell.labels["country"]: cell.n for cell in result.by_country}
    assert None in {row[-1] for row in tables["countries"].rows}
    assert sorted(row[-1] or 0 for row in tables["trials"].rows) == sorted(cell.n or 0 for cell in result.by_trial)
    assert len(tables["country_cells"].rows) == len(result.by_country_and_trial) + len(
        result.table("country", "age_group"))
    assert ("age_group", "1-9", "1–9 years", 3000) in tables["values"].rows


@given(st.floats(0, 1), st.booleans())
def test_a_share_is_no_finer_than_on_the_page(share: float, least: bool) -> None:
    one = Completeness("de", "sex", "Sex", share, least, (StatusShare(Status.UNKNOWN, share),))
    rows = tables_of(replace(make_coverage(), completeness=(one,)))["completeness"].rows
    assert [row[3:] for row in rows] == [("recorded", round(share, 2), "at least" if least else ""),
                                         ("unknown", round(share, 2), "")]


def test_what_is_not_supplied_says_so() -> None:
    one = Completeness("de", "sex", "Sex", None, supplied=False)
    assert tables_of(replace(make_coverage(), completeness=(one,)))["completeness"].rows == (
        ("de", "sex", "Sex", "recorded", None, "not supplied"),)


def test_a_country_without_an_answer_has_no_number() -> None:
    result = replace(make_feasibility(Question("ALL", "os")), by_country=(
        CountryCount("DE", 100), CountryCount("FR", 40, differs=True), CountryCount("IT", None, answered=False),
        CountryCount("ES", None)))
    rows = tables_of(result)["countries"].rows
    assert rows == (("DE", 100, ""), ("FR", 40, "answers a slightly different question"), ("IT", None, "no answer"),
                    ("ES", None, ""))


def test_feasibility_writes_counts_of_patients_and_no_outcome() -> None:
    tables = tables_of(make_feasibility(Question("ALL", "os", horizon_days=1826)))
    kinds = {column.kind for table in tables.values() for column in table.columns}
    assert kinds == {Kind.TEXT, Kind.COUNT}
    assert not {column.name for table in tables.values() for column in table.columns} & {"events", "deaths", "estimate"}
