"""Whether the declaration of a field fits the variable it fills."""

from __future__ import annotations

import re
from datetime import datetime

from harmony_dash.dictionary import Dictionary, Variable, VariableType
from harmony_dash.dictionary.yaml_reader import LocatedDict
from harmony_dash.errors import SourceError
from harmony_dash.ingest.manifest.blocks import fail, read_words
from harmony_dash.ingest.manifest.model import DAY_UNITS, LANGUAGES, FieldSpec
from harmony_dash.ingest.suggestions import suggest

_DATE_DIRECTIVES = "YymdbBHMSjfT"


def check_constant(block: LocatedDict, key: str, variable: Variable, spec: FieldSpec, dictionary: Dictionary) -> None:
    """Raise unless the constant is a value of the variable."""
    value, name = spec.constant or "", variable.name
    if name == "disease" and value not in dictionary.diseases:
        raise fail(block, key, f"the disease '{value}' is not in the dictionary",
                   suggest(value, tuple(dictionary.diseases)))
    if variable.values and value not in variable.values:
        raise fail(block, key, f"'{value}' is not a code of '{name}'", suggest(value, tuple(variable.values)))
    if variable.is_numeric:
        try:
            number = float(value) * (variable.units[spec.unit] if spec.unit and variable.units else 1.0)
        except ValueError:
            raise fail(block, key, f"the constant of '{name}' is not a number", "Write a number.") from None
        if not (variable.lower if variable.lower is not None else number) <= number <= (
                variable.upper if variable.upper is not None else number):
            raise fail(block, key, f"the constant of '{name}' is outside {variable.lower:g} to {variable.upper:g}",
                       "Check the number and its unit.")
    elif not value:
        raise fail(block, key, f"the constant of '{name}' is empty", "Write its value or remove the line.")


def check_unit(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec) -> None:
    """Raise unless the unit is one of the variable's, and declared where it has several."""
    if variable.type is VariableType.DAYS:
        choices: tuple[str, ...] = DAY_UNITS
        if spec.transform == "days_between":
            choices = ("days",)
    elif variable.units:
        choices = tuple(variable.units)
        if spec.unit is None:
            raise SourceError(f"'{name}' has no unit", where=spec.where,
                              remedy=f"Add `unit:` with the unit of the column, one of: {', '.join(choices)}.")
    else:
        choices = (variable.unit,) if variable.unit else ()
    if spec.unit is not None and spec.unit not in choices:
        remedy = suggest(spec.unit.replace("µ", "u").replace("μ", "u"), choices) if choices else "Remove `unit`."
        raise fail(entry, "unit", f"'{name}': the unit '{spec.unit}' is not known for this variable", remedy)


def check_values(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec, dictionary: Dictionary) -> None:
    """Raise unless the value map leads to codes of the variable and no word is also missing."""
    if spec.values is None:
        return
    block = entry["values"]
    if variable.is_numeric and variable.type is not VariableType.INTEGER:
        raise fail(entry, "values", f"'{name}' is a number and takes no value map",
                   "Remove `values`; list words for missing under `missing`.")
    allowed = tuple(dictionary.diseases) if name == "disease" else tuple(variable.values)
    for word, code in spec.values.items():
        if allowed and code not in allowed:
            raise fail(block, word if word in block else None, f"'{name}': '{code}' is not a code of the dictionary",
                       suggest(code, allowed))
        if variable.type is VariableType.INTEGER and not re.fullmatch(r"-?\d+", code):
            raise fail(block, word if word in block else None, f"'{name}': '{code}' is not a whole number",
                       "Map source values to whole numbers.")
        if word == "" or word in read_words(entry, "missing"):
            raise fail(block, word if word in block else None,
                       f"'{name}': a word is both in the value map and a missing token",
                       "Keep one of the two; an empty cell is always missing.")


def check_transform(entry: LocatedDict, name: str, variable: Variable, spec: FieldSpec) -> None:
    """Raise unless the transform makes this variable and has what it needs."""
    transform = spec.transform
    if transform is None:
        return
    codes = set(variable.values)
    fits = {
        "days_between": variable.type is VariableType.DAYS, "capped": variable.type is VariableType.DAYS,
        "round_days": variable.type is VariableType.DAYS, "year_of": variable.type is VariableType.INTEGER,
        "yes_no": {"yes", "no"} <= codes, "subtype": name == "subtype", "marker": {"pos", "neg"} <= codes,
        "deletion": {"del", "nodel"} <= codes, "mrd": False,
    }
    if not fits[transform]:
        raise fail(entry, "transform", f"'{name}': the transform '{transform}' does not make this {variable.type}",
                   "Remove it, or map the variable it belongs to.")
    if spec.values is not None and transform in ("days_between", "capped", "round_days", "year_of"):
        raise fail(entry, "values", f"'{name}': `values` and `transform: {transform}` exclude each other",
                   "Keep one of the two.")
    if transform == "days_between" and spec.from_column is None:
        raise SourceError(f"'{name}': days_between needs the column it counts from", where=spec.where,
                          remedy="Add `from: COLUMN`, usually the date of diagnosis.")
    if transform in ("days_between", "year_of"):
        _check_date_format(entry, name, spec)
    if transform == "capped" and spec.at_column is None:
        raise SourceError(f"'{name}': capped needs the column it is capped at", where=spec.where,
                          remedy="Add `at: COLUMN`.")
    if spec.language is not None and spec.language not in LANGUAGES:
        raise fail(entry, "language", f"'{name}': the language '{spec.language}' is not known",
                   f"Use one of: {', '.join(LANGUAGES)}.")


def _check_date_format(entry: LocatedDict, name: str, spec: FieldSpec) -> None:
    text = spec.date_format
    if text is None:
        raise SourceError(f"'{name}': the date format is not declared", where=spec.where,
                          remedy='Add e.g. `date_format: "%d.%m.%Y"`, `excel` or `native`.')
    if text in ("excel", "native"):
        return
    directives = re.findall(r"%(.)", text)
    has_year = bool({"Y", "y"} & set(directives))
    has_day = ("d" in directives and bool({"m", "b", "B"} & set(directives))) or "j" in directives
    sample = datetime(2003, 2, 14)
    try:
        exact = datetime.strptime(sample.strftime(text), text)
        works = (not set(directives) - set(_DATE_DIRECTIVES) and has_year
                 and (spec.transform == "year_of" or (has_day and exact == sample)))
    except ValueError:
        works = False
    if not works:
        raise fail(entry, "date_format", f"'{name}': the date format does not describe a whole date",
                   'Write a strptime format such as "%d.%m.%Y" or "%Y-%m-%d", or `excel` or `native`.')
