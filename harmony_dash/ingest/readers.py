"""From a provider's file to a table of trimmed text, or one clear refusal that names file, line and remedy.

Parsers repair quietly: they pad short rows, drop an unterminated last record and take the first patient for a header.
So the bytes are checked before parsing, and every record has exactly as many cells as the header.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from defusedxml.common import DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest import ROW_ID, FileSpec

# A registry row is a few hundred characters; a longer line is a lost line end, an open quote or an attack.
MAX_LINE_CHARACTERS = 65_536
MAX_CELL_CHARACTERS = 65_536
MAX_COLUMNS = 5_000
MAX_FILE_BYTES = 2_000_000_000
# What an XLSX or Parquet file may unfold to; a million rows of eighty columns stay below it.
MAX_UNFOLDED_BYTES = 2_000_000_000
MAX_FOLD = 500
# The last row of a sheet; a workbook may name a later one, and every row before it would be read.
MAX_SHEET_ROWS = 1_048_576
MAX_EMPTY_ROWS = 10_000
# Remarks before the first element of a part of a workbook; spreadsheets write none.
MAX_PROLOGUE_BYTES = 1_000_000

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_ROWS_A_CHUNK = 20_000
_NUMBER_OR_DATE = re.compile(
    r"^[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?\s*%?$|^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$|^[^@\s]+@[^@\s]+$")


@dataclass(frozen=True)
class RawTable:
    """One data file as text.

    Attributes
    ----------
    spec : how it was read.
    frame : one column a header name, cells trimmed, missing as "".
    row_numbers : line of a CSV file where the record starts, or row of a sheet or table, counted from 1.
    """

    spec: FileSpec
    frame: pd.DataFrame
    row_numbers: npt.NDArray[np.int32]
    _distinct: dict[str, tuple[npt.NDArray[np.intp], list[str]]] = field(default_factory=dict, repr=False)

    @property
    def columns(self) -> list[str]:
        """The header names."""
        return [str(name) for name in self.frame.columns]

    def __len__(self) -> int:
        return len(self.frame)

    def distinct(self, column: str) -> tuple[npt.NDArray[np.intp], list[str]]:
        """The distinct cells of a column, and for each row the position of its cell among them."""
        if column not in self._distinct:
            codes, values = pd.factorize(self.frame[column].to_numpy())
            self._distinct[column] = codes, [str(value) for value in values]
        return self._distinct[column]


def read_table(path: Path, spec: FileSpec, expected: Collection[str] = ()) -> RawTable:
    """Read one data file.

    Parameters
    ----------
    path : the file, already checked to lie in the source folder.
    spec : its entry in the manifest.
    expected : column names the manifest mentions; a number among the header names is fine if it is expected.

    Raises
    ------
    SourceError naming file, line or row, column and remedy for everything listed in this module.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            raise _fail(spec, "the file is empty", "Export it again.")
        if size > MAX_FILE_BYTES:
            raise _fail(spec, f"the file has {size:,} bytes, more than {MAX_FILE_BYTES:,}", "Split it.")
        reader = {"csv": _read_csv, "xlsx": _read_xlsx, "parquet": _read_parquet}[spec.format]
        table = reader(path, spec, expected)
    except OSError as problem:
        raise _fail(spec, f"the file cannot be read ({problem.strerror or 'damaged'})",
                    "Check its permissions and copy it again.") from None
    if spec.id == ROW_ID:
        if ROW_ID in table.columns:
            raise _fail(spec, f"the file has a column '{ROW_ID}', which stands for the row number",
                        "Rename the column.")
        table.frame[ROW_ID] = table.row_numbers.astype(str)
    return table


def _fail(spec: FileSpec, problem: str, remedy: str, row: int | None = None, column: str = "") -> SourceError:
    place = spec.label
    if row is not None:
        place += f", {'line' if spec.format == 'csv' else 'row'} {row}"
    if column:
        place += f", column {column}"
    return SourceError(problem, where=place, remedy=remedy)


# -- columns of text ------------------------------------------------------------------------------------------------

class _Trimmed(dict[str, str]):
    """Trims each distinct cell once and keeps one copy of it."""

    def __missing__(self, cell: str) -> str:
        trimmed = cell.strip()
        self[cell] = trimmed
        return trimmed


class _Columns:
    """Collects records and turns them into columns chunk by chunk, so that both are never held whole."""

    def __init__(self, width: int) -> None:
        self._chunks: list[list[npt.NDArray[np.object_]]] = [[] for _ in range(width)]
        self._trimmed = [_Trimmed() for _ in range(width)]
        self._rows: list[Sequence[str]] = []

    def add(self, row: Sequence[str]) -> None:
        self._rows.append(row)
        if len(self._rows) >= _ROWS_A_CHUNK:
            self._flush()

    def _flush(self) -> None:
        for position, cells in enumerate(zip(*self._rows, strict=True)):
            column = np.empty(len(cells), dtype=object)
            column[:] = list(map(self._trimmed[position].__getitem__, cells))
            self._chunks[position].append(column)
        self._rows = []

    def columns(self) -> list[npt.NDArray[np.object_]]:
        if self._rows:
            self._flush()
        return [np.concatenate(chunks) for chunks in self._chunks]


def _table(spec: FileSpec, names: Sequence[str], columns: Sequence[npt.NDArray[np.object_]],
           rows: Iterable[int]) -> RawTable:
    frame = pd.DataFrame(dict(zip(names, columns, strict=True)), dtype=object)
    return RawTable(spec, frame, np.fromiter(rows, dtype=np.int32))


def _check_names(spec: FileSpec, names: Sequence[str], expected: Collection[str], row: int | None) -> None:
    """Refuse a header that is missing, doubled or has holes; what may be a patient's values is not repeated."""
    if len(names) > MAX_COLUMNS:
        raise _fail(spec, f"the header has {len(names):,} columns, more than {MAX_COLUMNS:,}",
                    "Declare the right delimiter, or split the file.", row)
    data_like = [position for position, name in enumerate(names, 1)
                 if name not in expected and _NUMBER_OR_DATE.match(name)]
    if data_like:
        raise _fail(spec, f"the header looks like data: the name of column {data_like[0]} is a number, date or address",
                    "Add the header line, or correct `skip_rows` and `header_rows`.", row)
    for position, name in enumerate(names, 1):
        if not name:
            raise _fail(spec, f"column {position} of {len(names)} has no name",
                        "Name every column; remove a delimiter at the end of the lines.", row)
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if name in seen:
            raise _fail(spec, f"columns {seen[name]} and {position} have the same name",
                        "Rename one of them; with several header rows set `header_rows`.", row)
        seen[name] = position


def _join_names(parts: Sequence[Sequence[str]]) -> list[str]:
    return [" ".join(part for part in column if part) for column in zip(*parts, strict=True)]


# -- CSV ------------------------------------------------------------------------------------------------------------

def _read_csv(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    text = _decode(path.read_bytes(), spec)
    complete = text.endswith(("\n", "\r"))
    reader = csv.reader(_lines(text, spec), delimiter=spec.delimiter, strict=True)
    start = spec.skip_rows + 1
    try:
        header = list(islice(reader, spec.header_rows))
        names = _csv_header(header, spec, text, expected, start)
        width = len(names)
        columns, rows = _Columns(width), []
        ragged: list[tuple[int, int]] = []
        start = spec.skip_rows + reader.line_num + 1
        for row in reader:
            if len(row) == width:
                columns.add(row)
                rows.append(start)
            elif row:
                ragged.append((start, len(row)))
            start = spec.skip_rows + reader.line_num + 1
    except csv.Error as problem:
        raise _csv_problem(str(problem), spec, start) from None
    if ragged:
        line, found = ragged[0]
        if not complete and len(ragged) == 1 and found < width and line >= (rows[-1] if rows else 0):
            raise _fail(spec, f"the last record is truncated: it has {found} of {width} cells and no line end",
                        "The file was cut off; export it again.", line)
        others = f" ({len(ragged):,} lines are like this)" if len(ragged) > 1 else ""
        raise _fail(spec, f"the line has {found} cells, the header has {width}{others}",
                    "Quote cells that hold the delimiter or a line break, and give every record all its cells.", line)
    if not rows:
        raise _fail(spec, "the file has a header but no records", "Export it again.")
    return _table(spec, names, columns.columns(), rows)


def _decode(raw: bytes, spec: FileSpec) -> str:
    if not raw.strip():
        raise _fail(spec, "the file is empty", "Export it again.")
    if raw[:4] in (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"):
        raise _fail(spec, "the file is not a CSV file", "Declare its `format`: xlsx or parquet.")
    if raw[:2] == b"\x1f\x8b" or raw[:4] in (b"\x28\xb5\x2f\xfd", b"\xfd7zX") or raw[:3] == b"BZh":
        raise _fail(spec, "the file is compressed", "Unpack it; only plain CSV files are read.")
    if raw[:5] == b"%PDF-":
        raise _fail(spec, "the file is a PDF", "Export the table as CSV.")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") and not spec.encoding.startswith("utf-16"):
        raise _fail(spec, f"the file is UTF-16, not {spec.encoding}", "Declare `encoding: utf-16` or save it as UTF-8.")
    if not spec.encoding.startswith("utf-16"):
        if raw[:3] == b"\xef\xbb\xbf" and not spec.encoding.startswith("utf-8"):
            raise _fail(spec, f"the file is UTF-8, not {spec.encoding}", "Declare `encoding: utf-8`.", 1)
        if b"\0" in raw:
            raise _fail(spec, "the line holds NUL bytes", "The file is damaged or not text; export it again.",
                        _line_of(raw, raw.index(b"\0")))
    encoding = "utf-8-sig" if spec.encoding == "utf-8" else spec.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise _fail(spec, f"the line is not {spec.encoding}", "Declare the `encoding` of the file (often cp1252), or "
                    "save it as UTF-8.", _line_of(raw, problem.start)) from None
    if not spec.encoding.startswith("utf") and not raw.isascii():
        _refuse_wrong_single_byte(raw, spec)
    if "\0" in text:
        raise _fail(spec, "the line holds NUL characters", "The file is damaged; export it again.",
                    text[: text.index("\0")].count("\n") + 1)
    return text.removeprefix("\ufeff")


def _refuse_wrong_single_byte(raw: bytes, spec: FileSpec) -> None:
    """Single-byte encodings accept anything; valid UTF-8, or control codes, were not written in them."""
    beyond_ascii = re.search(rb"[\x80-\xff]", raw)
    first = beyond_ascii.start() if beyond_ascii else 0
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        raise _fail(spec, f"the line is UTF-8, not {spec.encoding}", "Declare `encoding: utf-8`.", _line_of(raw, first))
    control = re.search(rb"[\x80-\x9f]", raw) if spec.encoding.startswith("iso8859") else None
    if control:
        raise _fail(spec, f"the line is not {spec.encoding}: it holds control codes", "Declare `encoding: cp1252`.",
                    _line_of(raw, control.start()))


def _line_of(raw: bytes, position: int) -> int:
    before = raw[:position]
    return before.count(b"\n" if b"\n" in raw else b"\r") + 1


def _lines(text: str, spec: FileSpec) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise _fail(spec, f"the line has {len(line):,} characters, more than {MAX_LINE_CHARACTERS:,}",
                        "Look for a missing line end, an open quote or free text in a cell.", number)
        if number > spec.skip_rows:
            yield line


def _csv_header(header: list[list[str]], spec: FileSpec, text: str, expected: Collection[str], line: int) -> list[str]:
    if len(header) < spec.header_rows or not any(header):
        raise _fail(spec, "the header is missing", "Check `skip_rows` and `header_rows`.", line)
    width = max(len(row) for row in header)
    if width == 1:
        _refuse_wrong_delimiter(spec, text, line)
    for offset, row in enumerate(header):
        if len(row) != width:
            raise _fail(spec, f"the header row has {len(row)} cells, another one has {width}",
                        "Give every header row the same number of cells.", line + offset)
    names = _join_names([[cell.strip() for cell in row] for row in header])
    _check_names(spec, names, expected, line)
    return names


def _refuse_wrong_delimiter(spec: FileSpec, text: str, line: int) -> None:
    sample = [row for row in text[:200_000].splitlines()[spec.skip_rows : spec.skip_rows + 20] if row.strip()]
    for delimiter, name in _DELIMITERS.items():
        counts = {row.count(delimiter) for row in sample}
        if delimiter != spec.delimiter and len(counts) == 1 and counts != {0}:
            shown = "\\t" if delimiter == "\t" else delimiter
            declared = _DELIMITERS.get(spec.delimiter, spec.delimiter)
            raise _fail(spec, f"the columns are separated by a {name}, not by a {declared}",
                        f'Declare `delimiter: "{shown}"`.', line)


def _csv_problem(problem: str, spec: FileSpec, line: int) -> SourceError:
    if "unexpected end of data" in problem:
        return _fail(spec, "a quote is opened and never closed, so the last record is truncated",
                     "Close the quote, or export the file again.", line)
    if "field larger" in problem:
        return _fail(spec, "a cell is too long, or its quote is never closed",
                     "Close the quote; free text does not belong into a source.", line)
    if "expected after" in problem:
        return _fail(spec, "text follows a closing quote", "Double the quotes inside a quoted cell.", line)
    return _fail(spec, "the line cannot be parsed", "Check its quotes and line end.", line)


# -- native values as text ------------------------------------------------------------------------------------------

def write_cell(value: Any, decimal: str = ".") -> str | None:
    """Text of a native cell: no float noise (0.30000000000000004 is 0.3), dates in ISO form; None if it has none."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value != value:
            return ""
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
        return text.replace(".", decimal) if decimal != "." else text
    if isinstance(value, datetime):
        midnight = value.time() == time(0) and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return None


# -- XLSX -----------------------------------------------------------------------------------------------------------

def _read_xlsx(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    with path.open("rb") as file:
        if file.read(8) == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
            raise _fail(spec, "the file is an old .xls workbook or is protected by a password",
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
    except Exception:
        # openpyxl meets damage with whatever its parts raise: KeyError, ValueError, ParseError, zlib.error, …
        raise _fail(spec, "the workbook is damaged or not an XLSX file",
                    "Open it in a spreadsheet program, save it as .xlsx and try again.") from None


def _check_archive(path: Path, spec: FileSpec) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        unfolded = sum(part.file_size for part in parts)
        if unfolded > MAX_UNFOLDED_BYTES or unfolded > MAX_FOLD * max(path.stat().st_size, 10_000):
            raise _fail(spec, f"the workbook unfolds to {unfolded:,} bytes, which no table of patients does",
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
                raise _fail(spec, "the workbook holds a part that begins with long remarks, which spreadsheets never "
                            "write", "Save it again with a spreadsheet program.")
            parser.feed(chunk)
    except DTDForbidden:
        raise _fail(spec, "the workbook holds document type declarations, which spreadsheets never write",
                    "Save it again with a spreadsheet program.") from None
    except (ParseError, ValueError):
        return


def _read_sheet(book: Any, path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    titles = [sheet.title for sheet in book.worksheets]
    if spec.sheet and spec.sheet not in titles:
        raise _fail(spec, f"there is no sheet '{spec.sheet}'", f"The sheets are: {', '.join(titles)}.")
    sheet = book[spec.sheet] if spec.sheet else book.worksheets[0]
    # The size a workbook states about itself may be wrong, and rows beyond it would be dropped.
    sheet.reset_dimensions()
    first = spec.skip_rows + 1
    header: list[list[str]] = []
    columns: _Columns | None = None
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
                columns = _Columns(len(names))
            cells = [_native_text(value, spec, number, position) for position, value in enumerate(row, 1)]
            if not any(cells):
                continue
            if any(cells[len(names):]):
                raise _fail(spec, f"there is a value in a column without a name; the header has {len(names)} columns",
                            "Name the column or remove the value.", number,
                            get_column_letter(next(p for p, cell in enumerate(cells, 1) if p > len(names) and cell)))
            columns.add((cells + [""] * (len(names) - len(cells)))[: len(names)])
            numbers.append(number)
    if columns is None:
        _sheet_header(header, path, sheet, spec, expected, first)
    if columns is None or not numbers:
        raise _fail(spec, "the sheet has a header but no records", "Export it again, or name the right `sheet`.")
    return _table(spec, names, columns.columns(), numbers)


def _bounded(rows: Iterable[Sequence[Any]], spec: FileSpec) -> Iterator[Sequence[Any]]:
    """The rows, as long as there are no more of them, filled or empty, than a table has."""
    empty = 0
    for number, row in enumerate(rows, 1):
        empty = 0 if any(value is not None and value != "" for value in row) else empty + 1
        if number > MAX_SHEET_ROWS:
            raise _fail(spec, f"the sheet has more than {MAX_SHEET_ROWS:,} rows", "Split it, or use CSV.", number)
        if empty >= MAX_EMPTY_ROWS:
            raise _fail(spec, f"the sheet has {MAX_EMPTY_ROWS:,} empty rows one after another",
                        "Delete the rows below the table, or a row that was filled far below it by mistake.", number)
        yield row


def _native_text(value: Any, spec: FileSpec, number: int, position: int) -> str:
    text = write_cell(value, spec.decimal)
    if text is None:
        # Array formulas and data tables are objects; a formula's text starts with = and is refused as such later.
        return "=" if hasattr(value, "ref") else str(value)
    if len(text) > MAX_CELL_CHARACTERS:
        raise _fail(spec, f"the cell has {len(text):,} characters, more than {MAX_CELL_CHARACTERS:,}",
                    "Free text does not belong into a source.", number, get_column_letter(position))
    return text


def _sheet_header(header: list[list[str]], path: Path, sheet: Any, spec: FileSpec, expected: Collection[str],
                  first: int) -> list[str]:
    width = max((position for row in header for position, cell in enumerate(row, 1) if cell), default=0)
    if len(header) < spec.header_rows or width == 0:
        raise _fail(spec, "the header is missing", "Check `skip_rows`, `header_rows` and `sheet`.", first)
    rows = [(row + [""] * width)[:width] for row in header]
    if spec.header_rows > 1:
        _fill_merged(rows, path, sheet, first)
    names = _join_names(rows)
    _check_names(spec, names, expected, first)
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


# -- Parquet ----------------------------------------------------------------------------------------------------------

def _read_parquet(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    try:
        with pq.ParquetFile(path) as file:
            unfolded = sum(file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups))
            if unfolded > MAX_UNFOLDED_BYTES:
                raise _fail(spec, f"the file unfolds to {unfolded:,} bytes, more than {MAX_UNFOLDED_BYTES:,}",
                            "Split it.")
            schema = file.schema_arrow
            for name, kind in zip(schema.names, schema.types, strict=True):
                if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                    raise _fail(spec, f"the column is of type {kind}, not of plain values",
                                "Write text, numbers or dates.", None, name)
            names = [name.strip() for name in schema.names]
            _check_names(spec, names, expected, None)
            if file.metadata.num_rows == 0:
                raise _fail(spec, "the file has columns but no records", "Export it again.")
            table = file.read()
        columns = [_arrow_text(table.column(position), spec, name) for position, name in enumerate(names)]
    except (pa.ArrowException, OSError, ValueError):
        # Damage shows as any of these, and as text that is not UTF-8 once cells are read.
        raise _fail(spec, "the file is damaged or not a Parquet file", "Export it again.") from None
    return _table(spec, names, columns, range(1, table.num_rows + 1))


def _arrow_cell(value: Any, kind: pa.DataType, decimal: str) -> str | None:
    if value is not None and (pa.types.is_float32(kind) or pa.types.is_float16(kind)):
        # Seven digits are all a 32-bit number holds; more of them would be noise.
        return write_cell(float(format(value, ".7g")), decimal)
    if value is not None and pa.types.is_decimal(kind):
        return format(value, "f").replace(".", decimal)
    return write_cell(value, decimal)


def _arrow_text(column: pa.ChunkedArray, spec: FileSpec, name: str) -> npt.NDArray[np.object_]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    combined = column.combine_chunks()
    encoded = (pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined
               ).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    distinct: list[str] = []
    for value in encoded.dictionary.to_pylist():
        cell = _arrow_cell(value, column.type, spec.decimal)
        if cell is None:
            raise _fail(spec, f"the column is of type {column.type}, not of plain values",
                        "Write text, numbers or dates.", None, name)
        if len(cell) > MAX_CELL_CHARACTERS:
            raise _fail(spec, f"a cell has more than {MAX_CELL_CHARACTERS:,} characters",
                        "Free text does not belong into a source.", None, name)
        distinct.append(cell)
    distinct.append("")
    lookup = np.empty(len(distinct), dtype=object)
    lookup[:] = distinct
    cells: npt.NDArray[np.object_] = lookup[codes]
    return cells
