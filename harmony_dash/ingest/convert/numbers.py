"""Cells as numbers, days and whole numbers, in the unit and range of the dictionary."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from harmony_dash.dictionary import Variable, VariableType
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.convert.categories import explain_unknown
from harmony_dash.ingest.convert.reader import Converted, FieldReader, nullable_column
from harmony_dash.ingest.issues import Problem, Reason
from harmony_dash.ingest.manifest.model import FieldSpec
from harmony_dash.ingest.transforms import Floats, Mask


def convert_number(variable: Variable, reader: FieldReader) -> Converted:
    """Numbers in the unit of the dictionary, days and integers as whole numbers."""
    transform = reader.spec.transform
    if transform not in (None, "capped", "round_days"):
        raise SourceError(f"the transform '{transform}' does not make a number", where=reader.spec.where,
                          remedy="Remove it")
    cells = reader.cells(reader.main_column, keep=(reader.spec.values or {}).__contains__)
    source, problems = _read_numbers(variable, reader, cells)
    ceilings = None
    if transform == "capped":
        if reader.spec.at_column is None:
            raise SourceError("capped needs the column it is capped at", where=reader.spec.where,
                              remedy="Add `at: COLUMN`")
        at_reader = replace(reader, spec=replace(reader.spec, column=reader.spec.at_column, values=None))
        ceilings, more = _read_numbers(variable, at_reader, at_reader.cells(reader.spec.at_column))
        problems += more
    if variable.type is VariableType.DAYS:
        values, more = _whole_days(variable, reader, source)
        if ceilings is not None:
            values = transforms.cap(values, _whole_days(variable, reader, ceilings)[0])
    elif variable.type is VariableType.INTEGER:
        values, more = _whole_numbers(variable, reader, source)
    else:
        values, more = transforms.apply_factor(source, _factor(variable, reader.spec)), []
    return finish_number(variable, reader, values, [*problems, *more])


def _read_numbers(variable: Variable, reader: FieldReader, cells: pd.Series[str]) -> tuple[Floats, list[Problem]]:
    values = reader.spec.values
    if values is not None:
        mapped = pd.Series(transforms.map_distinct(cells, partial(transforms.map_value, values=values)), dtype=object)
        unknown = (cells != "").to_numpy() & mapped.isna().to_numpy()
        numbers = transforms.parse_numbers(mapped.fillna(""))
        return numbers, reader.problems(unknown, variable, *explain_unknown(variable, reader.spec))
    numbers = reader.numbers(cells)
    invalid = np.isnan(numbers) & (cells != "").to_numpy(dtype=bool)
    return numbers, reader.problems(invalid, variable, Reason.NUMBER_INVALID,
                                    "not a number in the declared decimal and thousands separators")


def _factor(variable: Variable, spec: FieldSpec) -> float:
    if spec.unit is None:
        if variable.units:
            raise SourceError(f"'{variable.name}' has no unit", where=spec.where,
                              remedy=f"Add `unit:`, one of: {', '.join(variable.units)}")
        return 1.0
    if spec.unit in variable.units:
        return variable.units[spec.unit]
    if spec.unit != variable.unit:
        raise SourceError(f"the unit '{spec.unit}' is not known for '{variable.name}'", where=spec.where,
                          remedy=f"Use one of: {', '.join(variable.units) or variable.unit or 'none'}")
    return 1.0


def _whole_days(variable: Variable, reader: FieldReader, values: Floats) -> tuple[Floats, list[Problem]]:
    unit = reader.spec.unit or "days"
    if unit != "days" or reader.spec.transform == "round_days":
        return transforms.to_days(values, unit), []
    return _whole_numbers(variable, reader, values)


def _whole_numbers(variable: Variable, reader: FieldReader, values: Floats) -> tuple[Floats, list[Problem]]:
    broken = ~np.isnan(values) & ~transforms.is_whole(values)
    remedy = "; declare `transform: round_days` if days may be rounded" if variable.type is VariableType.DAYS else ""
    return np.where(broken, np.nan, values), reader.problems(broken, variable, Reason.TYPE,
                                                              f"not a whole number{remedy}")


def finish_number(variable: Variable, reader: FieldReader, values: Floats, problems: list[Problem]) -> Converted:
    """The column, without values outside the range of the dictionary, which are reported."""
    outside = _outside(variable, values)
    values = np.where(outside, np.nan, values)
    column = nullable_column(values, reader.table.index, whole=variable.type is not VariableType.NUMBER)
    return Converted({variable.name: column},
                     [*problems, *reader.problems(outside, variable, Reason.RANGE, _range_message(variable))])


def _outside(variable: Variable, values: Floats) -> Mask:
    outside = np.zeros(len(values), dtype=bool)
    if variable.lower is not None:
        outside |= values < variable.lower
    if variable.upper is not None:
        outside |= values > variable.upper
    return outside


def _range_message(variable: Variable) -> str:
    lower, upper = (f"{end:,g}" if end is not None else "…" for end in (variable.lower, variable.upper))
    unit = f" {variable.unit}" if variable.unit else ""
    return f"{variable.label} outside {lower} to {upper}{unit}"
