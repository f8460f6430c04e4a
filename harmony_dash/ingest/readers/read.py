"""From a provider's file to a table of trimmed text, or one clear refusal that names file, line and remedy.

Parsers repair quietly: they pad short rows, drop an unterminated last record and take the first patient for a header.
So the bytes are checked before parsing, and every record has exactly as many cells as the header.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from harmony_dash.ingest.manifest.model import ROW_ID, FileSpec
from harmony_dash.ingest.readers.csv_file import read_csv
from harmony_dash.ingest.readers.limits import MAX_FILE_BYTES
from harmony_dash.ingest.readers.parquet_file import read_parquet
from harmony_dash.ingest.readers.table import RawTable, describe_refusal, refusal
from harmony_dash.ingest.readers.xlsx_file import read_xlsx


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
            raise refusal(spec, "the file is empty", "Export it again.")
        if size > MAX_FILE_BYTES:
            raise refusal(spec, f"the file has {size:,} bytes, more than {MAX_FILE_BYTES:,}", "Split it.")
        reader = {"csv": read_csv, "xlsx": read_xlsx, "parquet": read_parquet}[spec.format]
        table = reader(path, spec, expected)
    except OSError as problem:
        # what some libraries say holds the whole path
        cause = describe_refusal(problem) or (os.strerror(problem.errno).lower() if problem.errno else "damaged")
        raise refusal(spec, f"the file cannot be read ({cause})",
                      "Correct that and try again; if nothing helps, copy the file again.") from None
    if spec.id == ROW_ID:
        if ROW_ID in table.columns:
            raise refusal(spec, f"the file has a column '{ROW_ID}', which stands for the row number",
                          "Rename the column.")
        table.frame[ROW_ID] = table.row_numbers.astype(str)
    return table
