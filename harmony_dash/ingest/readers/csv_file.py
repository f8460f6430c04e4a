"""CSV files: the bytes are checked before parsing, and every record has as many cells as the header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers.limits import MAX_LINE_CHARACTERS
from harmony_dash.ingest.readers.table import Columns, RawTable, build_table, check_names, join_names, refusal

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}


def read_csv(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    """Read one CSV file."""
    text = _decode(path.read_bytes(), spec)
    complete = text.endswith(("\n", "\r"))
    reader = csv.reader(_lines(text, spec), delimiter=spec.delimiter, strict=True)
    start = spec.skip_rows + 1
    try:
        header = list(islice(reader, spec.header_rows))
        names = _csv_header(header, spec, text, expected, start)
        width = len(names)
        columns, rows = Columns(width), []
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
            raise refusal(spec, f"the last record is truncated: it has {found} of {width} cells and no line end",
                          "The file was cut off; export it again.", line)
        others = f" ({len(ragged):,} lines are like this)" if len(ragged) > 1 else ""
        raise refusal(spec, f"the line has {found} cells, the header has {width}{others}",
                      "Quote cells that hold the delimiter or a line break, and give every record all its cells.", line)
    if not rows:
        raise refusal(spec, "the file has a header but no records", "Export it again.")
    return build_table(spec, names, columns.columns(), rows)


def _decode(raw: bytes, spec: FileSpec) -> str:
    if not raw.strip():
        raise refusal(spec, "the file is empty", "Export it again.")
    if raw[:4] in (b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"):
        raise refusal(spec, "the file is not a CSV file", "Declare its `format`: xlsx or parquet.")
    if raw[:2] == b"\x1f\x8b" or raw[:4] in (b"\x28\xb5\x2f\xfd", b"\xfd7zX") or raw[:3] == b"BZh":
        raise refusal(spec, "the file is compressed", "Unpack it; only plain CSV files are read.")
    if raw[:5] == b"%PDF-":
        raise refusal(spec, "the file is a PDF", "Export the table as CSV.")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") and not spec.encoding.startswith("utf-16"):
        raise refusal(spec, f"the file is UTF-16, not {spec.encoding}",
                      "Declare `encoding: utf-16` or save it as UTF-8.")
    if not spec.encoding.startswith("utf-16"):
        if raw[:3] == b"\xef\xbb\xbf" and not spec.encoding.startswith("utf-8"):
            raise refusal(spec, f"the file is UTF-8, not {spec.encoding}", "Declare `encoding: utf-8`.", 1)
        if b"\0" in raw:
            raise refusal(spec, "the line holds NUL bytes", "The file is damaged or not text; export it again.",
                          _line_of(raw, raw.index(b"\0")))
    encoding = "utf-8-sig" if spec.encoding == "utf-8" else spec.encoding
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as problem:
        raise refusal(spec, f"the line is not {spec.encoding}", "Declare the `encoding` of the file (often cp1252), or "
                      "save it as UTF-8.", _line_of(raw, problem.start)) from None
    if not spec.encoding.startswith("utf") and not raw.isascii():
        _refuse_wrong_single_byte(raw, spec)
    if "\0" in text:
        raise refusal(spec, "the line holds NUL characters", "The file is damaged; export it again.",
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
        raise refusal(spec, f"the line is UTF-8, not {spec.encoding}", "Declare `encoding: utf-8`.",
                      _line_of(raw, first))
    control = re.search(rb"[\x80-\x9f]", raw) if spec.encoding.startswith("iso8859") else None
    if control:
        raise refusal(spec, f"the line is not {spec.encoding}: it holds control codes", "Declare `encoding: cp1252`.",
                      _line_of(raw, control.start()))


def _line_of(raw: bytes, position: int) -> int:
    before = raw[:position]
    return before.count(b"\n" if b"\n" in raw else b"\r") + 1


def _lines(text: str, spec: FileSpec) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if len(line) > MAX_LINE_CHARACTERS:
            raise refusal(spec, f"the line has {len(line):,} characters, more than {MAX_LINE_CHARACTERS:,}",
                          "Look for a missing line end, an open quote or free text in a cell.", number)
        if number > spec.skip_rows:
            yield line


def _csv_header(header: list[list[str]], spec: FileSpec, text: str, expected: Collection[str], line: int) -> list[str]:
    if len(header) < spec.header_rows or not any(header):
        raise refusal(spec, "the header is missing", "Check `skip_rows` and `header_rows`.", line)
    width = max(len(row) for row in header)
    if width == 1:
        _refuse_wrong_delimiter(spec, text, line)
    for offset, row in enumerate(header):
        if len(row) != width:
            raise refusal(spec, f"the header row has {len(row)} cells, another one has {width}",
                          "Give every header row the same number of cells.", line + offset)
    names = join_names([[cell.strip() for cell in row] for row in header])
    check_names(spec, names, expected, line)
    return names


def _refuse_wrong_delimiter(spec: FileSpec, text: str, line: int) -> None:
    sample = [row for row in text[:200_000].splitlines()[spec.skip_rows : spec.skip_rows + 20] if row.strip()]
    for delimiter, name in _DELIMITERS.items():
        counts = {row.count(delimiter) for row in sample}
        if delimiter != spec.delimiter and len(counts) == 1 and counts != {0}:
            shown = "\\t" if delimiter == "\t" else delimiter
            declared = _DELIMITERS.get(spec.delimiter, spec.delimiter)
            raise refusal(spec, f"the columns are separated by a {name}, not by a {declared}",
                          f'Declare `delimiter: "{shown}"`.', line)


def _csv_problem(problem: str, spec: FileSpec, line: int) -> SourceError:
    if "unexpected end of data" in problem:
        return refusal(spec, "a quote is opened and never closed, so the last record is truncated",
                       "Close the quote, or export the file again.", line)
    if "field larger" in problem:
        return refusal(spec, "a cell is too long, or its quote is never closed",
                       "Close the quote; free text does not belong into a source.", line)
    if "expected after" in problem:
        return refusal(spec, "text follows a closing quote", "Double the quotes inside a quoted cell.", line)
    return refusal(spec, "the line cannot be parsed", "Check its quotes and line end.", line)
