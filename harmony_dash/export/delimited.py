"""Tables as CSV: nothing but a header and rows, so that every program reads them; provenance stands beside them."""

from __future__ import annotations

import csv
import io

from harmony_dash.export.cells import as_text
from harmony_dash.export.summary import Table


def write_csv(table: Table) -> bytes:
    """The table as UTF-8, every field quoted, lines ended as RFC 4180 has it; an empty field is no value."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([column.name for column in table.columns])
    writer.writerows([as_text(value) for value in row] for row in table.rows)
    return text.getvalue().encode()
