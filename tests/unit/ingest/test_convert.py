from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harmony_dash.dictionary import load_dictionary
from harmony_dash.errors import SourceError
from harmony_dash.ingest.convert.field import convert
from harmony_dash.ingest.issues import Reason
from harmony_dash.ingest.manifest.model import FieldSpec

DICTIONARY = load_dictionary()


def run(name, cells, *, table=None, **spec):
    """Values per column (None for missing), and {reason: rows}."""
    table = pd.DataFrame({"c": cells, **(table or {})}, dtype=object)
    column = None if "constant" in spec else "c"
    converted = convert(name, FieldSpec(name, column=column, **spec), table, DICTIONARY)
    columns = {key: [None if pd.isna(value) else value for value in series]
               for key, series in converted.columns.items()}
    return columns, {problem.reason: np.flatnonzero(problem.rows).tolist() for problem in converted.problems}


@pytest.mark.parametrize(("name", "spec", "cells", "values", "problems"), [
    # categories
    ("sex", {"values": {"m": "M", "w": "F"}}, ["m", " w ", "M", ""], ["M", "F", None, None],
     {Reason.VALUE_UNKNOWN: [2]}),
    ("sex", {}, ["M", "F", "m", "x"], ["M", "F", None, None], {Reason.VALUE_UNKNOWN: [2, 3]}),
    ("sex", {"values": {"1": "M", "9": "F"}, "missing": frozenset({"", "9"})}, ["1", "9"], ["M", "F"], {}),
    ("sex", {"values": {"m": "M", "w": "wrong"}}, ["m", "w"], ["M", None], {Reason.VALUE_UNKNOWN: [1]}),
    ("death", {"transform": "yes_no", "language": "cs"}, ["ano", "ne", "Ne", "no"], ["yes", "no", "no", None],
     {Reason.VALUE_UNKNOWN: [3]}),
    ("death", {"transform": "yes_no"}, ["ja", "nein", "ne", "1"], ["yes", "no", None, None],
     {Reason.VALUE_UNKNOWN: [2, 3]}),
    ("subtype", {"transform": "subtype", "values": {"x1": "HeH"}}, ["x1", "TEL-AML1", "t(4;11)", "B-other", "NA"],
     ["HeH", "ETV6::RUNX1", "KMT2A-r", None, None], {Reason.VALUE_UNKNOWN: [3]}),
    ("etv6_runx1", {"transform": "marker"}, ["positiv", "neg", "nicht durchgeführt", "n.d."],
     ["pos", "neg", "not_done", None], {Reason.VALUE_UNKNOWN: [3]}),
    ("cna_ikzf1", {"transform": "deletion"}, ["Deletion", "wt", "failed", "?"], ["del", "nodel", "failed", None],
     {Reason.VALUE_UNKNOWN: [3]}),
    ("mut_nras", {"transform": "marker"}, ["pos"], [None], {Reason.VALUE_UNKNOWN: [0]}),
    ("disease", {}, ["ALL", "XYZ"], ["ALL", None], {Reason.VALUE_UNKNOWN: [1]}),
    ("trial", {}, [" Trial A ", "x" * 65, "a\nb", ""], ["Trial A", None, None, None], {Reason.TYPE: [1, 2]}),
    ("trial", {"values": {"1": "Trial A"}}, ["1", "2"], ["Trial A", None], {Reason.VALUE_UNKNOWN: [1]}),
    # numbers
    ("wbc_dx", {"unit": "/uL"}, ["50000", "11800", "x", "-9", "2000000"], [50.0, 11.8, None, None, None],
     {Reason.NUMBER_INVALID: [2], Reason.RANGE: [3, 4]}),
    ("wbc_dx", {"unit": "G/L", "missing": frozenset({"", "-9"})}, ["-9", "0", "1500", "<1"], [None, 0.0, 1500.0, None],
     {Reason.NUMBER_INVALID: [3]}),
    ("wbc_dx", {"unit": "G/L", "decimal": ","}, ["1,5", "1.5"], [1.5, None], {Reason.NUMBER_INVALID: [1]}),
    ("age_dx_years", {"unit": "months"}, ["120", "119"], [10.0, 119 / 12], {}),
    ("dna_index", {}, ["1.16", "3"], [1.16, None], {Reason.RANGE: [1]}),
    ("modal_chr", {}, ["46", "46.0", "46.5", "54~58", "22"], [46, 46, None, None, None],
     {Reason.TYPE: [2], Reason.NUMBER_INVALID: [3], Reason.RANGE: [4]}),
    ("dx_year", {"values": {"a": "2001", "b": "2002"}}, ["a", "b", "c"], [2001, 2002, None],
     {Reason.VALUE_UNKNOWN: [2]}),
    # days
    ("last_contact_days", {"unit": "months"}, ["60", "8", "0.5"], [1826, 244, 15], {}),
    ("last_contact_days", {}, ["60", "60.5", "-1"], [60, None, None], {Reason.TYPE: [1], Reason.RANGE: [2]}),
    ("last_contact_days", {"transform": "round_days"}, ["60.5", "60.4"], [61, 60], {}),
])
def test_cells_become_values_of_the_dictionary_or_problems(name, spec, cells, values, problems):
    columns, found = run(name, cells, **{"missing": frozenset({"", "NA"}), **spec})
    assert columns == {name: values}
    assert found == problems


def test_columns_have_the_types_of_their_variables():
    table = pd.DataFrame({"c": ["1"]}, index=[5], dtype=object)
    for name, kind in (("dna_index", "Float64"), ("cr_days", "Int64"), ("modal_chr", "Int64"), ("trial", "object")):
        converted = convert(name, FieldSpec(name, column="c"), table, DICTIONARY).columns[name]
        assert str(converted.dtype) == kind
        assert converted.index.tolist() == [5]


def test_days_between_dates_need_both_dates():
    columns, problems = run("cr_days", ["03.02.2001", "30.02.2001", "03.02.2001", "", "03.02.2001", "31.12.2000"],
                            table={"dx": ["01.01.2001"] * 2 + ["", "", "x", "01.01.2001"]}, transform="days_between",
                            from_column="dx", date_format="%d.%m.%Y")
    assert columns == {"cr_days": [33, None, None, None, None, None]}
    assert problems == {Reason.DATE_INVALID: [2], Reason.RANGE: [5]}  # the last of three findings on dates
    table = pd.DataFrame({"c": ["30.02.2001", "03.02.2001", "03.02.2001"], "dx": ["01.01.2001", "x", ""]}, dtype=object)
    spec = FieldSpec("cr_days", column="c", from_column="dx", transform="days_between", date_format="%d.%m.%Y")
    found = convert("cr_days", spec, table, DICTIONARY).problems
    assert [(problem.column, np.flatnonzero(problem.rows).tolist()) for problem in found] == [
        ("c", [0]), ("dx", [1]), ("c", [2])]


@pytest.mark.parametrize(("date_format", "cell"), [("%d.%m.%Y", "31.12.1999"), ("excel", "36525"),
                                                   ("native", "1999-12-31")])
def test_the_year_of_a_date_is_taken_in_every_declared_format(date_format, cell):
    assert run("dx_year", [cell, ""], transform="year_of", date_format=date_format)[0] == {"dx_year": [1999, None]}


def test_days_are_capped_in_the_unit_of_the_field():
    columns, problems = run("last_contact_days", ["12", "24", "x", "12"], table={"cut": ["24", "12", "12", ""]},
                            transform="capped", at_column="cut", unit="months")
    assert columns == {"last_contact_days": [365, 365, None, 365]}
    assert problems == {Reason.NUMBER_INVALID: [2]}


@pytest.mark.parametrize(("name", "spec", "value"), [
    ("country", {"constant": "NO"}, "NO"), ("trial", {"constant": "NA"}, "NA"), ("dna_index", {"constant": "1.5"}, 1.5),
    ("wbc_dx", {"constant": "5000", "unit": "/uL"}, 5.0), ("cr_days", {"constant": "33"}, 33),
])
def test_a_constant_fills_every_row_and_is_never_a_missing_token(name, spec, value):
    columns, problems = run(name, ["", ""], decimal=",", missing=frozenset({"", "NA"}), **spec)
    assert columns == {name: [value, value]}
    assert problems == {}


def test_mrd_fills_all_parts_of_its_composite():
    columns, problems = run(
        "mrd_eoi", ["0,01", "neg", "<0,01", "nd", "miss", "500", "PNQ", "k.M.", "0,5"],
        table={"lod": ["1E-05"] * 8 + ["2"], "day": ["33", "34", "", "33", "33", "33", "33", "33", "x"],
               "how": ["PCR", "FCM", "", "PCR", "PCR", "PCR", "PCR", "PCR", "?"]},
        transform="mrd", unit="percent", decimal=",", lod_column="lod", loq=1e-4, day_column="day", method_column="how",
        method_values={"PCR": "igtr_qpcr", "FCM": "flow"}, below_limit="pos_below_qr", not_done=("nd",),
        failed=("k.M.",), missing=frozenset({"", "miss"}))
    assert columns == {
        "mrd_eoi_value": [1e-4, 0.0, None, None, None, None, None, None, 0.005],
        "mrd_eoi_op": ["=", "=", "<", None, None, None, None, None, "="],
        "mrd_eoi_status": ["quantified", "undetectable", "pos_below_qr", "not_done", None, None, "pos_below_qr",
                           "failed", "quantified"],
        "mrd_eoi_lod": [1e-5, 1e-5, 1e-5, None, None, None, 1e-5, None, None],
        "mrd_eoi_loq": [1e-4, 1e-4, 1e-4, None, None, None, 1e-4, None, 1e-4],
        "mrd_eoi_method": ["igtr_qpcr", "flow", None, None, None, None, "igtr_qpcr", "igtr_qpcr", None],
        "mrd_eoi_day": [33, 34, None, None, None, None, 33, 33, None],
    }
    assert problems == {Reason.RANGE: [5], Reason.NUMBER_INVALID: [8], Reason.VALUE_UNKNOWN: [8]}


def test_words_declared_for_mrd_beat_the_missing_tokens_of_the_source_but_default_words_do_not():
    columns, _ = run("mrd_eoi", ["NA", "0"], transform="mrd", unit="percent", lod=1e-4, not_done=("NA",),
                     missing=frozenset({"", "NA", "0"}))
    assert columns["mrd_eoi_status"] == ["not_done", None]


@pytest.mark.parametrize(("name", "spec", "words"), [
    ("wbc_dx", {}, "unit"), ("wbc_dx", {"unit": "stones"}, "stones"), ("mrd_eoi", {"transform": "mrd"}, "unit"),
    ("cr_days", {"unit": "hours"}, "hours"), ("dx_year", {"transform": "year_of"}, "format"),
    ("cr_days", {"transform": "days_between", "date_format": "excel"}, "from"),
    ("cr_days", {"transform": "capped"}, "at"),
    ("sex", {"transform": "capped"}, "capped"), ("cr_days", {"transform": "marker"}, "marker"),
    ("cr_days", {"transform": "capped", "at_column": "gone"}, "gone"),
])
def test_a_declaration_that_cannot_be_carried_out_refuses_the_source(name, spec, words):
    with pytest.raises(SourceError, match=words):
        run(name, ["1"], **spec)


def test_a_column_that_does_not_exist_refuses_the_source():
    with pytest.raises(SourceError, match="gone"):
        convert("sex", FieldSpec("sex", column="gone"), pd.DataFrame({"c": ["M"]}), DICTIONARY)


@pytest.mark.parametrize("name", ["sex", "trial", "wbc_dx", "cr_days", "mrd_eoi", "modal_chr", "subtype", "dx_year"])
def test_no_message_repeats_a_value_of_a_patient(name):
    specs = {"wbc_dx": {"unit": "G/L"}, "mrd_eoi": {"transform": "mrd", "unit": "percent"}, "subtype":
             {"transform": "subtype"}, "dx_year": {"transform": "year_of", "date_format": "%d.%m.%Y"}}
    table = pd.DataFrame({"c": ["secret4711" * 10, "471147114711", "-4711.4711"]}, dtype=object)
    spec = FieldSpec(name, column="c", **specs.get(name, {}))
    problems = convert(name, spec, table, DICTIONARY).problems
    assert problems
    assert not any("4711" in problem.message or "secret" in problem.message for problem in problems)


def test_a_table_without_rows_converts_to_columns_without_rows():
    for name, spec in (("sex", {}), ("wbc_dx", {"unit": "G/L"}), ("mrd_eoi", {"transform": "mrd", "unit": "percent"}),
                       ("dx_year", {"transform": "year_of", "date_format": "%Y"})):
        columns, problems = run(name, [], **spec)
        assert all(values == [] for values in columns.values())
        assert problems == {}
