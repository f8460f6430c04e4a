"""Files as they arrive: what is read, and what is refused with file, line and remedy."""

from __future__ import annotations

import csv
import time
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from defusedxml.common import EntitiesForbidden

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers import xlsx_file
from harmony_dash.ingest.readers.limits import MAX_LINE_CHARACTERS
from harmony_dash.ingest.readers.read import read_table
from harmony_dash.ingest.readers.table import RawTable


def read_bytes(folder: Path, raw: bytes, **spec: object) -> RawTable:
    (folder / "a.csv").write_bytes(raw)
    return read_table(folder / "a.csv", FileSpec("a.csv", "csv", "id", **spec))


def refuse_bytes(folder: Path, raw: bytes, **spec: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_bytes(folder, raw, **spec)
    assert caught.value.where.startswith("a.csv")
    assert caught.value.remedy
    return caught.value


def cells(table: RawTable) -> list[list[str]]:
    return table.frame.to_numpy().tolist()


# -- CSV: read --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool) -> None:
    table = read_bytes(tmp_path, (end.join(["id,x", "1,a", "2, b "]) + (end if last else "")).encode())
    assert cells(table) == [["1", "a"], ["2", "b"]]
    assert table.row_numbers.tolist() == [2, 3]


def test_rows_are_numbered_by_the_line_they_start_on(tmp_path: Path) -> None:
    table = read_bytes(tmp_path, b'id,x\n1,"a\nb"\n\n2,c\n')
    assert cells(table) == [["1", "a\nb"], ["2", "c"]]
    assert table.row_numbers.tolist() == [2, 5]


def test_several_header_rows_and_rows_above(tmp_path: Path) -> None:
    table = read_bytes(tmp_path, b"export of today\n;MRD;MRD\nid;Tag 33;Tag 78\n1;a;b\n", delimiter=";", skip_rows=1,
                       header_rows=2)
    assert table.columns == ["id", "MRD Tag 33", "MRD Tag 78"]
    assert table.row_numbers.tolist() == [4]


@pytest.mark.parametrize(("encoding", "raw"), [
    ("utf-8", "id,ü\n1,é\n".encode()), ("utf-8", "id,ü\n1,é\n".encode("utf-8-sig")),
    ("cp1252", "id,ü\n1,é\n".encode("cp1252")), ("iso8859-1", "id,ü\n1,é\n".encode("latin-1")),
    ("utf-16", "id,ü\n1,é\n".encode("utf-16")), ("cp1250", "id,ü\n1,é\n".encode("cp1250"))])
def test_encodings(tmp_path: Path, encoding: str, raw: bytes) -> None:
    table = read_bytes(tmp_path, raw, encoding=encoding)
    assert (table.columns, cells(table)) == (["id", "ü"], [["1", "é"]])


def test_no_record_is_lost_in_chunks(tmp_path: Path) -> None:
    table = read_bytes(tmp_path, b"id,x\n" + b"".join(b"%d,a\n" % n for n in range(50_001)))
    assert table.frame["id"].tolist() == [str(n) for n in range(50_001)]
    assert table.row_numbers.tolist() == list(range(2, 50_003))


# -- CSV: refused -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("raw", "place", "problem"), [
    (b"", "a.csv", "is empty"),
    (b" \n\n", "a.csv", "is empty"),
    (b"\xef\xbb\xbf", "a.csv, line 1", "header is missing"),
    (b"id,x\n", "a.csv", "header but no records"),
    (b"id;x;y\n1;a;b\n2;c;d\n", "a.csv, line 1", "separated by a semicolon, not by a comma"),
    (b"id\tx\n1\ta\n", "a.csv, line 1", "separated by a tab"),
    (b"id,x,x\n1,a,b\n", "a.csv, line 1", "columns 2 and 3 have the same name"),
    (b"id,,x\n1,a,b\n", "a.csv, line 1", "column 2 of 3 has no name"),
    (b"p1,5.3,a\np2,4,b\n", "a.csv, line 1", "header looks like data"),
    (b"p1,12.03.2004,a\np2,13.03.2004,b\n", "a.csv, line 1", "header looks like data"),
    (b"id,x\n1,a\n2,b,c\n3,d\n", "a.csv, line 3", "the line has 3 cells, the header has 2"),
    (b"id,x\n1\n2,b\n", "a.csv, line 2", "the line has 1 cells, the header has 2"),
    (b"id,x\n1,a,\n2,b,\n", "a.csv, line 2", "(2 lines are like this)"),
    (b"id,x\n1,a\n2,b\x00\n", "a.csv, line 3", "NUL bytes"),
    (b"id,x\n1,a\n2,\xfc\n", "a.csv, line 3", "is not utf-8"),
    (b"id,x,y\n1,a,b\n2,b", "a.csv, line 3", "the last record is truncated: it has 2 of 3 cells"),
    (b'id,x\n1,a\n2,"b', "a.csv, line 3", "never closed, so the last record is truncated"),
    (b'id,x\n1,a\n2,"b"c\n', "a.csv, line 3", "text follows a closing quote"),
    (b"PK\x03\x04abc", "a.csv", "not a CSV file"),
    ("id,x\n1,ü\n".encode("utf-16"), "a.csv", "is UTF-16, not utf-8"),
])
def test_what_is_refused(tmp_path: Path, raw: bytes, place: str, problem: str) -> None:
    error = refuse_bytes(tmp_path, raw)
    assert problem in error.problem
    assert error.where == place


def test_utf_8_declared_as_something_else(tmp_path: Path) -> None:
    error = refuse_bytes(tmp_path, "id,x\n1,a\n2,ü\n".encode(), encoding="cp1252")
    assert (error.where, error.problem) == ("a.csv, line 3", "the line is UTF-8, not cp1252")
    assert "cp1252" in refuse_bytes(tmp_path, b"id,x\n1,\x80\xfc\n", encoding="iso8859-1").remedy


def test_a_cell_of_ten_megabytes(tmp_path: Path) -> None:
    error = refuse_bytes(tmp_path, b"id,x\n1," + b"a" * 10_000_000 + b"\n")
    assert (error.where, "characters" in error.problem) == ("a.csv, line 2", True)
    limit = csv.field_size_limit()
    error = refuse_bytes(tmp_path, b'id,x\n1,"' + b"a\n" * 5_000_000 + b'"\n')
    assert (error.where, "too long" in error.problem) == ("a.csv, line 2", True)
    assert csv.field_size_limit() == limit
    read_bytes(tmp_path, b"id,x\n1," + b"a" * (MAX_LINE_CHARACTERS - 10) + b"\n")


def test_a_number_may_be_a_declared_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,2004\n1,a\n")
    table = read_table(tmp_path / "a.csv", FileSpec("a.csv", "csv", "id"), {"2004"})
    assert table.columns == ["id", "2004"]


def test_no_value_of_a_patient_in_the_refusal(tmp_path: Path) -> None:
    assert "Schmidt" not in refuse_bytes(tmp_path, b"Schmidt,5.3,a\nMeyer,4,b\n").message


# -- XLSX -------------------------------------------------------------------------------------------------------------

def write_book(path: Path, rows: list[list[object]], title: str = "Sheet", merge: str = "") -> FileSpec:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    book.save(path)
    return FileSpec(path.name, "xlsx", "id")


def test_native_cells_of_a_workbook(tmp_path: Path) -> None:
    spec = write_book(tmp_path / "a.xlsx", [
        ["id", "number", "date", "text"], [1, 0.1 + 0.2, date(2004, 3, 12), " a "],
        [2, 5.0, datetime(2004, 3, 12, 8, 30), None], [None, None, None, None], [3, 1e-5, None, "=1+1"]])
    table = read_table(tmp_path / "a.xlsx", spec)
    assert cells(table) == [["1", "0.3", "2004-03-12", "a"], ["2", "5", "2004-03-12T08:30:00", ""],
                            ["3", "1e-05", "", "=1+1"]]
    assert table.row_numbers.tolist() == [2, 3, 5]


def test_merged_header_rows(tmp_path: Path) -> None:
    spec = write_book(tmp_path / "a.xlsx", [["", "MRD", None, ""], ["id", "Tag 33", "Tag 78", "sex"], [1, 2, 3, "m"]],
                      merge="B1:C1")
    table = read_table(tmp_path / "a.xlsx", FileSpec(spec.path, "xlsx", "id", header_rows=2))
    assert table.columns == ["id", "MRD Tag 33", "MRD Tag 78", "sex"]


@pytest.mark.parametrize(("rows", "place", "problem"), [
    ([["id", "x"]], "a.xlsx", "header but no records"),
    ([["id", "id"], [1, 2]], "a.xlsx, row 1", "same name"),
    ([["id", None, "x"], [1, 2, 3]], "a.xlsx, row 1", "column 2 of 3 has no name"),
    ([["id", "x"], [1, 2], [1, 2, 3]], "a.xlsx, row 3, column C", "column without a name"),
    ([["p1", 4.5], ["p2", 3.5]], "a.xlsx, row 1", "header looks like data"),
])
def test_workbooks_that_are_refused(tmp_path: Path, rows: list[list[object]], place: str, problem: str) -> None:
    spec = write_book(tmp_path / "a.xlsx", rows)
    with pytest.raises(SourceError) as caught:
        read_table(tmp_path / "a.xlsx", spec)
    assert problem in caught.value.problem
    assert caught.value.where == place


def test_a_sheet_that_does_not_exist(tmp_path: Path) -> None:
    write_book(tmp_path / "a.xlsx", [["id"], [1]], title="Patienten")
    with pytest.raises(SourceError, match="The sheets are: Patienten"):
        read_table(tmp_path / "a.xlsx", FileSpec("a.xlsx", "xlsx", "id", sheet="Patient"))


@pytest.mark.parametrize("damage", ["text", "cut", "flip", "xls"])
def test_damaged_workbooks(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.xlsx"
    spec = write_book(path, [["id", "x"], *[[n, n * 1.5] for n in range(200)]])
    raw = path.read_bytes()
    path.write_bytes({"text": b"id,x\n1,2\n", "cut": raw[: len(raw) // 2],
                      "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9,
                      "flip": raw[:300] + bytes(byte ^ 255 for byte in raw[300:900]) + raw[900:]}[damage])
    with pytest.raises(SourceError) as caught:
        read_table(path, spec)
    assert caught.value.where == "a.xlsx"
    assert caught.value.remedy


def test_a_workbook_that_unfolds_to_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    spec = write_book(path, [["id"], [1]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb.bin", b"\0" * 50_000_000)
    with pytest.raises(SourceError, match="unfolds to"):
        read_table(path, spec)


def test_a_workbook_with_entities(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    with pytest.raises(SourceError, match="document type"):
        read_table(path, FileSpec("a.xlsx", "xlsx", "id"))


LONG_REMARK = f"<!--{100_000 * 'x'}-->"
TYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/sheet.bin", "[Content_Types].xml"])
@pytest.mark.parametrize(("text", "encoding"), [
    (f'<?xml version="1.0"?>{LONG_REMARK}{TYPE}<a>&b;</a>', "utf-8"),
    (f'<?xml version="1.0" encoding="UTF-16"?>{TYPE}<a>&b;</a>', "utf-16"),
    (f'<?xml version="1.0" encoding="UTF-16"?>{LONG_REMARK}{TYPE}<a/>', "utf-16"),
    ('<?xml version="1.0"?><!DOCTYPE a><a/>', "utf-8"),
    ('<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "utf-8-sig"),
], ids=["late", "utf-16", "late utf-16", "bare", "external"])
def test_a_document_type_is_found_wherever_it_hides(tmp_path: Path, name: str, text: str, encoding: str) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text.encode(encoding))
    with pytest.raises(SourceError, match="document type"):
        read_table(path, FileSpec("a.xlsx", "xlsx", "id"))


def test_a_part_that_begins_with_endless_remarks(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", 20 * LONG_REMARK + "<a/>")
    with pytest.raises(SourceError, match="long remarks"):
        read_table(path, FileSpec("a.xlsx", "xlsx", "id"))


def test_openpyxl_itself_reads_no_entities() -> None:
    assert openpyxl.DEFUSEDXML
    with pytest.raises(EntitiesForbidden):
        openpyxl.xml.functions.fromstring(f"{TYPE}<a>&b;</a>")


def test_parts_that_are_not_xml_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    spec = write_book(path, [["id", "x"], [1, 2]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/image1.png", b"\x89PNG" + bytes(range(256)) * 100)
        archive.writestr("xl/media/empty.bin", b"")
    assert cells(read_table(path, spec)) == [["1", "2"]]


def write_rows(path: Path, rows: str) -> FileSpec:
    """A workbook whose sheet holds these rows as they are written."""
    spec = write_book(path, [["id"], [1]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    before, rest = sheet.split("<sheetData>")
    parts["xl/worksheets/sheet1.xml"] = f"{before}<sheetData>{rows}</sheetData>{rest.split('</sheetData>')[1]}".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return spec


def write_row(number: int, value: str) -> str:
    return f'<row r="{number}"><c r="A{number}" t="inlineStr"><is><t>{value}</t></is></c></row>'


@pytest.mark.parametrize("skipped", [0, 500_000])
def test_a_row_far_below_the_table(tmp_path: Path, skipped: int) -> None:
    write_rows(tmp_path / "a.xlsx", write_row(1, "id") + write_row(2, "p1") + write_row(999_999_999, "p2"))
    start = time.process_time()
    with pytest.raises(SourceError, match="10,000 empty rows") as caught:
        read_table(tmp_path / "a.xlsx", FileSpec("a.xlsx", "xlsx", "id", skip_rows=skipped))
    assert caught.value.where == "a.xlsx, row 10002"
    assert time.process_time() - start < 5


def test_more_rows_than_a_sheet_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "MAX_SHEET_ROWS", 3)
    spec = write_book(tmp_path / "a.xlsx", [["id"], [1], [2]])
    assert len(read_table(tmp_path / "a.xlsx", spec)) == 2
    write_book(tmp_path / "a.xlsx", [["id"], [1], [2], [3]])
    with pytest.raises(SourceError, match="more than 3 rows"):
        read_table(tmp_path / "a.xlsx", spec)


def test_a_gap_in_the_table_is_no_attack(tmp_path: Path) -> None:
    spec = write_rows(tmp_path / "a.xlsx", write_row(1, "id") + write_row(2, "p1") + write_row(9_000, "p2"))
    assert read_table(tmp_path / "a.xlsx", spec).row_numbers.tolist() == [2, 9_000]


# -- Parquet ----------------------------------------------------------------------------------------------------------

def test_native_columns_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({
        "id": pa.array([1, 2, 3]), "text": pa.array([" a", None, "b"]).dictionary_encode(),
        "number": pa.array([0.1 + 0.2, float("nan"), 5.0]), "single": pa.array([0.1, 2.5, None], pa.float32()),
        "date": pa.array([date(2004, 3, 12), None, date(2005, 1, 1)]),
        "moment": pa.array([datetime(2004, 3, 12), None, datetime(2005, 1, 1, 8)]),
        "exact": pa.array([Decimal("1.50"), None, Decimal("2.00")]), "flag": pa.array([True, None, False]),
    }), tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet", FileSpec("a.parquet", "parquet", "id"))
    assert cells(table) == [
        ["1", "a", "0.3", "0.1", "2004-03-12", "2004-03-12", "1.50", "TRUE"], ["2", "", "", "2.5", "", "", "", ""],
        ["3", "b", "5", "", "2005-01-01", "2005-01-01T08:00:00", "2.00", "FALSE"]]
    assert table.row_numbers.tolist() == [1, 2, 3]


@pytest.mark.parametrize("raw", [b"id,x\n1,2\n", b"PAR1" + b"\0" * 100 + b"PAR1", b"PAR1"])
def test_damaged_parquet(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(raw)
    with pytest.raises(SourceError, match="damaged or not a Parquet file"):
        read_table(tmp_path / "a.parquet", FileSpec("a.parquet", "parquet", "id"))


def test_cut_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(SourceError, match="damaged"):
        read_table(path, FileSpec("a.parquet", "parquet", "id"))


@pytest.mark.parametrize("column", [pa.array([[1], [2]]), pa.array([{"a": 1}, {"a": 2}]), pa.array([b"a", b"b"])])
def test_parquet_columns_that_are_not_plain(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"id": [1, 2], "x": column}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="not of plain values") as caught:
        read_table(tmp_path / "a.parquet", FileSpec("a.parquet", "parquet", "id"))
    assert caught.value.where == "a.parquet, column x"
