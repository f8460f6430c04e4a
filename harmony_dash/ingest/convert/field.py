"""From a field's text cells to the harmonised column(s) it fills, and what is wrong with them.

Types, permissible values and ranges of the dictionary are checked here; checks across variables are in `checks`.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from harmony_dash.dictionary import Dictionary
from harmony_dash.ingest.convert.categories import convert_category
from harmony_dash.ingest.convert.dates import convert_dates
from harmony_dash.ingest.convert.mrd_field import convert_mrd
from harmony_dash.ingest.convert.numbers import convert_number
from harmony_dash.ingest.convert.reader import Converted, FieldReader
from harmony_dash.ingest.manifest.model import FieldSpec


def convert(name: str, spec: FieldSpec, table: pd.DataFrame, dictionary: Dictionary) -> Converted:
    """Convert one declared field.

    Parameters
    ----------
    name : a variable of the dictionary, or the stem of a composite (`mrd_eoi`) whose parts the field fills together.
    spec : where its values come from.
    table : text cells; "" is missing.
    dictionary : what the values mean.

    Raises
    ------
    SourceError if a declared column does not exist or the declaration cannot be carried out.
    """
    reader = FieldReader(table, spec, spec.missing, spec.decimal or ".", spec.thousands or "")
    if name not in dictionary and f"{name}_value" in dictionary:
        return convert_mrd(name, reader, dictionary)
    variable = dictionary[name]
    if spec.constant is not None:
        reader = _with_constant(reader)
    if variable.is_numeric and reader.spec.transform in ("days_between", "year_of"):
        return convert_dates(variable, reader)
    if variable.is_numeric:
        return convert_number(variable, reader)
    return convert_category(variable, reader, dictionary)


def _with_constant(reader: FieldReader) -> FieldReader:
    """The same reader over a table whose only column is the constant, which is written as in the manifest."""
    cells = pd.Series(reader.spec.constant, index=reader.table.index, dtype=object)
    spec = replace(reader.spec, column="constant", constant=None, values=None, transform=None)
    return FieldReader(pd.DataFrame({"constant": cells}), spec, frozenset({""}), ".", "")
