"""Tables and provenance as an Excel workbook. Text is written as text and can never become a formula."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.properties import PageSetupProperties

from harmony_dash.export.archive import EARLIEST
from harmony_dash.export.cells import Cell, plain
from harmony_dash.export.provenance import Provenance
from harmony_dash.export.summary import Kind, Summary, Table

_FORMATS: Final = {Kind.COUNT: "#,##0", Kind.SHARE: "0.0%", Kind.DAYS: "#,##0", Kind.NUMBER: "0.00##"}
_HEAD = Font(name="Calibri", bold=True)
_QUIET = Font(name="Calibri", color="5C636B")
_A4, _LINE = 9, 150  # Excel's number of the paper; signs on a line of prose
_SHADE = PatternFill("solid", fgColor="F0F2F4")
_WRAP = Alignment(wrap_text=True, vertical="top")
_NARROWEST, _WIDEST, _PROSE = 11, 60, 110
_CORE = "docProps/core.xml"
_MOMENTS = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")
_LONGEST_TEXT = 32_767  # what a cell holds


def write_workbook(summary: Summary, provenance: Provenance, made: datetime) -> bytes:
    """A sheet to read first, one a table, what the columns mean, and the provenance.

    Parameters
    ----------
    made : when, for the properties of the file.
    """
    book = Workbook(write_only=True)
    _write_prose(book, summary)
    for table in summary.tables:
        _write_table(book, table)
    _write_lines(book, "columns", ("table", "column", "meaning"), [
        (table.name, column.name, column.meaning) for table in summary.tables for column in table.columns])
    _write_lines(book, "provenance", ("name", "value"), [*provenance.lines, ("as JSON", provenance.json)])
    book.properties.title = summary.title
    book.properties.creator = "harmony_dash"
    content = io.BytesIO()
    book.save(content)
    return _settle(content.getvalue(), made)


def _add_sheet(book: Any, name: str) -> Any:
    """A sheet that prints on pages as wide as it is."""
    sheet = book.create_sheet(name)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    return sheet


def _write_prose(book: Any, summary: Summary) -> None:
    """The question, the answer in words, and the tables for people."""
    sheet = _add_sheet(book, "summary")
    sheet.column_dimensions["A"].width = 34
    for letter in "BCDEFGHIJKLM":
        sheet.column_dimensions[letter].width = 19
    lines: list[tuple[str, Font | None]] = [(summary.title, Font(name="Calibri", bold=True, size=14))]
    if summary.synthetic:
        lines.append(("Synthetic data: no patient is real.", Font(name="Calibri", bold=True, color="B34F00")))
    lines += [(summary.text, None), *((note, None) for note in summary.notes)]
    for text, font in lines:
        _write_lines_of(sheet, text, font)
    for display in summary.displays:
        sheet.append([])
        sheet.append([_cell(sheet, display.title, font=Font(name="Calibri", bold=True, size=12))])
        sheet.append([_cell(sheet, word, font=_HEAD, fill=_SHADE,
                            right=place >= display.words) for place, word in enumerate(display.header)])
        for row in display.rows:
            sheet.append([_cell(sheet, word, right=place >= display.words) for place, word in enumerate(row)])
        if display.note:
            sheet.append([_cell(sheet, display.note, font=_QUIET)])
    sheet.append([])
    _write_lines_of(sheet, summary.methods, _QUIET)


def _write_lines_of(sheet: Any, text: str, font: Font | None) -> None:
    """Prose, line by line: a cell cannot be as wide as a paragraph."""
    for line in textwrap.wrap(text, _LINE):
        sheet.append([_cell(sheet, line, font=font)])


def _write_table(book: Any, table: Table) -> None:
    sheet = _add_sheet(book, table.name)
    sheet.freeze_panes = "A2"
    for letter, width in zip(_letters(len(table.columns)), _widths(table), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([_cell(sheet, column.name, font=_HEAD, fill=_SHADE) for column in table.columns])
    for row in table.rows:
        sheet.append([_cell(sheet, value, form=_FORMATS.get(column.kind, ""))
                      for value, column in zip(row, table.columns, strict=True)])


def _write_lines(book: Any, name: str, header: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    sheet = _add_sheet(book, name)
    sheet.freeze_panes = "A2"
    letters = _letters(len(header))
    for letter in letters[:-1]:
        sheet.column_dimensions[letter].width = 36
    sheet.column_dimensions[letters[-1]].width = _PROSE
    sheet.append([_cell(sheet, word, font=_HEAD, fill=_SHADE) for word in header])
    for line in lines:
        sheet.append([_cell(sheet, text, wrap=True) for text in line])


def _cell(sheet: Any, value: Cell, *, font: Font | None = None, fill: PatternFill | None = None, form: str = "",
          right: bool = False, wrap: bool = False) -> Any:
    kept = plain(value)
    cell = WriteOnlyCell(sheet, value=None if isinstance(kept, str) else kept)
    if isinstance(kept, str):
        cell.value = kept[:_LONGEST_TEXT]
        cell.data_type = "s"  # openpyxl would take a text that begins with "=" for a formula
    elif form:
        cell.number_format = form
    if font:
        cell.font = font
    if fill:
        cell.fill = fill
    if right:
        cell.alignment = Alignment(horizontal="right")
    if wrap:
        cell.alignment = _WRAP
    return cell


def _widths(table: Table) -> list[float]:
    longest = [max([len(column.name), *(len(str(row[place])) for row in table.rows
                                        if column.kind is Kind.TEXT and row[place] is not None)])
               for place, column in enumerate(table.columns)]
    return [min(_WIDEST, max(_NARROWEST, signs + 2)) for signs in longest]


def _letters(count: int) -> list[str]:
    return [chr(ord("A") + place) for place in range(count)]


def _settle(content: bytes, made: datetime) -> bytes:
    """The workbook with its own moment in place of that of the clock, so that the same export gives the same bytes."""
    moment = made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    settled = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == _CORE:
                part = _MOMENTS.sub(rb"\g<1>" + moment.encode() + rb"\g<2>", part)
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, part)
    return settled.getvalue()
