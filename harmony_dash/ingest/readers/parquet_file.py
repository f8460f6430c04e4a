"""Parquet files of plain values."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from harmony_dash.ingest.manifest.model import FileSpec
from harmony_dash.ingest.readers.limits import MAX_CELL_CHARACTERS, MAX_UNFOLDED_BYTES
from harmony_dash.ingest.readers.native_cells import write_cell
from harmony_dash.ingest.readers.table import RawTable, build_table, check_names, describe_refusal, refusal


def read_parquet(path: Path, spec: FileSpec, expected: Collection[str]) -> RawTable:
    """Read one Parquet file."""
    try:
        with pq.ParquetFile(path) as file:
            unfolded = sum(file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups))
            if unfolded > MAX_UNFOLDED_BYTES:
                raise refusal(spec, f"the file unfolds to {unfolded:,} bytes, more than {MAX_UNFOLDED_BYTES:,}",
                              "Split it.")
            schema = file.schema_arrow
            for name, kind in zip(schema.names, schema.types, strict=True):
                if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                    raise refusal(spec, f"the column is of type {kind}, not of plain values",
                                  "Write text, numbers or dates.", None, name)
            names = [name.strip() for name in schema.names]
            check_names(spec, names, expected, None)
            if file.metadata.num_rows == 0:
                raise refusal(spec, "the file has columns but no records", "Export it again.")
            table = file.read()
        columns = [_arrow_text(table.column(position), spec, name) for position, name in enumerate(names)]
    except (pa.ArrowException, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and describe_refusal(problem):
            raise
        # Damage shows as any of these, and as text that is not UTF-8 once cells are read.
        raise refusal(spec, "the file is damaged or not a Parquet file", "Export it again.") from None
    return build_table(spec, names, columns, range(1, table.num_rows + 1))


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
            raise refusal(spec, f"the column is of type {column.type}, not of plain values",
                          "Write text, numbers or dates.", None, name)
        if len(cell) > MAX_CELL_CHARACTERS:
            raise refusal(spec, f"a cell has more than {MAX_CELL_CHARACTERS:,} characters",
                          "Free text does not belong into a source.", None, name)
        distinct.append(cell)
    distinct.append("")
    lookup = np.empty(len(distinct), dtype=object)
    lookup[:] = distinct
    cells: npt.NDArray[np.object_] = lookup[codes]
    return cells
