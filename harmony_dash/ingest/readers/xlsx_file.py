"""XLSX workbooks, without what makes a small file a large one."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Any

import openpyxl
from defusedxml.common import DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers.limits import MAX_CELL_CHARACTERS, MAX_LINE_CHARACTERS, MAX_UNFOLDED_BYTES
from harmony_dash.ingest.readers.native_cells import write_cell
from harmony_dash.ingest.readers.table import (
    Columns,
    RawTable,
    build_table,
    check_names,
    describe_refusal,
    join_names,
    refusal,
)

MAX_FOLD = 500
# The last row of a sheet; a workbook may name a later one, and every row before it would be read.
MAX_SHEET_ROWS = 1_048_576
MAX_EMPTY_ROWS = 10_000
# Remarks before the first element of a part of a workbook; spreadsheets write none.
MAX_PROLOGUE_BYTES = 1_000_000


def read_xlsx(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    """Read one sheet of a workbook."""
    with path.open("rb") as file:
        if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise refusal(spec, "the file is an old .xls workbook or is protected by a password",
                          "Save it as an unprotected .xlsx workbook.")
    try:
        _check_archive(path, spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=False, keep_links=False)
            try:
                return _read_sheet(book, path, spec, expected)
            finally:
                book.close()
    except (SourceError, MemoryError):
        raise
    except Exception as problem:
        if isinstance(problem, OSError) and describe_refusal(problem):
            raise
        # openpyxl meets damage with whatever its parts raise: KeyError, ValueError, ParseError, zlib.error, …
        raise refusal(spec, "the workbook is damaged or not an XLSX file",
                      "Open it in a spreadsheet program, save it as .xlsx and try again.") from None


def _check_archive(path: Path, spec: FileSpec) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        unfolded = sum(part.file_size for part in parts)
        if unfolded > MAX_UNFOLDED_BYTES or unfolded > MAX_FOLD * max(path.stat().st_size, 10_000):
            raise refusal(spec, f"the workbook unfolds to {unfolded:,} bytes, which no table of patients does",
                          "Save a workbook with the data only, or use CSV.")
        for part in parts:
            with archive.open(part) as stream:
                _refuse_document_type(stream, spec)


class _FirstElement:
    """Notes that the root element of a document began: a document type can only come before it."""

    begun = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.begun = True


def _refuse_document_type(stream: IO[bytes], spec: FileSpec) -> None:
    """Refuse a part with a document type, whatever its name, encoding and the remarks before it.

    The parser is the one that reads the workbook, so both see the same. Parts that are not XML are left alone.
    """
    first = _FirstElement()
    parser = DefusedXMLParser(target=first, forbid_dtd=True)
    length = 0
    try:
        while not first.begun and (chunk := stream.read(MAX_LINE_CHARACTERS)):
            length += len(chunk)
            if length > MAX_PROLOGUE_BYTES:
                raise refusal(spec, "the workbook holds a part that begins with long remarks, which spreadsheets never "
                              "write", "Save it again with a spreadsheet program.")
            parser.feed(chunk)
    except DTDForbidden:
        raise refusal(spec, "the workbook holds document type declarations, which spreadsheets never write",
                      "Save it again with a spreadsheet program.") from None
    except (ParseError, ValueError):
        return


def _read_sheet(book: Any, path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    titles = [sheet.title for sheet in book.worksheets]
    if spec.sheet and spec.sheet not in titles:
        raise refusal(spec, f"there is no sheet '{spec.sheet}'", f"The sheets are: {', '.join(titles)}.")
    sheet = book[spec.sheet] if spec.sheet else book.worksheets[0]
    # The size a workbook states about itself may be wrong, and rows beyond it would be dropped.
    sheet.reset_dimensions()
    first = spec.skip_rows + 1
    header: list[list[str]] = []
    columns: Columns | None = None
    names: list[str] = []
    numbers: list[int] = []
    with closing(sheet.iter_rows(values_only=True)) as rows:
        for number, row in enumerate(_bounded(rows, spec), 1):
            if number < first:
                continue
            if number < first + spec.header_rows:
                header.append([write_cell(value) or "" for value in row])
                continue
            if columns is None:
                names = _sheet_header(header, path, sheet, spec, expected, first)
                columns = Columns(len(names))
            cells = [_native_text(value, spec, number, position) for position, value in enumerate(row, 1)]
            if not any(cells):
                continue
            if any(cells[len(names):]):
                raise refusal(spec, f"there is a value in a column without a name; the header has {len(names)} columns",
                              "Name the column or remove the value.", number,
                              get_column_letter(next(p for p, cell in enumerate(cells, 1) if p > len(names) and cell)))
            columns.add((cells + [""] * (len(names) - len(cells)))[: len(names)])
            numbers.append(number)
    if columns is None:
        _sheet_header(header, path, sheet, spec, expected, first)
    if columns is None or not numbers:
        raise refusal(spec, "the sheet has a header but no records", "Export it again, or name the right `sheet`.")
    return build_table(spec, names, columns.columns(), numbers)


def _bounded(rows: Iterable[Sequence[Any]], spec: FileSpec) -> Iterator[Sequence[Any]]:
    """The rows, as long as there are no more of them, filled or empty, than a table has."""
    empty = 0
    for number, row in enumerate(rows, 1):
        empty = 0 if any(value is not None and value != "" for value in row) else empty + 1
        if number > MAX_SHEET_ROWS:
            raise refusal(spec, f"the sheet has more than {MAX_SHEET_ROWS:,} rows", "Split it, or use CSV.", number)
        if empty >= MAX_EMPTY_ROWS:
            raise refusal(spec, f"the sheet has {MAX_EMPTY_ROWS:,} empty rows one after another",
                          "Delete the rows below the table, or a row that was filled far below it by mistake.", number)
        yield row


def _native_text(value: Any, spec: FileSpec, number: int, position: int) -> str:
    text = write_cell(value, spec.decimal)
    if text is None:
        # Array formulas and data tables are objects; a formula's text starts with = and is refused as such later.
        return "=" if hasattr(value, "ref") else str(value)
    if len(text) > MAX_CELL_CHARACTERS:
        raise refusal(spec, f"the cell has {len(text):,} characters, more than {MAX_CELL_CHARACTERS:,}",
                      "Free text does not belong into a source.", number, get_column_letter(position))
    return text


def _sheet_header(header: list[list[str]], path: Path, sheet: Any, spec: FileSpec, expected: Collection[str],
                  first: int) -> list[str]:
    width = max((position for row in header for position, cell in enumerate(row, 1) if cell), default=0)
    if len(header) < spec.header_rows or width == 0:
        raise refusal(spec, "the header is missing", "Check `skip_rows`, `header_rows` and `sheet`.", first)
    rows = [(row + [""] * width)[:width] for row in header]
    if spec.header_rows > 1:
        _fill_merged(rows, path, sheet, first)
    names = join_names(rows)
    check_names(spec, names, expected, first)
    return names


def _fill_merged(rows: list[list[str]], path: Path, sheet: Any, first: int) -> None:
    """Repeat a name over the cells it was merged across: "MRD" over two columns belongs to both."""
    with zipfile.ZipFile(path) as archive:
        xml = archive.read(str(sheet._worksheet_path).lstrip("/"))
    for reference in re.findall(rb'mergeCell ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"', xml):
        left, top, right, _ = range_boundaries(reference.decode())
        position = int(top or 0) - first
        if 0 <= position < len(rows):
            for column in range(int(left or 1), min(int(right or 1), len(rows[0])) + 1):
                rows[position][column - 1] = rows[position][int(left or 1) - 1]
