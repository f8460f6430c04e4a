"""What a cohort filter means, as a table: the same ids from DuckDB and from a plain reading of the rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harmony_dash.cohort import AnyOf, Between, Filter, Missing, Not, OneOf, Question
from harmony_dash.cohort.parse import parse_filter
from harmony_dash.store.conditions import Statement
from harmony_dash.store.reader import Snapshot
from tests.factories import make_patients, make_store

ROWS = pd.DataFrame({
    "patient": ["1", "2", "3", "4", "5", "6"],
    "age_dx_years": [1.0, 9.9, 10.0, None, 40.0, 0.5],
    "sex": ["F", "M", None, "F", "M", "F"],
    "subtype": ["ETV6::RUNX1", "HeH", None, "B-other (tested)", "KMT2A-r", "KMT2A-r"],
})

MEANINGS = [
    # filter                          patients kept
    ("sex=F", "146"),
    ("sex!=F", "25"),                 # not knowing the sex is not being male
    ("sex=F,M", "12456"),
    ("sex=?", "3"),
    ("sex!=?", "12456"),
    ("age_dx_years=1..10", "123"),    # both ends included
    ("age_dx_years=1..<10", "12"),    # upper end excluded
    ("age_dx_years=..1", "16"),
    ("age_dx_years=10..", "35"),
    ("age_dx_years!=1..<10", "356"),  # a missing age is in neither
    ("age_dx_years=?", "4"),
    ("subtype=KMT2A-r,HeH", "256"),
    ("subtype!=KMT2A-r", "124"),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    frame = make_patients(6).drop(columns=["age_dx_years", "sex"]).assign(**ROWS.to_dict("list"))
    return make_store(tmp_path_factory.mktemp("store"), frame=frame)


def kept(snapshot: Snapshot, *filters: Filter) -> str:
    statement = Statement(Question("ALL", "efs", filters), snapshot.dictionary)
    rows = snapshot.fetch_rows(f"SELECT patient FROM patient WHERE {statement.cohort()} ORDER BY patient",
                               statement.parameters)
    return "".join(row[0] for row in rows)


@pytest.mark.parametrize(("text", "expected"), MEANINGS)
def test_a_filter_keeps_the_patients_it_is_known_to_hold_for(snapshot: Snapshot, text: str, expected: str) -> None:
    assert kept(snapshot, parse_filter(text)) == expected


def test_filters_of_a_question_all_hold(snapshot: Snapshot) -> None:
    assert kept(snapshot, parse_filter("sex=F"), parse_filter("age_dx_years=..<10")) == "16"


def test_alternatives_hold_if_one_does_even_if_the_other_is_not_known(snapshot: Snapshot) -> None:
    assert kept(snapshot, AnyOf((parse_filter("sex=M"), parse_filter("age_dx_years=10..")))) == "235"


def holds(item: Filter, row: dict[str, Any]) -> bool | None:
    """The plain reading: true, false, or not known."""
    match item:
        case OneOf(name, values):
            return None if row[name] is None else row[name] in values
        case Between(name, lower, upper, included):
            value = row[name]
            if value is None:
                return None
            return (lower is None or value >= lower) and (
                upper is None or (value <= upper if included else value < upper))
        case Missing(name):
            return row[name] is None
        case Not(inner):
            answer = holds(inner, row)
            return None if answer is None else not answer
        case AnyOf(parts):
            answers = [holds(part, row) for part in parts]
            return True if True in answers else None if None in answers else False


_leaves: st.SearchStrategy[Filter] = st.sampled_from([parse_filter(text) for text, _ in MEANINGS])
_filters: st.SearchStrategy[Filter] = st.recursive(
    _leaves, lambda inner: st.builds(Not, inner) | st.builds(
        lambda parts: AnyOf(tuple(parts)), st.lists(inner, min_size=1, max_size=3)), max_leaves=5)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(filters=st.lists(_filters, max_size=3))
def test_sql_and_the_plain_reading_agree(snapshot: Snapshot, filters: list[Filter]) -> None:
    rows = ROWS.astype(object).where(ROWS.notna(), None).to_dict("records")
    expected = "".join(row["patient"] for row in rows if all(holds(item, row) is True for item in filters))
    assert kept(snapshot, *filters) == expected
