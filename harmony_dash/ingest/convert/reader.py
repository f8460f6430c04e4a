"""The text cells of a field, with what its source declares about them, and the columns they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.dictionary import Variable
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.issues import Problem, Reason
from harmony_dash.ingest.manifest.model import FieldSpec
from harmony_dash.ingest.transforms import Floats, Mask

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Converted:
    """Columns a field fills, and problems with masks over the rows of the table.

    Categories are object columns of dictionary codes or None, numbers `Float64`, days and integers `Int64`. A cell with
    a problem is missing in its column.
    """

    columns: Mapping[str, pd.Series[Any]]
    problems: list[Problem]


@dataclass(frozen=True)
class FieldReader:
    """A table with what its source declares about it."""

    table: pd.DataFrame
    spec: FieldSpec
    missing: frozenset[str]
    decimal: str
    thousands: str

    @property
    def main_column(self) -> str:
        """The name of the column that holds the values."""
        if self.spec.column is None:
            raise SourceError("the field has neither a column nor a constant", where=self.spec.where,
                              remedy="Give one of the two")
        return self.spec.column

    def column(self, name: str) -> pd.Series[str]:
        """A column as it is in the file."""
        if name not in self.table.columns:
            raise SourceError(f"the file has no column '{name}'", where=self.spec.where,
                              remedy="Compare with the header of the file, including capitals")
        return self.table[name]

    def tidying(self, keep: Callable[[str], bool] | None = None) -> Callable[[str], str]:
        """A function that trims a cell and makes missing tokens ""; `keep` tells which words are values even so."""

        def tidy(cell: str) -> str:
            cell = cell.strip()
            return "" if cell in self.missing and not (keep is not None and keep(cell)) else cell

        return tidy

    def cells(self, column: str, keep: Callable[[str], bool] | None = None) -> pd.Series[str]:
        """The tidied cells of a column."""
        return pd.Series(transforms.map_distinct(self.column(column), self.tidying(keep)), index=self.table.index)

    def numbers(self, cells: pd.Series[str]) -> Floats:
        """Numbers in the declared separators, NaN where missing or not a number."""
        return transforms.parse_numbers(cells, self.decimal, self.thousands)

    def problems(self, mask: Mask, variable: Variable, reason: Reason, message: str) -> list[Problem]:
        """One problem of the main column, or none where the mask is empty."""
        if not mask.any():
            return []
        return [Problem(rows=mask, reason=reason, message=message, variable=variable.name,
                        column=self.spec.column or "")]


def object_column(values: Objects, index: pd.Index[Any]) -> pd.Series[Any]:
    """Codes and None as a column."""
    return pd.DataFrame({"values": values}, index=index, dtype=object)["values"].rename(None)


def nullable_column(values: Floats, index: pd.Index[Any], *, whole: bool) -> pd.Series[Any]:
    """Numbers as a column of `Int64` or `Float64`; NaN is missing."""
    missing = np.isnan(values)
    if whole:
        return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing), index=index)
    return pd.Series(pd.arrays.FloatingArray(np.where(missing, 0.0, values), missing), index=index)
