"""Tables as Parquet, with the provenance in the file's metadata and the meaning of each column in the column's."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from harmony_dash.export.cells import plain
from harmony_dash.export.provenance import Provenance
from harmony_dash.export.summary import Kind, Table

PROVENANCE_KEY = b"harmony_dash.provenance"
_TYPES = {Kind.TEXT: pa.string(), Kind.COUNT: pa.int64(), Kind.DAYS: pa.float64(), Kind.SHARE: pa.float64(),
          Kind.NUMBER: pa.float64()}


def write_parquet(table: Table, provenance: Provenance) -> bytes:
    """The table with typed columns; null is no value."""
    metadata = {PROVENANCE_KEY: provenance.json.encode(), b"harmony_dash.table": table.name.encode(),
                b"harmony_dash.data_sha256": provenance.data_sha256.encode()}
    schema = pa.schema([pa.field(column.name, _TYPES[column.kind], metadata={b"meaning": column.meaning.encode()})
                        for column in table.columns], metadata=metadata)
    columns = [pa.array([plain(row[place]) for row in table.rows], type=_TYPES[column.kind])
               for place, column in enumerate(table.columns)]
    content = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), content, compression="zstd")
    return content.getvalue()
