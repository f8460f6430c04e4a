"""Whatever stands in a cell comes back from a CSV file, and is never a formula."""

from __future__ import annotations

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmony_dash.export.cells import FORMULA_SIGNS, as_text, neutralise, plain
from harmony_dash.export.delimited import write_csv
from harmony_dash.export.summary import Column, Kind, Table

# Text as a spreadsheet meets it: signs that begin a formula are frequent.
TEXTS = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("=+-@\t\r\n'\"\x00\x1b")), max_size=40)
NUMBERS = st.one_of(st.integers(-10**9, 10**9), st.floats(), st.none())


@given(TEXTS)
def test_no_text_begins_like_a_formula_and_nothing_else_is_changed(text: str) -> None:
    safe = neutralise(text)
    assert not safe.startswith(FORMULA_SIGNS)
    assert neutralise(safe) == safe
    if text.isprintable() and not text.startswith(FORMULA_SIGNS):
        assert safe == text


@given(st.lists(st.tuples(TEXTS, NUMBERS), min_size=1, max_size=8))
def test_a_table_comes_back_from_its_csv_file(rows: list[tuple[str, float | None]]) -> None:
    table = Table("t", "T", (Column("text", Kind.TEXT, ""), Column("number", Kind.NUMBER, "")), tuple(rows))
    content = write_csv(table)
    header, *read = csv.reader(io.StringIO(content.decode(), newline=""))
    assert header == ["text", "number"]
    for (text, number), (text_read, number_read) in zip(rows, read, strict=True):
        assert text_read == neutralise(text)
        if number is None or not math.isfinite(number):
            assert number_read == ""
        else:
            assert float(number_read) == number


@given(st.one_of(TEXTS, NUMBERS))
def test_what_a_file_holds_is_text_or_a_finite_number(value: str | float | None) -> None:
    kept = plain(value)
    assert kept is None or isinstance(kept, str) or math.isfinite(kept)
    assert as_text(value) == ("" if kept is None else str(kept))


def test_a_row_that_does_not_fit_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of the table t"):
        Table("t", "T", (Column("a", Kind.TEXT, ""),), (("x", 1),))
