"""How large a file of patients may be, so that a damaged or hostile one cannot fill the machine."""

from __future__ import annotations

# A registry row is a few hundred characters; a longer line is a lost line end, an open quote or an attack.
MAX_LINE_CHARACTERS = 65_536
MAX_CELL_CHARACTERS = 65_536
MAX_COLUMNS = 5_000
MAX_FILE_BYTES = 2_000_000_000
# What an XLSX or Parquet file may unfold to; a million rows of eighty columns stay below it.
MAX_UNFOLDED_BYTES = 2_000_000_000
