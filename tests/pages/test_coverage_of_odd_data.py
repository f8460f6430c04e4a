"""What the coverage page says of a source of one patient, an unmapped country, an empty variable, two dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from harmony_dash.dictionary import Dictionary, load_dictionary
from harmony_dash.services import coverage
from harmony_dash.services.coverage import review_changes, review_coverage
from harmony_dash.store.writer import new_snapshot
from tests.disclosure.house import STEERING, open_house
from tests.factories import DISCLOSURE_KEY, NOW, make_patients, make_record, no_issues
from tests.pages.tables import tables_of
from tests.pages.test_survival_page import words_of

OpenPage = Callable[..., AppTest]
PLAIN = load_dictionary()
SMALLER = replace(PLAIN, version="smaller", variables=MappingProxyType(
    {name: one for name, one in PLAIN.variables.items() if name != "cna_erg"}))


def publish(folder: Path, frame: pd.DataFrame, dictionary: Dictionary = PLAIN, minutes: int = 0) -> None:
    with new_snapshot(folder / "store", dictionary, NOW + timedelta(minutes=minutes), DISCLOSURE_KEY) as (writer, _):
        for source, rows in frame.groupby("source"):
            writer.add_source(make_record(rows, str(source), title=f"Source {source}"), rows, no_issues())


@pytest.fixture
def open_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: OpenPage) -> OpenPage:
    """The coverage page over what is published in the test's folder."""
    def run(**query: str) -> AppTest:
        real = open_house(tmp_path)
        monkeypatch.setattr(coverage, "review_coverage", lambda *_, **__: review_coverage(real, STEERING, "ALL"))
        monkeypatch.setattr(coverage, "review_changes", lambda *_, **__: review_changes(real, STEERING, "ALL"))
        return open_page("coverage", **query)
    return run


def test_one_patient_is_too_few_for_every_number_of_the_source(tmp_path: Path, open_real: OpenPage) -> None:
    one = make_patients(1, seed=4, source="single").assign(country="IS", patient="alone")
    publish(tmp_path, pd.concat([make_patients(300, seed=3), one], ignore_index=True))
    page = open_real()
    for name in ("country", "completeness.recorded", "follow_up"):
        page.session_state[f"coverage.{name}.table"] = True
    page.run()
    assert not page.exception
    assert page.metric[0].value == "300"
    countries = next(table for table in tables_of(page) if "Country" in str(table.columns.tolist()))
    row = next(row for row in countries.to_dict("records") if "Iceland" in str(row) or "IS" in row.values())
    assert row["Patients"] == "hidden"


def test_a_country_without_outline_is_named_beside_the_map(tmp_path: Path, open_real: OpenPage) -> None:
    publish(tmp_path, make_patients(300, seed=3).assign(country=["DE", "FR", "AU"] * 100))
    page = open_real()
    assert not page.exception
    assert "Not on the map: " in words_of(page) and "100" in words_of(page).partition("Not on the map: ")[2][:40]


def test_a_variable_that_nobody_has_is_a_dash_and_no_share(tmp_path: Path, open_real: OpenPage) -> None:
    publish(tmp_path, make_patients(300, seed=3).assign(hb=None))
    page = open_real(variables="true")
    page.session_state["coverage.completeness.recorded.table"] = True
    page.run()
    assert not page.exception
    rows = [row for table in tables_of(page) for row in table.to_dict("records")
            if "Haemoglobin at diagnosis" in map(str, row.values())]
    assert rows and all("%" not in str(value) for row in rows for value in row.values())


def test_snapshots_of_two_dictionaries_are_compared_and_the_new_variable_is_named(
        tmp_path: Path, open_real: OpenPage) -> None:
    frame = make_patients(300, seed=3)
    publish(tmp_path, frame[:250], SMALLER)
    publish(tmp_path, frame, minutes=1)
    page = open_real()
    page.session_state["coverage.changes"] = True
    page.run()
    assert not page.exception
    assert f"New variables: {PLAIN['cna_erg'].label}." in words_of(page)
