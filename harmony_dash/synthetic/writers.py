"""CSV, XLSX and Parquet files written chunk by chunk, the same bytes every time."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from harmony_dash.synthetic.layouts.layout import FileLayout
from harmony_dash.synthetic.native import Cells, Column, Days, DiagnosisDate, EventDate, Number, Part

_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
_XLSX_TIME = b"2000-01-01T00:00:00Z"


class TableWriter(ABC):
    """A data file that takes chunks of columns."""

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close(complete=kind is None)

    @abstractmethod
    def write(self, columns: Sequence[Cells]) -> None:
        """Append rows given as columns, in the order of the layout's headings."""

    @abstractmethod
    def close(self, *, complete: bool) -> None:
        """Finish the file."""


def open_writer(path: Path, layout: FileLayout) -> TableWriter:
    """The writer of a file's format."""
    kinds: dict[str, type[_CsvWriter | _XlsxWriter | _ParquetWriter]] = {
        "csv": _CsvWriter, "xlsx": _XlsxWriter, "parquet": _ParquetWriter}
    return kinds[layout.format](path, layout)


class _CsvWriter(TableWriter):
    def __init__(self, path: Path, layout: FileLayout) -> None:
        self._file = path.open("w", encoding=layout.encoding, newline="")
        self._rows = csv.writer(self._file, delimiter=layout.delimiter, lineterminator=layout.newline)
        parts = [heading.split("|") for heading in layout.headings]
        if layout.header_rows == 1:
            self._rows.writerow([" ".join(part) for part in parts])
        else:
            self._rows.writerows([[part[row] for part in parts] for row in range(layout.header_rows)])

    def write(self, columns: Sequence[Cells]) -> None:
        """Append rows."""
        self._rows.writerows(zip(*columns, strict=True))

    def close(self, *, complete: bool) -> None:
        """Close the file."""
        self._file.close()


class _XlsxWriter(TableWriter):
    """One sheet of data behind a legend, as hospitals send it; the legend has no header the reader could mistake."""

    def __init__(self, path: Path, layout: FileLayout) -> None:
        self._path = path
        self._book = openpyxl.Workbook(write_only=True)
        legend = self._book.create_sheet("Legende")
        legend.append(["Synthetic data, invented; see the source.yaml beside this file."])
        for heading in layout.headings:
            legend.append([heading])
        self._sheet = self._book.create_sheet(layout.sheet)
        self._sheet.append(list(layout.headings))

    def write(self, columns: Sequence[Cells]) -> None:
        """Append rows; the empty cell is empty."""
        for row in zip(*columns, strict=True):
            self._sheet.append([None if cell == "" else cell for cell in row])

    def close(self, *, complete: bool) -> None:
        """Save the workbook with its clock stopped."""
        buffer = io.BytesIO()
        self._book.save(buffer)
        if complete:
            self._path.write_bytes(freeze_archive(buffer.getvalue()))


def freeze_archive(raw: bytes) -> bytes:
    """An XLSX archive without the time it was made: fixed member times, fixed document properties."""
    frozen = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as source, zipfile.ZipFile(frozen, "w") as target:
        for name in sorted(source.namelist()):
            body = source.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", _XLSX_TIME, body)
            member = zipfile.ZipInfo(name, _ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(member, body, compresslevel=9)
    return frozen.getvalue()


class _ParquetWriter(TableWriter):
    def __init__(self, path: Path, layout: FileLayout) -> None:
        fields = [pa.field(layout.id, pa.string())]
        fields += [pa.field(column.heading, _arrow_type(column)) for column in layout.columns]
        self._schema = pa.schema(fields)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", store_schema=False)

    def write(self, columns: Sequence[Cells]) -> None:
        """Append a row group."""
        arrays = [pa.array([None if cell == "" else cell for cell in column], type=field.type)
                  for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def close(self, *, complete: bool) -> None:
        """Write the footer."""
        self._writer.close()


def _arrow_type(column: Column) -> Any:
    if isinstance(column, DiagnosisDate | EventDate) and column.date_format == "native":
        return pa.date32()
    if isinstance(column, Number | Days | Part) and column.native:
        return pa.float64() if column.decimals else pa.int64()
    return pa.string()
