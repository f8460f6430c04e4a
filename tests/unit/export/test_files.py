"""What is in an export: every format, the same numbers, and where they come from."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re

import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest

from harmony_dash.disclosure.released import make_released, scope_without_protection
from harmony_dash.disclosure.results import Unapplied
from harmony_dash.errors import UserError
from harmony_dash.export.cells import FORMULA_SIGNS
from harmony_dash.export.columnar import PROVENANCE_KEY
from harmony_dash.export.files import Format, parse_formats
from harmony_dash.export.kinds import Looks, summarise
from harmony_dash.export.survival import conditions_not_applied
from tests.unit.charts.factories import Level, make_result, release_for_test
from tests.unit.export.samples import EVIL, OCCASION, contents, evil_sample, export, export_of_sample, sample, unzip

TABLES = ("groups", "estimates", "curves", "at_risk", "comparisons", "cohort")


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("result", [
    make_result(quarterly=True), make_result(quarterly=True).groups, None, "text"],
    ids=["a bare result", "groups", "nothing", "text"])
def test_only_released_results_are_written(result: object) -> None:
    with pytest.raises(TypeError, match="released"):
        summarise(result, Looks())  # type: ignore[arg-type]


class Synthetic:
    protection_may_be_off = True


@pytest.mark.parametrize("released", [
    release_for_test(make_result(), Level.EXACT), make_released(make_result(), scope_without_protection(Synthetic()))])
def test_results_that_are_not_protected_are_not_written(released: object) -> None:
    with pytest.raises(TypeError, match="protected"):
        summarise(released, Looks())  # type: ignore[arg-type]


def test_a_result_of_another_kind_says_that_it_has_no_form() -> None:
    with pytest.raises(TypeError, match="str has no form"):
        summarise(release_for_test("words", Level.PROTECTED), Looks())  # type: ignore[arg-type]


def test_the_archive_holds_all_other_files_in_one_folder() -> None:
    bundle = export_of_sample()
    assert unzip(bundle.archive.content) == {f"stem/{name}": content for name, content in contents(bundle).items()
                                             if name != "stem.zip"}
    assert {name.rpartition(".")[2] for name in contents(bundle)} == {*Format, "json", "py", "R", "zip"}


@pytest.mark.parametrize("form", Format)
def test_one_format_alone_comes_with_its_provenance_and_nothing_else(form: Format) -> None:
    names = {name.rpartition(".")[2] for name in contents(export(sample(), [form]))}
    assert names == {form.value, "json", "zip", *(("py", "R") if form is Format.CSV else ())}


def test_the_same_export_has_the_same_bytes() -> None:
    assert export(sample()) == export_of_sample()


def test_every_format_holds_the_same_numbers() -> None:
    files = contents(export_of_sample())
    book = openpyxl.load_workbook(io.BytesIO(files["tables.xlsx"]))
    for table in TABLES:
        written = rows_of(files[f"{table}.csv"])
        header, *sheet = list(book[table].iter_rows(values_only=True))
        frame = pq.read_table(io.BytesIO(files[f"{table}.parquet"])).to_pylist()
        assert list(header) == list(frame[0]) == list(written[0])
        assert len(sheet) == len(frame) == len(written)
        for line, cells, values in zip(written, sheet, frame, strict=True):
            for text, cell, value in zip(line.values(), cells, values.values(), strict=True):
                # openpyxl reads an empty text as nothing
                assert (cell or "") == (value or "") or cell == value
                assert (text == "" and not value) or text == value or float(text) == value


def test_the_curve_table_holds_the_released_curve_to_the_last_digit() -> None:
    released = sample()
    rows = rows_of(contents(export(released, [Format.CSV]))["curves.csv"])
    for group in released.value.groups:
        mine = [row for row in rows if row["group"] == group.name]
        for name in ("days", "estimate", "lower", "upper"):
            written = [float(row[name]) if row[name] else np.nan for row in mine]
            np.testing.assert_array_equal(written, getattr(group.curve, name))


def test_a_hidden_number_is_an_empty_field_and_a_withheld_group_says_why() -> None:
    files = contents(export(sample(), [Format.CSV]))
    withheld = rows_of(files["groups.csv"])[-1]
    assert (withheld["group"], withheld["patients"], withheld["withheld"]) == ("high risk", "", "few patients")
    hidden = [row for row in rows_of(files["cohort.csv"]) if row["kind"] == "not counted"][-1]
    assert (hidden["step"], hidden["removed"]) == ("cytogenetic risk group not recorded", "")


def test_competing_causes_come_with_their_incidences_and_without_a_median() -> None:
    files = contents(export(release_for_test(make_result(endpoint="relapse", quarterly=True), Level.PROTECTED),
                            [Format.CSV]))
    assert {row["curve"] for row in rows_of(files["curves.csv"])} == {"relapse", "death_in_cr", "smn", "event_free"}
    assert {row["rmst_days"] for row in rows_of(files["groups.csv"])} == {""}
    assert not any("restricted" in row["comparison"] for row in rows_of(files["comparisons.csv"]))


# ---------------------------------------------------------------------------------------------------- provenance


def test_the_provenance_says_what_who_when_of_what_and_how_protected() -> None:
    released = sample()
    document = json.loads(contents(export_of_sample())["provenance.json"])
    result, scope = released.value, released.scope
    assert document["receipt"] == OCCASION.receipt
    assert json.loads(document["question"]["canonical"]) == result.question.to_json()
    assert (document["question"]["words"], document["question"]["fingerprint"]) == (
        result.title, result.question.fingerprint)
    assert (document["snapshot"], document["synthetic"]) == (result.snapshot, True)
    assert [source["source"] for source in document["sources"]] == ["example"]
    assert document["protection"]["level"] == "protected"
    assert document["protection"]["parameters"]["minimum_cell"] == scope.rules.minimum_cell
    assert document["protection"]["conditions not applied"] == ["sex: Female: not applied"]
    assert document["protection"]["groups compared"] == list(result.compared) != []
    assert document["made"] == {"by": "stefan", "name": "Stefan Steer", "role": "steering",
                                "at": "2026-11-21T12:00:00+00:00"}
    assert document["software"]["version"] == "0.1.0"
    assert set(document["columns"]) == set(TABLES)


def test_the_checksum_of_the_data_is_that_of_the_tables_whatever_the_formats() -> None:
    bundle = export_of_sample()
    files = contents(bundle)
    whole = hashlib.sha256(b"".join(files[f"{table}.csv"] for table in TABLES)).hexdigest()
    document = json.loads(files["provenance.json"])
    assert bundle.data_sha256 == document["checksum"]["sha256"] == whole
    assert document["checksum"]["tables"] == {
        table: hashlib.sha256(files[f"{table}.csv"]).hexdigest() for table in TABLES}
    assert export(sample(), [Format.PNG]).data_sha256 == whole


def test_every_file_but_plain_tables_and_scripts_names_its_receipt() -> None:
    for name, content in contents(export_of_sample()).items():
        text = b"".join(unzip(content).values()) if name.endswith((".xlsx", ".zip")) else content
        named = OCCASION.receipt.encode() in text.replace(b"\0", b"")
        assert named is not name.endswith((".csv", ".py", ".R")), name


def test_parquet_keeps_the_provenance_and_what_each_column_means() -> None:
    files = contents(export_of_sample())
    schema = pq.read_schema(io.BytesIO(files["curves.parquet"]))
    assert json.loads(schema.metadata[PROVENANCE_KEY]) == json.loads(files["provenance.json"])
    assert all(schema.field(name).metadata[b"meaning"] for name in schema.names)


def test_the_workbook_has_the_provenance_on_a_sheet() -> None:
    book = openpyxl.load_workbook(io.BytesIO(contents(export_of_sample())["tables.xlsx"]))
    assert book.sheetnames == ["summary", *TABLES, "columns", "provenance"]
    lines = {row[0]: row[1] for row in book["provenance"].iter_rows(min_row=2, values_only=True)}
    assert lines["receipt"] == OCCASION.receipt
    assert json.loads(str(lines["as JSON"]))["receipt"] == OCCASION.receipt


def test_what_an_answer_differs_in_is_told_with_the_groups_it_is_about() -> None:
    result = sample(not_applied=(Unapplied("sex: Female", {}, "not applied"),
                                 Unapplied("rare", {}, "left out", ("high risk", "other")))).value
    told = conditions_not_applied(result.not_applied)
    assert told == ("sex: Female: not applied", "rare: left out in high risk, other")
    assert conditions_not_applied(()) == ()


# ------------------------------------------------------------------------------------------------------ no formula


def test_no_field_of_a_csv_file_is_a_formula_and_every_one_is_quoted() -> None:
    files = contents(export(evil_sample(), [Format.CSV]))
    for table in TABLES:
        text = files[f"{table}.csv"].decode()
        fields = [field for row in csv.reader(io.StringIO(text, newline="")) for field in row]
        assert not any(field.startswith(FORMULA_SIGNS) for field in fields if not is_number(field))
        assert all(line.startswith('"') and line.endswith('"') for line in text.removesuffix("\r\n").split("\r\n"))
    assert f"'{EVIL}" in [row["group"] for row in rows_of(files["groups.csv"])]


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", text) is not None


def test_no_cell_of_a_workbook_is_a_formula() -> None:
    content = contents(export(evil_sample()))["tables.xlsx"]
    for sheet in openpyxl.load_workbook(io.BytesIO(content)):
        for row in sheet.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)
            assert not any(str(cell.value).startswith(FORMULA_SIGNS) for cell in row if cell.data_type == "s")
    assert not any(b"<f>" in part for name, part in unzip(content).items() if name.startswith("xl/worksheets"))


# --------------------------------------------------------------------------------------------------------- formats


def test_formats_are_read_from_a_list() -> None:
    assert parse_formats(" CSV, png,csv ") == (Format.CSV, Format.PNG)


@pytest.mark.parametrize("text", ["", " , ", "docx", "csv,exe"])
def test_a_format_there_is_none_of_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="Choose from: html, xlsx"):
        parse_formats(text)
