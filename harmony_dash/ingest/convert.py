"""From a field's text cells to the harmonised column(s) it fills, and what is wrong with them.

Types, permissible values and ranges of the dictionary are checked here; checks across variables are in `checks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.errors import SourceError
from harmony_dash.ingest import transforms
from harmony_dash.ingest.issues import Problem, Reason
from harmony_dash.ingest.manifest import DEFAULT_NEGATIVE, DEFAULT_NOT_QUANTIFIABLE, FieldSpec
from harmony_dash.ingest.mrd import MrdStatus, build_mrd_rules, parse_mrd_cells
from harmony_dash.ingest.transforms import Floats, Mask
from harmony_dash.ingest.vocabulary import deletion_of, marker_of, subtype_of

Objects = npt.NDArray[np.object_]

# Codes such as a trial or an arm are names, not remarks: free text may identify a patient.
MAX_CODE_LENGTH = 64
_CODE = re.compile(rf"[^\x00-\x1f\x7f]{{1,{MAX_CODE_LENGTH}}}")


@dataclass(frozen=True, eq=False)
class Converted:
    """Columns a field fills, and problems with masks over the rows of the table.

    Categories are object columns of dictionary codes or None, numbers `Float64`, days and integers `Int64`. A cell with
    a problem is missing in its column.
    """

    columns: Mapping[str, pd.Series[Any]]
    problems: list[Problem]


@dataclass(frozen=True)
class _Reader:
    """A table with what its source declares about it."""

    table: pd.DataFrame
    spec: FieldSpec
    missing: frozenset[str]
    decimal: str
    thousands: str

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


def convert(name: str, spec: FieldSpec, table: pd.DataFrame, dictionary: Dictionary, *,
            file_missing: frozenset[str] = frozenset(), decimal: str = ".", thousands: str = "") -> Converted:
    """Convert one declared field.

    Parameters
    ----------
    name : a variable of the dictionary, or the stem of a composite (`mrd_eoi`) whose parts the field fills together.
    spec : where its values come from.
    table : text cells; "" is missing.
    dictionary : what the values mean.
    file_missing : missing tokens of the file beside those of the field.
    decimal, thousands : separators of the file; the field's own win.

    Raises
    ------
    SourceError if a declared column does not exist or the declaration cannot be carried out.
    """
    reader = _Reader(table, spec, frozenset({"", *file_missing, *spec.missing}),
                     decimal if spec.decimal is None else spec.decimal,
                     thousands if spec.thousands is None else spec.thousands)
    if name not in dictionary and f"{name}_value" in dictionary:
        return _convert_mrd(name, reader, dictionary)
    variable = dictionary[name]
    if spec.constant is not None:
        reader = _with_constant(reader)
    if variable.is_numeric:
        return _convert_number(variable, reader)
    return _convert_category(variable, reader, dictionary)


def _with_constant(reader: _Reader) -> _Reader:
    """The same reader over a table whose only column is the constant, which is written as in the manifest."""
    cells = pd.Series(reader.spec.constant, index=reader.table.index, dtype=object)
    spec = replace(reader.spec, column="constant", constant=None, values=None, transform=None)
    return _Reader(pd.DataFrame({"constant": cells}), spec, frozenset({""}), ".", "")


def _column(reader: _Reader) -> str:
    if reader.spec.column is None:
        raise SourceError("the field has neither a column nor a constant", where=reader.spec.where,
                          remedy="Give one of the two")
    return reader.spec.column


# -- categories ----------------------------------------------------------------------------------------------------

_WORD_TRANSFORMS: Mapping[str, Callable[[str], str | None]] = MappingProxyType(
    {"subtype": subtype_of, "marker": marker_of, "deletion": deletion_of})


def _word_function(spec: FieldSpec) -> Callable[[str], str | None]:
    """What a source word means: its value map first, then the named transform, else the word is the code."""
    by_transform: Callable[[str], str | None] | None
    if spec.transform is None:
        by_transform = None
    elif spec.transform == "yes_no":
        by_transform = partial(transforms.parse_yes_no, language=spec.language or "")
    elif spec.transform in _WORD_TRANSFORMS:
        by_transform = _WORD_TRANSFORMS[spec.transform]
    else:
        raise SourceError(f"the transform '{spec.transform}' does not make a category", where=spec.where,
                          remedy="Remove it or write a `values` map")
    values = spec.values or {}

    def read(cell: str) -> str | None:
        mapped = transforms.map_value(cell, values)
        if mapped is not None:
            return mapped
        if by_transform is not None:
            return by_transform(cell)
        return None if spec.values is not None else cell

    return read


def _convert_category(variable: Variable, reader: _Reader, dictionary: Dictionary) -> Converted:
    codes, problems = _read_codes(variable, reader, _code_check(variable, dictionary))
    return Converted({variable.name: _objects(codes, reader.table.index)}, problems)


def _read_codes(variable: Variable, reader: _Reader, is_code: Callable[[str], bool]) -> tuple[Objects, list[Problem]]:
    """Permissible codes, None for missing cells and for those with a problem."""
    tidy = reader.tidying((reader.spec.values or {}).__contains__)
    meaning = _word_function(reader.spec)
    rows, distinct = pd.factorize(reader.column(_column(reader)).to_numpy(dtype=object))
    codes, unknown = np.full(len(distinct), None, dtype=object), np.zeros(len(distinct), dtype=np.bool_)
    for position, cell in enumerate(map(tidy, distinct)):
        code = meaning(cell) if cell else None
        if code is not None and is_code(code):
            codes[position] = code
        else:
            unknown[position] = cell != ""
    return codes[rows], _problems(unknown[rows], reader, variable, *_unknown_value(variable, reader.spec))


def _objects(values: Objects, index: pd.Index[Any]) -> pd.Series[Any]:
    return pd.DataFrame({"values": values}, index=index, dtype=object)["values"].rename(None)


def _code_check(variable: Variable, dictionary: Dictionary) -> Callable[[str], bool]:
    if variable.name == "disease":
        return dictionary.diseases.__contains__
    if variable.values:
        return variable.values.__contains__
    return lambda code: _CODE.fullmatch(code) is not None


def _unknown_value(variable: Variable, spec: FieldSpec) -> tuple[Reason, str]:
    if spec.transform is not None:
        return Reason.VALUE_UNKNOWN, f"not a word the transform {spec.transform} knows, nor in the value map"
    if spec.values is not None:
        return Reason.VALUE_UNKNOWN, "a value that is neither in the value map nor a missing token"
    if variable.values or variable.name == "disease":
        return Reason.VALUE_UNKNOWN, f"not a code of '{variable.name}'; the source declares no value map"
    return Reason.TYPE, f"not a short code (1 to {MAX_CODE_LENGTH} characters on one line)"


# -- numbers -------------------------------------------------------------------------------------------------------


def _convert_number(variable: Variable, reader: _Reader) -> Converted:
    transform = reader.spec.transform
    if transform in ("days_between", "year_of"):
        return _convert_dates(variable, reader)
    if transform not in (None, "capped", "round_days"):
        raise SourceError(f"the transform '{transform}' does not make a number", where=reader.spec.where,
                          remedy="Remove it")
    cells = reader.cells(_column(reader), keep=(reader.spec.values or {}).__contains__)
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
    return _finish_number(variable, reader, values, [*problems, *more])


def _read_numbers(variable: Variable, reader: _Reader, cells: pd.Series[str]) -> tuple[Floats, list[Problem]]:
    values = reader.spec.values
    if values is not None:
        mapped = pd.Series(transforms.map_distinct(cells, partial(transforms.map_value, values=values)), dtype=object)
        unknown = (cells != "").to_numpy() & mapped.isna().to_numpy()
        numbers = transforms.parse_numbers(mapped.fillna(""))
        return numbers, _problems(unknown, reader, variable, *_unknown_value(variable, reader.spec))
    numbers = reader.numbers(cells)
    invalid = np.isnan(numbers) & (cells != "").to_numpy(dtype=bool)
    return numbers, _problems(invalid, reader, variable, Reason.NUMBER_INVALID,
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


def _whole_days(variable: Variable, reader: _Reader, values: Floats) -> tuple[Floats, list[Problem]]:
    unit = reader.spec.unit or "days"
    if unit != "days" or reader.spec.transform == "round_days":
        return transforms.to_days(values, unit), []
    return _whole_numbers(variable, reader, values)


def _whole_numbers(variable: Variable, reader: _Reader, values: Floats) -> tuple[Floats, list[Problem]]:
    broken = ~np.isnan(values) & ~transforms.is_whole(values)
    remedy = "; declare `transform: round_days` if days may be rounded" if variable.type is VariableType.DAYS else ""
    return np.where(broken, np.nan, values), _problems(broken, reader, variable, Reason.TYPE,
                                                       f"not a whole number{remedy}")


def _finish_number(variable: Variable, reader: _Reader, values: Floats, problems: list[Problem]) -> Converted:
    outside = _outside(variable, values)
    values = np.where(outside, np.nan, values)
    column = _nullable(values, reader.table.index, whole=variable.type is not VariableType.NUMBER)
    return Converted({variable.name: column},
                     [*problems, *_problems(outside, reader, variable, Reason.RANGE, _range_message(variable))])


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


def _nullable(values: Floats, index: pd.Index[Any], *, whole: bool) -> pd.Series[Any]:
    missing = np.isnan(values)
    if whole:
        return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing), index=index)
    return pd.Series(pd.arrays.FloatingArray(np.where(missing, 0.0, values), missing), index=index)


# -- dates ---------------------------------------------------------------------------------------------------------


def _convert_dates(variable: Variable, reader: _Reader) -> Converted:
    spec = reader.spec
    column = _column(reader)
    days, problems = _read_dates(variable, reader, column)
    if spec.transform == "year_of":
        return _finish_number(variable, reader, transforms.year_of(days), problems)
    if spec.from_column is None:
        raise SourceError("days_between needs the column it counts from", where=spec.where, remedy="Add `from: COLUMN`")
    start, more = _read_dates(variable, reader, spec.from_column)
    # A date without the date to count from must not pass for "did not happen".
    blank = (reader.cells(spec.from_column) == "").to_numpy(dtype=bool)
    no_start = ~np.isnan(days) & blank
    problems += more + _problems(no_start, reader, variable, Reason.DATE_INVALID,
                                 f"there is no date in '{spec.from_column}' to count the days from")
    return _finish_number(variable, reader, transforms.days_between(start, days), problems)


def _read_dates(variable: Variable, reader: _Reader, column: str) -> tuple[Floats, list[Problem]]:
    if reader.spec.date_format is None:
        raise SourceError("the format of the dates is not declared", where=reader.spec.where,
                          remedy='Add e.g. `date_format: "%d.%m.%Y"`')
    cells = reader.cells(column)
    days = transforms.parse_dates(cells, reader.spec.date_format)
    invalid = np.isnan(days) & (cells != "").to_numpy(dtype=bool)
    return days, _problems(invalid, replace(reader, spec=replace(reader.spec, column=column)), variable,
                           Reason.DATE_INVALID, "not a possible date in the declared format")


# -- MRD -----------------------------------------------------------------------------------------------------------

def _convert_mrd(stem: str, reader: _Reader, dictionary: Dictionary) -> Converted:
    spec = reader.spec
    rules = build_mrd_rules(
        unit=spec.unit or "", decimal=reader.decimal, thousands=reader.thousands, below_limit=spec.below_limit or "",
        negative=() if spec.negative == DEFAULT_NEGATIVE else spec.negative,
        positive_not_quantifiable=(() if spec.positive_not_quantifiable == DEFAULT_NOT_QUANTIFIABLE
                                   else spec.positive_not_quantifiable),
        not_done=spec.not_done, failed=spec.failed)
    cells = reader.cells(_column(reader), keep=rules.is_declared)
    problems: list[Problem] = []
    lod, loq, day = (_mrd_number(dictionary[f"{stem}_{part}"], reader, column, constant, problems)
                     for part, column, constant in (("lod", spec.lod_column, spec.lod),
                                                    ("loq", spec.loq_column, spec.loq),
                                                    ("day", spec.day_column, spec.day)))
    method = _mrd_method(dictionary[f"{stem}_method"], reader, problems)
    parsed = parse_mrd_cells(cells, rules, lod, loq)
    for refusal, mask in parsed.refused.items():
        problems += _problems(mask, reader, dictionary[f"{stem}_value"], refusal.reason, refusal.message)
    # The day and the method describe a test; where none was done they would describe nothing.
    untested = np.asarray(pd.isna(parsed.status) | (parsed.status == MrdStatus.NOT_DONE), dtype=np.bool_)
    method[untested] = None
    index = reader.table.index
    columns: dict[str, pd.Series[Any]] = {
        f"{stem}_value": _nullable(parsed.value, index, whole=False),
        f"{stem}_op": _objects(parsed.op, index),
        f"{stem}_status": _objects(parsed.status, index),
        f"{stem}_lod": _nullable(parsed.lod, index, whole=False),
        f"{stem}_loq": _nullable(parsed.loq, index, whole=False),
        f"{stem}_method": _objects(method, index),
        f"{stem}_day": _nullable(np.where(untested, np.nan, day), index, whole=True),
    }
    return Converted(columns, problems)


def _mrd_number(variable: Variable, reader: _Reader, column: str | None, constant: float | None,
                problems: list[Problem]) -> Floats:
    if column is None:
        return np.full(len(reader.table), np.nan if constant is None else float(constant))
    part = replace(reader, spec=FieldSpec(variable.name, column=column, where=reader.spec.where))
    converted = _convert_number(variable, part)
    problems += converted.problems
    return converted.columns[variable.name].to_numpy(dtype=np.float64, na_value=np.nan)


def _mrd_method(variable: Variable, reader: _Reader, problems: list[Problem]) -> Objects:
    spec = reader.spec
    if spec.method_column is None:
        return np.full(len(reader.table), spec.method, dtype=object)
    part = replace(reader, spec=FieldSpec(variable.name, column=spec.method_column, values=spec.method_values,
                                          where=spec.where))
    codes, found = _read_codes(variable, part, variable.values.__contains__)
    problems += found
    return codes


# -- problems ------------------------------------------------------------------------------------------------------


def _problems(mask: Mask, reader: _Reader, variable: Variable, reason: Reason, message: str) -> list[Problem]:
    """One problem, or none where the mask is empty."""
    if not mask.any():
        return []
    return [Problem(rows=mask, reason=reason, message=message, variable=variable.name,
                    column=reader.spec.column or "")]
